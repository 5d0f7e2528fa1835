"""Waiting: how long, how many, and what is said meanwhile; what becomes of callers whom nobody can take."""

from __future__ import annotations

import pytest

from .conftest import BRIEF, NARROW, PATIENT, SALES
from .installation import Installation


def test_with_nobody_logged_in_a_message_is_taken(installation: Installation) -> None:
    installation.on_duty(otherwise="offline")
    caller = installation.switch.call("5000", press="w1,1", speaks=4)
    caller.hear("queue_no_agent")
    caller.hear("voicemail_greeting")
    caller.hear("voicemail_saved")
    caller.wait_for("ended")
    report = installation.report(caller)
    assert (report.call["status"], report.call["queue"], report.call["agent"]) == ("voicemail", "sales", None)
    assert [(entry["queue"], entry["result"]) for entry in report.entries] == [("sales", "no_agent")]
    assert report.way[-4:] == [
        ("sales", "no_agent"),
        ("sales_nobody", "next"),
        ("sales_message", "left"),
        ("saved", "done"),
    ]
    assert [message["box"] for message in report.messages] == ["sales"]
    assert (installation.home / "recordings" / report.messages[0]["path"]).is_file()


def test_with_nobody_logged_in_and_no_message_nobody_was_there(installation: Installation) -> None:
    installation.on_duty(otherwise="offline")
    caller = installation.switch.call(SALES)
    caller.hear("voicemail_greeting")
    caller.hang_up()
    report = installation.report(caller)
    assert (report.call["status"], report.call["queue"]) == ("no_agent", "sales")
    assert report.offered == []


def test_the_longest_wait_ends_the_waiting(installation: Installation) -> None:
    installation.on_duty()
    caller = installation.switch.call(BRIEF)
    caller.wait_for("music")
    caller.hear("voicemail_greeting")
    caller.hang_up()
    report = installation.report(caller)
    assert (report.call["status"], report.call["queue"]) == ("timeout", "brief")
    (entry,) = report.entries
    assert entry["result"] == "timeout"
    assert float(entry["wait_seconds"]) == pytest.approx(6, abs=2)
    assert report.legs == ["ivr", "queue", "ivr"]


def test_a_full_queue_takes_no_more(installation: Installation) -> None:
    installation.on_duty()
    first = installation.switch.call(NARROW)
    first.wait_for("music")
    second = installation.switch.call(NARROW)
    second.hear("voicemail_greeting")
    second.hang_up()
    report = installation.report(second)
    assert (report.call["status"], [entry["result"] for entry in report.entries]) == ("full", ["full"])
    first.hang_up()
    third = installation.switch.call(NARROW)
    third.wait_for("music")
    third.hang_up()
    assert "voicemail_greeting" not in third.prompts
    for caller in (first, third):
        assert installation.report(caller).call["queue"] == "narrow"


def test_callers_are_told_their_place_and_served_in_their_order(installation: Installation) -> None:
    installation.on_duty()
    callers = []
    for place in range(1, 4):
        caller = installation.switch.call(PATIENT)
        callers.append(caller)
        if place == 1:
            caller.hear("queue_next")
        else:
            caller.hear("queue_position")
            caller.hear(f"number_{place}")
            caller.hear("queue_in_line")
        caller.wait_for("music")
    callers[1].hang_up()
    callers[2].hear("queue_position")
    callers[2].hear("number_2")
    installation.switch.phone("1001", answer=1, talk=None)
    installation.choose("1001", "ready")
    callers[0].wait_for("talks", to="1001")
    callers[2].hear("queue_next")
    assert "talks" not in callers[2].kinds
    callers[0].hang_up()
    callers[2].wait_for("talks", to="1001")
    callers[2].hang_up()
    reports = [installation.report(caller) for caller in callers]
    assert [report.entries[0]["position_at_entry"] for report in reports] == [1, 2, 3]
    assert [report.call["status"] for report in reports][::2] == ["answered", "answered"]


def test_a_call_of_higher_priority_is_served_first(installation: Installation) -> None:
    installation.on_duty()
    installation.switch.phone("1003", answer=1, talk=None)
    support = installation.switch.call("5000", press="w1,2")
    support.wait_for("music")
    sales = installation.switch.call(SALES)
    sales.wait_for("music")
    installation.choose("1003", "ready")
    sales.wait_for("talks", to="1003")
    sales.hang_up()
    support.wait_for("talks", to="1003")
    support.hang_up()
    assert installation.report(sales).call["status"] == "answered"
    assert installation.report(support).call["status"] == "answered"
