"""Records: what a fact costs to write down, and how fast a backlog goes into Postgres after an outage."""

from __future__ import annotations

import tempfile
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import gevent
import msgspec
import psycopg2

from engine.records import facts
from engine.records.journal import Journal
from engine.records.shipping import Shipper


class Drained(msgspec.Struct, frozen=True):
    calls: int
    facts: int
    append_microseconds: float
    """What one fact costs the call that it is told of."""
    facts_a_second: float
    calls_a_second: float
    lost: int


def a_call(number: int, at: datetime) -> list[facts.AnyFact]:
    """What the engine journals of one answered call."""
    call_id, entry_id, offer_id, recording_id = (str(uuid.uuid4()) for _ in range(4))
    agent, extension = number % 200 + 1, str(2001 + number % 200)

    def then(seconds: float) -> datetime:
        return at + timedelta(seconds=seconds)

    def state(seconds: float, work: facts.WorkState) -> facts.AgentStateBegan:
        return facts.AgentStateBegan(
            agent_id=agent, at=then(seconds), presence="ready", work_state=work, call_id=call_id
        )

    told: list[facts.AnyFact] = [
        facts.CallBegan(
            call_id=call_id,
            at=at,
            direction="inbound",
            caller_number=f"+45{20_000_000 + number % 10_000}",
            called_number="7000",
            number_name="Load",
        ),
        facts.PhaseBegan(call_id=call_id, at=at, phase="ivr"),
        facts.CallAnswered(call_id=call_id, at=then(0.1)),
    ]
    for position, (node, kind, out) in enumerate(
        (
            ("doors", "hours", "open"),
            ("morning", "hours", "open"),
            ("good_morning", "play", "next"),
            ("menu", "menu", "1"),
        )
    ):
        told += [
            facts.StepEntered(
                call_id=call_id,
                entered_at=then(0.2 + position),
                flow="bench",
                flow_version=1,
                node=node,
                node_type=kind,
            ),
            facts.StepLeft(call_id=call_id, entered_at=then(0.2 + position), left_at=then(1.2 + position), exit=out),
        ]
    who: dict[str, Any] = {"queue": "sales", "agent_id": agent, "extension": extension}
    told += [
        facts.PhaseBegan(call_id=call_id, at=then(5), phase="queue", queue="sales"),
        facts.QueueEntered(entry_id=entry_id, call_id=call_id, queue="sales", at=then(5)),
        facts.OfferMade(
            offer_id=offer_id,
            call_id=call_id,
            entry_id=entry_id,
            at=then(5.1),
            why={
                "strategy": "longest_idle",
                "in_words": "the only free agent",
                "candidates": [],
                "left_out_count": 199,
            },
            **who,
        ),
        state(5.1, "offered"),
        facts.OfferEnded(offer_id=offer_id, at=then(6), result="answered"),
        facts.SideSegment(call_id=call_id, phase="offer", started_at=then(5.1), ended_at=then(6), **who),
        state(6, "talking"),
        facts.QueueLeft(entry_id=entry_id, call_id=call_id, at=then(6), result="answered", agent_id=agent),
        facts.PhaseBegan(call_id=call_id, at=then(6.01), phase="talk", **who),
        facts.RecordingMade(
            recording_id=recording_id,
            call_id=call_id,
            path=f"conversations/{recording_id}.wav",
            started_at=then(6.01),
            seconds=60,
            queue="sales",
            agent_id=agent,
        ),
        facts.CallEnded(
            call_id=call_id,
            at=then(66),
            status="answered",
            ended_by="agent",
            hangup_cause="NORMAL_CLEARING",
            flow="bench",
            flow_version=1,
            **who,
        ),
        state(66, "wrap_up"),
        facts.SideSegment(call_id=call_id, phase="wrap_up", started_at=then(66), ended_at=then(71), **who),
        state(71, "idle"),
    ]
    return told


def drain(database_url: str, calls: int) -> Drained:
    """Journal so many calls while nothing is shipped, then ship them all, in a database that has the schema."""
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    told = [fact for number in range(calls) for fact in a_call(number, start + timedelta(milliseconds=number * 3))]
    with tempfile.TemporaryDirectory(prefix="pointsman-bench-") as folder:
        journal = Journal(Path(folder), "bench")
        began = time.perf_counter()
        for position, fact in enumerate(told):
            journal.append(fact)
            if position % 200 == 0:
                gevent.sleep(0)
        appended = time.perf_counter() - began
        journal.close()
        shipper = Shipper(Path(folder), database_url)
        began = time.perf_counter()
        shipper.ship_all()
        shipped = time.perf_counter() - began
        shipper.stop()
    with psycopg2.connect(database_url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM report.calls WHERE status = 'answered' AND talk_seconds > 0")
        ((written,),) = cursor.fetchall()
    connection.close()
    return Drained(
        calls=calls,
        facts=len(told),
        append_microseconds=round(appended * 1e6 / len(told), 2),
        facts_a_second=round(len(told) / shipped),
        calls_a_second=round(calls / shipped),
        lost=calls - written,
    )
