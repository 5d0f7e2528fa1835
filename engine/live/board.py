"""The live picture of an installation, read from Redis in one round trip."""

from __future__ import annotations

from typing import Any, TypedDict

import msgspec

from engine.live import keys
from engine.live.connection import Redis


class Snapshot(TypedDict):
    """`calls`, `agents` and `processes` as the keys module describes their items; `router` has `leader` (a process id or
    None), `epoch` (0 before the first tenure). `places`: entry id -> its place in its queue, from 1. `given`: entry id -> id of
    the agent to whom a supervisor has given it."""

    calls: list[dict[str, Any]]
    agents: list[dict[str, Any]]
    processes: list[dict[str, Any]]
    router: dict[str, Any]
    places: dict[str, int]
    given: dict[str, int]


class Board:
    """Reads what is true now. Every method raises redis.RedisError when Redis is away."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def snapshot(self) -> Snapshot:
        pipe = self._redis.pipeline(transaction=False)
        pipe.hvals(keys.CALLS)
        pipe.smembers(keys.AGENTS)
        pipe.hgetall(keys.PROCESSES)
        pipe.get(keys.ROUTER_LEASE)
        pipe.get(keys.ROUTER_EPOCH)
        encoded, agent_ids, beats, leader, epoch = pipe.execute()
        calls = sorted((msgspec.json.decode(call) for call in encoded), key=lambda call: call["started_at"])
        return {
            "calls": calls,
            "agents": self._agents(sorted(int(agent_id) for agent_id in agent_ids)),
            "processes": self._processes(beats),
            "router": {"leader": leader, "epoch": int(epoch or 0)},
            "places": self._places({call["queue"] for call in calls if call.get("entry_id") and call.get("queue")}),
            "given": self._given([call["entry_id"] for call in calls if call.get("entry_id")]),
        }

    def entry(self, entry_id: str) -> dict[str, Any] | None:
        """The live call that waits as this entry, None where it waits no more."""
        calls = (msgspec.json.decode(call) for call in self._redis.hvals(keys.CALLS))
        return next((call for call in calls if call.get("entry_id") == entry_id), None)

    def _places(self, queues: set[str]) -> dict[str, int]:
        pipe = self._redis.pipeline(transaction=False)
        for queue in sorted(queues):
            pipe.zrange(keys.queue(queue), 0, -1)
        return {entry_id: place for entries in pipe.execute() for place, entry_id in enumerate(entries, 1)}

    def _given(self, entry_ids: list[str]) -> dict[str, int]:
        found = self._redis.mget([keys.given(entry_id) for entry_id in entry_ids]) if entry_ids else []
        return {entry_id: int(agent_id) for entry_id, agent_id in zip(entry_ids, found, strict=True) if agent_id}

    def agent(self, agent_id: int) -> dict[str, Any] | None:
        """One agent's state, None where the router does not know the agent yet."""
        found = self._agents([agent_id])
        return found[0] if found else None

    def _agents(self, agent_ids: list[int]) -> list[dict[str, Any]]:
        pipe = self._redis.pipeline(transaction=False)
        for agent_id in agent_ids:
            pipe.hgetall(keys.agent(agent_id))
        return [
            {"agent_id": agent_id} | {name: value or None for name, value in fields.items()}
            for agent_id, fields in zip(agent_ids, pipe.execute(), strict=True)
            if fields
        ]

    def _processes(self, beats: dict[str, str]) -> list[dict[str, Any]]:
        pipe = self._redis.pipeline(transaction=False)
        names = sorted(beats)
        for name in names:
            pipe.exists(keys.process(name))
        return [
            msgspec.json.decode(beats[name]) | {"alive": bool(alive)}
            for name, alive in zip(names, pipe.execute(), strict=True)
        ]
