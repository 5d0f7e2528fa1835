"""Calendars as people write them."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from dialplan import calendars, documents, public
from dialplan.errors import CalendarInvalid, DocumentInvalid
from dialplan.hours import Opening

ZONE = ZoneInfo("Europe/Copenhagen")
YEARS = range(2026, 2029)
DATES = [date(2026, 1, 1) + timedelta(days=day) for day in range(3 * 365 + 1)]


def one(weekly: str = "{}", holidays: str = "[]", more: str = ""):
    text = f"calendars: [{{name: Office, weekly: {weekly}, holidays: {holidays}{more}}}]"
    return calendars.parse(documents.read(text), zone=ZONE, years=YEARS)[0]


def test_hours_of_days_and_ranges():
    office = one('{mon-thu: ["09:00-12:00", "12:30-17:00"], fri: ["22:00-02:00"], sun: ["00:00-24:00"]}')
    assert office.of_weekday(3) == (Opening(3, 540, 720), Opening(3, 750, 1020))
    assert office.of_weekday(4) == (Opening(4, 1320, 1560),)
    assert office.of_weekday(5) == ()
    assert office.of_weekday(6) == (Opening(6, 0, 1440),)
    assert office.zone == ZONE


def test_holidays_of_a_country_of_a_day_and_of_every_year():
    office = one(holidays='[DK, "2026-06-05 Company picnic", "12-24 Christmas Eve", "02-29 Leap day"]')
    assert office.holidays[date(2026, 12, 25)] == "Christmas Day"
    assert office.holidays[date(2026, 4, 3)] == "Good Friday"
    named = {day: found.name for day in DATES if (found := office.special(day))}
    assert named[date(2026, 6, 5)] == "Company picnic"
    assert [named[date(year, 12, 24)] for year in YEARS] == ["Christmas Eve"] * 3
    assert named[date(2028, 2, 29)] == "Leap day"
    assert date(2027, 6, 5) not in named
    assert one(holidays="DE").holidays[date(2026, 10, 3)] == "German Unity Day"


def test_a_zone_of_its_own():
    assert one(more=", timezone: Asia/Tokyo").zone == ZoneInfo("Asia/Tokyo")
    assert one(more=", timezone: null").zone == ZONE


@pytest.mark.parametrize(
    ("parts", "named"),
    [
        ({"weekly": '{mun: ["09:00-12:00"]}'}, "mun"),
        ({"weekly": '{fri-mon: ["09:00-12:00"]}'}, "backwards"),
        ({"weekly": '{mon: ["9-12"]}'}, "9-12"),
        ({"weekly": '{mon: ["09:00-25:00"]}'}, "25:00"),
        ({"weekly": '{mon: ["09:00-24:30"]}'}, "24:00"),
        ({"weekly": '{mon: ["09:00-12:00", "09:00-12:00"]}'}, "twice"),
        ({"weekly": '{mon: ["09:00-12:00"], mon-fri: ["09:00-12:00"]}'}, "twice"),
        ({"weekly": '{mon: "09:00-12:00"}'}, "list"),
        ({"weekly": "[]"}, "weekly"),
        ({"holidays": "[XX]"}, "XX"),
        ({"holidays": "[2026-02-30 No day]"}, "2026-02-30"),
        ({"holidays": "[Christmas]"}, "Christmas"),
        ({"holidays": "{}"}, "list"),
        ({"more": ", timezone: Mars/Base"}, "Mars/Base"),
        ({"more": ", hollidays: []"}, "hollidays"),
    ],
)
def test_faults_are_named_with_their_calendar(parts, named):
    with pytest.raises(CalendarInvalid, match=f"'Office'.*{named}"):
        one(**parts)


@pytest.mark.parametrize(
    "text", ["", "calendars: 5", "calendars: [5]", "calendars: [{}]", "calendars: [{name: A}, {name: A}]"]
)
def test_what_is_no_document(text):
    with pytest.raises(CalendarInvalid):
        calendars.parse(documents.read(text), zone=ZONE, years=YEARS)


def test_yaml_without_its_surprises():
    read = documents.read(
        "{a: 12:30, b: 010, c: no, d: 2026-12-24, e: 5, f: true, g: 2.5, h: null, i: -3, 9: x, '010': y, j: 0x1F}"
    )
    assert read == {
        "a": "12:30", "b": "010", "c": "no", "d": "2026-12-24", "e": 5, "f": True, "g": 2.5, "h": None, "i": -3, 9: "x",
        "010": "y", "j": "0x1F",
    }  # fmt: skip
    assert documents.read(documents.write(read)) == read


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("a: 1\na: 2", "twice"),
        ("9: 1\n'9': 2", "twice"),
        ("a: &x [1]\nb: *x", "reference"),
        ("[" * 5000, "."),
        ("a: [1", "line"),
        ("!!python/object:os.system x", "python"),
        ("{[1]: 2}", "key"),
        ("x" * 4_000_001, "characters"),
    ],
)
def test_yaml_that_is_refused(text, named):
    with pytest.raises(DocumentInvalid, match=named):
        documents.read(text)


@pytest.mark.parametrize(
    ("days", "named"),
    [
        ("[{on: 2026-12-24}]", "no `name`"),
        ("[{name: Eve}]", "`on` a date"),
        ("[{name: Eve, on: 2026-12-24, every: 12-24}]", "`on` a date"),
        ("[{name: Eve, on: 2026-13-24}]", "2026-13-24"),
        ("[{name: Eve, on: 2026-12-24, until: 2026-12-23}]", "backwards"),
        ("[{name: Eve, every: 12-32}]", "12-32"),
        ("[{name: Eve, every: last day nov}]", "last day nov"),
        ("[{name: Eve, every: last fri nov, shift: far}]", "shift"),
        ('[{name: Eve, every: 12-24, closed: ["12:00-24:00"], as_usual: true}]', "one of"),
        ("[{name: Eve, every: 12-24, hours: []}]", "hours belong"),
        ('[{name: Eve, every: 12-24, hours: ["09:00-12:00", "11:00-13:00"]}]', "overlap"),
        ("[{name: Eve, every: 12-24, prompt: Not A Name}]", "prompt"),
        ("[{name: Eve, every: 12-24}, {name: Other, every: 12-24}]", "twice: 'Eve' and 'Other'"),
        ("[{name: Eve, every: 12-24, hollow: 1}]", "hollow"),
        ("5", "list"),
        ('[{name: "a\\0b", on: 2026-12-24}]', "one line"),
    ],
)
def test_faults_of_days_are_named(days, named):
    with pytest.raises(CalendarInvalid, match=named):
        one(more=f", days: {days}")


@pytest.mark.parametrize(
    ("weekly", "named"),
    [
        ('{mon: ["09:00-12:00", "11:00-13:00"]}', "mon 09:00-12:00 and mon 11:00-13:00 overlap"),
        ('{mon: ["22:00-02:00"], tue: ["01:00-03:00"]}', "mon 22:00-02:00 and tue 01:00-03:00 overlap"),
        ('{sun: ["22:00-02:00"], mon: ["01:00-03:00"]}', "sun 22:00-02:00 and mon 01:00-03:00 overlap"),
    ],
)
def test_hours_that_overlap_are_named(weekly, named):
    with pytest.raises(CalendarInvalid, match=named):
        one(weekly)


def test_public_holidays_by_region():
    assert public.subdivisions("DE")["BY"] == "Bayern"
    assert public.subdivisions("DK") == {}
    assert public.countries()["GB"] == "United Kingdom"
    assert date(2026, 6, 4) in public.holidays_of("DE", [2026], "BY")
    assert date(2026, 6, 4) not in public.holidays_of("DE", [2026], "BE")
    for region in ("NSW Western", "NSW"):
        text = f"{{country: AU, subdivision: {region}, years: [2026]}}"
        assert one(more=f", public_holidays: {text}").public.subdivision == region
    for country, subdivision, year in (("DE", "XX", 2026), ("XX", "", 2026), ("DE", "", 1)):
        with pytest.raises(CalendarInvalid):
            public.holidays_of(country, [year], subdivision)


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ("{country: Denmark}", "country and region"),
        ("{country: DE, subdivision: B-Y}", "country and region"),
        ("{country: DE, years: [soon]}", "numbers"),
        ("{country: DE, days: {2026-13-01: X}}", "2026-13-01"),
        ("{country: DE, days: {2026-01-01: ''}}", "no name"),
        ("{land: DE}", "land"),
        ("DE", "has `country`"),
    ],
)
def test_faults_of_public_holidays_are_named(value, named):
    with pytest.raises(CalendarInvalid, match=named):
        one(more=f", public_holidays: {value}")
