"""Which desk phones are signed in. An agent whose phone has vanished is paused, so that no caller rings where nobody is."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Final

import structlog

from conf.clock import Clock
from engine.call.switches import Switches
from engine.esl.control import Control
from engine.esl.errors import EslError
from engine.esl.frames import Frame
from engine.live import keys
from engine.live.connection import Redis, RedisError
from engine.live.outbox import Outbox
from engine.routing.events import PresenceWanted
from engine.routing.telling import tell_router

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
        places = self._signed_in()
        signed_in, known = set(places), self._redis.hgetall(keys.PHONES)
        before = set(known)
        new = {extension: place for extension, place in places.items() if known.get(extension) != place}
        missing = before - signed_in
        # One that signs in anew is away for a moment; who is missing twice is gone.
        gone, self._missed = missing & self._missed, missing
        if new:
            self._outbox.put("HSET", keys.PHONES, *(text for pair in sorted(new.items()) for text in pair))
        if gone:
            self._outbox.put("HDEL", keys.PHONES, *sorted(gone))
        return self._pause(gone) if gone else []

    def _signed_in(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for _, control in self._switches:
            found |= signed_in(control)
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
                tell_router(self._outbox, event)
                log.warning("phone gone, agent paused", extension=extension, agent=agent_id)
                paused.append(extension)
        return paused


def signed_in(control: Control) -> dict[str, str]:
    """The phones that have signed in at a node: extension -> address and port they did it from. EslError."""
    answer = control.api("show registrations as json", timeout=API_SECONDS)
    try:
        rows = json.loads(answer).get("rows", [])
        return {str(row["reg_user"]): f"{row['network_ip']}:{row['network_port']}" for row in rows}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise EslError(f"the registrations are told as {answer[:80]!r}") from error


def whose(redis: Redis, control: Control, extensions: Collection[str], data: Frame) -> str:
    """The extension of the desk phone that a call comes from, as the switch knows it; empty for any other call, whatever number
    it shows. A phone in the networks of the trunks is not asked for its password when it calls, but it was when it signed in:
    it is known by where it did that from."""
    asked = data.get("variable_pointsman_extension")
    if asked:
        return asked
    extension = data.get("variable_sip_from_user") or ""
    place = f"{data.get('variable_sip_network_ip')}:{data.get('variable_sip_network_port')}"
    if extension not in extensions:
        return ""
    try:
        if redis.hget(keys.PHONES, extension) == place:
            return extension
    except (RedisError, OSError) as error:
        log.info("phones not known from Redis", error=str(error))
    try:
        return extension if signed_in(control).get(extension) == place else ""
    except EslError as error:
        log.info("phones not known", error=str(error))
        return ""
