"""What callers do in flows: figures of each node and exit, of calls over time, and the path of each call.

Everything is counted over the calls that began in a period and have ended, by all their steps, so that each figure can be
opened into the very calls behind it (see `engine.records.ivr_paths`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from conf.database import Database

Unit = Literal["hour", "day", "month"]
SORTING: Final = "64MB"
HUNG_UP: Final = "hung_up"
"""The exit of a step in which the caller hung up."""


@dataclass(frozen=True, slots=True)
class ExitFigures:
    """How often a node was left by one exit, by how many callers, and the seconds until then (median, and what 95 of 100 stayed
    below)."""

    exit: str
    count: int
    callers: int
    p50: float
    p95: float


@dataclass(frozen=True, slots=True)
class NodeFigures:
    """What callers did at one node: `entries` visits of `calls` calls by `callers` numbers (each withheld one counted apart);
    seconds stayed in `mean`, `p50` and `p95`; `hung_up` how often the caller hung up there. `exits` by their number, the
    largest first."""

    flow: str
    node: str
    node_type: str
    entries: int
    calls: int
    callers: int
    mean: float
    p50: float
    p95: float
    hung_up: int
    exits: Sequence[ExitFigures] = ()

    @property
    def first(self) -> int:
        """The entries that were a call's first visit of the node: one for each call."""
        return self.calls

    @property
    def later(self) -> int:
        """The entries that were not."""
        return self.entries - self.calls

    @property
    def counts(self) -> Mapping[str, int]:
        """Exit -> how often."""
        return {each.exit: each.count for each in self.exits}


@dataclass(frozen=True, slots=True)
class FlowFigures:
    """What callers did in one flow, or in all: `calls` that came into it, `callers` numbers, `hung_up` of the calls by their
    caller while in it, and the seconds they spent there."""

    calls: int = 0
    callers: int = 0
    hung_up: int = 0
    mean: float = 0.0
    p50: float = 0.0
    p95: float = 0.0


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the period that begins at `at`: how many calls came into the flow, and of how many the caller hung up."""

    at: datetime
    calls: int = 0
    hung_up: int = 0


@dataclass(frozen=True, slots=True)
class Period:
    """From `since` until before `until`, both aware; days and months are those of `zone`."""

    since: datetime
    until: datetime
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))

    @property
    def before(self) -> Period:
        """The same stretch of time so many whole days earlier that the two do not meet: a week till this hour beside the week
        before till the same hour of the day."""
        days = timedelta(days=max(1, math.ceil((self.until - self.since) / timedelta(days=1))))
        return Period(self._earlier(self.since, days), self._earlier(self.until, days), self.zone)

    def _earlier(self, at: datetime, days: timedelta) -> datetime:
        return (at.astimezone(self.zone).replace(tzinfo=None) - days).replace(tzinfo=self.zone)

    @property
    def unit(self) -> Unit:
        """In what stretches it is best shown."""
        length = self.until - self.since
        return "hour" if length <= timedelta(days=2, hours=2) else "day" if length <= timedelta(days=93) else "month"


def node_figures(db: Database, flow: str, since: datetime, until: datetime) -> dict[str, NodeFigures]:
    """The figures of a flow's nodes that any call came by, by the node's name. Database errors pass."""
    return {figures.node: figures for figures in statistics(db, Period(since, until), flow)}


def statistics(db: Database, period: Period, flow: str = "") -> list[NodeFigures]:
    """The figures of all nodes that any call came by, of one flow or of all, the most visited first, flow by flow. Database
    errors pass."""
    where, values = _where(period, flow)
    rows = _asked(db, _NODES.format(where=where), values)
    exits: dict[tuple[str, str], list[ExitFigures]] = {}
    nodes: list[tuple[Any, ...]] = []
    for row in rows:
        flow_name, node, exit_name, is_node, *figures = row
        if is_node:
            nodes.append((flow_name, node, *figures))
        elif exit_name is not None:
            _, entries, _, callers, _, p50, p95, _ = figures
            exits.setdefault((flow_name, node), []).append(ExitFigures(exit_name, entries, callers, p50, p95))
    found = []
    for flow_name, node, node_type, entries, calls, callers, mean, p50, p95, hung_up in nodes:
        ways = sorted(exits.get((flow_name, node), ()), key=lambda each: (-each.count, each.exit))
        found.append(
            NodeFigures(flow_name, node, node_type, entries, calls, callers, mean, p50, p95, hung_up, tuple(ways))
        )
    return sorted(found, key=lambda each: (each.flow, -each.entries, each.node))


def flow_figures(db: Database, period: Period, flow: str = "") -> tuple[FlowFigures, list[Span]]:
    """The figures of one flow, or of the time in flows as a whole, and the calls of the period in its stretches, empty ones
    too. Database errors pass."""
    where, values = _where(period, flow)
    zone = period.zone.key
    rows = _asked(db, _CALLS.format(where=where), [period.unit, zone, zone, *values])
    whole, found = FlowFigures(), {}
    for at, is_whole, *figures in rows:
        if is_whole:
            whole = FlowFigures(*figures)
        else:
            found[at] = Span(at, figures[0], figures[2])
    return whole, [found.get(at, Span(at)) for at in _stretches(period)]


def flows_seen(db: Database, period: Period) -> list[str]:
    """The flows that calls of the period came through. Database errors pass."""
    where, values = _where(period, "")
    rows = _asked(
        db,
        f"SELECT DISTINCT s.flow FROM call c JOIN ivr_step s ON s.call_id = c.id WHERE {where} ORDER BY 1",  # noqa: S608
        values,
    )
    return [flow for (flow,) in rows]


def _asked(db: Database, statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """The rows, sorted in memory as far as may be."""
    with db.connection_context(), db.atomic():
        db.execute_sql(f"SET LOCAL work_mem = '{SORTING}'")
        return list(db.execute_sql(statement, values).fetchall())


def _where(period: Period, flow: str) -> tuple[str, list[Any]]:
    where, values = _PERIOD, [period.since, period.until]
    return (f"{where} AND s.flow = %s", [*values, flow]) if flow else (where, values)


def _stretches(period: Period) -> list[datetime]:
    """When each stretch begins: on the clocks of the zone, so that a day is a day also where it has 23 or 25 hours."""
    unit, zone = period.unit, period.zone
    at = period.since.astimezone(zone).replace(minute=0, second=0, microsecond=0)
    if unit != "hour":
        at = at.replace(hour=0)
    if unit == "month":
        at = at.replace(day=1)
    found = []
    while at < period.until:
        found.append(at)
        if unit == "hour":
            at = (at.astimezone(ZoneInfo("UTC")) + timedelta(hours=1)).astimezone(zone)
        elif unit == "day":
            at = (at.replace(tzinfo=None) + timedelta(days=1)).replace(tzinfo=zone)
        else:
            at = (at.replace(tzinfo=None, day=1) + timedelta(days=32)).replace(day=1, tzinfo=zone)
    return found


_PERIOD: Final = "c.started_at >= %s AND c.started_at < %s AND c.ended_at IS NOT NULL AND s.node IS NOT NULL"

_SECONDS: Final = "coalesce(extract(epoch FROM s.left_at - s.entered_at), 0)::float8"
_CALLER: Final = "coalesce(nullif(c.caller_number, ''), c.id::text)"

_NODES: Final = f"""
WITH step AS (
    SELECT s.call_id, s.flow, s.node, s.node_type, coalesce(s.exit, 'lost') AS exit, {_SECONDS} AS seconds, {_CALLER} AS caller
    FROM call c JOIN ivr_step s ON s.call_id = c.id WHERE {{where}}
)
SELECT flow, node, exit, grouping(exit) = 1, max(node_type), count(*)::integer, count(DISTINCT call_id)::integer,
    count(DISTINCT caller)::integer, avg(seconds),
    percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds), percentile_cont(0.95) WITHIN GROUP (ORDER BY seconds),
    count(*) FILTER (WHERE exit = '{HUNG_UP}')::integer
FROM step GROUP BY GROUPING SETS ((flow, node), (flow, node, exit))"""  # noqa: S608

_CALLS: Final = f"""
WITH each_call AS (
    SELECT c.id, date_trunc(%s, c.started_at AT TIME ZONE %s) AT TIME ZONE %s AS stretch, {_CALLER} AS caller,
        bool_or(s.exit = '{HUNG_UP}') AS hung_up, sum({_SECONDS}) AS seconds
    FROM call c JOIN ivr_step s ON s.call_id = c.id WHERE {{where}} GROUP BY c.id
)
SELECT stretch, grouping(stretch) = 1, count(*)::integer,
    CASE WHEN grouping(stretch) = 1 THEN count(DISTINCT caller) END::integer, (count(*) FILTER (WHERE hung_up))::integer,
    coalesce(avg(seconds), 0)::float8,
    coalesce(percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds), 0)::float8,
    coalesce(percentile_cont(0.95) WITHIN GROUP (ORDER BY seconds), 0)::float8
FROM each_call GROUP BY GROUPING SETS ((stretch), ())"""  # noqa: S608
