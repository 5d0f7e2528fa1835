"""One way out to Redis for a whole process: commands are collected while a batch is under way and sent together.

Redis costs a process most by round trips, so nothing on a call's path waits for it: a call puts its commands here and goes
on. While Redis is away commands are kept up to a bound, the oldest given up first, and whoever owns state that must be true
in Redis is asked to announce it again when Redis is back, or has lost its memory without having been away. What ended a
moment before is then told again too: the router may not have read it yet.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any

import gevent
import structlog
from gevent.event import Event
from redis.exceptions import BusyLoadingError

from engine.live import keys
from engine.live.connection import RedisError
from engine.live.wire import Command, Wire

MOST_KEPT = 50_000
REPEATED_SECONDS = 3.0
"""What ended within this time is told to the router again after Redis was away. Of what began and still is, its owner tells
anew; what began and ended must not be told again, for others have gone on since."""

BATCH = 500
MOST_PAUSE_SECONDS = 0.2
"""How long at most after Redis is back it is noticed. Processes tell the router of those who came meanwhile as they notice, and
whoever is told of first is served first."""

_TO_ROUTER = ("XADD", keys.ROUTER_EVENTS)
_ENDINGS = tuple(f'{{"event":"{name}"' for name in ("EntryLeft", "OfferFailed", "TalkEnded"))
_WHAT_MEMORY = ("GET", keys.MEMORY)

log = structlog.get_logger(__name__)


def _now_remembering() -> Command:
    return ("SET", keys.MEMORY, f"{time.time():.3f}", "NX")


class Outbox:
    """Sends commands in order. `put` never blocks and never raises."""

    def __init__(self, wire: Wire, *, on_return: Callable[[], None] = lambda: None) -> None:
        """`on_return` is called after Redis has been away, before what was kept is sent."""
        self._wire = wire
        self._on_return = on_return
        self._commands: deque[Command] = deque(maxlen=MOST_KEPT)
        self._latest: dict[str, Callable[[], Command]] = {}
        self._wanted = Event()
        self._empty = Event()
        self._empty.set()
        self._greenlet: gevent.Greenlet[..., None] | None = None
        self._memory: str | None = None
        self._told: deque[tuple[float, Command]] = deque()
        self.away = False

    def start(self) -> None:
        self._greenlet = gevent.spawn(self._run)

    def put(self, *command: Any) -> None:
        """Send `command` (its name and arguments, as `redis.execute_command` takes them) soon."""
        self._commands.append(command)
        self._empty.clear()
        self._wanted.set()

    def put_latest(self, key: str, make: Callable[[], Command]) -> None:
        """Send the command that `make` returns soon. Put again under the same key before that, only the newer one is sent,
        after what was put meanwhile."""
        self._latest[key] = make
        self._empty.clear()
        self._wanted.set()

    def drop_latest(self, key: str) -> None:
        """What was put under `key` and not sent yet is not to be sent any more."""
        self._latest.pop(key, None)

    def __len__(self) -> int:
        return len(self._commands) + len(self._latest)

    def stop(self, seconds: float) -> None:
        """Send what is left, for `seconds` at most, and end."""
        self._empty.wait(seconds)
        if self._greenlet is not None:
            self._greenlet.kill()

    def _run(self) -> None:
        while True:
            self._wanted.wait()
            self._wanted.clear()
            while self._commands or self._latest:
                batch = self._batch()
                if not self._sent(batch):
                    room = MOST_KEPT - len(self._commands)
                    if room > 0:
                        self._commands.extendleft(reversed(batch[-room:]))
                    self._outlast()
            self._empty.set()

    def _batch(self) -> list[Command]:
        batch = [self._commands.popleft() for _ in range(min(BATCH, len(self._commands)))]
        if not self._commands:
            latest, self._latest = self._latest, {}
            batch += [make() for make in latest.values()]
        return batch

    def _sent(self, batch: list[Command]) -> bool:
        try:
            *answers, _, memory = self._wire.ask_all([*batch, _now_remembering(), _WHAT_MEMORY])
        except (RedisError, OSError) as error:
            return self._went(error)
        loading = next((answer for answer in answers if isinstance(answer, BusyLoadingError)), None)
        if loading is not None:
            return self._went(loading)
        for command, answer in zip(batch, answers, strict=True):
            if isinstance(answer, RedisError):
                log.error("redis refused a command", command=str(command)[:200], error=str(answer))
        self._keep_told(batch)
        if self._memory is not None and memory != self._memory:
            log.warning("redis has lost its memory")
            self._tell_again()
        self._memory = memory
        return True

    def _keep_told(self, batch: list[Command]) -> None:
        now = time.monotonic()
        self._told.extend(
            (now, command) for command in batch if command[:2] == _TO_ROUTER and command[-1].startswith(_ENDINGS)
        )
        while self._told and self._told[0][0] < now - REPEATED_SECONDS:
            self._told.popleft()

    def _tell_again(self) -> None:
        """First the last endings, which may be lost, then how things stand."""
        later, self._commands = self._commands, deque((command for _, command in self._told), maxlen=MOST_KEPT)
        self._told.clear()
        self._on_return()
        self._commands.extend(later)

    def _went(self, error: Exception) -> bool:
        if not self.away:
            log.warning("redis is away, commands are kept", error=str(error))
        self.away = True
        return False

    def _outlast(self) -> None:
        pause = 0.05
        while True:
            gevent.sleep(pause)
            pause = min(pause * 2, MOST_PAUSE_SECONDS)
            try:
                self._wire.ask("PING")
            except (RedisError, OSError):
                continue
            self.away = False
            log.info("redis is back", kept=len(self._commands))
            self._tell_again()
            return
