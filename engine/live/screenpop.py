"""Screen pops: what an agent's browser is told about a call, as CONTRACT.md promises it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec

from engine.live import keys
from engine.live.outbox import Outbox

PopEvent = Literal["offered", "answered", "ended", "missed"]


class ScreenPop(msgspec.Struct, frozen=True, kw_only=True):
    """One offer of one call to one agent, without the event; `from_number` goes out as `from`."""

    call_id: str
    offer_id: str
    direction: Literal["INCOMING", "OUTGOING"]
    from_number: str
    to_number: str
    queue: str | None
    extension: str
    agent_id: int
    agent_name: str
    customer: dict[str, Any] | None
    candidates: Sequence[dict[str, Any]]
    ivr_path: Sequence[str]


class ScreenPops:
    """Publishes screen pops and keeps the last of them in a stream."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    def publish(self, event: PopEvent, pop: ScreenPop, *, at: datetime, waited_seconds: float) -> None:
        data = msgspec.json.encode(
            {
                "event": event,
                "call_id": pop.call_id,
                "offer_id": pop.offer_id,
                "at": at,
                "direction": pop.direction,
                "from": pop.from_number,
                "to": pop.to_number,
                "queue": pop.queue,
                "waited_seconds": round(waited_seconds, 3),
                "extension": pop.extension,
                "agent": {"id": pop.agent_id, "name": pop.agent_name},
                "customer": pop.customer,
                "candidates": pop.candidates,
                "ivr_path": pop.ivr_path,
            }
        ).decode()
        self._outbox.put("PUBLISH", keys.screenpop(pop.extension), data)
        self._outbox.put("XADD", keys.SCREENPOP_STREAM, "MAXLEN", "~", keys.SCREENPOP_KEPT, "*", "data", data)
