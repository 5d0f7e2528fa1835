"""Calendars and numbers in Postgres."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest

from dialplan import destinations, store
from dialplan.destinations import ByHours, ToFlow, ToQueue
from dialplan.errors import CalendarInvalid, DestinationInvalid
from dialplan.hours import Opening

ZONE = ZoneInfo("Europe/Copenhagen")
OFFICE = {
    "calendars": [{"name": "Office", "weekly": {"mon-fri": ["09:00-17:00"]}, "holidays": ["2026-12-24 Christmas Eve"]}]
}


def load(db):
    return store.load(db, zone="Europe/Copenhagen", country="DK")


def test_what_is_stored_is_loaded(db):
    assert store.import_calendars(db, OFFICE, zone=ZONE, years=[2026]) == ["Office"]
    rule = ByHours("Office", ToFlow("main"), ToQueue("night"))
    assert store.save_number(db, "70 10 10 10", "Sales", rule, country="DK") == "+4570101010"
    db.execute_sql("INSERT INTO agent (name, extension) VALUES ('Anna Holm', '1001')")
    plan = load(db)
    assert plan.numbers["+4570101010"].destination == rule
    assert plan.numbers["+4570101010"].name == "Sales"
    assert plan.calendars["Office"].openings == tuple(Opening(day, 540, 1020) for day in range(5))
    christmas = plan.calendars["Office"].special(date(2026, 12, 24))
    assert (christmas.name, christmas.effect) == ("Christmas Eve", "closed")
    assert plan.calendars["Office"].zone == ZONE
    assert plan.extensions == {"1001"}


def test_a_second_import_replaces_the_first(db):
    store.import_calendars(db, OFFICE, zone=ZONE, years=[2026])
    changed = {"calendars": [{"name": "Office", "timezone": "UTC", "weekly": {"sat": ["10:00-12:00"]}}]}
    store.import_calendars(db, changed, zone=ZONE, years=[2026])
    store.save_number(db, "5000", "Main", ToFlow("main"), country="DK")
    store.save_number(db, "5000", "Main line", ToFlow("office"), country="DK")
    plan = load(db)
    assert plan.calendars["Office"].openings == (Opening(5, 600, 720),)
    assert plan.calendars["Office"].special(date(2026, 12, 24)) is None
    assert plan.calendars["Office"].zone == ZoneInfo("UTC")
    assert (plan.numbers["5000"].name, plan.numbers["5000"].destination) == ("Main line", ToFlow("office"))


def test_a_document_with_a_fault_changes_nothing(db):
    with pytest.raises(CalendarInvalid):
        store.import_calendars(
            db, {"calendars": [*OFFICE["calendars"], {"name": "Bad", "weekly": []}]}, zone=ZONE, years=[2026]
        )
    assert load(db).calendars == {}


def test_one_bad_row_takes_no_other_off_the_line(db):
    store.save_number(db, "5000", "Main line", ToFlow("main"), country="DK")
    db.execute_sql("""INSERT INTO number (number, destination) VALUES ('5001', '{"to": "moon"}')""")
    db.execute_sql("INSERT INTO calendar (name, timezone) VALUES ('Odd', 'Mars/Base')")
    plan = load(db)
    assert set(plan.numbers) == {"5000"}
    assert plan.calendars["Odd"].zone == ZONE


def test_garbage_is_no_number_to_be_called(db):
    with pytest.raises(DestinationInvalid):
        store.save_number(db, "five thousand", "", ToFlow("main"), country="DK")


def test_destinations_are_kept_as_documented(db):
    store.save_number(db, "5000", "", destinations.decode({"to": "voicemail", "box": "sales"}), country="DK")
    stored = db.execute_sql("SELECT destination FROM number").fetchone()[0]
    assert stored == {"to": "voicemail", "box": "sales"}
