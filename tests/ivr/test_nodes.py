"""Each node type: every exit it has, and what the caller hears on the way there."""

from dataclasses import replace

import pytest
from playing import CALENDARS, at, flow_of, play, through

from dialplan.days import Emergency
from ivr.node import Form, Node, Registry
from ivr.phone import QueueRequest
from ivr.simulator import MemoryPhone, Press, Script
from ivr.visit import OUTCOME, Checkpoint

MENU = {
    "type": "menu",
    "prompts": ["menu_main"],
    "exits": {"1": "end", "2": "end", "*": "end"},
    "no_input": {"times": 3, "prompts": [["menu_no_input"], ["menu_no_input_again"]]},
    "no_match": {"times": 3, "prompts": [["menu_no_match"], ["menu_no_match_again"]]},
}


def test_play_speaks_to_its_end_whatever_is_pressed():
    way, played = through({"type": "play", "prompts": ["greeting", "please_wait"]}, Script(presses=[Press(0.5, "1")]))
    assert way == "next"
    assert [(heard.what, heard.seconds) for heard in played.phone.heard if heard.what == "prompt"] == [
        ("prompt", 2),
        ("prompt", 2),
    ]


def test_what_callers_ring_up_for_serves_them():
    flow = flow_of(
        {
            "hours": {"type": "play", "prompts": ["open_always"], "serves": True, "exits": {"next": "menu"}},
            "menu": {**MENU, "exits": {"1": "hours", "no_input": "end"}},
            "end": {"type": "hang_up"},
        }
    )
    assert play(flow, Script(leaves_after=1)).disposition == "abandoned_ivr"
    assert play(flow, Script(leaves_after=3)).disposition == "self_service"


@pytest.mark.parametrize("key", ["1", "2", "*"])
def test_menu_takes_each_of_its_keys(key):
    assert through(MENU, Script(answers=[key]))[0] == key


def test_menu_is_stopped_by_a_key():
    _, played = through(MENU, Script(answers=["1"], reaction=0.5))
    assert played.phone.heard[0].seconds == 0.5


def test_menu_takes_a_key_pressed_early():
    flow = flow_of(
        {
            "hello": {"type": "play", "prompts": ["greeting"], "exits": {"next": "menu"}},
            "menu": MENU,
            "end": {"type": "hang_up"},
        }
    )
    played = play(flow, Script(presses=[Press(1.0, "2")]))
    assert [step.exit for step in played.watch.steps] == ["next", "2", "done"]
    assert "menu_main" not in played.names


def test_menu_counts_silence_and_grows_plainer():
    way, played = through(MENU)
    assert way == "no_input"
    assert played.names == ["menu_main", "menu_no_input", "menu_main", "menu_no_input_again", "menu_main"]


def test_menu_counts_wrong_keys_and_grows_plainer():
    way, played = through(MENU, Script(answers=["7", "8", "9"], reaction=3))
    assert way == "no_match"
    assert played.names == ["menu_main", "menu_no_match", "menu_main", "menu_no_match_again", "menu_main"]


def test_menu_counts_the_two_apart():
    way, played = through(MENU, Script(answers=["7", "", "8", "", "1"], reaction=6))
    assert way == "1"
    assert played.names[1::2] == ["menu_no_match", "menu_no_input", "menu_no_match_again", "menu_no_input_again"]


def test_menu_takes_a_bare_hash_for_a_wrong_key():
    assert through({**MENU, "no_match": {"times": 1}}, Script(answers=["#"]))[0] == "no_match"


def test_menu_with_hash_among_its_choices():
    assert through({**MENU, "exits": {"#": "end"}}, Script(answers=["#"]))[0] == "#"


def test_menu_with_choices_of_several_keys():
    menu = {**MENU, "exits": {"1": "end", "12": "end", "123": "end"}}
    assert through(menu, Script(answers=["123"]))[0] == "123"
    assert through(menu, Script(answers=["12"]))[0] == "12"
    assert through(menu, Script(answers=["1#"]))[0] == "1"


def test_menu_without_no_match_treats_it_as_no_input():
    menu = {**MENU, "exits": {"1": "end", "no_input": "end"}, "no_match": {"times": 1}}
    flow = flow_of({"menu": menu, "end": {"type": "hang_up"}})
    played = play(flow, Script(answers=["5"]))
    assert [(step.node, step.exit) for step in played.watch.steps] == [("menu", "no_match"), ("end", "done")]


@pytest.mark.parametrize(
    ("when", "way", "after_hours"),
    [
        ("2026-11-23T10:00", "open", False),
        ("2026-11-23T12:10", "lunch", True),
        ("2026-11-23T20:00", "closed", True),
        ("2026-12-25T10:00", "holiday", True),
    ],
)
def test_hours(when, way, after_hours):
    taken, played = through({"type": "hours", "calendar": "Office"}, when=when)
    assert taken == way
    assert played.disposition == ("after_hours" if after_hours else "self_service")


def test_hours_that_only_choose_words_close_nothing():
    way, played = through({"type": "hours", "calendar": "Office", "counts": False}, when="2026-11-23T20:00")
    assert (way, played.disposition) == ("closed", "self_service")


def closed_by_hand(monkeypatch, prompt=""):
    """The office closed for a flood, on a Monday from 8 to 14."""
    flood = Emergency(at("2026-11-23T08:00"), at("2026-11-23T14:00"), "Flood", prompt)
    monkeypatch.setitem(CALENDARS, "Office", replace(CALENDARS["Office"], emergencies=(flood,)))


def test_closed_by_hand_has_an_exit_of_its_own(monkeypatch):
    closed_by_hand(monkeypatch)
    way, played = through({"type": "hours", "calendar": "Office"}, when="2026-11-23T10:00")
    assert (way, played.disposition) == ("emergency", "after_hours")
    assert through({"type": "hours", "calendar": "Office"}, when="2026-11-23T14:00")[0] == "open"


def test_why_it_is_closed_is_said(monkeypatch):
    def heard(when):
        return through({"type": "play", "prompts": [{"say": "closed", "calendar": "Office"}]}, when=when)[1].names

    assert heard("2026-11-23T10:00") == []
    assert heard("2026-11-23T20:00") == ["closed_hours"]
    assert heard("2026-11-23T12:10") == ["closed_lunch"]
    assert heard("2026-12-25T10:00") == ["closed_for", "holiday_christmas_day"]
    closed_by_hand(monkeypatch)
    assert heard("2026-11-23T10:00") == ["closed_emergency"]
    closed_by_hand(monkeypatch, "greeting")
    assert heard("2026-11-23T10:00") == ["greeting"]
    closed_by_hand(monkeypatch, "no_such_prompt")
    assert heard("2026-11-23T10:00") == ["closed_emergency"]


def test_lunch_and_holiday_go_where_closed_goes():
    nodes = {
        "it": {"type": "hours", "calendar": "Office", "exits": {"open": "end", "closed": "shut"}},
        "shut": {"type": "hang_up"},
        "end": {"type": "hang_up"},
    }
    for when in ("2026-11-23T12:10", "2026-12-25T10:00"):
        assert play(flow_of(nodes), when=when).watch.path == ["it", "shut"]


def test_an_open_door_takes_back_a_closed_one():
    nodes = {
        "office": {"type": "hours", "calendar": "Office", "exits": {"open": "end", "closed": "duty"}},
        "duty": {"type": "hours", "calendar": "Reception", "exits": {"open": "end", "closed": "end"}},
        "end": {"type": "hang_up"},
    }
    played = play(flow_of(nodes), when="2026-11-23T20:00")
    assert [step.exit for step in played.watch.steps] == ["closed", "open", "done"]
    assert played.disposition == "self_service"


@pytest.mark.parametrize(
    ("outcome", "disposition"),
    [
        ("answered", "answered"), ("timeout", "timeout"), ("no_agent", "no_agent"), ("full", "full"),
        ("exit_key", "exit_key"),
        ("closed", "after_hours"),
    ],
)  # fmt: skip
def test_queue(outcome, disposition):
    way, played = through({"type": "queue", "queue": "sales"}, Script(queues=[(outcome, 20.0)]))
    assert (way, played.disposition) == (outcome, disposition)


def test_queue_is_asked_for_as_the_flow_says():
    class Asked(MemoryPhone):
        def wait_in_queue(self, request):
            assert request == QueueRequest("sales", 5, {"danish": 3})
            return "answered"

    from playing import at

    through(
        {"type": "queue", "queue": "sales", "priority": 5, "skills": {"danish": 3}},
        phone=Asked(start=at("2026-11-23T10:00")),
    )


def test_queue_failures_go_where_otherwise_goes():
    nodes = {
        "it": {"type": "queue", "queue": "sales", "exits": {"timeout": "late", "otherwise": "sorry"}},
        "late": {"type": "hang_up"},
        "sorry": {"type": "hang_up"},
    }
    assert play(flow_of(nodes), Script(queues=[("timeout", 5.0)])).watch.path == ["it", "late"]
    assert play(flow_of(nodes), Script(queues=[("full", 0.0)])).watch.path == ["it", "sorry"]


@pytest.mark.parametrize("outcome", ["answered", "busy", "no_answer", "rejected", "unreachable"])
def test_ring(outcome):
    way, played = through({"type": "ring", "extension": "1001"}, Script(rings=[(outcome, 5.0)]))
    assert (way, played.disposition) == (outcome, outcome)


@pytest.mark.parametrize(("outcome", "disposition"), [("left", "voicemail"), ("nothing", "self_service")])
def test_voicemail(outcome, disposition):
    way, played = through({"type": "voicemail", "box": "sales"}, Script(messages=[(outcome, 4.0)]))
    assert (way, played.disposition) == (outcome, disposition)
    assert played.names == ["voicemail_greeting"]


def test_a_message_left_after_hours_or_after_a_queue_failed_is_a_message():
    nodes = {
        "it": {"type": "queue", "queue": "sales", "exits": {"otherwise": "message"}},
        "message": {"type": "voicemail", "box": "sales"},
    }
    assert play(flow_of(nodes), Script(queues=[("no_agent", 0.0)])).disposition == "voicemail"
    assert (
        play(flow_of(nodes), Script(queues=[("no_agent", 0.0)], messages=[("nothing", 0.0)])).disposition == "no_agent"
    )


def test_a_talk_outweighs_whatever_comes_after_it():
    nodes = {
        "it": {"type": "queue", "queue": "sales", "exits": {"answered": "again", "otherwise": "again"}},
        "again": {"type": "queue", "queue": "support", "exits": {"otherwise": "message"}},
        "message": {"type": "voicemail", "box": "sales"},
    }
    played = play(flow_of(nodes), Script(queues=[("answered", 30.0), ("timeout", 5.0)]))
    assert (played.watch.path, played.disposition) == (["it", "again", "message"], "answered")


def test_hang_up_as_the_flow_says():
    nodes = {"it": {"type": "hang_up", "prompts": ["blocked"], "cause": "CALL_REJECTED", "disposition": "blocked"}}
    played = play(flow_of(nodes))
    assert played.phone.heard[-1].detail == "CALL_REJECTED"
    assert played.disposition == "blocked"


def test_leaving_during_the_goodbye_is_as_good_as_hearing_it():
    played = play(flow_of({"it": {"type": "hang_up", "prompts": ["goodbye"]}}), Script(leaves_after=1))
    assert (played.ending, played.disposition) == (None, "self_service")
    assert played.watch.steps[0].exit == "hung_up"
    assert played.watch.checkpoints[-1][1][OUTCOME] == "self_service"


def test_what_is_said_is_put_into_words_at_that_moment():
    def heard(say, when):
        return through({"type": "play", "prompts": [{"say": say, "calendar": "Office"}]}, when=when)[1].names

    assert heard("opening_hours", "2026-11-23T10:00")[:8] == [
        "open_from",
        "monday",
        "to",
        "friday",
        "from",
        "number_9",
        "a_m",
        "to",
    ]
    assert heard("reopening", "2026-11-23T12:10") == ["open_again", "today", "at", "number_12", "number_30", "p_m"]
    assert heard("reopening", "2026-11-27T18:00") == ["open_again", "on", "monday", "at", "number_9", "a_m"]
    assert heard("reopening", "2026-11-23T10:00") == []
    assert heard("holiday", "2026-12-25T10:00") == ["closed_for", "holiday_christmas_day"]
    assert heard("holiday", "2026-11-23T10:00") == []


def test_a_second_type_of_one_name_is_refused():
    from typing import Literal

    registry = Registry()

    class One(Node):
        form = Form("One", "Does nothing.", "note", "flag")
        type: Literal["one"]

        def run(self, visit):
            return "next"

    class Two(Node):
        form = One.form
        type: Literal["one"]

        def run(self, visit):
            return "next"

    class Free(Node):
        type: str

        def run(self, visit):
            return "next"

    registry.add(One)
    with pytest.raises(TypeError, match="One"):
        registry.add(Two)
    with pytest.raises(TypeError, match="literal"):
        registry.add(Free)


def test_star_leads_back_through_the_menus_one_came_by():
    def menu(key, to):
        return {"type": "menu", "prompts": ["menu_main"], "back": True, "exits": {key: to, "no_input": "bye"}}

    flow = flow_of(
        {
            "first": menu("1", "said"),
            "said": {"type": "play", "prompts": ["please_wait"], "exits": {"next": "second"}},
            "second": menu("2", "third"),
            "third": menu("3", "bye"),
            "bye": {"type": "hang_up"},
        }
    )
    played = play(flow, Script(answers=["1", "2", "*", "*", "*", "1", "*", ""]))
    assert played.watch.path == [
        "first", "said", "second", "third", "second", "first", "first", "said", "second", "first", "bye",
    ]  # fmt: skip
    assert [step.exit for step in played.watch.steps if step.exit == "back"] == ["back"] * 4


def test_back_leads_where_its_exit_does():
    flow = flow_of(
        {
            "menu": {
                "type": "menu", "prompts": ["menu_main"], "back": True,
                "exits": {"1": "bye", "back": "other", "no_input": "bye"},
            },
            "other": {"type": "hang_up"},
            "bye": {"type": "hang_up"},
        }
    )  # fmt: skip
    assert play(flow, Script(answers=["*"])).watch.path == ["menu", "other"]


def test_the_way_back_survives_the_engine():
    flow = flow_of(
        {
            "first": {"type": "menu", "prompts": ["menu_main"], "exits": {"1": "second", "no_input": "bye"}},
            "second": {
                "type": "menu",
                "prompts": ["menu_main"],
                "back": True,
                "exits": {"1": "bye", "no_input": "bye"},
            },
            "bye": {"type": "hang_up"},
        }
    )
    node, variables = play(flow, Script(answers=["1"])).watch.checkpoints[1]
    assert node == "second"
    again = play(flow, Script(answers=["*", ""]), resume=Checkpoint(node, variables))
    assert again.watch.path[:2] == ["second", "first"]


def test_a_number_that_ends_with_star():
    node = {"type": "collect", "variable": "x", "prompts": ["enter_number"], "terminator": "*", "most": 6}
    assert through(node, Script(answers=["12*"]))[1].watch.checkpoints[-1][1]["x"] == "12"
