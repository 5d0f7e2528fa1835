"""A tenure begins: what Redis knows of the one before, told to a new router."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from gevent.event import Event as Signal

from conf.clock import Clock
from engine.live import keys
from engine.live.connection import RedisError
from engine.live.wire import Wire
from engine.records.journal import Journal
from engine.routing.claims import Claims
from engine.routing.events import (
    CloseOffer,
    Decision,
    EntryAdded,
    EntryLeft,
    MakeOffer,
    OfferAnswered,
    SetAgent,
    TimePassed,
    encode,
)
from engine.routing.leader import Leader
from engine.routing.offering import OFFER_GRACE_SECONDS
from engine.routing.restoring import restore
from engine.routing.router import Router
from tests.waiting import until

from .desk import ANNA, BEN, Desk, offers, roster


class Redis:
    """A tenure's own way to it, with its calls and agents as their owners wrote them."""

    def __init__(self, url: str) -> None:
        self.wire = Wire(url)
        self._epoch = 0

    def begin(self) -> None:
        self._epoch += 1
        self.wire.ask("SET", keys.ROUTER_EPOCH, self._epoch)
        self._claims = Claims(self.wire, "engine-1", self._epoch)

    def write(self, decisions: list[Decision]) -> None:
        assert self._claims.write(decisions, "") == []

    def waits(self, entry: EntryAdded) -> None:
        self.wire.ask("HSET", keys.WAITING, entry.entry_id, encode(entry).decode())

    def offers(self) -> set[str]:
        return set(self.wire.ask("HKEYS", keys.OFFERS))


def begun(redis: Redis, at: float) -> tuple[Router, list[Decision]]:
    redis.begin()
    router, none = Router(seed=2), dict[int, Any]
    decisions = restore(
        redis.wire, router.step, router, roster(ANNA, BEN), at, presences=none, keep=lambda decision: None
    )
    redis.write(decisions)
    return router, decisions


@pytest.fixture
def offered(redis_url: str) -> tuple[Redis, list[MakeOffer]]:
    """Two calls, which ring at the two agents."""
    redis, desk = Redis(redis_url), Desk(roster(ANNA, BEN))
    redis.begin()
    redis.write([each for agent in (ANNA, BEN) for each in desk.ready(agent.agent_id)])
    found = []
    for name in ("first", "second"):
        entry = EntryAdded(at=desk.at, entry_id=name, call_id=name, queue="sales", owner="engine-1", entered_at=desk.at)
        redis.waits(entry)
        decisions = desk.tell(entry)
        redis.write(decisions)
        found += offers(decisions)
    assert redis.offers() == {offer.offer_id for offer in found}
    return redis, found


def test_offers_that_outlived_themselves_while_redis_was_away_are_given_time_to_be_told_of(
    offered: tuple[Redis, list[MakeOffer]],
) -> None:
    redis, (one, other) = offered
    late = other.expires_at + 100
    router, decisions = begun(redis, late)
    assert [each for each in decisions if not isinstance(each, SetAgent)] == []
    assert set(router.offers) == redis.offers() == {one.offer_id, other.offer_id}
    assert {agent.work for agent in router.agents.values()} == {"offered"}
    answered = OfferAnswered(
        at=late + 1, offer_id=one.offer_id, entry_id="first", call_id="first", queue="sales", agent_id=one.agent_id
    )
    redis.write(router.step(answered))
    assert redis.offers() == {other.offer_id}
    assert router.agents[one.agent_id].work == "talking"
    over = router.step(TimePassed(at=late + OFFER_GRACE_SECONDS))
    redis.wire.ask("HDEL", keys.WAITING, "first")
    redis.write([each for each in over if isinstance(each, CloseOffer)])
    assert redis.offers() == set()
    assert [offer.entry_id for offer in offers(over)] == ["second"]


def test_of_two_offers_of_one_agent_one_is_forgotten_in_redis_too(offered: tuple[Redis, list[MakeOffer]]) -> None:
    redis, (one, other) = offered
    stale = "00000000-0000-4000-8000-000000000000"
    text = redis.wire.ask("HGET", keys.OFFERS, one.offer_id)
    redis.wire.ask("HSET", keys.OFFERS, stale, text.replace(one.offer_id, stale).replace("first", "gone"))
    router, _ = begun(redis, other.at + 1)
    assert set(router.offers) == redis.offers()
    assert len(router.offers) == 2


def test_what_is_told_late_ends_no_offer_before_it_was_made() -> None:
    desk = Desk(roster(ANNA, BEN))
    desk.ready(ANNA.agent_id)
    (offer,) = offers(desk.call("first"))
    told = EntryLeft(at=offer.at - 20, entry_id="first")
    (closed,) = [each for each in desk.tell(told) if isinstance(each, CloseOffer)]
    assert (closed.result, closed.at, closed.offered_at) == ("caller_left", offer.at, offer.at)
    late = EntryAdded(
        at=offer.at - 10, entry_id="second", call_id="first", queue="sales", owner="engine-1", entered_at=offer.at - 10
    )
    (again,) = offers(desk.tell(late))
    assert (again.agent_id, again.call_id) == (offer.agent_id, offer.call_id)
    assert again.at >= offer.at + 0.001, "each ringing has a row of its own"


class Away(Wire):
    """A Redis that is away until it is said to be back."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.back = False
        self.missed = Signal()
        """That it was asked while it was away."""

    def ask(self, *command: Any) -> Any:
        if not self.back:
            self.missed.set()
            raise RedisError("away")
        return super().ask(*command)


def leading(wire: Wire, journal: Journal, folder: Path) -> Leader:
    who = roster(ANNA)
    return Leader(
        "engine-1",
        wire=wire,
        journal=journal,
        clock=Clock(),
        roster=lambda: who,
        hours=lambda *_: None,
        presences=lambda _: {},
        next_epoch=lambda least: least + 1,
        folder=folder / "routing",
        zone=ZoneInfo("UTC"),
    )


def test_a_router_that_is_told_to_end_is_free_at_once(redis_url: str, tmp_path: Path) -> None:
    redis, journal = Wire(redis_url), Journal(tmp_path / "journal", "engine-1")
    leader = leading(Wire(redis_url), journal, tmp_path)
    leader.start()
    try:
        until(lambda: leader.router is not None, 5)
        assert redis.ask("GET", keys.ROUTER_LEASE) == "engine-1"
        leader.stop()
        assert redis.ask("GET", keys.ROUTER_LEASE) is None
        redis.ask("SET", keys.ROUTER_LEASE, "engine-2")
        leader.stop()
        assert redis.ask("GET", keys.ROUTER_LEASE) == "engine-2", "another one's"
    finally:
        journal.close()


def test_after_redis_was_away_nobody_is_overtaken_by_whose_process_noticed_first(
    redis_url: str, tmp_path: Path
) -> None:
    redis, desk = Redis(redis_url), Desk(roster(ANNA))
    redis.begin()
    redis.write(desk.ready(ANNA.agent_id))
    redis.wire.ask("SET", keys.MEMORY, "1.0")
    redis.wire.ask("DEL", keys.ROUTER_LEASE)
    wire, journal = Away(redis_url), Journal(tmp_path / "journal", "engine-1")
    leader = leading(wire, journal, tmp_path)
    leader.start()
    try:
        assert wire.missed.wait(5)
        wire.back = True
        now = time.time()
        # The old one's process is the later one to notice.
        for name, entered_at in (("young", now - 2), ("old", now - 9)):
            entry = EntryAdded(
                at=now, entry_id=name, call_id=name, queue="sales", owner="engine-2", entered_at=entered_at
            )
            redis.waits(entry)
            told_as = redis.wire.ask("XADD", keys.ROUTER_EVENTS, "*", "data", encode(entry).decode())
            until(lambda told_as=told_as: redis.wire.ask("GET", keys.ROUTER_CURSOR) == told_as, 5)
        told = redis.wire.ask("BLPOP", keys.inbox("engine-2"), 5)
        found = [json.loads(told[1])]
        while found[-1]["decision"] != "MakeOffer":
            found.append(json.loads(redis.wire.ask("BLPOP", keys.inbox("engine-2"), 5)[1]))
        assert found[-1]["entry_id"] == "old"
    finally:
        leader.stop()
        journal.close()
