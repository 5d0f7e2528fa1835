"""What people ask of the router from outside the engine. Every function raises redis.RedisError when Redis is away.

What is asked of something that is not there any more (an entry that has left, an agent who is gone) changes nothing; the
answer to all but a dry run is what the boards show next.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from conf.errors import PointsmanError
from engine.live import keys
from engine.live.connection import Redis
from engine.records.facts import Presence

GIVEN_SECONDS: Final = 24 * 3600
"""How long boards remember to whom a call was given; no caller waits longer."""
ANSWER_SECONDS: Final = 2.5


class RouterSilent(PointsmanError):
    """The router has not answered in time: no engine runs, or it is being taken over. Asking again is safe."""


def want_presence(
    redis: Redis, agent_id: int, presence: Presence, *, reason: str | None = None, by: str = "", at: datetime
) -> None:
    """Ask that an agent be ready, paused or offline. The router answers by the agent's own state on the board: at once for
    one who is idle, after the call for one who talks."""
    _ask(redis, at, "PresenceWanted", agent_id=agent_id, presence=presence, reason=reason, by=by)


def extend_wrap_up(redis: Redis, agent_id: int, *, seconds: int = 30, by: str = "", at: datetime) -> None:
    """So many seconds more to write up the call; asked in the talk it counts for after it."""
    _ask(redis, at, "WrapUpExtended", agent_id=agent_id, seconds=seconds, by=by)


def end_wrap_up(redis: Redis, agent_id: int, *, by: str = "", at: datetime) -> None:
    """The agent has written up."""
    _ask(redis, at, "WrapUpEnded", agent_id=agent_id, by=by)


def move_entry(redis: Redis, entry_id: str, queue: str, *, by: str = "", at: datetime) -> None:
    """Move a waiting call to another queue, where it has the place of its whole wait."""
    _ask(redis, at, "EntryMoved", entry_id=entry_id, queue=queue, by=by)


def assign_entry(redis: Redis, entry_id: str, agent_id: int, *, by: str = "", at: datetime) -> None:
    """Give a waiting call to one agent, who gets it as soon as they are free."""
    _ask(redis, at, "EntryAssigned", entry_id=entry_id, agent_id=agent_id, by=by)
    redis.set(keys.given(entry_id), agent_id, ex=GIVEN_SECONDS)
    redis.publish(keys.LIVE, msgspec.json.encode({"kind": "given", "id": entry_id, "item": agent_id}).decode())


def reorder_entry(redis: Redis, entry_id: str, *, before: str | None, by: str = "", at: datetime) -> None:
    """Put a waiting call right before another one of its queue, or behind the last one (None)."""
    _ask(redis, at, "EntryReordered", entry_id=entry_id, before=before, by=by)


def dry_run(
    redis: Redis,
    queue: str,
    *,
    at: datetime,
    priority: int = 0,
    needs: Mapping[str, int] | None = None,
    exact: tuple[str, ...] = (),
    waited_seconds: float = 0.0,
    category: str = "",
    responsible: int | None = None,
    last_agent: int | None = None,
    seconds: float = ANSWER_SECONDS,
) -> dict[str, Any]:
    """Who would get such a call now, and why; see engine.routing.dry_run for the answer's keys. Nothing changes by it.
    RouterSilent."""
    ask_id = secrets.token_hex(8)
    _ask(
        redis,
        at,
        "DryRun",
        ask_id=ask_id,
        queue=queue,
        priority=priority,
        needs=dict(needs or {}),
        exact=list(exact),
        waited_seconds=waited_seconds,
        category=category,
        responsible=responsible,
        last_agent=last_agent,
    )
    answered = redis.blpop([keys.reply(ask_id)], timeout=seconds)
    if answered is None:
        raise RouterSilent("the router did not answer; see whether an engine runs, and ask again")
    answer: dict[str, Any] = msgspec.json.decode(answered[1])
    return answer


def tell_configuration_changed(redis: Redis, version: int) -> None:
    """Tell every process that configuration `version` is published; those that do not hear it find out by themselves."""
    redis.publish(keys.CONFIGURATION, version)
    redis.publish(keys.LIVE, msgspec.json.encode({"kind": "configuration", "id": version, "item": None}).decode())


def _ask(redis: Redis, at: datetime, event: str, **fields: Any) -> None:
    said = {"event": event, "at": at.timestamp(), **fields}
    redis.xadd(
        keys.ROUTER_EVENTS,
        {"data": msgspec.json.encode(said).decode()},
        maxlen=keys.ROUTER_EVENTS_KEPT,
        approximate=True,
    )
