"""Opening hours in words: when a rule applies, what a day has, why it is closed, what was changed; and words read as hours."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from itertools import pairwise

from admin.words import WEEKDAYS
from dialplan.calendars import PLACES
from dialplan.days import MINUTES, Day, NthWeekday, On, Span, When, Yearly, clock
from dialplan.errors import CalendarInvalid
from dialplan.hours import Calendar, Closed, ClosedReason, Open, Opening

MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip
EFFECTS = {
    "closed": "Closed all day",
    "part": "Closed part of the day",
    "hours": "Other hours",
    "usual": "As in any week",
}
REASONS: dict[ClosedReason, str] = {
    "hours": "After hours", "lunch": "Lunch", "holiday": "Holidays", "emergency": "Closed by hand",
}  # fmt: skip
_ONE = re.compile(r"(\d{1,2})(?:[:.h]?(\d{2}))?\s*(?:-|–|—|to)\s*(\d{1,2})(?:[:.h]?(\d{2}))?")
_ALL_DAY = ("24 h", "24h", "24 hours", "all day", "always")
_NEVER = ("", "closed", "-", "–")


def day_of_year(month: int, day: int) -> str:
    return f"{day} {MONTHS[month - 1]}"


def a_date(day: date, *, weekday: bool = True) -> str:
    """`Thursday 24 December 2026`."""
    said = f"{day.day} {MONTHS[day.month - 1]} {day.year}"
    return f"{WEEKDAYS[day.weekday()]} {said}" if weekday else said


def spans(found: Sequence[Span]) -> str:
    """`09:00–12:00, 12:30–17:00`; `closed` for none."""
    return ", ".join(f"{clock(opens)}–{clock(closes)}" for opens, closes in found) or "closed"


def when(rule: When) -> str:
    """`Thursday 24 December 2026`, `every 24 December`, `the day after the last Friday in November`."""
    match rule:
        case On(first, last):
            if first == last:
                return a_date(first)
            return f"{a_date(first, weekday=False)} to {a_date(last, weekday=False)}"
        case Yearly(first_day, last_day):
            said = f"every {day_of_year(*first_day)}"
            return (
                said if first_day == last_day else f"every year {day_of_year(*first_day)} to {day_of_year(*last_day)}"
            )
        case NthWeekday(nth, weekday, month, shift):
            place = next(word for word, number in PLACES.items() if number == nth)
            said = f"the {place} {WEEKDAYS[weekday]} " + (f"in {MONTHS[month - 1]}" if month else "of every month")
            if not shift:
                return said
            days = "day" if abs(shift) == 1 else "days"
            count = "the" if abs(shift) == 1 else str(abs(shift))
            return f"{count} {days} {'after' if shift > 0 else 'before'} {said}"


def what(day: Day) -> str:
    """`closed`, `closed 12:00–24:00`, `open 10:00–12:00`, `open as in any week`."""
    if day.effect == "closed":
        return "closed"
    if day.effect == "usual":
        return "open as in any week"
    return f"{'closed' if day.effect == 'part' else 'open'} {spans(day.spans)}"


def reason(closed: Closed) -> str:
    """`Closed`, `At lunch`, `Closed for Christmas Eve`, `Closed by hand: Water in the cellar`."""
    if closed.reason == "holiday":
        return f"Closed for {closed.name}"
    if closed.reason == "emergency":
        return f"Closed by hand: {closed.name}"
    return "At lunch" if closed.reason == "lunch" else "Closed"


def moment(at: datetime) -> str:
    return f"{WEEKDAYS[at.weekday()]} {at.day} {MONTHS[at.month - 1]} {at.year}, {at:%H:%M}"


def state(calendar: Calendar, found: Open | Closed, at: datetime) -> str:
    """A whole answer: open, or why not and until when."""
    if isinstance(found, Open):
        return f"{calendar.name} is open."
    opens = found.opens_at
    until = f" It opens again on {moment(opens)}." if opens else " It does not open within 400 days."
    if opens and opens.date() == at.astimezone(calendar.zone).date():
        until = f" It opens again at {opens:%H:%M} that day."
    said = {
        "hours": f"{calendar.name} is closed: outside its hours.",
        "lunch": f"{calendar.name} is out for lunch.",
        "holiday": f"{calendar.name} is closed for {found.name}.",
        "emergency": f"{calendar.name} is closed by hand: {found.name}.",
    }[found.reason]
    return said + until


def read_spans(text: str) -> tuple[Span, ...]:
    """What somebody typed: `9-12, 12:30-17`, `09.00–17.00`, `22-2`, `all day`; nothing for `closed`. CalendarInvalid names
    the part that is no hours."""
    plain = text.strip().lower()
    if plain in _NEVER:
        return ()
    if plain in _ALL_DAY:
        return ((0, MINUTES),)
    found = []
    for part in re.split(r"[,;]|\band\b", plain):
        one = _ONE.fullmatch(part.strip())
        if one is None:
            raise CalendarInvalid(f"“{part.strip()[:40]}” is no hours; write for example 09:00-12:00, 12:30-17:00")
        opens, closes = (int(one[at]) * 60 + int(one[at + 1] or 0) for at in (1, 3))
        if opens >= MINUTES or closes > MINUTES or any(int(one[at] or 0) > 59 for at in (2, 4)):
            raise CalendarInvalid(f"“{part.strip()[:40]}”: a day has the hours 00:00 to 24:00")
        found.append((opens, closes if closes > opens else closes + MINUTES))
    ordered = sorted(found)
    for before, after in pairwise(ordered):
        if after[0] < before[1]:
            raise CalendarInvalid(f"{spans([before])} and {spans([after])} overlap; join them or move one")
    return tuple(ordered)


def written(found: Sequence[Span]) -> str:
    """As `read_spans` takes it."""
    return ", ".join(f"{clock(opens)}-{clock(closes)}" for opens, closes in found)


def difference(before: Calendar | None, after: Calendar | None) -> str:
    """What a change is about, short: `Monday: 09:00–17:00 (was 10:00–17:00); Christmas Eve added`."""
    if before is None:
        return "made" if after is None else f"{after.name} made"
    if after is None:
        return f"{before.name} deleted"
    said = [f"{before.name} is called {after.name}"] if before.name != after.name else []
    if before.zone.key != after.zone.key:
        said.append(f"time zone {after.zone.key} (was {before.zone.key})")
    for weekday, name in enumerate(WEEKDAYS):
        old, new = _hours(before.of_weekday(weekday)), _hours(after.of_weekday(weekday))
        if old != new:
            said.append(f"{name}: {new} (was {old})")
    was, now = set(before.days), set(after.days)
    gone, come = {day.name for day in was - now}, {day.name for day in now - was}
    said += [f"{name} {'changed' if name in gone else 'added'}" for name in sorted(come)]
    said += [f"{name} taken away" for name in sorted(gone - come)]
    said += _holidays(before, after)
    if dict(before.prompts) != dict(after.prompts):
        said.append("what callers hear")
    return "; ".join(said) or "nothing"


def _hours(openings: Sequence[Opening]) -> str:
    return spans([(each.opens, each.closes) for each in openings])


def _holidays(before: Calendar, after: Calendar) -> list[str]:
    said = []
    years = {day.year for day in {*before.holidays, *after.holidays}}
    years |= (before.public.years if before.public else frozenset()) ^ (
        after.public.years if after.public else frozenset()
    )
    for year in sorted(years):
        old, new = ({day for day in found.holidays if day.year == year} for found in (before, after))
        accepted = after.public is not None and year in after.public.years
        was_accepted = before.public is not None and year in before.public.years
        if old != new or accepted != was_accepted:
            said.append(f"public holidays {year}: {len(new)} (was {len(old)})")
    return said
