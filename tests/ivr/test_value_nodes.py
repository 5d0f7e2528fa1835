"""Nodes that take, keep, compare and speak values: every exit, and what the caller hears."""

import pytest
from playing import flow_of, play, through

from ivr.errors import FlowInvalid
from ivr.flow import Flow
from ivr.simulator import Press, Script
from ivr.visit import LANGUAGE, SECRETS, Checkpoint

COLLECT = {"type": "collect", "variable": "order", "prompts": ["enter_number"], "least": 3, "most": 5}
CONFIRMED = COLLECT | {"confirm": {"before": ["you_entered"], "after": ["confirm_number"]}}


def invalid(node, fault):
    with pytest.raises(FlowInvalid, match=fault):
        flow_of({"it": node})


def kept(played):
    """The variables at the end."""
    return {name: value for name, value in played.watch.checkpoints[-1][1].items() if not name.startswith("_")}


# --- collect ---


@pytest.mark.parametrize(("keys", "digits"), [("12345", "12345"), ("123#", "123"), ("123", "123")])
def test_collect_takes_digits_by_length_hash_or_silence(keys, digits):
    way, played = through(COLLECT, Script(answers=[keys]))
    assert (way, kept(played)) == ("collected", {"order": digits})


def test_collect_counts_silence_and_what_does_not_fit_apart():
    again = {
        "no_input": {"times": 2, "prompts": [["menu_no_input"]]},
        "no_match": {"times": 3, "prompts": [["not_valid_number"]]},
    }
    way, played = through(COLLECT | again, Script(answers=["12#", "", "99#", "777#"], reaction=5))
    assert (way, kept(played)) == ("collected", {"order": "777"})
    assert played.names == ["enter_number", "not_valid_number", "enter_number", "menu_no_input", "enter_number",
                            "not_valid_number", "enter_number"]  # fmt: skip
    assert through(COLLECT | again)[0] == "no_input"
    assert through(COLLECT | again, Script(answers=["1#"] * 3))[0] == "no_match"
    assert through(COLLECT | again, Script(answers=["#"] * 3))[0] == "no_match"


@pytest.mark.parametrize(
    ("patterns", "digits", "fits"),
    [
        (["XXX"], "123", True), (["XXX"], "1234", False), (["ZXX"], "012", False), (["NXX"], "199", False),
        (["[1-4]XX", "9999"], "9999", True), (["[1-4]XX"], "512", False), (["[159]00"], "500", True), (["1*X"], "1*5", True),
    ],
)  # fmt: skip
def test_collect_takes_only_its_patterns(patterns, digits, fits):
    node = COLLECT | {"patterns": patterns, "no_match": {"times": 1}}
    assert through(node, Script(answers=[digits + "#"]))[0] == ("collected" if fits else "no_match")


def test_collect_reads_back_and_asks_again_until_it_is_confirmed():
    way, played = through(CONFIRMED, Script(answers=["123#", "2", "456#", "1"], reaction=9.5))
    assert (way, kept(played)) == ("collected", {"order": "456"})
    assert played.names[1:6] == ["you_entered", "number_1", "number_2", "number_3", "confirm_number"]


def test_collect_does_not_take_silence_for_a_confirmation():
    assert through(CONFIRMED | {"no_match": {"times": 1}}, Script(answers=["123#"]))[0] == "no_match"


def test_a_hash_after_a_full_number_answers_nothing_else():
    flow = flow_of(
        {
            "number": COLLECT | {"most": 3, "exits": {"collected": "menu", "no_input": "end"}},
            "menu": {
                "type": "menu",
                "prompts": ["menu_main"],
                "no_match": {"times": 1},
                "exits": {"1": "end", "no_input": "end"},
            },
            "end": {"type": "hang_up"},
        }
    )
    played = play(flow, Script(presses=[*(Press(3, key) for key in "123"), Press(3.4, "#"), Press(6, "1")]))
    assert [step.exit for step in played.watch.steps] == ["collected", "1", "done"]


def test_a_secret_is_kept_out_of_checkpoints_and_what_is_heard():
    nodes = {
        "pin": COLLECT | {"variable": "pin", "secret": True, "exits": {"collected": "check", "no_input": "bad"}},
        "check": {
            "type": "condition",
            "all_of": [{"variable": "pin", "value": "4711"}],
            "exits": {"met": "good", "not_met": "bad"},
        },
        "good": {"type": "hang_up"},
        "bad": {"type": "hang_up"},
    }
    played = play(flow_of(nodes), Script(answers=["4711#"]))
    assert played.watch.path == ["pin", "check", "good"]
    assert "4711" not in str(played.watch.checkpoints)
    assert [heard.detail for heard in played.phone.heard if heard.what == "key"] == ["•"] * 5
    assert played.watch.checkpoints[-1][1][SECRETS] == "pin"
    # Another process does not know it, and says so by the node's error exit.
    again = play(flow_of(nodes), resume=Checkpoint("check", played.watch.checkpoints[1][1]))
    assert [step.exit for step in again.watch.steps] == ["error"]
    assert again.ending.fault


def test_what_may_not_be_collected():
    invalid(COLLECT | {"variable": "caller_number"}, "by itself")
    invalid(COLLECT | {"least": 6}, "least is more")
    invalid(CONFIRMED | {"secret": True}, "read back")
    invalid(COLLECT | {"patterns": ["(a+)+"]}, "no pattern")


# --- condition, set ---


@pytest.mark.parametrize(
    ("given", "how", "value", "holds"),
    [
        (3, "is", "3", True), ("3.0", "is", 3, True), ("007", "is", 7, False), ("VIP", "is", "vip", True),
        (True, "is", True, True),
        (3, "is_not", 4, True), (3, "less", 10, True), ("3", "less", "10", True), (10, "less", 10, False),
        (10, "at_most", 10, True),
        (11, "more", 10, True), (10, "at_least", 10, True), ("x", "more", 1, False),
        ("Main Street", "contains", "street", True),
        ("+4532101010", "begins_with", "+45", True), ("b", "one_of", ["a", "B"], True), ("c", "one_of", ["a", "b"], False),
        ("x", "is_set", None, True), ("x", "is_not_set", None, False),
    ],
)  # fmt: skip
def test_condition_compares(given, how, value, holds):
    nodes = {
        "set": {"type": "set", "values": {"x": given}, "exits": {"next": "it"}},
        "it": {
            "type": "condition",
            "all_of": [{"variable": "x", "how": how, "value": value}],
            "exits": {"met": "a", "not_met": "b"},
        },
        "a": {"type": "hang_up"},
        "b": {"type": "hang_up"},
    }
    assert play(flow_of(nodes)).watch.path[-1] == ("a" if holds else "b")


def test_condition_joins_clauses_and_knows_what_is_not_set():
    yes, no = {"variable": "caller_number", "value": "+4532101010"}, {"variable": "caller_number", "value": "1"}
    unset = {"variable": "nothing", "value": "1"}
    for all_of, any_of, way in [
        ([yes], [], "met"), ([yes, no], [], "not_met"), ([], [no, yes], "met"), ([yes], [no], "not_met"),
        ([unset], [], "not_met"),
        ([{**unset, "how": "is_not"}], [], "met"), ([{"variable": "nothing", "how": "is_not_set"}], [], "met"),
    ]:  # fmt: skip
        assert through({"type": "condition", "all_of": all_of, "any_of": any_of})[0] == way
    other = {"variable": "called_number", "value": "{caller_number}", "how": "is_not"}
    assert through({"type": "condition", "all_of": [other]})[0] == "met"
    assert through({"type": "condition", "all_of": [{**other, "value": "{nothing}"}]})[0] == "error"


def test_what_is_no_condition():
    invalid({"type": "condition"}, "one clause at least")
    invalid({"type": "condition", "all_of": [{"variable": "x", "how": "one_of", "value": 1}]}, "list")
    invalid({"type": "condition", "all_of": [{"variable": "x"}]}, "one value")
    invalid({"type": "condition", "all_of": [{"variable": "x", "how": "is_set", "value": 1}]}, "nothing")


def test_set_fills_counts_and_clears():
    nodes = {
        "one": {"type": "set", "values": {"who": "from {caller_number}", "gone": 1, "half": 0.5}, "add": {"tries": 1},
                "exits": {"next": "two"}},
        "two": {"type": "set", "values": {"said": "{who}!"}, "add": {"tries": 2, "half": 0.5}, "clear": ["gone"],
                "exits": {"next": "end"}},
        "end": {"type": "hang_up"},
    }  # fmt: skip
    played = play(flow_of(nodes))
    assert kept(played) == {"who": "from +4532101010", "half": 1, "tries": 3, "said": "from +4532101010!"}
    assert through({"type": "set", "values": {"x": "{nothing}"}})[0] == "error"
    assert through({"type": "set", "values": {"x": "word"}, "add": {"x": 1}})[0] == "error"
    invalid({"type": "set", "values": {"language": "da"}}, "by itself")
    invalid({"type": "set", "values": {"x": "y" * 501}}, "longer")


def test_a_call_may_not_gather_variables_without_end():
    nodes = {
        f"n{number}": {
            "type": "set", "values": {f"v{number}_{index}": 1 for index in range(50)}, "exits": {"next": f"n{number + 1}"},
        }
        for number in range(5)
    }  # fmt: skip
    played = play(flow_of({**nodes, "n5": {"type": "hang_up"}}))
    assert [step.exit for step in played.watch.steps] == ["next"] * 3 + ["error"]


# --- say ---


@pytest.mark.parametrize(
    ("say", "names"),
    [
        ({"say": "number", "value": "105"}, ["number_1", "hundred", "and", "number_5"]),
        ({"say": "number", "value": 20}, ["number_20"]),
        ({"say": "digits", "value": "{caller_number}"}, ["plus", "number_4", "number_5", "number_3"]),
        ({"say": "money", "value": "2.50", "currency": "EUR"}, ["number_2", "euros", "and", "number_50", "cents"]),
        ({"say": "date", "value": "2026-11-23"}, ["monday", "ordinal_23", "month_11"]),
        (
            {"say": "date", "value": "2026-11-23", "weekday": False, "year": True},
            ["ordinal_23", "month_11", "number_20"],
        ),
        ({"say": "time", "value": "14:30"}, ["number_2", "number_30", "p_m"]),
        (
            {"say": "time", "value": "2026-11-23T13:30:00+00:00", "zone": "Europe/Copenhagen"},
            ["number_2", "number_30", "p_m"],
        ),
        ({"say": "date", "value": "2026-11-23T23:30:00+00:00", "zone": "Europe/Copenhagen"}, ["tuesday", "ordinal_24"]),
    ],
)
def test_say(say, names):
    way, played = through({"type": "say", **say, "before": ["your_balance"], "after": ["goodbye"]})
    assert way == "next"
    assert played.names[: len(names) + 1] == ["your_balance", *names]
    assert played.names[-1] == "goodbye"
    # The same stands in any list of prompts.
    assert through({"type": "play", "prompts": [say]})[1].names[: len(names)] == names


@pytest.mark.parametrize(
    "say",
    [
        {"say": "number", "value": "{nothing}"}, {"say": "number", "value": "twelve"}, {"say": "number", "value": 1.5},
        {"say": "digits", "value": "none"}, {"say": "money", "value": "much", "currency": "EUR"},
        {"say": "date", "value": "today"}, {"say": "time", "value": "soon"}, {"say": "text", "value": "Hello"},
    ],
)  # fmt: skip
def test_what_cannot_be_said_is_left_unsaid(say):
    way, played = through({"type": "say", **say, "before": ["your_balance"]})
    assert (way, played.names) == ("unsayable", [])
    assert through({"type": "play", "prompts": [say]})[0] == "error"


def test_a_text_is_spoken_where_something_can():
    asked = []

    def speech(text, language):
        asked.append((text, language))
        return "/speech/spoken.wav"

    way, played = through({"type": "say", "say": "text", "value": "Call {called_number}"}, speech=speech)
    assert (way, played.names, asked) == ("next", ["spoken"], [("Call 5000", "en")])


def test_what_is_no_saying():
    invalid({"type": "say", "say": "money", "value": 1}, "currency")
    invalid({"type": "say", "say": "number", "value": 1, "currency": "EUR"}, "currency")
    invalid({"type": "say", "say": "time", "value": "12:00", "zone": "Mars"}, "time zone")


# --- language ---

LANGUAGES = {
    "type": "language",
    "choices": [
        {"language": "en", "key": "1", "prompts": ["language_choice"]},
        {"language": "en-GB", "key": "2", "prompts": ["language_choice"]},
    ],
}


def test_language_is_chosen_and_spoken_from_then_on():
    way, played = through(LANGUAGES, Script(answers=["2"]))
    assert (way, played.phone.language) == ("chosen", "en-GB")
    assert played.watch.checkpoints[-1][1][LANGUAGE] == "en-GB"


def test_language_without_a_choice():
    assert through(LANGUAGES)[0] == "no_input"
    way, played = through(LANGUAGES, Script(answers=["7", "8"]))
    assert (way, played.phone.language) == ("no_match", "en")


def test_a_single_language_is_set_without_a_word():
    way, played = through({"type": "language", "choices": [LANGUAGES["choices"][1]]})
    assert (way, played.names, played.phone.language) == ("chosen", [], "en-GB")


def test_a_call_that_goes_on_elsewhere_is_still_spoken_to_in_its_language():
    flow = Flow.parse({"name": "a", "start": "a", "nodes": {"a": {"type": "hang_up", "prompts": ["goodbye"]}}})
    assert play(flow, resume=Checkpoint("a", {LANGUAGE: "en-GB"})).phone.language == "en-GB"


def test_languages_must_be_told_apart():
    invalid({**LANGUAGES, "choices": [LANGUAGES["choices"][0]] * 2}, "same key")


# --- menu, beyond its keys ---


MENU = {"type": "menu", "prompts": ["menu_main"], "exits": {"1": "end", "2": "end"}}


def test_menu_leads_back_by_star():
    assert through(MENU | {"back": True}, Script(answers=["*"]))[0] == "back"
    invalid(MENU | {"back": True, "exits": {"*": "end"}}, "star")


def test_menu_lets_callers_key_in_an_extension():
    from ivr.memory_office import MemoryOffice

    menu = MENU | {"direct_dial": 4, "no_match": {"times": 1}}

    def dial(keys):
        return through(menu, Script(answers=[keys]), office=MemoryOffice(extensions=["1001"]))

    way, played = dial("1001")
    assert (way, kept(played)) == ("extension", {"extension": "1001"})
    assert dial("1002")[0] == "no_match"
    assert dial("1")[0] == "1"
    assert dial("10#")[0] == "no_match"


def test_menu_that_is_heard_to_its_end():
    _, played = through(MENU | {"barge_in": False}, Script(presses=[Press(0.5, "1")]))
    assert [heard.seconds for heard in played.phone.heard if heard.what == "prompt"] == [2.0]
    assert played.watch.steps[0].exit == "1"
