"""What Redis has of callbacks after it was away: as they are, and not as they were when it could not be told."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from conf.clock import Clock
from conf.database import Database
from engine.call.callback_watch import LOOKS_APART
from engine.call.callbacks import Callbacks
from engine.live import connection, keys
from engine.live.callbacks import Callback, encode, live
from engine.live.connection import Redis
from engine.live.outbox import Outbox
from engine.live.wire import Wire
from engine.records.journal import Journal
from engine.routing.roster import QueueRule, Roster
from tests.ports import free_port

NOW = datetime(2026, 3, 4, 10, tzinfo=UTC)


@pytest.fixture
def owed() -> Callback:
    return Callback(
        callback_id="00000000-0000-4000-8000-000000000001",
        owner="",
        queue="sales",
        number="+4532101010",
        call_id="00000000-0000-4000-8000-000000000002",
        asked_at=NOW,
        due_at=NOW,
        entry={"event": "EntryAdded", "at": 1.0, "entry_id": "", "call_id": "", "queue": "sales", "owner": ""}
        | {"entered_at": 1.0},
    )


def looking_after(
    redis: Redis, journal: Journal, outbox: Outbox, db: Any = None, *, on_duty: bool = False
) -> Callbacks:
    """What a process of an installation with one queue and no phones looks after."""
    roster = Roster(1, (), (QueueRule("sales"),))
    nobody: Any = None
    configuration: Any = SimpleNamespace(snapshot=SimpleNamespace(roster=roster, plan=SimpleNamespace(calendars={})))
    return Callbacks(
        process_id="engine-1",
        clock=Clock(),
        redis=redis,
        outbox=outbox,
        journal=journal,
        configuration=configuration,
        switches=nobody,
        pops=nobody,
        lookups=nobody,
        db=db,
        on_duty=lambda: on_duty,
    )


def test_a_callback_asked_for_while_redis_was_away_waits_on(redis_url: str, tmp_path: Path, owed: Callback) -> None:
    redis, journal, outbox = connection.commands(redis_url), Journal(tmp_path, "engine-1"), Outbox(Wire(redis_url))
    callbacks = looking_after(connection.commands(f"redis://127.0.0.1:{free_port()}/0"), journal, outbox)
    try:
        assert callbacks.ask(owed) == "taken"
        # Redis is back, and the callback waits in the router before what was kept meanwhile is sent.
        callbacks._redis = redis
        callbacks._tick()
        entry_id = owed.entry_id
        assert entry_id is not None
        outbox.start()
        assert outbox._empty.wait(30)
        assert live(redis)[owed.callback_id]["entry_id"] == entry_id
        assert redis.hexists(keys.WAITING, entry_id)
        # Somebody took it for an entry of nobody.
        redis.hdel(keys.WAITING, entry_id)
        told = redis.xlen(keys.ROUTER_EVENTS)
        for _ in range(2):
            callbacks._tick()
        assert outbox._empty.wait(30)
        assert redis.hexists(keys.WAITING, entry_id)
        assert redis.xlen(keys.ROUTER_EVENTS) == told + 1
        # The router has found its place, and then its process is taken for dead.
        redis.zadd(keys.queue("sales"), {entry_id: 1.0})
        callbacks.adopt(owed, NOW)
        assert outbox._empty.wait(5)
        assert redis.zcard(keys.queue("sales")) == 0
        assert not redis.hexists(keys.WAITING, entry_id)
    finally:
        outbox.stop(1)
        journal.close()
        redis.close()


@pytest.mark.parametrize("owner", ["engine-1", "one that died"])
def test_a_callback_that_was_over_is_not_made_again_where_redis_remembers_it(
    redis_url: str, db: Database, tmp_path: Path, owed: Callback, owner: str
) -> None:
    redis, journal, outbox = connection.commands(redis_url), Journal(tmp_path, "engine-1"), Outbox(Wire(redis_url))
    callbacks = looking_after(redis, journal, outbox, db, on_duty=True)
    try:
        db.execute_sql(
            "INSERT INTO callback (id, call_id, queue, number, asked_at, closed_at, result) "
            "VALUES (%s, %s, 'sales', %s, now(), now(), 'done')",
            (owed.callback_id, owed.call_id, owed.number),
        )
        # As it was in the second before it was over.
        owed.owner = owner
        redis.hset(keys.CALLBACKS, owed.callback_id, encode(owed).decode())
        redis.hset(keys.CALLBACK_NUMBERS, owed.number, owed.callback_id)
        for _ in range(3):
            callbacks._tick()
        assert live(redis) == {}
        assert not redis.hexists(keys.CALLBACK_NUMBERS, owed.number)
        assert not callbacks.has(owed.callback_id)
    finally:
        outbox.stop(0)
        journal.close()
        redis.close()


def test_a_wish_that_was_lost_with_its_process_can_be_told_again(
    redis_url: str, db: Database, tmp_path: Path, owed: Callback
) -> None:
    redis, journal, outbox = connection.commands(redis_url), Journal(tmp_path, "engine-1"), Outbox(Wire(redis_url))
    callbacks = looking_after(redis, journal, outbox, db, on_duty=True)
    try:
        redis.hset(keys.CALLBACK_NUMBERS, owed.number, "00000000-0000-4000-8000-00000000dead")
        assert callbacks.ask(owed) == "known"
        for _ in range(2 * LOOKS_APART):
            callbacks._tick()
        assert callbacks.ask(owed) == "taken"
        for _ in range(2 * LOOKS_APART):
            callbacks._tick()
        assert redis.hget(keys.CALLBACK_NUMBERS, owed.number) == owed.callback_id
    finally:
        outbox.stop(0)
        journal.close()
        redis.close()
