"""Polish: three forms of what is counted (minuta, minuty, minut), numbers that agree in gender, hours as ordinals, dates in the
genitive."""

from __future__ import annotations

from datetime import datetime, time
from decimal import Decimal
from typing import Literal

from sounds.languages import Hours, _shared
from sounds.languages._shared import DAYS, LARGEST, QUEUE, SIGNS, Common

Gender = Literal["masculine", "feminine", "neuter"]
Moment = time
"""Within the class `time` is how one is said."""

Forms = tuple[str, str, str]
"""The names for one, for two to four, and for five and more."""

TENS = range(20, 100, 10)
HUNDREDS = range(100, 1000, 100)
HOLIDAYS = (
    "new_years_day", "epiphany", "good_friday", "easter_sunday", "easter_monday", "labour_day", "constitution_day",
    "whit_sunday", "corpus_christi", "assumption_day", "all_saints_day", "independence_day", "christmas_eve",
    "christmas_day", "second_day_of_christmas", "new_years_eve",
)  # fmt: skip

MINUTE: Forms = ("minute", "minutes_few", "minutes")
HOUR: Forms = ("hour", "hours_few", "hours")
THOUSAND: Forms = ("thousand", "thousands_few", "thousands")
MILLION: Forms = ("million", "millions_few", "millions")
_CENT: Forms = ("cent", "cents_few", "cents")
CURRENCIES: dict[str, tuple[Gender, Forms, Gender, Forms]] = {
    "CNY": ("masculine", ("yuan", "yuans_few", "yuans"), "masculine", ("fen", "fens_few", "fens")),
    "DKK": ("feminine", ("krone", "kroner_few", "kroner"), "neuter", ("ore", "ore", "ore")),
    "EUR": ("neuter", ("euro", "euro", "euro"), "masculine", _CENT),
    "GBP": ("masculine", ("pound", "pounds_few", "pounds"), "masculine", ("penny", "pence_few", "pence")),
    "PLN": ("masculine", ("zloty", "zlotys_few", "zlotys"), "masculine", ("grosz", "groszy_few", "groszy")),
    "USD": ("masculine", ("dollar", "dollars_few", "dollars"), "masculine", _CENT),
}
"""Gender and forms of each currency, and of its hundredth."""


class Polish(Common):
    """See `sounds.languages.Language` for what each method promises."""

    holidays = HOLIDAYS
    between = "at_most"  # "from … to" would need every number in the genitive; "at least …, at most …" does not

    def names(self) -> frozenset[str]:
        return frozenset(
            {
                *(f"number_{value}" for value in (*range(20), *TENS, *HUNDREDS)),
                *("number_1_feminine", "number_1_neuter", "number_2_feminine"),
                *(*THOUSAND, *MILLION, "minus", *SIGNS.values()),
                *("and", "to", "from", "at", "oclock"),
                *(f"{form}{day}" for form in ("", "on_", "of_") for day in DAYS),
                *(f"ordinal_{value}" for value in (*range(1, 20), *TENS, *HUNDREDS, 1000, 2000)),
                *(f"month_{month}" for month in range(1, 13)),
                *(f"hour_{hour}" for hour in range(24)),
                *(f"hour_of_{hour}" for hour in range(1, 24)),
                *("every_day", "all_day", "today", "tomorrow", "year", "pause"),
                *("midnight", "midnight_of", "at_midnight"),
                *(name for _, one, _, other in CURRENCIES.values() for name in (*one, *other)),
                *(*MINUTE, *HOUR, "less_than_a_minute"),
                *(*QUEUE, "at_most"),
                *("open_from", "open_again", "open_always", "open_never", "closed_on", "closed_for", "closed_holiday"),
                *(f"holiday_{name}" for name in HOLIDAYS),
            }
        )

    def number(self, value: int) -> list[str]:
        return self._number(value, "masculine")

    def counted(self, value: int, gender: Gender, forms: Forms) -> list[str]:
        """A number of things: dwie godziny, pięć godzin."""
        return [*self._number(value, gender), forms[_form(value)]]

    def ordinal(self, value: int) -> list[str]:
        return _ordinal(value) if 1 <= value <= 31 else self.number(value)

    def position(self, place: int) -> list[str]:
        return ["queue_next"] if place <= 1 else ["queue_position", *self.number(place)]

    def money(self, amount: Decimal, currency: str) -> list[str]:
        gender, forms, small_gender, small_forms = CURRENCIES[currency]
        negative, whole, rest = _shared.amount(amount)
        spoken = ["minus"] if negative else []
        if whole or not rest:
            spoken += self.counted(whole, gender, forms)
        if rest:
            spoken += self.counted(rest, small_gender, small_forms)
        return spoken

    def time(self, moment: time) -> list[str]:
        if (moment.hour, moment.minute) == (0, 0):
            return ["midnight"]
        return ["oclock", f"hour_{moment.hour}", *self._minutes(moment.minute)]

    def duration(self, minutes: int) -> list[str]:
        if minutes < 1:
            return ["less_than_a_minute"]
        whole, rest = divmod(minutes, 60)
        spoken = self.counted(whole, "feminine", HOUR) if whole else []
        if rest:
            spoken += [*(["and"] if spoken else ()), *self.counted(rest, "feminine", MINUTE)]
        return spoken

    def hours(self, ranges: Hours) -> list[str]:
        return _shared.hours(ranges, self._time_of)

    def reopening(self, opens: datetime, now: datetime) -> list[str]:
        opens, ahead = _shared.ahead(opens, now)
        if ahead <= 1:
            day = ["tomorrow" if ahead == 1 else "today"]
        else:
            day = [f"on_{DAYS[opens.weekday()]}", *(self.date(opens.date()) if ahead >= 7 else ())]
        at = self._time_of(opens.time())
        return ["open_again", *day, *(["at_midnight"] if at == ["midnight_of"] else ["at", *at])]

    def _number(self, value: int, gender: Gender) -> list[str]:
        if value < 0:
            return ["minus", *self._number(-value, gender)]
        if value > LARGEST:
            return self.digits(str(value))
        spoken: list[str] = []
        for size, forms in ((1_000_000, MILLION), (1000, THOUSAND)):
            many, value = divmod(value, size)
            if many:
                # One thousand is "tysiąc" alone.
                spoken += [*(_below_thousand(many, "masculine", alone=False) if many > 1 else ()), forms[_form(many)]]
        if value or not spoken:
            spoken += _below_thousand(value, gender, alone=not spoken)
        return spoken

    def _of_minutes(self, value: int) -> list[str]:
        return self._number(value, "feminine")

    def _days(self, run: range) -> list[str]:
        if len(run) == 7:
            return ["every_day"]
        first, last = DAYS[run.start], DAYS[run.stop - 1]
        if len(run) == 1:
            return [f"on_{first}"]
        return [f"on_{first}", "and", f"on_{last}"] if len(run) == 2 else ["from", f"of_{first}", "to", f"of_{last}"]

    def _minutes(self, minute: int) -> list[str]:
        return [*(["number_0"] if 0 < minute < 10 else ()), *(self.number(minute) if minute else ())]

    def _time_of(self, moment: Moment) -> list[str]:
        """A time of day as it follows from, to and at."""
        if (moment.hour, moment.minute) == (0, 0):
            return ["midnight_of"]
        return [f"hour_of_{moment.hour}" if moment.hour else "hour_0", *self._minutes(moment.minute)]

    def _year(self, year: int) -> list[str]:
        """The last two figures are an ordinal, or the last that is not nought: dwa tysiące dwudziestego szóstego."""
        for rest in (year % 100, year % 1000):
            if rest:
                before = self.number(year - rest) if year > rest else ()
                return [*before, *_ordinal(rest), "year"]
        return [*([f"ordinal_{year}"] if year in (1000, 2000) else self.number(year)), "year"]


def _form(value: int) -> int:
    """Which of three forms follows a number."""
    if abs(value) == 1:
        return 0
    return 1 if 2 <= abs(value) % 10 <= 4 and not 12 <= abs(value) % 100 <= 14 else 2


def _below_thousand(value: int, gender: Gender, *, alone: bool) -> list[str]:
    """`alone`: nothing stands before it. Only then one agrees with its noun; two does so always."""
    hundreds, rest = value - value % 100, value % 100
    spoken = [f"number_{hundreds}"] if hundreds else []
    if rest > 20 and rest % 10:
        spoken.append(f"number_{rest - rest % 10}")
        rest %= 10
    if rest or not spoken:
        if rest == 1 and gender != "masculine" and alone and not spoken:
            spoken.append(f"number_1_{gender}")
        elif rest == 2 and gender == "feminine":
            spoken.append("number_2_feminine")
        else:
            spoken.append(f"number_{rest}")
    return spoken


def _ordinal(value: int) -> list[str]:
    """Below a hundred or in whole hundreds, in the genitive."""
    if value < 20 or value % 10 == 0:
        return [f"ordinal_{value}"]
    return [f"ordinal_{value - value % 10}", f"ordinal_{value % 10}"]


LANGUAGE = Polish()
