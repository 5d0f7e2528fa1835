"""Random flows with random callers: whatever is drawn, the call ends, every step is left once, and the times add up."""

import itertools
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playing import flow_of, play

from ivr.check import Surroundings, check
from ivr.flow import Flow
from ivr.node import node_types
from ivr.simulator import Press, Script
from ivr.visit import Checkpoint, outcome_when_gone

BUDGET = 60
NAMES = [f"n{number}" for number in range(8)]
prompts = st.lists(
    st.sampled_from(["greeting", "goodbye", "menu_main", "no_such_prompt"])
    | st.builds(
        lambda say, calendar: {"say": say, "calendar": calendar},
        st.sampled_from(["opening_hours", "reopening", "holiday"]),
        st.sampled_from(["Office", "Reception", "No such"]),
    ),
    min_size=1,
    max_size=3,
)
again = st.builds(
    lambda times, spoken: {"times": times, "prompts": spoken}, st.integers(1, 3), st.lists(prompts, max_size=2)
)
bodies = st.one_of(
    st.builds(lambda spoken, serves: {"type": "play", "prompts": spoken, "serves": serves}, prompts, st.booleans()),
    st.builds(
        lambda spoken, one, two: {"type": "menu", "prompts": spoken, "no_input": one, "no_match": two},
        prompts,
        again,
        again,
    ),
    st.builds(
        lambda name, counts: {"type": "hours", "calendar": name, "counts": counts},
        st.sampled_from(["Office", "Mornings"]),
        st.booleans(),
    ),
    st.just({"type": "queue", "queue": "sales"}),
    st.just({"type": "ring", "extension": "1001"}),
    st.builds(lambda spoken: {"type": "voicemail", "box": "sales", "prompts": spoken}, prompts),
    st.builds(lambda spoken: {"type": "hang_up", "prompts": spoken}, prompts),
)
exit_names = st.sampled_from(
    ["next", "error", "0", "1", "2", "12", "*", "#", "no_input", "no_match", "open", "closed", "lunch", "holiday", "answered",
     "timeout", "otherwise", "busy", "left", "nothing", "done"]
)  # fmt: skip
nodes = st.builds(
    lambda body, exits: {**body, "exits": exits},
    bodies,
    st.dictionaries(exit_names, st.sampled_from([*NAMES, "nowhere"]), max_size=12),
)
flows = st.fixed_dictionaries(dict.fromkeys(NAMES, nodes)).map(flow_of)
instants = st.sampled_from(
    ["2026-11-23T10:00", "2026-11-23T12:10", "2026-11-23T23:59:50", "2026-12-25T03:00", "2026-10-25T02:30"]
)
QUEUES = ["answered", "timeout", "no_agent", "full", "exit_key", "closed"]
RINGS = ["answered", "busy", "no_answer", "rejected", "unreachable"]
seconds = st.floats(0, 200, allow_nan=False)
scripts = st.builds(
    Script,
    presses=st.lists(st.builds(Press, seconds, st.sampled_from("0123456789*#")), max_size=12),
    answers=st.lists(st.text("012*#", max_size=3), max_size=12),
    reaction=st.floats(0, 8),
    leaves_after=st.none() | seconds,
    queues=st.lists(st.tuples(st.sampled_from(QUEUES), st.floats(0, 60)), max_size=8),
    rings=st.lists(st.tuples(st.sampled_from(RINGS), st.floats(0, 30)), max_size=8),
    messages=st.lists(st.tuples(st.sampled_from(["left", "nothing"]), st.floats(0, 30)), max_size=8),
)  # fmt: skip
ENDINGS = {
    "answered", "voicemail", "self_service", "after_hours", "timeout", "no_agent", "full", "exit_key", "busy", "no_answer",
    "rejected", "unreachable", "abandoned_ivr", "network",
}  # fmt: skip


def holds_for_every_call(flow: Flow, played) -> None:
    steps = played.watch.steps
    assert 1 <= len(steps) <= BUDGET
    assert all(step.exit is not None and step.left_at > step.entered_at for step in steps)
    for before, after in itertools.pairwise(steps):
        assert before.left_at == after.entered_at
        assert flow.nodes[before.node].exits
    spent = sum((step.left_at - step.entered_at for step in steps), timedelta())
    assert spent == steps[-1].left_at - steps[0].entered_at
    # Steps that take no time are given a microsecond each, and the phone's own seconds are rounded to microseconds.
    assert abs(spent.total_seconds() - played.phone.elapsed) <= 2e-6 * (len(steps) + 1)
    assert len({step.entered_at for step in steps}) == len(steps)
    assert [step.exit for step in steps[:-1]].count("hung_up") == 0
    assert (steps[-1].exit == "hung_up") == (played.ending is None)
    assert played.disposition in ENDINGS


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(flows, scripts, instants)
def test_any_flow_and_any_caller(flow, script, when):
    played = play(flow, script, when=when, budget=BUDGET)
    holds_for_every_call(flow, played)
    if played.ending is not None and played.ending.hung_up:
        assert played.phone.heard[-1].what in ("hang_up", "left")


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(flows, scripts, instants, st.integers(0, 20))
def test_any_call_goes_on_from_any_of_its_checkpoints(flow, script, when, which):
    first = play(flow, script, when=when, budget=BUDGET)
    node, variables = first.watch.checkpoints[which % len(first.watch.checkpoints)]
    second = play(flow, Script(), when=when, budget=BUDGET, resume=Checkpoint(node, variables))
    holds_for_every_call(flow, second)
    assert second.watch.path[0] == node
    assert outcome_when_gone(variables) in ENDINGS


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(flows)
def test_any_flow_is_checked_and_keeps_its_yaml(flow):
    problems = check(flow, Surroundings())
    assert all(problem.fault and problem.mend for problem in problems)
    assert Flow.from_yaml(flow.to_yaml()) == flow
    assert Flow.parse(flow.document()) == flow


@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
@given(flows, instants)
def test_a_silent_caller_ends_any_flow_without_circles(flow, when):
    """What the check lets pass as having no circle cannot use up the budget when nobody presses a key."""
    if any("go round" in problem.fault for problem in check(flow, Surroundings())):
        return
    played = play(
        flow,
        Script(queues=[("full", 0.0)] * BUDGET, rings=[("busy", 0.0)] * BUDGET, messages=[("nothing", 0.0)] * BUDGET),
        when=when,
        budget=BUDGET,
    )
    assert len(played.watch.steps) <= len(NAMES)
    assert played.ending is not None
    assert "steps" not in (played.ending.fault or "")


def test_all_types_take_part():
    drawn = {"play", "menu", "hours", "queue", "ring", "voicemail", "hang_up"}
    assert drawn == set(node_types())
