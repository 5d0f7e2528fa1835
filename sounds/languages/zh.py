"""Chinese (Mandarin): ten thousands and hundred millions, a nought for what is left out, two kinds of two, measure words, and
the larger before the smaller: year, month, day; part of the day, hour, minute."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal

from sounds.languages import Hours, _shared
from sounds.languages._shared import DAYS, LARGEST, QUEUE, SIGNS, Common

GROUPS = ((100_000_000, "hundred_million"), (10_000, "ten_thousand"), (1, ""))
HOLIDAYS = (
    "new_years_day", "spring_festival", "tomb_sweeping_day", "labour_day", "dragon_boat_festival",
    "mid_autumn_festival", "national_day", "christmas_day", "good_friday", "easter_sunday", "easter_monday",
    "second_day_of_christmas", "christmas_eve", "new_years_eve",
)  # fmt: skip
CURRENCIES = {
    "CNY": ("yuan", "fen"),
    "DKK": ("krone", "ore"),
    "EUR": ("euro", "euro_cent"),
    "GBP": ("pound", "penny"),
    "PLN": ("zloty", "grosz"),
    "USD": ("dollar", "cent"),
}
"""Each currency and its hundredth; yuan have tenths besides."""

PARTS_OF_DAY = ((6, "before_dawn"), (12, "morning"), (13, "noon"), (18, "afternoon"), (24, "evening"))
"""Each part with the hour it ends before."""


class Chinese(Common):
    """See `sounds.languages.Language` for what each method promises."""

    holidays = HOLIDAYS
    between = "to"

    def names(self) -> frozenset[str]:
        return frozenset(
            {
                *(f"number_{value}" for value in range(11)),
                *("number_2_liang", "number_1_yao"),
                *("hundred", "thousand", "ten_thousand", "hundred_million", "minus", *SIGNS.values()),
                *("and", "to", "from", *DAYS, "year", "day_of_month"),
                *(f"month_{month}" for month in range(1, 13)),
                *("every_day", "all_day", "today", "tomorrow", "pause"),
                *(name for _, name in PARTS_OF_DAY),
                *("oclock", "past_the_hour", "midnight", "minutes", "hours", "less_than_a_minute", "jiao"),
                *(name for names in CURRENCIES.values() for name in names),
                *(*QUEUE, "queue_in_line"),
                *("open_from", "will_open", "open_again", "open_always", "open_never", "closed_on"),
                *("closed_for", "closed_rest", "closed_holiday"),
                *(f"holiday_{name}" for name in HOLIDAYS),
            }
        )

    def number(self, value: int) -> list[str]:
        if value < 0:
            return ["minus", *self.number(-value)]
        if value > LARGEST:
            return [f"number_{sign}" for sign in str(value)]
        spoken: list[str] = []
        skipped = False
        for size, name in GROUPS:
            group, value = divmod(value, size)
            if not group:
                skipped = bool(spoken)
                continue
            if spoken and (skipped or group < 1000):
                spoken.append("number_0")
            spoken += _below_ten_thousand(group, first=not spoken, last=not name)
            if name:
                spoken.append(name)
            skipped = False
        return spoken or ["number_0"]

    def counted(self, value: int, *measure: str) -> list[str]:
        """A number of things, before their measure word: two of them are `liang`."""
        return [*(["number_2_liang"] if value == 2 else self.number(value)), *measure]

    def digits(self, text: str) -> list[str]:
        names = (f"number_{sign}" if sign.isdigit() else sign for sign in _shared.signs(text))
        return ["number_1_yao" if name == "number_1" else name for name in names]

    def ordinal(self, value: int) -> list[str]:
        return [*self.number(value), "day_of_month"] if 1 <= value <= 31 else self.number(value)

    def money(self, amount: Decimal, currency: str) -> list[str]:
        unit, hundredth = CURRENCIES[currency]
        negative, whole, rest = _shared.amount(amount)
        spoken = ["minus"] if negative else []
        if whole or not rest:
            spoken += self.counted(whole, unit)
        if rest and currency == "CNY":
            tenths, rest = divmod(rest, 10)
            if tenths:
                spoken += self.counted(tenths, "jiao")
            elif whole:
                spoken.append("number_0")
        if rest:
            # Two of the smallest part is 二分 behind a larger one.
            spoken += [*(self.number(rest) if spoken else self.counted(rest)), hundredth]
        return spoken

    def time(self, moment: time) -> list[str]:
        if (moment.hour, moment.minute) == (0, 0):
            return ["midnight"]
        part = next(name for end, name in PARTS_OF_DAY if moment.hour < end)
        hour = moment.hour if moment.hour < 13 else moment.hour - 12
        spoken = [part, *self.counted(hour, "oclock")]
        if 0 < moment.minute < 10:
            spoken.append("number_0")
        return [*spoken, *([*self.number(moment.minute), "past_the_hour"] if moment.minute else [])]

    def date(self, day: date, *, weekday: bool = False, year: bool = False) -> list[str]:
        spoken = self._year(day.year) if year else []
        spoken += [f"month_{day.month}", *self.ordinal(day.day)]
        return [*spoken, *self.weekday(day.weekday())] if weekday else spoken

    def duration(self, minutes: int) -> list[str]:
        if minutes < 1:
            return ["less_than_a_minute"]
        whole, rest = divmod(minutes, 60)
        spoken = self.counted(whole, "hours") if whole else []
        if rest:
            spoken += [*(["number_0"] if whole and rest < 10 else ()), *_minutes(self, rest, bool(whole))]
        return spoken

    def week(self, openings: Mapping[int, Hours]) -> list[str]:
        # What the office does stands at the end: Saturday and Sunday rest.
        return _shared.week(openings, _shared.days, self.hours, between=["pause"], closed_last=True)

    def reopening(self, opens: datetime, now: datetime) -> list[str]:
        opens, ahead = _shared.ahead(opens, now)
        if ahead <= 1:
            day = ["tomorrow" if ahead == 1 else "today"]
        elif ahead < 7:
            day = self.weekday(opens.weekday())
        else:
            day = self.date(opens.date(), weekday=True)
        return ["will_open", *day, *self.time(opens.time()), "open_again"]

    def holiday(self, name: str) -> list[str]:
        known = _shared.holiday(name, HOLIDAYS)
        return ["closed_for", f"holiday_{known}", "closed_rest"] if known else ["closed_holiday"]

    def _year(self, year: int) -> list[str]:
        return [*(f"number_{sign}" for sign in str(year)), "year"]

    def _of_minutes(self, value: int) -> list[str]:
        return self.counted(value)


def _minutes(language: Chinese, minutes: int, after_hours: bool) -> list[str]:
    return [*language.number(minutes), "minutes"] if after_hours else language.counted(minutes, "minutes")


def _below_ten_thousand(value: int, *, first: bool, last: bool) -> list[str]:
    """One group of four figures. `first`: no group stands before it; `last`: no larger unit follows it."""
    spoken: list[str] = []
    skipped = False
    for size, name in ((1000, "thousand"), (100, "hundred"), (10, "number_10"), (1, "")):
        figure, value = divmod(value, size)
        if not figure:
            skipped = bool(spoken)
            continue
        if skipped:
            spoken.append("number_0")
            skipped = False
        leads = first and not spoken
        if size == 10 and figure == 1 and leads:
            # Twelve is 十二, but a hundred and twelve 一百一十二.
            spoken.append(name)
            continue
        liang = figure == 2 and leads and (size == 1000 or (size == 1 and not last))
        spoken.append("number_2_liang" if liang else f"number_{figure}")
        if name:
            spoken.append(name)
    return spoken


LANGUAGE = Chinese()
