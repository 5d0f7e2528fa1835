"""Public holidays by country and subdivision, as the `holidays` library knows them: a proposal, for people to look at."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

import holidays as library
from holidays.registry import COUNTRIES

from dialplan.errors import CalendarInvalid

FIRST_YEAR, LAST_YEAR = 2000, 2099
_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")


def countries() -> dict[str, str]:
    """Every country whose public holidays are known: two letters -> its name, by name."""
    found = {}
    for names in COUNTRIES.values():
        title, code = _WORDS.sub(" ", names[0]), names[1]
        found[code] = title.replace(" And ", " and ").replace(" Of ", " of ").replace(" The ", " the ")
    return dict(sorted(found.items(), key=lambda item: item[1]))


def subdivisions(country: str) -> dict[str, str]:
    """The states or regions of a country that have holidays of their own: code -> name, empty where there are none."""
    kind = type(_calendar(country, "", ()))
    names = {code: name for name, code in kind.subdivisions_aliases.items()}
    return dict(sorted(((code, names.get(code, code)) for code in kind.subdivisions), key=lambda item: item[1]))


def holidays_of(country: str, years: Sequence[int], subdivision: str = "") -> dict[date, str]:
    """The public holidays in these years by day, in English where the library has the words. CalendarInvalid where the
    country or the subdivision is not known."""
    for year in years:
        if not FIRST_YEAR <= year <= LAST_YEAR:
            raise CalendarInvalid(f"public holidays are known for {FIRST_YEAR} to {LAST_YEAR}, not {year}")
    # Two of one day are joined by the library with "; ", and one name is enough to be told on the telephone.
    found = _calendar(country, subdivision, years)
    return {day: name.partition(";")[0].strip() for day, name in sorted(found.items())}


def _calendar(country: str, subdivision: str, years: Sequence[int]) -> library.HolidayBase:
    try:
        known = library.country_holidays(country)
        spoken = next((each for each in ("en_GB", "en_US") if each in known.supported_languages), None)
        return library.country_holidays(country, subdiv=subdivision or None, years=years, language=spoken)
    # The library's answer for a country or a part of one that it has no holidays of.
    except NotImplementedError as error:
        where = f"{country!r}, {subdivision!r}" if subdivision else f"{country!r}"
        raise CalendarInvalid(f"no public holidays are known for country {where}") from error
