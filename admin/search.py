"""The calls list: what a person filters, sorts and pages by, and the one statement that answers it.

The page, the API and the export ask through the same `Filters`, so they show the same calls. Paging goes by key, not by
offset: the thousandth page costs what the first one does, and calls that arrive meanwhile move nothing.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from admin.periods import CHOICES, USUAL, Chosen, FilterUnusable, midnight, read_day
from conf.database import Database, raw_connection

PAGE = 50
EXPORT_SECONDS = 600.0
COUNTED = 100_000
"""Hits are counted up to here; beyond it "more than" is the truth that costs little."""

PERIODS: Mapping[str, str] = {
    **{choice: CHOICES[choice] for choice in ("today", "yesterday", USUAL, "30d")},
    "all": "All time",
    "dates": CHOICES["dates"],
}
SORTS: Mapping[str, str] = {
    "started": "c.started_at",
    "wait": "c.wait_seconds",
    "talk": "c.talk_seconds",
    "total": "extract(epoch FROM c.ended_at - c.started_at)",
}
MISSED = ("abandoned_ivr", "abandoned_queue", "abandoned_ringing", "timeout", "no_agent", "full")
"""What the status `missed` stands for: somebody wanted us, and got nobody."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What is asked for. `status` also takes `missed`; `after` and `before` are the cursors that a page gives out."""

    period: str = USUAL
    since: date | None = None
    until: date | None = None
    """The last day that counts, with `period` `dates`."""
    q: str = ""
    direction: str = ""
    status: str = ""
    queue: str = ""
    agent: int | None = None
    customer: int | None = None
    sort: str = "started"
    descending: bool = True
    columns: tuple[str, ...] = ()
    after: str = ""
    before: str = ""

    def query(self, **changes: Any) -> str:
        """The address's query for these filters with `changes`; a change of what is searched goes back to the first page.
        What is as usual is left out."""
        wanted = replace(self, **({"after": "", "before": ""} | changes))
        said: list[tuple[str, str]] = []
        if wanted.period != USUAL:
            said.append(("period", wanted.period))
        if wanted.period == "dates":
            said += [(name, day.isoformat()) for name, day in (("from", wanted.since), ("to", wanted.until)) if day]
        for name in ("q", "direction", "status", "queue", "agent", "customer"):
            if getattr(wanted, name):
                said.append((name, str(getattr(wanted, name))))
        if wanted.sort != "started" or not wanted.descending:
            said.append(("sort", ("-" if wanted.descending else "") + wanted.sort))
        if wanted.columns:
            said.append(("columns", ",".join(wanted.columns)))
        said += [(name, getattr(wanted, name)) for name in ("after", "before") if getattr(wanted, name)]
        return urlencode(said)


def read_filters(args: Mapping[str, str], known_columns: Sequence[str]) -> Filters:
    """From an address's query. FilterUnusable for what no page of ours would have written; unknown names are ignored."""
    period = args.get("period", USUAL)
    if period not in PERIODS:
        raise FilterUnusable(f"period: {period!r} is none of {', '.join(PERIODS)}")
    sort = args.get("sort", "-started")
    if sort.removeprefix("-") not in SORTS:
        raise FilterUnusable(f"sort: {sort!r} is none of {', '.join(SORTS)}")
    columns = tuple(name for name in args.get("columns", "").split(",") if name in known_columns)
    since, until = read_day(args, "from"), read_day(args, "to")
    return Filters(
        period=period,
        since=since if period == "dates" else None,
        until=until if period == "dates" else None,
        q=args.get("q", "").strip()[:80].replace("\0", ""),
        direction=args.get("direction", "")[:40],
        status=args.get("status", "")[:40],
        queue=args.get("queue", "")[:60],
        agent=_whole(args, "agent"),
        customer=_whole(args, "customer"),
        sort=sort.removeprefix("-"),
        descending=sort.startswith("-"),
        columns=columns,
        after=args.get("after", ""),
        before=args.get("before", ""),
    )


def _whole(args: Mapping[str, str], name: str) -> int | None:
    said = args.get(name, "")
    if not said:
        return None
    if not said.isascii() or not said.isdigit() or len(said) > 9:
        raise FilterUnusable(f"{name}: {said!r} is no number")
    return int(said)


def bounds(filters: Filters, now: datetime, zone: ZoneInfo) -> tuple[datetime | None, datetime | None]:
    """The instants a period begins and ends at (the end is not in it); None where it is open."""
    match filters.period:
        case "all":
            return None, None
        case "dates":
            return (
                midnight(filters.since, zone) if filters.since else None,
                midnight(filters.until + timedelta(days=1), zone) if filters.until else None,
            )
        case choice:
            period = Chosen(choice).of(now, zone)
            return period.since, period.until if choice == "yesterday" else None


@dataclass(frozen=True, slots=True)
class Call:
    """One row of the list."""

    call_id: UUID
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime
    direction: str
    status: str
    caller_number: str
    caller_name: str
    called_number: str
    number_name: str
    customer_id: int | None
    customer_name: str
    customer_company: str
    customer_category: str
    queue: str
    queue_title: str
    agent_id: int | None
    agent: str
    extension: str
    ivr_seconds: float
    wait_seconds: float
    ring_seconds: float
    talk_seconds: float
    hold_seconds: float
    wrap_up_seconds: float
    total_seconds: float
    ended_by: str
    too_long: bool
    recording_id: UUID | None
    recording_seconds: float | None
    recording_listened: bool
    voicemail_id: UUID | None
    voicemail_seconds: float | None
    voicemail_listened: bool


@dataclass(frozen=True, slots=True)
class Found:
    calls: Sequence[Call]
    hits: int
    """At most COUNTED + 1, which means more than COUNTED."""
    after: str = ""
    """Cursor of the page that follows; empty on the last one."""
    before: str = ""


NAMED = (
    "CASE WHEN regexp_replace(c.caller_name, '[^0-9A-Za-z]', '', 'g') = regexp_replace(c.caller_number, '[^0-9]', '', 'g') "
    "THEN '' ELSE c.caller_name END"
)
"""The caller's name; a switch that is told none gives the number in its place, which is no name to show."""

_SELECT = f"""
SELECT c.id, c.started_at, c.answered_at, c.ended_at, COALESCE(c.direction, ''), COALESCE(c.status, ''),
       c.caller_number, {NAMED}, c.called_number, c.number_name,
       c.customer_id, COALESCE(k.name, ''), COALESCE(k.company, ''), COALESCE(k.category, ''),
       COALESCE(c.queue, ''), COALESCE(NULLIF(q.title, ''), c.queue, ''), c.agent_id, COALESCE(a.name, ''),
       COALESCE(c.extension, ''), c.ivr_seconds::float8, c.wait_seconds::float8, c.ring_seconds::float8,
       c.talk_seconds::float8, c.hold_seconds::float8, c.wrap_up_seconds::float8,
       extract(epoch FROM c.ended_at - c.started_at)::float8, COALESCE(c.ended_by, ''),
       (c.ended_at - c.started_at) > interval '1 hour',
       r.id, r.seconds::float8, r.listened_at IS NOT NULL, v.id, v.seconds::float8, v.listened_at IS NOT NULL
FROM call c
LEFT JOIN customer k ON k.id = c.customer_id
LEFT JOIN agent a ON a.id = c.agent_id
LEFT JOIN queue q ON q.name = c.queue
LEFT JOIN LATERAL (SELECT * FROM recording WHERE call_id = c.id ORDER BY started_at LIMIT 1) r ON true
LEFT JOIN LATERAL (SELECT * FROM voicemail WHERE call_id = c.id ORDER BY left_at LIMIT 1) v ON true
"""  # noqa: S608


class CallSearch:
    """Answers filters from Postgres. `only_agent` keeps to the calls that were offered to that agent or taken by them."""

    def __init__(self, db: Database, zone: ZoneInfo) -> None:
        self._db = db
        self._zone = zone

    def find(self, filters: Filters, *, now: datetime, only_agent: int | None, limit: int = PAGE) -> Found:
        """One page. FilterUnusable for a cursor that none of our pages gave out."""
        where, values = self._where(filters, now, only_agent)
        count = f"SELECT count(*) FROM (SELECT 1 FROM call c LEFT JOIN customer k ON k.id = c.customer_id WHERE {where} LIMIT {COUNTED + 1}) h"  # noqa: S608, E501
        hits = int(self._db.execute_sql(count, values).fetchone()[0])
        key, backwards = SORTS[filters.sort], bool(filters.before)
        descending = filters.descending != backwards
        cursor = filters.before or filters.after
        if cursor:
            where += f" AND ({key}, c.id) {'<' if descending else '>'} (%s, %s)"
            values = [*values, *self._parse(cursor, filters.sort)]
        way = "DESC" if descending else "ASC"
        statement = f"{_SELECT} WHERE {where} ORDER BY {key} {way}, c.id {way} LIMIT {limit + 1}"
        rows = [Call(*row) for row in self._db.execute_sql(statement, values).fetchall()]
        more, calls = len(rows) > limit, rows[:limit]
        if backwards:
            calls.reverse()
        return Found(
            calls=calls,
            hits=hits,
            after=self._cursor(calls[-1], filters.sort) if calls and (more or backwards) else "",
            before=self._cursor(calls[0], filters.sort) if calls and (filters.after or (backwards and more)) else "",
        )

    def all(self, url: str, filters: Filters, *, now: datetime, only_agent: int | None) -> Iterator[Call]:
        """Every hit in the order of the list, read in portions over a connection of its own, so that any number fits in
        memory; it is given back when the iterator is used up or closed."""
        where, values = self._where(filters, now, only_agent)
        way = "DESC" if filters.descending else "ASC"
        statement = f"{_SELECT} WHERE {where} ORDER BY {SORTS[filters.sort]} {way}, c.id {way}"
        connection = raw_connection(url, name="pointsman export", statement_seconds=EXPORT_SECONDS)
        try:
            with connection.cursor(name="calls") as portions:
                portions.itersize = 2000
                portions.execute(statement, values)
                for row in portions:
                    yield Call(*row)
        finally:
            connection.close()

    def _where(self, filters: Filters, now: datetime, only_agent: int | None) -> tuple[str, list[Any]]:
        terms = ["c.ended_at IS NOT NULL", "c.started_at IS NOT NULL"]
        values: list[Any] = []

        def add(term: str, *given: Any) -> None:
            terms.append(term)
            values.extend(given)

        since, until = bounds(filters, now, self._zone)
        if since:
            add("c.started_at >= %s", since)
        if until:
            add("c.started_at < %s", until)
        if filters.direction:
            add("c.direction = %s", filters.direction)
        if filters.status == "missed":
            add("c.status = ANY(%s)", list(MISSED))
        elif filters.status:
            add("c.status = %s", filters.status)
        if filters.queue:
            add("c.queue = %s", filters.queue)
        if filters.agent is not None:
            add("c.agent_id = %s", filters.agent)
        if filters.customer is not None:
            add("c.customer_id = %s", filters.customer)
        if filters.q:
            term, given = _searched(filters.q)
            add(term, *given)
        if only_agent is not None:
            add(
                "(c.agent_id = %s OR EXISTS (SELECT 1 FROM offer o WHERE o.call_id = c.id AND o.agent_id = %s))",
                only_agent,
                only_agent,
            )
        return " AND ".join(terms), values

    def _cursor(self, call: Call, sort: str) -> str:
        value: Any = {
            "started": call.started_at.isoformat(),
            "wait": call.wait_seconds,
            "talk": call.talk_seconds,
            "total": call.total_seconds,
        }[sort]
        return base64.urlsafe_b64encode(json.dumps([value, str(call.call_id)]).encode()).decode().rstrip("=")

    @staticmethod
    def _parse(cursor: str, sort: str) -> tuple[Any, str]:
        try:
            value, call_id = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
            return datetime.fromisoformat(value) if sort == "started" else float(value), str(UUID(call_id))
        except (ValueError, TypeError, AttributeError, binascii.Error) as error:
            raise FilterUnusable("after or before: not a place in this list; begin again at the first page") from error


def _searched(said: str) -> tuple[str, list[str]]:
    """A number in any spelling, or a part of a name."""
    digits = "".join(sign for sign in said if sign.isdigit())
    spelling = set(said) <= set("0123456789+ -()/.")
    if digits and spelling:
        international = digits.removeprefix("00") if digits.startswith("00") else digits.removeprefix("0")
        like = f"%{international or digits}%"
        return "(c.caller_number LIKE %s OR c.called_number LIKE %s)", [like, like]
    like = "%" + said.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    return "(k.name ILIKE %s OR k.company ILIKE %s OR c.caller_name ILIKE %s OR c.number_name ILIKE %s)", [like] * 4
