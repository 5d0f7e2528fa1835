"""The expected wait is an honest range: measured against what became of the calls it was told of."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from engine.routing.expected import LEAST_SAMPLES, Meter, Pace, expected_wait
from engine.routing.roster import Roster
from tests.routing.theory import Floor, Stream, agents, queue


def test_nothing_is_said_before_anything_is_measured() -> None:
    assert expected_wait(Pace(), 3) is None
    assert expected_wait(Meter().pace, 1) is None


def test_a_range_that_is_told_holds_for_eight_of_ten_calls() -> None:
    """A busy centre whose callers do not give up; the first calls are those it learns from."""
    floor = Floor(Roster(1, agents(6), (queue("all"),)), seed=3)
    floor.run([Stream("all", 0.95 * 6 / 180, 180.0)], 4_000)
    waits = [
        (placed.expected, floor.answered[placed.entry_id] - at)
        for placed, at in floor.told[500:]
        if placed.expected is not None
    ]
    assert len(waits) > 1_500
    within = sum(expected.low <= waited <= expected.high for expected, waited in waits) / len(waits)
    assert 0.7 <= within <= 0.9
    shorter = sum(waited < expected.middle for expected, waited in waits) / len(waits)
    assert 0.35 <= shorter <= 0.65
    told = [expected.error for expected, _ in waits if expected.error is not None]
    true = sorted(abs(waited - expected.middle) / max(waited, 10.0) for expected, waited in waits)[len(waits) // 2]
    assert abs(sum(told) / len(told) - true) < 0.15, "the error that is told is the error that is made"


def test_where_waits_have_no_rule_the_error_says_so() -> None:
    chance, meter, at = random.Random(1), Meter(Pace(seconds_a_place=30.0, samples=20)), 0.0
    for _ in range(100):
        expected = expected_wait(meter.pace, chance.randint(1, 9))
        at += chance.choice((1.0, 400.0))
        meter.served(at, waiting=3, waited=chance.choice((3.0, 900.0)), expected=expected)
    last = expected_wait(meter.pace, 4)
    assert last is not None
    assert not last.honest(0.5)


@given(st.lists(st.tuples(st.floats(0, 1e5), st.floats(0, 1e5), st.integers(0, 9)), max_size=60))
def test_whatever_is_measured_a_range_is_in_order(services: list[tuple[float, float, int]]) -> None:
    meter, at = Meter(), 0.0
    for gap, waited, waiting in services:
        meter.waits(at)
        expected = expected_wait(meter.pace, waiting + 1)
        at += gap
        meter.served(at, waiting=waiting, waited=waited, expected=expected)
        told = expected_wait(meter.pace, 5)
        assert told is None or 0 <= told.low <= told.high
        if len(services) < LEAST_SAMPLES:
            assert meter.pace.error is None
