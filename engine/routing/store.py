"""The router's configuration and high-water mark in Postgres. Every function raises peewee.DatabaseError and the like when
Postgres is away."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import structlog

from conf.database import Database
from engine.records.facts import Presence, WorkState
from engine.records.queues import AgentSettings, QueueSettings, RulesInvalid, decode_agent, decode_needs, decode_queue
from engine.records.strategies import DEFAULT, STRATEGIES
from engine.routing.roster import AgentProfile, QueueRule, Roster

log = structlog.get_logger(__name__)


def load_roster(db: Database) -> Roster:
    """Agents and queues as they are set up now, with the configuration's version, all of one instant.

    Rules that make no sense are logged and the defaults stand in for them: one bad row must not stop the others' calls.
    """
    with db.connection_context(), db.atomic():
        db.execute_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        (version,) = db.execute_sql("SELECT version FROM configuration").fetchone()
        agents = db.execute_sql("SELECT id, name, extension, wrap_up_seconds, rules FROM agent ORDER BY id").fetchall()
        queues = db.execute_sql(
            "SELECT id, name, title, priority, ring_seconds, longest_wait_seconds, most_waiting, announce_seconds,"
            " short_abandon_seconds, recorded, strategy, rules FROM queue ORDER BY id"
        ).fetchall()
        skills: dict[int, dict[str, int]] = defaultdict(dict)
        for agent_id, skill, level in db.execute_sql(
            "SELECT a.agent_id, s.name, a.level FROM agent_skill a JOIN skill s ON s.id = a.skill_id ORDER BY 1, 2"
        ):
            skills[agent_id][skill] = level
        needs: dict[int, dict[str, int]] = defaultdict(dict)
        exact: dict[int, list[str]] = defaultdict(list)
        for queue_id, skill, level, only in db.execute_sql(
            "SELECT q.queue_id, s.name, q.level, q.exact FROM queue_skill q JOIN skill s ON s.id = q.skill_id ORDER BY 1, 2"
        ):
            needs[queue_id][skill] = level
            if only:
                exact[queue_id].append(skill)
        groups: dict[str, list[int]] = defaultdict(list)
        for group, agent_id in db.execute_sql(
            "SELECT g.name, m.agent_id FROM agent_group g JOIN agent_group_member m ON m.group_id = g.id ORDER BY 1, 2"
        ):
            groups[group].append(agent_id)
        languages = db.execute_sql("SELECT language, needs FROM language_need ORDER BY 1").fetchall()
        numbers = db.execute_sql("SELECT number, needs FROM number WHERE needs <> '{}' ORDER BY 1").fetchall()
    return Roster(
        version=version,
        agents=tuple(
            AgentProfile(
                agent_id,
                name,
                extension,
                skills[agent_id],
                wrap_up,
                _understood(rules, decode_agent, AgentSettings(), f"agent {extension}"),
            )
            for agent_id, name, extension, wrap_up, rules in agents
        ),
        queues=tuple(
            QueueRule(
                name,
                title=title,
                needs=needs[queue_id],
                priority=priority,
                ring_seconds=ring,
                longest_wait_seconds=longest,
                most_waiting=most,
                announce_seconds=announce,
                short_abandon_seconds=short,
                recorded=recorded,
                exact=tuple(exact[queue_id]),
                strategy=strategy if strategy in STRATEGIES else DEFAULT,
                settings=_understood(rules, decode_queue, QueueSettings(), f"queue {name}"),
            )
            for queue_id, name, title, priority, ring, longest, most, announce, short, recorded, strategy, rules in queues
        ),
        groups={name: tuple(members) for name, members in groups.items()},
        language_needs={name: _understood(value, decode_needs, {}, f"language {name}") for name, value in languages},
        number_needs={name: _understood(value, decode_needs, {}, f"number {name}") for name, value in numbers},
    )


T = TypeVar("T")


def _understood(value: object, decode: Callable[[object], T], otherwise: T, whose: str) -> T:
    try:
        return decode(value)
    except RulesInvalid as error:
        log.error("rules that make no sense, the defaults are in force", whose=whose, why=str(error))
        return otherwise


@dataclass(frozen=True, slots=True)
class LastState:
    """What an agent was when it was last written down; `offer_id` is of the talk, `since` in Unix seconds."""

    presence: Presence = "offline"
    reason: str | None = None
    work: WorkState = "idle"
    since: float | None = None
    call_id: str | None = None
    offer_id: str | None = None
    queue: str | None = None
    calls: int = 0
    talk_seconds: float = 0.0
    """Of queues, since the instant that was asked for."""


def load_presences(db: Database, since: datetime) -> dict[int, LastState]:
    """What each agent was last, for when Redis has forgotten, and what they did since then."""
    with db.connection_context():
        rows = db.execute_sql(
            """
            SELECT a.id, coalesce(s.presence, a.presence),
                CASE WHEN s.presence IS NULL THEN a.presence_reason ELSE s.reason END,
                coalesce(s.work_state, 'idle'), extract(epoch FROM s.since)::float8, s.call_id::text, o.id::text, o.queue,
                d.calls::integer, d.seconds::float8
            FROM agent a
            LEFT JOIN LATERAL (
                SELECT * FROM agent_state WHERE agent_id = a.id ORDER BY since DESC LIMIT 1) s ON true
            LEFT JOIN LATERAL (
                SELECT id, queue FROM offer WHERE call_id = s.call_id AND agent_id = a.id
                ORDER BY offered_at DESC LIMIT 1) o ON true
            CROSS JOIN LATERAL (
                SELECT count(*) AS calls, coalesce(sum(extract(epoch FROM t.until - t.since)), 0) AS seconds
                FROM offer w LEFT JOIN agent_state t
                    ON t.agent_id = a.id AND t.call_id = w.call_id AND t.work_state = 'talking' AND t.since >= %s
                WHERE w.agent_id = a.id AND w.result = 'answered' AND w.offered_at >= %s) d
            """,
            (since, since),
        ).fetchall()
    return {agent_id: LastState(*state) for agent_id, *state in rows}


def next_epoch(db: Database, least: int) -> int:
    """A number above `least` and above every one this ever returned."""
    with db.connection_context(), db.atomic():
        row = db.execute_sql(
            "UPDATE router_epoch SET epoch = greatest(epoch, %s) + 1 RETURNING epoch", (least,)
        ).fetchone()
    return int(row[0])
