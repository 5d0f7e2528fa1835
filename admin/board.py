"""The live page's picture, made for showing: queues, who waits, who talks, and what each agent does.

What is true now comes from Redis; names, skills and the day's figures from Postgres, asked for at most every few seconds
for all browsers together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic
from typing import Any

from flask import current_app
from peewee import PeeweeException

from admin.parts import Parts
from admin.periods import day_start
from admin.skills import SERVES
from admin.words import LIVE_STATES, Mark, agent_mark, mark
from engine.live.board import Snapshot
from engine.records import queue_store

EXTENSION = "pointsman.boards"
FRESH_SECONDS = 5.0
_WAITING = ("queue", "offer")


@dataclass(frozen=True, slots=True)
class QueueFacts:
    """What Postgres knows of a queue: its needs, who meets them, and its day so far."""

    name: str
    title: str
    answer_within: int
    agents: frozenset[int]
    answered: int
    lost: int
    in_time: int
    counted: int

    @property
    def service_level(self) -> float | None:
        """answered within T / (answered + abandoned) of today, in per cent; None before the first call."""
        return 100 * self.in_time / self.counted if self.counted else None


@dataclass(frozen=True, slots=True)
class QueueRow:
    facts: QueueFacts
    waiting: int
    oldest: datetime | None
    talking: int
    ready: int
    logged_in: int

    @property
    def alarm(self) -> str:
        """What needs a person now, empty where nothing does."""
        if self.waiting and not self.logged_in:
            return "nobody is logged in"
        if self.waiting and not self.ready and self.waiting > self.logged_in:
            return "more callers than agents"
        return ""


@dataclass(frozen=True, slots=True)
class CallRow:
    call_id: str
    state: Mark
    since: datetime
    entered_at: datetime | None
    number: str
    customer: str
    category: str
    queue: str
    queue_title: str
    called: str
    agent_id: int | None
    agent: str
    node: str
    flow: str
    priority: int
    late_after: int
    entry_id: str = ""
    """While the call waits; it is what is moved."""
    place: int | None = None
    """In its queue, from 1; None where the router has not said yet."""
    given_to: str = ""
    """The agent to whom a supervisor has given the call."""


@dataclass(frozen=True, slots=True)
class AgentRow:
    agent_id: int
    name: str
    extension: str
    presence: str
    work: str
    state: Mark
    since: datetime | None
    with_whom: str
    call_id: str | None
    wrap_until: datetime | None = None
    """When the work after a call ends by itself."""
    then: Mark | None = None
    """What was chosen for after this call."""

    @property
    def order(self) -> tuple[int, str]:
        """Those in talk first, then ringing, wrap-up, ready, paused and offline."""
        work = {"talking": 0, "offered": 1, "wrap_up": 2}.get(self.work)
        return (work if work is not None else {"ready": 3, "pause": 4}.get(self.presence, 5), self.name)


@dataclass(frozen=True, slots=True)
class BoardView:
    at: datetime
    queues: Sequence[QueueRow]
    waiting: Sequence[CallRow]
    """By queue, and in each in the order in which they are served."""
    talking: Sequence[CallRow]
    others: Sequence[CallRow]
    """In a menu or leaving a message."""
    agents: Sequence[AgentRow]
    engines: int
    leader: bool
    mended: Mapping[str, int] = field(default_factory=dict)
    """What differed from the switch and was put right since the engines began, by kind."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """Agents by `talk`, `ready`, `pause`, `wrap_up`, `offline`."""


def moment(said: Any) -> datetime | None:
    """An instant as it stands in Redis: ISO 8601, or Unix seconds; None where there is none."""
    if said in (None, ""):
        return None
    try:
        return datetime.fromtimestamp(float(said), UTC)
    except (TypeError, ValueError):
        return datetime.fromisoformat(str(said).replace("Z", "+00:00"))


_FACTS = f"""
SELECT q.name, COALESCE(NULLIF(q.title, ''), q.name), q.answer_within_seconds,
       ARRAY(SELECT a.id FROM agent a WHERE {SERVES}),
       COALESCE(d.answered, 0), COALESCE(d.lost, 0), COALESCE(d.in_time, 0), COALESCE(d.counted, 0)
FROM queue q
LEFT JOIN LATERAL (
    SELECT count(*) FILTER (WHERE e.result = 'answered') AS answered,
           count(*) FILTER (WHERE e.result IN ('abandoned', 'timeout', 'no_agent', 'full')) AS lost,
           count(*) FILTER (WHERE e.result = 'answered'
                            AND e.left_at - e.entered_at <= make_interval(secs => q.answer_within_seconds)) AS in_time,
           count(*) FILTER (WHERE e.result IN ('answered', 'abandoned', 'short_abandon')) AS counted
    FROM queue_entry e WHERE e.queue = q.name AND e.entered_at >= %s AND e.left_at IS NOT NULL) d ON true
ORDER BY q.priority DESC, 2
"""  # noqa: S608


class Boards:
    """Makes pictures of now. One for the application; what it keeps is only as old as `FRESH_SECONDS`."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._facts: Sequence[QueueFacts] = ()
        self._extensions: Mapping[int, tuple[str, str]] = {}
        self._pauses: Mapping[str, str] = {}
        self._until = 0.0

    def forget(self) -> None:
        """Read Postgres again at the next picture, as the configuration has changed."""
        self._until = 0.0

    def title(self, queue: str) -> str:
        """What people call a queue; its name where Postgres cannot be asked."""
        with suppress(PeeweeException):
            return next((facts.title for facts in self._queues(self._parts.clock.now()) if facts.name == queue), queue)
        return queue

    def pauses(self) -> Mapping[str, str]:
        """The reasons for a pause that agents choose from, with their titles; none where Postgres cannot be asked."""
        with suppress(PeeweeException):
            self._queues(self._parts.clock.now())
        return self._pauses

    def view(self) -> BoardView:
        """redis.RedisError or peewee's errors when Redis or Postgres is away."""
        snapshot = self._parts.board.snapshot()
        now = self._parts.clock.now()
        queues = self._queues(now)
        titles = {queue.name: queue for queue in queues}
        names = {
            entry_id: self._extensions.get(agent_id, ("", ""))[0] for entry_id, agent_id in snapshot["given"].items()
        }
        calls = [_call_row(call, titles, now, snapshot["places"], names) for call in snapshot["calls"]]
        states = [call.get("state") for call in snapshot["calls"]]
        order = {queue.name: place for place, queue in enumerate(queues)}
        whom = {call["call_id"]: row for call, row in zip(snapshot["calls"], calls, strict=True)}
        live = {int(agent["agent_id"]): agent for agent in snapshot["agents"]}
        agents = sorted(
            (
                _agent_row(agent_id, name, extension, live.get(agent_id, {}), whom, self._pauses)
                for agent_id, (name, extension) in self._extensions.items()
            ),
            key=lambda agent: agent.order,
        )
        return BoardView(
            at=now,
            queues=[_queue_row(queue, snapshot["calls"], live) for queue in queues],
            waiting=sorted(
                (row for row, state in zip(calls, states, strict=True) if state in _WAITING),
                key=lambda row: (order.get(row.queue, len(order)), row.place or 0, row.entered_at or row.since),
            ),
            talking=[row for row, state in zip(calls, states, strict=True) if state in ("talk", "hold")],
            others=[row for row, state in zip(calls, states, strict=True) if state not in (*_WAITING, "talk", "hold")],
            agents=agents,
            engines=sum(1 for process in snapshot["processes"] if process["alive"]),
            leader=bool(snapshot["router"]["leader"]),
            mended=mended(snapshot),
            counts=Counter(_bucket(agent) for agent in agents),
        )

    def _queues(self, now: datetime) -> Sequence[QueueFacts]:
        if monotonic() < self._until:
            return self._facts
        with self._parts.db.connection_context():
            rows = self._parts.db.execute_sql(_FACTS, (day_start(now, self._parts.settings.zone),)).fetchall()
            agents = self._parts.db.execute_sql("SELECT id, name, extension FROM agent ORDER BY name").fetchall()
            self._pauses = {each.name: each.title or each.name for each in queue_store.pause_reasons(self._parts.db)}
        self._facts = [QueueFacts(row[0], row[1], row[2], frozenset(row[3]), *row[4:]) for row in rows]
        self._extensions = {agent_id: (name, extension) for agent_id, name, extension in agents}
        self._until = monotonic() + FRESH_SECONDS
        return self._facts


def mended(snapshot: Snapshot) -> Mapping[str, int]:
    """What the engines that are alive have put right, by kind, the most frequent first."""
    counts: Counter[str] = Counter()
    for process in snapshot["processes"]:
        if process["alive"]:
            counts.update(process.get("mended") or {})
    return dict(counts.most_common())


def _bucket(agent: AgentRow) -> str:
    if agent.work in ("talking", "offered", "wrap_up"):
        return {"talking": "talk", "offered": "ringing", "wrap_up": "wrap_up"}[agent.work]
    return agent.presence if agent.presence in ("ready", "pause") else "offline"


def _call_row(
    call: Mapping[str, Any],
    queues: Mapping[str, QueueFacts],
    now: datetime,
    places: Mapping[str, int],
    given: Mapping[str, str],
) -> CallRow:
    queue = str(call.get("queue") or "")
    facts = queues.get(queue)
    return CallRow(
        call_id=str(call["call_id"]),
        state=mark(LIVE_STATES, call.get("state")),
        since=moment(call.get("since")) or moment(call.get("started_at")) or now,
        entered_at=moment(call.get("entered_at")),
        number=str(call.get("to" if call.get("callback_id") else "from") or ""),
        customer=str(call.get("customer_name") or call.get("customer_company") or ""),
        category=str(call.get("customer_category") or ""),
        queue=queue,
        queue_title=facts.title if facts else queue,
        called=str(call.get("number_name") or call.get("to") or ""),
        agent_id=int(call["agent_id"]) if call.get("agent_id") else None,
        agent=str(call.get("agent") or ""),
        node=str(call.get("node") or ""),
        flow=str(call.get("flow") or ""),
        priority=int(call.get("priority") or 0),
        late_after=facts.answer_within if facts else 0,
        entry_id=str(call.get("entry_id") or ""),
        place=places.get(str(call.get("entry_id") or "")),
        given_to=given.get(str(call.get("entry_id") or ""), ""),
    )


def _agent_row(
    agent_id: int,
    name: str,
    extension: str,
    live: Mapping[str, Any],
    calls: Mapping[str, CallRow],
    pauses: Mapping[str, str],
) -> AgentRow:
    presence, work = str(live.get("presence") or "offline"), str(live.get("work") or "idle")
    call_id = live.get("call_id") if work in ("talking", "offered") else None
    call = calls.get(str(call_id)) if call_id else None
    wanted = live.get("wanted") if work in ("talking", "offered") else None
    return AgentRow(
        agent_id=agent_id,
        name=name,
        extension=extension,
        presence=presence,
        work=work,
        state=agent_mark(presence, work, live.get("reason"), pauses),
        since=moment(live.get("since")),
        with_whom=(call.customer or call.number) if call else "",
        call_id=call.call_id if call else None,
        wrap_until=moment(live.get("wrap_until")) if work == "wrap_up" else None,
        then=agent_mark(str(wanted), "idle", live.get("wanted_reason"), pauses)
        if wanted in ("pause", "offline")
        else None,
    )


def _queue_row(
    facts: QueueFacts, calls: Sequence[Mapping[str, Any]], live: Mapping[int, Mapping[str, Any]]
) -> QueueRow:
    waiting = [call for call in calls if call.get("queue") == facts.name and call.get("state") in _WAITING]
    entered = [at for call in waiting if (at := moment(call.get("entered_at") or call.get("since")))]
    members = [live[agent_id] for agent_id in facts.agents if agent_id in live]
    return QueueRow(
        facts=facts,
        waiting=len(waiting),
        oldest=min(entered, default=None),
        talking=sum(1 for call in calls if call.get("queue") == facts.name and call.get("state") in ("talk", "hold")),
        ready=sum(1 for agent in members if agent.get("presence") == "ready" and agent.get("work") in (None, "idle")),
        logged_in=sum(1 for agent in members if agent.get("presence") not in (None, "offline")),
    )


def boards() -> Boards:
    """The boards of the application that answers this request."""
    found = current_app.extensions[EXTENSION]
    assert isinstance(found, Boards)
    return found
