"""From a destination to the flow that a call goes through: a number may name a flow, or, more simply, what is at its end."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from conf.errors import PointsmanError
from dialplan import destinations
from dialplan.destinations import (
    Destination,
    HangUp,
    Refuse,
    ToCallback,
    ToExtension,
    ToFlow,
    ToNumber,
    ToQueue,
    ToVoicemail,
)
from dialplan.plan import resolve
from engine.call.configuration import Snapshot
from ivr.flow import Flow, PublishedFlow


class NowhereToGo(PointsmanError):
    """The destination names something that is not there."""


def leads_to(document: object, snapshot: Snapshot, now: datetime) -> PublishedFlow:
    """The flow of a destination as it is stored, of those by hours the one for `now`. NowhereToGo, or what else makes no sense
    of it."""
    destination = resolve(destinations.decode(document), snapshot.plan, now)
    if isinstance(destination, Refuse):
        return _made("refuse", {"end": {"type": "hang_up", "cause": destination.cause}})
    return flow_to(destination, snapshot.flows)


def flow_to(destination: Destination, flows: Mapping[str, PublishedFlow]) -> PublishedFlow:
    """The published flow, or one made for the destination (version 0). NowhereToGo where a flow is not published."""
    if isinstance(destination, ToFlow):
        try:
            return flows[destination.flow]
        except KeyError:
            raise NowhereToGo(f"flow {destination.flow!r} is not published; publish it or change the number") from None
    goodbye = {"type": "hang_up", "prompts": ["goodbye"]}
    if isinstance(destination, ToQueue):
        start = {"type": "queue", "queue": destination.queue, "exits": {"otherwise": "message"}}
        message = {"type": "voicemail", "box": destination.queue, "exits": {"left": "goodbye"}}
        return _made(f"queue-{destination.queue}", {"queue": start, "message": message, "goodbye": goodbye})
    if isinstance(destination, ToExtension):
        start = {"type": "ring", "extension": destination.extension, "exits": {"otherwise": "message"}}
        message = {"type": "voicemail", "box": destination.extension, "exits": {"left": "goodbye"}}
        return _made(f"extension-{destination.extension}", {"ring": start, "message": message, "goodbye": goodbye})
    if isinstance(destination, ToVoicemail):
        message = {"type": "voicemail", "box": destination.box, "exits": {"left": "goodbye"}}
        return _made(f"voicemail-{destination.box}", {"message": message, "goodbye": goodbye})
    if isinstance(destination, ToNumber):
        start = {"type": "outside", "number": destination.number, "exits": {"otherwise": "failed"}}
        failed = {"type": "hang_up", "prompts": ["ring_failed", "goodbye"]}
        return _made("number", {"outside": start, "failed": failed})
    if isinstance(destination, ToCallback):
        # Who does not want it, or cannot be called, may at least leave a message.
        start = {"type": "callback", "queue": destination.queue, "exits": {"taken": "goodbye", "otherwise": "message"}}
        message = {"type": "voicemail", "box": destination.queue, "exits": {"left": "goodbye"}}
        return _made(f"callback-{destination.queue}", {"callback": start, "message": message, "goodbye": goodbye})
    if isinstance(destination, HangUp):
        return _made("hang-up", {"goodbye": goodbye})
    raise NowhereToGo(f"a call is not taken to {destination!r}")


def _made(name: str, nodes: dict[str, object]) -> PublishedFlow:
    return PublishedFlow(0, Flow.parse({"name": name.lower(), "start": next(iter(nodes)), "nodes": nodes}))
