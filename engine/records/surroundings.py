"""What there is for a flow to name in this installation: prompts, calendars, queues and their people, other flows."""

from __future__ import annotations

from collections.abc import Iterable

from conf.database import Database
from conf.settings import Settings
from dialplan import store as dialplan_store
from engine.records.tables import Agent, Queue
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
        )


def _staff(db: Database) -> dict[str, int]:
    """How many people have all that each queue asks for."""
    rows = db.execute_sql(
        "SELECT q.name, (SELECT count(*) FROM agent a WHERE NOT EXISTS ("
        " SELECT FROM queue_skill n WHERE n.queue_id = q.id AND NOT EXISTS ("
        " SELECT FROM agent_skill s WHERE s.agent_id = a.id AND s.skill_id = n.skill_id AND s.level >= n.level)))"
        " FROM queue q"
    ).fetchall()
    return {name: int(count) for name, count in rows}
