"""Days that differ from the week: what counts where rules meet, and what a caller is told."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialplan import hours
from dialplan.days import Day, Emergency, NthWeekday, On, Yearly, overlapping, without
from dialplan.errors import CalendarInvalid
from dialplan.hours import Calendar, Closed, Open, Opening

COPENHAGEN = ZoneInfo("Europe/Copenhagen")
WEEK = tuple(Opening(day, *minutes) for day in range(5) for minutes in ((540, 720), (750, 1020)))
NOON, MIDNIGHT = 720, 1440


def office(*days: Day, holidays: dict[date, str] | None = None, emergencies: tuple[Emergency, ...] = ()) -> Calendar:
    return Calendar("Office", COPENHAGEN, WEEK, holidays or {}, days, emergencies)


def on(*parts: int) -> On:
    return On(date(*parts), date(*parts))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=COPENHAGEN)


def said(calendar: Calendar, when: str) -> tuple[str, str]:
    found = hours.status(calendar, at(when))
    return ("open", "") if isinstance(found, Open) else (found.reason, found.name)


def test_a_day_that_closes_early_bears_its_name_from_then_on():
    eve = office(Day("Christmas Eve", Yearly((12, 24), (12, 24)), "part", ((NOON, MIDNIGHT),)))
    assert said(eve, "2026-12-24T08:00") == ("hours", "")
    assert said(eve, "2026-12-24T11:59") == ("open", "")
    assert said(eve, "2026-12-24T12:00") == ("holiday", "Christmas Eve")
    assert said(eve, "2026-12-24T20:00") == ("holiday", "Christmas Eve")
    assert hours.status(eve, at("2026-12-24T12:00")).opens_at == at("2026-12-25T09:00")
    # In 2028 it is a Sunday: closing a part opens nothing.
    assert said(eve, "2028-12-24T10:00") == ("hours", "")
    assert said(eve, "2028-12-24T12:00") == ("holiday", "Christmas Eve")


def test_hours_of_its_own_replace_the_week():
    stock = office(Day("Stocktaking", on(2026, 11, 27), "hours", ((780, 840), (870, 960))))
    assert said(stock, "2026-11-27T08:00") == ("hours", "")
    assert said(stock, "2026-11-27T10:00") == ("holiday", "Stocktaking")
    assert said(stock, "2026-11-27T13:00") == ("open", "")
    assert said(stock, "2026-11-27T14:15") == ("lunch", "")
    assert said(stock, "2026-11-27T16:30") == ("holiday", "Stocktaking")
    assert said(stock, "2026-11-27T18:00") == ("hours", "")
    extra = office(Day("Late Saturday", on(2026, 11, 28), "hours", ((600, 840),)))
    assert said(extra, "2026-11-28T11:00") == ("open", "")
    assert said(extra, "2026-11-28T15:00") == ("hours", "")


def test_open_on_a_holiday():
    holidays = {date(2026, 5, 14): "Ascension Day", date(2026, 5, 25): "Whit Monday"}
    open_then = office(Day("We work", on(2026, 5, 14), "usual"), holidays=holidays)
    assert said(open_then, "2026-05-14T10:00") == ("open", "")
    assert said(open_then, "2026-05-14T12:10") == ("lunch", "")
    assert said(open_then, "2026-05-25T10:00") == ("holiday", "Whit Monday")


def test_the_order_of_rules():
    day = date(2026, 12, 25)
    rules = [
        Day("single", on(2026, 12, 25)),
        Day("period", On(date(2026, 12, 20), date(2026, 12, 31))),
        Day("every year", Yearly((12, 25), (12, 25))),
        Day("days of every year", Yearly((12, 20), (1, 2))),
        Day("last Friday", NthWeekday(-1, 4, 12)),
    ]
    closed = Emergency(at("2026-12-25T00:00"), at("2026-12-26T00:00"), "Flood")
    everything = office(*reversed(rules), holidays={day: "public"}, emergencies=(closed,))
    assert said(everything, "2026-12-25T10:00") == ("emergency", "Flood")
    for index, rule in enumerate(rules):
        left = office(*reversed(rules[index:]), holidays={day: "public"})
        assert said(left, "2026-12-25T10:00") == ("holiday", rule.name)
    assert said(office(holidays={day: "public"}), "2026-12-25T10:00") == ("holiday", "public")


@pytest.mark.parametrize(
    ("when", "days"),
    [
        (NthWeekday(-1, 4, 11), ["11-27"]),
        (NthWeekday(4, 3, 11, 1), ["11-27"]),
        (NthWeekday(1, 0, 5), ["05-04"]),
        (NthWeekday(1, 0, 1, -7), ["12-28"]),
        (NthWeekday(5, 5, 0), ["01-31", "05-30", "08-29", "10-31"]),
        (Yearly((2, 29), (2, 29)), []),
        (Yearly((12, 30), (1, 2)), ["01-01", "01-02", "12-30", "12-31"]),
        (On(date(2025, 12, 31), date(2026, 1, 1)), ["01-01"]),
    ],
)
def test_which_days_of_2026_a_rule_means(when, days):
    every = (date(2026, 1, 1) + timedelta(days=n) for n in range(365))
    assert [f"{day:%m-%d}" for day in every if when.covers(day)] == days


def test_closed_by_hand_until_an_hour():
    flood = Emergency(at("2026-11-23T10:00"), at("2026-11-23T16:30"), "Water in the cellar", "closed_flood", "admin")
    calendar = office(emergencies=(flood,))
    assert said(calendar, "2026-11-23T09:59") == ("open", "")
    found = hours.status(calendar, at("2026-11-23T10:00"))
    assert (found.reason, found.name, found.prompt) == ("emergency", "Water in the cellar", "closed_flood")
    assert found.opens_at == at("2026-11-23T16:30")
    assert said(calendar, "2026-11-23T16:30") == ("open", "")
    overnight = office(emergencies=(Emergency(at("2026-11-23T10:00"), at("2026-11-23T20:00"), "Flood"),))
    assert hours.status(overnight, at("2026-11-23T10:00")).opens_at == at("2026-11-24T09:00")


def test_what_callers_hear_instead():
    calendar = Calendar(
        "Office", COPENHAGEN, WEEK, {date(2026, 12, 25): "Christmas Day"},
        (Day("Stocktaking", on(2026, 11, 27), prompt="closed_stocktaking"),),
        prompts={"lunch": "our_lunch", "holiday": "feast"},
    )  # fmt: skip
    heard = [
        hours.status(calendar, at(when)).prompt for when in ("2026-11-27T10:00", "2026-12-25T10:00", "2026-11-26T12:10")
    ]
    assert heard == ["closed_stocktaking", "feast", "our_lunch"]


def test_a_night_shift_goes_with_the_day_it_begins_on():
    night = (Opening(3, 1320, 1800),)
    closing = Calendar("Night", COPENHAGEN, night, {}, (Day("Eve", on(2026, 12, 24), "part", ((NOON, MIDNIGHT),)),))
    assert said(closing, "2026-12-24T23:00") == ("holiday", "Eve")
    assert said(closing, "2026-12-25T01:00") == ("hours", "")
    pause = Calendar("Night", COPENHAGEN, night, {}, (Day("Test", on(2026, 12, 24), "part", ((1380, 1500),)),))
    assert said(pause, "2026-12-24T22:30") == ("open", "")
    assert said(pause, "2026-12-25T00:30") == ("hours", "")
    assert hours.status(pause, at("2026-12-25T00:30")).opens_at == at("2026-12-25T01:00")


def test_rules_that_can_never_both_count_are_found():
    summer, week = (
        Day("Summer", On(date(2026, 7, 13), date(2026, 7, 31))),
        Day("Week", On(date(2026, 7, 31), date(2026, 8, 2))),
    )
    assert overlapping([summer, week]) == [(summer, week)]
    assert overlapping([summer, Day("One day", on(2026, 7, 14))]) == []
    new_year = Day("Turn", Yearly((12, 27), (1, 3)))
    assert overlapping([new_year, Day("Days", Yearly((1, 1), (1, 2)))])
    assert overlapping([new_year, Day("Day", Yearly((1, 1), (1, 1)))]) == []


@pytest.mark.parametrize(
    "make",
    [
        lambda: On(date(2026, 1, 2), date(2026, 1, 1)),
        lambda: On(date(2026, 1, 1), date(2027, 1, 2)),
        lambda: Yearly((2, 30), (2, 30)),
        lambda: Yearly((13, 1), (13, 1)),
        lambda: NthWeekday(6, 0, 1),
        lambda: NthWeekday(1, 0, 1, 32),
        lambda: Day(" ", on(2026, 1, 1)),
        lambda: Day("x", on(2026, 1, 1), "hours"),
        lambda: Day("x", on(2026, 1, 1), "closed", ((0, 60),)),
        lambda: Day("x", on(2026, 1, 1), "hours", ((0, 60), (30, 90))),
        lambda: Emergency(at("2026-01-01T10:00"), at("2026-01-01T10:00"), "x"),
    ],
)
def test_impossible_days_are_refused(make):
    with pytest.raises(CalendarInvalid):
        make()


def test_no_day_is_too_early_or_too_late_to_be_asked():
    rule = office(Day("Shifted", NthWeekday(1, 0, 1, 31)))
    assert rule.special(date(1, 1, 1)) is None
    assert rule.special(date(9999, 12, 31)) is None


# --- against a reference that knows minutes only ---

zones = st.sampled_from(
    ["Europe/Copenhagen", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Africa/Casablanca", "UTC"]
).map(ZoneInfo)
# Around changes of the clock in each of those zones, and at any other time.
instants = st.one_of(
    st.sampled_from([datetime(2026, 3, 8), datetime(2026, 3, 29), datetime(2026, 4, 5), datetime(2026, 10, 25)]),
    st.datetimes(datetime(2024, 1, 1), datetime(2029, 12, 31)),
).flatmap(
    lambda day: st.integers(-2000, 2000).map(lambda n: (day + timedelta(minutes=n)).replace(tzinfo=UTC, microsecond=0))
)
spans = st.tuples(st.integers(0, 1439), st.integers(1, 1440)).map(lambda two: (two[0], min(2880, two[0] + two[1])))


@st.composite
def one_day(draw, around: date):
    first = around + timedelta(days=draw(st.integers(-3, 3)))
    last = first + timedelta(days=draw(st.integers(0, 2)))
    when = draw(
        st.sampled_from(
            [
                On(first, first),
                On(first, last),
                Yearly((first.month, first.day), (first.month, first.day)),
                Yearly((first.month, first.day), (last.month, last.day)),
                NthWeekday((first.day - 1) // 7 + 1, first.weekday(), draw(st.sampled_from([0, first.month]))),
                NthWeekday(-1, first.weekday(), 0, draw(st.integers(-2, 2))),
            ]
        )
    )
    effect = draw(st.sampled_from(["closed", "part", "hours", "usual"]))
    own = (draw(spans),) if effect in ("part", "hours") else ()
    return Day(draw(st.sampled_from("ABCDE")), when, effect, own)


@st.composite
def calendars(draw, around: datetime):
    day = around.date()
    openings = draw(
        st.lists(st.builds(lambda weekday, span: Opening(weekday, *span), st.integers(0, 6), spans), max_size=6)
    )
    days = draw(st.lists(one_day(day), max_size=4))
    public = {day + timedelta(days=n): "Public" for n in draw(st.sets(st.integers(-2, 2), max_size=2))}
    closed = draw(st.lists(st.tuples(st.integers(-300, 300), st.integers(1, 600)), max_size=2))
    emergencies = tuple(
        Emergency(around + timedelta(minutes=start), around + timedelta(minutes=start + length), "By hand")
        for start, length in closed
    )
    return Calendar("Any", draw(zones), tuple(openings), public, tuple(days), emergencies)


def reference(calendar: Calendar, at: datetime) -> bool:
    """Whether it is open, minute by minute: each minute of each opening that begins on one of the last three days."""
    if any(each.since <= at < each.until for each in calendar.emergencies):
        return False
    wall = at.astimezone(calendar.zone).replace(tzinfo=None)
    for back in range(3):
        day = wall.date() - timedelta(days=back)
        minute = (wall - datetime.combine(day, time())) // timedelta(minutes=1)
        week = any(each.weekday == day.weekday() and each.opens <= minute < each.closes for each in calendar.openings)
        kind = None
        for rank in range(5):
            fits = [each for each in calendar.days if each.when.rank == rank and each.when.covers(day)]
            if fits:
                kind = fits[0]
                break
        if kind is None and day in calendar.holidays:
            continue
        if kind is None or kind.effect == "usual":
            is_open = week
        elif kind.effect == "part":
            is_open = week and not any(a <= minute and (minute < b or b == MIDNIGHT) for a, b in kind.spans)
        else:
            is_open = any(a <= minute < b for a, b in kind.spans)
        if is_open:
            return True
    return False


@settings(max_examples=300, deadline=None)
@given(st.data(), instants)
def test_status_agrees_with_the_reference_for_two_hours_around(data, around):
    calendar = data.draw(calendars(around))
    for minute in range(-60, 60, 7):
        moment = around + timedelta(minutes=minute)
        assert isinstance(hours.status(calendar, moment), Open) == reference(calendar, moment)


@settings(max_examples=40, deadline=None)
@given(st.data(), instants)
def test_the_next_opening_is_the_first_minute_that_the_reference_opens(data, around):
    calendar = data.draw(calendars(around))
    found = hours.next_opening(calendar, around)
    minutes = (around + timedelta(minutes=n) for n in range(60 * 48))
    first = next((moment for moment in minutes if reference(calendar, moment)), None)
    if first is None:
        assert found is None or found >= around + timedelta(days=2) - timedelta(minutes=1)
    else:
        assert found is not None
        assert timedelta() <= first - found < timedelta(minutes=1)


@settings(max_examples=200, deadline=None)
@given(st.lists(spans, max_size=4), st.lists(spans, max_size=4))
def test_taking_hours_away_leaves_the_rest(kept, closed):
    left = without(kept, closed)
    for minute in range(0, 2880, 13):
        inside = any(a <= minute < b for a, b in kept)
        away = any(a <= minute < (2880 if b == MIDNIGHT else b) for a, b in closed)
        assert any(a <= minute < b for a, b in left) == (inside and not away)


@settings(max_examples=100, deadline=None)
@given(st.data(), instants)
def test_why_it_is_closed_fits_what_is_closed(data, around):
    calendar = data.draw(calendars(around))
    found = hours.status(calendar, around)
    if isinstance(found, Closed):
        assert (found.reason in ("holiday", "emergency")) == bool(found.name)
        if found.reason == "emergency":
            assert any(each.since <= around < each.until for each in calendar.emergencies)
        if found.reason == "holiday":
            assert calendar.special(around.astimezone(calendar.zone).date()).name == found.name
