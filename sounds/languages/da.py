"""Danish: the ones before the tens ("femoghalvtreds"), two genders ("et minut", "en time"), a clock of 24 hours."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Literal

from sounds.languages import Hours, _shared
from sounds.languages._shared import DAYS, LARGEST, QUEUE, SIGNS

Gender = Literal["common", "neuter"]

TENS = range(20, 100, 10)
HOLIDAYS = (
    "new_years_day", "maundy_thursday", "good_friday", "easter_sunday", "easter_monday", "labour_day",
    "great_prayer_day", "ascension_day", "whit_sunday", "whit_monday", "constitution_day", "christmas_eve",
    "christmas_day", "second_day_of_christmas", "new_years_eve",
)  # fmt: skip
NAMES_OF_OTHERS = {"boxing_day": "second_day_of_christmas"}

CURRENCIES: dict[str, tuple[Gender, str, str, str, str]] = {
    "CNY": ("common", "yuan", "yuan", "fen", "fen"),
    "DKK": ("common", "krone", "kroner", "ore", "ore"),
    "EUR": ("common", "euro", "euro", "cent", "cent"),
    "GBP": ("neuter", "pound", "pound", "penny", "pence"),
    "PLN": ("common", "zloty", "zloty", "grosz", "grosz"),
    "USD": ("common", "dollar", "dollar", "cent", "cent"),
}
"""The gender of each currency, one and several of it, and of its hundredth, which is of common gender in all of them."""


class Danish:
    """See `sounds.languages.Language` for what each method promises."""

    def names(self) -> frozenset[str]:
        return frozenset(
            {
                *(f"number_{value}" for value in (*range(20), *TENS)),
                "number_1_common",
                *(f"ones_{value}" for value in range(1, 10)),
                *("hundred", "thousand", "million", "millions", "minus", *SIGNS.values()),
                *("and", "to", "from", "oclock", *DAYS, *(f"on_{day}" for day in DAYS)),
                *(f"ordinal_{day}" for day in range(1, 32)),
                *(f"month_{month}" for month in range(1, 13)),
                *("every_day", "all_day", "today", "tomorrow", "midnight", "at_midnight", "pause"),
                *(name for _, *names in CURRENCIES.values() for name in names),
                *("minute", "minutes", "hour", "hours", "less_than_a_minute"),
                *(*QUEUE, "queue_in_line"),
                *("open_from", "open_again", "open_always", "open_never", "closed_on", "closed_for", "closed_holiday"),
                *(f"holiday_{name}" for name in HOLIDAYS),
            }
        )

    def number(self, value: int) -> list[str]:
        return self.counted(value, "neuter")

    def counted(self, value: int, gender: Gender) -> list[str]:
        """A number before a noun of this gender; by itself a number is neuter."""
        if value < 0:
            return ["minus", *self.counted(-value, gender)]
        if value > LARGEST:
            return self.digits(str(value))
        millions, rest = divmod(value, 1_000_000)
        thousands, rest = divmod(rest, 1000)
        spoken: list[str] = []
        if millions:
            spoken += [*_below_thousand(millions, "common"), "million" if millions == 1 else "millions"]
        if thousands:
            spoken += [*_below_thousand(thousands, "neuter"), "thousand"]
        if spoken and 0 < rest < 100:
            spoken.append("and")
        if rest or not spoken:
            spoken += _below_thousand(rest, gender)
        return spoken

    def digits(self, text: str) -> list[str]:
        return _shared.digits(text)

    def ordinal(self, value: int) -> list[str]:
        return [f"ordinal_{value}"] if 1 <= value <= 31 else self.number(value)

    def position(self, place: int) -> list[str]:
        return ["queue_next"] if place <= 1 else ["queue_position", *self.number(place), "queue_in_line"]

    def money(self, amount: Decimal, currency: str) -> list[str]:
        gender, one, several, hundredth, hundredths = CURRENCIES[currency]
        negative, whole, rest = _shared.amount(amount)
        spoken = ["minus"] if negative else []
        if whole or not rest:
            spoken += [*self.counted(whole, gender), one if whole == 1 else several]
        if rest:
            spoken += ["and"] if whole else []
            spoken += [*self.counted(rest, "common"), hundredth if rest == 1 else hundredths]
        return spoken

    def time(self, moment: time) -> list[str]:
        if (moment.hour, moment.minute) == (0, 0):
            return ["midnight"]
        spoken = ["oclock", *self.number(moment.hour)]
        if 0 < moment.minute < 10:
            spoken.append("number_0")
        return [*spoken, *(self.number(moment.minute) if moment.minute else ())]

    def weekday(self, day: int) -> list[str]:
        return [DAYS[day]]

    def date(self, day: date, *, weekday: bool = False, year: bool = False) -> list[str]:
        spoken = [*(self.weekday(day.weekday()) if weekday else ()), f"ordinal_{day.day}", f"month_{day.month}"]
        return [*spoken, *self._year(day.year)] if year else spoken

    def duration(self, minutes: int) -> list[str]:
        if minutes < 1:
            return ["less_than_a_minute"]
        whole, rest = divmod(minutes, 60)
        spoken = [*self.counted(whole, "common"), "hour" if whole == 1 else "hours"] if whole else []
        if rest:
            spoken += ["and"] if spoken else []
            spoken += [*self.counted(rest, "neuter"), "minute" if rest == 1 else "minutes"]
        return spoken

    def wait(self, minutes: int) -> list[str]:
        return self.wait_between(0, 1) if minutes < 1 else ["queue_wait", *self.duration(minutes)]

    def wait_between(self, least: int, most: int) -> list[str]:
        if least < 1:
            return ["queue_wait_under", *self.duration(max(1, most))]
        if least >= most:
            return self.wait(most)
        first = self.number(least) if most < 60 else self.duration(least)
        return ["queue_wait_between", *first, "and", *self.duration(most)]

    def hours(self, ranges: Hours) -> list[str]:
        return _shared.hours(ranges, self.time)

    def week(self, openings: Mapping[int, Hours]) -> list[str]:
        return _shared.week(openings, _shared.days, self.hours)

    def reopening(self, opens: datetime, now: datetime) -> list[str]:
        opens, ahead = _shared.ahead(opens, now)
        if ahead <= 1:
            day = ["tomorrow" if ahead == 1 else "today"]
        elif ahead < 7:
            day = [f"on_{DAYS[opens.weekday()]}"]
        else:
            day = self.date(opens.date(), weekday=True)
        at = self.time(opens.time())
        return ["open_again", *day, *(["at_midnight"] if at == ["midnight"] else at)]

    def holiday(self, name: str) -> list[str]:
        known = _shared.holiday(name) or ""
        known = NAMES_OF_OTHERS.get(known, known)
        return ["closed_for", f"holiday_{known}"] if known in HOLIDAYS else ["closed_holiday"]

    def _year(self, year: int) -> list[str]:
        century, rest = divmod(year, 100)
        if not 11 <= century <= 19:
            return self.number(year)
        return [f"number_{century}", "hundred", *(["and", *_below_thousand(rest, "neuter")] if rest else [])]


def _below_thousand(value: int, gender: Gender) -> list[str]:
    hundreds, rest = divmod(value, 100)
    spoken = [f"number_{hundreds}", "hundred"] if hundreds else []
    if hundreds and rest:
        spoken.append("and")
    if rest > 20 and rest % 10:
        spoken += [f"ones_{rest % 10}", f"number_{rest - rest % 10}"]
    elif rest or not hundreds:
        spoken.append("number_1_common" if rest == 1 and gender == "common" else f"number_{rest}")
    return spoken


LANGUAGE = Danish()
