"""Calendars as documents: the YAML that people keep, and the JSON in which they are stored.

```yaml
calendars:
  - name: Office
    timezone: null                   # null or left out: the installation's own zone; else an IANA name
    weekly:                          # mon tue wed thu fri sat sun, or a range of them
      mon-thu: ["09:00-12:00", "12:30-17:00"]
      fri: ["09:00-16:00", "22:00-02:00"]      # an end that is not after its start lies on the next day
      sat-sun: ["00:00-24:00"]
    public_holidays:                 # those that were accepted, for the years that somebody has looked at
      country: DK
      subdivision: ""
      years: [2026]
      days: {2026-12-25: Christmas Day}
    days:                            # days of one's own: name, when, what happens, and a prompt to be heard instead
      - {name: Christmas Eve, every: 12-24, closed: ["12:00-24:00"]}
      - {name: Between the years, every: 12-27, until: 12-30}                # closed, as nothing else is said
      - {name: Summer break, on: 2026-07-13, until: 2026-07-31}
      - {name: Stocktaking, every: last fri nov, shift: 1, hours: ["10:00-12:00"], prompt: closed_stocktaking}
      - {name: Open on a holiday, on: 2026-05-14, as_usual: true}
    holidays: [DK, "2026-06-05 Constitution Day", "12-24 Christmas Eve"]     # short for the two above: all day closed
    prompts: {closed: closed_hours, lunch: closed_lunch, holiday: closed_today, emergency: closed_emergency}
```

`every` is a day of the year as month-day, or `first` to `fifth` or `last`, a weekday, and a month or `month` for all of them.
Public holidays bear their English names, for which there are prompts. What counts where several rules meet is
`dialplan.days.ORDER`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from dialplan import days as own_days
from dialplan.days import MINUTES as DAY
from dialplan.days import Day, Effect, NthWeekday, On, Span, When, Yearly, clock, overlapping
from dialplan.errors import CalendarInvalid
from dialplan.hours import Calendar, ClosedReason, Opening, Public
from dialplan.public import holidays_of

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MONTHS = ("month", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
PLACES: Mapping[str, int] = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "last": -1}
PROMPTS: Mapping[str, ClosedReason] = {
    "closed": "hours", "lunch": "lunch", "holiday": "holiday", "emergency": "emergency",
}  # fmt: skip
"""What the document calls each reason for being closed."""

MOST_DAYS = 400
LONGEST_NAME = 80
_RANGE = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)\s*[-–]\s*([01]?\d|2[0-4]):([0-5]\d)")
_DATED = re.compile(r"(?:(\d{4})-)?(\d{2})-(\d{2})\s+(\S.*)")
_MONTH_DAY = re.compile(r"(\d{2})-(\d{2})")
_COUNTRY = re.compile(r"[A-Z]{2}")
_SUBDIVISION = re.compile(r"[^\W_ ]{0,20}( [^\W_ ]{1,20}){0,3}")
_PROMPT = re.compile(r"[a-z0-9][a-z0-9_]{0,79}")
_KEYS = {"name", "timezone", "weekly", "public_holidays", "days", "holidays", "prompts"}


def parse(document: Any, *, zone: ZoneInfo, years: Sequence[int]) -> list[Calendar]:
    """The calendars of a document as described above; a country among `holidays` is written out for the given years.

    CalendarInvalid names the calendar and what is wrong in it.
    """
    entries = document.get("calendars") if isinstance(document, Mapping) else None
    if not isinstance(entries, list):
        raise CalendarInvalid("the document has no list `calendars`")
    calendars = [parse_one(entry, zone=zone, years=years) for entry in entries]
    names = [calendar.name for calendar in calendars]
    for name in names:
        if names.count(name) > 1:
            raise CalendarInvalid(f"calendar {name!r} stands twice")
    return calendars


def parse_one(entry: Any, *, zone: ZoneInfo, years: Sequence[int] = (), strict: bool = True) -> Calendar:
    """One calendar of a document. CalendarInvalid names it and what is wrong in it; where it is not `strict`, what overlaps
    is taken as it is, for it does no harm in what is stored already."""
    name = entry.get("name") if isinstance(entry, Mapping) else None
    if not isinstance(name, str) or not name.strip():
        raise CalendarInvalid("a calendar has no `name`")
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise CalendarInvalid(f"calendar {name[:20]!r}: a name has {LONGEST_NAME} characters at most, on one line")
    try:
        return _parsed(name.strip(), entry, zone, years, strict)
    except CalendarInvalid as error:
        raise CalendarInvalid(f"calendar {name!r}: {error}") from error


def _parsed(name: str, entry: Mapping[str, Any], zone: ZoneInfo, years: Sequence[int], strict: bool) -> Calendar:
    _only(entry, _KEYS, "a calendar")
    public, holidays = _public(entry.get("public_holidays"))
    days = [_day(each) for each in _list(entry.get("days"), "days")]
    for country, found, own in _short(entry.get("holidays"), years):
        if country and public is not None and public.country not in ("", country):
            raise CalendarInvalid(f"public holidays are of {public.country} already; enter those of {country} as days")
        if country:
            public = Public(country, public.subdivision if public else "", frozenset(years))
            holidays |= found
        days += own
    if len(days) > MOST_DAYS:
        raise CalendarInvalid(f"{len(days)} days of its own; {MOST_DAYS} is the most")
    for one, other in overlapping(days) if strict else ():
        raise CalendarInvalid(f"{in_words(one.when)} stands twice: {one.name!r} and {other.name!r}")
    own_zone = entry.get("timezone")
    return Calendar(
        name,
        zone if own_zone is None else zone_named(str(own_zone)),
        openings(entry.get("weekly"), strict=strict),
        holidays,
        tuple(days),
        prompts=_prompts(entry.get("prompts")),
        public=public,
    )


def render(calendar: Calendar) -> dict[str, Any]:
    """The document's entry for a calendar; `parse_one` gives the same back, without what was closed by hand."""
    entry: dict[str, Any] = {
        "name": calendar.name,
        "timezone": calendar.zone.key,
        "weekly": {
            WEEKDAYS[day]: [f"{clock(each.opens)}-{clock(each.closes)}" for each in calendar.of_weekday(day)]
            for day in range(7)
            if calendar.of_weekday(day)
        },
    }
    if calendar.public is not None or calendar.holidays:
        public = calendar.public or Public("")
        entry["public_holidays"] = {
            "country": public.country,
            "subdivision": public.subdivision,
            "years": sorted(public.years),
            "days": {day.isoformat(): name for day, name in sorted(calendar.holidays.items())},
        }
    if calendar.days:
        entry["days"] = [render_day(day) for day in calendar.days]
    if calendar.prompts:
        entry["prompts"] = {
            name: calendar.prompts[reason] for name, reason in PROMPTS.items() if reason in calendar.prompts
        }
    return entry


def render_day(day: Day) -> dict[str, Any]:
    """One entry of a document's `days`."""
    entry: dict[str, Any] = {"name": day.name}
    match day.when:
        case On(first, last):
            entry["on"] = first.isoformat()
            if last != first:
                entry["until"] = last.isoformat()
        case Yearly(from_day, to_day):
            entry["every"] = "{:02}-{:02}".format(*from_day)
            if to_day != from_day:
                entry["until"] = "{:02}-{:02}".format(*to_day)
        case NthWeekday(nth, weekday, month, shift):
            place = next(word for word, number in PLACES.items() if number == nth)
            entry["every"] = f"{place} {WEEKDAYS[weekday]} {MONTHS[month]}"
            if shift:
                entry["shift"] = shift
    spans = [f"{clock(begins)}-{clock(ends)}" for begins, ends in day.spans]
    does: Mapping[Effect, dict[str, Any]] = {
        "closed": {},
        "part": {"closed": spans},
        "hours": {"hours": spans},
        "usual": {"as_usual": True},
    }
    entry |= does[day.effect]
    return entry | ({"prompt": day.prompt} if day.prompt else {})


def parse_day(entry: Any) -> Day:
    """One entry of a document's `days`. CalendarInvalid names what is wrong in it."""
    return _day(entry)


def zone_named(name: str) -> ZoneInfo:
    """The time zone of this IANA name. CalendarInvalid where there is none; zoneinfo itself raises a KeyError for most."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise CalendarInvalid(f"{name!r} is no time zone; use an IANA name such as Europe/Copenhagen") from error


def span(text: object, where: str) -> Span:
    """`09:00-17:00` in minutes; an end that is not after its start lies on the next day. CalendarInvalid names the fault."""
    found = _RANGE.fullmatch(str(text).strip())
    if found is None:
        raise CalendarInvalid(f"{text!r} on {where} is no range of hours such as 09:00-17:00")
    from_hour, from_minute, to_hour, to_minute = (int(part) for part in found.groups())
    opens, closes = from_hour * 60 + from_minute, to_hour * 60 + to_minute
    if opens >= DAY or closes > DAY:
        raise CalendarInvalid(f"{text!r} on {where}: a day ends at 24:00")
    return opens, closes if closes > opens else closes + DAY


def openings(weekly: object, *, strict: bool = True) -> tuple[Opening, ...]:
    """The weekly hours of a document. CalendarInvalid names the day and what is wrong with it."""
    if weekly is None:
        return ()
    if not isinstance(weekly, Mapping):
        raise CalendarInvalid("`weekly` gives each day its hours")
    found = sorted(opening for days, hours in weekly.items() for opening in _openings(days, hours))
    if len(set(found)) != len(found):
        raise CalendarInvalid("the same hours stand twice on one day")
    if strict:
        check_week(found)
    return tuple(found)


def overlaps(found: Sequence[Opening]) -> list[tuple[Opening, Opening]]:
    """Pairs of openings that overlap, also where one runs past midnight into the other's day."""
    ordered = sorted(found)
    if not ordered:
        return []
    pairs = [*pairwise(ordered), (ordered[-1], ordered[0])]
    return [(one, other) for one, other in pairs if one is not other and _start(one, other) < one.closes]


def _start(one: Opening, other: Opening) -> int:
    """When `other` opens next after `one` has, in minutes from the midnight of `one`'s day."""
    start = (other.weekday - one.weekday) % 7 * DAY + other.opens
    return start + 7 * DAY if start < one.opens else start


def check_week(found: Sequence[Opening]) -> None:
    """CalendarInvalid names two openings that overlap."""
    for one, other in overlaps(found):
        raise CalendarInvalid(f"{_told(one)} and {_told(other)} overlap")


def _told(found: Opening) -> str:
    return f"{WEEKDAYS[found.weekday]} {own_days.in_words((found.opens, found.closes))}"


def in_words(when: When) -> str:
    """`2026-12-24`, `every 12-24`, `every last fri nov, 1 day later`, as people write it here."""
    match when:
        case On(first, last):
            return first.isoformat() if first == last else f"{first.isoformat()} to {last.isoformat()}"
        case Yearly(first_day, last_day):
            said = "every {:02}-{:02}".format(*first_day)
            return said if first_day == last_day else said + " to {:02}-{:02}".format(*last_day)
        case NthWeekday(nth, weekday, month, shift):
            place = next(word for word, number in PLACES.items() if number == nth)
            said = f"every {place} {WEEKDAYS[weekday]} {MONTHS[month]}"
            return said if not shift else f"{said} with shift {shift}"


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
        opens, closes = span(text, str(days))
        for weekday in range(start, end + 1):
            yield Opening(weekday, opens, closes)


def _day(entry: object) -> Day:
    if not isinstance(entry, Mapping):
        raise CalendarInvalid(f"{entry!r:.60} among `days` is no day with a `name`")
    name = str(entry.get("name") or "").strip()
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise CalendarInvalid(f"a day among `days` has no `name` of {LONGEST_NAME} characters at most, on one line")
    _only(entry, {"name", "on", "every", "until", "shift", "closed", "hours", "as_usual", "prompt"}, name)
    if sum(key in entry for key in ("closed", "hours", "as_usual")) > 1:
        raise CalendarInvalid(f"{name!r} has one of `closed`, `hours` and `as_usual`")
    effect: Effect = "closed"
    if entry.get("as_usual"):
        effect = "usual"
    elif "closed" in entry or "hours" in entry:
        effect = "part" if "closed" in entry else "hours"
    spans = [span(each, repr(name)) for each in _list(entry.get("closed", entry.get("hours")), f"hours of {name!r}")]
    return Day(name, _when(entry, name), effect, tuple(sorted(spans)), _prompt(entry.get("prompt", ""), name))


def _when(entry: Mapping[str, object], name: str) -> When:
    if ("on" in entry) == ("every" in entry):
        raise CalendarInvalid(f"{name!r} is `on` a date, or `every` day of the year or weekday by its place")
    if "on" in entry:
        first = _date(entry["on"], name)
        return On(first, _date(entry["until"], name) if entry.get("until") else first)
    text = str(entry["every"]).strip().lower()
    if _MONTH_DAY.fullmatch(text):
        day = _month_day(text, name)
        return Yearly(day, _month_day(str(entry["until"]), name) if entry.get("until") else day)
    words = text.split()
    if len(words) != 3 or words[0] not in PLACES or words[1] not in WEEKDAYS or words[2] not in MONTHS:
        raise CalendarInvalid(f"{name!r}: every {text!r} is neither a day such as 12-24 nor one such as `last fri nov`")
    shift = entry.get("shift", 0)
    if not isinstance(shift, int):
        raise CalendarInvalid(f"{name!r}: `shift` is a number of days")
    return NthWeekday(PLACES[words[0]], WEEKDAYS.index(words[1]), MONTHS.index(words[2]), shift)


def _date(text: object, name: str) -> date:
    try:
        return date.fromisoformat(str(text))
    except ValueError as error:
        raise CalendarInvalid(
            f"{name!r}: {str(text)!r} is no day such as 2026-12-24, or there is no such day"
        ) from error


def _month_day(text: str, name: str) -> tuple[int, int]:
    found = _MONTH_DAY.fullmatch(text.strip())
    if found is None:
        raise CalendarInvalid(f"{name!r}: {text!r} is no day of the year such as 12-24")
    return int(found[1]), int(found[2])


def _public(value: object) -> tuple[Public | None, dict[date, str]]:
    if value is None:
        return None, {}
    if not isinstance(value, Mapping):
        raise CalendarInvalid("`public_holidays` has `country`, `subdivision`, `years` and `days`")
    _only(value, {"country", "subdivision", "years", "days"}, "`public_holidays`")
    days = value.get("days") or {}
    years = _list(value.get("years"), "years")
    if not isinstance(days, Mapping) or not all(isinstance(year, int) for year in years):
        raise CalendarInvalid("`public_holidays`: `years` are numbers, and `days` gives each day its name")
    country, subdivision = str(value.get("country") or ""), str(value.get("subdivision") or "")
    if (country and not _COUNTRY.fullmatch(country)) or not _SUBDIVISION.fullmatch(subdivision):
        raise CalendarInvalid(
            f"`public_holidays`: {country!r:.20}, {subdivision!r:.20} are no country and region such as DE, BY"
        )
    found = {_date(day, "public_holidays"): str(name).strip() for day, name in days.items()}
    if not all(name and len(name) <= LONGEST_NAME and name.isprintable() for name in found.values()):
        raise CalendarInvalid(f"`public_holidays`: a day has no name of {LONGEST_NAME} characters at most, on one line")
    return Public(country, subdivision, frozenset(years)), found


def _short(value: object, years: Sequence[int]) -> Iterator[tuple[str, dict[date, str], list[Day]]]:
    """Each entry of `holidays`: a country with its days, or a day of one's own."""
    if value is None:
        return
    for entry in [value] if isinstance(value, str) else _list(value, "holidays", "a country's two letters or a list"):
        text = str(entry).strip()
        if _COUNTRY.fullmatch(text):
            yield text, holidays_of(text, years), []
            continue
        parts = _DATED.fullmatch(text)
        if parts is None:
            raise CalendarInvalid(f"{text!r} is no holiday; write a country such as DK, or 2026-12-24 Christmas Eve")
        year, month, day, name = parts.groups()
        try:
            at = (int(month), int(day))
            when: When = On(date(int(year), *at), date(int(year), *at)) if year else Yearly(at, at)
        except (ValueError, CalendarInvalid) as error:
            raise CalendarInvalid(f"{text!r}: there is no such day") from error
        yield "", {}, [Day(name.strip(), when)]


def _prompts(value: object) -> dict[ClosedReason, str]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise CalendarInvalid("`prompts` gives each reason for being closed a prompt")
    _only(value, set(PROMPTS), "`prompts`")
    return {PROMPTS[str(name)]: _prompt(prompt, f"prompts: {name}") for name, prompt in value.items() if prompt}


def _prompt(value: object, where: str) -> str:
    if value in ("", None):
        return ""
    if not isinstance(value, str) or not _PROMPT.fullmatch(value):
        raise CalendarInvalid(f"{where}: {value!r:.60} is no name of a prompt")
    return value


def _only(value: Mapping[Any, object], known: set[str], what: str) -> None:
    unknown = sorted(str(key) for key in set(value) - known)
    if unknown:
        raise CalendarInvalid(f"there is no `{unknown[0]}` in {what}")


def _list(value: object, name: str, kind: str = "a list") -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise CalendarInvalid(f"`{name}` is {kind}")
    return value
