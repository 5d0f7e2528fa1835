"""Calendars in Postgres: nothing is lost, nothing overwritten unseen, and the last change can be undone."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from dialplan import calendar_store, calendars
from dialplan.errors import CalendarInvalid, CalendarMoved

ZONE = ZoneInfo("Europe/Copenhagen")
NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
OFFICE = {"name": "Office", "weekly": {"mon-fri": ["09:00-17:00"]}}


def put(db, entry, *, calendar_id=None, revision=None, said="changed"):
    with db.connection_context(), db.atomic():
        return calendar_store.change_calendar(
            calendars.parse_one(entry, zone=ZONE),
            calendar_id=calendar_id,
            revision=revision,
            author="admin",
            at=NOW,
            said=said,
        )


def undo(db, change):
    with db.connection_context(), db.atomic():
        return calendar_store.undo(change.id, author="admin", at=NOW, zone=ZONE)


def only(db):
    (found,) = calendar_store.stored_calendars(db, zone="UTC")
    return found


def test_everything_of_a_calendar_comes_back(db):
    entry = OFFICE | {
        "public_holidays": {"country": "DE", "subdivision": "BY", "years": [2026], "days": {"2026-01-06": "Epiphany"}},
        "days": [
            {"name": "Eve", "every": "12-24", "closed": ["12:00-24:00"]},
            {"name": "Turn", "every": "12-27", "until": "01-02", "prompt": "closed_turn"},
            {"name": "Summer", "on": "2026-07-13", "until": "2026-07-31"},
            {"name": "Stock", "every": "last fri nov", "shift": 1, "hours": ["10:00-12:00", "22:00-02:00"]},
            {"name": "Open", "on": "2026-05-14", "as_usual": True},
        ],
        "prompts": {"closed": "ours", "lunch": "our_lunch"},
    }
    wanted = calendars.parse_one(entry, zone=ZONE)
    assert calendars.parse_one(calendars.render(wanted), zone=ZoneInfo("UTC")) == wanted
    put(db, entry)
    assert only(db).calendar == wanted


def test_who_saw_an_older_one_does_not_overwrite_the_newer(db):
    office = put(db, OFFICE)
    seen = only(db).revision
    put(db, OFFICE | {"weekly": {}}, calendar_id=office, revision=seen)
    with pytest.raises(CalendarMoved, match="somebody else"):
        put(db, OFFICE, calendar_id=office, revision=seen)
    assert only(db).calendar.openings == ()
    with pytest.raises(CalendarInvalid, match="already"):
        put(db, OFFICE)


def test_the_last_change_is_taken_back_and_that_too(db):
    office = put(db, OFFICE, said="made")
    put(db, OFFICE | {"weekly": {"sat": ["10:00-12:00"]}}, calendar_id=office, said="Saturdays")
    saturdays, made = calendar_store.changes(office)
    with pytest.raises(CalendarMoved, match="not the last"):
        undo(db, made)
    assert undo(db, saturdays).said == "Saturdays"
    assert len(only(db).calendar.openings) == 5
    undo(db, calendar_store.changes(office)[0])
    assert len(only(db).calendar.openings) == 1


def test_a_deleted_calendar_comes_back_with_its_past(db):
    office = put(db, OFFICE)
    with db.connection_context(), db.atomic():
        calendar_store.delete_calendar(office, author="admin", at=NOW, said="deleted")
    assert calendar_store.stored_calendars(db, zone="UTC") == []
    undo(db, calendar_store.changes(office)[0])
    assert only(db).calendar.name == "Office"
    assert len(calendar_store.changes(only(db).id)) == 3


def test_closed_by_hand_ends_by_itself_or_by_hand(db):
    office = put(db, OFFICE)

    def close(minutes):
        with db.connection_context(), db.atomic():
            calendar_store.close_by_hand(
                [office], until=NOW + timedelta(minutes=minutes), reason="Flood", prompt="", author="admin", at=NOW
            )

    close(60)
    close(30)
    (standing,) = calendar_store.closed_by_hand(db, NOW + timedelta(minutes=29))
    assert (standing.name, standing.emergency.reason, standing.emergency.by) == ("Office", "Flood", "admin")
    assert calendar_store.closed_by_hand(db, NOW + timedelta(minutes=30)) == []
    assert len(only(db).calendar.emergencies) == 1
    with db.connection_context(), db.atomic():
        assert calendar_store.open_by_hand([standing.id], author="admin", at=NOW) == 1
    assert only(db).calendar.emergencies == ()


def test_a_calendar_that_cannot_be_read_takes_no_other_out_of_use(db):
    put(db, OFFICE)
    db.execute_sql("""INSERT INTO calendar (name, timezone, document) VALUES ('Odd', 'UTC', '{"weekly": 5}')""")
    assert [found.calendar.name for found in calendar_store.stored_calendars(db, zone="UTC")] == ["Office"]
