"""What people ask of the router from outside the engine."""

from __future__ import annotations

from datetime import datetime

import msgspec

from engine.live import keys
from engine.live.connection import Redis
from engine.records.facts import Presence


def want_presence(
    redis: Redis, agent_id: int, presence: Presence, *, reason: str | None = None, by: str = "", at: datetime
) -> None:
    """Ask that an agent be ready, paused or offline. The router answers by the agent's own state on the board: at once for
    one who is idle, after the call for one who talks. Raises redis.RedisError when Redis is away."""
    event = {
        "event": "PresenceWanted",
        "agent_id": agent_id,
        "presence": presence,
        "reason": reason,
        "by": by,
        "at": at.timestamp(),
    }
    redis.xadd(
        keys.ROUTER_EVENTS,
        {"data": msgspec.json.encode(event).decode()},
        maxlen=keys.ROUTER_EVENTS_KEPT,
        approximate=True,
    )


def tell_configuration_changed(redis: Redis, version: int) -> None:
    """Tell every process that configuration `version` is published; those that do not hear it find out by themselves."""
    redis.publish(keys.CONFIGURATION, version)
    redis.publish(keys.LIVE, msgspec.json.encode({"kind": "configuration", "id": version, "item": None}).decode())
