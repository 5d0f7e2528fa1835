"""Each strategy chooses as its sentence says."""

from __future__ import annotations

from collections import Counter

import pytest

from engine.records.strategies import STRATEGIES
from engine.routing.events import CloseOffer, DayBegan, SetAgent
from engine.routing.roster import AgentProfile, QueueRule
from engine.routing.strategies import names
from engine.routing.strategies.registry import StrategyBroken, strategy
from tests.routing.desk import Desk, agent, offers, roster, rules


def desk_of(*agents: AgentProfile, strategy: str, needs: dict[str, int] | None = None, **document: object) -> Desk:
    rule = QueueRule("sales", needs=needs or {}, strategy=strategy, settings=rules(**document))
    desk = Desk(roster(*agents, queues=(rule,)))
    for each in agents:
        desk.ready(each.agent_id)
    return desk


def serve(desk: Desk, talk: float = 5.0) -> int:
    """A call comes, is answered and ends; who got it."""
    (offer,) = offers(desk.call(f"call {desk.at}"))
    desk.answered(offer)
    desk.ended(offer, after=talk)
    return offer.agent_id


def test_every_strategy_that_is_told_of_is_there() -> None:
    assert set(names()) == set(STRATEGIES)


def test_a_strategy_cannot_stand_twice_or_without_words() -> None:
    with pytest.raises(StrategyBroken, match="twice"):
        strategy("random", lambda *_: "")(lambda *_: 0.0)
    with pytest.raises(StrategyBroken, match="does not say"):
        strategy("loudest", lambda *_: "")(lambda *_: 0.0)


def test_longest_idle() -> None:
    desk = desk_of(agent(1), agent(2), agent(3), strategy="longest_idle")
    assert [serve(desk) for _ in range(5)] == [1, 2, 3, 1, 2]


def test_fewest_calls_counts_by_the_day() -> None:
    desk = desk_of(agent(1), agent(2), strategy="fewest_calls")
    assert serve(desk, talk=100) == 1
    assert serve(desk, talk=1) == 2
    # Agent 1 has been idle longer; then each has as many calls as the other.
    assert [serve(desk) for _ in range(4)] == [1, 2, 1, 2]
    serve(desk)
    told = desk.tell(DayBegan(at=desk.at + 1))
    assert {each.agent_id: each.calls for each in told if isinstance(each, SetAgent)} == {1: 0, 2: 0}
    assert serve(desk) == 2, "idle longest, now that nobody has had a call"


def test_least_talk() -> None:
    desk = desk_of(agent(1), agent(2), strategy="least_talk")
    assert serve(desk, talk=100) == 1
    assert [serve(desk, talk=10) for _ in range(5)] == [2] * 5


def test_round_robin_goes_by_who_was_asked_also_in_vain() -> None:
    document = {"offers": {"no_answer": {"then": "wait", "delay_seconds": 1}}}
    desk = desk_of(agent(1), agent(2), agent(3), strategy="round_robin", **document)
    (offer,) = offers(desk.call("one"))
    assert offer.agent_id == 1
    (offer,) = offers(desk.failed(offer))
    assert offer.agent_id == 2
    desk.answered(offer)
    desk.ended(offer)
    assert [serve(desk) for _ in range(4)] == [3, 1, 2, 3]


def test_top_down_begins_at_the_top_every_time() -> None:
    members = {"agents": [{"extension": "1003"}, {"extension": "1001"}, {"extension": "1002", "order": 2}]}
    desk = desk_of(agent(1), agent(2), agent(3), strategy="top_down", members=members)
    assert [serve(desk) for _ in range(3)] == [3, 3, 3]
    first, second, third = (offers(desk.call(name))[0] for name in ("one", "two", "three"))
    assert [first.agent_id, second.agent_id, third.agent_id] == [3, 1, 2]


def test_random_is_even_and_the_same_again_by_its_seed() -> None:
    drawn = []
    for _ in range(2):
        desk = desk_of(agent(1), agent(2), agent(3), agent(4), strategy="random")
        drawn.append([serve(desk) for _ in range(1200)])
    assert drawn[0] == drawn[1]
    assert all(240 < count < 360 for count in Counter(drawn[0]).values())


def test_most_experienced_counts_the_levels_that_the_call_needs() -> None:
    desk = desk_of(agent(1, sales=3, chess=5), agent(2, sales=4), strategy="most_experienced", needs={"sales": 1})
    assert [serve(desk) for _ in range(2)] == [2, 2]


def test_least_skilled_able_keeps_generalists_free() -> None:
    desk = desk_of(agent(1, sales=3, support=5), agent(2, sales=4), strategy="least_skilled", needs={"sales": 1})
    assert [serve(desk) for _ in range(2)] == [2, 2]
    first, second = (offers(desk.call(name))[0] for name in ("one", "two"))
    assert [first.agent_id, second.agent_id] == [2, 1]


def test_cheapest_first_then_escalate_with_what_it_saves_and_costs() -> None:
    desk = desk_of(agent(1, cost=1.0), agent(2, cost=0.2), strategy="cheapest", escalate_seconds=20)
    (offer,) = offers(desk.call("one"))
    assert offer.agent_id == 2
    assert offer.why["cost"] == {
        "chosen_per_minute": 0.2,
        "instead_per_minute": 1.0,
        "instead": "agent 1",
        "lost_seconds": 0.0,
    }
    desk.answered(offer)
    assert not offers(desk.call("two")), "the cheap one is logged in and talks"
    assert not offers(desk.pass_time(18))
    (dear,) = offers(desk.pass_time(2))
    assert (dear.entry_id, dear.agent_id) == ("two", 1)
    assert "cost more than 0.2 a minute" in dear.why["in_words"]
    desk.answered(dear)
    desk.ended(dear)
    desk.call("three")
    (late,) = offers(desk.ended(offer, after=5))
    assert late.agent_id == 2
    assert late.why["cost"]["lost_seconds"] == pytest.approx(5)


def test_cheap_agents_who_are_not_there_are_not_waited_for() -> None:
    desk = desk_of(agent(1, cost=1.0), strategy="cheapest")
    assert serve(desk) == 1


def test_ring_all_rings_everybody_and_the_first_has_the_call() -> None:
    desk = desk_of(agent(1), agent(2), agent(3), strategy="ring_all")
    ringing = offers(desk.call("one"))
    assert {each.agent_id for each in ringing} == {1, 2, 3}
    assert len({each.batch for each in ringing}) == 1
    assert all(each.together == 3 for each in ringing)
    assert not offers(desk.call("two"))
    desk.failed(ringing[2], "busy")
    decisions = desk.answered(ringing[1])
    closed = {each.agent_id: (each.result, each.owner) for each in decisions if isinstance(each, CloseOffer)}
    assert closed == {2: ("answered", None), 1: ("taken", "engine-1")}
    assert [(each.entry_id, each.agent_id) for each in offers(decisions)] == [("two", 1)]


def test_when_all_who_rang_together_have_failed_the_call_waits_on() -> None:
    desk = desk_of(agent(1), agent(2), strategy="ring_all")
    first, second = offers(desk.call("one"))
    assert not offers(desk.failed(first))
    assert not offers(desk.failed(second, "rejected"))
    (offer,) = offers(desk.ready(1))
    assert offer.entry_id == "one"
    assert not offer.batch


def test_an_order_goes_before_any_strategy_and_a_delay_holds_back() -> None:
    members = {
        "agents": [{"extension": "1001", "order": 2}, {"extension": "1002"}, {"extension": "1003", "delay_seconds": 10}]
    }
    desk = desk_of(agent(1), agent(2), agent(3), agent(4), strategy="longest_idle", members=members)
    first, second = (offers(desk.call(name))[0] for name in ("one", "two"))
    assert [first.agent_id, second.agent_id] == [2, 1]
    desk.answered(first)
    desk.answered(second)
    assert not offers(desk.call("three"))
    assert not offers(desk.pass_time(9))
    (offer,) = offers(desk.pass_time(1))
    assert offer.agent_id == 3
    reasons = {each["agent_id"]: each["reason"] for each in offer.why["left_out"]}
    assert reasons[4] == "does not serve this queue"
