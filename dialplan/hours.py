"""When somebody is there: weekly hours, holidays, a time zone.

The clock on the wall decides. An hour that daylight saving skips does not happen, and one that it repeats counts both times.
A holiday closes the openings that begin on it; a night shift that began the evening before runs to its end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from typing import Literal
from zoneinfo import ZoneInfo

from dialplan.errors import CalendarInvalid

DAY = 24 * 60
LONGEST_LUNCH = 180
"""Minutes. A longer gap between two openings of a day is simply closed, for nobody says "out for lunch" all afternoon."""

LOOK_AHEAD_DAYS = 400
"""How far ahead the next opening is looked for: a year and a few holidays."""

ClosedReason = Literal["hours", "lunch", "holiday"]


@dataclass(frozen=True, slots=True, order=True)
class Opening:
    """One weekly range. Minutes count from midnight of `weekday` (0 is Monday); `closes` is not open any more, and above
    1440 it lies on the day after."""

    weekday: int
    opens: int
    closes: int

    def __post_init__(self) -> None:
        if not (0 <= self.weekday <= 6 and 0 <= self.opens < DAY and self.opens < self.closes <= 2 * DAY):
            raise CalendarInvalid(f"no opening: day {self.weekday}, minutes {self.opens} to {self.closes}")


@dataclass(frozen=True)
class Calendar:
    """Weekly openings and holidays of one name, in one zone. `holidays` maps a day to its name. Immutable."""

    name: str
    zone: ZoneInfo
    openings: tuple[Opening, ...]
    holidays: Mapping[date, str] = field(default_factory=dict)
    _days: tuple[tuple[Opening, ...], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        days = [tuple(sorted(opening for opening in self.openings if opening.weekday == day)) for day in range(7)]
        object.__setattr__(self, "holidays", MappingProxyType(dict(self.holidays)))
        object.__setattr__(self, "_days", tuple(days))

    def of_weekday(self, weekday: int) -> tuple[Opening, ...]:
        """That day's openings in their order."""
        return self._days[weekday]

    def beginning_on(self, day: date) -> tuple[Opening, ...]:
        """The openings that begin on this very day: none on a holiday."""
        return () if day in self.holidays else self.of_weekday(day.weekday())


@dataclass(frozen=True, slots=True)
class Open:
    """Somebody is there."""


@dataclass(frozen=True, slots=True)
class Closed:
    """Nobody is there. `name` is the holiday's, empty for the other reasons."""

    reason: ClosedReason
    name: str
    calendar: Calendar = field(repr=False)
    at: datetime

    @property
    def opens_at(self) -> datetime | None:
        """The next instant of opening, in the calendar's zone; None where there is none within 400 days."""
        return next_opening(self.calendar, self.at)


_OPEN = Open()


def status(calendar: Calendar, at: datetime) -> Open | Closed:
    """Whether the calendar is open at this instant (aware), and if not, why."""
    local = at.astimezone(calendar.zone)
    day = local.date()
    minute = local.hour * 60 + local.minute
    yesterday = calendar.beginning_on(day - timedelta(days=1))
    if any(minute + DAY < opening.closes for opening in yesterday):
        return _OPEN
    holiday = calendar.holidays.get(day)
    if holiday is not None:
        return Closed("holiday", holiday, calendar, at)
    today = calendar.of_weekday(day.weekday())
    if any(opening.opens <= minute < opening.closes for opening in today):
        return _OPEN
    before = max((opening.closes for opening in today if opening.closes <= minute), default=None)
    after = min((opening.opens for opening in today if opening.opens > minute), default=None)
    lunch = before is not None and after is not None and after - before <= LONGEST_LUNCH
    return Closed("lunch" if lunch else "hours", "", calendar, at)


def next_opening(calendar: Calendar, at: datetime) -> datetime | None:
    """The first instant not before `at` at which the calendar is open, in its zone; None where there is none within 400
    days."""
    if isinstance(status(calendar, at), Open):
        return at.astimezone(calendar.zone)
    first = at.astimezone(calendar.zone).date()
    for ahead in range(LOOK_AHEAD_DAYS):
        for instant in _candidates(calendar, first + timedelta(days=ahead)):
            if instant > at and isinstance(status(calendar, instant), Open):
                return instant.astimezone(calendar.zone)
    return None


def ever_opens(calendar: Calendar) -> bool:
    """Whether there is any weekly opening at all."""
    return bool(calendar.openings)


def week(calendar: Calendar) -> dict[int, list[tuple[time, time]]]:
    """The weekly openings as times of day, as `sounds.spoken.week` takes them: an end at midnight is 00:00, and what runs
    past midnight ends on the next day's clock."""
    return {
        day: [(_time(opening.opens), _time(opening.closes)) for opening in calendar.of_weekday(day)]
        for day in range(7)
        if calendar.of_weekday(day)
    }


def _candidates(calendar: Calendar, day: date) -> Iterator[datetime]:
    """The instants of this local day at which an opening may begin, in order, as UTC: the starts, both times where the hour
    is repeated, and the changes of the clock, which may lead into an opening's midst."""
    zone = calendar.zone
    midnight = datetime.combine(day, time(), zone)
    found = set(_clock_changes(midnight, zone))
    for opening in calendar.of_weekday(day.weekday()):
        start = midnight + timedelta(minutes=opening.opens)  # on the wall's clock, as both carry the same zone
        found.update(start.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    yield from sorted(found)


def _clock_changes(midnight: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    low = midnight.astimezone(UTC) - timedelta(hours=1)
    high = low + timedelta(hours=27)
    before, after = (instant.astimezone(zone).utcoffset() for instant in (low, high))
    if before == after:
        return
    while high - low > timedelta(seconds=1):
        middle = low + (high - low) / 2
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    yield high.replace(microsecond=0)


def _time(minute: int) -> time:
    return time(minute // 60 % 24, minute % 60)
