"""An agent's telephone may have several talks at once, and talks in the work after another one."""

from __future__ import annotations

import itertools

import pytest

from engine.routing.claims import agent_item, agent_state
from engine.routing.events import (
    AgentSeen,
    CloseWrapUp,
    Decision,
    PresenceWanted,
    SetAgent,
    TalkBegan,
    TalkEnded,
    WrapUpEnded,
    WrapUpExtended,
)
from tests.routing.desk import ANNA, BEN, Desk, offers, roster, state


def began(desk: Desk, leg: str, agent_id: int = 1) -> list[Decision]:
    desk.at += 1
    return desk.tell(TalkBegan(at=desk.at, offer_id=leg, call_id=f"call {leg}", agent_id=agent_id))


def over(desk: Desk, leg: str, agent_id: int = 1) -> list[Decision]:
    desk.at += 1
    return desk.tell(TalkEnded(at=desk.at, offer_id=leg, agent_id=agent_id))


def last(decisions: list[Decision], agent_id: int = 1) -> SetAgent:
    return [each for each in decisions if isinstance(each, SetAgent) and each.agent_id == agent_id][-1]


@pytest.mark.parametrize("order", list(itertools.permutations(["own", "colleague", "queue"])))
def test_nobody_is_offered_a_call_before_the_last_of_several_talks_is_over(order: tuple[str, ...]) -> None:
    desk = Desk(roster(ANNA))
    desk.ready(1)
    (offer,) = offers(desk.call("one"))
    desk.answered(offer)
    began(desk, "own")
    began(desk, "colleague")
    desk.call("two")
    legs = {"queue": offer.offer_id, "own": "own", "colleague": "colleague"}
    for name in order[:2]:
        told = over(desk, legs[name])
        assert offers(told) == []
        assert state(told, 1)[1] == "talking"
    told = over(desk, legs[order[2]])
    assert state(told, 1)[1] == "wrap_up", "the work after the queue's call comes after the last talk"
    assert last(told).call_id == "one"
    (offer,) = offers(desk.pass_time(10))
    assert offer.call_id == "two"


def test_a_talk_that_is_told_twice_and_one_that_is_not_known_change_nothing() -> None:
    desk = Desk(roster(ANNA))
    desk.ready(1)
    began(desk, "own")
    began(desk, "other")
    assert began(desk, "other") == began(desk, "own") == []
    assert over(desk, "unknown") == []
    over(desk, "other")
    assert state(over(desk, "own"), 1) == ("ready", "idle", None)


def test_who_phones_while_they_write_up_goes_on_with_it_afterwards() -> None:
    desk = Desk(roster(ANNA))
    desk.ready(1)
    (offer,) = offers(desk.call("one"))
    desk.answered(offer)
    until = last(desk.ended(offer)).until
    assert until is not None
    told = began(desk, "own")
    assert [type(each) for each in told] == [CloseWrapUp, SetAgent]
    told = over(desk, "own")
    assert state(told, 1)[1] == "wrap_up"
    assert (last(told).until, last(told).call_id) == (until, "one")
    assert state(desk.pass_time(until - desk.at), 1)[1] == "idle"


def test_what_is_left_to_write_up_is_over_when_the_talk_lasts_longer() -> None:
    desk = Desk(roster(ANNA))
    desk.ready(1)
    (offer,) = offers(desk.call("one"))
    desk.answered(offer)
    desk.ended(offer)
    began(desk, "own")
    desk.call("two")
    assert offers(desk.pass_time(60)) == []
    (offer,) = offers(over(desk, "own"))
    assert offer.call_id == "two"


def test_the_work_that_is_put_off_can_be_made_longer_or_ended_meanwhile() -> None:
    for wish, work in ((WrapUpExtended, "wrap_up"), (WrapUpEnded, "idle")):
        desk = Desk(roster(ANNA))
        desk.ready(1)
        (offer,) = offers(desk.call("one"))
        desk.answered(offer)
        desk.ended(offer)
        began(desk, "own")
        desk.tell(wish(at=desk.at, agent_id=1))
        desk.pass_time(20 if wish is WrapUpExtended else 1)
        assert state(over(desk, "own"), 1)[1] == work


def test_a_pause_chosen_meanwhile_comes_after_all_of_it() -> None:
    desk = Desk(roster(ANNA))
    desk.ready(1)
    (offer,) = offers(desk.call("one"))
    desk.answered(offer)
    began(desk, "own")
    desk.tell(PresenceWanted(at=desk.at, agent_id=1, presence="pause", reason="lunch"))
    over(desk, offer.offer_id)
    told = over(desk, "own")
    assert (state(told, 1)[1], last(told).wanted) == ("wrap_up", "pause")
    assert state(desk.pass_time(10), 1) == ("pause", "idle", "lunch")


def test_a_new_tenure_knows_of_all_talks_and_of_what_is_owed() -> None:
    desk = Desk(roster(ANNA, BEN))
    desk.ready(1)
    (offer,) = offers(desk.call("one"))
    desk.answered(offer)
    began(desk, "own")
    told = last(over(desk, offer.offer_id))
    kept = {name: "" if value is None else _text(value) for name, value in agent_item(told).items()}
    after = Desk(roster(ANNA, BEN))
    after.at = desk.at
    after.tell(AgentSeen(at=after.at, agent_id=1, **agent_state(kept)))
    again = over(after, "own")
    assert state(again, 1)[1] == "wrap_up"
    assert last(again).call_id == "one"


def _text(value: object) -> str:
    from engine.routing.claims import _text as as_kept

    return as_kept(value)


@pytest.mark.parametrize("told", ["its name", "nothing"])
def test_a_talk_of_no_queue_that_redis_has_forgotten_ends(told: str) -> None:
    """Postgres knows the call of such a talk, and not the name of its leg."""
    desk = Desk(roster(ANNA))
    seen = AgentSeen(
        at=desk.at, agent_id=1, presence="ready", work="talking", since=0.0, idle_since=0.0, call_id="call own"
    )
    desk.tell(seen)
    desk.call("waits")
    if told == "its name":
        assert offers(began(desk, "own")) == []
        assert [offer.call_id for offer in offers(over(desk, "own"))] == ["waits"]
    else:
        # As whoever compares with the switch tells it, who knows no name either.
        assert [offer.call_id for offer in offers(over(desk, ""))] == ["waits"]
