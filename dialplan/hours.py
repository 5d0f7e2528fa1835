"""When somebody is there: weekly hours, holidays, days of their own, closing by hand, a time zone.

The clock on the wall decides. An hour that daylight saving skips does not happen, and one that it repeats counts both times.
An opening belongs to the day on which it begins: a holiday closes the openings that begin on it, and a night shift that
began the evening before runs to its end. Which rule counts for a day is `dialplan.days.ORDER`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from typing import Literal
from zoneinfo import ZoneInfo

from dialplan.days import MINUTES as DAY
from dialplan.days import Day, Emergency, On, Span, without
from dialplan.errors import CalendarInvalid

LONGEST_LUNCH = 180
"""Minutes. A longer gap between two openings of a day is simply closed, for nobody says "out for lunch" all afternoon."""

LOOK_AHEAD_DAYS = 400
"""How far ahead the next opening is looked for: a year and a few holidays."""

ClosedReason = Literal["hours", "lunch", "holiday", "emergency"]
REASONS: tuple[ClosedReason, ...] = ("hours", "lunch", "holiday", "emergency")


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


@dataclass(frozen=True, slots=True)
class Public:
    """Where a calendar's public holidays come from, and the years for which somebody has accepted them."""

    country: str
    subdivision: str = ""
    years: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Calendar:
    """What is open when, under one name and in one zone. Immutable.

    `holidays` are the public holidays that were accepted, day -> name; `days` those of one's own. `prompts` are what callers
    hear instead of the usual words, by the reason for being closed.
    """

    name: str
    zone: ZoneInfo
    openings: tuple[Opening, ...] = ()
    holidays: Mapping[date, str] = field(default_factory=dict)
    days: tuple[Day, ...] = ()
    emergencies: tuple[Emergency, ...] = ()
    prompts: Mapping[ClosedReason, str] = field(default_factory=dict)
    public: Public | None = None
    _week: tuple[tuple[Opening, ...], ...] = field(init=False, repr=False, compare=False)
    _spans: tuple[tuple[Span, ...], ...] = field(init=False, repr=False, compare=False)
    _dates: Mapping[date, Day] = field(init=False, repr=False, compare=False)
    _rules: tuple[Day, ...] = field(init=False, repr=False, compare=False)
    _public: Mapping[date, Day] = field(init=False, repr=False, compare=False)
    _overnight: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        week = tuple(tuple(sorted(each for each in self.openings if each.weekday == day)) for day in range(7))
        dates: dict[date, Day] = {}
        for each in self.days:
            if isinstance(each.when, On) and each.when.rank == 0:
                dates.setdefault(each.when.first, each)
        ends = [each.closes for each in self.openings] + [end for each in self.days for _, end in each.spans]
        for name, value in (
            ("holidays", MappingProxyType(dict(self.holidays))),
            ("prompts", MappingProxyType(dict(self.prompts))),
            ("_week", week),
            ("_spans", tuple(tuple((each.opens, each.closes) for each in day) for day in week)),
            ("_dates", dates),
            ("_rules", tuple(sorted((each for each in self.days if each.when.rank), key=lambda each: each.when.rank))),
            ("_public", {day: Day(name, On(day, day)) for day, name in self.holidays.items()}),
            ("_overnight", any(end > DAY for end in ends)),
        ):
            object.__setattr__(self, name, value)

    def of_weekday(self, weekday: int) -> tuple[Opening, ...]:
        """That day's openings in their order."""
        return self._week[weekday]

    def special(self, day: date) -> Day | None:
        """What makes this date differ from the week, None where nothing does. See `dialplan.days.ORDER`."""
        found = self._dates.get(day)
        if found is not None:
            return found
        for rule in self._rules:
            if rule.when.covers(day):
                return rule
        return self._public.get(day)

    def spans(self, day: date) -> tuple[Span, ...]:
        """The openings that begin on this very date, in minutes from its midnight, in their order."""
        return self._opened(self.special(day), day.weekday())

    def _opened(self, special: Day | None, weekday: int) -> tuple[Span, ...]:
        if special is None or special.effect == "usual":
            return self._spans[weekday]
        if special.effect == "part":
            return without(self._spans[weekday], special.spans)
        return tuple(sorted(special.spans))


@dataclass(frozen=True, slots=True)
class Open:
    """Somebody is there."""


@dataclass(frozen=True, slots=True)
class Closed:
    """Nobody is there. `name` is the holiday's, or why it was closed by hand, and empty for the other reasons; `prompt` is
    what the calendar has callers hear instead of the usual words, and mostly empty."""

    reason: ClosedReason
    name: str
    calendar: Calendar = field(repr=False)
    at: datetime
    prompt: str = ""

    @property
    def opens_at(self) -> datetime | None:
        """The next instant of opening, in the calendar's zone; None where there is none within 400 days."""
        return next_opening(self.calendar, self.at)


_OPEN = Open()


def status(calendar: Calendar, at: datetime) -> Open | Closed:
    """Whether the calendar is open at this instant (aware), and if not, why."""
    for emergency in calendar.emergencies:
        if emergency.since <= at < emergency.until:
            prompt = emergency.prompt or calendar.prompts.get("emergency", "")
            return Closed("emergency", emergency.reason, calendar, at, prompt)
    local = at.astimezone(calendar.zone)
    day, minute = local.date(), local.hour * 60 + local.minute
    if calendar._overnight:
        late = minute + DAY
        if any(opens <= late < closes for opens, closes in calendar.spans(day - timedelta(days=1))):
            return _OPEN
    special = calendar.special(day)
    spans = calendar._opened(special, day.weekday())
    if any(opens <= minute < closes for opens, closes in spans):
        return _OPEN
    return _closed(calendar, at, special, day.weekday(), minute)


def _closed(calendar: Calendar, at: datetime, special: Day | None, weekday: int, minute: int) -> Closed:
    week = calendar._spans[weekday]
    named = special is not None and special.effect == "closed"
    if special is not None and special.effect == "part":
        named = any(begins <= minute < (2 * DAY if ends == DAY else ends) for begins, ends in special.spans)
    own = special is not None and special.effect == "hours"
    spans = special.spans if special is not None and own else week
    reason: ClosedReason = "hours"
    if not named:
        before = max((closes for _, closes in spans if closes <= minute), default=None)
        after = min((opens for opens, _ in spans if opens > minute), default=None)
        if before is not None and after is not None and after - before <= LONGEST_LUNCH:
            reason = "lunch"
        else:
            # Hours of its own that leave out what the week has: the day's name says why.
            named = own and any(opens <= minute < closes for opens, closes in week)
    if named and special is not None:
        return Closed("holiday", special.name, calendar, at, special.prompt or calendar.prompts.get("holiday", ""))
    return Closed(reason, "", calendar, at, calendar.prompts.get(reason, ""))


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
    """Whether there is any opening at all: a weekly one, or a day with hours of its own."""
    return bool(calendar.openings) or any(day.effect == "hours" for day in calendar.days)


def week(calendar: Calendar) -> dict[int, list[tuple[time, time]]]:
    """The weekly openings as times of day, as `sounds.spoken.week` takes them: an end at midnight is 00:00, and what runs
    past midnight ends on the next day's clock."""
    return {
        day: [(_time(opening.opens), _time(opening.closes)) for opening in calendar.of_weekday(day)]
        for day in range(7)
        if calendar.of_weekday(day)
    }


@dataclass(frozen=True, slots=True)
class DateHours:
    """One date of a calendar: the openings that begin on it, and the day of its own that decided them, None for the week."""

    day: date
    spans: tuple[Span, ...]
    special: Day | None


def dates(calendar: Calendar, days: Iterable[date]) -> list[DateHours]:
    """Each of the dates with its hours."""
    return [DateHours(day, calendar.spans(day), calendar.special(day)) for day in days]


def _candidates(calendar: Calendar, day: date) -> Iterator[datetime]:
    """The instants of this local day at which an opening may begin, in order, as UTC: the starts, both times where the hour
    is repeated, the changes of the clock, which may lead into an opening's midst, and the ends of closing by hand."""
    zone = calendar.zone
    midnight = datetime.combine(day, time(), zone)
    found = set(_clock_changes(midnight, zone))
    starts = {opens for opens, _ in calendar.spans(day)}
    starts |= {opens - DAY for opens, _ in calendar.spans(day - timedelta(days=1)) if opens >= DAY}
    for minute in starts:
        start = midnight + timedelta(minutes=minute)  # on the wall's clock, as both carry the same zone
        found.update(start.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    found.update(
        emergency.until.astimezone(UTC)
        for emergency in calendar.emergencies
        if emergency.until.astimezone(zone).date() == day
    )
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
