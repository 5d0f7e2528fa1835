"""Which desk phones are signed in. An agent whose phone has vanished is paused, so that no caller rings where nobody is."""

from __future__ import annotations

import json
from typing import Final

import structlog

from conf.clock import Clock
from engine.call.switches import Switches
from engine.esl.errors import EslError
from engine.live import keys
from engine.live.connection import Redis
from engine.live.outbox import Outbox
from engine.routing.events import PresenceWanted, encode

GONE_REASON: Final = "phone_gone"
"""The reason of such a pause."""

API_SECONDS: Final = 5.0

log = structlog.get_logger(__name__)


class PhoneWatch:
    """Compares who is signed in now with who was; `look` is called every few seconds by one process at a time. What was seen
    last stands in Redis, so that a phone that vanishes while that process changes is noticed too."""

    def __init__(self, *, switches: Switches, redis: Redis, outbox: Outbox, clock: Clock) -> None:
        self._switches = switches
        self._redis = redis
        self._outbox = outbox
        self._clock = clock
        self._missed: set[str] = set()

    def look(self) -> list[str]:
        """The extensions whose agents were paused by this look. EslError where a node cannot be asked, as then nothing can be
        said of its phones; redis.RedisError."""
        signed_in = self._signed_in()
        before = set(self._redis.smembers(keys.PHONES))
        new, missing = signed_in - before, before - signed_in
        # One that signs in anew is away for a moment; who is missing twice is gone.
        gone, self._missed = missing & self._missed, missing
        if new:
            self._outbox.put("SADD", keys.PHONES, *sorted(new))
        if gone:
            self._outbox.put("SREM", keys.PHONES, *sorted(gone))
        return self._pause(gone) if gone else []

    def _signed_in(self) -> set[str]:
        found: set[str] = set()
        for name, control in self._switches:
            answer = control.api("show registrations as json", timeout=API_SECONDS)
            try:
                rows = json.loads(answer).get("rows", [])
                found |= {str(row["reg_user"]) for row in rows}
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise EslError(f"{name} tells its registrations as {answer[:80]!r}") from error
        return found

    def _pause(self, gone: set[str]) -> list[str]:
        """The agents of these phones who are ready, now or after their call."""
        agents = sorted(self._redis.smembers(keys.AGENTS))
        pipe = self._redis.pipeline(transaction=False)
        for agent_id in agents:
            pipe.hmget(keys.agent(int(agent_id)), "extension", "presence")
        paused = []
        for agent_id, (extension, presence) in zip(agents, pipe.execute(), strict=True):
            if extension in gone and presence == "ready":
                event = PresenceWanted(
                    at=self._clock.timestamp(),
                    agent_id=int(agent_id),
                    presence="pause",
                    reason=GONE_REASON,
                    by="switch",
                )
                self._tell(event)
                log.warning("phone gone, agent paused", extension=extension, agent=agent_id)
                paused.append(extension)
        return paused

    def _tell(self, event: PresenceWanted) -> None:
        self._outbox.put(
            "XADD", keys.ROUTER_EVENTS, "MAXLEN", "~", keys.ROUTER_EVENTS_KEPT, "*", "data", encode(event).decode()
        )
