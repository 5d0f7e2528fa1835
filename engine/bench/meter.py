"""What processes use, read from /proc: no package is needed for it, and a process costs nothing by being watched."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

TICK: Final = os.sysconf("SC_CLK_TCK")
PROC: Final = Path("/proc")


class Watched:
    """A process, with those it has started where `family` is true, as Postgres' one per connection.

    What the kernel has gone, or is another's by now, counts as nothing.
    """

    def __init__(self, pid: int, *, family: bool = False) -> None:
        self.pid = pid
        self._family = family

    def cpu_seconds(self) -> float:
        """Processor time used so far, user's and system's, of children that have ended as well."""
        total = _ticks(self.pid, ended_children=self._family)
        if self._family:
            total += sum(_ticks(child, ended_children=True) for child in _children(self.pid))
        return total / TICK

    def resident_bytes(self) -> int:
        """What of it is in memory."""
        for line in _lines(self.pid, "status"):
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        return 0

    def open_files(self) -> int:
        try:
            return len(os.listdir(PROC / str(self.pid) / "fd"))  # noqa: PTH208 - a hundred times as fast
        except OSError:
            return 0


def _lines(pid: int, name: str) -> list[str]:
    try:
        return (PROC / str(pid) / name).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def _ticks(pid: int, *, ended_children: bool) -> int:
    lines = _lines(pid, "stat")
    if not lines:
        return 0
    fields = lines[0].rpartition(")")[2].split()
    return sum(map(int, fields[11 : 15 if ended_children else 13]))


def _children(pid: int) -> list[int]:
    found = []
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            lines = _lines(int(entry.name), "stat")
            if lines and lines[0].rpartition(")")[2].split()[1] == str(pid):
                found.append(int(entry.name))
    return found
