"""From a destination to the flow that a call goes through: a number may name a flow, or, more simply, what is at its end, and
who rings next when nobody answers there."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from conf.errors import PointsmanError
from dialplan import destinations
from dialplan.destinations import (
    Destination,
    HangUp,
    Refuse,
    Rule,
    ToCallback,
    ToExtension,
    ToFlow,
    ToNumber,
    ToQueue,
    ToRingGroup,
    ToVoicemail,
)
from dialplan.plan import resolve
from dialplan.scenarios import Forward, RingGroup
from engine.call.configuration import Snapshot
from ivr.flow import Flow, PublishedFlow
from ivr.nodes.customer import Customer

RING_SECONDS: Final = 20
DEEPEST: Final = 4
"""How many groups and forwarded phones may follow one another by their own rules."""

_GOODBYE: Final = {"type": "hang_up", "prompts": ["goodbye"]}
_NOBODY: Final = {"type": "hang_up", "prompts": ["ring_failed", "goodbye"]}


class NowhereToGo(PointsmanError):
    """The destination names something that is not there."""


def leads_to(document: object, snapshot: Snapshot, now: datetime) -> PublishedFlow:
    """The flow of a destination as it is stored, of those by hours the one for `now`. NowhereToGo, or what else makes no sense
    of it."""
    return flow_to(resolve(destinations.decode(document), snapshot.plan, now), snapshot, now)


def flow_to(destination: Destination, snapshot: Snapshot, now: datetime) -> PublishedFlow:
    """The published flow, or one made for the destination (version 0); what depends on hours within it is decided for `now`.
    NowhereToGo where a flow is not published, or a ring group is not there."""
    if isinstance(destination, ToFlow):
        try:
            return snapshot.flows[destination.flow]
        except KeyError:
            raise NowhereToGo(f"flow {destination.flow!r} is not published; publish it or change the number") from None
    if isinstance(destination, ToRingGroup) and destination.group not in snapshot.plan.ring_groups:
        raise NowhereToGo(f"there is no ring group {destination.group!r}")
    way = _Way(snapshot, now)
    nodes = _named(way.to(destination), way.nodes)
    return PublishedFlow(0, Flow.parse({"name": _name(destination), "start": next(iter(nodes)), "nodes": nodes}))


def asks_whether_blocked(flow: PublishedFlow) -> bool:
    """Whether the flow itself has something to say to callers whose number is blocked; else they are turned away before it."""
    return any(isinstance(node, Customer) and node.asks == "blocked" for node in flow.flow.nodes.values())


def _named(start: str, nodes: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The nodes in the order in which a call comes to them, those of a kind numbered in that order."""
    order = [start]
    for name in order:
        order += [to for to in nodes[name].get("exits", {}).values() if to not in order]
    names: dict[str, str] = {}
    for name in order:
        kind = re.sub(r"_\d+$", "", name)
        number = sum(re.sub(r"_\d+$", "", other) == kind for other in names) + 1
        names[name] = kind if number == 1 else f"{kind}_{number}"
    found = {}
    for name in order:
        node = nodes[name]
        exits = {exit_name: names[to] for exit_name, to in node.get("exits", {}).items()}
        found[names[name]] = {**node, **({"exits": exits} if exits else {})}
    return found


def _name(destination: Destination) -> str:
    match destination:
        case ToQueue(queue):
            name = f"queue-{queue}"
        case ToExtension(extension):
            name = f"extension-{extension}"
        case ToRingGroup(group):
            name = f"group-{group}"
        case ToVoicemail(box):
            name = f"voicemail-{box}"
        case ToCallback(queue):
            name = f"callback-{queue}"
        case ToNumber():
            name = "number"
        case Refuse():
            name = "refuse"
        case _:
            name = "hang-up"
    return name.lower()


class _Way:
    """The nodes of a flow that is made for a destination. `to` adds those of one and gives the name of the first."""

    def __init__(self, snapshot: Snapshot, now: datetime) -> None:
        self.nodes: dict[str, Any] = {}
        self._snapshot = snapshot
        self._now = now

    def to(
        self, destination: Destination, *, otherwise: str | None = None, seconds: int | None = None, depth: int = 0
    ) -> str:
        """`otherwise` is the node for when nobody answers there, `seconds` how long it is tried; where a call goes on its own
        rules follow, but `DEEPEST` of them at most."""
        match destination:
            case ToFlow(flow):
                return self._add("flow", {"type": "go_to", "flow": flow})
            case ToQueue(queue):
                return self._add("queue", {"type": "queue", "queue": queue}, otherwise=self._message(queue))
            case ToExtension(extension):
                forwards = self._snapshot.plan.forwarding.get(extension, ()) if depth < DEEPEST else ()
                if otherwise is None:
                    otherwise = self._message(extension) if not forwards else None
                return self._extension(extension, forwards, otherwise, seconds, depth)
            case ToRingGroup(group):
                return self._group(self._snapshot.plan.ring_groups.get(group), otherwise, depth)
            case ToVoicemail(box):
                return self._message(box)
            case ToNumber(number):
                node = {"type": "outside", "number": number, "seconds": max(seconds or 30, 5)}
                return self._add("outside", node, otherwise=otherwise or self._add("failed", _NOBODY))
            case ToCallback(queue):
                # Who does not want it, or cannot be called, may at least leave a message.
                node = {"type": "callback", "queue": queue, "exits": {"taken": self._goodbye()}}
                return self._add("callback", node, otherwise=self._message(queue))
            case Refuse(cause):
                return self._add("end", {"type": "hang_up", "cause": cause})
            case HangUp():
                return self._goodbye()

    def _extension(
        self, extension: str, forwards: Sequence[Forward], otherwise: str | None, seconds: int | None, depth: int
    ) -> str:
        """The phone, and those that it is forwarded to, each till the next one's time has come."""
        if not forwards:
            return self._ring(extension, seconds or RING_SECONDS, otherwise or self._message(extension))
        # From the last to the first, since each names the one behind it.
        following = otherwise or self._message(extension)
        till: int | None = None
        for forward in reversed(forwards):
            length = None if till is None else max(1, till - forward.after_seconds)
            following = self._to_rule(forward.to, otherwise=following, seconds=length, depth=depth + 1)
            till = forward.after_seconds
        return self._ring(extension, till, following) if till else following

    def _ring(self, extension: str, seconds: int, otherwise: str) -> str:
        return self._add("ring", {"type": "ring", "extension": extension, "seconds": seconds}, otherwise=otherwise)

    def _group(self, group: RingGroup | None, otherwise: str | None, depth: int) -> str:
        if group is None or depth >= DEEPEST:
            return otherwise or self._add("failed", _NOBODY)
        if group.otherwise is not None:
            otherwise = self._to_rule(group.otherwise, otherwise=otherwise, seconds=None, depth=depth + 1)
        node = {
            "type": "ring_group",
            "extensions": [phone.extension for phone in group.phones],
            "order": group.order,
            "seconds": group.seconds,
            "rounds": group.rounds,
        }
        if group.order == "together":
            node["delays"] = {phone.extension: phone.delay_seconds for phone in group.phones if phone.delay_seconds}
        return self._add("group", node, otherwise=otherwise or self._add("failed", _NOBODY))

    def _to_rule(self, rule: Rule, *, otherwise: str | None, seconds: int | None, depth: int) -> str:
        destination = resolve(rule, self._snapshot.plan, self._now)
        return self.to(destination, otherwise=otherwise, seconds=seconds, depth=depth)

    def _message(self, box: str) -> str:
        return self._add("message", {"type": "voicemail", "box": box, "exits": {"left": self._goodbye()}})

    def _goodbye(self) -> str:
        return self._add("goodbye", _GOODBYE)

    def _add(self, name: str, node: dict[str, Any], *, otherwise: str | None = None) -> str:
        """The node's name: the one it has already where the same was added before."""
        if otherwise is not None:
            node = {**node, "exits": {**node.get("exits", {}), "otherwise": otherwise}}
        for known, same in self.nodes.items():
            if same == node:
                return known
        number, unused = 1, name
        while unused in self.nodes:
            number += 1
            unused = f"{name}_{number}"
        self.nodes[unused] = node
        return unused
