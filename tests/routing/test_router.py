"""The router decides as its rules say, whatever happens in whatever order."""

from __future__ import annotations

import tracemalloc
import uuid

from engine.routing.events import (
    CloseOffer,
    CloseWrapUp,
    EntryAdded,
    EntryLeft,
    OfferAnswered,
    PlaceEntry,
    PresenceWanted,
    ReleaseEntry,
    SetAgent,
)
from engine.routing.roster import QueueRule
from tests.routing.desk import ANNA, BEN, CLARA, Desk, offers, roster, state


def test_a_call_goes_to_the_agent_idle_longest_among_those_with_the_skill() -> None:
    desk = Desk(roster(ANNA, BEN, CLARA))
    for agent in (CLARA, BEN, ANNA):
        desk.ready(agent.agent_id)
    (offer,) = offers(desk.call("one"))
    assert offer.agent_id == BEN.agent_id
    assert offer.why["candidates_count"] == 2
    assert {each["name"]: each["reason"] for each in offer.why["left_out"]} == {"Clara": "lacks sales at level 2"}


def test_a_pause_gains_no_place_in_the_row_of_idle_agents() -> None:
    desk = Desk(roster(ANNA, BEN))
    desk.ready(1)
    desk.ready(2)
    desk.at += 5
    desk.tell(PresenceWanted(at=desk.at, agent_id=1, presence="pause", reason="lunch"))
    desk.ready(1, after=60)
    (offer,) = offers(desk.call("one"))
    assert offer.agent_id == 1


def test_calls_are_served_in_the_order_of_coming_but_priority_has_a_head_start() -> None:
    desk = Desk(roster(ANNA))
    desk.tell(PresenceWanted(at=1, agent_id=1, presence="pause"))
    for name, priority in (("first", 0), ("second", 0), ("third", 1)):
        placed = desk.call(name, priority=priority)
        assert [type(each) for each in placed] == [PlaceEntry]
    (offer,) = offers(desk.ready(1))
    assert offer.entry_id == "third"
    desk.answered(offer)
    (offer,) = offers(desk.ended(offer) + desk.pass_time(10))
    assert offer.entry_id == "first"


def test_a_low_priority_call_that_waited_longer_than_the_head_start_is_first() -> None:
    desk = Desk(roster(ANNA))
    desk.tell(PresenceWanted(at=1, agent_id=1, presence="pause"))
    desk.call("patient")
    desk.call("important", after=61, priority=1)
    (offer,) = offers(desk.ready(1))
    assert offer.entry_id == "patient"


def test_an_agent_who_does_not_answer_is_paused_and_the_call_goes_on_to_the_next() -> None:
    desk = Desk(roster(ANNA, BEN))
    desk.ready(1)
    desk.ready(2)
    (offer,) = offers(desk.call("one"))
    decisions = desk.failed(offer)
    assert state(decisions, offer.agent_id) == ("pause", "idle", "no_answer")
    assert [(each.entry_id, each.agent_id) for each in offers(decisions)] == [("one", 2)]
    assert [each.result for each in decisions if isinstance(each, CloseOffer)] == ["no_answer"]


def test_a_presence_wanted_in_a_talk_comes_true_after_it() -> None:
    desk = Desk(roster(BEN))
    desk.ready(2)
    (offer,) = offers(desk.call("one"))
    desk.answered(offer)
    (told,) = desk.tell(PresenceWanted(at=desk.at + 1, agent_id=2, presence="pause", reason="lunch"))
    assert isinstance(told, SetAgent)
    assert (told.presence, told.wanted, told.wanted_reason) == ("ready", "pause", "lunch")
    assert state(desk.ended(offer, after=2), 2) == ("pause", "idle", "lunch")


def test_wrap_up_lasts_its_time_and_is_recorded_and_then_the_next_call_comes() -> None:
    desk = Desk(roster(ANNA))
    desk.ready(1)
    (offer,) = offers(desk.call("one"))
    desk.answered(offer)
    desk.call("two")
    assert state(desk.ended(offer), 1)[1] == "wrap_up"
    assert not offers(desk.pass_time(9.9))
    decisions = desk.pass_time(0.2)
    assert [each.call_id for each in decisions if isinstance(each, CloseWrapUp)] == ["one"]
    assert [each.entry_id for each in offers(decisions)] == ["two"]


def test_nobody_logged_in_is_told_at_once_and_again_when_the_last_one_leaves() -> None:
    desk = Desk(roster(ANNA))
    (released,) = desk.call("one")
    assert isinstance(released, ReleaseEntry)
    assert released.result == "no_agent"
    desk.tell(PresenceWanted(at=desk.at, agent_id=1, presence="pause"))
    desk.call("two")
    desk.tell(PresenceWanted(at=desk.at + 1, agent_id=1, presence="offline"))
    assert [type(each) for each in desk.pass_time(5)] == []
    assert [each.result for each in desk.pass_time(10) if isinstance(each, ReleaseEntry)] == ["no_agent"]


def test_the_queue_is_left_after_the_longest_wait_and_refuses_more_than_it_holds() -> None:
    rule = QueueRule("sales", longest_wait_seconds=60, most_waiting=1)
    desk = Desk(roster(ANNA, queues=(rule,)))
    desk.tell(PresenceWanted(at=1, agent_id=1, presence="pause"))
    desk.call("one")
    assert [each.result for each in desk.call("two") if isinstance(each, ReleaseEntry)] == ["full"]
    assert [each.entry_id for each in desk.pass_time(60) if isinstance(each, ReleaseEntry)] == ["one"]


def test_a_caller_who_leaves_frees_the_agent_for_the_next() -> None:
    desk = Desk(roster(BEN))
    desk.ready(2)
    (offer,) = offers(desk.call("one"))
    desk.call("two")
    decisions = desk.tell(EntryLeft(at=desk.at + 1, entry_id="one"))
    closed = [each for each in decisions if isinstance(each, CloseOffer)]
    assert [(each.offer_id, each.result) for each in closed] == [(offer.offer_id, "caller_left")]
    assert [each.entry_id for each in offers(decisions)] == ["two"]


def test_another_owner_keeps_the_place_and_the_dead_owners_offer_is_void() -> None:
    desk = Desk(roster(ANNA, BEN))
    desk.ready(2)
    (offer,) = offers(desk.call("one"))
    desk.call("two")
    again = EntryAdded(at=desk.at + 1, entry_id="one", call_id="one", queue="sales", owner="engine-2", entered_at=2.0)
    decisions = desk.tell(again)
    assert [each.result for each in decisions if isinstance(each, CloseOffer)] == ["failed"]
    assert [(each.entry_id, each.owner) for each in offers(decisions)] == [("one", "engine-2")]
    assert offers(decisions)[0].offer_id != offer.offer_id


def test_a_talk_that_redis_forgot_is_believed_and_whoever_was_offered_instead_waits_on() -> None:
    desk = Desk(roster(BEN))
    desk.ready(2)
    (offer,) = offers(desk.call("one"))
    other = OfferAnswered(
        at=desk.at + 1, offer_id=str(uuid.uuid4()), entry_id="gone", call_id="zero", queue="sales", agent_id=2
    )
    decisions = desk.tell(other)
    assert [(each.offer_id, each.owner) for each in decisions if isinstance(each, CloseOffer)] == [
        (offer.offer_id, "engine-1")
    ]
    assert state(decisions, 2)[1] == "talking"
    assert not offers(decisions)
    assert "one" in desk.router.entries


def test_a_day_of_calls_leaves_nothing_behind_in_a_queue_that_nobody_calls() -> None:
    quiet = QueueRule("quiet", needs={"sales": 1})
    desk = Desk(roster(ANNA, BEN, queues=(QueueRule("sales", needs={"sales": 2}), quiet)))
    desk.ready(BEN.agent_id)

    def serve(count: int) -> None:
        for number in range(count):
            (offer,) = offers(desk.call(f"{desk.at} {number}"))
            desk.answered(offer)
            desk.ended(offer)

    serve(500)
    tracemalloc.start()
    serve(50)
    before, _ = tracemalloc.get_traced_memory()
    serve(3000)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert after - before < 50_000
    # Those who call there at last are served by whoever is free.
    assert [offer.agent_id for offer in offers(desk.call("at last", queue="quiet"))] == [BEN.agent_id]
