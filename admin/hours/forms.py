"""What the forms of opening hours hold, and how it is read: the week as typed, a day of its own, closing by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from admin.forms import Form
from admin.hours import words
from admin.hours.change import CalendarIn, fault_of
from admin.words import WEEKDAYS
from dialplan import calendars
from dialplan.calendars import PLACES, PROMPTS
from dialplan.days import Day, Effect, Emergency, NthWeekday, On, Span, When, Yearly
from dialplan.errors import CalendarInvalid
from dialplan.hours import Calendar, Opening

PART = "12:00-24:00"
HOURS = "09:00-12:00"


def of_calendar(calendar: Calendar, revision: int) -> dict[str, Any]:
    """The values of a calendar's form."""
    values: dict[str, Any] = {"name": calendar.name, "timezone": calendar.zone.key, "revision": str(revision)}
    for weekday, key in enumerate(calendars.WEEKDAYS):
        values[key] = words.written([(each.opens, each.closes) for each in calendar.of_weekday(weekday)])
    for key, reason in PROMPTS.items():
        values[f"prompt-{key}"] = calendar.prompts.get(reason, "")
    return values


def new_calendar(zone: str) -> dict[str, Any]:
    """The values of a new calendar's form: office hours."""
    values: dict[str, Any] = {"timezone": zone}
    for weekday, key in enumerate(calendars.WEEKDAYS):
        values[key] = "09:00-17:00" if weekday < 5 else ""
    return values


def read_calendar(form: Form, present: Calendar | None) -> CalendarIn | None:
    """The calendar as typed, with the days and holidays that it has; None with the faults set."""
    values = form.values
    week: dict[str, list[str]] = {}
    found: list[tuple[Opening, str]] = []
    for weekday, key in enumerate(calendars.WEEKDAYS):
        try:
            spans = words.read_spans(values.get(key, ""))
        except CalendarInvalid as error:
            form.faults[key] = f"{WEEKDAYS[weekday]}: {error}."
            continue
        if spans:
            week[key] = words.written(spans).split(", ")
        found += [(Opening(weekday, *span), key) for span in spans]
    for one, other in calendars.overlaps([opening for opening, _ in found]):
        key = calendars.WEEKDAYS[other.weekday]
        form.faults.setdefault(
            key,
            f"{WEEKDAYS[one.weekday]} {words.spans([(one.opens, one.closes)])} runs into "
            f"{WEEKDAYS[other.weekday]} {words.spans([(other.opens, other.closes)])}.",
        )
    document = calendars.render(present) if present is not None else {}
    given: dict[str, Any] = {
        "name": values.get("name", "").strip(),
        "timezone": values.get("timezone", "").strip() or None,
        "weekly": week,
        "days": document.get("days", []),
        "public_holidays": document.get("public_holidays"),
        "prompts": {key: values[f"prompt-{key}"] for key in PROMPTS if values.get(f"prompt-{key}")},
        "revision": number(values.get("revision")),
    }
    wanted = form.read(CalendarIn, given)
    return None if form.faults else wanted


def number(text: str | None) -> int | None:
    """A whole number as typed, None where it is none."""
    try:
        return int(text or "")
    except ValueError:
        return None


def new_day(on: str) -> dict[str, Any]:
    """The values of a new day's form, for a date where one was chosen."""
    values: dict[str, Any] = {"kind": "once", "effect": "closed", "part": PART, "hours": HOURS, "on": on}
    values |= {"place": "last", "weekday": "4", "month": "11", "shift": "0"}
    try:
        chosen = date.fromisoformat(on)
    except ValueError:
        return values
    return values | {"from-day": str(chosen.day), "from-month": str(chosen.month)}


def of_day(day: Day) -> dict[str, Any]:
    """The values of a day's form."""
    values = new_day("") | {"name": day.name, "effect": day.effect, "prompt": day.prompt}
    if day.effect in ("part", "hours"):
        values[day.effect] = words.written(day.spans)
    match day.when:
        case On(first, last):
            values |= {"kind": "once", "on": first.isoformat(), "until": last.isoformat() if last != first else ""}
        case Yearly(first_day, last_day):
            values |= {"kind": "yearly", "from-month": str(first_day[0]), "from-day": str(first_day[1])}
            if first_day != last_day:
                values |= {"until-month": str(last_day[0]), "until-day": str(last_day[1])}
        case NthWeekday(nth, weekday, month, shift):
            place = next(word for word, value in PLACES.items() if value == nth)
            values |= {
                "kind": "nth",
                "place": place,
                "weekday": str(weekday),
                "month": str(month),
                "shift": str(shift),
            }
    return values


def read_day(form: Form) -> Day | None:
    """The day as typed; None with the faults set."""
    values = form.values
    name = values.get("name", "").strip()
    if not name:
        form.faults["name"] = "Name is missing."
    elif len(name) > calendars.LONGEST_NAME or not name.isprintable():
        form.faults["name"] = f"Name must be {calendars.LONGEST_NAME} characters or fewer, on one line."
    rule = _when(form, values)
    effect: Effect = values.get("effect", "")
    spans: tuple[Span, ...] = ()
    if effect not in words.EFFECTS:
        form.faults["effect"] = "Choose what happens on this day."
    elif effect in ("part", "hours"):
        try:
            spans = words.read_spans(values.get(effect, ""))
        except CalendarInvalid as error:
            form.faults[effect] = fault_of(error)
        else:
            if not spans:
                form.faults[effect] = "Hours are missing; write for example 09:00-12:00."
    if form.faults or rule is None:
        return None
    try:
        return Day(name, rule, effect, spans, values.get("prompt", ""))
    except CalendarInvalid as error:
        form.faults[""] = fault_of(error)
        return None


def _when(form: Form, values: Mapping[str, str]) -> When | None:
    kind = values.get("kind", "")
    if kind == "once":
        first = _date(form, "on", values.get("on", ""), "Date")
        last = _date(form, "until", values["until"], "Last day") if values.get("until") else first
        if first is None or last is None:
            return None
        return _made(form, "until", lambda: On(first, last))
    if kind == "yearly":
        start = number(values.get("from-month")) or 0, number(values.get("from-day")) or 0
        end = start
        if values.get("until-day") or values.get("until-month"):
            end = number(values.get("until-month")) or 0, number(values.get("until-day")) or 0
        if _made(form, "from-day", lambda: Yearly(start, start)) is None:
            return None
        return _made(form, "until-day", lambda: Yearly(start, end))
    if kind == "nth":
        place = PLACES.get(values.get("place", ""), 0)
        weekday, month = number(values.get("weekday")), number(values.get("month"))
        shift = number(values.get("shift") or "0")
        if shift is None:
            form.faults["shift"] = "Days after must be a whole number."
            return None
        return _made(
            form,
            "shift",
            lambda: NthWeekday(place, -1 if weekday is None else weekday, -1 if month is None else month, shift),
        )
    form.faults["kind"] = "Choose when it applies."
    return None


def _date(form: Form, name: str, text: str, title: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        form.faults[name] = f"{title} must be one such as 2026-12-24." if text else f"{title} is missing."
        return None


def _made(form: Form, name: str, make: Callable[[], When]) -> When | None:
    try:
        return make()
    except CalendarInvalid as error:
        form.faults[name] = fault_of(error)
        return None


def new_closing(now: datetime, zone: ZoneInfo, chosen: int | None) -> dict[str, Any]:
    """The values of the form that closes by hand: until the next full hour but one."""
    until = (now.astimezone(zone) + timedelta(hours=2)).replace(minute=0, second=0, microsecond=0)
    return {"until": f"{until:%Y-%m-%dT%H:%M}", "calendars": [chosen] if chosen else []}


def read_until(form: Form, zone: ZoneInfo) -> datetime | None:
    """The end as typed, on the clock of the zone; None with the fault set."""
    try:
        return datetime.fromisoformat(form.values.get("until", "")).replace(tzinfo=zone)
    except ValueError:
        form.faults["until"] = "Until is missing; give a date and a time."
        return None


def standing(emergency: Emergency, zone: ZoneInfo) -> str:
    """Until when something is closed by hand, short."""
    return words.moment(emergency.until.astimezone(zone))
