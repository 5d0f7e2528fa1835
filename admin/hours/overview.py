"""Opening hours as they stand: each calendar's state, its year, who uses it, what is closed by hand.
Changing them is in admin.hours.change."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from admin.hours import words
from admin.parts import Parts
from admin.words import WEEKDAYS
from dialplan import calendar_store, hours
from dialplan.calendar_store import Change, ClosedByHand, Stored
from dialplan.days import MINUTES, Day
from dialplan.hours import Calendar, Closed

NEXT_DAYS = 6
REMIND_MONTH = 10
"""From this month on the next year's public holidays are asked for."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A calendar as a page shows it. `closed` is None while it is open."""

    stored: Stored
    local: datetime
    closed: Closed | None
    opens_at: datetime | None
    days: list[tuple[str, list[tuple[float, float]], str, bool]]
    """Weekday, its openings as left and width in per cent of the day, in words, whether it is today."""
    coming: list[tuple[date, str, str]]
    """The next dates that differ from the week: date, name, what happens."""
    users: list[User]
    unasked: list[int]
    """Years whose public holidays wait to be looked at."""

    @property
    def id(self) -> int:
        return self.stored.id

    @property
    def calendar(self) -> Calendar:
        return self.stored.calendar

    @property
    def name(self) -> str:
        return self.stored.calendar.name

    @property
    def zone(self) -> str:
        return self.stored.calendar.zone.key


@dataclass(frozen=True, slots=True)
class User:
    """What asks a calendar: a number, a flow, a queue; `name` as people call it, `key` to make its address of."""

    kind: str
    name: str
    key: str


def stored(parts: Parts) -> list[Stored]:
    return calendar_store.stored_calendars(parts.db, zone=parts.settings.timezone)


def get(parts: Parts, calendar_id: int) -> Stored | None:
    return next((found for found in stored(parts) if found.id == calendar_id), None)


def find(parts: Parts) -> list[Shown]:
    """All calendars with their state now."""
    uses = users(parts)
    return [show(found, parts.clock.now(), uses.get(found.calendar.name, [])) for found in stored(parts)]


def show(found: Stored, now: datetime, used_by: list[User]) -> Shown:
    calendar = found.calendar
    state, local = hours.status(calendar, now), now.astimezone(calendar.zone)
    closed = state if isinstance(state, Closed) else None
    return Shown(
        stored=found,
        local=local,
        closed=closed,
        opens_at=closed.opens_at if closed else None,
        days=[_day(calendar, weekday, local) for weekday in range(7)],
        coming=coming(calendar, local.date()),
        users=used_by,
        unasked=unasked(calendar, local.date()),
    )


def coming(calendar: Calendar, first: date, most: int = NEXT_DAYS) -> list[tuple[date, str, str]]:
    """The next dates of a year that differ from the week, a period once, on its first day."""
    found: list[tuple[date, str, str]] = []
    before: Day | None = None
    for ahead in range(366):
        day = first + timedelta(days=ahead)
        special = calendar.special(day)
        if special is not None and special is not before:
            found.append((day, special.name, words.what(special)))
        before = special
        if len(found) == most:
            break
    return found


def unasked(calendar: Calendar, today: date) -> list[int]:
    """The years whose public holidays nobody has looked at: this one, and the next from October on."""
    if calendar.public is None or not calendar.public.country:
        return []
    years = [today.year] + [today.year + 1] * (today.month >= REMIND_MONTH)
    return [year for year in years if year not in calendar.public.years]


def _day(calendar: Calendar, weekday: int, local: datetime) -> tuple[str, list[tuple[float, float]], str, bool]:
    before = calendar.of_weekday((weekday - 1) % 7)
    bars = [(0.0, (opening.closes - MINUTES) / 14.4) for opening in before if opening.closes > MINUTES]
    bars += [
        (opening.opens / 14.4, (min(opening.closes, MINUTES) - opening.opens) / 14.4)
        for opening in calendar.of_weekday(weekday)
    ]
    said = words.spans([(opening.opens, opening.closes) for opening in calendar.of_weekday(weekday)])
    return WEEKDAYS[weekday], bars, said, weekday == local.weekday()


# --- who asks a calendar ---


def users(parts: Parts) -> dict[str, list[User]]:
    """Calendar's name -> what asks it: numbers, the newest and the published version of flows, queues."""
    found: dict[str, list[User]] = {}

    def add(kind: str, name: str, key: object, document: object) -> None:
        for calendar in sorted(set(_named(document))):
            found.setdefault(calendar, []).append(User(kind, name, str(key)))

    db = parts.db
    for key, number, name, rule in db.execute_sql("SELECT id, number, name, destination FROM number ORDER BY number"):
        add("number", f"{number} {name}".strip(), key, rule)
    for name, documents in db.execute_sql(
        "SELECT f.name, jsonb_agg(v.document) FROM flow f JOIN flow_version v ON v.flow_id = f.id WHERE v.version IN ("
        "SELECT max(version) FROM flow_version WHERE flow_id = f.id UNION "
        "SELECT max(version) FROM flow_version WHERE flow_id = f.id AND published_at IS NOT NULL) "
        "GROUP BY f.name ORDER BY f.name"
    ):
        add("flow", name, name, documents)
    for key, name, document in db.execute_sql(
        "SELECT id, COALESCE(NULLIF(title, ''), name), to_jsonb(queue) FROM queue ORDER BY 2"
    ):
        add("queue", name, key, document)
    return found


def _named(document: object) -> list[str]:
    """Every calendar that a document names, however deep."""
    if isinstance(document, dict):
        own = document.get("calendar")
        deeper = [name for value in document.values() for name in _named(value)]
        return [own, *deeper] if isinstance(own, str) else deeper
    if isinstance(document, list):
        return [name for value in document for name in _named(value)]
    return []


# --- a year ---


@dataclass(frozen=True, slots=True)
class Cell:
    """A date in the year's view. `look` is `open`, `closed`, `holiday` or `other`; `said` its hours and why."""

    day: date
    look: str
    said: str
    special: Day | None


@dataclass(frozen=True, slots=True)
class Month:
    name: str
    lead: int
    """How many weekdays stand before its first day, Monday being the first."""
    cells: list[Cell]


def year(calendar: Calendar, of: int) -> list[Month]:
    """The twelve months of a year."""
    return [
        Month(
            words.MONTHS[month - 1],
            date(of, month, 1).weekday(),
            [cell(calendar, date(of, month, day)) for day in range(1, monthrange(of, month)[1] + 1)],
        )
        for month in range(1, 13)
    ]


def cell(calendar: Calendar, day: date) -> Cell:
    special, spans = calendar.special(day), calendar.spans(day)
    said = words.spans(spans)
    if special is None:
        return Cell(day, "open" if spans else "closed", said, None)
    look = "holiday" if not spans and special.effect != "usual" else "other"
    if special.effect == "usual":
        look = "open" if spans else "closed"
    return Cell(day, look, f"{special.name}: {said}", special)


# --- what is closed by hand, and what was changed ---


def closed_by_hand(parts: Parts) -> Sequence[ClosedByHand]:
    return calendar_store.closed_by_hand(parts.db, parts.clock.now())


@dataclass(slots=True)
class Banner:
    """Calendars that were closed by hand in one go, as every page tells it."""

    names: list[str]
    ids: list[int]
    until: datetime
    now: datetime
    reason: str
    by: str


def banners(parts: Parts) -> list[Banner]:
    """What is closed by hand now, together where it was done together."""
    zone, found = parts.settings.zone, dict[tuple[object, ...], Banner]()
    now = parts.clock.now().astimezone(zone)
    for each in closed_by_hand(parts):
        one = each.emergency
        key = (one.since, one.until, one.reason, one.by)
        banner = found.setdefault(key, Banner([], [], one.until.astimezone(zone), now, one.reason, one.by))
        banner.names.append(each.name)
        banner.ids.append(each.id)
    return list(found.values())


def changes(parts: Parts, calendar_id: int | None = None, most: int = 8) -> list[Change]:
    with parts.db.connection_context():
        return calendar_store.changes(calendar_id, most=most)
