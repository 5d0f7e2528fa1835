"""Three hundred calls of all kinds while an engine dies every few seconds, and Redis once: nobody notices."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from . import chaos
from .conftest import installed
from .damaged import Damaged

MOST_SECONDS = 2.0


@pytest.fixture(scope="module")
def damaged() -> Iterator[Damaged]:
    with installed(engines=3) as made:
        yield made


def test_engines_die_all_the_time(damaged: Damaged, record_property: Callable[[str, object], None]) -> None:
    plan = chaos.Plan()
    outcome = chaos.Chaos(damaged, plan).run()
    chaos.check(damaged, outcome)
    assert len(outcome.callers) == plan.calls
    assert len(outcome.killed_at) >= 4
    assert chaos.overtaken(damaged) == []
    taken = [each.seconds for each in chaos.taken_over(damaged, outcome)]
    assert taken
    found = {
        "kills": len(outcome.killed_at),
        "kills_of_the_leader": outcome.leaders_killed,
        "calls_taken_over": len(taken),
        "taken_over_median_seconds": round(taken[len(taken) // 2], 3),
        "taken_over_longest_seconds": round(taken[-1], 3),
    }
    for name, value in found.items():
        record_property(name, value)
    assert taken[int(len(taken) * 0.9)] < MOST_SECONDS
