"""Opening hours: what a caller finds at any instant, daylight saving and night shifts included."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialplan import hours
from dialplan.errors import CalendarInvalid
from dialplan.hours import Calendar, Closed, Open, Opening

COPENHAGEN = ZoneInfo("Europe/Copenhagen")
OFFICE = Calendar(
    "Office",
    COPENHAGEN,
    tuple(Opening(day, *minutes) for day in range(5) for minutes in ((540, 720), (750, 1020))),
    {date(2026, 12, 25): "Christmas Day"},
)


def local(text: str, zone: ZoneInfo = COPENHAGEN, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold)


def closed(calendar: Calendar, at: datetime) -> Closed:
    found = hours.status(calendar, at)
    assert isinstance(found, Closed)
    return found


@pytest.mark.parametrize("at", ["2026-11-23T09:00", "2026-11-23T11:59:59", "2026-11-23T12:30", "2026-11-27T16:59"])
def test_open_within_hours(at):
    assert isinstance(hours.status(OFFICE, local(at)), Open)


@pytest.mark.parametrize(
    ("at", "reason", "opens"),
    [
        ("2026-11-23T08:59:59", "hours", "2026-11-23T09:00"),
        ("2026-11-23T12:00", "lunch", "2026-11-23T12:30"),
        ("2026-11-23T12:29:59", "lunch", "2026-11-23T12:30"),
        ("2026-11-23T17:00", "hours", "2026-11-24T09:00"),
        ("2026-11-27T17:00", "hours", "2026-11-30T09:00"),
        ("2026-12-24T20:00", "hours", "2026-12-28T09:00"),
        ("2026-12-25T03:00", "holiday", "2026-12-28T09:00"),
        ("2026-12-25T12:15", "holiday", "2026-12-28T09:00"),
    ],
)
def test_closed_tells_why_and_until_when(at, reason, opens):
    found = closed(OFFICE, local(at))
    assert (found.reason, found.opens_at) == (reason, local(opens))
    assert found.name == ("Christmas Day" if reason == "holiday" else "")


def test_the_zone_is_the_calendars_not_the_callers():
    assert isinstance(hours.status(OFFICE, datetime(2026, 7, 1, 7, 30, tzinfo=UTC)), Open)
    assert isinstance(hours.status(OFFICE, datetime(2026, 12, 1, 7, 30, tzinfo=UTC)), Closed)
    assert isinstance(hours.status(OFFICE, datetime(2026, 7, 1, 17, 0, tzinfo=ZoneInfo("Asia/Tokyo"))), Open)


def test_a_long_gap_is_no_lunch():
    split = Calendar("Split", COPENHAGEN, (Opening(0, 540, 720), Opening(0, 1020, 1200)))
    assert closed(split, local("2026-11-23T13:00")).reason == "hours"


def test_a_night_shift_runs_past_midnight_and_into_a_holiday():
    night = Calendar("Night", COPENHAGEN, (Opening(3, 1320, 1440 + 360),), {date(2026, 12, 25): "Christmas Day"})
    assert isinstance(hours.status(night, local("2026-12-24T23:59")), Open)
    assert isinstance(hours.status(night, local("2026-12-25T05:59")), Open)
    assert closed(night, local("2026-12-25T06:00")).reason == "holiday"


def test_a_shift_that_begins_on_a_holiday_does_not_happen():
    night = Calendar("Night", COPENHAGEN, (Opening(4, 1320, 1440 + 360),), {date(2026, 12, 25): "Christmas Day"})
    assert isinstance(hours.status(night, local("2026-12-26T01:00")), Closed)
    assert isinstance(hours.status(night, local("2026-12-19T01:00")), Open)


def test_the_skipped_hour_does_not_happen():
    # On 29 March 2026 the clock goes from 02:00 to 03:00.
    early = Calendar("Early", COPENHAGEN, (Opening(6, 135, 165), Opening(6, 150, 300)))
    before = datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC)
    assert isinstance(hours.status(early, before), Closed)
    assert closed(early, before).opens_at == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    only_skipped = Calendar("Skipped", COPENHAGEN, (Opening(6, 135, 165),))
    assert closed(only_skipped, before).opens_at == local("2026-04-05T02:15")


def test_the_repeated_hour_counts_twice():
    # On 25 October 2026 the clock goes from 03:00 back to 02:00.
    early = Calendar("Early", COPENHAGEN, (Opening(6, 60, 150),))
    for fold in (0, 1):
        assert isinstance(hours.status(early, local("2026-10-25T02:10", fold=fold)), Open)
        assert isinstance(hours.status(early, local("2026-10-25T02:40", fold=fold)), Closed)
    between = closed(early, local("2026-10-25T02:40"))
    assert between.opens_at == local("2026-10-25T02:00", fold=1)


def test_never_open():
    assert closed(Calendar("None", COPENHAGEN, ()), local("2026-11-23T09:00")).opens_at is None


@pytest.mark.parametrize("fields", [(7, 0, 10), (0, 10, 10), (0, 1440, 1500), (0, 0, 2881), (0, -1, 5)])
def test_impossible_openings_are_refused(fields):
    with pytest.raises(CalendarInvalid):
        Opening(*fields)


def test_a_week_as_it_is_spoken():
    always = Calendar("Always", COPENHAGEN, tuple(Opening(day, 0, 1440) for day in range(7)))
    assert hours.week(always) == {day: [(time(0), time(0))] for day in range(7)}
    assert hours.week(OFFICE)[0] == [(time(9), time(12)), (time(12, 30), time(17))]
    assert 5 not in hours.week(OFFICE)


zones = st.sampled_from(
    [
        "Europe/Copenhagen",
        "America/New_York",
        "Australia/Lord_Howe",
        "Asia/Kolkata",
        "America/Sao_Paulo",
        "UTC",
        "Pacific/Apia",
    ]
).map(ZoneInfo)
opening_fields = st.tuples(st.integers(0, 6), st.integers(0, 1439), st.integers(1, 1500)).map(
    lambda fields: Opening(fields[0], fields[1], min(2880, fields[1] + fields[2]))
)
instants = st.datetimes(datetime(2011, 1, 1), datetime(2030, 12, 31)).map(lambda naive: naive.replace(tzinfo=UTC))


@st.composite
def calendars(draw, around: datetime):
    days = draw(st.lists(st.integers(-3, 10), max_size=4))
    return Calendar(
        "Any",
        draw(zones),
        tuple(draw(st.lists(opening_fields, max_size=6))),
        {(around + timedelta(days=day)).date(): f"Day {day}" for day in days},
    )


def walls_says_open(calendar: Calendar, at: datetime) -> bool:
    """The same rule in other words: minutes since the midnight of each of the last three days."""
    wall = at.astimezone(calendar.zone).replace(tzinfo=None)
    for back in range(3):
        day = wall.date() - timedelta(days=back)
        minutes = (wall - datetime.combine(day, time())) / timedelta(minutes=1)
        for opening in calendar.openings:
            if (
                opening.weekday == day.weekday()
                and day not in calendar.holidays
                and opening.opens <= minutes < opening.closes
            ):
                return True
    return False


@settings(max_examples=200, deadline=None)
@given(st.data(), instants)
def test_status_follows_the_clock_on_the_wall(data, at):
    calendar = data.draw(calendars(at))
    assert isinstance(hours.status(calendar, at), Open) == walls_says_open(calendar, at)


@settings(max_examples=120, deadline=None)
@given(st.data(), instants)
def test_the_next_opening_is_open_and_the_first(data, at):
    calendar = data.draw(calendars(at))
    found = hours.next_opening(calendar, at)
    if found is None:
        # Holidays close a fortnight at most here, so only a calendar without hours, or one whose only hours a change of the
        # clock skips or outlasts, can stay closed for a year; the wall agrees.
        assert not any(
            walls_says_open(calendar, at + timedelta(minutes=minute)) for minute in range(0, 60 * 24 * 21, 7)
        )
        return
    assert found >= at
    assert isinstance(hours.status(calendar, found), Open)
    if found > at:
        assert isinstance(hours.status(calendar, found - timedelta(seconds=1)), Closed)
    span = (found - at) / timedelta(minutes=1)
    for part in range(200):
        between = at + timedelta(minutes=span * part / 200)
        if between < found:
            assert isinstance(hours.status(calendar, between), Closed)
