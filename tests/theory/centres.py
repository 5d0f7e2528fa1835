"""The centres that are held against theory, and what theory says of them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean, stdev

from tests.routing.ideal import Guest, ideal
from tests.routing.theory import Expected, Stream, TwoSkills, erlang_a, erlang_c, spread

TALK = 60.0
"""Seconds of a talk, on average."""
WARM_UP = 0.1
"""The share of the time at the beginning that is not counted."""
REFERENCE_RUNS, REFERENCE_CALLS, REFERENCE_WARM_UP = 25, 6_000, 600
"""How long the simulation is that stands in for a formula."""
SWING_RUNS = 120
"""How many ideal copies tell how widely what one measures swings by chance."""


CERTAIN = Expected(0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Says:
    """What theory says of a queue, and the standard errors of it where it is simulated."""

    expected: Expected
    errors: Expected = CERTAIN


@dataclass(frozen=True)
class Centre:
    """Agents, each with the queues they serve, and the calls of these queues."""

    name: str
    staff: tuple[tuple[str, ...], ...]
    streams: tuple[Stream, ...]
    times: int = 1
    """How many copies there are for each of the largest: the fewer calls a centre has, the more of it are needed to tell."""

    def theory(self, beyond_talk: float, beyond_patience: float) -> dict[str, Says]:
        """What theory says of each queue if a call takes up its agent for so many seconds beyond its talk, and callers who lose
        patience are gone so many seconds later."""
        streams = tuple(
            replace(
                stream,
                talk=stream.talk + beyond_talk,
                patience=None if stream.patience is None else stream.patience + beyond_patience,
            )
            for stream in self.streams
        )
        if len(streams) == 2:
            return self._simulated(*streams)
        (stream,), staff = streams, len(self.staff)
        if stream.patience is None:
            return {stream.queue: Says(erlang_c(stream.arrivals, stream.talk, staff))}
        return {stream.queue: Says(erlang_a(stream.arrivals, stream.talk, staff, stream.patience))}

    def _simulated(self, plain: Stream, special: Stream) -> dict[str, Says]:
        generalists = sum(len(queues) == 2 for queues in self.staff)
        design = TwoSkills(len(self.staff) - generalists, generalists, plain, special)
        runs = [design.simulated(seed, REFERENCE_CALLS, REFERENCE_WARM_UP) for seed in range(REFERENCE_RUNS)]
        says = {}
        for queue in (plain.queue, special.queue):
            figures = [spread(values) for values in zip(*(run[queue].measures() for run in runs), strict=True)]
            means, errors = zip(*figures, strict=True)
            says[queue] = Says(Expected(*means), Expected(*errors))
        return says

    def swings(self, seconds: float) -> dict[str, Expected]:
        """How widely what a copy measures in so many seconds swings by the chance of its callers alone: standard deviations, by
        ideal copies."""
        found: dict[str, list[tuple[float, float, float]]] = {stream.queue: [] for stream in self.streams}
        for run in range(SWING_RUNS):
            guests = self.guests(seconds, f"swing/{run}")
            fates = ideal(self.staff, guests)
            for queue, values in found.items():
                counted = [
                    fate
                    for guest, fate in zip(guests, fates, strict=True)
                    if guest.queue == queue and guest.comes >= WARM_UP * seconds
                ]
                values.append(
                    (
                        fmean(fate.waited for fate in counted),
                        fmean(fate.wait for fate in counted),
                        fmean(fate.gave_up for fate in counted),
                    )
                )
        return {queue: Expected(*map(stdev, zip(*values, strict=True))) for queue, values in found.items()}

    def guests(self, seconds: float, seed: str) -> list[Guest]:
        """Those who come within so many seconds, in the order of coming."""
        found: list[Guest] = []
        for stream in self.streams:
            chance, comes = random.Random(f"{seed}/{stream.queue}"), 0.0
            while (comes := comes + chance.expovariate(stream.arrivals)) < seconds:
                found.append(stream.guest(comes, chance))
        return sorted(found, key=lambda guest: guest.comes)


def plain(queue: str, name: str, staff: int, load: float, times: int, patience: float | None = None) -> Centre:
    return Centre(name, ((queue,),) * staff, (Stream(queue, load * staff / TALK, TALK, patience),), times)


CENTRES: Sequence[Centre] = (
    plain("one", "M/M/1, load 0.5", 1, 0.5, times=6),
    plain("three", "M/M/3, load 0.7", 3, 0.7, times=4),
    plain("eight", "M/M/8, load 0.8", 8, 0.8, times=2),
    plain("four", "M/M/4+M, load 1.1", 4, 1.1, times=2, patience=60.0),
    plain("ten", "M/M/10+M, load 1.0", 10, 1.0, times=1, patience=120.0),
    Centre(
        "two skills, 2 of 4 agents for both",
        (*(("plain",),) * 2, *(("plain", "special"),) * 2),
        (Stream("plain", 2.2 / TALK, TALK, 90.0), Stream("special", 1.1 / TALK, TALK, 60.0)),
        times=2,
    ),
)
