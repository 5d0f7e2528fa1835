"""English as spoken in Britain: "one hundred and five", "the twenty-fifth of December", "nine thirty A M"."""

from __future__ import annotations

from datetime import datetime, time
from decimal import Decimal

from sounds.languages import _shared
from sounds.languages._shared import DAYS, LARGEST, QUEUE, SIGNS, Common

TENS = (30, 40, 50, 60, 70, 80, 90)

HOLIDAYS = tuple(_shared.HOLIDAYS)

CURRENCIES = {
    "DKK": ("krone", "kroner", "ore", "ore"),
    "EUR": ("euro", "euros", "cent", "cents"),
    "GBP": ("pound", "pounds", "penny", "pence"),
    "USD": ("dollar", "dollars", "cent", "cents"),
    "PLN": ("zloty", "zlotys", "grosz", "groszy"),
    "CNY": ("yuan", "yuan", "fen", "fen"),
}
"""One and several of each currency, and of its hundredth."""


class English(Common):
    """See `sounds.languages.Language` for what each method promises."""

    holidays = HOLIDAYS

    def names(self) -> frozenset[str]:
        return frozenset(
            {
                *(f"number_{value}" for value in (*range(21), *TENS)),
                *("hundred", "thousand", "million", "minus", "number_oh", *SIGNS.values()),
                *("and", "to", "from", "at", "on", *DAYS),
                *(f"ordinal_{day}" for day in range(1, 32)),
                *(f"month_{month}" for month in range(1, 13)),
                *("every_day", "all_day", "today", "tomorrow", "a_m", "p_m", "noon", "midnight", "pause"),
                *(name for names in CURRENCIES.values() for name in names),
                *("minute", "minutes", "hour", "hours", "less_than_a_minute"),
                *(*QUEUE, "queue_in_line"),
                *("open_from", "open_again", "open_always", "open_never", "closed_on", "closed_for", "closed_holiday"),
                *(f"holiday_{name}" for name in HOLIDAYS),
            }
        )

    def number(self, value: int) -> list[str]:
        if value < 0:
            return ["minus", *self.number(-value)]
        if value > LARGEST:
            return self.digits(str(value))
        spoken: list[str] = []
        for size, name in ((1_000_000, "million"), (1000, "thousand")):
            if value >= size:
                spoken += [*_below_thousand(value // size), name]
                value %= size
        if spoken and 0 < value < 100:
            spoken.append("and")
        if value or not spoken:
            spoken += _below_thousand(value)
        return spoken

    def money(self, amount: Decimal, currency: str) -> list[str]:
        one, several, hundredth, hundredths = CURRENCIES[currency]
        negative, whole, rest = _shared.amount(amount)
        spoken = ["minus"] if negative else []
        if whole or not rest:
            spoken += [*self.number(whole), one if whole == 1 else several]
        if rest:
            spoken += [*(["and"] if whole else []), *self.number(rest), hundredth if rest == 1 else hundredths]
        return spoken

    def time(self, moment: time) -> list[str]:
        if moment.minute == 0 and moment.hour in (0, 12):
            return ["noon" if moment.hour else "midnight"]
        spoken = self.number(moment.hour % 12 or 12)
        if 0 < moment.minute < 10:
            spoken.append("number_oh")
        if moment.minute:
            spoken += self.number(moment.minute)
        return [*spoken, "a_m" if moment.hour < 12 else "p_m"]

    def duration(self, minutes: int) -> list[str]:
        if minutes < 1:
            return ["less_than_a_minute"]
        whole, rest = divmod(minutes, 60)
        spoken = [*self.number(whole), "hour" if whole == 1 else "hours"] if whole else []
        if rest:
            spoken += [*(["and"] if spoken else []), *self.number(rest), "minute" if rest == 1 else "minutes"]
        return spoken

    def wait(self, minutes: int) -> list[str]:
        return ["queue_wait", *self.duration(minutes)]

    def wait_between(self, least: int, most: int) -> list[str]:
        return super().wait_between(least if most > 1 else 0, most)

    def reopening(self, opens: datetime, now: datetime) -> list[str]:
        opens, ahead = _shared.ahead(opens, now)
        if ahead <= 1:
            day = ["tomorrow" if ahead == 1 else "today"]
        elif ahead < 7:
            day = ["on", *self.weekday(opens.weekday())]
        else:
            day = ["on", *self.date(opens.date(), weekday=True)]
        return ["open_again", *day, "at", *self.time(opens.time())]

    def _year(self, year: int) -> list[str]:
        century, rest = divmod(year, 100)
        if year < 1000 or (century % 10 == 0 and rest < 10):
            return self.number(year)
        if rest == 0:
            return [*self.number(century), "hundred"]
        return [*self.number(century), *(["number_oh"] if rest < 10 else []), *self.number(rest)]


def _below_thousand(value: int) -> list[str]:
    hundreds, rest = divmod(value, 100)
    spoken = [f"number_{hundreds}", "hundred"] if hundreds else []
    if hundreds and rest:
        spoken.append("and")
    if rest or not hundreds:
        spoken += (
            [f"number_{rest}"]
            if rest <= 20
            else [f"number_{rest - rest % 10}", *([f"number_{rest % 10}"] if rest % 10 else [])]
        )
    return spoken


LANGUAGE = English()
