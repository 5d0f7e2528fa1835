"""A call's way through a flow: steps, exits, endings, faults, and going on where another process left off."""

import time
from datetime import timedelta
from pathlib import Path

import pytest
from playing import CALENDARS, CATALOGUE, at, flow_of, play

from conf.errors import PointsmanError
from ivr.errors import FlowInvalid
from ivr.flow import PublishedFlow
from ivr.interpreter import Interpreter
from ivr.simulator import MemoryPhone, MemoryWatch, Script, Step
from ivr.visit import LANGUAGE, OUTCOME, Checkpoint

SAY = {"type": "play", "prompts": ["greeting"]}
BYE = {"type": "hang_up", "prompts": ["goodbye"]}
FLOW = flow_of(
    {
        "hello": {**SAY, "exits": {"next": "menu"}},
        "menu": {"type": "menu", "prompts": ["menu_main"], "exits": {1: "sales", "no_input": "bye"}},
        "sales": {"type": "queue", "queue": "sales", "exits": {"otherwise": "bye"}},
        "bye": BYE,
    }
)


def steps(played):
    return [(step.node, step.exit) for step in played.watch.steps]


def test_a_call_goes_from_node_to_node_until_the_flow_ends():
    played = play(FLOW, Script(answers=["1"]))
    assert steps(played) == [("hello", "next"), ("menu", "1"), ("sales", "answered")]
    assert (played.ending.disposition, played.ending.node, played.ending.node_type) == ("answered", "sales", "queue")
    assert not played.ending.hung_up
    assert played.ending.fault is None
    assert {(step.flow, step.version) for step in played.watch.steps} == {("test", 3)}


def test_the_flow_hangs_up_by_itself():
    played = play(FLOW)
    assert steps(played)[-1] == ("bye", "done")
    assert played.ending.hung_up
    assert (played.phone.heard[-1].what, played.phone.heard[-1].detail) == ("hang_up", "NORMAL_CLEARING")


def test_steps_follow_one_another_without_a_gap():
    played = play(FLOW, Script(answers=["1"]))
    assert played.watch.steps[0].entered_at == at("2026-11-23T10:00")
    for before, after in zip(played.watch.steps, played.watch.steps[1:], strict=False):
        assert before.left_at == after.entered_at
    assert played.watch.steps[-1].left_at == played.phone.now()


def test_steps_that_take_no_time_have_instants_of_their_own():
    doors = {"type": "hours", "calendar": "Office", "exits": {"open": "b", "closed": "b"}}
    played = play(flow_of({"a": doors, "b": {"type": "hang_up"}}))
    instants = [step.entered_at for step in played.watch.steps]
    assert len(set(instants)) == len(instants)
    assert played.watch.steps[-1].left_at - instants[0] == timedelta(microseconds=2)


def test_a_clock_set_back_makes_no_step_end_before_it_began():
    clock = iter([at("2026-11-23T10:00"), at("2026-11-23T09:00"), at("2026-11-23T09:00"), at("2026-11-23T10:01")])
    watch = MemoryWatch()
    interpreter = Interpreter(CATALOGUE, CALENDARS, now=lambda: next(clock))
    flow = flow_of({"a": {**SAY, "exits": {"next": "b"}}, "b": {**SAY, "exits": {"next": "c"}}, "c": BYE})
    interpreter.run(PublishedFlow(1, flow), MemoryPhone(start=at("2030-01-01T00:00")), watch)
    assert all(step.left_at > step.entered_at for step in watch.steps)
    assert watch.steps[-1].left_at == at("2026-11-23T10:01")


@pytest.mark.parametrize(
    ("leaves", "node", "disposition"),
    [(0.5, "hello", "abandoned_ivr"), (3, "menu", "abandoned_ivr"), (8, "sales", "abandoned_ivr")],
)
def test_a_caller_who_leaves_is_told_of_once(leaves, node, disposition):
    played = play(FLOW, Script(answers=["1"], leaves_after=leaves))
    assert played.ending is None
    assert steps(played)[-1] == (node, "hung_up")
    assert played.watch.steps[-1].left_at == at("2026-11-23T10:00") + timedelta(seconds=leaves)
    assert played.disposition == disposition


def test_a_checkpoint_is_made_at_each_node():
    played = play(FLOW, Script(answers=["1"]))
    assert [node for node, _ in played.watch.checkpoints] == ["hello", "menu", "sales"]
    assert played.watch.checkpoints[0][1] == {LANGUAGE: "en"}


def test_a_call_goes_on_where_another_process_left_it():
    entered = at("2026-11-23T09:59:30")
    watch = MemoryWatch([Step("test", 3, "menu", "menu", entered)])
    played = play(FLOW, Script(answers=["1"]), resume=Checkpoint("menu", {LANGUAGE: "en"}, entered), watch=watch)
    # The step was entered in the process that died, so it is not told of again, and ends as one with its beginning.
    assert steps(played) == [("menu", "1"), ("sales", "answered")]
    assert watch.steps[0].left_at == watch.steps[1].entered_at == at("2026-11-23T10:00:01")


def test_what_a_call_has_come_to_survives_its_process():
    played = play(FLOW, resume=Checkpoint("menu", {OUTCOME: "after_hours"}))
    assert steps(played)[0] == ("menu", "no_input")
    assert played.disposition == "after_hours"


def test_a_checkpoint_of_a_node_that_is_not_there_starts_over():
    assert steps(play(FLOW, resume=Checkpoint("gone", {}, at("2026-11-23T09:00"))))[0][0] == "hello"


def test_a_node_that_fails_leaves_by_error():
    flow = flow_of(
        {"a": {"type": "play", "prompts": ["no_such_prompt"], "exits": {"next": "b", "error": "b"}}, "b": BYE}
    )
    played = play(flow)
    assert steps(played) == [("a", "error"), ("b", "done")]
    assert played.ending.fault is None


@pytest.mark.parametrize(
    "node",
    [
        {"type": "play", "prompts": ["no_such_prompt"], "exits": {"next": "b"}},
        {"type": "hours", "calendar": "No such", "exits": {"open": "b", "closed": "b"}},
        {"type": "play", "prompts": ["greeting"]},
        {"type": "play", "prompts": ["greeting"], "exits": {"next": "nowhere"}},
        {"type": "menu", "prompts": ["menu_main"], "exits": {"1": "b"}},
    ],
)
def test_where_nothing_follows_the_caller_hears_an_apology(node):
    played = play(flow_of({"a": node, "b": BYE}))
    assert played.names[-1] == "technical_fault"
    assert (played.phone.heard[-1].what, played.phone.heard[-1].detail) == ("hang_up", "NORMAL_TEMPORARY_FAILURE")
    assert (played.ending.disposition, played.ending.hung_up) == ("network", True)
    assert played.ending.fault
    assert played.watch.steps[-1].left_at == played.phone.now()


def test_a_caller_who_leaves_during_the_apology_ends_the_flow_all_the_same():
    played = play(flow_of({"a": SAY, "b": BYE}), Script(leaves_after=3))
    assert played.ending.fault
    assert played.ending.hung_up


def test_no_flow_can_spin():
    flow = flow_of({"a": {**SAY, "exits": {"next": "b"}}, "b": {**SAY, "exits": {"next": "a"}}})
    played = play(flow, budget=50)
    assert len(played.watch.steps) == 50
    assert "50 steps" in played.ending.fault
    assert played.names[-1] == "technical_fault"


def test_a_program_fault_leaves_no_step_open():
    class Broken(MemoryPhone):
        def play(self, prompts):
            raise ZeroDivisionError

    watch = MemoryWatch()
    with pytest.raises(ZeroDivisionError):
        play(FLOW, phone=Broken(start=at("2026-11-23T10:00")), watch=watch)
    assert [(step.node, step.exit) for step in watch.steps] == [("hello", "lost")]


def test_the_switch_failing_is_an_error_of_the_node():
    class Deaf(MemoryPhone):
        def gather(self, prompts, **how):
            raise PointsmanError("no reply in time")

    flow = flow_of(
        {"menu": {"type": "menu", "prompts": ["menu_main"], "exits": {1: "b", "no_input": "b", "error": "b"}}, "b": BYE}
    )
    assert steps(play(flow, phone=Deaf(start=at("2026-11-23T10:00"))))[0] == ("menu", "error")


def test_a_flow_without_a_beginning_is_not_published():
    with pytest.raises(FlowInvalid, match="nowhere"):
        PublishedFlow(1, flow_of({"a": BYE}, start="nowhere"))


def test_a_step_costs_below_fifty_microseconds():
    class Silent(MemoryPhone):
        def play(self, prompts):
            pass

    class Nothing:
        def step_entered(self, *_):
            pass

        def step_left(self, *_):
            pass

        def checkpoint(self, *_):
            pass

    class Instant:
        def paths(self, names, language):
            return [Path(name) for name in names]

    nodes: dict[str, object] = {
        f"n{number}": {**SAY, "exits": {"next": f"n{number + 1}"}}
        if number % 2
        else {"type": "hours", "calendar": "Office", "exits": {"open": f"n{number + 1}", "closed": f"n{number + 1}"}}
        for number in range(1000)
    }
    nodes["n1000"] = {"type": "hang_up"}
    flow = PublishedFlow(1, flow_of(nodes))
    interpreter = Interpreter(Instant(), CALENDARS, step_budget=2000)  # type: ignore[arg-type]

    def once() -> float:
        phone = Silent(start=at("2026-11-23T10:00"))
        began = time.process_time()
        assert interpreter.run(flow, phone, Nothing()).fault is None
        return (time.process_time() - began) / 1001

    assert min(once() for _ in range(5)) < 50e-6
