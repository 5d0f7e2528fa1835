"""The router in virtual time beside Erlang C, Erlang A and a simulation by simpy of two skills.

Each figure is the mean of independent runs and must lie within 3.5 standard errors of what theory says; the seeds are fixed,
so what holds once holds always.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from engine.routing.roster import Roster
from tests.routing.ideal import Guest, ideal
from tests.routing.theory import Floor, Outcome, Stream, TwoSkills, agents, erlang_a, erlang_c, queue, spread

RUNS, CALLS, WARM_UP = 12, 1_000, 200
ERRORS = 3.5
TALK = 180.0


def measured(run: Callable[[int], Outcome]) -> list[tuple[float, float]]:
    """Mean and standard error of share waiting, mean wait and share abandoning over the runs."""
    figures = [run(seed).measures() for seed in range(1, RUNS + 1)]
    return [spread(values) for values in zip(*figures, strict=True)]


def by_the_router(roster: Roster, *streams: Stream) -> Callable[[int], Outcome]:
    def run(seed: int) -> Outcome:
        floor = Floor(roster, seed)
        floor.run(streams, CALLS, WARM_UP)
        return floor.outcomes[streams[0].queue]

    return run


def near(found: tuple[float, float], expected: float, *, least: float = 1e-9) -> None:
    mean, error = found
    assert abs(mean - expected) <= ERRORS * max(error, least), f"{mean:.4f} ± {error:.4f}, theory says {expected:.4f}"


def test_the_formulas_say_what_the_tables_say() -> None:
    # Tabulated values of the Erlang C formula for 10 erlangs of work and 12 and 15 agents.
    assert erlang_c(10 / 60, 60, 12).waiting == pytest.approx(0.4494, abs=5e-4)
    assert erlang_c(10 / 60, 60, 15).waiting == pytest.approx(0.1020, abs=5e-4)
    # With patience without end Erlang A is Erlang C.
    endless = erlang_a(10 / 60, 60, 12, 1e9)
    assert endless.waiting == pytest.approx(erlang_c(10 / 60, 60, 12).waiting, rel=1e-4)
    assert endless.wait == pytest.approx(erlang_c(10 / 60, 60, 12).wait, rel=1e-4)


@pytest.mark.parametrize(("staff", "load", "patience"), [(3, 0.7, None), (4, 1.1, 60.0)])
def test_the_simulation_agrees_with_erlang(staff: int, load: float, patience: float | None) -> None:
    stream = Stream("all", load * staff / TALK, TALK, patience)

    def run(seed: int) -> Outcome:
        chance, comes, guests = random.Random(seed), 0.0, list[Guest]()
        for _ in range(CALLS):
            comes += chance.expovariate(stream.arrivals)
            guests.append(stream.guest(comes, chance))
        fates = ideal([("all",)] * staff, guests)[WARM_UP:]
        return Outcome(
            [fate.wait for fate in fates], sum(fate.waited for fate in fates), sum(fate.gave_up for fate in fates)
        )

    waiting, wait, abandoning = measured(run)
    arrivals = stream.arrivals
    expected = erlang_c(arrivals, TALK, staff) if patience is None else erlang_a(arrivals, TALK, staff, patience)
    near(waiting, expected.waiting)
    near(wait, expected.wait)
    near(abandoning, expected.abandoning)


@pytest.mark.parametrize(("staff", "load"), [(1, 0.5), (4, 0.75), (12, 0.85)])
def test_calls_without_end_of_patience_wait_as_erlang_c_says(staff: int, load: float) -> None:
    arrivals = load * staff / TALK
    roster = Roster(1, agents(staff), (queue("all"),))
    waiting, wait, abandoning = measured(by_the_router(roster, Stream("all", arrivals, TALK)))
    expected = erlang_c(arrivals, TALK, staff)
    near(waiting, expected.waiting)
    near(wait, expected.wait)
    assert abandoning == (0.0, 0.0)


@pytest.mark.parametrize(("staff", "load", "patience"), [(3, 0.9, 120.0), (8, 1.3, 60.0)])
def test_calls_whose_patience_ends_wait_and_give_up_as_erlang_a_says(staff: int, load: float, patience: float) -> None:
    arrivals = load * staff / TALK
    roster = Roster(1, agents(staff), (queue("all"),))
    waiting, wait, abandoning = measured(by_the_router(roster, Stream("all", arrivals, TALK, patience)))
    expected = erlang_a(arrivals, TALK, staff, patience)
    near(waiting, expected.waiting)
    near(wait, expected.wait)
    near(abandoning, expected.abandoning)


N_DESIGN = TwoSkills(
    specialists=4,
    generalists=3,
    plain=Stream("plain", 0.8 * 5 / TALK, TALK, 150.0),
    special=Stream("special", 0.8 * 2 / TALK, TALK, 90.0),
)


@pytest.mark.parametrize("stream", ["plain", "special"])
def test_two_skills_wait_and_give_up_as_a_simulation_says(stream: str) -> None:
    specialists, plain, special = N_DESIGN.specialists, N_DESIGN.plain, N_DESIGN.special
    roster = Roster(
        1,
        (
            *agents(specialists, "plain"),
            *agents(N_DESIGN.generalists, "plain", "special", first=specialists + 1),
        ),
        (queue("plain", "plain"), queue("special", "special")),
    )
    both = (plain, special) if stream == "plain" else (special, plain)
    ours = measured(by_the_router(roster, *both))
    theirs = measured(lambda seed: N_DESIGN.simulated(seed, CALLS, WARM_UP)[stream])
    for (mean, error), (reference, its_error) in zip(ours, theirs, strict=True):
        near((mean, (error**2 + its_error**2) ** 0.5), reference)
