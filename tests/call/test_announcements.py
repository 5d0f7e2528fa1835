"""What those who wait are told: the rules of it, over whole waits."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.call.announcements import (
    BREATH_SECONDS,
    Announcement,
    Comfort,
    OfferCallback,
    Place,
    Rules,
    Said,
    Wait,
    decide,
    minutes,
    next_look,
    prompts,
    rules_of,
    spoken_until,
)
from engine.records.queues import decode_queue
from engine.routing.expected import Expected

BLOCK_SECONDS = 4.0
WAIT_SECONDS = 600.0

rules = st.builds(
    Rules,
    position=st.booleans(),
    position_seconds=st.sampled_from([0.0, 15.0, 30.0, 90.0]),
    only_falling=st.booleans(),
    least_gap_seconds=st.sampled_from([0.0, 5.0, 20.0, 60.0]),
    up_to=st.none() | st.integers(1, 12),
    expected_wait=st.booleans(),
    largest_error=st.sampled_from([0.1, 0.3, 1.0]),
    comfort=st.sampled_from([(), ("queue_comfort",), ("queue_comfort", "queue_comfort_again")]),
    comfort_seconds=st.sampled_from([0.0, 20.0, 45.0]),
    callback_key=st.none() | st.just("2"),
    callback_seconds=st.none() | st.sampled_from([0.0, 30.0, 100.0]),
)
queues = st.lists(st.tuples(st.integers(1, 60), st.integers(1, 15)), max_size=20)
"""How the place changes: after how many seconds to which."""
errors = st.none() | st.sampled_from([0.05, 0.2, 0.5, 2.0])


def wait_through(
    rules: Rules, changes: list[tuple[int, int]], error: float | None = None
) -> list[tuple[float, tuple[Announcement, ...], int]]:
    """A wait of ten minutes: what was said at which second, and the place the caller had."""
    told, said, now = [], Said(), 0.0
    moves, at = [(0.0, 9)], 0.0
    for after, place in changes:
        at += after
        moves.append((at, place))
    while now < WAIT_SECONDS:
        place = [place for when, place in moves if when <= now][-1]
        expected = Expected(place * 50.0, place * 60.0, place * 70.0, error)
        block, said = decide(rules, said, now, place, expected)
        if block:
            told.append((now, block, place))
            said = spoken_until(said, now + BLOCK_SECONDS)
        look = next_look(rules, said, now)
        if look is None:
            break
        assert look > now
        now = look
    return told


@settings(deadline=None)
@given(rules, queues, errors)
def test_rules_hold_over_whole_waits(rules: Rules, changes: list[tuple[int, int]], error: float | None) -> None:
    told = wait_through(rules, changes, error)
    for (before, _, _), (after, _, _) in pairwise(told):
        assert after >= before + BLOCK_SECONDS + BREATH_SECONDS
    places = [(at, said.place, place) for at, block, place in told for said in block if isinstance(said, Place)]
    assert all(said == true for _, said, true in places)
    assert rules.position or not places
    assert all(rules.up_to is None or said <= rules.up_to for _, said, _ in places)
    assert all(later[0] - earlier[0] >= rules.least_gap_seconds for earlier, later in pairwise(places))
    if rules.only_falling:
        assert all(later[1] < earlier[1] for earlier, later in pairwise(places))
    if not rules.position_seconds:
        assert len(places) <= 1 or rules.only_falling
    waits = [said for _, block, _ in told for said in block if isinstance(said, Wait)]
    if not rules.expected_wait or error is None or error > rules.largest_error:
        assert waits == []
    assert all(earlier != later for earlier, later in pairwise(waits))
    comforts = [said.prompt for _, block, _ in told for said in block if isinstance(said, Comfort)]
    assert comforts == [rules.comfort[place % len(rules.comfort)] for place in range(len(comforts))]
    offers = [at for at, block, _ in told if any(isinstance(said, OfferCallback) for said in block)]
    if rules.callback_key is None or rules.callback_seconds is None:
        assert offers == []
    else:
        assert offers
        assert offers[0] >= rules.callback_seconds


@settings(deadline=None)
@given(rules, queues)
def test_the_same_wait_is_told_the_same(rules: Rules, changes: list[tuple[int, int]]) -> None:
    assert wait_through(rules, changes, 0.1) == wait_through(rules, changes, 0.1)


@given(st.floats(0, 30_000), st.floats(0, 10_000))
def test_a_range_that_is_told_holds_the_range_that_was_meant(least: float, more: float) -> None:
    told = minutes(Expected(least, least, least + more))
    assert told.least * 60 <= least + 1e-6
    assert told.most * 60 >= least + more - 1e-6
    assert 0 <= told.least <= told.most


@pytest.mark.parametrize(
    ("least", "most", "wait"),
    [(0, 20, (0, 1)), (130, 220, (2, 4)), (60, 120, (1, 2)), (1260, 1900, (20, 35)), (0, 0, (0, 1))],
)
def test_minutes(least: float, most: float, wait: tuple[int, int]) -> None:
    assert minutes(Expected(least, least, most)) == Wait(*wait)


def test_a_caller_is_told_their_place_at_once_and_each_half_minute() -> None:
    told = wait_through(Rules(), [(100, 3)])
    assert [(at, block) for at, block, _ in told[:5]] == [
        (0.0, (Place(9),)),
        (30.0, (Place(9),)),
        (60.0, (Place(9),)),
        (90.0, (Place(9),)),
        (120.0, (Place(3),)),
    ]


def test_a_place_that_falls_is_told_when_it_falls_and_not_before_the_gap() -> None:
    falling = Rules(only_falling=True, least_gap_seconds=20, up_to=5)
    told = wait_through(falling, [(50, 7), (10, 4), (5, 3), (60, 2)])
    assert [(at, block) for at, block, _ in told] == [(60.0, (Place(4),)), (80.0, (Place(3),)), (125.0, (Place(2),))]
    told = wait_through(falling, [(50, 7), (10, 4), (5, 3), (5, 6), (60, 2)])
    assert [(at, block) for at, block, _ in told] == [(60.0, (Place(4),)), (130.0, (Place(2),))]


def test_what_is_said_is_joined_by_a_breath() -> None:
    assert prompts((Place(1), Wait(2, 4), OfferCallback("2")), "en") == [
        "queue_next", "pause", "queue_wait_between", "number_2", "and", "number_4", "minutes", "pause",
        "callback_offer", "number_2",
    ]  # fmt: skip


def test_rules_are_read_from_the_queue() -> None:
    assert rules_of(decode_queue({}), 30) == Rules(least_gap_seconds=15, comfort_seconds=30)
    assert not rules_of(decode_queue({}), 0).position
    settings = decode_queue(
        {
            "position": {"every_seconds": 20, "only_falling": True, "up_to": 5},
            "expected_wait": {"say": True, "largest_error": 0.3},
            "comfort": {"prompts": ["queue_comfort"], "every_seconds": 45},
            "ways_out": {"keys": {"1": {"to": "hang_up"}}},
            "callback": {"offer_after_seconds": 90},
        }
    )
    rules = rules_of(settings, 0)
    assert (rules.position_seconds, rules.only_falling, rules.up_to, rules.largest_error) == (20, True, 5, 0.3)
    assert (rules.comfort, rules.callback_key, rules.callback_seconds) == (("queue_comfort",), "2", 90)
