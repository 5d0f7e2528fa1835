"""The way a past call took through flows, as history has it, and the test of a flow that it amounts to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from conf.database import Database
from conf.errors import PointsmanError
from ivr import store
from ivr.flow_test import FlowTest
from ivr.recorded import RecordedStep, made_from


class CallUnknown(PointsmanError):
    """History has no call of this id that went through a flow."""


@dataclass(frozen=True, slots=True)
class CallWay:
    """A call and its steps; `category` is the customer's, None where the caller was nobody's."""

    caller: str
    called: str
    started_at: datetime
    status: str
    category: str | None
    steps: tuple[RecordedStep, ...]


def way_of(db: Database, call_id: str) -> CallWay:
    """The way of a call that has ended. CallUnknown; database errors pass."""
    with db.connection_context():
        call = db.execute_sql(
            "SELECT c.caller_number, c.called_number, c.started_at, c.status,"
            " CASE WHEN c.customer_found THEN k.category END FROM call c LEFT JOIN customer k ON k.id = c.customer_id"
            " WHERE c.id::text = %s AND c.ended_at IS NOT NULL",
            (call_id,),
        ).fetchone()
        rows = db.execute_sql(
            "SELECT flow, flow_version, node, node_type, coalesce(exit, 'lost'),"
            " coalesce(extract(epoch FROM left_at - entered_at), 0)::float8"
            " FROM ivr_step WHERE call_id::text = %s AND node IS NOT NULL ORDER BY entered_at",
            (call_id,),
        ).fetchall()
    if call is None or not rows:
        raise CallUnknown(f"there is no call {call_id!r} that has gone through a flow and is over")
    caller, called, started_at, status, category = call
    return CallWay(caller, called, started_at, status, category, tuple(RecordedStep(*row) for row in rows))


def flow_test_of(db: Database, call_id: str, name: str) -> tuple[str, FlowTest]:
    """The flow that a call began in, and a test of that name of the way it took, with numbers masked. CallUnknown, FlowUnknown
    for a version that is there no more; database errors pass."""
    way = way_of(db, call_id)
    versions = {(step.flow, step.version) for step in way.steps if step.version}
    flow, left_by = way.steps[0].flow, way.steps[-1].exit
    return flow, made_from(
        way.steps,
        {(each, version): store.export_flow(db, each, version) for each, version in versions},
        name=name,
        caller=way.caller,
        called=way.called,
        at=way.started_at,
        category=way.category,
        # What became of a call in a queue is not for the flow to say.
        end=None if left_by == "hung_up" else way.status,
    )
