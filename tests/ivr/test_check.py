"""What the check finds before callers do: node, fault and mend."""

import time
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from playing import CALENDARS, CATALOGUE, flow_of

from dialplan.hours import Calendar
from ivr.check import Surroundings, check, is_fit
from ivr.errors import FlowInvalid
from ivr.flow import Flow

NEVER = Calendar("Never", ZoneInfo("Europe/Copenhagen"), ())
AROUND = Surroundings(CATALOGUE, {**CALENDARS, "Never": NEVER}, {"sales"}, {"1001"})
BYE = {"type": "hang_up", "prompts": ["goodbye"]}
BOTH = {"open": "bye", "closed": "bye"}


def found(nodes, start=None, **fields):
    return [
        (problem.node, problem.fault, problem.serious) for problem in check(flow_of(nodes, start, **fields), AROUND)
    ]


def menu(**exits):
    return {"type": "menu", "prompts": ["menu_main"], "exits": {"1": "bye", "no_input": "bye", **exits}}


@pytest.mark.parametrize(
    ("nodes", "node", "fault", "serious"),
    [
        ({"a": {"type": "play", "prompts": ["greeting"], "exits": {"next": "gone"}}}, "a", "leads to 'gone'", True),
        ({"a": {"type": "play", "prompts": ["greeting"]}}, "a", "exit 'next' leads nowhere", True),
        ({"a": menu(no_imput="bye")}, "a", "a menu has no exit 'no_imput'", True),
        ({"a": {**menu(), "exits": {"no_input": "bye"}}}, "a", "no key to choose", True),
        ({"a": {"type": "queue", "queue": "sales", "exits": {"timeout": "bye"}}}, "a", "'otherwise' leads nowhere", True),
        ({"a": BYE, "b": BYE}, "b", "no call ever comes here", False),
        ({"a": {"type": "hang_up", "prompts": ["no_such_prompt"]}}, "a", "no prompt 'no_such_prompt'", True),
        ({"a": {**menu(), "no_match": {"prompts": [["no_such"]]}}}, "a", "no prompt 'no_such'", True),
        ({"a": {"type": "hours", "calendar": "Gone", "exits": BOTH}}, "a", "no calendar 'Gone'", True),
        ({"a": {"type": "hours", "calendar": "Never", "exits": BOTH}}, "a", "never opens", False),
        ({"a": {"type": "hang_up", "prompts": [{"say": "reopening", "calendar": "Gone"}]}}, "a", "no calendar 'Gone'", True),
        ({"a": {"type": "queue", "queue": "gone", "exits": {"otherwise": "bye"}}}, "a", "no queue 'gone'", True),
        ({"a": {"type": "ring", "extension": "1009", "exits": {"otherwise": "bye"}}}, "a", "no extension '1009'", True),
        ({"a": {"type": "voicemail", "box": "gone"}}, "a", "nobody looks after voicemail box 'gone'", True),
    ],
)  # fmt: skip
def test_each_fault_is_named_at_its_node(nodes, node, fault, serious):
    if "'bye'" in str(nodes):
        nodes = {**nodes, "bye": BYE}
    problems = found(nodes)
    assert [(problem[0], problem[2]) for problem in problems] == [(node, serious)]
    assert fault in problems[0][1]
    assert is_fit(check(flow_of(nodes), AROUND)) == (not serious)


@pytest.mark.parametrize(
    ("node", "around", "fault", "serious"),
    [
        (
            {"type": "queue", "queue": "sales", "skills": {"flying": 3}},
            {"skills": {"danish"}},
            "no skill 'flying'",
            True,
        ),
        (
            {"type": "email", "to": "a@example.org", "subject": "a", "body": "b"},
            {"sends_mail": False},
            "no e-mails",
            False,
        ),
        ({"type": "outside", "number": "+4570707070"}, {"calls_out": False}, "no number outside", False),
        ({"type": "callback", "queue": "sales"}, {"calls_out": False}, "no number outside", False),
    ],
)
def test_what_is_not_set_up_here(node, around, fault, serious):
    flow = flow_of({"a": {**node, "exits": {"queued" if node["type"] == "email" else "otherwise": "bye"}}, "bye": BYE})
    assert check(flow, replace(AROUND, **around))[0].fault.startswith((fault, f"there is {fault}"))
    assert [problem.serious for problem in check(flow, replace(AROUND, **around))] == [serious]
    assert check(flow, AROUND) == []


def test_a_flow_in_order_has_no_problem():
    assert (
        found(
            {
                "a": menu(**{"2": "queue"}),
                "queue": {"type": "queue", "queue": "sales", "exits": {"otherwise": "bye"}},
                "bye": BYE,
            }
        )
        == []
    )


def test_a_beginning_that_is_not_there():
    assert found({"a": BYE}, start="b")[0][:2] == ("", "it starts at 'b', which does not exist")


def test_circles_without_a_key():
    talk = {"type": "play", "prompts": ["greeting"]}
    problems = found({"a": {**talk, "exits": {"next": "b"}}, "b": {**talk, "exits": {"next": "a"}}})
    assert [problem[0] for problem in problems] == ["a"]
    assert "a > b > a" in problems[0][1]
    assert "a > a" in found({"a": menu(no_input="a"), "bye": BYE})[0][1]
    assert "round" in found({"a": {"type": "queue", "queue": "sales", "exits": {"otherwise": "a"}}})[0][1]


def test_circles_that_a_caller_paces_are_fine():
    hours = {"type": "play", "prompts": ["greeting"], "exits": {"next": "a"}}
    assert found({"a": menu(**{"3": "hours"}), "hours": hours, "bye": BYE}) == []
    assert (
        found({"a": {"type": "queue", "queue": "sales", "exits": {"timeout": "a", "otherwise": "bye"}}, "bye": BYE})
        == []
    )


def test_a_prompt_in_another_language_only_is_noted():
    problems = check(flow_of({"a": BYE}, language="da"), AROUND)
    assert {problem.node for problem in problems} == {"", "a"}
    assert is_fit(problems)


def test_nothing_is_said_about_what_is_not_known():
    nodes = {
        "a": {"type": "queue", "queue": "gone", "exits": {"otherwise": "b"}},
        "b": {"type": "voicemail", "box": "gone"},
    }
    assert check(flow_of(nodes), Surroundings()) == []


def test_two_thousand_nodes_are_checked_in_a_moment():
    nodes = {
        f"n{n}": {"type": "play", "prompts": ["greeting"], "exits": {"next": f"n{n + 1}", "error": "n0"}}
        for n in range(2000)
    }
    nodes["n2000"] = BYE
    began = time.process_time()
    problems = check(flow_of(nodes), AROUND)
    assert time.process_time() - began < 2
    assert [problem.node for problem in problems] == ["n0"]


def one(node=BYE, name="a"):
    """The document of a flow with this node alone."""
    return {"name": name, "start": "a", "nodes": {"a": node}}


@pytest.mark.parametrize(
    ("document", "named"),
    [
        (None, "the document"),
        ({"name": "a"}, "nodes"),
        (one(name="A b"), "name"),
        ({**one(), "nodes": {}}, "nodes"),
        ({**one(), "nodes": {"a b": BYE}}, "a b"),
        (one({"type": "warp"}), "warp"),
        (one({"prompts": []}), "nodes.a"),
        (one({**BYE, "prompt": "x"}), "nodes.a.hang_up.prompt"),
        (one({**BYE, "prompts": ["../../etc/passwd"]}), "nodes.a.hang_up.prompts"),
        (one({**BYE, "cause": "X\r\n"}), "cause"),
        (one({**BYE, "prompts": [{"say": "poem", "calendar": "x"}]}), "poem"),
        (one({**BYE, "exits": {True: "a"}}), "nodes.a"),
    ],
)
def test_what_is_no_flow_is_refused_with_the_place(document, named):
    with pytest.raises(FlowInvalid, match=named.replace(".", r"\.")):
        Flow.parse(document)


def test_a_flow_cannot_be_changed():
    flow = flow_of({"a": BYE})
    with pytest.raises(ValueError, match="frozen"):
        flow.start = "b"
    with pytest.raises(ValueError, match="frozen"):
        flow.nodes["a"].title = "b"
