"""What a run has measured, held against theory.

Each figure is compared twice. First as it is with the interval in which theory has it for so many callers; that is wide, for
waits in a busy centre swing widely and hang together for long. Then with that chance taken out (control variates): simpy tells
what an ideal centre would have made of the very same callers, so it is known how much luckier or unluckier they were than
theory's average, and what is left is the installation's own doing. That interval is narrow, and all of it has to lie near
theory.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean

from faults.damaged import Damaged

from tests.routing.ideal import Fate
from tests.routing.theory import Expected, spread
from tests.waiting import eventually

from .centres import SWING_RUNS, Centre, Says
from .diary import Served, read
from .running import Copy
from .visits import Counted, Overhead, came_to, counted_of, overhead_of

CONFIDENCE = 0.99
"""Of all intervals of one kind together."""
NEAR = 0.02
"""How far from theory a figure may be at most, as a share of what theory says, with its whole interval."""

MEASURES: dict[str, tuple[Callable[[Fate], float], Callable[[Expected], float]]] = {
    "share waiting": (lambda fate: fate.waited, lambda expected: expected.waiting),
    "mean wait": (lambda fate: fate.wait, lambda expected: expected.wait),
    "share giving up": (lambda fate: fate.gave_up, lambda expected: expected.abandoning),
}


@dataclass(frozen=True, slots=True)
class Figure:
    """`of_same` is what theory says and what of the difference is not the callers' chance. `wide` and `narrow` are half the
    widths of the intervals of `theory` and of `of_same`."""

    centre: str
    queue: str
    measure: str
    theory: float
    wide: float
    measured: float
    of_same: float
    narrow: float

    @property
    def inside(self) -> bool:
        return abs(self.measured - self.theory) <= self.wide

    @property
    def off(self) -> float:
        """How far from theory it may be at most, as a share of it."""
        return (abs(self.of_same - self.theory) + self.narrow) / self.theory

    @property
    def agrees(self) -> bool:
        return self.inside and self.off <= NEAR


def measured(damaged: Damaged, copies: Sequence[Copy], seconds: float) -> tuple[list[Figure], dict[str, Overhead]]:
    """The figures of all centres, and the overhead of each by its name; no figures where one of them is too much."""
    counted: dict[str, list[Counted]] = {}
    overheads: dict[str, Overhead] = {}
    says: dict[str, dict[str, Says]] = {}
    diary = _diary(damaged)
    for centre in {copy.centre.name: copy.centre for copy in copies}.values():
        own = [copy for copy in copies if copy.centre is centre]
        came = {copy.number: came_to(damaged, copy, diary) for copy in own}
        overhead = overheads[centre.name] = overhead_of([each for copy in own for each in came[copy.number]])
        if overhead.too_much:
            continue
        says[centre.name] = centre.theory(overhead.beyond_talk, overhead.beyond_patience)
        counted[centre.name] = [each for copy in own for each in counted_of(copy, came[copy.number], overhead, seconds)]
    if any(overhead.too_much for overhead in overheads.values()):
        return [], overheads
    wanted = [
        (copy.centre, stream.queue, measure)
        for copy in copies
        if copy.number == 1
        for stream in copy.centre.streams
        for measure in MEASURES
        if measure != "share giving up" or stream.patience is not None
    ]
    confidence = 1 - (1 - CONFIDENCE) / len(wanted)
    swings = {centre.name: centre.swings(seconds) for centre, _, _ in wanted}
    return [
        _figure(
            centre,
            queue,
            measure,
            says[centre.name][queue],
            swings[centre.name][queue],
            counted[centre.name],
            confidence,
        )
        for centre, queue, measure in wanted
    ], overheads


def _diary(damaged: Damaged) -> dict[str, Served]:
    """The router's diary when it is written to its end."""

    def whole() -> dict[str, Served]:
        diary = read(damaged.home / "routing")
        assert all(served.offered is None or served.freed is not None for served in diary.values())
        assert diary.keys() >= {
            row["id"] for row in damaged.rows("SELECT call_id::text AS id FROM report.queue_entries")
        }
        return diary

    return eventually(whole)


def _figure(
    centre: Centre,
    queue: str,
    measure: str,
    says: Says,
    swing: Expected,
    counted: Sequence[Counted],
    confidence: float,
) -> Figure:
    of_fate, of_theory = MEASURES[measure]
    theory, reference_error = of_theory(says.expected), of_theory(says.errors)
    own = [each for each in counted if each.queue == queue]
    copies = len({each.part[0] for each in own})
    parts: dict[tuple[int, int], list[Counted]] = {}
    for each in own:
        parts.setdefault(each.part, []).append(each)
    apart, error = spread(
        [fmean(of_fate(each.here) - of_fate(each.ideally) for each in part) for part in parts.values()]
    )
    return Figure(
        centre.name,
        queue,
        measure,
        theory=theory,
        wide=student(confidence, SWING_RUNS - 1) * math.hypot(of_theory(swing) / math.sqrt(copies), reference_error),
        measured=fmean(of_fate(each.here) for each in own),
        of_same=theory + apart,
        narrow=student(confidence, len(parts) - 1) * error,
    )


def student(confidence: float, freedom: int) -> float:
    """The quantile of Student's t, two-sided, by its expansion in powers of 1 / freedom (Abramowitz and Stegun, 26.7.5)."""
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    return (
        z
        + (z**3 + z) / (4 * freedom)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3)
    )
