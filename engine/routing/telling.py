"""Telling the router something, from any process."""

from __future__ import annotations

from engine.live import keys
from engine.live.outbox import Outbox
from engine.routing.events import Event, encode


def tell_router(outbox: Outbox, event: Event) -> None:
    """Put `event` into the stream that the router decides from. Never waits and never raises."""
    outbox.put("XADD", keys.ROUTER_EVENTS, "MAXLEN", "~", keys.ROUTER_EVENTS_KEPT, "*", "data", encode(event).decode())
