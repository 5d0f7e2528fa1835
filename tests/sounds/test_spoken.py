"""What numbers, times and dates are put together from, and that each part has its audio."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sounds import languages, spoken
from sounds.catalogue import SHIPPED, Catalogue

CATALOGUE = Catalogue([SHIPPED])
AUDIBLE = frozenset(CATALOGUE.names("en"))

RANGES = [
    (0, 1, "Your waiting time will be less than one minute"),
    (0, 3, "Your waiting time will be less than three minutes"),
    (2, 4, "Your waiting time will be between two and four minutes"),
    (5, 5, "Your waiting time will be about five minutes"),
    (40, 60, "Your waiting time will be between forty minutes and one hour"),
    (60, 75, "Your waiting time will be between one hour and one hour and fifteen minutes"),
]
HOURS = st.lists(st.tuples(st.times(), st.times()), max_size=3)


def words(names: list[str]) -> str:
    return " ".join(CATALOGUE.find(name, "en").text for name in names if name != "pause")


@pytest.mark.parametrize("code", languages.codes())
def test_every_name_a_language_can_give_has_audio_in_it(code: str) -> None:
    assert languages.of(code).names() <= set(CATALOGUE.names(code))


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0, "zero"),
        (3, "three"),
        (20, "twenty"),
        (21, "twenty one"),
        (100, "one hundred"),
        (105, "one hundred and five"),
        (342, "three hundred and forty two"),
        (1000, "one thousand"),
        (2005, "two thousand and five"),
        (1200, "one thousand two hundred"),
        (70_019, "seventy thousand and nineteen"),
        (999_999, "nine hundred and ninety nine thousand nine hundred and ninety nine"),
        (1_000_000, "one million"),
        (5_000_001, "five million and one"),
        (-12, "minus twelve"),
    ],
)
def test_numbers(value: int, said: str) -> None:
    assert words(spoken.number(value, "en")) == said


@pytest.mark.parametrize(("least", "most", "said"), RANGES)
def test_expected_waits(least: int, most: int, said: str) -> None:
    assert words(spoken.wait_between(least, most, "en")) == said


@pytest.mark.parametrize(
    ("amount", "currency", "said"),
    [
        ("105", "DKK", "one hundred and five kroner"),
        ("1", "EUR", "one euro"),
        ("2.50", "EUR", "two euros and fifty cents"),
        ("0.01", "GBP", "one penny"),
        ("0.75", "USD", "seventy five cents"),
        ("-3.10", "GBP", "minus three pounds and ten pence"),
        ("0", "EUR", "zero euros"),
        ("-0.001", "EUR", "zero euros"),
        ("9.995", "DKK", "ten kroner"),
    ],
)
def test_money(amount: str, currency: str, said: str) -> None:
    assert words(spoken.money(Decimal(amount), currency, "en")) == said


@given(st.integers(-(10**12), 10**12))
def test_every_number_is_audible(value: int) -> None:
    names = spoken.number(value, "en")
    assert names
    assert set(names) <= AUDIBLE


@given(st.integers(0, 999_999))
def test_no_two_numbers_sound_alike(value: int) -> None:
    """Read back by someone who knows nothing of how it was put together."""
    total = group = 0
    for word in words(spoken.number(value, "en")).split():
        if word == "hundred":
            group *= 100
        elif word == "thousand":
            total, group = total + group * 1000, 0
        elif word != "and":
            group += NUMBERS[word]
    assert total + group == value


NUMBERS = {
    CATALOGUE.find(name, "en").text: int(name.removeprefix("number_"))
    for name in AUDIBLE
    if name.startswith("number_") and name != "number_oh"
}


@given(st.text())
def test_digits_are_audible_whatever_the_text(text: str) -> None:
    assert set(spoken.digits(text, "en")) <= AUDIBLE


def test_digits() -> None:
    assert words(spoken.digits("+45 32-10*#", "en")) == "plus four five three two one zero star hash"


def test_position() -> None:
    assert words(spoken.position(1, "en")) == "You are next in line."
    assert words(spoken.position(3, "en")) == "You are number three in line."


@given(st.integers(1, 10_000))
def test_every_position_is_audible(place: int) -> None:
    assert set(spoken.position(place, "en")) <= AUDIBLE


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        (time(9, 0), "nine A M"),
        (time(9, 5), "nine oh five A M"),
        (time(9, 30), "nine thirty A M"),
        (time(12, 0), "twelve noon"),
        (time(12, 30), "twelve thirty P M"),
        (time(17, 45), "five forty five P M"),
        (time(0, 0), "midnight"),
        (time(0, 1), "twelve oh one A M"),
    ],
)
def test_times(moment: time, said: str) -> None:
    assert words(spoken.time(moment, "en")) == said


@given(st.times())
def test_every_time_is_audible(moment: time) -> None:
    assert set(spoken.time(moment, "en")) <= AUDIBLE


def test_dates() -> None:
    day = date(2026, 12, 25)
    assert words(spoken.date(day, "en")) == "the twenty-fifth of December"
    assert words(spoken.date(day, "en", weekday=True)) == "Friday the twenty-fifth of December"
    assert words(spoken.date(day, "en", year=True)) == "the twenty-fifth of December twenty twenty six"
    assert words(spoken.date(date(2005, 1, 1), "en", year=True)) == "the first of January two thousand and five"
    assert words(spoken.date(date(1900, 1, 1), "en", year=True)) == "the first of January nineteen hundred"
    assert words(spoken.date(date(1905, 1, 1), "en", year=True)) == "the first of January nineteen oh five"


@given(st.dates(), st.booleans(), st.booleans())
def test_every_date_is_audible(day: date, weekday: bool, year: bool) -> None:
    assert set(spoken.date(day, "en", weekday=weekday, year=year)) <= AUDIBLE


@pytest.mark.parametrize(
    ("minutes", "said"),
    [
        (0, "less than a minute"),
        (1, "one minute"),
        (12, "twelve minutes"),
        (60, "one hour"),
        (61, "one hour and one minute"),
        (150, "two hours and thirty minutes"),
    ],
)
def test_durations(minutes: int, said: str) -> None:
    assert words(spoken.duration(minutes, "en")) == said
    assert words(spoken.wait(minutes, "en")) == f"Your waiting time will be about {said}"


OFFICE = [(time(9), time(12)), (time(12, 30), time(17))]
ALL_DAY = [(time(0), time(0))]
LONG = [(time(8), time(16))]
EVENING = [(time(18), time(0))]


def test_a_week_of_office_hours() -> None:
    assert words(spoken.week(dict.fromkeys(range(5), OFFICE), "en")) == (
        "We are open Monday to Friday from nine A M to twelve noon and from twelve thirty P M to five P M "
        "We are closed on Saturday and Sunday"
    )


def test_a_week_with_a_short_friday() -> None:
    week = {**dict.fromkeys(range(4), LONG), 4: [(time(8), time(14))], 5: ALL_DAY}
    assert words(spoken.week(week, "en")) == (
        "We are open Monday to Thursday from eight A M to four P M and Friday from eight A M to two P M "
        "and Saturday all day We are closed on Sunday"
    )


def test_weeks_that_are_all_the_same() -> None:
    assert (
        words(spoken.week(dict.fromkeys(range(7), ALL_DAY), "en"))
        == "We are open around the clock, every day of the week."
    )
    assert words(spoken.week({}, "en")) == "We have no fixed opening hours."
    assert words(spoken.week(dict.fromkeys(range(7), EVENING), "en")) == (
        "We are open every day from six P M to midnight"
    )


@given(st.dictionaries(st.integers(0, 6), HOURS))
def test_every_week_is_audible(openings: dict[int, list[tuple[time, time]]]) -> None:
    names = spoken.week(openings, "en")
    assert names
    assert set(names) <= AUDIBLE


def test_reopening() -> None:
    now = datetime(2026, 3, 6, 18, 0)
    assert words(spoken.reopening(datetime(2026, 3, 6, 19, 0), now, "en")) == "We will be open again today at seven P M"
    assert (
        words(spoken.reopening(datetime(2026, 3, 7, 9, 0), now, "en")) == "We will be open again tomorrow at nine A M"
    )
    assert (
        words(spoken.reopening(datetime(2026, 3, 9, 9, 0), now, "en")) == "We will be open again on Monday at nine A M"
    )
    assert words(spoken.reopening(datetime(2026, 3, 16, 9, 0), now, "en")) == (
        "We will be open again on Monday the sixteenth of March at nine A M"
    )


def test_reopening_counts_days_in_the_callers_zone() -> None:
    now = datetime(2026, 3, 6, 23, 30, tzinfo=ZoneInfo("Europe/Copenhagen"))
    opens = datetime(2026, 3, 7, 8, 0, tzinfo=UTC)
    assert words(spoken.reopening(opens, now, "en")) == "We will be open again tomorrow at nine A M"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Christmas Day", "Christmas Day."),
        ("New Year's Day", "New Year's Day."),
        ("New Year’s Eve", "New Year's Eve."),
        ("Whit Monday (observed)", "Whit Monday."),
        ("May Day", "Labour Day."),
        ("Second Day of Christmas", "the second day of Christmas."),
    ],
)
def test_holidays_by_name(name: str, said: str) -> None:
    assert words(spoken.holiday(name, "en")) == f"Thank you for calling. Our office is closed today, for {said}"


@given(st.text())
def test_every_holiday_is_audible(name: str) -> None:
    assert set(spoken.holiday(name, "en")) <= AUDIBLE


def test_holidays_of_the_library_are_known_by_name() -> None:
    import holidays

    for country in ("DK", "GB", "NO", "DE"):
        for name in holidays.country_holidays(country, years=2026, language="en_US").values():
            if name in ("Christmas Day", "Good Friday", "Easter Monday"):
                assert spoken.holiday(name, "en")[0] == "closed_for"


def test_a_language_without_a_module_is_spoken_as_english() -> None:
    assert spoken.number(21, "sv") == ["number_20", "number_1"]
    assert spoken.number(5, "en-GB") == ["number_5"]


def test_names_lists_nothing_that_is_never_said() -> None:
    english = languages.of("en")
    said: set[str] = set()
    for value in [*range(1100), -1, 1_000_000]:
        said |= set(english.number(value))
    for minute in range(1440):
        said |= set(english.time(time(minute // 60, minute % 60)))
        said |= set(english.duration(minute))
    for day in range(366):
        said |= set(english.date(date.fromordinal(date(2024, 1, 1).toordinal() + day), weekday=True))
    said |= {*english.digits("0123456789*#+"), *english.position(1), *english.position(2), *english.wait(1)}
    said |= {*english.wait_between(0, 1), *english.wait_between(2, 4)}
    for week in ({}, {0: OFFICE}, dict.fromkeys(range(7), ALL_DAY), dict.fromkeys(range(7), OFFICE), {0: ALL_DAY}):
        said |= set(english.week(week))
    now = datetime(2026, 3, 6, 18, 0)
    for opens in (now, datetime(2026, 3, 7, 9), datetime(2026, 3, 9, 9)):
        said |= set(english.reopening(opens, now))
    said |= {*english.holiday("unknown"), *(name for name in english.names() if name.startswith("holiday_"))}
    said |= set(english.holiday("Christmas Day"))
    for currency in languages.CURRENCIES:
        said |= {*english.money(Decimal("1.01"), currency), *english.money(Decimal("2.02"), currency)}
    assert said == english.names()
