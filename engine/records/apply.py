"""Facts into rows: a batch of facts is merged by key and written to Postgres set by set, in one transaction.

Merging is commutative and idempotent, here within a batch and in the `ON CONFLICT` of each statement across batches, so
facts may come in any order, twice, and from several processes: the earliest beginning, answer and leaving win, a final end
wins over a sweeper's. What is derived (segment ends, a call's seconds, the end of an agent's state) is computed again in
the same transaction for the calls and agents that the batch touched, with their rows locked, so that two processes that
ship facts of one call at once see each other's. Rows are locked in the order of their keys, so that they do not stand in
each other's way.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
import psycopg2.extensions

from engine.records import facts, unfinished
from engine.records.callback_rows import CallbackRows
from engine.records.flow_facts import FlowRows

Row = dict[str, Any]

REGISTERING = 0x52454749
AGENT_STATES = 0x41474E54
"""Advisory locks: registering unknown callers; one agent's states."""

_BEGAN = ("started_at", "direction", "caller_number", "caller_name", "called_number", "number_name", "switch")
_ENDED = (
    "ended_at", "status", "ended_by", "hangup_cause", "queue", "agent_id", "extension", "flow", "flow_version", "final",
)  # fmt: skip


class Batch:
    """The facts of one transaction, merged into rows. `add` each, then `write`."""

    def __init__(self) -> None:
        self.calls: dict[str, Row] = {}
        self.segments: dict[tuple[str, str, datetime, str], Row] = {}
        self.steps: dict[tuple[str, datetime], Row] = {}
        self.entries: dict[str, Row] = {}
        self.offers: dict[str, Row] = {}
        self.states: dict[tuple[int, datetime], Row] = {}
        self.recordings: dict[str, Row] = {}
        self.messages: dict[str, Row] = {}
        self.of_flows = FlowRows()
        self.callbacks = CallbackRows()

    def add(self, fact: facts.AnyFact) -> None:
        _ADD[type(fact)](self, fact)

    def write(self, cursor: psycopg2.extensions.cursor) -> None:
        """Write everything within the cursor's open transaction. psycopg2.Error as it comes; then nothing must be committed."""
        encode = _encode
        statements: list[str] = []
        arguments: list[Any] = []

        def then(statement: str, *values: Any) -> None:
            statements.append(statement)
            arguments.extend(values)

        if self.calls:
            then(_CALL, encode(self.calls))
        if self.segments:
            then(_SEGMENT, encode(self.segments))
        if self.steps:
            then(_STEP, encode(self.steps))
        if self.entries:
            then(_ENTRY, encode(self.entries))
        if self.offers:
            then(_OFFER, encode(self.offers))
        if self.recordings:
            then(_RECORDING, encode(self.recordings))
        if self.messages:
            then(_MESSAGE, encode(self.messages))
        for statement, rows in (*self.of_flows.statements(encode), *self.callbacks.statements(encode)):
            then(statement, rows)
        if self.calls:
            ids = list(self.calls)
            then(unfinished.STEPS, ids)
            then(unfinished.ENTRIES, ids)
            then(_SEGMENT_ENDS, ids)
            then(_SECONDS, ids)
        if self.states:
            then(_STATE_LOCKS, AGENT_STATES, sorted({agent for agent, _ in self.states}))
            states = encode(self.states)
            then(_STATE, states)
            then(_STATE_ENDS, states)
        if statements:
            cursor.execute(";\n".join(statements), arguments)
        began = [call_id for call_id, row in self.calls.items() if "started_at" in row]
        if began:
            _match_customers(cursor, began)

    def _call(self, call_id: str) -> Row:
        row = self.calls.get(call_id)
        if row is None:
            row = self.calls[call_id] = {"id": call_id}
        return row

    def _call_began(self, fact: facts.CallBegan) -> None:
        row = self._call(fact.call_id)
        if "started_at" not in row or fact.at < row["started_at"]:
            row.update(
                started_at=fact.at,
                direction=fact.direction,
                caller_number=fact.caller_number,
                caller_name=fact.caller_name,
                called_number=fact.called_number,
                number_name=fact.number_name,
                switch=fact.switch,
            )

    def _call_answered(self, fact: facts.CallAnswered) -> None:
        row = self._call(fact.call_id)
        if "answered_at" not in row or fact.at < row["answered_at"]:
            row["answered_at"] = fact.at

    def _caller_found(self, fact: facts.CallerFound) -> None:
        row = self._call(fact.call_id)
        row["customer_id"] = min(fact.customer_id, row.get("customer_id", fact.customer_id))

    def _call_ended(self, fact: facts.CallEnded) -> None:
        row = self._call(fact.call_id)
        if "ended_at" not in row or (
            (not fact.final, fact.at, fact.status, fact.ended_by, fact.hangup_cause)
            < (not row["final"], row["ended_at"], row["status"], row["ended_by"], row["hangup_cause"])
        ):
            row.update(
                ended_at=fact.at,
                status=fact.status,
                ended_by=fact.ended_by,
                hangup_cause=fact.hangup_cause,
                queue=fact.queue,
                agent_id=fact.agent_id,
                extension=fact.extension,
                flow=fact.flow,
                flow_version=fact.flow_version,
                final=fact.final,
            )

    def _phase_began(self, fact: facts.PhaseBegan) -> None:
        self._call(fact.call_id)
        self.segments.setdefault(
            (fact.call_id, "caller", fact.at, fact.phase),
            {
                "call_id": fact.call_id,
                "leg": "caller",
                "kind": fact.phase,
                "started_at": fact.at,
                "queue": fact.queue,
                "agent_id": fact.agent_id,
                "extension": fact.extension,
            },
        )

    def _side_segment(self, fact: facts.SideSegment) -> None:
        self._call(fact.call_id)
        self.segments.setdefault(
            (fact.call_id, "agent", fact.started_at, fact.phase),
            {
                "call_id": fact.call_id,
                "leg": "agent",
                "kind": fact.phase,
                "started_at": fact.started_at,
                "ended_at": fact.ended_at,
                "queue": fact.queue,
                "agent_id": fact.agent_id,
                "extension": fact.extension,
            },
        )

    def _step_entered(self, fact: facts.StepEntered) -> None:
        self._call(fact.call_id)
        row = self.steps.setdefault(
            (fact.call_id, fact.entered_at), {"call_id": fact.call_id, "entered_at": fact.entered_at}
        )
        row.update(flow=fact.flow, flow_version=fact.flow_version, node=fact.node, node_type=fact.node_type)

    def _step_left(self, fact: facts.StepLeft) -> None:
        self._call(fact.call_id)
        row = self.steps.setdefault(
            (fact.call_id, fact.entered_at), {"call_id": fact.call_id, "entered_at": fact.entered_at}
        )
        if "left_at" not in row or (
            (fact.exit == unfinished.LOST, fact.left_at, fact.exit)
            < (row["exit"] == unfinished.LOST, row["left_at"], row["exit"])
        ):
            row.update(left_at=fact.left_at, exit=fact.exit)

    def _queue_entered(self, fact: facts.QueueEntered) -> None:
        self._call(fact.call_id)
        row = self.entries.setdefault(fact.entry_id, {"id": fact.entry_id, "call_id": fact.call_id})
        row.update(
            queue=fact.queue,
            entered_at=fact.at,
            priority=fact.priority,
            position_at_entry=fact.position,
            estimated_wait_seconds=fact.estimated_wait_seconds,
            estimated_low_seconds=fact.estimated_low_seconds,
            estimated_high_seconds=fact.estimated_high_seconds,
            kind=fact.kind,
        )

    def _queue_left(self, fact: facts.QueueLeft) -> None:
        self._call(fact.call_id)
        row = self.entries.setdefault(fact.entry_id, {"id": fact.entry_id, "call_id": fact.call_id})
        if "left_at" not in row or (
            (fact.result == unfinished.FAILED, fact.at, fact.result)
            < (row["result"] == unfinished.FAILED, row["left_at"], row["result"])
        ):
            row.update(left_at=fact.at, result=fact.result, agent_id=fact.agent_id)

    def _offer_made(self, fact: facts.OfferMade) -> None:
        row = self.offers.setdefault(fact.offer_id, {"id": fact.offer_id})
        row.update(
            call_id=fact.call_id,
            entry_id=fact.entry_id,
            queue=fact.queue,
            agent_id=fact.agent_id,
            extension=fact.extension,
            offered_at=fact.at,
            why=fact.why,
        )

    def _offer_ended(self, fact: facts.OfferEnded) -> None:
        row = self.offers.setdefault(fact.offer_id, {"id": fact.offer_id})
        if "ended_at" not in row or (fact.at, fact.result) < (row["ended_at"], row["result"]):
            row.update(ended_at=fact.at, result=fact.result)

    def _agent_state_began(self, fact: facts.AgentStateBegan) -> None:
        # Of two at one instant the one journalled later is what the agent passed into.
        self.states[fact.agent_id, fact.at] = {
            "agent_id": fact.agent_id,
            "since": fact.at,
            "presence": fact.presence,
            "work_state": fact.work_state,
            "reason": fact.reason,
            "call_id": fact.call_id,
        }

    def _recording_made(self, fact: facts.RecordingMade) -> None:
        self.recordings[fact.recording_id] = {
            "id": fact.recording_id,
            "call_id": fact.call_id,
            "path": fact.path,
            "started_at": fact.started_at,
            "seconds": fact.seconds,
            "queue": fact.queue,
            "agent_id": fact.agent_id,
        }

    def _message_left(self, fact: facts.MessageLeft) -> None:
        self.messages[fact.voicemail_id] = {
            "id": fact.voicemail_id,
            "call_id": fact.call_id,
            "box": fact.box,
            "path": fact.path,
            "left_at": fact.at,
            "seconds": fact.seconds,
            "caller_number": fact.caller_number,
        }


_ADD: dict[type[Any], Any] = {
    facts.CallBegan: Batch._call_began,
    facts.CallAnswered: Batch._call_answered,
    facts.CallerFound: Batch._caller_found,
    facts.PhaseBegan: Batch._phase_began,
    facts.SideSegment: Batch._side_segment,
    facts.StepEntered: Batch._step_entered,
    facts.StepLeft: Batch._step_left,
    facts.QueueEntered: Batch._queue_entered,
    facts.QueueLeft: Batch._queue_left,
    facts.OfferMade: Batch._offer_made,
    facts.OfferEnded: Batch._offer_ended,
    facts.AgentStateBegan: Batch._agent_state_began,
    facts.RecordingMade: Batch._recording_made,
    facts.MessageLeft: Batch._message_left,
    facts.SurveyAnswered: lambda batch, fact: batch.of_flows.add_answer(fact),
    facts.CallbackAsked: lambda batch, fact: batch.callbacks.asked(fact),
    facts.CallbackTried: lambda batch, fact: batch.callbacks.tried(fact),
    facts.CallbackClosed: lambda batch, fact: batch.callbacks.closed(fact),
    facts.MailWanted: lambda batch, fact: batch.of_flows.add_mail(fact),
    facts.CallEnded: Batch._call_ended,
}


def _encode(rows: dict[Any, Row]) -> str:
    # One JSON text a table, taken apart by the server: far less work here than a parameter a value.
    return msgspec.json.encode(list(rows.values())).decode()


def _match_customers(cursor: psycopg2.extensions.cursor, call_ids: list[str]) -> None:
    """Give the calls that just began their customer by number, and register callers whom nobody knows."""
    cursor.execute(_MATCH + ";\n" + _UNKNOWN, (call_ids, call_ids))
    unknown = [str(row[0]) for row in cursor.fetchall()]
    if unknown:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", (REGISTERING,))
        cursor.execute(_REGISTER + ";\n" + _MATCH, (unknown, unknown))


def _won(columns: Iterable[str], condition: str) -> str:
    return ",\n    ".join(f"{name} = CASE WHEN {condition} THEN excluded.{name} ELSE c.{name} END" for name in columns)


_CALL = f"""
INSERT INTO call AS c (id, started_at, direction, caller_number, caller_name, called_number, number_name, switch, answered_at,
    customer_id, customer_found,
    ended_at, status, ended_by, hangup_cause, queue, agent_id, extension, flow, flow_version, final)
SELECT id, started_at, direction, coalesce(caller_number, ''), coalesce(caller_name, ''), coalesce(called_number, ''),
    coalesce(number_name, ''), coalesce(switch, ''), answered_at, customer_id, customer_id IS NOT NULL,
    ended_at, status, ended_by, hangup_cause, queue, agent_id, extension, flow, flow_version, coalesce(final, false)
FROM json_to_recordset(%s) AS x(id uuid, started_at timestamptz(3), direction text, caller_number text, caller_name text,
    called_number text, number_name text, switch text, answered_at timestamptz(3), customer_id integer, ended_at timestamptz(3),
    status text, ended_by text, hangup_cause text, queue text, agent_id integer, extension text, flow text,
    flow_version integer, final boolean)
ORDER BY id
ON CONFLICT (id) DO UPDATE SET
    {_won(_BEGAN, "excluded.started_at IS NOT NULL AND (c.started_at IS NULL OR excluded.started_at < c.started_at)")},
    answered_at = least(c.answered_at, excluded.answered_at),
    customer_id = CASE WHEN NOT excluded.customer_found THEN c.customer_id
        WHEN c.customer_found THEN least(c.customer_id, excluded.customer_id) ELSE excluded.customer_id END,
    customer_found = c.customer_found OR excluded.customer_found,
    {
    _won(
        _ENDED,
        '''excluded.ended_at IS NOT NULL AND (c.ended_at IS NULL
        OR (NOT excluded.final, excluded.ended_at,
            excluded.status COLLATE "C", excluded.ended_by COLLATE "C", excluded.hangup_cause COLLATE "C")
         < (NOT c.final, c.ended_at, c.status COLLATE "C", c.ended_by COLLATE "C", c.hangup_cause COLLATE "C"))''',
    )
}
WHERE coalesce(excluded.started_at, excluded.answered_at, excluded.ended_at) IS NOT NULL OR excluded.customer_found"""  # noqa: S608

_SEGMENT = """
INSERT INTO segment (call_id, leg, kind, queue, agent_id, extension, started_at, began_at, ended_at)
SELECT call_id, leg, kind, queue, agent_id, extension, started_at, started_at, ended_at
FROM json_to_recordset(%s) AS x(call_id uuid, leg text, kind text, queue text, agent_id integer, extension text,
    started_at timestamptz(3), ended_at timestamptz(3))
ON CONFLICT DO NOTHING"""

_STEP = """
INSERT INTO ivr_step AS s (call_id, entered_at, left_at, flow, flow_version, node, node_type, exit)
SELECT call_id, entered_at, left_at, flow, flow_version, node, node_type, exit
FROM json_to_recordset(%s) AS x(call_id uuid, entered_at timestamptz, left_at timestamptz, flow text, flow_version integer,
    node text, node_type text, exit text)
ORDER BY call_id, entered_at
ON CONFLICT (call_id, entered_at) DO UPDATE SET
    flow = coalesce(s.flow, excluded.flow), flow_version = coalesce(s.flow_version, excluded.flow_version),
    node = coalesce(s.node, excluded.node), node_type = coalesce(s.node_type, excluded.node_type),
    (left_at, exit) = (SELECT w.left_at, w.exit FROM (VALUES (s.left_at, s.exit), (excluded.left_at, excluded.exit))
        AS w(left_at, exit) ORDER BY w.left_at IS NULL, w.exit = 'lost', w.left_at, w.exit COLLATE "C" LIMIT 1)"""

_ENTRY = """
INSERT INTO queue_entry AS e (id, call_id, queue, entered_at, left_at, result, agent_id, priority, position_at_entry,
    estimated_wait_seconds, estimated_low_seconds, estimated_high_seconds, kind)
SELECT id, call_id, queue, entered_at, left_at, result, agent_id, priority, position_at_entry, estimated_wait_seconds,
    estimated_low_seconds, estimated_high_seconds, coalesce(kind, 'call')
FROM json_to_recordset(%s) AS x(id uuid, call_id uuid, queue text, entered_at timestamptz, left_at timestamptz, result text,
    agent_id integer, priority integer, position_at_entry integer, estimated_wait_seconds numeric,
    estimated_low_seconds numeric, estimated_high_seconds numeric, kind text)
ORDER BY id
ON CONFLICT (id) DO UPDATE SET
    queue = coalesce(e.queue, excluded.queue), entered_at = coalesce(e.entered_at, excluded.entered_at),
    priority = coalesce(e.priority, excluded.priority),
    position_at_entry = coalesce(e.position_at_entry, excluded.position_at_entry),
    estimated_wait_seconds = coalesce(e.estimated_wait_seconds, excluded.estimated_wait_seconds),
    estimated_low_seconds = coalesce(e.estimated_low_seconds, excluded.estimated_low_seconds),
    estimated_high_seconds = coalesce(e.estimated_high_seconds, excluded.estimated_high_seconds),
    kind = greatest(e.kind, excluded.kind),
    (left_at, result, agent_id) = (SELECT w.left_at, w.result, w.agent_id FROM (VALUES (e.left_at, e.result, e.agent_id),
        (excluded.left_at, excluded.result, excluded.agent_id)) AS w(left_at, result, agent_id)
        ORDER BY w.left_at IS NULL, w.result = 'failed', w.left_at, w.result COLLATE "C" LIMIT 1)"""

_OFFER = """
INSERT INTO offer AS o (id, call_id, entry_id, queue, agent_id, extension, offered_at, ended_at, result, why)
SELECT id, call_id, entry_id, queue, agent_id, extension, offered_at, ended_at, result, why
FROM json_to_recordset(%s) AS x(id uuid, call_id uuid, entry_id uuid, queue text, agent_id integer, extension text,
    offered_at timestamptz, ended_at timestamptz, result text, why jsonb)
ORDER BY id
ON CONFLICT (id) DO UPDATE SET
    call_id = coalesce(o.call_id, excluded.call_id), entry_id = coalesce(o.entry_id, excluded.entry_id),
    queue = coalesce(o.queue, excluded.queue), agent_id = coalesce(o.agent_id, excluded.agent_id),
    extension = coalesce(o.extension, excluded.extension), offered_at = coalesce(o.offered_at, excluded.offered_at),
    why = coalesce(o.why, excluded.why), ended_at = least(o.ended_at, excluded.ended_at),
    result = CASE WHEN excluded.ended_at IS NULL THEN o.result WHEN o.ended_at IS NULL THEN excluded.result
        WHEN (excluded.ended_at, excluded.result COLLATE "C") < (o.ended_at, o.result COLLATE "C") THEN excluded.result
        ELSE o.result END"""

_RECORDING = """
INSERT INTO recording (id, call_id, path, started_at, seconds, queue, agent_id)
SELECT id, call_id, path, started_at, seconds, queue, agent_id
FROM json_to_recordset(%s) AS x(id uuid, call_id uuid, path text, started_at timestamptz, seconds numeric, queue text,
    agent_id integer)
ON CONFLICT DO NOTHING"""

_MESSAGE = """
INSERT INTO voicemail (id, call_id, box, path, left_at, seconds, caller_number)
SELECT id, call_id, box, path, left_at, seconds, caller_number
FROM json_to_recordset(%s) AS x(id uuid, call_id uuid, box text, path text, left_at timestamptz, seconds numeric,
    caller_number text)
ON CONFLICT DO NOTHING"""

# Each part of the caller's leg lasts till the next; the first begins with the call, and none reaches beyond it.
_SEGMENT_ENDS = """
UPDATE segment s SET began_at = d.began_at, ended_at = d.ended_at
FROM (
    SELECT g.call_id, g.started_at, g.kind,
        least(CASE WHEN lag(g.started_at) OVER leg IS NULL THEN coalesce(c.started_at, g.started_at)
            ELSE greatest(g.started_at, c.started_at) END, c.ended_at) AS began_at,
        CASE WHEN lead(g.started_at) OVER leg IS NULL THEN c.ended_at
            ELSE least(greatest(lead(g.started_at) OVER leg, c.started_at), c.ended_at) END AS ended_at
    FROM segment g JOIN call c ON c.id = g.call_id
    WHERE g.leg = 'caller' AND g.call_id = ANY (%s::uuid[])
    WINDOW leg AS (PARTITION BY g.call_id ORDER BY g.started_at, g.kind)
) d
WHERE s.call_id = d.call_id AND s.leg = 'caller' AND s.started_at = d.started_at AND s.kind = d.kind
    AND (s.began_at, s.ended_at) IS DISTINCT FROM (d.began_at, d.ended_at)"""

_SECONDS = """
UPDATE call c SET ivr_seconds = d.ivr, wait_seconds = d.wait, ring_seconds = d.ring, talk_seconds = d.talk,
    hold_seconds = d.hold, wrap_up_seconds = d.wrap_up
FROM (
    SELECT id, coalesce(sum(seconds) FILTER (WHERE kind = 'ivr'), 0) AS ivr,
        coalesce(sum(seconds) FILTER (WHERE kind = 'queue'), 0) AS wait,
        coalesce(sum(seconds) FILTER (WHERE kind = 'offer'), 0) AS ring,
        coalesce(sum(seconds) FILTER (WHERE kind = 'talk'), 0) AS talk,
        coalesce(sum(seconds) FILTER (WHERE kind IN ('hold', 'consult')), 0) AS hold,
        coalesce(sum(seconds) FILTER (WHERE kind = 'wrap_up'), 0) AS wrap_up
    FROM (
        SELECT k.id, g.kind, round(extract(epoch FROM g.ended_at - g.began_at), 3) AS seconds
        FROM call k LEFT JOIN segment g ON g.call_id = k.id
        WHERE k.id = ANY (%s::uuid[]) AND k.ended_at IS NOT NULL AND k.started_at IS NOT NULL
    ) parts GROUP BY id
) d
WHERE c.id = d.id AND (c.ivr_seconds, c.wait_seconds, c.ring_seconds, c.talk_seconds, c.hold_seconds, c.wrap_up_seconds)
    IS DISTINCT FROM (d.ivr, d.wait, d.ring, d.talk, d.hold, d.wrap_up)"""

_STATE_LOCKS = "SELECT pg_advisory_xact_lock(%s, a.id) FROM unnest(%s::integer[]) WITH ORDINALITY AS a(id, n)"

_STATE = """
INSERT INTO agent_state AS s (agent_id, since, presence, work_state, reason, call_id)
SELECT agent_id, since, presence, work_state, reason, call_id
FROM json_to_recordset(%s) AS x(agent_id integer, since timestamptz, presence text, work_state text, reason text, call_id uuid)
ON CONFLICT (agent_id, since) DO UPDATE SET presence = excluded.presence, work_state = excluded.work_state,
    reason = excluded.reason, call_id = excluded.call_id
WHERE (s.presence, s.work_state, s.reason, s.call_id)
    IS DISTINCT FROM (excluded.presence, excluded.work_state, excluded.reason, excluded.call_id)"""

_STATE_ENDS = """
UPDATE agent_state s SET until = d.until
FROM (
    SELECT t.agent_id, t.since, lead(t.since) OVER (PARTITION BY t.agent_id ORDER BY t.since) AS until
    FROM (
        SELECT agent_id, min(since) AS since
        FROM json_to_recordset(%s) AS x(agent_id integer, since timestamptz) GROUP BY agent_id
    ) b
    JOIN agent_state t ON t.agent_id = b.agent_id AND t.since >= coalesce(
        (SELECT max(p.since) FROM agent_state p WHERE p.agent_id = b.agent_id AND p.since < b.since), b.since)
) d
WHERE s.agent_id = d.agent_id AND s.since = d.since AND s.until IS DISTINCT FROM d.until"""

_MATCH = """
UPDATE call c SET customer_id = m.customer_id
FROM (
    SELECT k.id, min(n.customer_id) AS customer_id
    FROM call k JOIN customer_number n
        ON n.number = CASE k.direction WHEN 'outbound' THEN k.called_number WHEN 'inbound' THEN k.caller_number END
    WHERE k.id = ANY (%s::uuid[]) AND k.customer_id IS NULL
    GROUP BY k.id HAVING count(*) = 1
) m
WHERE c.id = m.id"""

# Public numbers alone: an internal extension or a withheld number is nobody's card. One customer may have got the number
# from another process since the matching, and is matched once more.
_UNKNOWN = """
SELECT k.id FROM call k
WHERE k.id = ANY (%s::uuid[]) AND k.customer_id IS NULL AND k.direction = 'inbound' AND k.caller_number LIKE '+%%'
    AND (SELECT count(*) FROM customer_number n WHERE n.number = k.caller_number) < 2"""

_REGISTER = """
WITH fresh AS (
    SELECT DISTINCT ON (k.caller_number) k.id, k.caller_number, k.caller_name, k.started_at
    FROM call k
    WHERE k.id = ANY (%s::uuid[]) AND NOT EXISTS (SELECT FROM customer_number n WHERE n.number = k.caller_number)
    ORDER BY k.caller_number, k.started_at, k.id
), made AS (
    INSERT INTO customer (name, registered_by_call, created_at)
    SELECT CASE WHEN caller_name ~ '[[:alpha:]]' THEN left(caller_name, 200) ELSE '' END, id, started_at FROM fresh
    RETURNING id, registered_by_call
)
INSERT INTO customer_number (customer_id, number)
SELECT made.id, fresh.caller_number FROM made JOIN fresh ON fresh.id = made.registered_by_call"""
