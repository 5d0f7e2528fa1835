"""Danish: the ones before the tens ("femoghalvtreds"), two genders ("et minut", "en time"), a clock of 24 hours."""

from __future__ import annotations

from datetime import datetime, time
from decimal import Decimal
from typing import Literal

from sounds.languages import _shared
from sounds.languages._shared import DAYS, LARGEST, QUEUE, SIGNS, Common

Gender = Literal["common", "neuter"]

TENS = range(20, 100, 10)
HOLIDAYS = (
    "new_years_day", "maundy_thursday", "good_friday", "easter_sunday", "easter_monday", "labour_day",
    "great_prayer_day", "ascension_day", "whit_sunday", "whit_monday", "constitution_day", "christmas_eve",
    "christmas_day", "second_day_of_christmas", "new_years_eve",
)  # fmt: skip

CURRENCIES: dict[str, tuple[Gender, str, str, str, str]] = {
    "CNY": ("common", "yuan", "yuan", "fen", "fen"),
    "DKK": ("common", "krone", "kroner", "ore", "ore"),
    "EUR": ("common", "euro", "euro", "cent", "cent"),
    "GBP": ("neuter", "pound", "pound", "penny", "pence"),
    "PLN": ("common", "zloty", "zloty", "grosz", "grosz"),
    "USD": ("common", "dollar", "dollar", "cent", "cent"),
}
"""The gender of each currency, one and several of it, and of its hundredth, which is of common gender in all of them."""


class Danish(Common):
    """See `sounds.languages.Language` for what each method promises."""

    holidays = HOLIDAYS

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

    def duration(self, minutes: int) -> list[str]:
        if minutes < 1:
            return ["less_than_a_minute"]
        whole, rest = divmod(minutes, 60)
        spoken = [*self.counted(whole, "common"), "hour" if whole == 1 else "hours"] if whole else []
        if rest:
            spoken += ["and"] if spoken else []
            spoken += [*self.counted(rest, "neuter"), "minute" if rest == 1 else "minutes"]
        return spoken

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
