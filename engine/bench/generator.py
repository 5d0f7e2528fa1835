"""The load generator as a child process: orders in, outcomes out."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import gevent
import msgspec
from gevent import subprocess
from gevent.event import AsyncResult

import engine
from conf.errors import PointsmanError
from engine.bench.meter import Watched
from engine.bench.site import pin
from engine.virtual.load_plan import LoadPlan, Order, Outcome

T = TypeVar("T")
START_SECONDS = 20.0
NICE = -10


class GeneratorBroken(PointsmanError):
    """The load generator ended, or says nothing any more."""


class Held(msgspec.Struct, frozen=True):
    """How many calls wait, and how many came to nothing on the way."""

    held: int = 0
    left: int = 0
    failed: int = 0


class Generator:
    """Use as a context. `port` is where engines reach its control link; `on_ended` is told of every tenth call as it ends."""

    def __init__(
        self,
        target: tuple[str, int],
        password: str,
        *,
        control_port: int = 0,
        core: int | None = None,
        on_ended: Callable[[str, float], None] | None = None,
    ) -> None:
        self._arguments = ["{}:{}".format(*target), str(control_port), password]
        self._core = core
        self._on_ended = on_ended
        self._answers: AsyncResult[bytes] = AsyncResult()
        self.port = 0

    def __enter__(self) -> Self:
        self._process: Any = subprocess.Popen(
            [sys.executable, "-m", "engine.virtual.load", *self._arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=str(Path(engine.__file__).parent.parent),
        )
        if self._core is not None:
            pin(self._process.pid, self._core)
        # It shares its processor with Redis and Postgres; what it is late by would be timed as the engine's. Only root may.
        with suppress(PermissionError):
            os.setpriority(os.PRIO_PROCESS, self._process.pid, NICE)
        self._reader = gevent.spawn(self._read)
        self.port = int(self._answer(START_SECONDS))
        self.watched = Watched(self._process.pid)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join(2.0)

    def load(self, plan: LoadPlan) -> Outcome:
        """Offer a load and wait for its last call. GeneratorBroken."""
        return self._order(Order(what="load", plan=plan), Outcome, plan.seconds + plan.patience + 60)

    def hold(self, plan: LoadPlan, calls: int) -> Held:
        """Have so many calls wait in a queue. GeneratorBroken."""
        return self._order(Order(what="hold", plan=plan, calls=calls), Held, calls / plan.rate + plan.patience + 60)

    def release(self, seconds: float = 120.0) -> Held:
        """Have those who wait hang up. GeneratorBroken."""
        return self._order(Order(what="release"), Held, seconds)

    def _order(self, order: Order, kind: type[T], seconds: float) -> T:
        self._answers = AsyncResult()
        self._process.stdin.write(msgspec.json.encode(order) + b"\n")
        self._process.stdin.flush()
        return msgspec.json.decode(self._answer(seconds), type=kind)

    def _answer(self, seconds: float) -> bytes:
        try:
            answer = self._answers.get(timeout=seconds)
        except gevent.Timeout:
            answer = b""
        if not answer:
            raise GeneratorBroken("the load generator does not answer; its fault stands above")
        return answer

    def _read(self) -> None:
        for line in self._process.stdout:
            if not line.startswith(b"!"):
                self._answers.set(line)
            elif self._on_ended is not None:
                call_id, at = line[1:].split()
                self._on_ended(call_id.decode(), float(at))
        if not self._answers.ready():
            self._answers.set(b"")
