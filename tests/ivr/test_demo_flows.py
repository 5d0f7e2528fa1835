"""The demo company as its callers know it, with the shipped prompts at their real length."""

from pathlib import Path

import pytest
from playing import CALENDARS, CATALOGUE, DEMO, at, play

from ivr.check import Surroundings, check
from ivr.flow import Flow
from ivr.simulator import MemoryPhone, Press, Script
from ivr.store import read_file

MAIN = read_file(DEMO / "flows" / "main.yaml")
OFFICE = read_file(DEMO / "flows" / "office.yaml")


def call(flow: Flow, when: str, script: Script | None = None):
    def seconds(file: str) -> float:
        prompt = CATALOGUE.at(Path(file))
        assert prompt is not None
        return prompt.seconds

    return play(flow, phone=MemoryPhone(script, start=at(when), seconds_of=seconds))


@pytest.mark.parametrize("flow", [MAIN, OFFICE], ids=lambda flow: flow.name)
def test_in_order(flow):
    assert check(flow, Surroundings(CATALOGUE, CALENDARS, {"sales", "support", "reception"}, set())) == []


@pytest.mark.parametrize(
    ("when", "greeting"),
    [
        ("2026-11-23T08:00", "greeting_morning"),
        ("2026-11-23T12:00", "greeting_afternoon"),
        ("2026-11-22T19:00", "greeting_evening"),
        ("2026-11-23T03:00", "greeting_night"),
    ],
)
@pytest.mark.parametrize(("key", "queue"), [("1", "sales"), ("2", "support"), ("0", "reception")])
def test_the_main_line_puts_callers_through_at_any_hour(when, greeting, key, queue):
    played = call(MAIN, when, Script(answers=[key]))
    assert played.names[:2] == [greeting, "menu_main"]
    assert [heard.detail for heard in played.phone.heard if heard.what == "queue"] == [queue]
    assert played.disposition == "answered"


def test_opening_hours_are_told_and_the_menu_comes_back():
    played = call(MAIN, "2026-11-23T10:00", Script(answers=["3", "1"]))
    assert played.watch.path[-4:] == ["menu", "opening_hours", "menu", "sales"]
    assert "open_from" in played.names


def test_a_message_on_request():
    played = call(MAIN, "2026-11-23T10:00", Script(answers=["9"]))
    assert played.watch.path[-2:] == ["message", "saved"]
    assert played.disposition == "voicemail"


def test_two_silences_lead_to_the_reception():
    played = call(MAIN, "2026-11-23T10:00")
    assert played.names[1:5] == ["menu_main", "menu_no_input", "menu_main", "menu_operator"]
    assert played.watch.path[-1] == "operator"


def test_a_caller_who_knows_the_menu_need_not_hear_it():
    played = call(MAIN, "2026-11-23T10:00", Script(presses=[Press(0.5, "1")]))
    assert "menu_main" not in played.names
    assert played.watch.path[-1] == "sales"


@pytest.mark.parametrize("outcome", ["timeout", "no_agent", "full", "closed", "exit_key"])
@pytest.mark.parametrize("key", ["1", "2", "0"])
def test_whom_nobody_answers_may_leave_a_message(key, outcome):
    left = call(MAIN, "2026-11-23T10:00", Script(answers=[key], queues=[(outcome, 5.0)]))
    assert left.disposition == "voicemail"
    box = next(heard.detail for heard in left.phone.heard if heard.what == "message")
    assert box == {"1": "sales", "2": "support", "0": "reception"}[key]
    silent = call(MAIN, "2026-11-23T10:00", Script(answers=[key], queues=[(outcome, 5.0)], messages=[("nothing", 0.5)]))
    assert silent.disposition == ("after_hours" if outcome == "closed" else outcome)


@pytest.mark.parametrize("flow", [MAIN, OFFICE], ids=lambda flow: flow.name)
def test_holidays(flow):
    played = call(flow, "2026-12-25T03:00")
    assert played.names[:2] == ["closed_for", "holiday_christmas_day"]
    assert played.names[-2:] == ["menu_message", "goodbye"]
    assert played.disposition == "after_hours"
    assert call(flow, "2026-12-25T03:00", Script(answers=["1"])).disposition == "voicemail"
    assert call(flow, "2026-12-25T03:00", Script(leaves_after=1)).disposition == "after_hours"


@pytest.mark.parametrize(
    ("when", "first", "again"),
    [
        ("2026-11-23T12:10", "closed_lunch", ["open_again", "today", "at", "number_12", "number_30", "p_m"]),
        ("2026-11-23T20:00", "closed_hours", ["open_again", "tomorrow", "at", "number_9", "a_m"]),
        ("2026-11-21T10:00", "closed_hours", ["open_again", "on", "monday", "at", "number_9", "a_m"]),
    ],
)
def test_the_office_keeps_its_hours(when, first, again):
    played = call(OFFICE, when)
    assert played.names == [first, *again, "menu_message", "goodbye"]
    assert played.disposition == "after_hours"


def test_the_office_answers_in_its_hours():
    assert call(OFFICE, "2026-11-23T10:00").watch.path == ["doors", "welcome", "reception"]
