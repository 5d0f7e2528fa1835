"""Child processes of the supervisor: started so that none outlives it, and ended in order.

A child leads its own session, so Ctrl-C in a terminal reaches the supervisor alone, which then ends the children in
order. The kernel tells each child when the supervisor dies (PR_SET_PDEATHSIG), however it dies.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import gevent
from gevent import subprocess

from conf.errors import PointsmanError

PR_SET_PDEATHSIG = 1
LOG_BYTES = 16 * 1024 * 1024
_prctl = ctypes.CDLL(None, use_errno=True).prctl


class ChildBroken(PointsmanError):
    """A child process cannot be started, or ended at once; the message has its name and its last words."""


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """How one child is run. `environment` comes on top of the supervisor's own."""

    name: str
    """Also the name of its log file."""
    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path = Path("/")
    """Its working folder; one that `user` may enter."""
    user: tuple[int, int] | None = None
    """Numbers of the user and the group to run as; None for the supervisor's own."""
    stop_signal: int = signal.SIGTERM
    """What asks it to end, also when the supervisor dies."""
    stop_seconds: float = 10.0
    """How long it may take to end before it is killed."""


class Child:
    """One run of a ChildSpec. Its output goes to the end of `log` (made with mode 0600)."""

    def __init__(self, spec: ChildSpec, log: Path) -> None:
        self.spec = spec
        self.log = log
        try:
            output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ChildBroken(f"{log} cannot be written: {error.strerror}") from error
        self._log_start = log.stat().st_size
        uid, gid = spec.user or (None, None)
        try:
            self.process = subprocess.Popen(
                spec.argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=str(spec.folder),
                env={**os.environ, **spec.environment},
                user=uid,
                group=gid,
                extra_groups=None if uid is None else [],
                start_new_session=True,
                # After the change of user, which would clear it.
                preexec_fn=_dies_with(os.getpid(), spec.stop_signal),
            )
        except OSError as error:
            raise ChildBroken(f"{spec.name}: {spec.argv[0]} cannot be run: {error.strerror}") from error
        finally:
            os.close(output)

    @property
    def pid(self) -> int:
        return int(self.process.pid)

    @property
    def exit_code(self) -> int | None:
        """None while it runs; below 0 where a signal ended it."""
        code = self.process.poll()
        return None if code is None else int(code)

    def wait(self, seconds: float | None = None) -> int | None:
        """Wait till it ends, at most so long; its exit code, or None when it still runs."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=seconds)
        return self.exit_code

    def stop(self) -> None:
        """Ask it to end, wait as long as its spec allows, then kill it with all it has started."""
        if self.exit_code is None:
            self.process.send_signal(self.spec.stop_signal)
            self.wait(self.spec.stop_seconds)
        if self.exit_code is None:
            self.kill()

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.wait(5)

    def last_words(self, lines: int = 3) -> str:
        """The end of what this run wrote, in one line."""
        try:
            with self.log.open("rb") as file:
                file.seek(max(self._log_start, self.log.stat().st_size - 4096))
                text = file.read().decode("utf-8", "replace")
        except OSError:
            return ""
        return " / ".join(line.strip() for line in text.splitlines()[-lines:] if line.strip())


def _dies_with(parent: int, death_signal: int) -> Callable[[], None]:
    def prepare() -> None:
        _prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)  # it died before the kernel was told

    return prepare


def rotate(log: Path) -> None:
    """Put a log that has grown too long aside as `NAME.log.1`. Its writer appends, so it goes on in the emptied file."""
    with suppress(FileNotFoundError):
        if log.stat().st_size > LOG_BYTES:
            shutil.copyfile(log, log.with_name(log.name + ".1"))
            log.with_name(log.name + ".1").chmod(0o600)
            os.truncate(log, 0)


def started_at(pid: int) -> int | None:
    """When the process of that number began, in the kernel's ticks: with the number, its identity. None: there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    parts = stat.rpartition(")")[2].split()
    return None if parts[0] in "ZX" else int(parts[19])


def end_process(pid: int, gently: int, seconds: float) -> None:
    """End a process that is not our child: ask, wait, kill."""
    identity = started_at(pid)
    for attempt, wait in ((gently, seconds), (signal.SIGKILL, 5.0)):
        deadline = time.monotonic() + wait
        with suppress(ProcessLookupError):
            if identity is not None and started_at(pid) == identity:
                os.kill(pid, attempt)
        while started_at(pid) == identity is not None:
            if time.monotonic() > deadline:
                break
            gevent.sleep(0.05)
        else:
            return
