"""Telling the router something, from any process."""

from __future__ import annotations

from engine.live import keys
from engine.live.outbox import Outbox
from engine.routing.events import EntryLeft, Event, encode


def tell_router(outbox: Outbox, event: Event) -> None:
    """Put `event` into the stream that the router decides from. Never waits and never raises."""
    outbox.put("XADD", keys.ROUTER_EVENTS, "MAXLEN", "~", keys.ROUTER_EVENTS_KEPT, "*", "data", encode(event).decode())


def forget_entry(outbox: Outbox, entry_id: str, queue: str, at: float) -> None:
    """Nobody waits in this queue under this name any more, since `at` (Unix seconds)."""
    outbox.put("HDEL", keys.WAITING, entry_id)
    outbox.put("ZREM", keys.queue(queue), entry_id)
    tell_router(outbox, EntryLeft(at=at, entry_id=entry_id))
