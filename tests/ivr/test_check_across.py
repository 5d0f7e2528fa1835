"""What the check finds across flows, of variables and secrets, and in each language."""

import pytest
from playing import CALENDARS, CATALOGUE, flow_of

from ivr.check import Surroundings, check, is_fit
from ivr.flow import Flow

BYE = {"type": "hang_up", "prompts": ["goodbye"]}
PIN = {
    "type": "collect",
    "variable": "pin",
    "secret": True,
    "prompts": ["enter_code"],
    "exits": {"collected": "use", "no_input": "bye"},
}


def flow(name, nodes):
    return Flow.parse({"name": name, "start": next(iter(nodes)), "nodes": nodes})


def found(nodes, *others, **around):
    around = {"flows": {other.name: other for other in others}, **around}
    problems = check(flow_of(nodes), Surroundings(CATALOGUE, CALENDARS, {"sales"}, {"1001"}, **around))
    return [(problem.node, problem.fault, problem.serious) for problem in problems]


def call(name, **exits):
    return {"type": "sub_flow", "flow": name, "exits": exits}


def play(then):
    return {"type": "play", "prompts": ["greeting"], "exits": {"next": then}}


def test_a_flow_that_is_not_there():
    assert found({"a": call("gone", returned="bye"), "bye": BYE}) == [("a", "there is no flow 'gone'", True)]
    assert "no flow 'gone'" in found({"a": {"type": "go_to", "flow": "gone"}})[0][1]


def test_flows_that_call_one_another_without_end():
    other = flow("other", {"b": {"type": "menu", "prompts": ["menu_main"], "exits": {"1": "c", "no_input": "d"}},
                           "c": call("test"), "d": {"type": "return"}})  # fmt: skip
    problems = found({"a": call("other", returned="bye"), "bye": BYE}, other)
    assert problems == [("a", "the flow calls itself without end: test > other > test", True)]
    faults = [problem[1] for problem in found({"a": call("test", returned="bye"), "bye": BYE})]
    assert "the flow calls itself without end: test > test" in faults


def test_calls_one_after_the_other_are_no_circle():
    other = flow("other", {"b": play("c"), "c": {"type": "return"}})
    assert found({"a": call("other", returned="b"), "b": call("other", returned="bye"), "bye": BYE}, other) == []


def test_circles_through_other_flows():
    other = flow("other", {"b": play("c"), "c": {"type": "return", "result": "again"}})
    ((node, fault, serious),) = found({"a": call("other", again="a", returned="bye"), "bye": BYE}, other)
    assert (node, serious) == ("a", True)
    assert "a > a" in fault
    back = flow("other", {"b": play("c"), "c": {"type": "go_to", "flow": "test"}})
    ((node, fault, serious),) = found({"a": {"type": "go_to", "flow": "other"}}, back)
    assert (node, "a > other.b > other.c > a" in fault, serious) == ("a", True, True)


def test_what_a_key_or_a_result_that_never_comes_leads_to_is_no_circle():
    asks = flow("other", {"b": {"type": "menu", "prompts": ["menu_main"], "exits": {"1": "c", "no_input": "d"}},
                          "c": {"type": "return", "result": "again"}, "d": BYE})  # fmt: skip
    assert found({"a": call("other", again="a", returned="bye"), "bye": BYE}, asks) == []


def test_a_secret_that_would_be_laid_open():
    for use in (
        {"type": "http", "url": "https://shop.example/{pin}", "exits": {"done": "bye", "failed": "bye"}},
        {"type": "create_ticket", "subject": "Code {pin}", "exits": {"created": "bye"}},
        {"type": "set", "values": {"copy": "{pin}"}, "exits": {"next": "bye"}},
        {"type": "ring", "extension": "{pin}", "exits": {"otherwise": "bye"}},
        {"type": "say", "say": "text", "value": "{pin}", "exits": {"next": "bye"}},
    ):
        ((node, fault, serious),) = found({"pin": PIN, "use": use, "bye": BYE})
        assert (node, serious, "secret 'pin'" in fault) == ("use", True, True)
    for use in (
        {"type": "http", "method": "POST", "url": "https://shop.example/", "body": {"pin": "{pin}"},
        "headers": {"X-Pin": "{pin}"},
         "exits": {"done": "bye", "failed": "bye"}},
        {"type": "condition", "all_of": [{"variable": "pin", "value": "1"}], "exits": {"met": "bye", "not_met": "bye"}},
    ):  # fmt: skip
        assert found({"pin": PIN, "use": use, "bye": BYE}) == []


def test_a_secret_of_another_flow_on_the_way():
    asks = flow(
        "asks", {"pin": {**PIN, "exits": {"collected": "back", "no_input": "back"}}, "back": {"type": "return"}}
    )
    nodes = {
        "a": call("asks", returned="b"),
        "b": {"type": "create_ticket", "subject": "{pin}", "exits": {"created": "bye"}},
        "bye": BYE,
    }
    assert [problem[:1] for problem in found(nodes, asks)] == [("b",)]
    apart = flow("apart", asks.document()["nodes"])
    assert "nothing sets" in found({**nodes, "a": play("b")}, apart)[0][1]


def test_variables_that_nothing_sets():
    nodes = {"a": {"type": "say", "say": "number", "value": "{amount}", "exits": {"next": "bye"}}, "bye": BYE}
    assert found(nodes) == [("a", "nothing sets 'amount'", False)]
    caller = flow("caller", {"s": {"type": "set", "values": {"amount": 1}, "exits": {"next": "c"}}, "c": call("test")})
    assert found(nodes, caller) == []
    told = {"a": {"type": "say", "say": "digits", "value": "{caller_number}", "exits": {"next": "bye"}}, "bye": BYE}
    assert found(told) == []
    assert check(flow_of(nodes), Surroundings()) == []


def test_prompts_in_each_language_callers_may_choose():
    nodes = {
        "a": {
            "type": "language",
            "choices": [
                {"language": "en", "key": "1", "prompts": ["language_choice"]},
                {"language": "da", "key": "2", "prompts": ["language_choice"]},
            ],
            "exits": {"chosen": "bye"},
        },
        "bye": BYE,
    }
    problems = found(nodes)
    assert {(node, "'en' only" in fault, serious) for node, fault, serious in problems} == {
        ("", True, False), ("a", True, False), ("bye", True, False)
    }  # fmt: skip
    assert len(problems) == 3


def test_a_queue_that_nobody_may_serve():
    nodes = {"a": {"type": "queue", "queue": "sales", "exits": {"otherwise": "bye"}}, "bye": BYE}
    assert found(nodes, staff={"sales": 2}) == []
    assert found(nodes, staff={"sales": 0}) == [("a", "nobody may take the calls of queue 'sales'", False)]


@pytest.mark.parametrize("size", [2000])
def test_many_nodes_and_flows_are_checked_in_a_moment(size):
    import time

    nodes = {f"n{n}": play(f"n{n + 1}") if n % 2 else call(f"f{n % 100}", returned=f"n{n + 1}") for n in range(size)}
    nodes[f"n{size}"] = BYE
    others = [flow(f"f{n}", {"a": play("b"), "b": {"type": "return"}}) for n in range(100)]
    began = time.process_time()
    assert found(nodes, *others) == []
    assert time.process_time() - began < 2


def test_whether_it_may_be_published():
    problems = check(flow_of({"a": call("gone", returned="bye"), "bye": BYE}), Surroundings(flows={}))
    assert not is_fit(problems)
