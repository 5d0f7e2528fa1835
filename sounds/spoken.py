"""What is put together from several prompts: numbers, times, dates, places in a queue, opening hours.

Each function gives names of prompts in the order they are spoken, for `Catalogue.paths`. What they mean is written at
`sounds.languages.Language`; a language without a module of its own is spoken as English.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from decimal import Decimal

from sounds import languages
from sounds.languages import Hours


def number(value: int, language: str) -> list[str]:
    """A cardinal number."""
    return languages.of(language).number(value)


def digits(text: str, language: str) -> list[str]:
    """Digits and keys one by one; anything else in the text is silent."""
    return languages.of(language).digits(text)


def ordinal(value: int, language: str) -> list[str]:
    """A place in a row, as days of a month are counted."""
    return languages.of(language).ordinal(value)


def position(place: int, language: str) -> list[str]:
    """A caller's place in a queue, 1 being next, as a whole sentence."""
    return languages.of(language).position(place)


def money(amount: Decimal, currency: str, language: str) -> list[str]:
    """An amount, rounded to the hundredth. `currency` is one of `sounds.languages.CURRENCIES`."""
    return languages.of(language).money(amount, currency)


def time(moment: datetime.time, language: str) -> list[str]:
    """A local time of day."""
    return languages.of(language).time(moment)


def weekday(day: int, language: str) -> list[str]:
    """A day of the week, Monday being 0."""
    return languages.of(language).weekday(day)


def date(day: datetime.date, language: str, *, weekday: bool = False, year: bool = False) -> list[str]:
    """A date, with its weekday before and its year after it where asked for."""
    return languages.of(language).date(day, weekday=weekday, year=year)


def duration(minutes: int, language: str) -> list[str]:
    """A length of time."""
    return languages.of(language).duration(minutes)


def wait(minutes: int, language: str) -> list[str]:
    """An expected wait, as a whole sentence."""
    return languages.of(language).wait(minutes)


def wait_between(least: int, most: int, language: str) -> list[str]:
    """An expected wait as a range of minutes, as a whole sentence."""
    return languages.of(language).wait_between(least, most)


def hours(ranges: Hours, language: str) -> list[str]:
    """The opening times of one day."""
    return languages.of(language).hours(ranges)


def week(openings: Mapping[int, Hours], language: str) -> list[str]:
    """The opening times of a week, Monday being 0, as whole sentences; a day that is not there is closed."""
    return languages.of(language).week(openings)


def reopening(opens: datetime.datetime, now: datetime.datetime, language: str) -> list[str]:
    """When it opens again, as a whole sentence. Days are told apart in the zone of `now`."""
    return languages.of(language).reopening(opens, now)


def holiday(name: str, language: str) -> list[str]:
    """That it is closed today for a holiday of this English name, as a whole sentence."""
    return languages.of(language).holiday(name)
