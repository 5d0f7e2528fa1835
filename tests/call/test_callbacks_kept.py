"""What Redis has of callbacks after it was away: as they are, and not as they were when it could not be told."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from conf.clock import Clock
from engine.call.callbacks import Callbacks
from engine.live import connection, keys
from engine.live.callbacks import Callback, live
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


def test_a_callback_asked_for_while_redis_was_away_waits_on(redis_url: str, tmp_path: Path, owed: Callback) -> None:
    redis, journal, outbox = connection.commands(redis_url), Journal(tmp_path, "engine-1"), Outbox(Wire(redis_url))
    roster = Roster(1, (), (QueueRule("sales"),))
    nobody: Any = None
    configuration: Any = SimpleNamespace(snapshot=SimpleNamespace(roster=roster, plan=SimpleNamespace(calendars={})))
    callbacks = Callbacks(
        process_id="engine-1",
        clock=Clock(),
        redis=connection.commands(f"redis://127.0.0.1:{free_port()}/0"),
        outbox=outbox,
        journal=journal,
        configuration=configuration,
        switches=nobody,
        pops=nobody,
        lookups=nobody,
        db=nobody,
        on_duty=lambda: False,
    )
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
