"""The time an installation lives in.

Everything that asks for the time is handed a `Clock`, so that a virtual installation can live on another date and run
faster than the wall. On a real FreeSWITCH the clock is always the wall's.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import gevent


@dataclass(frozen=True, slots=True)
class Clock:
    """Wall time shifted to another start and multiplied by a factor.

    `anchor` is the wall's Unix time at which this clock read `start` (Unix seconds); `factor` is how many of its seconds
    pass in one of the wall's. Processes of one installation are given the same three numbers and so agree.
    """

    anchor: float = 0.0
    start: float = 0.0
    factor: float = 1.0

    @classmethod
    def parse(cls, text: str | None) -> Clock:
        """Read `ANCHOR,START,FACTOR` as `str(clock)` wrote it; nothing gives the wall clock. ValueError on other text."""
        if not text:
            return cls()
        anchor, start, factor = (float(part) for part in text.split(","))
        if factor <= 0:
            raise ValueError("the clock's factor must be above 0")
        return cls(anchor, start, factor)

    @classmethod
    def starting(cls, at: datetime | None, factor: float) -> Clock:
        """A clock that reads `at` (an aware instant; None for the present) now and runs `factor` times as fast."""
        wall = time.time()
        return cls(wall, wall if at is None else at.timestamp(), factor)

    def __str__(self) -> str:
        return f"{self.anchor!r},{self.start!r},{self.factor!r}"

    def timestamp(self) -> float:
        """Unix seconds on this clock."""
        return self.start + (time.time() - self.anchor) * self.factor

    def now(self) -> datetime:
        """The instant on this clock, aware, in UTC."""
        return datetime.fromtimestamp(self.timestamp(), UTC)

    def monotonic(self) -> float:
        """Seconds of this clock that only rise; differences alone mean something."""
        return time.monotonic() * self.factor

    def wall_seconds(self, seconds: float) -> float:
        """How long `seconds` of this clock take on the wall; what sleeps and time-outs are given."""
        return seconds / self.factor

    def sleep(self, seconds: float) -> None:
        """Let `seconds` of this clock pass in this greenlet."""
        gevent.sleep(max(0.0, seconds) / self.factor)

    def after(self, seconds: float) -> datetime:
        """The instant `seconds` from now."""
        return self.now() + timedelta(seconds=seconds)


WALL = Clock()
