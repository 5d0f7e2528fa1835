"""The router's configuration and high-water mark in Postgres. Every function raises peewee.DatabaseError and the like when
Postgres is away."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from conf.database import Database
from engine.records.facts import Presence, WorkState
from engine.routing.roster import AgentProfile, QueueRule, Roster


def load_roster(db: Database) -> Roster:
    """Agents and queues as they are set up now, with the configuration's version, all of one instant."""
    with db.connection_context(), db.atomic():
        db.execute_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        (version,) = db.execute_sql("SELECT version FROM configuration").fetchone()
        agents = db.execute_sql("SELECT id, name, extension, wrap_up_seconds FROM agent ORDER BY id").fetchall()
        queues = db.execute_sql(
            "SELECT id, name, title, priority, ring_seconds, longest_wait_seconds, most_waiting, announce_seconds,"
            " short_abandon_seconds, recorded FROM queue ORDER BY id"
        ).fetchall()
        skills: dict[int, dict[str, int]] = defaultdict(dict)
        for agent_id, skill, level in db.execute_sql(
            "SELECT a.agent_id, s.name, a.level FROM agent_skill a JOIN skill s ON s.id = a.skill_id ORDER BY 1, 2"
        ):
            skills[agent_id][skill] = level
        needs: dict[int, dict[str, int]] = defaultdict(dict)
        for queue_id, skill, level in db.execute_sql(
            "SELECT q.queue_id, s.name, q.level FROM queue_skill q JOIN skill s ON s.id = q.skill_id ORDER BY 1, 2"
        ):
            needs[queue_id][skill] = level
    return Roster(
        version=version,
        agents=tuple(
            AgentProfile(agent_id, name, extension, skills[agent_id], wrap_up)
            for agent_id, name, extension, wrap_up in agents
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
            )
            for queue_id, name, title, priority, ring, longest, most, announce, short, recorded in queues
        ),
    )


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


def load_presences(db: Database) -> dict[int, LastState]:
    """What each agent was last, for when Redis has forgotten."""
    with db.connection_context():
        rows = db.execute_sql(
            """
            SELECT a.id, coalesce(s.presence, a.presence),
                CASE WHEN s.presence IS NULL THEN a.presence_reason ELSE s.reason END,
                coalesce(s.work_state, 'idle'), extract(epoch FROM s.since)::float8, s.call_id::text, o.id::text, o.queue
            FROM agent a
            LEFT JOIN LATERAL (
                SELECT * FROM agent_state WHERE agent_id = a.id ORDER BY since DESC LIMIT 1) s ON true
            LEFT JOIN LATERAL (
                SELECT id, queue FROM offer WHERE call_id = s.call_id AND agent_id = a.id
                ORDER BY offered_at DESC LIMIT 1) o ON true
            """
        ).fetchall()
    return {agent_id: LastState(*state) for agent_id, *state in rows}


def next_epoch(db: Database, least: int) -> int:
    """A number above `least` and above every one this ever returned."""
    with db.connection_context(), db.atomic():
        row = db.execute_sql(
            "UPDATE router_epoch SET epoch = greatest(epoch, %s) + 1 RETURNING epoch", (least,)
        ).fetchone()
    return int(row[0])
