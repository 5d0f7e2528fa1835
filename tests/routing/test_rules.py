"""Stages, places, limits, rests and wrap-up: each rule by a short story."""

from __future__ import annotations

import pytest

from engine.routing.events import (
    AnswerDryRun,
    CloseOffer,
    DryRun,
    EntryAssigned,
    EntryLeft,
    EntryMoved,
    EntryReordered,
    HoursChanged,
    MakeOffer,
    OfferFailed,
    PlaceEntry,
    PresenceWanted,
    ReleaseEntry,
    RosterPublished,
    SetAgent,
    TalkEnded,
    WrapUpEnded,
    WrapUpExtended,
)
from engine.routing.roster import AgentProfile, QueueRule, Roster
from tests.routing.desk import Desk, agent, offers, released, roster, rules, state


def desk_of(
    *agents: AgentProfile, needs: dict[str, int] | None = None, exact: tuple[str, ...] = (), **document: object
) -> Desk:
    rule = QueueRule("sales", needs=needs or {}, exact=exact, settings=rules(**document))
    return Desk(roster(*agents, queues=(rule, QueueRule("support"))))


def paused(desk: Desk, agent_id: int) -> None:
    desk.tell(PresenceWanted(at=desk.at + 1, agent_id=agent_id, presence="pause"))


# --- skills ---


def test_an_exact_level_is_neither_less_nor_more() -> None:
    desk = desk_of(agent(1, legal=5), agent(2, legal=3), needs={"legal": 3}, exact=("legal",))
    desk.ready(1)
    desk.ready(2)
    (offer,) = offers(desk.call("one"))
    assert offer.agent_id == 2
    assert offer.why["left_out"][0]["reason"] == "lacks legal at level 3 exactly"


def test_needs_of_the_call_come_on_top_and_are_relaxed_step_by_step_at_the_same_place() -> None:
    desk = desk_of(
        agent(1, sales=2),
        agent(2, sales=1),
        agent(3),
        needs={"sales": 3},
        relaxations=[
            {"after_seconds": 10, "drop": "danish"},
            {"after_seconds": 20, "skill": "sales", "level": 2},
            {"after_seconds": 30, "group": "back"},
        ],
    )
    desk.tell(RosterPublished(at=1.0, roster=_with_group(desk, "back", (3,))))
    for agent_id in (1, 2, 3):
        desk.ready(agent_id)
    assert not offers(desk.call("one", needs={"danish": 1}))
    desk.call("two", needs={"danish": 1})
    assert not offers(desk.pass_time(17))
    (offer,) = offers(desk.pass_time(2))
    assert (offer.entry_id, offer.agent_id) == ("one", 1)
    assert offer.why["stage"] == "after 10 s danish is not needed any more, after 20 s sales is enough at level 2"
    (offer,) = offers(desk.pass_time(11))
    assert (offer.entry_id, offer.agent_id) == ("two", 3)
    desk.failed(offer)
    (offer,) = offers(desk.ready(3))
    assert offer.entry_id == "two"


def _with_group(desk: Desk, name: str, members: tuple[int, ...]) -> Roster:
    book = desk.router.state.book
    return Roster(2, tuple(book.profiles.values()), tuple(book.rules.values()), groups={name: members})


# --- who is asked first ---


def test_the_responsible_agent_then_the_last_one_then_everybody() -> None:
    desk = desk_of(agent(1), agent(2), agent(3), responsible_first_seconds=10, last_agent_first_seconds=5)
    for agent_id in (1, 2, 3):
        desk.ready(agent_id)
    (first,) = offers(desk.call("busy them", responsible=2))
    (second,) = offers(desk.call("busy him too", last_agent=3))
    assert [first.agent_id, second.agent_id] == [2, 3]
    assert not offers(desk.call("one", responsible=2, last_agent=3))
    assert not offers(desk.pass_time(14.9))
    (offer,) = offers(desk.pass_time(0.2))
    assert (offer.entry_id, offer.agent_id) == ("one", 1)


def test_a_responsible_agent_who_is_not_ready_is_not_waited_for() -> None:
    desk = desk_of(agent(1), agent(2), responsible_first_seconds=60)
    desk.ready(1)
    paused(desk, 2)
    (offer,) = offers(desk.call("one", responsible=2))
    assert offer.agent_id == 1
    desk.ready(2)
    (other,) = offers(desk.call("keeps 2"))
    desk.answered(other)
    assert not offers(desk.call("two", responsible=2))
    desk.answered(offer)
    desk.ended(offer)
    left = desk.tell(PresenceWanted(at=desk.at + 1, agent_id=2, presence="offline"))
    assert not offers(left), "they talk, and will leave only after it"
    assert [each.entry_id for each in offers(desk.ended(other))] == ["two"], "gone, so the other one has it"


def test_problem_customers_go_to_the_named_agents_as_long_as_one_is_there() -> None:
    desk = desk_of(agent(1), agent(2), problem_agents=["1002"])
    desk.ready(1)
    paused(desk, 2)
    assert not offers(desk.call("one", category="problem"))
    (gone,) = offers(desk.tell(PresenceWanted(at=desk.at + 1, agent_id=2, presence="offline")))
    assert gone.agent_id == 1


# --- which call ---


def test_a_vip_has_a_head_start_that_waiting_makes_up_for() -> None:
    desk = desk_of(agent(1), vip_boost=2)
    paused(desk, 1)
    desk.call("patient")
    desk.call("vip", after=119, category="vip")
    (offer,) = offers(desk.ready(1))
    assert offer.entry_id == "vip"
    desk.failed(offer)
    desk.call("late vip", after=10, category="vip")
    (offer,) = offers(desk.ready(1))
    assert offer.entry_id == "vip"
    desk.answered(offer)
    (offer,) = offers(desk.ended(offer))
    assert offer.entry_id == "patient"


@pytest.mark.parametrize(
    ("caller", "call_id", "keeps"), [("+451", "c2", True), ("", "c1", True), ("+452", "c2", False)]
)
def test_who_comes_again_in_time_has_the_old_place(caller: str, call_id: str, keeps: bool) -> None:
    desk = desk_of(agent(1), reentry_minutes=5)
    paused(desk, 1)
    desk.call("one", caller="+451" if caller else "")
    desk.tell(EntryLeft(at=desk.at + 1, entry_id="one"))
    desk.call("two", after=30)
    desk.call("again", after=200, caller=caller, call_id="one" if call_id == "c1" else "other")
    (offer,) = offers(desk.ready(1))
    assert offer.entry_id == ("again" if keeps else "two")


def test_a_place_is_not_kept_for_longer_than_it_is_promised() -> None:
    desk = desk_of(agent(1), reentry_minutes=5)
    paused(desk, 1)
    desk.call("one", caller="+451")
    desk.tell(EntryLeft(at=desk.at + 1, entry_id="one"))
    desk.call("two", after=30)
    desk.call("again", after=301, caller="+451")
    (offer,) = offers(desk.ready(1))
    assert offer.entry_id == "two"


def test_a_callers_line_that_breaks_in_the_talk_keeps_the_place_and_a_hang_up_does_not() -> None:
    for dropped in (True, False):
        desk = desk_of(agent(1), reentry_minutes=5)
        desk.ready(1)
        (offer,) = offers(desk.call("one", caller="+451"))
        desk.answered(offer)
        desk.call("two")
        decisions = desk.tell(_ended(desk, offer, dropped=dropped))
        (offer,) = offers(decisions)
        desk.call("again", caller="+451")
        desk.answered(offer)
        desk.call("three")
        (offer,) = offers(desk.ended(offer))
        assert offer.entry_id == "again"
        assert (offer.why["call"]["kept_place"]) == dropped


def _ended(desk: Desk, offer: MakeOffer, *, dropped: bool) -> TalkEnded:
    desk.at += 1
    return TalkEnded(at=desk.at, offer_id=offer.offer_id, agent_id=offer.agent_id, dropped=dropped)


def test_a_callback_keeps_its_place_waits_for_its_time_and_knows_no_limits() -> None:
    desk = desk_of(agent(1), nobody_grace_seconds=0, all_paused_seconds=5)
    desk.call("back", kind="callback", place_at=0.5, not_before=desk.at + 50)
    assert not released(desk.pass_time(20))
    desk.ready(1)
    (offer,) = offers(desk.call("one"))
    desk.answered(offer)
    desk.call("two")
    desk.pass_time(40)
    (offer,) = offers(desk.ended(offer))
    assert (offer.entry_id, offer.kind) == ("back", "callback")


# --- limits ---


def test_all_paused_for_too_long_is_a_way_out() -> None:
    desk = desk_of(agent(1), all_paused_seconds=30)
    desk.ready(1)
    (offer,) = offers(desk.call("one"))
    desk.failed(offer)
    assert not released(desk.pass_time(20))
    desk.call("two")
    assert released(desk.pass_time(10)) == [("one", "all_paused")]
    assert released(desk.pass_time(20)) == [("two", "all_paused")]


def test_someone_back_in_time_keeps_the_calls() -> None:
    desk = desk_of(agent(1), all_paused_seconds=30, nobody_grace_seconds=15)
    desk.ready(1)
    (offer,) = offers(desk.call("one"))
    desk.failed(offer)
    desk.pass_time(25)
    assert [each.entry_id for each in offers(desk.ready(1))] == ["one"]
    desk.tell(PresenceWanted(at=desk.at, agent_id=1, presence="offline"))
    (offer,) = desk.router.offers.values()
    desk.tell(OfferFailed(at=desk.at, offer_id=offer.offer_id, result="no_answer"))
    assert not released(desk.pass_time(10))
    desk.ready(1)
    assert not released(desk.pass_time(30))


def test_within_the_grace_after_the_last_one_left_calls_may_come() -> None:
    desk = desk_of(agent(1), nobody_grace_seconds=60)
    desk.ready(1)
    desk.tell(PresenceWanted(at=desk.at + 1, agent_id=1, presence="offline"))
    assert not released(desk.call("one"))
    assert released(desk.pass_time(61)) == [("one", "no_agent")]
    assert released(desk.call("two")) == [("two", "no_agent")]


def test_closing_time_ends_the_waiting_but_no_ringing() -> None:
    desk = desk_of(agent(1), calendar="Office")
    desk.ready(1)
    (offer,) = offers(desk.call("one"))
    desk.call("two")
    assert released(desk.tell(HoursChanged(at=desk.at, calendar="Office", open=False))) == [("two", "after_hours")]
    assert released(desk.call("three")) == [("three", "after_hours")]
    desk.failed(offer)
    assert released(desk.pass_time(2)) == [("one", "after_hours")]
    desk.tell(HoursChanged(at=desk.at, calendar="Office", open=True))
    assert not released(desk.call("four"))


def test_a_call_that_would_wait_too_long_by_measure_goes_elsewhere() -> None:
    desk = desk_of(agent(1), most_expected_wait_seconds=100)
    desk.ready(1)
    (talk,) = offers(desk.call("first"))
    desk.answered(talk)
    for number in range(14):
        assert not released(desk.call(f"call {number}"))
        (talk,) = offers(desk.ended(talk, after=39))
        desk.answered(talk)
    for number in range(2):
        assert not released(desk.call(f"more {number}"))
    assert released(desk.call("too late")) == [("too late", "overflow")]


# --- offers ---


def test_consequences_count_rest_and_pause_and_one_click_brings_back() -> None:
    consequence = {"then": "pause", "reason": "not at the desk", "after_times": 2, "delay_seconds": 30}
    desk = desk_of(agent(1), offers={"no_answer": consequence})
    desk.ready(1)
    (offer,) = offers(desk.call("one"))
    decisions = desk.failed(offer)
    assert not offers(decisions)
    told = [each for each in decisions if isinstance(each, SetAgent)][-1]
    assert (told.presence, told.rest_until, told.misses) == ("ready", desk.at + 30, {"no_answer": 1})
    (offer,) = offers(desk.pass_time(30))
    assert state(desk.failed(offer), 1) == ("pause", "idle", "not at the desk")
    (offer,) = offers(desk.ready(1))
    decisions = desk.failed(offer)
    assert [each for each in decisions if isinstance(each, SetAgent)][-1].misses == {"no_answer": 1}
    assert offers(desk.ready(1)), "chosen ready ends the rest at once"


def test_nothing_and_wait_never_pause() -> None:
    desk = desk_of(
        agent(1),
        offers={"rejected": {"then": "nothing"}, "busy": {"then": "wait", "delay_seconds": 20, "after_times": 3}},
    )
    desk.ready(1)
    (offer,) = offers(desk.call("one"))
    for _ in range(5):
        assert not offers(desk.failed(offer, "rejected"))
        (offer,) = offers(desk.pass_time(1))
    for _ in range(5):
        assert not offers(desk.failed(offer, "busy"))
        assert not offers(desk.pass_time(19))
        (offer,) = offers(desk.pass_time(1))


# --- wrap-up ---


def test_wrap_up_can_be_extended_and_ended_early() -> None:
    desk = desk_of(agent(1, wrap_up=10))
    desk.ready(1)
    (offer,) = offers(desk.call("one"))
    desk.answered(offer)
    desk.tell(WrapUpExtended(at=desk.at, agent_id=1))
    desk.ended(offer)
    desk.call("two")
    assert not offers(desk.pass_time(38))
    desk.tell(WrapUpExtended(at=desk.at, agent_id=1, seconds=30))
    assert not offers(desk.pass_time(29))
    assert [each.entry_id for each in offers(desk.tell(WrapUpEnded(at=desk.at, agent_id=1)))] == ["two"]


@pytest.mark.parametrize(("asked", "work"), [(True, "wrap_up"), (False, "idle")])
def test_wrap_up_by_choice_is_there_only_where_it_was_asked_for(asked: bool, work: str) -> None:
    desk = desk_of(agent(1), wrap_up={"mode": "chosen", "seconds": 60})
    desk.ready(1)
    (offer,) = offers(desk.call("one"))
    desk.answered(offer)
    if asked:
        desk.tell(WrapUpExtended(at=desk.at, agent_id=1, seconds=30))
    assert state(desk.ended(offer), 1)[1] == work
    assert bool(offers(desk.call("two", after=59))) != asked
    assert bool(offers(desk.pass_time(2))) == asked


def test_endless_wrap_up_lasts_until_the_agent_is_ready_and_holds_in_every_queue() -> None:
    desk = desk_of(agent(1), wrap_up={"mode": "endless"})
    desk.ready(1)
    (offer,) = offers(desk.call("one"))
    desk.answered(offer)
    decisions = desk.ended(offer)
    assert [each.until for each in decisions if isinstance(each, SetAgent)] == [None]
    desk.call("two", queue="support")
    assert not offers(desk.pass_time(500))
    assert [each.entry_id for each in offers(desk.ready(1))] == ["two"]


# --- supervisors ---


def test_a_supervisor_moves_gives_and_puts_calls_elsewhere() -> None:
    desk = desk_of(agent(1), agent(2))
    for agent_id in (1, 2):
        paused(desk, agent_id)
    for name in ("one", "two", "three", "four"):
        desk.call(name)
    (placed,) = desk.tell(EntryReordered(at=desk.at + 1, entry_id="four", before="two"))
    assert isinstance(placed, PlaceEntry)
    assert placed.position == 2
    (placed,) = desk.tell(EntryReordered(at=desk.at + 1, entry_id="one", before=None))
    assert isinstance(placed, PlaceEntry)
    assert placed.position == 4
    (moved,) = desk.tell(EntryMoved(at=desk.at + 1, entry_id="three", queue="support", by="eva"))
    assert isinstance(moved, ReleaseEntry)
    assert (moved.result, moved.queue, moved.by) == ("moved", "support", "eva")
    assert moved.place_at is not None
    assert desk.tell(EntryMoved(at=desk.at + 1, entry_id="one", queue="nowhere")) == []
    desk.tell(EntryAssigned(at=desk.at + 1, entry_id="two", agent_id=2, by="eva"))
    first = offers(desk.ready(1))[0]
    second = offers(desk.ready(2))[0]
    assert [(first.entry_id, first.agent_id), (second.entry_id, second.agent_id)] == [("four", 1), ("two", 2)]
    assert "given to them by eva" in second.why["in_words"]


def test_a_call_that_rings_at_one_agent_can_be_given_to_another() -> None:
    desk = desk_of(agent(1), agent(2))
    desk.ready(1)
    (offer,) = offers(desk.call("one"))
    desk.ready(2)
    decisions = desk.tell(EntryAssigned(at=desk.at + 1, entry_id="one", agent_id=2))
    assert [(each.offer_id, each.owner) for each in decisions if isinstance(each, CloseOffer)] == [
        (offer.offer_id, "engine-1")
    ]
    assert [each.agent_id for each in offers(decisions)] == [2]


def test_a_dry_run_tells_all_and_changes_nothing() -> None:
    desk = desk_of(
        agent(1, sales=1), agent(2, sales=4), needs={"sales": 3}, relaxations=[{"after_seconds": 9, "drop": "sales"}]
    )
    desk.ready(1)
    desk.ready(2)
    (answer,) = desk.tell(DryRun(at=desk.at, ask_id="x", queue="sales"))
    assert isinstance(answer, AnswerDryRun)
    assert answer.answer["chosen"]["agent_id"] == 2
    assert [(each["after_seconds"], each["free"]) for each in answer.answer["stages"]] == [(0, 1), (9, 2)]
    (answer,) = desk.tell(DryRun(at=desk.at, ask_id="x", queue="sales", waited_seconds=10, responsible=1))
    assert isinstance(answer, AnswerDryRun)
    assert answer.answer["chosen"]["agent_id"] == 1
    (offer,) = offers(desk.call("one"))
    assert offer.agent_id == 2


def test_calls_that_came_to_stand_in_the_same_place_are_served_one_after_the_other() -> None:
    desk = desk_of(agent(1))
    paused(desk, 1)
    for name in ("two", "one"):
        desk.call(name)
    one, two = (desk.router.entries[name] for name in ("one", "two"))
    # Where supervisors put calls between others again and again, no number is left between two places.
    one.rank, one.sequence = two.rank, two.sequence
    assert one.pool is not None
    one.pool.add_call(one)
    (offer,) = offers(desk.ready(1))
    desk.answered(offer)
    assert [offer.entry_id, *(each.entry_id for each in offers(desk.ended(offer)))] == ["one", "two"]


def test_calls_that_may_be_offered_from_the_same_instant_on_are_served_in_their_order() -> None:
    desk = desk_of(agent(1))
    desk.ready(1)
    desk.call("ordinary", not_before=desk.at + 9)
    desk.call("urgent", after=0, priority=1, not_before=desk.at + 8)
    assert [offer.entry_id for offer in offers(desk.pass_time(8))] == ["urgent"]
