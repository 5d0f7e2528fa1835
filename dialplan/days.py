"""Days that differ from the week: which days they are, and what happens on them.

A day of its own is closed, closed for a part, opens at hours of its own, or keeps the week's hours although a rule below it
would close it. Which one counts where several cover a date is said by ORDER, and by it alone.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Literal

from dialplan.errors import CalendarInvalid

MINUTES = 24 * 60
LONGEST_PERIOD = 366
"""Days from the first to the last of a period, both counted."""

MOST_SHIFT = 31
Span = tuple[int, int]
"""Minutes from midnight; the second is not in it any more, and above 1440 it lies on the day after."""

Effect = Literal["closed", "part", "hours", "usual"]
"""What a day of its own does: closed all day; the week's hours without `spans`; open at `spans` instead of the week's hours;
the week's hours as on any other day."""

ORDER: tuple[tuple[str, str], ...] = (
    ("Closed by hand", "While somebody has closed it until an hour, nothing else counts."),
    ("A single date", "Entered for this very day, for example other hours on 27 December 2026."),
    ("A period", "From one date to another, for example the summer break."),
    ("A day of every year", "Such as 24 December; a single day comes before days from … to …"),
    ("A weekday by its place", "Such as the last Friday in November."),
    ("A public holiday", "One that was accepted for its year; it closes the whole day."),
    ("The week", "The ordinary opening hours."),
)
"""What counts for a day, the first that fits. Of two in the same line the one that stands first counts."""


@dataclass(frozen=True, slots=True)
class On:
    """One date, or a period with both its ends."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise CalendarInvalid(f"the period from {self.first} to {self.last} runs backwards")
        if (self.last - self.first).days >= LONGEST_PERIOD:
            raise CalendarInvalid(f"the period from {self.first} to {self.last} is longer than a year")

    @property
    def rank(self) -> int:
        return 0 if self.first == self.last else 1

    def covers(self, day: date) -> bool:
        return self.first <= day <= self.last


@dataclass(frozen=True, slots=True)
class Yearly:
    """A day of every year, or the days from one to another; `(month, day)`. A period may run over New Year's. 29 February
    is in leap years only."""

    first: tuple[int, int]
    last: tuple[int, int]

    def __post_init__(self) -> None:
        for month, day in (self.first, self.last):
            if not (1 <= month <= 12 and 1 <= day <= monthrange(2024, month)[1]):
                raise CalendarInvalid(f"{month:02}-{day:02} is no day of the year")

    @property
    def rank(self) -> int:
        return 2 if self.first == self.last else 3

    def covers(self, day: date) -> bool:
        at = (day.month, day.day)
        if self.first <= self.last:
            return self.first <= at <= self.last
        return at >= self.first or at <= self.last


@dataclass(frozen=True, slots=True)
class NthWeekday:
    """The first (1) to fifth (5) or last (-1) `weekday` (0 is Monday) of `month`, or of every month where that is 0, and so
    many days after or before it as `shift` says: the day after the fourth Thursday in November is `(4, 3, 11, 1)`."""

    nth: int
    weekday: int
    month: int
    shift: int = 0

    def __post_init__(self) -> None:
        if self.nth not in (-1, 1, 2, 3, 4, 5) or not 0 <= self.weekday <= 6 or not 0 <= self.month <= 12:
            raise CalendarInvalid("no weekday by its place: first to fifth or last, a weekday, a month or every month")
        if abs(self.shift) > MOST_SHIFT:
            raise CalendarInvalid(f"a shift is {MOST_SHIFT} days at most, not {self.shift}")

    @property
    def rank(self) -> int:
        return 4

    def covers(self, day: date) -> bool:
        try:
            basis = day - timedelta(days=self.shift)
        except OverflowError:
            return False
        if basis.weekday() != self.weekday or self.month not in (0, basis.month):
            return False
        if self.nth == -1:
            return basis.day + 7 > monthrange(basis.year, basis.month)[1]
        return (basis.day - 1) // 7 + 1 == self.nth


When = On | Yearly | NthWeekday


@dataclass(frozen=True, slots=True)
class Day:
    """One rule for days that differ. `name` is what callers and people are told; `prompt` is played instead of it.

    `spans` belong to the effects `part` (what is closed) and `hours` (what is open); a part that ends at 24:00 also takes the
    rest of a night shift that begins on the day.
    """

    name: str
    when: When
    effect: Effect = "closed"
    spans: tuple[Span, ...] = ()
    prompt: str = ""

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise CalendarInvalid("a day of its own has no name")
        if (self.effect in ("part", "hours")) != bool(self.spans):
            raise CalendarInvalid(
                f"{self.name!r}: hours belong to a day that is closed for a part or has hours of its own"
            )
        check_spans(self.spans, self.name)


@dataclass(frozen=True, slots=True)
class Emergency:
    """Closed by hand from `since` to `until` (aware instants), for `reason`; `prompt` is what callers hear, or empty."""

    since: datetime
    until: datetime
    reason: str
    prompt: str = ""
    by: str = ""

    def __post_init__(self) -> None:
        if self.until <= self.since:
            raise CalendarInvalid("closing by hand ends after it began")


def check_spans(spans: Iterable[Span], where: str) -> None:
    """CalendarInvalid names hours that are none, or that overlap one another."""
    ordered = sorted(spans)
    for opens, closes in ordered:
        if not 0 <= opens < MINUTES or not opens < closes <= 2 * MINUTES:
            raise CalendarInvalid(f"{where}: minutes {opens} to {closes} are no hours of a day")
    for before, after in pairwise(ordered):
        if after[0] < before[1]:
            raise CalendarInvalid(f"{where}: {in_words(before)} and {in_words(after)} overlap")


def without(spans: Iterable[Span], closed: Iterable[Span]) -> tuple[Span, ...]:
    """What is left of `spans` where `closed` is taken away."""
    left = list(spans)
    for begins, ends in closed:
        end = 2 * MINUTES if ends == MINUTES else ends
        left = [
            part
            for opens, closes in left
            for part in ((opens, min(closes, begins)), (max(opens, end), closes))
            if part[0] < part[1]
        ]
    return tuple(sorted(left))


def in_words(span: Span) -> str:
    """`09:00-12:00`; an end after midnight is written as the next day's time."""
    return "-".join(clock(minute) for minute in span)


def clock(minute: int) -> str:
    """A minute of the day on the clock; the midnight that ends the day is 24:00."""
    return "24:00" if minute == MINUTES else f"{minute // 60 % 24:02}:{minute % 60:02}"


def overlapping(days: Iterable[Day]) -> list[tuple[Day, Day]]:
    """Pairs that claim the same days in the same line of ORDER, so that only the first of the two would ever count."""
    found: list[tuple[Day, Day]] = []
    seen: list[Day] = []
    for day in days:
        found += [(other, day) for other in seen if other.when.rank == day.when.rank and _clash(other.when, day.when)]
        seen.append(day)
    return found


def _clash(one: When, other: When) -> bool:
    if isinstance(one, On) and isinstance(other, On):
        return one.first <= other.last and other.first <= one.last
    if isinstance(one, Yearly) and isinstance(other, Yearly):
        return _meets(one, other) or _meets(other, one)
    return one == other


def _meets(one: Yearly, other: Yearly) -> bool:
    return one.covers(date(2024, *other.first)) or one.covers(date(2024, *other.last))
