"""What a caller who waits is told, and when: places, expected waits, comfort, the offer to be called back.

Pure: no clock and no I/O. All times are seconds since the caller came into the queue. One block is said at a time, and none
begins before the last one has ended.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from engine.records.queues import QueueSettings
from engine.routing.expected import Expected
from sounds import spoken

BREATH_SECONDS: Final = 5.0
"""The least music between two blocks."""

SAME_WAIT_SECONDS: Final = 60.0
"""How soon an expected wait may be told again. It is told again only where it has changed."""

NEXT_SECONDS: Final = 5.0
"""Who comes and is next already is told so only after this time, for mostly they are served before it."""

LOOK_SECONDS: Final = 5.0
"""How often it is looked whether something has changed that would be told."""

COARSE_MINUTES: Final = 20
"""From here on an expected wait is told in steps of five minutes."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What a queue tells its callers. A `…_seconds` of 0 means never again; all but `callback_seconds` may be that."""

    position: bool = True
    position_seconds: float = 30.0
    only_falling: bool = False
    """A place is told only where it is nearer than the last one told."""
    least_gap_seconds: float = 10.0
    """The least time from one place told to the next."""
    up_to: int | None = None
    """Places behind this one are not told."""
    expected_wait: bool = False
    largest_error: float = 0.5
    """Nothing is told of the wait where the measured error of such tellings, as a share of the wait, is larger."""
    comfort: tuple[str, ...] = ()
    comfort_seconds: float = 60.0
    callback_key: str | None = None
    callback_seconds: float | None = None
    """The wait after which a callback is offered; None where it is to be had by its key alone."""


@dataclass(frozen=True, slots=True)
class Place:
    """The caller's place, 1 being next."""

    place: int


@dataclass(frozen=True, slots=True)
class Wait:
    """Between so many and so many minutes."""

    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Comfort:
    prompt: str


@dataclass(frozen=True, slots=True)
class OfferCallback:
    key: str


Announcement = Place | Wait | Comfort | OfferCallback


@dataclass(frozen=True, slots=True)
class Said:
    """What the caller has been told so far."""

    until: float = 0.0
    """When the last block ends, or ended."""
    place: int | None = None
    place_at: float | None = None
    """When a place was last told, or, where there was none to tell, looked for."""
    wait: Wait | None = None
    wait_at: float | None = None
    comforted: int = 0
    comforted_at: float = 0.0
    callback_at: float | None = None


def rules_of(settings: QueueSettings, announce_seconds: int) -> Rules:
    """What a queue's settings say. A callback that is offered needs a key; where none is chosen it is the first one free."""
    position, callback = settings.position, settings.callback
    key = None
    if callback is not None:
        free = (str(digit) for digit in range(1, 10) if str(digit) not in settings.ways_out.keys)
        key = callback.key or (next(free, None) if callback.offer_after_seconds is not None else None)
    seconds = position.every_seconds or announce_seconds
    return Rules(
        position=position.say and seconds > 0,
        position_seconds=seconds,
        only_falling=position.only_falling,
        least_gap_seconds=position.least_gap_seconds,
        up_to=position.up_to or None,
        expected_wait=settings.expected_wait.say,
        largest_error=settings.expected_wait.largest_error,
        comfort=settings.comfort.prompts,
        comfort_seconds=settings.comfort.every_seconds,
        callback_key=key,
        callback_seconds=None if callback is None else callback.offer_after_seconds,
    )


def minutes(expected: Expected) -> Wait:
    """An expected wait as it is told: the least rounded down and the most rounded up, so that both are kept."""
    step = 5 if expected.high > COARSE_MINUTES * 60 else 1
    least = math.floor(max(0.0, expected.low) / 60 / step) * step
    return Wait(least, max(1, least, math.ceil(expected.high / 60 / step) * step))


def decide(
    rules: Rules, said: Said, now: float, place: int | None, expected: Expected | None
) -> tuple[tuple[Announcement, ...], Said]:
    """What is said at `now`, in order, and what has been said then. `place` and `expected` are None where not known. The
    caller of this sets `until` of what it gets back to the end of the block, by `spoken_until`."""
    if now < said.until + (BREATH_SECONDS if said.until else 0.0):
        return (), said
    block: list[Announcement] = []
    if _place_due(rules, said, now, place):
        if place is not None and _tells_place(rules, said, place):
            block.append(Place(place))
            said = replace(said, place=place, place_at=now)
        elif not rules.only_falling:
            said = replace(said, place_at=now)
    if rules.expected_wait and expected is not None and expected.honest(rules.largest_error):
        wait = minutes(expected)
        rested = said.wait_at is None or now - said.wait_at >= SAME_WAIT_SECONDS
        if rested and wait != said.wait:
            block.append(Wait(wait.least, wait.most))
            said = replace(said, wait=wait, wait_at=now)
    if _callback_due(rules, said, now) and rules.callback_key is not None:
        block.append(OfferCallback(rules.callback_key))
        said = replace(said, callback_at=now)
    if not block and rules.comfort and rules.comfort_seconds and now - said.comforted_at >= rules.comfort_seconds:
        block.append(Comfort(rules.comfort[said.comforted % len(rules.comfort)]))
        said = replace(said, comforted=said.comforted + 1, comforted_at=now)
    return tuple(block), said


def spoken_until(said: Said, end: float) -> Said:
    """The block just decided ends then. Comfort is counted from there, so that it does not follow upon other words."""
    return replace(said, until=end, comforted_at=max(said.comforted_at, end))


def next_look(rules: Rules, said: Said, now: float) -> float | None:
    """When `decide` is to be asked again; None where nothing will ever be said."""
    due: list[float] = []
    if rules.position and (said.place_at is None or rules.position_seconds):
        due.append(NEXT_SECONDS if said.place_at is None else said.place_at + _position_gap(rules))
        if rules.only_falling:
            # It may have fallen; whether it has is only seen by looking.
            due[-1] = max(due[-1], now + LOOK_SECONDS)
    if rules.expected_wait:
        due.append(max(now + LOOK_SECONDS, 0.0 if said.wait_at is None else said.wait_at + SAME_WAIT_SECONDS))
    if rules.comfort and rules.comfort_seconds:
        due.append(said.comforted_at + rules.comfort_seconds)
    if rules.callback_key is not None and rules.callback_seconds is not None:
        due.append(_callback_at(rules, said))
    if not due:
        return None
    # At the earliest when the block that runs is over, and never in the past, so that nobody looks in a circle.
    return max(min(due), said.until + (BREATH_SECONDS if said.until else 0.0), now + 0.05)


def prompts(block: Sequence[Announcement], language: str) -> list[str]:
    """The prompts that speak a block."""
    spoken_names: list[str] = []
    for announcement in block:
        if spoken_names:
            spoken_names.append("pause")
        match announcement:
            case Place(place):
                spoken_names += spoken.position(place, language)
            case Wait(least, most):
                spoken_names += spoken.wait_between(least, most, language)
            case Comfort(prompt):
                spoken_names.append(prompt)
            case OfferCallback(key):
                spoken_names += ["callback_offer", *spoken.digits(key, language)]
    return spoken_names


def _position_gap(rules: Rules) -> float:
    return rules.least_gap_seconds if rules.only_falling else max(rules.position_seconds, rules.least_gap_seconds)


def _place_due(rules: Rules, said: Said, now: float, place: int | None) -> bool:
    if not rules.position:
        return False
    if said.place_at is None:
        return place != 1 or now >= NEXT_SECONDS
    return bool(rules.position_seconds) and now - said.place_at >= _position_gap(rules)


def _tells_place(rules: Rules, said: Said, place: int) -> bool:
    if rules.up_to is not None and place > rules.up_to:
        return False
    return not (rules.only_falling and said.place is not None and place >= said.place)


def _callback_at(rules: Rules, said: Said) -> float:
    after = max(1.0, rules.callback_seconds or 0.0)
    return (rules.callback_seconds or 0.0) if said.callback_at is None else said.callback_at + max(after, 60.0)


def _callback_due(rules: Rules, said: Said, now: float) -> bool:
    return rules.callback_seconds is not None and now >= _callback_at(rules, said)
