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
    """What is measured of one queue. `low` and `high` are the factors between which eight of ten true waits were, as a share
    of the estimate; `error` is the median of |true - estimated| / true."""

    seconds_a_place: float = 0.0
    samples: int = 0
    low: float = 0.5
    high: float = 2.0
    error: float | None = None


class Expected(msgspec.Struct, frozen=True):
    """An expected wait in seconds; `error` as in Pace, None where it is not known yet."""

    low: float
    middle: float
    high: float
    error: float | None = None

    def honest(self, largest_error: float) -> bool:
        """Whether it may be told to a caller."""
        return self.error is not None and self.error <= largest_error


def expected_wait(pace: Pace, position: int) -> Expected | None:
    """What a call at `position` (from 1) may have to wait yet; None where nothing is measured."""
    if pace.samples == 0 or pace.seconds_a_place <= 0:
        return None
    middle = pace.seconds_a_place * position
    return Expected(round(middle * pace.low, 3), round(middle, 3), round(middle * pace.high, 3), pace.error)


class Meter:
    """Measures one queue. Times are the router's."""

    __slots__ = ("_errors", "_factors", "_served_at", "pace")

    def __init__(self, pace: Pace | None = None) -> None:
        self.pace = pace or Pace()
        self._served_at: float | None = None
        self._factors: list[float] = []
        self._errors: list[float] = []

    def idle(self) -> None:
        """Nobody waits any more: the time till the next service says nothing of how quick services follow each other."""
        self._served_at = None

    def served(self, at: float, *, waiting: int, waited: float, estimated: float | None) -> None:
        """A call that had `waited` was given to an agent, and `waiting` wait on."""
        pace = self.pace
        gap = None if self._served_at is None else max(0.0, at - self._served_at)
        self._served_at = at if waiting else None
        seconds, samples = pace.seconds_a_place, pace.samples
        if gap is not None:
            share = max(SMOOTHING, 1 / (samples + 1))
            seconds += (gap - seconds) * share
            samples += 1
        if estimated is not None and estimated > 0:
            self._factors = [*self._factors, waited / estimated][-KEPT:]
            self._errors = [*self._errors, abs(waited - estimated) / max(waited, SHORTEST_SECONDS)][-KEPT:]
        low, high, error = pace.low, pace.high, pace.error
        if len(self._factors) >= LEAST_SAMPLES:
            ordered = sorted(self._factors)
            low, high = _quantile(ordered, 0.1), _quantile(ordered, 0.9)
            error = round(_quantile(sorted(self._errors), 0.5), 4)
        self.pace = Pace(round(seconds, 6), samples, round(low, 4), round(high, 4), error)


def _quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
