"""The expected wait: estimated from what was measured in the same queue, as a range, with the error of past estimates.

The model: a call at position n waits for n agents to become free. How long one place takes is measured as the time between
two calls served while others waited, smoothed; the range is what the waits of the last calls were in proportion to what had
been estimated for them. Where too few calls were served, or the past errors are large, nothing should be promised.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

LEAST_SAMPLES: Final = 10
"""Fewer waits than this say nothing of how good an estimate is."""

KEPT: Final = 100
"""Waits by which the error is measured: the last ones."""

SMOOTHING: Final = 0.1
"""What one new time between two services counts against all before it."""

SHORTEST_SECONDS: Final = 10.0
"""A wait shorter than this counts as this long when an error is put in proportion to it."""


class Pace(msgspec.Struct, frozen=True):
    """What is measured of one queue. `low`, `middle` and `high` are what the true waits were as a share of the plain product
    of places and seconds: the tenth, the half and nine tenths of them were below. `error` is the median of
    |true - told| / true; None as long as too few waits are known."""

    seconds_a_place: float = 0.0
    samples: int = 0
    low: float = 0.5
    middle: float = 1.0
    high: float = 2.0
    error: float | None = None


class Expected(msgspec.Struct, frozen=True):
    """An expected wait in seconds; `error` as in Pace. `plain` is what it was before past errors corrected it."""

    low: float
    middle: float
    high: float
    error: float | None = None
    plain: float = 0.0

    def honest(self, largest_error: float) -> bool:
        """Whether it may be told to a caller."""
        return self.error is not None and self.error <= largest_error


def expected_wait(pace: Pace, position: int) -> Expected | None:
    """What a call at `position` (from 1) may have to wait yet; None where nothing is measured."""
    if pace.samples == 0 or pace.seconds_a_place <= 0:
        return None
    plain = pace.seconds_a_place * position
    low, middle, high = (round(plain * share, 3) for share in (pace.low, pace.middle, pace.high))
    return Expected(low, middle, high, pace.error, round(plain, 3))


class Meter:
    """Measures one queue. Times are the router's."""

    __slots__ = ("_served_at", "_waits", "pace")

    def __init__(self, pace: Pace | None = None) -> None:
        self.pace = pace or Pace()
        self._served_at: float | None = None
        self._waits: list[tuple[float, float]] = []

    def waits(self, at: float) -> None:
        """The first one waits: from now on the next service says how long one takes."""
        if self._served_at is None:
            self._served_at = at

    def idle(self) -> None:
        """Nobody waits any more: the time till the next service says nothing of how quick services follow each other."""
        self._served_at = None

    def served(self, at: float, *, waiting: int, waited: float, expected: Expected | None) -> None:
        """A call that had `waited`, for which `expected` was estimated when it came, was given to an agent; `waiting` wait
        on."""
        pace = self.pace
        gap = None if self._served_at is None else max(0.0, at - self._served_at)
        self._served_at = at if waiting else None
        seconds, samples = pace.seconds_a_place, pace.samples
        if gap is not None:
            samples += 1
            seconds += (gap - seconds) * max(SMOOTHING, 1 / samples)
        low, middle, high, error = pace.low, pace.middle, pace.high, pace.error
        if expected is not None and expected.plain > 0:
            missed = abs(waited - expected.middle) / max(waited, SHORTEST_SECONDS)
            self._waits = [*self._waits, (waited / expected.plain, missed)][-KEPT:]
            if len(self._waits) >= LEAST_SAMPLES:
                shares = sorted(share for share, _ in self._waits)
                low, middle, high = (round(_quantile(shares, share), 4) for share in (0.1, 0.5, 0.9))
                error = round(_quantile(sorted(missed for _, missed in self._waits), 0.5), 4)
        self.pace = Pace(round(seconds, 6), samples, low, middle, high, error)


def _quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
