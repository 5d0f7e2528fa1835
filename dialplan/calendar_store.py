"""Calendars in and out of the database: as documents with a revision, with what was changed and what is closed by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import structlog

from conf.database import Database
from dialplan import calendars
from dialplan.days import Emergency
from dialplan.errors import CalendarInvalid, CalendarMoved
from dialplan.hours import Calendar
from dialplan.tables import CalendarRow, ChangeRow, EmergencyRow

log = structlog.get_logger(__name__)
CHANGES_KEPT = 200
"""Of each calendar; older ones can neither be seen nor undone."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A calendar as it stands: `revision` rises with each change."""

    id: int
    revision: int
    calendar: Calendar


@dataclass(frozen=True, slots=True)
class Change:
    """A change of the past. `before` and `after` are entries of a document; None: there was, or is, no such calendar."""

    id: int
    calendar_id: int
    at: datetime
    author: str
    said: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class ClosedByHand:
    """An emergency of one calendar with its id, as people end it."""

    id: int
    calendar_id: int
    name: str
    emergency: Emergency


def load_calendars(db: Database, *, zone: str) -> dict[str, Calendar]:
    """All calendars by name. One whose time zone is unknown here goes by `zone`; one that cannot be read is left out and
    logged, so that a bad row takes no other off the line."""
    return {stored.calendar.name: stored.calendar for stored in stored_calendars(db, zone=zone)}


def stored_calendars(db: Database, *, zone: str) -> list[Stored]:
    """All calendars by name, with their ids; see `load_calendars`."""
    with db.connection_context():
        rows = list(CalendarRow.select().order_by(CalendarRow.name))
        closed = _closed_by_hand()
    found = []
    for row in rows:
        try:
            found.append(
                Stored(row.id, row.revision, replace(_calendar(row, zone), emergencies=closed.get(row.id, ())))
            )
        except CalendarInvalid as error:
            log.error("a calendar is out of use", calendar=row.name, why=str(error))
    return found


def _closed_by_hand() -> dict[int, tuple[Emergency, ...]]:
    found: dict[int, tuple[Emergency, ...]] = {}
    for row in EmergencyRow.select().where(EmergencyRow.ended_at.is_null()).order_by(EmergencyRow.id):
        emergency = Emergency(row.since, row.until, row.reason, row.prompt, row.author)
        found[row.calendar_id] = (*found.get(row.calendar_id, ()), emergency)
    return found


def _calendar(row: CalendarRow, zone: str) -> Calendar:
    try:
        own = calendars.zone_named(row.timezone)
    except CalendarInvalid as error:
        log.error("a calendar goes by the installation's time zone", calendar=row.name, why=str(error))
        own = ZoneInfo(zone)
    return calendars.parse_one({**row.document, "name": row.name}, zone=own, strict=False)


def import_calendars(db: Database, document: Any, *, zone: ZoneInfo, years: Sequence[int]) -> list[str]:
    """Store the calendars of a document (see dialplan.calendars), all or none, each in place of one of its name.

    `zone` is what calendars without their own keep; a country's public holidays are written out for `years`. Returns the
    names. Nothing is published: that is for the caller to do when all is in place. CalendarInvalid where the document is
    wrong.
    """
    parsed = calendars.parse(document, zone=zone, years=years)
    with db.connection_context(), db.atomic():
        for calendar in parsed:
            save_calendar(calendar)
    return [calendar.name for calendar in parsed]


def save_calendar(calendar: Calendar) -> int:
    """Store one calendar in place of the one of its name, within the caller's transaction; its id."""
    row = CalendarRow.get_or_none(CalendarRow.name == calendar.name) or CalendarRow(name=calendar.name, revision=0)
    return _write(row, calendar)


def change_calendar(
    calendar: Calendar, *, calendar_id: int | None, revision: int | None, author: str, at: datetime, said: str
) -> int:
    """Store a calendar as changed by `author`, within the caller's transaction, and keep what it was; its id.

    Without `calendar_id` it is a new one. CalendarMoved where it is gone, or has another revision than the one the author
    saw; CalendarInvalid where another one has its name.
    """
    row = _locked(calendar_id) if calendar_id is not None else CalendarRow(revision=0)
    if row is None:
        raise CalendarMoved(f"the calendar {calendar.name!r} has been deleted meanwhile")
    if revision is not None and row.revision != revision:
        raise CalendarMoved(f"the calendar {calendar.name!r} was changed by somebody else meanwhile")
    other = CalendarRow.get_or_none(CalendarRow.name == calendar.name)
    if other is not None and other.id != calendar_id:
        raise CalendarInvalid(f"there is a calendar {calendar.name!r} already")
    before = _entry(row) if calendar_id is not None else None
    row.name = calendar.name
    written = _write(row, calendar)
    _remember(written, author, at, said, before, _entry(row))
    return written


def delete_calendar(calendar_id: int, *, author: str, at: datetime, said: str) -> None:
    """Delete a calendar within the caller's transaction, so that it can be had back. CalendarMoved where it is gone."""
    row = _locked(calendar_id)
    if row is None:
        raise CalendarMoved("the calendar has been deleted already")
    _remember(calendar_id, author, at, said, _entry(row), None)
    row.delete_instance()


def changes(calendar_id: int | None = None, *, most: int = 20) -> list[Change]:
    """The last changes, the newest first; of all calendars, deleted ones too, without an id."""
    query = ChangeRow.select().order_by(ChangeRow.id.desc()).limit(most)
    if calendar_id is not None:
        query = query.where(ChangeRow.calendar_id == calendar_id)
    return [Change(row.id, row.calendar_id, row.at, row.author, row.said, row.before, row.after) for row in query]


def undo(change_id: int, *, author: str, at: datetime, zone: ZoneInfo) -> Change:
    """Undo the last change of a calendar, within the caller's transaction; the change that was undone.

    CalendarMoved where it is not the last one any more; CalendarInvalid where what it was cannot be again, because its name
    has been given away.
    """
    row = ChangeRow.get_or_none(ChangeRow.id == change_id)
    newest = changes(row.calendar_id, most=1) if row else []
    if row is None or newest[0].id != change_id:
        raise CalendarMoved("this change is not the last one any more, so it cannot be undone")
    change = newest[0]
    present = _locked(change.calendar_id)
    if (None if present is None else _entry(present)) != change.after:
        raise CalendarMoved("the calendar was changed in another way meanwhile, so this cannot be undone")
    said = f"Undone: {change.said.removeprefix('Undone: ')}"
    if change.before is None:
        delete_calendar(change.calendar_id, author=author, at=at, said=said)
        return change
    calendar = calendars.parse_one(change.before, zone=zone, strict=False)
    made = change_calendar(
        calendar,
        calendar_id=None if present is None else present.id,
        revision=None,
        author=author,
        at=at,
        said=said,
    )
    if made != change.calendar_id:  # one that was deleted has come back under another id
        ChangeRow.update(calendar_id=made).where(ChangeRow.calendar_id == change.calendar_id).execute()
    return change


def close_by_hand(
    calendar_ids: Sequence[int], *, until: datetime, reason: str, prompt: str, author: str, at: datetime
) -> None:
    """Close calendars from `at` until an instant, within the caller's transaction; what had closed them before is over.

    CalendarMoved where one of them is gone."""
    Emergency(at, until, reason, prompt)
    EmergencyRow.update(ended_at=EmergencyRow.until).where(
        EmergencyRow.ended_at.is_null(), EmergencyRow.until <= at
    ).execute()
    for calendar_id in calendar_ids:
        if _locked(calendar_id) is None:
            raise CalendarMoved("one of the calendars has been deleted meanwhile")
        EmergencyRow.update(ended_at=at, ended_by=author).where(
            EmergencyRow.ended_at.is_null(), EmergencyRow.calendar_id == calendar_id
        ).execute()
        EmergencyRow.insert(
            calendar_id=calendar_id, since=at, until=until, reason=reason, prompt=prompt, author=author
        ).execute()


def open_by_hand(emergency_ids: Sequence[int], *, author: str, at: datetime) -> int:
    """End what was closed by hand, within the caller's transaction; how many were still closed."""
    return int(
        EmergencyRow.update(ended_at=at, ended_by=author)
        .where(EmergencyRow.id.in_(list(emergency_ids)), EmergencyRow.ended_at.is_null())
        .execute()
    )


def closed_by_hand(db: Database, at: datetime) -> list[ClosedByHand]:
    """What is closed by hand at this instant, the longest closed first."""
    rows = db.execute_sql(
        "SELECT e.id, c.id, c.name, e.since, e.until, e.reason, e.prompt, e.author FROM calendar_emergency e "
        "JOIN calendar c ON c.id = e.calendar_id WHERE e.ended_at IS NULL AND e.since <= %s AND e.until > %s "
        "ORDER BY e.since, c.name",
        (at, at),
    ).fetchall()
    return [ClosedByHand(key, calendar_id, name, Emergency(*rest)) for key, calendar_id, name, *rest in rows]


def _locked(calendar_id: int) -> CalendarRow | None:
    return CalendarRow.select().where(CalendarRow.id == calendar_id).for_update().first()  # type: ignore[no-any-return]


def _entry(row: CalendarRow) -> dict[str, Any]:
    return {"name": row.name, "timezone": row.timezone, **row.document}


def _write(row: CalendarRow, calendar: Calendar) -> int:
    if not calendar.zone.key:
        raise CalendarInvalid(f"calendar {calendar.name!r} has a time zone without a name")
    entry = calendars.render(calendar)
    row.timezone = entry.pop("timezone")
    row.document = {key: value for key, value in entry.items() if key != "name"}
    row.revision += 1
    row.save()
    return int(row.id)


def _remember(
    calendar_id: int,
    author: str,
    at: datetime,
    said: str,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
) -> None:
    ChangeRow.insert(calendar_id=calendar_id, at=at, author=author, said=said, before=before, after=after).execute()
    oldest = ChangeRow.select(ChangeRow.id).where(ChangeRow.calendar_id == calendar_id)
    kept = oldest.order_by(ChangeRow.id.desc()).limit(CHANGES_KEPT)
    ChangeRow.delete().where(ChangeRow.calendar_id == calendar_id, ChangeRow.id.not_in(kept)).execute()
