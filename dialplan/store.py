"""Calendars and numbers in and out of the database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import structlog

from conf.database import Database
from dialplan import calendars, destinations, numbers
from dialplan.destinations import Rule
from dialplan.errors import CalendarInvalid, DestinationInvalid
from dialplan.hours import Calendar, Opening
from dialplan.plan import Number, Plan
from dialplan.tables import CalendarRow, HolidayRow, NumberRow, OpeningRow

log = structlog.get_logger(__name__)


def load(db: Database, *, country: str, extensions: Iterable[str]) -> Plan:
    """The plan as it stands in the database, in four short queries on one connection.

    `extensions` are those that may be called. A row that makes no sense is left out and logged: one bad number must not
    take the others off the line.
    """
    found = {}
    with db.connection_context():
        rows = list(NumberRow.select())
        known = _load_calendars()
    for row in rows:
        try:
            found[row.number] = Number(row.number, row.name, destinations.decode(row.destination))
        except DestinationInvalid as error:
            log.error("a number is out of service", number=row.number, why=str(error))
    return Plan(country, found, known, frozenset(extensions))


def load_calendars(db: Database) -> dict[str, Calendar]:
    """All calendars by name; one with an unknown zone is left out and logged."""
    with db.connection_context():
        return _load_calendars()


def _load_calendars() -> dict[str, Calendar]:
    openings: dict[int, list[Opening]] = {}
    for opening in OpeningRow.select():
        openings.setdefault(opening.calendar_id, []).append(
            Opening(opening.weekday, opening.opens_minute, opening.closes_minute)
        )
    holidays: dict[int, dict[date, str]] = {}
    for holiday in HolidayRow.select():
        holidays.setdefault(holiday.calendar_id, {})[holiday.day] = holiday.name
    found = {}
    for row in CalendarRow.select():
        try:
            zone = ZoneInfo(row.timezone)
        except (ValueError, OSError):
            log.error("a calendar is left out", calendar=row.name, why=f"{row.timezone!r} is no time zone")
            continue
        found[row.name] = Calendar(row.name, zone, tuple(sorted(openings.get(row.id, []))), holidays.get(row.id, {}))
    return found


def import_calendars(db: Database, document: Any, *, zone: ZoneInfo, years: Sequence[int]) -> list[str]:
    """Store the calendars of a document (see dialplan.calendars), all or none, each in place of one of its name.

    `zone` is what calendars without their own keep; public holidays are written out for `years`. Returns the names.
    Nothing is published: that is for the caller to do when all is in place. CalendarInvalid where the document is wrong.
    """
    parsed = calendars.parse(document, zone=zone, years=years)
    with db.connection_context(), db.atomic():
        for calendar in parsed:
            save_calendar(calendar)
    return [calendar.name for calendar in parsed]


def save_calendar(calendar: Calendar) -> None:
    """Store one calendar in place of the one of its name, within the caller's transaction."""
    if not calendar.zone.key:
        raise CalendarInvalid(f"calendar {calendar.name!r} has a time zone without a name")
    row = CalendarRow.get_or_none(CalendarRow.name == calendar.name) or CalendarRow(name=calendar.name)
    row.timezone = calendar.zone.key
    row.save()
    OpeningRow.delete().where(OpeningRow.calendar_id == row.id).execute()
    HolidayRow.delete().where(HolidayRow.calendar_id == row.id).execute()
    if calendar.openings:
        OpeningRow.insert_many(
            [
                {
                    "calendar_id": row.id,
                    "weekday": each.weekday,
                    "opens_minute": each.opens,
                    "closes_minute": each.closes,
                }
                for each in calendar.openings
            ]
        ).execute()
    if calendar.holidays:
        HolidayRow.insert_many(
            [{"calendar_id": row.id, "day": day, "name": name} for day, name in sorted(calendar.holidays.items())]
        ).execute()


def save_number(db: Database, number: str, name: str, rule: Rule, *, country: str) -> str:
    """Store what a number does, in place of what it did; returns the number as it is kept.

    DestinationInvalid where the text is no number.
    """
    normal = numbers.normalise(number, country)
    if not normal:
        raise DestinationInvalid(f"{number!r:.100} is no number that can be called")
    with db.connection_context():
        NumberRow.insert(number=normal, name=name, destination=destinations.encode(rule)).on_conflict(
            conflict_target=[NumberRow.number], preserve=[NumberRow.name, NumberRow.destination]
        ).execute()
    return normal
