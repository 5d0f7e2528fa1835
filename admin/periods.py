"""The period that a list or a report is about, as its address writes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from flask import abort

from conf.errors import PointsmanError
from engine.records.ivr_statistics import Period

CHOICES: Final[Mapping[str, str]] = {
    "today": "Today",
    "yesterday": "Yesterday",
    "7d": "Last 7 days",
    "30d": "Last 30 days",
    "365d": "Last 12 months",
    "dates": "From … to …",
}
USUAL: Final = "7d"
_DAYS: Final = {"7d": 7, "30d": 30, "365d": 365}
LONGEST: Final = timedelta(days=3660)


class FilterUnusable(PointsmanError):
    """An address whose filters cannot be read; the message names the one."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A choice of CHOICES; `since` and `until` are the first and last day of `dates`."""

    choice: str = USUAL
    since: date | None = None
    until: date | None = None

    def query(self) -> dict[str, str]:
        """What stands of it in an address; nothing for the usual one."""
        said = {} if self.choice == USUAL else {"period": self.choice}
        if self.choice == "dates":
            said |= {name: day.isoformat() for name, day in (("from", self.since), ("to", self.until)) if day}
        return said

    def of(self, now: datetime, zone: ZoneInfo) -> Period:
        """The instants it stands for; until now, where it reaches into the present."""
        today = now.astimezone(zone).date()
        if self.choice == "yesterday":
            return Period(midnight(today - timedelta(days=1), zone), midnight(today, zone), zone)
        if self.choice == "dates":
            since = self.since or self.until or today
            until = self.until or today
            return Period(midnight(since, zone), midnight(max(since, until) + timedelta(days=1), zone), zone)
        first = today - timedelta(days=_DAYS.get(self.choice, 1) - 1)
        return Period(midnight(first, zone), now, zone)

    def words(self, now: datetime, zone: ZoneInfo) -> str:
        """It within a sentence."""
        if self.choice in ("today", "yesterday"):
            return self.choice
        if self.choice != "dates":
            return f"in the {CHOICES[self.choice].lower()}"
        period = self.of(now, zone)
        last = (period.until - timedelta(seconds=1)).astimezone(zone).date()
        first = period.since.astimezone(zone).date()
        said = f"{first.day} {first:%B %Y}"
        return f"on {said}" if first == last else f"from {said} to {last.day} {last:%B %Y}"


def read(args: Mapping[str, str]) -> Chosen:
    """From an address's query. FilterUnusable for what no page of ours would have written."""
    choice = args.get("period", USUAL)
    if choice not in CHOICES:
        raise FilterUnusable(f"period: {choice!r} is none of {', '.join(CHOICES)}")
    since, until = read_day(args, "from"), read_day(args, "to")
    if since is not None and until is not None and not timedelta() <= until - since <= LONGEST:
        raise FilterUnusable("to: the last day comes before the first, or more than ten years after it")
    return Chosen(choice, since, until) if choice == "dates" else Chosen(choice)


def chosen(args: Mapping[str, str]) -> Chosen:
    """From the query of the page that is asked for; what cannot be read ends the request."""
    try:
        return read(args)
    except FilterUnusable as fault:
        abort(400, str(fault))


def read_day(args: Mapping[str, str], name: str) -> date | None:
    """A day of a query, None where none is given. FilterUnusable."""
    said = args.get(name, "")
    try:
        found = date.fromisoformat(said) if said else None
    except ValueError as error:
        raise FilterUnusable(f"{name}: {said!r} is no day, for example 2026-03-04") from error
    if found is not None and not 1990 <= found.year <= 2200:
        raise FilterUnusable(f"{name}: {said!r} is a day of no call")
    return found


def day_start(now: datetime, zone: ZoneInfo) -> datetime:
    """When today began."""
    return midnight(now.astimezone(zone).date(), zone)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)
