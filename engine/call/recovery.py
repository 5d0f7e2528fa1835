"""Taking over a call whose engine process has died: from its checkpoint, at the same node, at the same place in the queue."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

import gevent
import msgspec
import structlog
from gevent.event import AsyncResult

from engine.call.checkpoint import Checkpoint
from engine.esl.frames import Frame
from engine.live import keys
from engine.live.connection import Redis, RedisError
from engine.records.facts import Disposition
from engine.routing.events import OfferAnswered
from ivr.visit import outcome_when_gone

TURN: Final = 100
"""Checkpoints read at a stretch, a millisecond; then calls get their turn."""

PATIENCE_SECONDS: Final = 2.0
"""How long a call that comes back waits for a Redis that is away; one that is started again takes half a second."""

AGAIN_SECONDS: Final = 0.02

BRIDGED: Final = "Caller-Channel-Bridged-Time"

log = structlog.get_logger(__name__)

_decode = msgspec.json.Decoder(Checkpoint).decode


class Checkpoints:
    """Reads what former owners left. A process that dies leaves many calls at once, and they are read together: one by one
    each would have a connection of its own set up, which takes longer than all the rest."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._wanted: dict[str, AsyncResult[str | None]] = {}
        self._reading = False

    def find(self, call_id: str) -> Checkpoint | None:
        """The checkpoint of this call; None where there is none, or Redis stays away, and then the call begins anew."""
        answer = self._wanted.setdefault(call_id, AsyncResult())
        if not self._reading:
            self._reading = True
            gevent.spawn(self._read)
        text = answer.get()
        found = decoded([text]) if text is not None else []
        return found[0] if found else None

    def taken_from(self, process_id: str, call_ids: Sequence[str]) -> dict[str, str]:
        """Those of these calls of `process_id` that another process has by now as far as Redis knows, which is alive, with its
        id. Empty where Redis cannot be asked."""
        if not call_ids:
            return {}
        try:
            texts = zip(call_ids, self._redis.hmget(keys.CALLS, call_ids), strict=True)
            owners = {call_id: msgspec.json.decode(text, type=_Owned).owner for call_id, text in texts if text}
            others = set(owners.values()) - {process_id}
            alive = {owner for owner in others if self._redis.exists(keys.process(owner))}
        except (RedisError, OSError, msgspec.MsgspecError) as error:
            log.warning("nobody asked who has the calls", error=str(error))
            return {}
        return {call_id: owner for call_id, owner in owners.items() if owner in alive}

    def _read(self) -> None:
        """All that are wanted, until none is."""
        since = time.monotonic()
        while self._wanted:
            wanted = list(self._wanted)
            texts: Sequence[str | None] = [None] * len(wanted)
            try:
                texts = self._redis.hmget(keys.CALLS, wanted)
            except (RedisError, OSError) as error:
                # The callers hear nothing meanwhile; but without it they would lose their places and hear all of it again.
                if time.monotonic() - since < PATIENCE_SECONDS:
                    gevent.sleep(AGAIN_SECONDS)
                    continue
                log.warning("no checkpoints to be had", calls=len(wanted), error=str(error))
            for call_id, text in zip(wanted, texts, strict=True):
                self._wanted.pop(call_id).set(text)
            since = time.monotonic()
        self._reading = False


def decoded(texts: Iterable[str]) -> list[Checkpoint]:
    """The checkpoints that can be understood; what cannot is logged and passed over. Of many it gives way now and then."""
    found = []
    for number, text in enumerate(texts, 1):
        if number % TURN == 0:
            gevent.sleep(0)
        try:
            found.append(_decode(text))
        except msgspec.MsgspecError as error:
            log.error("checkpoint not understood", error=str(error), data=text[:200])
    return found


class _Owned(msgspec.Struct):
    """What is read of a checkpoint to know whose call it is."""

    owner: str


class _Dump(msgspec.Struct):
    """What is read of the answer to `uuid_dump UUID json`."""

    bridged: str = msgspec.field(default="", name=BRIDGED)


def bridged_at_of_dump(text: str) -> datetime | None:
    """`bridged_at` of what `uuid_dump UUID json` answers. msgspec.MsgspecError where that cannot be understood."""
    return _instant(msgspec.json.decode(text, type=_Dump).bridged)


def bridged_at(data: Frame) -> datetime | None:
    """When the channel of these data was bridged last; None where that is not told."""
    return _instant(data.get(BRIDGED) or "0")


def _instant(microseconds: str) -> datetime | None:
    if not microseconds.isdigit() or microseconds == "0":
        return None
    return datetime.fromtimestamp(int(microseconds) / 1_000_000, UTC)


def answered(checkpoint: Checkpoint) -> OfferAnswered:
    """What the router is told of a talk whose process died, in case it was not told before: it began when it began."""
    return OfferAnswered(
        at=checkpoint.since.timestamp(),
        offer_id=checkpoint.offer_id or "",
        entry_id=checkpoint.entry_id or "",
        call_id=checkpoint.call_id,
        queue=checkpoint.last_queue or "",
        agent_id=checkpoint.agent_id or 0,
    )


def status_of(checkpoint: Checkpoint) -> Disposition:
    """What a call is called that ended as its checkpoint stands."""
    if checkpoint.result is not None:
        return checkpoint.result
    if checkpoint.state == "talk":
        return "answered"
    if checkpoint.lost_at is not None:
        return "network"
    if checkpoint.state == "offer":
        return "abandoned_ringing"
    if checkpoint.state == "queue":
        return "abandoned_queue"
    found: Disposition = msgspec.convert(outcome_when_gone(checkpoint.variables), Disposition)
    return found
