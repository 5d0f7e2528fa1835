"""Calendars and numbers in and out of the database."""

from __future__ import annotations

from collections.abc import Sequence
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


def load(db: Database, *, zone: str, country: str) -> Plan:
    """The plan as it stands in the database, in a few short queries on one connection.

    A number whose destination makes no sense is out of service and logged: one bad row must not take the others off the
    line. A calendar whose time zone is unknown here goes by `zone`.
    """
    found = {}
    with db.connection_context():
        rows = list(NumberRow.select())
        extensions = frozenset(extension for (extension,) in db.execute_sql("SELECT extension FROM agent").fetchall())
        known = load_calendars(db, zone=zone)
    for row in rows:
        try:
            found[row.number] = Number(row.number, row.name, destinations.decode(row.destination))
        except DestinationInvalid as error:
            log.error("a number is out of service", number=row.number, why=str(error))
    return Plan(country, found, known, extensions)


def load_calendars(db: Database, *, zone: str) -> dict[str, Calendar]:
    """All calendars by name; see `load` for `zone`."""
    openings: dict[int, list[Opening]] = {}
    holidays: dict[int, dict[date, str]] = {}
    with db.connection_context():
        for opening in OpeningRow.select():
            openings.setdefault(opening.calendar_id, []).append(
                Opening(opening.weekday, opening.opens_minute, opening.closes_minute)
            )
        for holiday in HolidayRow.select():
            holidays.setdefault(holiday.calendar_id, {})[holiday.day] = holiday.name
        rows = list(CalendarRow.select())
    return {
        row.name: Calendar(
            row.name, _zone(row, zone), tuple(sorted(openings.get(row.id, []))), holidays.get(row.id, {})
        )
        for row in rows
    }


def _zone(row: CalendarRow, otherwise: str) -> ZoneInfo:
    try:
        return calendars.zone_named(row.timezone)
    except CalendarInvalid as error:
        log.error("a calendar goes by the installation's time zone", calendar=row.name, why=str(error))
        return ZoneInfo(otherwise)


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
