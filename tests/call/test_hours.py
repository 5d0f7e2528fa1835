"""When the house is closed, and calls that are not taken."""

from __future__ import annotations

import pytest

from .conftest import CLOSED
from .installation import Installation


@pytest.mark.parametrize(
    ("at", "number", "way", "prompts"),
    [
        ("2026-03-04T20:00:00+01:00", "5001", ("doors", "closed"), ["closed_hours", "open_again"]),
        ("2026-03-04T12:10:00+01:00", "5001", ("doors", "lunch"), ["closed_lunch"]),
        ("2026-03-08T10:00:00+01:00", "5001", ("doors", "closed"), ["closed_hours"]),
        ("2026-12-25T10:00:00+01:00", "5001", ("doors", "holiday"), ["closed_for"]),
        ("2026-12-25T10:00:00+01:00", "5000", ("doors", "holiday"), ["closed_for"]),
    ],
    ids=["evening", "lunch", "Sunday", "Christmas", "Christmas on the main line"],
)
def test_callers_at_closed_doors(
    installation: Installation, at: str, number: str, way: tuple[str, str], prompts: list[str]
) -> None:
    caller = installation.switch.call(number, at=at)
    for prompt in prompts:
        caller.hear(prompt)
    caller.hear("menu_message")
    caller.hang_up()
    report = installation.report(caller)
    assert (report.call["status"], report.call["ended_by"]) == ("after_hours", "caller")
    assert report.way[0] == way
    assert report.entries == []
    assert report.legs == ["ivr"]


def test_closed_doors_and_no_message_end_the_call(installation: Installation) -> None:
    caller = installation.switch.call("5001", at="2026-03-04T20:00:00+01:00")
    caller.hear("goodbye")
    assert caller.wait_for("ended")["by"] == "switch"
    report = installation.report(caller)
    assert (report.call["status"], report.call["ended_by"]) == ("after_hours", "system")


def test_a_message_left_at_closed_doors(installation: Installation) -> None:
    caller = installation.switch.call("5001", at="2026-03-04T20:00:00+01:00", press="w1,1")
    caller.hear("voicemail_saved")
    caller.wait_for("ended")
    report = installation.report(caller)
    assert (report.call["status"], len(report.messages)) == ("voicemail", 1)


@pytest.mark.parametrize(
    ("at", "greeting"),
    [
        ("2026-03-04T15:00:00+01:00", "greeting_afternoon"),
        ("2026-03-04T20:00:00+01:00", "greeting_evening"),
        ("2026-03-04T03:00:00+01:00", "greeting_night"),
    ],
)
def test_the_main_line_answers_at_any_hour(installation: Installation, at: str, greeting: str) -> None:
    caller = installation.switch.call("5000", at=at, press="w1,1")
    caller.hear(greeting)
    caller.wait_for("talks")
    caller.hang_up()
    assert installation.report(caller).call["status"] == "answered"


def test_a_number_that_refuses(installation: Installation) -> None:
    caller = installation.switch.call(CLOSED)
    ended = caller.wait_for("ended")
    assert (ended["answered"], ended["cause"]) == (False, "CALL_REJECTED")
    report = installation.report(caller)
    assert (report.call["status"], report.call["ended_by"], report.call["hangup_cause"]) == (
        "rejected",
        "system",
        "CALL_REJECTED",
    )
    assert report.call["answered_at"] is None
    assert report.steps == []


def test_a_number_that_nobody_has(installation: Installation) -> None:
    caller = installation.switch.call("5999")
    assert caller.wait_for("ended")["cause"] == "UNALLOCATED_NUMBER"
    report = installation.report(caller)
    assert (report.call["status"], report.call["hangup_cause"]) == ("rejected", "UNALLOCATED_NUMBER")
