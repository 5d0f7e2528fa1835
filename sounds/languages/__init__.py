"""How numbers, times and dates are said, one module a language.

A module is named for its language (`en.py`) and has `LANGUAGE`, an instance of `Language`. Methods give names of prompts
in the order they are spoken; `names` lists every name they can give, and a test holds that each has its audio. Word order,
plurals and counting belong to the module alone: nothing outside joins words.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from functools import cache
from typing import Protocol

Hours = Sequence[tuple[time, time]]
"""The opening times of one day, in order. An end of 00:00 is the midnight after it; 00:00 to 00:00 is the whole day."""


CURRENCIES = ("CNY", "DKK", "EUR", "GBP", "PLN", "USD")
"""Those that every language has words for."""


class Language(Protocol):
    """What each language can say. Numbers are whole; times and dates are local, already in the caller's zone."""

    def names(self) -> frozenset[str]:
        """Every prompt's name that the methods below can give."""

    def number(self, value: int) -> list[str]:
        """A cardinal number, up to 999,999,999 either way; beyond that its digits one by one."""

    def digits(self, text: str) -> list[str]:
        """The digits, `*`, `#` and `+` of a text one by one; anything else in it is silent."""

    def ordinal(self, value: int) -> list[str]:
        """A day of a month, 1 to 31, as a place in a row; above that the cardinal number."""

    def position(self, place: int) -> list[str]:
        """A caller's place in a queue, 1 being next, as a whole sentence."""

    def money(self, amount: Decimal, currency: str) -> list[str]:
        """An amount of one of CURRENCIES, rounded to the hundredth; hundredths are left out where there are none."""

    def time(self, moment: time) -> list[str]:
        """A time of day to the minute."""

    def weekday(self, day: int) -> list[str]:
        """A day of the week, Monday being 0."""

    def date(self, day: date, *, weekday: bool = False, year: bool = False) -> list[str]:
        """A date."""

    def duration(self, minutes: int) -> list[str]:
        """A length of time."""

    def wait(self, minutes: int) -> list[str]:
        """An expected wait, as a whole sentence."""

    def wait_between(self, least: int, most: int) -> list[str]:
        """An expected wait of `least` to `most` minutes, as a whole sentence; `least` 0 is less than `most`."""

    def hours(self, ranges: Hours) -> list[str]:
        """The opening times of one day: from nine to twelve and from one to five."""

    def week(self, openings: Mapping[int, Hours]) -> list[str]:
        """The opening times of a week, Monday being 0, as whole sentences; a day that is not there is closed."""

    def reopening(self, opens: datetime, now: datetime) -> list[str]:
        """When it opens again, as a whole sentence; today and tomorrow are those of `now` and its zone."""

    def holiday(self, name: str) -> list[str]:
        """That it is closed today for a holiday of this English name, as a whole sentence; without the name where there
        is no prompt for it."""


@cache
def codes() -> tuple[str, ...]:
    """The languages there is a module for, sorted."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")))


@cache
def of(code: str) -> Language:
    """How `code` (`en`, `en-GB`) is spoken; English where there is no module for it, as its prompts are then English too."""
    base = code.partition("-")[0].lower()
    language: Language = importlib.import_module(f"{__name__}.{base if base in codes() else 'en'}").LANGUAGE
    return language
