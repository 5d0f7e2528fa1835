"""What the router decides reaches the process that has the call, once, also where a connection broke on its way."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from engine.call.recovery import Checkpoints
from engine.call.registry import Inbox
from engine.live import connection, keys
from engine.live.connection import Redis
from engine.live.outbox import Outbox
from engine.live.wire import Wire
from engine.routing.events import MakeOffer, encode
from tests.waiting import until


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    made = connection.commands(redis_url)
    yield made
    made.close()


def offer(name: str, owner: str = "engine-1") -> MakeOffer:
    return MakeOffer(
        at=1.0,
        offer_id=name,
        entry_id="entry",
        call_id="call",
        owner=owner,
        queue="sales",
        agent_id=1,
        agent_name="Anna",
        extension="1001",
        ring_seconds=20,
        expires_at=31.0,
        why={},
    )


def test_an_offer_that_went_down_with_a_connection_is_handed_over_once(redis: Redis, redis_url: str) -> None:
    came: list[str] = []
    session = SimpleNamespace(mailbox=SimpleNamespace(put=lambda decision: came.append(decision.offer_id)))
    registry: Any = SimpleNamespace(find=lambda call_id: session if call_id == "call" else None)
    nobody: Any = None
    inbox = Inbox(
        "engine-1",
        redis_url=redis_url,
        redis=redis,
        registry=registry,
        outbox=Outbox(Wire(redis_url)),
        callbacks=nobody,
    )
    inbox.start()
    try:
        redis.rpush(keys.inbox("engine-1"), encode(offer("first")))
        until(lambda: came == ["first"])
        for made in (offer("first"), offer("lost"), offer("another's", owner="engine-2")):
            redis.hset(keys.OFFERS, made.offer_id, encode(made))
        reading = next(each for each in redis.client_list() if each["cmd"] == "blmpop")
        redis.client_kill_filter(_id=reading["id"])
        until(lambda: len(came) > 1)
        redis.rpush(keys.inbox("engine-1"), encode(offer("lost")), encode(offer("next")))
        until(lambda: "next" in came)
        assert came == ["first", "lost", "next"]
    finally:
        inbox.stop()


def test_whose_calls_a_living_process_has_by_now_gives_them_up(redis: Redis) -> None:
    redis.set(keys.process("living"), "1")
    owners = {"mine": "engine-1", "taken": "living", "of the dead": "dead"}
    for call_id, owner in owners.items():
        redis.hset(keys.CALLS, call_id, f'{{"owner":"{owner}","call_id":"{call_id}"}}')
    assert Checkpoints(redis).taken_from("engine-1", [*owners, "forgotten"]) == {"taken": "living"}
