"""Facts into rows: a batch of facts is merged by key and written to Postgres set by set, in one transaction.

Merging is commutative and idempotent, here within a batch and in the `ON CONFLICT` of each statement across batches, so
facts may come in any order, twice, and from several processes: the earliest beginning, answer and leaving win, a final end
wins over a sweeper's. What is derived (segment ends, a call's seconds, the end of an agent's state) is computed again in
the same transaction for the calls and agents that the batch touched, with their rows locked, so that two processes that
ship facts of one call at once see each other's. Rows are locked in the order of their keys, so that they do not stand in
each other's way.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
import psycopg2.extensions

from engine.records import facts, statements, unfinished
from engine.records.callback_rows import CallbackRows
from engine.records.flow_facts import FlowRows
from ivr.visit import LOST

Row = dict[str, Any]

REGISTERING = 0x52454749
AGENT_STATES = 0x41474E54
"""Advisory locks: registering unknown callers; one agent's states."""


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
        texts: list[str] = []
        arguments: list[Any] = []

        def then(statement: str, *values: Any) -> None:
            texts.append(statement)
            arguments.extend(values)

        if self.calls:
            then(statements.CALL, encode(self.calls))
        if self.segments:
            then(statements.SEGMENT, encode(self.segments))
        if self.steps:
            then(statements.STEP, encode(self.steps))
        if self.entries:
            then(statements.ENTRY, encode(self.entries))
        if self.offers:
            then(statements.OFFER, encode(self.offers))
        if self.recordings:
            then(statements.RECORDING, encode(self.recordings))
        if self.messages:
            then(statements.MESSAGE, encode(self.messages))
        for statement, rows in (*self.of_flows.statements(encode), *self.callbacks.statements(encode)):
            then(statement, rows)
        if self.calls:
            ids = list(self.calls)
            then(unfinished.STEPS, ids)
            then(unfinished.ENTRIES, ids)
            then(statements.SEGMENT_ENDS, ids)
            then(statements.SECONDS, ids)
        offered = {row["call_id"] for row in self.offers.values() if "call_id" in row} | self.calls.keys()
        if offered:
            then(unfinished.OFFERS, sorted(offered))
        if self.states:
            then(statements.STATE_LOCKS, AGENT_STATES, sorted({agent for agent, _ in self.states}))
            states = encode(self.states)
            then(statements.STATE, states)
            then(statements.STATE_ENDS, states, states)
        if texts:
            cursor.execute(";\n".join(texts), arguments)
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
            (fact.call_id, "agent", fact.started_at, f"{fact.phase} {fact.extension}"),
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
            (fact.exit == LOST, fact.left_at, fact.exit) < (row["exit"] == LOST, row["left_at"], row["exit"])
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
    cursor.execute(statements.MATCH + ";\n" + statements.UNKNOWN, (call_ids, call_ids))
    unknown = [str(row[0]) for row in cursor.fetchall()]
    if unknown:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", (REGISTERING,))
        cursor.execute(statements.REGISTER + ";\n" + statements.MATCH, (unknown, unknown))
