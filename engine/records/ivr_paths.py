"""The way each call took through flows, for those who look for calls by it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from conf import database
from conf.database import Database
from engine.records.ivr_statistics import Period

EXPORT_SECONDS: Final = 600.0
PORTION: Final = 2000
COUNTED: Final = 100_000
"""Hits are counted up to here."""


@dataclass(frozen=True, slots=True)
class PathSearch:
    """Which calls are looked for: those that began in the period; of a caller's or called number, in whatever spelling, or a
    part of one; that spent `least` to `most` seconds in flows; that came by `node` of `flow` and left it by `exit`. Empty or
    None for any."""

    period: Period
    number: str = ""
    called: str = ""
    least: float | None = None
    most: float | None = None
    flow: str = ""
    node: str = ""
    exit: str = ""


@dataclass(frozen=True, slots=True)
class PathStep:
    """One visit of a node and how many seconds it lasted."""

    flow: str
    version: int
    node: str
    node_type: str
    entered_at: datetime
    seconds: float
    exit: str


@dataclass(frozen=True, slots=True)
class CallPath:
    """A call and its way: `channel` is the name that the switch has for its leg, which is the call's id; `seconds` those of
    its steps together."""

    call_id: UUID
    started_at: datetime
    status: str
    ended_by: str
    caller_number: str
    called_number: str
    number_name: str
    customer: str
    channel: str
    switch: str
    seconds: float
    steps: Sequence[PathStep]


@dataclass(frozen=True, slots=True)
class PathsFound:
    """A page of calls, the newest first; `after` is the place of the next page, None on the last."""

    calls: Sequence[CallPath]
    hits: int
    after: tuple[datetime, UUID] | None = None


def find_paths(
    db: Database, search: PathSearch, *, limit: int = 50, after: tuple[datetime, UUID] | None = None
) -> PathsFound:
    """One page of the calls that are looked for. Database errors pass."""
    where, values = _where(search)
    with db.connection_context():
        hits = db.execute_sql(
            f"SELECT count(*) FROM (SELECT FROM call c {_TOTALS} WHERE {where} LIMIT {COUNTED + 1}) h",  # noqa: S608
            values,
        ).fetchone()[0]
        if after is not None:
            where, values = f"{where} AND (c.started_at, c.id) < (%s, %s)", [*values, after[0], str(after[1])]
        rows = db.execute_sql(f"{_CALLS} WHERE {where} {_ORDER} LIMIT {limit + 1}", values).fetchall()
    calls = [_read(row) for row in rows[:limit]]
    more = len(rows) > limit
    return PathsFound(calls, int(hits), (calls[-1].started_at, calls[-1].call_id) if more else None)


def all_paths(url: str, search: PathSearch) -> Iterator[CallPath]:
    """Every call that is looked for, the newest first, read in portions over a connection of its own, which is given back when
    the iterator is used up or closed."""
    where, values = _where(search)
    connection = database.raw_connection(url, name="pointsman export", statement_seconds=EXPORT_SECONDS)
    try:
        with connection.cursor(name="paths") as portions:
            portions.itersize = PORTION
            portions.execute(f"{_CALLS} WHERE {where} {_ORDER}", values)
            for row in portions:
                yield _read(row)
    finally:
        connection.close()


def _read(row: Sequence[Any]) -> CallPath:
    call_id, *fields, steps = row
    values: list[Any] = [UUID(str(call_id)), *fields, tuple(map(_read_step, steps))]
    return CallPath(*values)


def _read_step(step: Sequence[Any]) -> PathStep:
    flow, version, node, node_type, entered_at, seconds, exit_name = step
    return PathStep(flow, version, node, node_type, datetime.fromisoformat(entered_at), seconds, exit_name)


def _where(search: PathSearch) -> tuple[str, list[Any]]:
    terms = ["c.started_at >= %s", "c.started_at < %s", "c.ended_at IS NOT NULL", "t.steps > 0"]
    values: list[Any] = [search.period.since, search.period.until]
    for column, said in (("caller_number", search.number), ("called_number", search.called)):
        digits = "".join(sign for sign in said if sign.isdigit())
        # National and international spellings differ in their beginning alone.
        digits = digits.removeprefix("00") if said.strip().startswith("00") else digits.removeprefix("0") or digits
        if said and not digits:
            terms.append("false")
        elif said:
            terms.append(f"c.{column} LIKE %s")
            values.append(f"%{digits}%")
    for sign, seconds in ((">=", search.least), ("<=", search.most)):
        if seconds is not None:
            terms.append(f"t.seconds {sign} %s")
            values.append(seconds)
    steps = [
        (column, said) for column, said in (("flow", search.flow), ("node", search.node), ("exit", search.exit)) if said
    ]
    if steps:
        names = {"flow": "s.flow", "node": "s.node", "exit": "coalesce(s.exit, 'lost')"}
        conditions = "".join(f" AND {names[column]} = %s" for column, _ in steps)
        terms.append(f"EXISTS (SELECT FROM ivr_step s WHERE s.call_id = c.id{conditions})")
        values += [said for _, said in steps]
    return " AND ".join(terms), values


_TOTALS: Final = """
CROSS JOIN LATERAL (
    SELECT count(*) AS steps, coalesce(extract(epoch FROM sum(s.left_at - s.entered_at)), 0)::float8 AS seconds
    FROM ivr_step s WHERE s.call_id = c.id AND s.node IS NOT NULL
) t"""

_CALLS: Final = f"""
SELECT c.id, c.started_at, coalesce(c.status, ''), coalesce(c.ended_by, ''), c.caller_number, c.called_number, c.number_name,
    coalesce(nullif(k.company, ''), k.name, ''), c.id::text, c.switch, t.seconds,
    (SELECT json_agg(json_build_array(s.flow, s.flow_version, s.node, s.node_type, s.entered_at,
        coalesce(extract(epoch FROM s.left_at - s.entered_at), 0)::float8, coalesce(s.exit, 'lost')) ORDER BY s.entered_at)
     FROM ivr_step s WHERE s.call_id = c.id AND s.node IS NOT NULL)
FROM call c LEFT JOIN customer k ON k.id = c.customer_id {_TOTALS}"""  # noqa: S608

_ORDER: Final = "ORDER BY c.started_at DESC, c.id DESC"
