"""Nodes that ask the house, ring other phones, record or lead into other flows: every exit."""

from collections import Counter
from datetime import UTC, datetime

import pytest
from playing import at, flow_of, play, through
from test_value_nodes import invalid, kept

from ivr.errors import WebFailed
from ivr.flow import Flow
from ivr.memory_office import MemoryOffice
from ivr.node import node_types
from ivr.office import QueueStatus, TicketState, WebAnswer, WebRequest
from ivr.simulator import MemoryPhone, Script
from ivr.visit import STACK, Checkpoint

CARD = {
    "id": 7,
    "name": "Ann",
    "company": "",
    "category": "vip",
    "open_tickets": [{"id": 1}],
    "open_orders": [],
    "debt": 0,
}
OPENED = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


# --- customer ---


@pytest.mark.parametrize(
    ("asks", "customer", "way"),
    [
        ("known", None, "unknown"), ("known", CARD, "known"), ("category", CARD, "vip"),
        ("category", CARD | {"category": "problem"}, "problem"),
        ("category", CARD | {"category": "average"}, "known"), ("open_ticket", CARD, "open_ticket"),
        ("open_order", CARD, "known"),
        ("open_ticket", CARD | {"open_tickets": []}, "known"), ("open_order", CARD | {"open_orders": [{}]}, "open_order"),
        ("debt", CARD, "known"), ("debt", CARD | {"debt": 12.5}, "debt"), ("debt", None, "unknown"),
    ],
)  # fmt: skip
def test_customer(asks, customer, way):
    assert through({"type": "customer", "asks": asks}, customer=customer)[0] == way


def test_customer_by_a_number_that_was_keyed_in():
    office = MemoryOffice(customers={"+4570707070": CARD})
    node = {"type": "customer", "number": "{number}"}
    flow = {
        "set": {"type": "set", "values": {"number": "+4570707070"}, "exits": {"next": "it"}},
        "it": {**node, "exits": {"known": "greet", "unknown": "end"}},
        "greet": {"type": "set", "values": {"hello": "{customer_name} {open_tickets}"}, "exits": {"next": "end"}},
        "end": {"type": "hang_up"},
    }
    played = play(flow_of(flow), office=office)
    assert (played.watch.path[2], kept(played)["hello"]) == ("greet", "Ann 1")
    assert through(node)[0] == "unknown"
    assert through({"type": "customer", "number": "+4511111111"}, customer=CARD)[0] == "unknown"


# --- http ---

HTTP = {
    "type": "http",
    "url": "https://shop.example/orders/{called_number}?by={caller_number}",
    "results": {"state": "order.lines[0].state"},
}
ANSWER = {"order": {"lines": [{"state": "sent\nnow", "count": 3, "ready": True, "parts": [], "none": None}]}}


def asking(answer, **node):
    asked = []

    def web(request: WebRequest) -> WebAnswer:
        asked.append(request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    way, played = through(HTTP | node, office=MemoryOffice(web=web))
    return way, played, asked


def test_http_keeps_what_it_was_answered():
    way, played, (request,) = asking(WebAnswer(200, ANSWER), prompts=["please_wait"], seconds=2, tries=3)
    assert (way, kept(played), played.names) == ("done", {"state": "sent now"}, ["please_wait"])
    assert request == WebRequest("GET", "https://shop.example/orders/5000?by=%2B4532101010", {}, None, 2, 3)
    results = {"count": "order.lines[-1].count", "ready": "order.lines[0].ready"}
    assert kept(asking(WebAnswer(200, ANSWER), results=results)[1]) == {"count": 3, "ready": True}


def test_http_sends_what_it_is_told():
    body = {"who": "{caller_number}", "list": ["{called_number}!", 2, True, None]}
    _, _, (request,) = asking(WebAnswer(200, ANSWER), method="POST", body=body, headers={"X-Call": "{call_id}"})
    assert request.method == "POST"
    assert request.body == {"who": "+4532101010", "list": ["5000!", 2, True, None]}
    assert request.headers == {"X-Call": "00000000-0000-4000-8000-000000000000"}


@pytest.mark.parametrize(
    "answer",
    [
        WebFailed("late"), WebAnswer(500), WebAnswer(404, ANSWER), WebAnswer(200), WebAnswer(200, []),
        WebAnswer(200, {"order": {"lines": []}}),
        WebAnswer(200, {"order": {"lines": [{"state": {}}]}}), WebAnswer(200, {"order": {"lines": {"0": 1}}}),
    ],
)  # fmt: skip
def test_http_that_fails(answer):
    way, played, _ = asking(answer)
    assert (way, kept(played)) == ("failed", {})


def test_http_with_an_exit_for_a_status():
    assert asking(WebAnswer(404), exits={"404": "end"})[0] == "404"
    flow = flow_of({"it": HTTP | {"exits": {"done": "end", "failed": "bad", "404": "gone"}}, "end": {"type": "hang_up"},
                    "bad": {"type": "hang_up"}, "gone": {"type": "hang_up"}})  # fmt: skip
    assert play(flow, office=MemoryOffice(web=lambda _: WebAnswer(404))).watch.path == ["it", "gone"]


def test_http_without_its_variables_is_an_error():
    assert asking(WebAnswer(200, ANSWER), url="https://shop.example/{nothing}")[0] == "error"


def test_what_is_no_request():
    invalid(HTTP | {"url": "ftp://shop.example/"}, "http://")
    invalid(HTTP | {"url": "https://{caller_number}.example/"}, "names its host outright")
    invalid(HTTP | {"url": "https://user:secret@shop.example/"}, "names its host outright")
    invalid(HTTP | {"headers": {"Host": "other"}}, "may be set")
    invalid(HTTP | {"headers": {"X-A": "a\r\nX-B: b"}}, "cannot be sent")
    invalid(HTTP | {"results": {"state": "order..x"}}, "no path")
    invalid(HTTP | {"results": {"call_id": "x"}}, "by itself")
    invalid(HTTP | {"body": {}}, "GET")


# --- split ---


def test_split_shares_callers_out_and_keeps_to_it():
    node = {"type": "split", "shares": {"few": 10, "many": 90}}
    drawn = Counter(
        through(node, phone=MemoryPhone(start=at("2026-11-23T10:00"), call_id=f"call {number}"))[0]
        for number in range(2000)
    )
    assert set(drawn) == {"few", "many"}
    assert 140 <= drawn["few"] <= 260
    assert len({through(node)[0] for _ in range(5)}) == 1
    invalid({"type": "split", "shares": {"a": 50, "b": 49}}, "make 100")
    invalid({"type": "split", "shares": {"error": 100}}, "each node has")


@pytest.mark.parametrize(
    ("blocked", "card", "way"),
    [(True, None, "blocked"), (True, CARD, "blocked"), (False, CARD, "known"), (False, None, "unknown")],
)
def test_customer_whose_number_is_blocked(blocked, card, way):
    office = MemoryOffice(blocked=blocked)
    assert through({"type": "customer", "asks": "blocked"}, office=office, customer=card)[0] == way


# --- queue_status ---


@pytest.mark.parametrize(
    ("status", "way"),
    [
        ((0, 2, 1), "free"),
        ((0, 2, 0), "waiting"),
        ((3, 2, 1), "waiting"),
        ((5, 2, 0), "long"),
        ((0, 0, 0), "unstaffed"),
    ],
)
def test_queue_status(status, way):
    office = MemoryOffice(queues={"sales": QueueStatus(*status)})
    taken, played = through({"type": "queue_status", "queue": "sales", "long_from": 5}, office=office)
    assert taken == way
    assert kept(played) == dict(zip(("queue_waiting", "queue_staffed", "queue_free"), status, strict=True))


@pytest.mark.parametrize(
    ("wait", "way", "told"),
    [
        (None, "waiting", {}),
        (200.0, "waiting", {"queue_wait_seconds": 200, "queue_wait_minutes": 4}),
        (300.4, "long", {"queue_wait_seconds": 300, "queue_wait_minutes": 6}),
    ],
)
def test_queue_status_by_the_expected_wait(wait, way, told):
    office = MemoryOffice(queues={"sales": QueueStatus(1, 1, 0, wait)})
    taken, played = through({"type": "queue_status", "queue": "sales", "long_from_seconds": 300}, office=office)
    assert taken == way
    assert {name: value for name, value in kept(played).items() if "wait_" in name} == told


# --- ring, ring_group, outside ---


def test_ring_an_extension_out_of_a_variable():
    flow = {
        "set": {"type": "set", "values": {"extension": "1001"}, "exits": {"next": "it"}},
        "it": {"type": "ring", "extension": "{extension}", "exits": {"otherwise": "end"}},
        "end": {"type": "hang_up"},
    }
    played = play(flow_of(flow))
    assert [heard.detail for heard in played.phone.heard if heard.what == "ring"] == ["1001"]
    flow["set"]["values"]["extension"] = "1001,user/1"
    assert play(flow_of(flow)).watch.steps[1].exit == "error"


def rung(node, *outcomes, **caller):
    way, played = through({"type": "ring_group", "extensions": ["1001", "1002", "1003"], **node},
                          Script(rings=[(outcome, 5.0) for outcome in outcomes]), **caller)  # fmt: skip
    return way, [heard.detail for heard in played.phone.heard if heard.what == "ring"], played.disposition


@pytest.mark.parametrize(
    ("outcomes", "way", "rings"),
    [
        (["answered"], "answered", 1), (["busy", "no_answer", "answered"], "answered", 3),
        (["busy", "no_answer", "rejected"], "no_answer", 3),
        (["busy", "unreachable", "rejected"], "busy", 3), (["rejected", "unreachable", "unreachable"], "rejected", 3),
        (["unreachable"] * 3, "unreachable", 3),
    ],
)  # fmt: skip
def test_ring_group_in_turn(outcomes, way, rings):
    assert rung({}, *outcomes) == (way, ["1001", "1002", "1003"][:rings], way)


def test_ring_group_says_who_rings_next():
    assert rung({"rounds": 2}, *["busy"] * 5, "answered")[1] == ["1001", "1002", "1003"] * 2
    assert rung({"order": "longest_idle"}, office=MemoryOffice(idle=["1003", "1002"]))[1] == ["1003"]
    assert rung({"order": "longest_idle"}, *["busy"] * 3, office=MemoryOffice(idle=["1003"]))[1] == [
        "1003",
        "1001",
        "1002",
    ]
    assert rung({"order": "together"}, "no_answer") == ("no_answer", ["1001 1002 1003"], "no_answer")
    assert rung({"order": "together"})[0] == "answered"
    first = {tuple(rung({"order": "shuffled"}, *["busy"] * 3, call_id=f"call {number}")[1]) for number in range(50)}
    assert len(first) == 6
    invalid({"type": "ring_group", "extensions": ["1001", "1001"]}, "twice")


@pytest.mark.parametrize("outcome", ["answered", "busy", "no_answer", "rejected", "unreachable", "forbidden"])
def test_outside(outcome):
    way, played = through({"type": "outside", "number": "+45 70 70 70 70"}, Script(dials=[(outcome, 5.0)]))
    assert way == outcome
    assert played.disposition == ("self_service" if outcome == "forbidden" else outcome)
    assert [heard.detail for heard in played.phone.heard if heard.what == "dial"] == ["+45 70 70 70 70"]


# --- record, tickets, milestone ---


@pytest.mark.parametrize(("outcome", "way"), [("left", "recorded"), ("nothing", "nothing")])
def test_record(outcome, way):
    taken, played = through({"type": "record", "prompts": ["statement"]}, Script(statements=[(outcome, 4.0)]))
    assert (taken, "statement" in kept(played)) == (way, outcome == "left")
    assert (played.names, played.disposition) == (["statement"], "self_service")


def test_create_ticket():
    office = MemoryOffice(tickets={41: TicketState(41, 3, "complaint", OPENED)})
    way, played = through(
        {"type": "create_ticket", "subject": "From {caller_number}", "kind": "report"}, office=office, customer=CARD
    )
    assert (way, kept(played)) == ("created", {"ticket": 42})
    assert (office.tickets[42].customer_id, office.tickets[42].kind) == (7, "report")
    assert through({"type": "create_ticket", "subject": "Who?"}, caller_number="")[0] == "unknown"
    assert through({"type": "create_ticket", "subject": "{nothing}"})[0] == "error"


def test_a_call_that_comes_by_twice_opens_one_ticket():
    office = MemoryOffice()
    nodes = {
        "it": {"type": "create_ticket", "subject": "Once", "exits": {"created": "count"}},
        "count": {"type": "set", "add": {"times": 1}, "exits": {"next": "enough"}},
        "enough": {
            "type": "condition",
            "all_of": [{"variable": "times", "value": 2}],
            "exits": {"met": "end", "not_met": "it"},
        },
        "end": {"type": "hang_up"},
    }
    play(flow_of(nodes), office=office)
    assert list(office.tickets) == [1]


@pytest.mark.parametrize(
    ("number", "of_anybody", "way"),
    [
        ("1", False, "open"), ("002", False, "closed"), ("3", False, "not_found"), ("3", True, "open"),
        ("9", True, "not_found"),
        ("x", True, "not_found"), ("{caller_number}", True, "not_found"),
    ],
)  # fmt: skip
def test_ticket_state(number, of_anybody, way):
    tickets = {
        1: TicketState(1, 7, "complaint", OPENED),
        2: TicketState(2, 7, "complaint", OPENED, OPENED),
        3: TicketState(3, 8, "report", OPENED),
    }
    node = {"type": "ticket_state", "number": number, "of_anybody": of_anybody}
    taken, played = through(node, office=MemoryOffice(tickets=tickets), customer=CARD)
    assert taken == way
    if way != "not_found":
        assert kept(played)["ticket_opened"] == "2026-11-20T09:00:00+00:00"
    assert through({"type": "ticket_state"})[0] == "error"


def test_milestone():
    way, played = through({"type": "milestone", "name": "Order found"})
    assert (way, kept(played)) == ("next", {"milestone": "Order found"})
    nodes = {
        "it": {"type": "milestone", "name": "Served", "serves": True, "exits": {"next": "say"}},
        "say": {"type": "play", "prompts": ["greeting"], "exits": {"next": "end"}},
        "end": {"type": "hang_up"},
    }
    assert play(flow_of(nodes), Script(leaves_after=1)).disposition == "self_service"


# --- sub_flow, go_to, return ---


def flow(name, nodes):
    return Flow.parse({"name": name, "start": next(iter(nodes)), "nodes": nodes})


SAY = {"type": "play", "prompts": ["greeting"]}
MAIN = flow(
    "main",
    {
        "call": {"type": "sub_flow", "flow": "sub", "exits": {"returned": "end", "no": "sorry"}},
        "end": {"type": "hang_up"},
        "sorry": {"type": "hang_up"},
    },
)


def went(played):
    return [(step.flow, step.node, step.exit) for step in played.watch.steps]


@pytest.mark.parametrize(("result", "after"), [("returned", "end"), ("no", "sorry"), ("other", "end")])
def test_sub_flow_comes_back_by_its_result(result, after):
    sub = flow("sub", {"a": {**SAY, "exits": {"next": "b"}}, "b": {"type": "return", "result": result}})
    played = play(MAIN, others=[sub])
    assert went(played) == [
        ("main", "call", "enters"), ("sub", "a", "next"), ("sub", "b", "done"), ("main", after, "done")
    ]  # fmt: skip
    assert [step.version for step in played.watch.steps] == [3, 1, 1, 3]


def test_a_sub_flow_that_just_ends_has_returned():
    sub = flow("sub", {"a": {"type": "queue", "queue": "sales", "exits": {"otherwise": "b"}}, "b": {"type": "hang_up"}})
    assert went(play(MAIN, others=[sub]))[-1] == ("main", "end", "done")
    assert went(play(MAIN, Script(queues=[("full", 0.0)]), others=[sub]))[-1] == ("sub", "b", "done")


def test_where_the_caller_of_a_sub_flow_ends_with_it():
    outer = flow("main", {"call": {"type": "sub_flow", "flow": "sub"}})
    played = play(outer, others=[flow("sub", {"a": {"type": "return"}})])
    assert (went(played)[-1], played.ending.fault, played.ending.hung_up) == (("sub", "a", "done"), None, False)


def test_sub_flows_share_variables_and_go_on_elsewhere():
    sub = flow(
        "sub",
        {
            "a": {"type": "set", "values": {"x": 1}, "exits": {"next": "b"}},
            "b": {**SAY, "exits": {"next": "c"}},
            "c": {"type": "return", "result": "no"},
        },
    )
    played = play(MAIN, others=[sub])
    assert kept(played) == {"x": 1}
    assert [variables.get(STACK) for _, variables in played.watch.checkpoints][:5] == [None, *["main 3 call"] * 3, None]
    node, variables = played.watch.checkpoints[2]
    # Another process takes the call over within the sub-flow, and comes back from it.
    resumed = play(sub, resume=Checkpoint(node, variables), others=[MAIN])
    assert resumed.ending.fault  # flow main has another version here by now, and the one it began with is gone
    variables = {**variables, STACK: "main 1 call"}
    assert went(play(sub, resume=Checkpoint(node, variables), others=[MAIN]))[-1] == ("main", "sorry", "done")


def test_go_to_does_not_come_back():
    there = flow("main", {"a": {"type": "go_to", "flow": "other"}})
    other = flow("other", {"b": {"type": "hang_up"}})
    assert went(play(there, others=[other])) == [("main", "a", "enters"), ("other", "b", "done")]


def test_go_to_within_a_sub_flow_ends_where_that_would_have_ended():
    sub = flow("sub", {"a": {"type": "go_to", "flow": "third"}})
    third = flow("third", {"b": {"type": "return", "result": "no"}})
    assert went(play(MAIN, others=[sub, third]))[-1] == ("main", "sorry", "done")


def test_flows_that_are_not_there_or_call_one_another_without_end():
    assert through({"type": "sub_flow", "flow": "gone"})[0] == "error"
    assert through({"type": "go_to", "flow": "gone"})[0] == "error"
    again = flow(
        "main", {"a": {"type": "sub_flow", "flow": "main", "exits": {"error": "end"}}, "end": {"type": "hang_up"}}
    )
    assert [step.exit for step in play(again).watch.steps] == ["enters"] * 8 + ["error", "done"]
    round_and_round = flow("main", {"a": {"type": "go_to", "flow": "main"}})
    played = play(round_and_round, budget=20)
    assert (len(played.watch.steps), "20 steps" in played.ending.fault) == (20, True)


def test_return_from_nowhere_ends_the_call():
    way, played = through({"type": "return", "exits": {}})
    assert (way, played.ending.fault) == ("done", None)
    invalid({"type": "return", "result": "error"}, "something else")


def test_every_type_has_its_schema():
    assert set(node_types()) == {
        "play", "say", "menu", "collect", "language", "hours", "condition", "set", "customer", "http", "split", "queue_status",
        "queue", "ring", "ring_group", "outside", "voicemail", "record", "create_ticket", "ticket_state", "sub_flow", "return",
        "go_to", "milestone", "hang_up", "survey", "email", "callback",
    }  # fmt: skip
    schema = Flow.model_json_schema()
    assert {node_class.__name__ for node_class in node_types().values()} <= set(schema["$defs"])


@pytest.mark.parametrize(
    ("outcome", "end"), [("taken", "callback"), ("known", "callback"), ("declined", "self_service")]
)
def test_callers_may_ask_to_be_called_back(outcome, end):
    taken, played = through({"type": "callback", "queue": "sales"}, Script(callbacks=[(outcome, 9.0)]))
    assert (taken, played.disposition) == (outcome, end)
