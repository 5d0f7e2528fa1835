"""What the languages have in common: the currencies, the holidays by name, and weeks whose days keep the same hours."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, time
from decimal import ROUND_HALF_UP, Decimal

from sounds.languages import Hours

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
LARGEST = 999_999_999
SIGNS = {"*": "star", "#": "hash", "+": "plus"}
DAY_START = time(0, 0)

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


def holiday(name: str) -> str | None:
    """What we call the holiday of an English name, None where we do not know it."""
    # Calendars write a holiday kept on another day as "Christmas Day (observed)", and put apostrophes of both kinds.
    plain = re.sub(r"\(.*?\)|['’.]", "", name.lower()).strip()
    return _HOLIDAY.get(re.sub(r"[^a-z0-9]+", "_", plain))


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


def week(openings: Mapping[int, Hours]) -> list[tuple[tuple[time, time], ...]]:
    """The hours of all seven days."""
    return [tuple(openings.get(day, ())) for day in range(7)]


def always(days: Sequence[Hours]) -> bool:
    """Whether it is open round the clock on all of them."""
    return all(tuple(hours) == ((DAY_START, DAY_START),) for hours in days)


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
