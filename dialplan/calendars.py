"""Calendars as YAML documents.

```yaml
calendars:
  - name: Office
    timezone: null                   # null or left out: the installation's own zone; else an IANA name
    weekly:                          # mon tue wed thu fri sat sun, or a range of them
      mon-thu: ["09:00-12:00", "12:30-17:00"]
      fri: ["09:00-16:00", "22:00-02:00"]      # an end that is not after its start lies on the next day
      sat-sun: ["00:00-24:00"]
    holidays:                        # a country's two letters, or a list of:
      - DK                           #   the public holidays of a country
      - 2026-06-05 Constitution Day  #   one day and its name
      - 12-24 Christmas Eve          #   a day of every year
```

A later entry of `holidays` names the day anew. Public holidays bear their English names, for which there are prompts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import holidays as public_holidays

from dialplan.errors import CalendarInvalid
from dialplan.hours import DAY, Calendar, Opening

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_RANGE = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)\s*-\s*([01]?\d|2[0-4]):([0-5]\d)")
_DAY = re.compile(r"(?:(\d{4})-)?(\d{2})-(\d{2})\s+(\S.*)")
_COUNTRY = re.compile(r"[A-Z]{2}")


def parse(document: Any, *, zone: ZoneInfo, years: Sequence[int]) -> list[Calendar]:
    """The calendars of a document as described above; holidays are written out for the given years.

    CalendarInvalid names the calendar and what is wrong in it.
    """
    entries = document.get("calendars") if isinstance(document, Mapping) else None
    if not isinstance(entries, list):
        raise CalendarInvalid("the document has no list `calendars`")
    calendars = [_calendar(entry, zone, years) for entry in entries]
    names = [calendar.name for calendar in calendars]
    for name in names:
        if names.count(name) > 1:
            raise CalendarInvalid(f"calendar {name!r} stands twice")
    return calendars


def zone_named(name: str) -> ZoneInfo:
    """The time zone of this IANA name. CalendarInvalid where there is none; zoneinfo itself raises a KeyError for most."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise CalendarInvalid(f"{name!r} is no time zone; use an IANA name such as Europe/Copenhagen") from error


def holidays_of(country: str, years: Sequence[int]) -> dict[date, str]:
    """The public holidays of a country in these years, in English where the library has the words."""
    try:
        spoken = "en_US" if "en_US" in public_holidays.country_holidays(country).supported_languages else None
        found = public_holidays.country_holidays(country, years=years, language=spoken)
    except NotImplementedError as error:
        raise CalendarInvalid(f"no public holidays are known for country {country!r}") from error
    # Two of one day are joined by the library with "; ", and one name is enough to be told on the telephone.
    return {day: name.partition(";")[0].strip() for day, name in found.items()}


def _calendar(entry: Any, zone: ZoneInfo, years: Sequence[int]) -> Calendar:
    name = entry.get("name") if isinstance(entry, Mapping) else None
    if not isinstance(name, str) or not name.strip():
        raise CalendarInvalid("a calendar has no `name`")
    unknown = sorted(str(key) for key in set(entry) - {"name", "timezone", "weekly", "holidays"})
    if unknown:
        raise CalendarInvalid(f"calendar {name!r}: there is no `{unknown[0]}` in a calendar")
    try:
        own = entry.get("timezone")
        return Calendar(
            name.strip(),
            zone if own is None else zone_named(str(own)),
            _weekly(entry.get("weekly")),
            _holidays(entry.get("holidays"), years),
        )
    except CalendarInvalid as error:
        raise CalendarInvalid(f"calendar {name!r}: {error}") from error


def _weekly(weekly: object) -> tuple[Opening, ...]:
    if weekly is None:
        return ()
    if not isinstance(weekly, Mapping):
        raise CalendarInvalid("`weekly` gives each day its hours")
    openings = [opening for days, hours in weekly.items() for opening in _openings(days, hours)]
    if len(set(openings)) != len(openings):
        raise CalendarInvalid("the same hours stand twice on one day")
    return tuple(sorted(openings))


def _openings(days: object, hours: object) -> Iterator[Opening]:
    first, _, last = str(days).partition("-")
    if first not in WEEKDAYS or (last or first) not in WEEKDAYS:
        raise CalendarInvalid(f"{days!r} is no day; days are {', '.join(WEEKDAYS)}, or a range such as mon-fri")
    start, end = WEEKDAYS.index(first), WEEKDAYS.index(last or first)
    if end < start:
        raise CalendarInvalid(f"{days!r} runs backwards")
    if not isinstance(hours, list):
        raise CalendarInvalid(f'the hours of {days} are a list, for example ["09:00-12:00", "12:30-17:00"]')
    for text in hours:
        found = _RANGE.fullmatch(str(text).strip())
        if found is None:
            raise CalendarInvalid(f"{text!r} on {days} is no range of hours such as 09:00-17:00")
        from_hour, from_minute, to_hour, to_minute = (int(part) for part in found.groups())
        opens, closes = from_hour * 60 + from_minute, to_hour * 60 + to_minute
        if opens >= DAY or closes > DAY:
            raise CalendarInvalid(f"{text!r} on {days}: a day ends at 24:00")
        for weekday in range(start, end + 1):
            yield Opening(weekday, opens, closes if closes > opens else closes + DAY)


def _holidays(entries: object, years: Sequence[int]) -> dict[date, str]:
    if entries is None:
        return {}
    found: dict[date, str] = {}
    for entry in [entries] if isinstance(entries, str) else _listed(entries):
        text = str(entry).strip()
        if _COUNTRY.fullmatch(text):
            found.update(holidays_of(text, years))
            continue
        parts = _DAY.fullmatch(text)
        if parts is None:
            raise CalendarInvalid(f"{text!r} is no holiday; write a country such as DK, or 2026-12-24 Christmas Eve")
        year, month, day, name = parts.groups()
        for each in [int(year)] if year else years:
            try:
                found[date(each, int(month), int(day))] = name.strip()
            except ValueError as error:
                if not year and (month, day) == ("02", "29"):
                    continue
                raise CalendarInvalid(f"{text!r}: there is no such day") from error
    return found


def _listed(entries: object) -> list[object]:
    if not isinstance(entries, list):
        raise CalendarInvalid("`holidays` is a country's two letters or a list")
    return entries
