"""Keeping child processes running: started in order, started again when they end by themselves, ended in order.

One supervisor a home folder, held by a lock. What a killed supervisor left running for a moment is ended before anything
is started.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gevent
import structlog
from gevent.event import Event

from conf import installation
from conf.children import Child, ChildSpec, end_process, rotate, started_at
from conf.errors import PointsmanError

log = structlog.get_logger(__name__)

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 10.0
"""Seconds before an ended child is started again; doubled each time, from the first again once it has run a minute."""
STEADY_SECONDS = 60.0
ROTATE_SECONDS = 60.0


class AlreadyRunning(PointsmanError):
    """Another supervisor holds this home folder."""


class ChildEnded(PointsmanError):
    """A child ended before it was ready; the message has its last words."""


class _Kept:
    """One child that is to run always, whichever run of it is the present one."""

    def __init__(self, spec: ChildSpec, before: Callable[[], None] | None, child: Child) -> None:
        self.spec = spec
        self.before = before
        self.child = child
        self.runs = 1
        self.stopping = Event()
        self.keeper: gevent.Greenlet[..., None] | None = None


class Supervisor:
    """Runs children for the home folder. `say` is told, in a line each, what a user should know."""

    def __init__(self, home: Path, say: Callable[[str], None]) -> None:
        self.home = home
        self._say = say
        self._steady = False
        self._kept: dict[str, _Kept] = {}
        self._logs = installation.folder(home, "log")
        self._run = installation.folder(home, "run")
        self._lock = self._take_lock()
        self._end_leftovers()
        self._rotator = gevent.spawn(self._rotate_for_ever)

    def log_of(self, name: str) -> Path:
        return self._logs / f"{name}.log"

    def start(self, spec: ChildSpec, *, before: Callable[[], None] | None = None) -> Child:
        """Start a child and keep it running; its first run. `before` is called ahead of each further run. ChildBroken."""
        child = Child(spec, self.log_of(spec.name))
        kept = _Kept(spec, before, child)
        self._kept[spec.name] = kept
        self._write_down()
        kept.keeper = gevent.spawn(self._keep, kept)
        return child

    def runs(self, name: str) -> int:
        """How many times the child has been started."""
        return self._kept[name].runs

    def check(self) -> None:
        """ChildEnded where a child has ended: while starting up that is a fault, and nothing is started again."""
        for kept in self._kept.values():
            if kept.child.exit_code is not None and not kept.runs > 1:
                words = kept.child.last_words().removeprefix("pointsman: ") or _how(kept.child.exit_code)
                raise ChildEnded(f"{kept.spec.name} ended at once: {words} (more in {kept.child.log})")

    def hold(self) -> None:
        """All has come up: from now on a child that ends by itself is started again. ChildEnded where one has ended before."""
        self._steady = True
        self.check()

    def stop(self, *names: str) -> None:
        """End these children, all at the same time, and wait for it."""
        stopping = [self._kept[name] for name in names if name in self._kept]
        for kept in stopping:
            kept.stopping.set()
        gevent.joinall([gevent.spawn(self._stop, kept) for kept in stopping])
        for kept in stopping:
            self._kept.pop(kept.spec.name, None)
        self._write_down()

    def names(self) -> list[str]:
        return list(self._kept)

    def kill(self) -> None:
        """End all children at once, whatever they are doing."""
        for kept in self._kept.values():
            kept.stopping.set()
            kept.child.kill()

    def close(self) -> None:
        """Let the home folder go; nothing must run any more."""
        self._rotator.kill()
        os.close(self._lock)

    @staticmethod
    def _stop(kept: _Kept) -> None:
        if kept.keeper is not None:
            kept.keeper.kill()
        kept.child.stop()

    def _keep(self, kept: _Kept) -> None:
        pause = FIRST_PAUSE
        while True:
            began = time.monotonic()
            code = kept.child.wait()
            if kept.stopping.is_set() or not self._steady:
                return
            if time.monotonic() - began > STEADY_SECONDS:
                pause = FIRST_PAUSE
            self._say(f"{kept.spec.name} has ended ({_how(code)}) and is started again; see {kept.child.log}")
            while True:
                gevent.sleep(pause)
                pause = min(LONGEST_PAUSE, pause * 2)
                try:
                    if kept.before is not None:
                        kept.before()
                    kept.child = Child(kept.spec, self.log_of(kept.spec.name))
                except PointsmanError as fault:
                    self._say(f"{kept.spec.name} cannot be started again yet: {fault}")
                    continue
                break
            kept.runs += 1
            self._write_down()

    def _take_lock(self) -> int:
        try:
            handle = os.open(self._run / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunning(
                f"Pointsman runs in {self.home} already; end that one first, or set POINTSMAN_HOME to another folder"
            ) from error
        except OSError as error:
            raise installation.HomeUnusable(f"{self._run} cannot be written to: {error.strerror}") from error
        return handle

    def _write_down(self) -> None:
        """Keep who runs, for a successor to end where this supervisor cannot."""
        running: dict[str, dict[str, Any]] = {
            name: {
                "pid": kept.child.pid,
                "started_at": started_at(kept.child.pid),
                "stop_signal": int(kept.spec.stop_signal),
                "stop_seconds": kept.spec.stop_seconds,
            }
            for name, kept in self._kept.items()
        }
        installation.write_private(self._run / "children.json", json.dumps(running, indent=1) + "\n")

    def _end_leftovers(self) -> None:
        try:
            left = json.loads((self._run / "children.json").read_text(encoding="utf-8"))
            found = [
                (int(each["pid"]), int(each["stop_signal"]), float(each["stop_seconds"]))
                for each in left.values()
                if each["started_at"] is not None and started_at(int(each["pid"])) == each["started_at"]
            ]
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return
        gevent.joinall([gevent.spawn(end_process, *each) for each in found])

    def _rotate_for_ever(self) -> None:
        while True:
            for path in self._logs.glob("*.log"):
                try:
                    rotate(path)
                except OSError as error:
                    log.warning("log.not_rotated", path=str(path), error=error.strerror)
            gevent.sleep(ROTATE_SECONDS)


def _how(code: int | None) -> str:
    if code is not None and code < 0:
        try:
            return f"killed by {signal.Signals(-code).name}"
        except ValueError:
            return f"killed by signal {-code}"
    return f"exit code {code}"
