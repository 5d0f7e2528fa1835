"""What the languages have in common: the holidays by name, weeks whose days keep the same hours, and what most say alike."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time
from decimal import ROUND_HALF_UP, Decimal
from typing import ClassVar

from sounds.languages import Hours

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
LARGEST = 999_999_999
SIGNS = {"*": "star", "#": "hash", "+": "plus"}
DAY_START = time(0, 0)
QUEUE = ("queue_next", "queue_position", "queue_wait", "queue_wait_between", "queue_wait_under")
"""What every language has to say to those who wait."""

HOLIDAYS = {
    "new_years_day": (),
    "epiphany": ("three_kings_day",),
    "maundy_thursday": ("holy_thursday",),
    "good_friday": (),
    "easter_sunday": ("easter",),
    "easter_monday": (),
    "labour_day": ("labor_day", "may_day", "international_workers_day", "workers_day"),
    "great_prayer_day": (),
    "ascension_day": ("ascension", "ascension_thursday"),
    "whit_sunday": ("pentecost", "pentecost_sunday"),
    "whit_monday": ("pentecost_monday",),
    "corpus_christi": (),
    "constitution_day": ("national_day_of_the_third_of_may",),
    "national_day": (),
    "independence_day": ("national_independence_day",),
    "midsummer_day": (),
    "assumption_day": ("assumption", "assumption_of_mary", "assumption_of_the_virgin_mary"),
    "all_saints_day": ("all_saints",),
    "thanksgiving_day": ("thanksgiving",),
    "christmas_eve": (),
    "christmas_day": ("christmas", "first_day_of_christmas"),
    "second_day_of_christmas": ("st_stephens_day", "saint_stephens_day"),
    "boxing_day": (),
    "new_years_eve": (),
    "spring_festival": ("chinese_new_year", "chinese_new_year_spring_festival", "lunar_new_year"),
    "tomb_sweeping_day": ("qingming_festival",),
    "dragon_boat_festival": (),
    "mid_autumn_festival": (),
}
"""Holidays that have a prompt in some language, each with the other names calendars give it."""

_HOLIDAY = {other: name for name, others in HOLIDAYS.items() for other in (name, *others)}


SAME_DAY = {"boxing_day": "second_day_of_christmas"}
"""A holiday and what languages without a word for it call that day."""


def holiday(name: str, spoken: Collection[str]) -> str | None:
    """What we call the holiday of an English name, None where it is not one of those `spoken`."""
    # Calendars write a holiday kept on another day as "Christmas Day (observed)", and put apostrophes of both kinds.
    plain = re.sub(r"\(.*?\)|['’.]", "", name.lower()).strip()
    known = _HOLIDAY.get(re.sub(r"[^a-z0-9]+", "_", plain), "")
    return next((each for each in (known, SAME_DAY.get(known)) if each in spoken), None)


def signs(text: str) -> Iterator[str]:
    """The digits of a text one by one, and the names of the keys `*`, `#` and `+`; anything else in it is silent."""
    for sign in text:
        if sign.isascii() and sign.isdigit():
            yield sign
        elif sign in SIGNS:
            yield SIGNS[sign]


def amount(value: Decimal) -> tuple[bool, int, int]:
    """Whether it is negative, its whole and its hundredths, rounded."""
    whole, rest = divmod(int((abs(value) * 100).to_integral_value(ROUND_HALF_UP)), 100)
    return value < 0 and bool(whole or rest), whole, rest


def digits(text: str) -> list[str]:
    """The signs of a text, each digit by its number's name."""
    return [f"number_{sign}" if sign.isdigit() else sign for sign in signs(text)]


def days(run: range) -> list[str]:
    """One day, two, or from the first to the last of several, in languages that only put words between the days' names."""
    if len(run) == 7:
        return ["every_day"]
    first, last = DAYS[run.start], DAYS[run.stop - 1]
    if len(run) == 1:
        return [first]
    return [first, "and" if len(run) == 2 else "to", last]


def hours(ranges: Hours, spoken_time: Callable[[time], list[str]]) -> list[str]:
    """All day, or from one time to another, as often as the day has ranges."""
    return joined(
        (
            ["all_day"] if start == end else ["from", *spoken_time(start), "to", *spoken_time(end)]
            for start, end in ranges
        ),
        ["and"],
    )


def week(
    openings: Mapping[int, Hours],
    spoken_days: Callable[[range], list[str]],
    spoken_hours: Callable[[Hours], list[str]],
    *,
    between: Sequence[str] = ("pause", "and"),
    closed_last: bool = False,
) -> list[str]:
    """When it is open and on which days it is closed, days in a row with the same hours said together. `between` stands
    between two such runs; `closed_last` is for languages whose verb follows the closed days."""
    each = [tuple(openings.get(day, ())) for day in range(7)]
    if not any(each):
        return ["open_never"]
    if all(hours == ((DAY_START, DAY_START),) for hours in each):
        return ["open_always"]
    opened = [[*spoken_days(run), *spoken_hours(each[run.start])] for run in runs(each) if each[run.start]]
    closed = joined((spoken_days(run) for run in runs(each) if not each[run.start]), ["and"])
    spoken = ["open_from", *joined(opened, between)]
    if not closed:
        return spoken
    return [*spoken, "pause", *closed, "closed_on"] if closed_last else [*spoken, "pause", "closed_on", *closed]


def runs(days: Sequence[Hours]) -> Iterator[range]:
    """The days of a week in runs that keep the same hours."""
    start = 0
    for day in range(1, 8):
        if day == 7 or days[day] != days[start]:
            yield range(start, day)
            start = day


def joined(parts: Iterable[Sequence[str]], between: Sequence[str]) -> list[str]:
    """One after the other with something between them."""
    spoken: list[str] = []
    for part in parts:
        if part:
            spoken += [*(between if spoken else ()), *part]
    return spoken


def ahead(opens: datetime, now: datetime) -> tuple[datetime, int]:
    """When it opens on the clocks of `now`, and how many days ahead that is."""
    if opens.tzinfo and now.tzinfo:
        opens = opens.astimezone(now.tzinfo)
    return opens, (opens.date() - now.date()).days


class Common(ABC):
    """What most languages say alike, out of their own numbers, times and lengths of time. See `sounds.languages.Language` for
    what each method promises; a language overrides those that it says otherwise."""

    holidays: ClassVar[Collection[str]]
    """Those it has a prompt for."""

    between: ClassVar[str] = "and"
    """What stands between the least and the most of an expected wait."""

    @abstractmethod
    def number(self, value: int) -> list[str]: ...

    @abstractmethod
    def duration(self, minutes: int) -> list[str]: ...

    def digits(self, text: str) -> list[str]:
        return digits(text)

    def ordinal(self, value: int) -> list[str]:
        return [f"ordinal_{value}"] if 1 <= value <= 31 else self.number(value)

    def position(self, place: int) -> list[str]:
        return ["queue_next"] if place <= 1 else ["queue_position", *self.number(place), "queue_in_line"]

    def weekday(self, day: int) -> list[str]:
        return [DAYS[day]]

    def wait(self, minutes: int) -> list[str]:
        return self.wait_between(0, 1) if minutes < 1 else ["queue_wait", *self.duration(minutes)]

    def wait_between(self, least: int, most: int) -> list[str]:
        if least < 1:
            return ["queue_wait_under", *self.duration(max(1, most))]
        if least >= most:
            return self.wait(most)
        # "Between two and four minutes", but "between forty minutes and one hour".
        first = self._of_minutes(least) if most < 60 else self.duration(least)
        return ["queue_wait_between", *first, self.between, *self.duration(most)]

    def hours(self, ranges: Hours) -> list[str]:
        return hours(ranges, self.time)

    def week(self, openings: Mapping[int, Hours]) -> list[str]:
        return week(openings, self._days, self.hours)

    def holiday(self, name: str) -> list[str]:
        known = holiday(name, self.holidays)
        return ["closed_for", f"holiday_{known}"] if known else ["closed_holiday"]

    def date(self, day: date, *, weekday: bool = False, year: bool = False) -> list[str]:
        spoken = [*(self.weekday(day.weekday()) if weekday else ()), *self.ordinal(day.day), f"month_{day.month}"]
        return [*spoken, *self._year(day.year)] if year else spoken

    @abstractmethod
    def time(self, moment: time) -> list[str]: ...

    @abstractmethod
    def _year(self, year: int) -> list[str]:
        """A year behind a day and a month."""

    def _of_minutes(self, value: int) -> list[str]:
        """A number before another one and `minutes`."""
        return self.number(value)

    def _days(self, run: range) -> list[str]:
        """Days in a row with the same hours."""
        return days(run)
