"""Opening hours: each calendar's week, its holidays, and whether it is open now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from flask import Blueprint, render_template

from admin.access import Right, needs
from admin.parts import Parts, parts
from admin.words import WEEKDAYS, minute_of_day
from dialplan.hours import Calendar, Closed, Opening, status

hours = Blueprint("hours", __name__)


@dataclass(frozen=True, slots=True)
class Shown:
    """A calendar as the page shows it. `closed` is None while it is open."""

    name: str
    zone: str
    local: datetime
    closed: Closed | None
    opens_at: datetime | None
    days: list[tuple[str, list[tuple[float, float]], str, bool]]
    """Weekday, its openings as left and width in per cent of the day, in words, whether it is today."""
    holidays: list[tuple[date, str]]
    numbers: list[str]


def find(parts: Parts) -> list[Shown]:
    db, now = parts.db, parts.clock.now()
    shown = []
    for calendar_id, name, zone_name in db.execute_sql(
        "SELECT id, name, timezone FROM calendar ORDER BY name"
    ).fetchall():
        zone = ZoneInfo(zone_name)
        ranges = db.execute_sql(
            "SELECT weekday, opens_minute, closes_minute FROM opening WHERE calendar_id = %s ORDER BY 1, 2",
            (calendar_id,),
        ).fetchall()
        holidays = db.execute_sql(
            "SELECT day, name FROM holiday WHERE calendar_id = %s ORDER BY day", (calendar_id,)
        ).fetchall()
        calendar = Calendar(name, zone, tuple(Opening(*row) for row in ranges), dict(holidays))
        state, local = status(calendar, now), now.astimezone(zone)
        closed = state if isinstance(state, Closed) else None
        users = db.execute_sql(
            "SELECT number FROM number WHERE destination::text LIKE %s ORDER BY number", (f'%"calendar": "{name}"%',)
        ).fetchall()
        shown.append(
            Shown(
                name=name,
                zone=zone_name,
                local=local,
                closed=closed,
                opens_at=closed.opens_at if closed else None,
                days=[_day(calendar, weekday, local) for weekday in range(7)],
                holidays=[(day, holiday) for day, holiday in holidays if day >= local.date()][:12],
                numbers=[number for (number,) in users],
            )
        )
    return shown


def _day(calendar: Calendar, weekday: int, local: datetime) -> tuple[str, list[tuple[float, float]], str, bool]:
    before = calendar.of_weekday((weekday - 1) % 7)
    bars = [(0.0, (opening.closes - 1440) / 14.4) for opening in before if opening.closes > 1440]
    bars += [
        (opening.opens / 14.4, (min(opening.closes, 1440) - opening.opens) / 14.4)
        for opening in calendar.of_weekday(weekday)
    ]
    own = calendar.of_weekday(weekday)
    said = ", ".join(f"{minute_of_day(opening.opens)}–{minute_of_day(opening.closes)}" for opening in own)
    return WEEKDAYS[weekday], bars, said or "closed", weekday == local.weekday()


@hours.get("/setup/hours")
@needs(Right.SEE_SETUP)
def listed() -> str:
    return render_template("hours.html", place_key="hours", calendars=find(parts()))
