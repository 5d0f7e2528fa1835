"""Tests of flows: what they hold a call to, how they are made from past calls, and that they keep a version back."""

from datetime import UTC, datetime

import pytest
from playing import CALENDARS, CATALOGUE, DEMO, flow_of

from ivr import store
from ivr.check import Surroundings
from ivr.errors import FlowTestInvalid, FlowUnfit, FlowUnknown
from ivr.flow import Flow
from ivr.flow_test import FlowTest, run_test
from ivr.publishing import judge
from ivr.recorded import RecordedStep, made_from, masked

MAIN = store.read_file(DEMO / "flows" / "main.yaml")
AROUND = Surroundings(CATALOGUE, CALENDARS, {"sales", "support", "reception"}, {"1001"})
SALES = {
    "name": "Sales on a Monday morning",
    "at": "2026-11-23T09:00:00+01:00",
    "caller": "+4532101010",
    "keys": ["1"],
    "outcomes": [{"node": "sales", "outcome": "timeout", "seconds": 20}],
    "expect": {
        "prompts": ["greeting_morning", "menu_main"],
        "never": ["menu_no_match"],
        "end": "voicemail",
        "hung_up_by": "flow",
    },
}


def tried(flow=MAIN, others=None, **changes):
    test = FlowTest.parse({**SALES, **changes})
    return run_test(test, flow, catalogue=CATALOGUE, calendars=CALENDARS, flows=others, extensions={"1001"})


def test_a_call_as_expected_passes():
    called = tried()
    assert called.differences == ()
    assert called.path[-4:] == ("sales", "sales_late", "sales_message", "saved")
    assert tried(expect={**SALES["expect"], "path": list(called.path)}).passed


@pytest.mark.parametrize(
    ("expect", "difference"),
    [
        ({"path": ["doors", "menu"]}, "the call came to"),
        ({"path": []}, "at the beginning"),
        ({"prompts": ["menu_main", "greeting_morning"]}, "'greeting_morning' was not heard in its place"),
        ({"prompts": ["goodbye_for_ever"]}, "'goodbye_for_ever' was not heard"),
        ({"never": ["menu_main"]}, "'menu_main' was heard"),
        ({"end": "answered"}, "ended as voicemail"),
        ({"hung_up_by": "caller"}, "it was flow who hung up"),
    ],
)
def test_what_is_otherwise_is_told(expect, difference):
    (told,) = tried(expect=expect).differences
    assert difference in told


def test_silence_wrong_keys_and_a_caller_who_leaves():
    silent = tried(keys=[], expect={"prompts": ["menu_no_input", "menu_operator"]}, outcomes=[])
    assert silent.passed
    assert tried(hangs_up_after=2.0, expect={"end": "abandoned_ivr", "hung_up_by": "caller"}).passed


def test_a_flow_that_gives_up_never_passes():
    flow = flow_of({"a": {"type": "play", "prompts": ["greeting"]}})
    assert "gave up" in tried(flow, expect={}).differences[0]


def test_what_others_answer_is_said_by_the_test():
    flow = flow_of(
        {
            "who": {"type": "collect", "variable": "number", "prompts": ["enter_number"],
                    "exits": {"collected": "ask", "no_input": "end"}},
            "ask": {"type": "http", "url": "https://shop.example/{number}", "results": {"state": "state"},
                    "exits": {"done": "told", "failed": "end"}},
            "told": {"type": "condition", "all_of": [{"variable": "state", "value": "sent"}],
                     "exits": {"met": "sub", "not_met": "end"}},
            "sub": {"type": "sub_flow", "flow": "other", "exits": {"yes": "end"}},
            "end": {"type": "hang_up"},
        }
    )  # fmt: skip
    other = Flow.parse({"name": "other", "start": "a", "nodes": {"a": {"type": "queue_status", "queue": "sales",
        "exits": {"waiting": "b", "unstaffed": "c"}}, "b": {"type": "return"},
        "c": {"type": "return", "result": "yes"}}})  # fmt: skip
    called = tried(
        flow,
        {"other": other},
        keys=["123#"],
        outcomes=[
            {"node": "ask", "outcome": "done", "variables": {"state": "sent"}},
            {"node": "other.a", "outcome": "unstaffed"},
        ],
        expect={"path": ["who", "ask", "told", "sub", "other.a", "other.c", "end"]},
    )
    assert called.differences == ()


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"at": "2026-11-23T09:00"},
        {"keys": ["x"]},
        {"outcomes": [{"node": "A b", "outcome": "x"}]},
        {"colour": 1},
    ],
)
def test_what_is_no_test_is_refused_with_its_place(change):
    with pytest.raises(FlowTestInvalid, match=next(iter(change))):
        FlowTest.parse({**SALES, **change})


def test_a_test_comes_back_as_it_was(db):
    store.import_flow(db, MAIN, author="anna", at=datetime(2026, 11, 23, tzinfo=UTC))
    test = FlowTest.parse(SALES)
    assert FlowTest.parse(test.document()) == test
    store.save_test(db, "main", FlowTest.parse({**SALES, "keys": ["2"]}), author="anna")
    store.save_test(db, "main", test, author="ben")
    assert store.load_tests(db, "main") == [test]
    store.delete_test(db, "main", test.name)
    assert store.load_tests(db, "main") == []
    for missing in (lambda: store.delete_test(db, "main", "x"), lambda: store.load_tests(db, "gone")):
        with pytest.raises(FlowUnknown):
            missing()


def test_tests_and_faults_keep_a_version_back():
    good, bad = FlowTest.parse(SALES), FlowTest.parse({**SALES, "name": "Other", "expect": {"end": "answered"}})
    assert judge(MAIN, [good], AROUND).fit
    verdict = judge(MAIN, [good, bad], AROUND)
    assert not verdict.fit
    with pytest.raises(FlowUnfit, match="'Other': the call ended as voicemail"):
        verdict.require_fit()
    assert judge(MAIN, [bad.model_copy(update={"blocks": False})], AROUND).fit
    broken = flow_of({"a": {"type": "play", "prompts": ["no_such"]}})
    with pytest.raises(FlowUnfit, match="no prompt"):
        judge(broken, [], AROUND).require_fit()


# --- from past calls ---


def step(node, node_type, way, seconds=3.0, flow="main"):
    return RecordedStep(flow, 3, node, node_type, way, seconds)


def remade(steps, flow=MAIN, **how):
    test = made_from(steps, {(flow.name, 3): flow}, name="Past", **{
        "caller": "+4532101010", "called": "5000", "at": datetime(2026, 11, 23, 8, 0, tzinfo=UTC),
        "category": "vip", "end": None} | how)  # fmt: skip
    return test, run_test(test, flow, catalogue=CATALOGUE, calendars=CALENDARS)


def test_numbers_are_masked():
    assert (masked("+4532101010"), masked("1001"), masked("")) == ("+4500000000", "0000", "")


def test_a_past_call_becomes_a_test_that_passes():
    lived = tried()
    steps = [step(node, MAIN.nodes[node].type, "next") for node in lived.path]
    ways = {"menu": "1", "sales": "timeout", "sales_message": "left"}
    steps = [RecordedStep("main", 3, each.node, each.node_type, ways.get(each.node, each.exit), 5.0) for each in steps]
    test, again = remade(steps, end="voicemail")
    assert again.differences == ()
    assert test.caller == "+4500000000"
    assert "32101010" not in str(test.document())
    assert test.customer == {"id": 0, "name": "", "company": "", "category": "vip"}
    assert test.keys == ("1",)


def test_a_caller_who_left_leaves_again():
    lived = tried(hangs_up_after=1.0, expect={})
    steps = [step(node, MAIN.nodes[node].type, "next") for node in lived.path]
    steps[-1] = step(steps[-1].node, steps[-1].node_type, "hung_up")
    test, again = remade(steps, category=None)
    assert (test.customer, again.differences, again.path) == (None, (), lived.path)


def test_what_was_keyed_in_is_not_in_the_test():
    flow = flow_of(
        {
            "pin": {"type": "collect", "variable": "pin", "secret": True, "prompts": ["enter_code"], "least": 4,
                    "exits": {"collected": "look", "no_input": "end"}},
            "look": {"type": "condition", "all_of": [{"variable": "pin", "value": "4711"}],
                     "exits": {"met": "menu", "not_met": "end"}},
            "menu": {"type": "menu", "prompts": ["menu_main"], "direct_dial": 4,
                     "exits": {"1": "end", "12": "end", "no_input": "end", "extension": "ring"}},
            "ring": {"type": "ring", "extension": "{extension}", "exits": {"otherwise": "end"}},
            "end": {"type": "hang_up"},
        },
        name="main",
    )  # fmt: skip
    steps = [step("pin", "collect", "collected"), step("look", "condition", "met"), step("menu", "menu", "extension"),
             step("ring", "ring", "busy"), step("end", "hang_up", "done")]  # fmt: skip
    assert remade(steps, flow)[1].differences == ()
    for way, keys in [("1", ("1#",)), ("12", ("12#",)), ("no_input", ("", "", "")), ("no_match", ("0", "0", "0"))]:
        steps = [
            step("pin", "collect", "collected"),
            step("look", "condition", "met"),
            step("menu", "menu", way),
            step("end", "hang_up", "done"),
        ]
        test, again = remade(steps, flow)
        assert (test.keys, again.differences) == (keys, ())


def test_what_came_of_a_later_visit_comes_of_no_earlier_one():
    flow = flow_of(
        {
            "again": {"type": "sub_flow", "flow": "test", "exits": {"error": "menu"}},
            "menu": {"type": "menu", "prompts": ["menu_main"], "direct_dial": 4,
                     "exits": {"1": "menu", "extension": "end"}},
            "end": {"type": "hang_up"},
        }
    )  # fmt: skip
    lived = run_test(
        FlowTest.parse({"name": "Round", "at": SALES["at"], "keys": ["1", "1001"]}),
        flow, catalogue=CATALOGUE, calendars=CALENDARS, extensions={"1001"},
    )  # fmt: skip
    deep = lived.path.count("again")
    ways = ["enters"] * (deep - 1) + ["error", "1", "extension", "next"]
    steps = [
        RecordedStep("test", 1, node, flow.nodes[node].type, way, 1.0)
        for node, way in zip(lived.path, ways, strict=True)
    ]
    made = made_from(steps, {("test", 1): flow}, name="Round", caller="", called="", at=lived.test.at)
    assert [(each.node, each.visit) for each in made.outcomes] == [("again", deep), ("menu", 2)]
    again = run_test(made, flow, catalogue=CATALOGUE, calendars=CALENDARS)
    assert (again.differences, again.path) == ((), lived.path)
