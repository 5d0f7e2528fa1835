"""Random flows with random callers: whatever is drawn, the call ends, every step is left once, and the times add up."""

import itertools
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, find, given, settings
from hypothesis import strategies as st
from playing import flow_of, play

from ivr.check import Surroundings, check
from ivr.errors import WebFailed
from ivr.flow import Flow
from ivr.memory_office import MemoryOffice
from ivr.node import node_types
from ivr.office import QueueStatus, TicketState, WebAnswer
from ivr.simulator import Press, Script
from ivr.visit import STACK, Checkpoint, outcome_when_gone

BUDGET = 60
NAMES = [f"n{number}" for number in range(8)]
prompts = st.lists(
    st.sampled_from(["greeting", "goodbye", "menu_main", "no_such_prompt"])
    | st.builds(
        lambda say, calendar: {"say": say, "calendar": calendar},
        st.sampled_from(["opening_hours", "reopening", "holiday", "closed"]),
        st.sampled_from(["Office", "Reception", "No such"]),
    ),
    min_size=1,
    max_size=3,
)
again = st.builds(
    lambda times, spoken: {"times": times, "prompts": spoken}, st.integers(1, 3), st.lists(prompts, max_size=2)
)
VARIABLES = ["x", "y", "extension"]
templates = st.sampled_from(["{x}", "{y} and {x}", "12", "2026-11-23", "14:30", "{caller_number}", "{nothing}"])
values = st.integers(-1000, 1000) | st.booleans() | st.text(max_size=20)
clauses = st.builds(
    lambda variable, how, value: {"variable": variable, "how": how, "value": value},
    st.sampled_from([*VARIABLES, "language", "customer_name"]),
    st.sampled_from(["is", "is_not", "less", "at_least", "contains", "begins_with"]),
    templates | values,
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
    st.builds(lambda number: {"type": "callback", "queue": "sales", "number": number}, templates),
    st.builds(
        lambda spoken, back, dial, barge: {
            "type": "menu", "prompts": spoken, "back": back, "direct_dial": dial, "barge_in": barge, "no_input": {"times": 2},
        },
        prompts,
        st.booleans(),
        st.sampled_from([0, 4]),
        st.booleans(),
    ),
    st.builds(
        lambda variable, secret, most, confirm: {
            "type": "collect", "variable": variable, "prompts": ["enter_number"], "most": most, "secret": secret,
            "confirm": {"after": ["confirm_number"]} if confirm and not secret else None,
        },
        st.sampled_from(VARIABLES),
        st.booleans(),
        st.integers(1, 4),
        st.booleans(),
    ),
    st.builds(
        lambda how, value: {"type": "say", "say": how, "value": value},
        st.sampled_from(["number", "digits", "date", "time", "text"]),
        templates,
    ),
    st.builds(
        lambda one, two: {
            "type": "language",
            "choices": [
                {"language": "en", "key": "1", "prompts": one}, {"language": "da", "key": "2", "prompts": two},
            ],
        },
        prompts,
        prompts,
    ),
    st.builds(
        lambda all_of, any_of: {"type": "condition", "all_of": all_of, "any_of": any_of},
        st.lists(clauses, min_size=1, max_size=2),
        st.lists(clauses, max_size=2),
    ),
    st.builds(
        lambda values, add, clear: {"type": "set", "values": values, "add": add, "clear": clear},
        st.dictionaries(st.sampled_from(VARIABLES), templates | values, max_size=3),
        st.dictionaries(st.sampled_from(VARIABLES), st.integers(-5, 5) | st.just(0.5), max_size=2),
        st.lists(st.sampled_from(VARIABLES), max_size=1),
    ),
    st.builds(
        lambda asks, number: {"type": "customer", "asks": asks, "number": number},
        st.sampled_from(["known", "category", "blocked", "open_ticket", "open_order", "debt"]),
        st.sampled_from(["", "{x}", "+4570707070"]),
    ),
    st.builds(
        lambda value: {"type": "http", "url": "https://shop.example/{x}", "results": {"x": value}},
        st.sampled_from(["state", "list[1]", "deep.state"]),
    ),
    st.just({"type": "split", "shares": {"next": 30, "done": 70}}),
    st.just({"type": "queue_status", "queue": "sales", "long_from": 2}),
    st.just({"type": "ring", "extension": "1001"}),
    st.just({"type": "ring", "extension": "{extension}"}),
    st.builds(
        lambda order: {"type": "ring_group", "extensions": ["1001", "1002"], "order": order},
        st.sampled_from(["listed", "shuffled", "longest_idle", "together"]),
    ),
    st.builds(lambda number: {"type": "outside", "number": number}, st.sampled_from(["+4570707070", "{x}"])),
    st.builds(lambda spoken: {"type": "voicemail", "box": "sales", "prompts": spoken}, prompts),
    st.builds(lambda spoken: {"type": "record", "prompts": spoken}, prompts),
    st.builds(lambda subject: {"type": "create_ticket", "subject": subject}, st.sampled_from(["Call", "About {x}"])),
    st.builds(lambda anybody: {"type": "ticket_state", "number": "{x}", "of_anybody": anybody}, st.booleans()),
    st.builds(lambda name: {"type": "sub_flow", "flow": name}, st.sampled_from(["test", "other", "gone"])),
    st.builds(lambda name: {"type": "go_to", "flow": name}, st.sampled_from(["test", "other", "gone"])),
    st.builds(lambda result: {"type": "return", "result": result}, st.sampled_from(["returned", "next", "no"])),
    st.builds(
        lambda spoken, least: {
            "type": "survey", "survey": "talk", "prompts": spoken,
            "questions": [
                {"name": "x", "words": "Well served?", "prompts": spoken, "answers": {"1": "no", "2": "yes"}},
                {"name": "z", "words": "Again?", "prompts": spoken, "answers": {str(least): "perhaps", "12": "surely"}},
            ],
        },
        prompts,
        st.integers(0, 20),
    ),
    st.builds(
        lambda to: {"type": "email", "to": to, "subject": "From {caller_number}", "body": "{x}"},
        st.sampled_from(["team@example.org", "{x}@example.org"]),
    ),
    st.builds(lambda serves: {"type": "milestone", "name": "Here", "serves": serves}, st.booleans()),
    st.builds(lambda spoken: {"type": "hang_up", "prompts": spoken}, prompts),
)  # fmt: skip
OTHER = flow_of(
    {
        "ask": {"type": "menu", "prompts": ["menu_main"], "no_input": {"times": 1},
                "exits": {"1": "back", "2": "again", "no_input": "back"}},
        "again": {"type": "sub_flow", "flow": "test", "exits": {"next": "back"}},
        "back": {"type": "return", "result": "no"},
    },
    name="other",
)  # fmt: skip
exit_names = st.sampled_from(
    ["next", "error", "0", "1", "2", "12", "*", "#", "no_input", "no_match", "open", "closed", "lunch", "holiday", "answered",
     "timeout", "otherwise", "busy", "left", "nothing", "done", "met", "not_met", "collected", "chosen", "known", "unknown",
     "failed", "404", "free", "waiting", "unstaffed", "recorded", "created", "not_found", "returned", "no", "back", "extension",
     "partly", "queued"]
)  # fmt: skip
nodes = st.builds(
    lambda body, exits: {
        **body,
        "exits": {name: target for name, target in exits.items() if name != "*" or not body.get("back")},
    },
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
    dials=st.lists(st.tuples(st.sampled_from([*RINGS, "forbidden"]), st.floats(0, 30)), max_size=8),
    statements=st.lists(st.tuples(st.sampled_from(["left", "nothing"]), st.floats(0, 30)), max_size=8),
    callbacks=st.lists(
        st.tuples(st.sampled_from(["taken", "known", "declined", "forbidden"]), st.floats(0, 60)), max_size=8
    ),
)  # fmt: skip
ENDINGS = {
    "answered", "callback", "voicemail", "self_service", "after_hours", "timeout", "no_agent", "full", "exit_key", "busy",
    "no_answer",
    "rejected", "unreachable", "abandoned_ivr", "network",
}  # fmt: skip


CARD = {"id": 7, "name": "Ann", "category": "vip", "open_tickets": [{}], "open_orders": [], "debt": 1.5}


def web(request):
    if request.url.endswith("12"):
        raise WebFailed("late")
    return WebAnswer(200 if len(request.url) % 2 else 404, {"state": "sent", "list": [1, 2.5], "deep": {}})


offices = st.builds(
    lambda waiting, staffed, free, blocked, mails: MemoryOffice(
        blocked=blocked, mail_server=mails,
        extensions=["1001"], idle=["1002"], queues={"sales": QueueStatus(waiting, staffed, free)},
        customers={"+4570707070": CARD},
        tickets={12: TicketState(12, 7, "report", datetime(2026, 11, 20, tzinfo=UTC))}, web=web,
    ),
    st.integers(0, 3),
    st.integers(0, 1),
    st.integers(0, 1),
    st.booleans(),
    st.booleans(),
)  # fmt: skip
callers = st.fixed_dictionaries(
    {"office": offices, "customer": st.none() | st.just(CARD), "caller_number": st.sampled_from(["", "+4532101010"])}
)


def holds_for_every_call(flow: Flow, played) -> None:
    steps = played.watch.steps
    assert 1 <= len(steps) <= BUDGET
    assert all(step.exit is not None and step.left_at > step.entered_at for step in steps)
    for before, after in itertools.pairwise(steps):
        assert before.left_at == after.entered_at
        known = flow if before.flow == flow.name else OTHER
        assert (
            known.nodes[before.node].exits
            or before.exit in ("enters", "back")
            or STACK in str(played.watch.checkpoints)
        )
    spent = sum((step.left_at - step.entered_at for step in steps), timedelta())
    assert spent == steps[-1].left_at - steps[0].entered_at
    # Steps that take no time are given a microsecond each, and the phone's own seconds are rounded to microseconds.
    assert abs(spent.total_seconds() - played.phone.elapsed) <= 2e-6 * (len(steps) + 1)
    assert len({step.entered_at for step in steps}) == len(steps)
    assert [step.exit for step in steps[:-1]].count("hung_up") == 0
    assert (steps[-1].exit == "hung_up") == (played.ending is None)
    assert played.disposition in ENDINGS


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(flows, scripts, instants, callers)
def test_any_flow_and_any_caller(flow, script, when, caller):
    played = play(flow, script, when=when, budget=BUDGET, others=[OTHER], **caller)
    holds_for_every_call(flow, played)
    if played.ending is not None and played.ending.hung_up:
        assert played.phone.heard[-1].what in ("hang_up", "left")


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(flows, scripts, instants, st.integers(0, 20))
def test_any_call_goes_on_from_any_of_its_checkpoints(flow, script, when, which):
    first = play(flow, script, when=when, budget=BUDGET, others=[OTHER])
    node, variables = first.watch.checkpoints[which % len(first.watch.checkpoints)]
    within, others = (OTHER, [flow]) if node in OTHER.nodes else (flow, [OTHER])
    second = play(within, Script(), when=when, budget=BUDGET, resume=Checkpoint(node, variables), others=others)
    assert second.watch.path[0] == node
    if within is flow:
        holds_for_every_call(flow, second)
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
    if any(node.type in ("sub_flow", "go_to", "return") for node in flow.nodes.values()):
        return
    played = play(
        flow,
        Script(
            queues=[("full", 0.0)] * BUDGET,
            rings=[("busy", 0.0)] * BUDGET,
            messages=[("nothing", 0.0)] * BUDGET,
            dials=[("busy", 0.0)] * BUDGET,
        ),
        when=when,
        budget=BUDGET,
    )
    assert len(played.watch.steps) <= len(NAMES)
    assert played.ending is not None
    assert "steps" not in (played.ending.fault or "")


def test_all_types_take_part():
    drawn = {find(bodies, lambda body, name=name: body["type"] == name)["type"] for name in node_types()}
    assert drawn == set(node_types())
