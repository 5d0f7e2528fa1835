"""Whether each part answers: for load balancers, for the supervisor, for the system page, and as figures for Prometheus."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import gevent
from flask import Blueprint, Response, abort, g, jsonify, render_template, request
from peewee import PeeweeException
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from admin.access import Right, Viewer, needs
from admin.board import mended
from admin.parts import Parts, parts
from conf.errors import PointsmanError
from engine.live.board import Snapshot
from engine.live.connection import RedisError

health = Blueprint("health", __name__)

PATIENCE_SECONDS = 3.0
OK = "ok"


class NoAnswer(PointsmanError):
    """A part did not answer in time."""


@dataclass(frozen=True, slots=True)
class Health:
    """Each part's state, `ok` or a word for what is wrong; `snapshot` is None when Redis is away."""

    states: Mapping[str, str]
    snapshot: Snapshot | None
    database: str
    """The server's version, empty when it is away."""

    @property
    def good(self) -> bool:
        return all(state == OK for state in self.states.values())


def examine(parts: Parts) -> Health:
    """Ask every part, for at most a few seconds each."""
    version, snapshot = _database(parts), _snapshot(parts)
    engines = [process for process in snapshot["processes"] if process["alive"]] if snapshot else []
    unknown = "unknown"
    switches = {str(engine.get("switch") or "away") for engine in engines}
    return Health(
        states={
            "database": OK if version else "away",
            "redis": OK if snapshot is not None else "away",
            "switch": (OK if OK in switches else next(iter(sorted(switches)), "away")) if snapshot else unknown,
            "engines": (OK if engines else "none answers") if snapshot else unknown,
            "router": (OK if snapshot["router"]["leader"] else "none at work") if snapshot else unknown,
        },
        snapshot=snapshot,
        database=version,
    )


def _database(parts: Parts) -> str:
    try:
        with gevent.Timeout(PATIENCE_SECONDS, NoAnswer("the database")), parts.db.connection_context():
            return str(parts.db.execute_sql("SHOW server_version").fetchone()[0])
    except (PeeweeException, NoAnswer):
        return ""


def _snapshot(parts: Parts) -> Snapshot | None:
    try:
        return parts.board.snapshot()
    except RedisError:
        return None


@health.get("/healthz")
@needs(Right.ANYONE)
def healthz() -> tuple[Response, int]:
    """200 when database, redis, switch, engines and router answer, else 503, with each one's state."""
    found = examine(parts())
    return jsonify(status=OK if found.good else "failing", **found.states), 200 if found.good else 503


@health.get("/setup/system")
@needs(Right.SEE_SYSTEM)
def page() -> str:
    here = parts()
    found = examine(here)
    facts: dict[str, Any] = {"postgres": found.database, "redis": "", "size": "", "version": None}
    try:
        facts["redis"] = here.redis.info("server").get("redis_version", "")
    except RedisError:
        facts["redis"] = ""
    if found.database:
        row = here.db.execute_sql(
            "SELECT pg_size_pretty(pg_database_size(current_database())), (SELECT version FROM configuration), "
            "(SELECT count(*) FROM call WHERE ended_at IS NOT NULL), (SELECT max(ended_at) FROM call)"
        ).fetchone()
        facts |= dict(zip(("size", "version", "calls", "last"), row, strict=True))
    put_right = mended(found.snapshot) if found.snapshot else {}
    return render_template(
        "system.html", place_key="system", health=found, facts=facts, feed=here.feed, mended=put_right
    )


class _Figures(Collector):
    """Read afresh at each scrape, so that every admin process tells the same."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def collect(self) -> Iterable[Metric]:
        found = examine(self._parts)
        up = GaugeMetricFamily("pointsman_up", "Whether a part answers: 1 or 0.", labels=["part"])
        for part, state in found.states.items():
            up.add_metric([part], float(state == OK))
        yield up
        streams = GaugeMetricFamily("pointsman_admin_streams", "Browsers that listen to the live stream.")
        streams.add_metric([], self._parts.feed.listeners)
        yield streams
        if found.snapshot is not None:
            yield from _live(found.snapshot)


def _live(snapshot: Snapshot) -> Iterator[Metric]:
    calls = GaugeMetricFamily("pointsman_calls", "Calls now, by state.", labels=["state"])
    for state, count in Counter(str(call.get("state")) for call in snapshot["calls"]).items():
        calls.add_metric([state], count)
    yield calls
    waiting = GaugeMetricFamily("pointsman_queue_waiting", "Callers waiting now, by queue.", labels=["queue"])
    queued = Counter(str(call.get("queue")) for call in snapshot["calls"] if call.get("state") in ("queue", "offer"))
    for queue, count in queued.items():
        waiting.add_metric([queue], count)
    yield waiting
    agents = GaugeMetricFamily(
        "pointsman_agents", "Agents, by presence and work state.", labels=["presence", "work_state"]
    )
    states = Counter((str(agent.get("presence")), str(agent.get("work"))) for agent in snapshot["agents"])
    for (presence, work), count in states.items():
        agents.add_metric([presence, work], count)
    yield agents
    alive = [process for process in snapshot["processes"] if process["alive"]]
    engines = GaugeMetricFamily("pointsman_engines", "Engine processes that answer.")
    engines.add_metric([], len(alive))
    yield engines
    own = GaugeMetricFamily("pointsman_engine_calls", "Calls that an engine process owns.", labels=["process"])
    pending = GaugeMetricFamily("pointsman_journal_pending_bytes", "Journals not yet in Postgres.", labels=["process"])
    put_right = CounterMetricFamily(
        "pointsman_mended", "What differed from the switch and was put right, by kind.", labels=["process", "kind"]
    )
    for process in alive:
        own.add_metric([str(process.get("id"))], float(process.get("calls") or 0))
        pending.add_metric([str(process.get("id"))], float(process.get("journal_pending") or 0))
        for kind, count in (process.get("mended") or {}).items():
            put_right.add_metric([str(process.get("id")), str(kind)], count)
    yield own
    yield pending
    yield put_right
    epoch = CounterMetricFamily("pointsman_router_epoch", "Tenures of the router so far.")
    epoch.add_metric([], snapshot["router"]["epoch"])
    yield epoch


def registry(parts: Parts) -> CollectorRegistry:
    made = CollectorRegistry()
    made.register(_Figures(parts))
    return made


def may_scrape(found: Viewer | None) -> bool:
    """Figures are for this machine, and for whoever has an account. What a proxy passes on comes from elsewhere."""
    local = request.remote_addr in ("127.0.0.1", "::1") and "X-Forwarded-For" not in request.headers
    return local or found is not None


def metrics_view(made: CollectorRegistry) -> Any:
    @needs(Right.ANYONE)
    def metrics() -> Response:
        if not may_scrape(g.get("viewer")):
            abort(401)
        return Response(generate_latest(made), mimetype="text/plain; version=0.0.4; charset=utf-8")

    return metrics
