"""What there is for a flow to name in this installation: prompts, calendars, queues and their people, other flows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from conf.database import Database
from conf.settings import Settings
from dialplan import store as dialplan_store
from engine.records.mailing import MailServer
from engine.records.tables import Agent, Queue, Skill
from ivr import store
from ivr.check import Surroundings
from ivr.flow import Flow
from sounds.catalogue import Catalogue


def surroundings(db: Database, settings: Settings, catalogue: Catalogue, flows: Iterable[Flow] = ()) -> Surroundings:
    """What flows are checked against, with `flows` in the place of those of their names. Database errors pass."""
    known = {name: published.flow for name, published in store.load(db).items()}
    with db.connection_context():
        return Surroundings(
            catalogue=catalogue,
            calendars=dialplan_store.load_calendars(db, zone=settings.timezone),
            queues={queue.name for queue in Queue.select(Queue.name)},
            extensions={agent.extension for agent in Agent.select(Agent.extension)},
            flows={**known, **{flow.name: flow for flow in flows}},
            staff=_staff(db),
            skills={skill.name for skill in Skill.select(Skill.name)},
            sends_mail=MailServer.of(settings) is not None,
            calls_out=bool(settings.trunk and settings.outside_allowed),
        )


def _staff(db: Database) -> dict[str, int]:
    """How many people may take the calls of each queue: who has all that it asks for, unless it asks for less in time, and
    serves it, where it names who does."""
    return {name: int(count) for name, count in db.execute_sql(_STAFF).fetchall()}


_STAFF: Final = """
SELECT q.name, (
    SELECT count(*) FROM agent a
    WHERE (coalesce(jsonb_array_length(q.rules -> 'relaxations'), 0) > 0 OR NOT EXISTS (
            SELECT FROM queue_skill n WHERE n.queue_id = q.id AND NOT EXISTS (
                SELECT FROM agent_skill s WHERE s.agent_id = a.id AND s.skill_id = n.skill_id
                    AND CASE WHEN n.exact THEN s.level = n.level ELSE s.level >= n.level END)))
        AND (coalesce(jsonb_array_length(q.rules #> '{members,agents}'), 0) = 0
                AND coalesce(jsonb_array_length(q.rules #> '{members,groups}'), 0) = 0
            OR EXISTS (SELECT FROM jsonb_array_elements(q.rules #> '{members,agents}') m WHERE m ->> 'extension' = a.extension)
            OR EXISTS (SELECT FROM agent_group g JOIN agent_group_member i ON i.group_id = g.id AND i.agent_id = a.id
                WHERE q.rules #> '{members,groups}' ? g.name)))
FROM queue q"""
