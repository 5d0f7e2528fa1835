"""Facts become rows, whatever their order, however often they come, and whatever breaks on the way."""

from __future__ import annotations

import itertools
import json
import os
import random
import shutil
import tempfile
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import gevent
import psycopg2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conf.database import raw_connection
from engine.records import facts
from engine.records.apply import Batch
from engine.records.customers import find_many
from engine.records.journal import Journal, encoder
from engine.records.shipping import Shipper

START = datetime(2026, 3, 2, 9, 0, 0, 123000, UTC)
VIEWS = {
    "report.calls": "call_id",
    "report.segments": "call_id, position",
    "report.ivr_steps": "call_id, position",
    "report.queue_entries": "entry_id",
    "report.offers": "offer_id",
    "report.agent_states": "extension, since",
}


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def a_call(
    call_id: str, begins: float, caller: str = "+4532101010", *, ends: float = 61.0, rejected: int = 1
) -> list[facts.AnyFact]:
    """An answered call with `rejected` offers in vain, as the engine journals it."""
    t = begins
    entry = str(uuid.uuid5(uuid.UUID(call_id), "entry"))
    made: list[facts.AnyFact] = [
        facts.CallBegan(
            call_id=call_id,
            at=at(t),
            direction="inbound",
            caller_number=caller,
            called_number="5000",
            number_name="Main line",
            caller_name="Mette Dahl",
        ),
        facts.PhaseBegan(call_id=call_id, at=at(t), phase="ivr"),
        facts.CallAnswered(call_id=call_id, at=at(t + 0.2)),
        facts.StepEntered(
            call_id=call_id, entered_at=at(t + 0.2), flow="main", flow_version=1, node="hello", node_type="play"
        ),
        facts.StepLeft(call_id=call_id, entered_at=at(t + 0.2), left_at=at(t + 4.3), exit="done"),
        facts.StepEntered(
            call_id=call_id, entered_at=at(t + 4.3), flow="main", flow_version=1, node="menu", node_type="menu"
        ),
        facts.StepLeft(call_id=call_id, entered_at=at(t + 4.3), left_at=at(t + 7), exit="1"),
        facts.PhaseBegan(call_id=call_id, at=at(t + 7.0001), phase="queue", queue="sales"),
        facts.QueueEntered(
            entry_id=entry,
            call_id=call_id,
            queue="sales",
            at=at(t + 7),
            priority=3,
            position=1,
            estimated_wait_seconds=12.5,
        ),
    ]
    for n in range(rejected + 1):
        offer = str(uuid.uuid5(uuid.UUID(call_id), f"offer{n}"))
        agent = n % 2 + 1
        last = n == rejected
        begun, over = t + 8 + n * 5, t + 11 + n * 5
        made += [
            facts.OfferMade(
                offer_id=offer,
                call_id=call_id,
                entry_id=entry,
                queue="sales",
                agent_id=agent,
                extension=f"100{agent}",
                at=at(begun),
                why={"candidates": [agent], "said": 'Ærø "quoted" \\ %s'},
            ),
            facts.SideSegment(
                call_id=call_id,
                phase="offer",
                started_at=at(begun),
                ended_at=at(over),
                queue="sales",
                agent_id=agent,
                extension=f"100{agent}",
            ),
            facts.OfferEnded(offer_id=offer, at=at(over), result="answered" if last else "no_answer"),
            facts.AgentStateBegan(
                agent_id=agent, at=at(begun), presence="ready", work_state="offered", call_id=call_id
            ),
            facts.AgentStateBegan(
                agent_id=agent, at=at(over), presence="ready", work_state="talking" if last else "idle", call_id=call_id
            ),
        ]
    answered = t + 11 + rejected * 5
    made += [
        facts.QueueLeft(entry_id=entry, call_id=call_id, at=at(answered), result="answered", agent_id=agent),
        facts.PhaseBegan(
            call_id=call_id, at=at(answered), phase="talk", queue="sales", agent_id=agent, extension=f"100{agent}"
        ),
        facts.PhaseBegan(call_id=call_id, at=at(answered + 10), phase="hold", queue="sales", agent_id=agent),
        facts.PhaseBegan(call_id=call_id, at=at(answered + 15), phase="talk", queue="sales", agent_id=agent),
        facts.RecordingMade(
            recording_id=str(uuid.uuid5(uuid.UUID(call_id), "rec")),
            call_id=call_id,
            path="a/b.wav",
            started_at=at(answered),
            seconds=20.5,
        ),
        facts.CallEnded(
            call_id=call_id,
            at=at(t + ends),
            status="abandoned_queue",
            ended_by="system",
            hangup_cause="NONE",
            final=False,
        ),
        facts.CallEnded(
            call_id=call_id,
            at=at(t + ends + 0.0007),
            status="answered",
            ended_by="caller",
            hangup_cause="NORMAL_CLEARING",
            queue="sales",
            agent_id=agent,
            extension=f"100{agent}",
            flow="main",
            flow_version=1,
        ),
        facts.SideSegment(
            call_id=call_id, phase="wrap_up", started_at=at(t + ends), ended_at=at(t + ends + 5), agent_id=agent
        ),
        facts.AgentStateBegan(agent_id=agent, at=at(t + ends), presence="ready", work_state="wrap_up", call_id=call_id),
        facts.AgentStateBegan(agent_id=agent, at=at(t + ends + 5), presence="ready", work_state="idle"),
    ]
    return made


def rows(url: str) -> dict[str, list[tuple[Any, ...]]]:
    connection = psycopg2.connect(url)
    try:
        with connection.cursor() as cursor:
            found = {}
            for view, order in VIEWS.items():
                cursor.execute(f"SELECT * FROM {view} ORDER BY {order}")
                found[view] = cursor.fetchall()
            return found
    finally:
        connection.close()


def one(url: str, statement: str, *values: object) -> tuple[Any, ...]:
    connection = psycopg2.connect(url)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement, values)
            row = cursor.fetchone() if cursor.description else ()
            assert row is not None
            return row
    finally:
        connection.close()


def write(url: str, batches: Sequence[Sequence[facts.AnyFact]]) -> None:
    connection = psycopg2.connect(url)
    try:
        for facts_of_one in batches:
            batch = Batch()
            for fact in facts_of_one:
                batch.add(fact)
            with connection, connection.cursor() as cursor:
                batch.write(cursor)
    finally:
        connection.close()


def clear(url: str) -> None:
    one(url, "TRUNCATE call, segment, ivr_step, queue_entry, offer, agent_state, recording, voicemail, journal_offset")


@pytest.fixture
def people(database_url: str) -> str:
    one(
        database_url,
        "INSERT INTO agent (name, extension) VALUES ('Anna Holm', '1001'), ('Ben Okoro', '1002');"
        "INSERT INTO customer (name, category) VALUES ('Mette Dahl', 'vip');"
        "INSERT INTO customer_number SELECT id, '+4532101010' FROM customer",
    )
    return database_url


@pytest.fixture
def folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="pointsman-journal-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


FIRST, SECOND = "11111111-0000-4000-8000-000000000001", "11111111-0000-4000-8000-000000000002"


def test_a_call_answered_has_its_row_and_its_segments_add_up(people: str) -> None:
    write(people, [a_call(FIRST, 0)])
    found = rows(people)
    (call,) = found["report.calls"]
    columns = one(
        people,
        "SELECT array_agg(attname::text ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'report.calls'::regclass",
    )[0]
    row = dict(zip(columns, call, strict=True))
    assert row["status"] == "answered"
    assert row["customer_name"] == "Mette Dahl"
    assert row["customer_category"] == "vip"
    assert (row["agent"], row["extension"], row["queue"]) == ("Ben Okoro", "1002", "sales")
    assert row["ended_by"] == "caller", "the final end replaces the sweeper's"
    assert float(row["total_seconds"]) == 61.001
    assert float(row["ivr_seconds"]) == 7.0
    assert float(row["wait_seconds"]) == 9.0
    assert float(row["ring_seconds"]) == 6.0
    assert float(row["talk_seconds"]) == 40.001
    assert float(row["hold_seconds"]) == 5.0
    assert float(row["wrap_up_seconds"]) == 5.0
    assert row["recording_id"] is not None
    assert row["recording_listened"] is False
    caller = [segment for segment in found["report.segments"] if segment[-1] == "caller"]
    assert [segment[2] for segment in caller] == ["ivr", "queue", "talk", "hold", "talk"]
    assert sum(segment[8] for segment in caller) == row["total_seconds"]
    assert [before[7] for before in caller[:-1]] == [after[6] for after in caller[1:]], (
        "each ends where the next begins"
    )
    assert one(people, "SELECT why->>'said' FROM report.offers LIMIT 1") == ('Ærø "quoted" \\ %s',)


TOLD = a_call(FIRST, 0) + a_call(SECOND, 30, "+4577665544", rejected=0)
"""Two calls, in the order in which they happened."""


@st.composite
def deliveries(draw: st.DrawFn) -> list[list[int]]:
    """Batches of indices into the facts: each at least once, some twice, in any order, cut anywhere."""
    count = len(TOLD)
    order = list(draw(st.permutations(range(count)))) + draw(st.lists(st.integers(0, count - 1), max_size=8))
    cuts = sorted(draw(st.sets(st.integers(1, len(order) - 1), max_size=6)))
    return [order[a:b] for a, b in zip([0, *cuts], [*cuts, len(order)], strict=True)]


@pytest.fixture
def told_in_order(people: str) -> Any:
    """The rows of calls that were told at once and in order."""
    write(people, [TOLD])
    return rows(people)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=deliveries())
def test_any_order_and_any_repeat_give_the_same_rows(people: str, told_in_order: Any, batches: list[list[int]]) -> None:
    clear(people)
    write(people, [[TOLD[index] for index in batch] for batch in batches])
    assert rows(people) == told_in_order


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    phases=st.lists(
        st.tuples(
            st.integers(0, 300_000_000),
            st.sampled_from(["ivr", "queue", "talk", "hold", "consult", "voicemail", "callback"]),
        ),
        min_size=1,
        max_size=8,
        unique_by=lambda phase: phase[0] // 1000,
    ),
    end=st.integers(0, 300_000_000),
)
def test_the_caller_s_segments_never_overlap_and_add_up(people: str, phases: list[tuple[int, Any]], end: int) -> None:
    clear(people)
    told: list[facts.AnyFact] = [
        facts.CallBegan(
            call_id=FIRST, at=at(0), direction="inbound", caller_number="", called_number="5000", number_name=""
        ),
        *(facts.PhaseBegan(call_id=FIRST, at=at(micro / 1e6), phase=phase) for micro, phase in phases),
        facts.CallEnded(call_id=FIRST, at=at(end / 1e6), status="answered", ended_by="caller", hangup_cause=""),
    ]
    random.Random(end).shuffle(told)
    write(people, [told[:2], told[2:]])
    found = rows(people)
    segments = found["report.segments"]
    total = one(people, "SELECT total_seconds FROM report.calls")[0]
    assert all(segment[8] >= 0 for segment in segments)
    assert all(before[7] <= after[6] for before, after in itertools.pairwise(segments))
    assert sum(segment[8] for segment in segments) == total


def test_an_offer_whose_end_nobody_wrote_down_ends_with_its_call_until_the_end_is_told(people: str) -> None:
    made = facts.OfferMade(
        offer_id=SECOND, call_id=FIRST, entry_id=SECOND, queue="sales", agent_id=1, extension="1001", at=at(3), why={}
    )
    ended = facts.CallEnded(call_id=FIRST, at=at(9), status="answered", ended_by="caller", hangup_cause="")
    for order in ([[made], [ended]], [[ended], [made]], [[made, ended]]):
        clear(people)
        write(people, order)
        assert one(people, "SELECT result, ended_at FROM report.offers") == ("failed", at(9))
    write(people, [[facts.OfferEnded(offer_id=SECOND, at=at(10), result="no_answer")]])
    assert one(people, "SELECT result, ended_at FROM report.offers") == ("no_answer", at(10))


def test_two_processes_that_ship_parts_of_the_same_calls_at_once_lose_nothing(people: str) -> None:
    told = [fact for n in range(12) for fact in a_call(str(uuid.UUID(int=n + 1)), n * 0.037, f"+45770000{n % 3:02}")]
    write(people, [told])
    expected = rows(people)
    clear(people)
    parts: list[list[facts.AnyFact]] = [[], [], []]
    mixed = random.Random(7)
    for fact in told:
        parts[mixed.randrange(3)].append(fact)
    for part in parts:
        mixed.shuffle(part)
    writers = [gevent.spawn(write, people, [part[n : n + 20] for n in range(0, len(part), 20)]) for part in parts]
    gevent.joinall(writers, raise_error=True)
    assert rows(people) == expected


def test_an_unknown_caller_is_registered_once_however_many_calls(people: str) -> None:
    calls = [
        facts.CallBegan(
            call_id=str(uuid.uuid4()),
            at=at(n),
            direction="inbound",
            caller_number=number,
            called_number="5000",
            number_name="",
        )
        for n, number in enumerate(["+4512345678", "+4512345678", "1002", "", "+4587654321"])
    ]
    write(people, [calls[:1], calls[1:], calls])
    assert one(people, "SELECT count(*), count(DISTINCT customer_id) FROM call WHERE customer_id IS NOT NULL") == (3, 2)
    assert one(people, "SELECT count(*) FROM customer WHERE registered_by_call IS NOT NULL") == (2,)


def test_one_unknown_caller_who_calls_twice_at_once_is_registered_once(people: str) -> None:
    calls = [
        facts.CallBegan(
            call_id=str(uuid.uuid4()),
            at=at(n),
            direction="inbound",
            caller_number="+4512345678",
            called_number="5000",
            number_name="",
        )
        for n in range(6)
    ]
    gevent.joinall([gevent.spawn(write, people, [[call]]) for call in calls], raise_error=True)
    assert one(people, "SELECT count(*) FROM customer WHERE registered_by_call IS NOT NULL") == (1,)
    assert one(people, "SELECT count(DISTINCT customer_id), count(customer_id) FROM call") == (1, 6)


def test_a_number_of_two_customers_gives_the_call_to_neither_until_one_is_told(people: str) -> None:
    one(
        people,
        "INSERT INTO customer (name) VALUES ('Other'); INSERT INTO customer_number SELECT max(id), '+4532101010' FROM customer",
    )
    other = one(people, "SELECT max(id) FROM customer")[0]
    write(people, [a_call(FIRST, 0)])
    assert one(people, "SELECT customer_id FROM report.calls") == (None,)
    write(people, [[facts.CallerFound(call_id=FIRST, customer_id=other)]])
    assert one(people, "SELECT customer_id FROM report.calls") == (other,)


def test_the_journal_is_shipped_and_its_file_taken_away(people: str, folder: Path) -> None:
    journal = Journal(folder, "engine-1")
    shipper = Shipper(folder, people, journal, gather_seconds=0.01)
    shipper.start()
    for fact in a_call(FIRST, 0):
        journal.append(fact)
    journal.close()
    assert shipper.stop(10)
    assert shipper.shipped == journal.facts
    assert one(people, "SELECT status FROM report.calls") == ("answered",)
    assert list(folder.glob("*.jsonl")) == []
    assert one(people, "SELECT count(*) FROM journal_offset") == (0,)


def test_facts_are_in_postgres_while_the_journal_is_still_written(people: str, folder: Path) -> None:
    journal = Journal(folder, "engine-1", rotate_bytes=2000)
    shipper = Shipper(folder, people, journal)
    for n in range(20):
        for fact in a_call(str(uuid.UUID(int=n)), n):
            journal.append(fact)
        journal.sync()
        assert shipper.ship_all(10)
        assert one(people, "SELECT count(*) FROM report.calls") == (n + 1,)
    journal.close()
    assert shipper.stop(5)


def test_a_dead_process_s_journal_is_shipped_by_another_and_a_living_one_s_left_alone(
    people: str, folder: Path
) -> None:
    living = Journal(folder, "engine-2")
    living.append(a_call(SECOND, 0)[0])
    child = os.fork()
    if child == 0:
        journal = Journal(folder, "engine-1")
        for fact in a_call(FIRST, 0):
            journal.append(fact)
        os._exit(9)  # without a close, without an fsync
    os.waitpid(child, 0)
    with next(folder.glob("engine-1-*")).open("ab") as torn:
        torn.write(b'{"fact":"CallEn')
    shipper = Shipper(folder, people)
    assert shipper.ship_all(10)
    assert one(people, "SELECT count(*) FROM report.calls") == (1,)
    assert shipper.quarantined == 1
    assert [path.name for path in folder.glob("*.jsonl")] == [living.path.name]
    shipper.stop()
    living.close()


def test_bad_lines_are_put_aside_and_the_rest_is_kept(people: str, folder: Path) -> None:
    encode = encoder().encode
    good = a_call(FIRST, 0)
    bad = [
        b"not json",
        b'{"fact":"Unheard","call_id":"x"}',
        encode(facts.CallAnswered(call_id="no uuid", at=at(1))),
        json.dumps(
            {
                "fact": "CallBegan",
                "call_id": SECOND,
                "at": "2026-03-02T09:00:00Z",
                "direction": "inbound",
                "caller_number": "a\u0000b",
                "called_number": "5000",
                "number_name": "",
            }
        ).encode(),
    ]
    lines = [encode(fact) for fact in good]
    for index, line in zip((0, 5, 9, 20), bad, strict=True):
        lines.insert(index, line)
    path = folder / "engine-1-20260302T090000-aa.jsonl"
    path.write_bytes(b"\n".join(lines) + b"\n")
    shipper = Shipper(folder, people)
    assert shipper.ship_all(10)
    assert shipper.quarantined == len(bad)
    assert shipper.shipped == len(good)
    assert set((folder / "quarantine" / path.name).read_bytes().splitlines()) == set(bad)
    assert one(people, "SELECT status, total_seconds::float FROM report.calls") == ("answered", 61.001)
    shipper.stop()


def test_nothing_is_lost_while_the_database_is_away(people: str, folder: Path) -> None:
    away = people.rpartition("/")[0] + "/not_there"
    journal = Journal(folder, "engine-1")
    for fact in a_call(FIRST, 0):
        journal.append(fact)
    shipper = Shipper(folder, away, journal)
    shipper.start()
    assert not shipper.stop(0.5)
    assert shipper.last_fault is not None
    assert "not_there" in shipper.last_fault
    journal.close()
    back = Shipper(folder, people)
    assert back.ship_all(10)
    back.stop()
    assert one(people, "SELECT status FROM report.calls") == ("answered",)


def test_a_connection_that_the_server_ends_is_made_again(people: str, folder: Path) -> None:
    journal = Journal(folder, "engine-1")
    shipper = Shipper(folder, people, journal, gather_seconds=0.01)
    shipper.start()
    for n in range(3):
        for fact in a_call(str(uuid.UUID(int=n + 1)), n):
            journal.append(fact)
        one(
            people,
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'pointsman records'",
        )
    journal.close()
    assert shipper.stop(20)
    assert one(people, "SELECT count(*) FROM report.calls WHERE status = 'answered'") == (3,)


MANY = 30_000
FILL = f"""
CREATE TEMPORARY TABLE one AS
    SELECT n, gen_random_uuid() AS id, timestamptz '2026-03-02 10:00:00+00' + n * interval '7 seconds' AS at, n % 2 + 1 AS agent
    FROM generate_series(1, {MANY}) n;
INSERT INTO call (id, started_at, ended_at, direction, status, caller_number, agent_id, final)
    SELECT id, at, at + interval '1 minute', 'inbound', 'answered', '+4561' || lpad(n::text, 6, '0'), agent, true FROM one;
INSERT INTO segment (call_id, leg, kind, started_at, began_at, ended_at)
    SELECT id, 'caller', kind, at + later, at + later, at + later + interval '10 seconds'
    FROM one, (VALUES ('ivr', interval '0 seconds'), ('queue', interval '10 seconds'), ('talk', interval '20 seconds'))
        k (kind, later);
INSERT INTO ivr_step (call_id, entered_at, left_at, flow, flow_version, node, node_type, exit)
    SELECT id, at, at + interval '5 seconds', 'main', 1, 'menu', 'menu', '1' FROM one;
INSERT INTO queue_entry (id, call_id, queue, entered_at, left_at, result)
    SELECT gen_random_uuid(), id, 'sales', at, at + interval '10 seconds', 'answered' FROM one;
INSERT INTO offer (id, call_id, queue, agent_id, extension, offered_at, ended_at, result)
    SELECT gen_random_uuid(), id, 'sales', agent, '100' || agent, at, at + interval '5 seconds', 'answered' FROM one;
INSERT INTO agent_state (agent_id, since, until, presence, work_state)
    SELECT agent, at, lead(at) OVER (PARTITION BY agent ORDER BY at), 'ready', 'idle' FROM one;
INSERT INTO customer (name) SELECT 'Customer ' || n FROM one;
INSERT INTO customer_number SELECT id, '+4561' || lpad(id::text, 6, '0') FROM customer WHERE name LIKE 'Customer %';
DROP TABLE one
"""
LARGE = (
    "call",
    "segment",
    "ivr_step",
    "queue_entry",
    "offer",
    "agent_state",
    "customer",
    "customer_number",
    "recording",
)


def rows_read(cursor: Any) -> Counter[str]:
    """How many rows this connection has read of each large table."""
    cursor.execute(
        "SELECT relname, seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = ANY (%s)",
        (list(LARGE),),
    )
    return Counter(dict(cursor.fetchall()))


@pytest.mark.parametrize("statistics", ["of now", "of empty tables"])
def test_a_call_is_written_and_a_caller_found_without_searching_a_year_of_calls(people: str, statistics: str) -> None:
    """Also where facts come that are older than others."""
    with raw_connection(people, by_key=True) as connection, connection.cursor() as cursor:
        cursor.execute("ANALYZE; " + FILL)
        if statistics == "of now":
            cursor.execute("ANALYZE")
        before = rows_read(cursor)
        batch = Batch()
        for number in range(20):
            for fact in a_call(str(uuid.UUID(int=number)), number * 90, f"+4561{number:06}"):
                batch.add(fact)
        batch.write(cursor)
        assert len(find_many(cursor, [f"+4561{number:06}" for number in range(100, 150)])) == 50
        read = rows_read(cursor) - before
    connection.close()
    assert max(read.values()) < MANY / 10, read
    assert read["segment"] > 0
