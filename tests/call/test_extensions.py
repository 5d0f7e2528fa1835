"""Desk phones called by their extension, without a queue."""

from __future__ import annotations

import pytest

from .conftest import SWIFT
from .installation import Installation


def test_one_colleague_calls_another(installation: Installation) -> None:
    installation.switch.phone("1002", answer=1, talk=3)
    caller = installation.switch.call("1002", caller="1001")
    caller.wait_for("tone")
    caller.wait_for("talks", to="1002")
    caller.wait_for("left")
    caller.wait_for("ended")
    report = installation.report(caller)
    call = report.call
    assert (call["direction"], call["status"], call["ended_by"]) == ("internal", "answered", "agent")
    assert (call["caller_number"], call["called_number"], call["extension"]) == ("1001", "1002", "1002")
    assert (call["agent"], call["queue"], call["customer_id"]) == ("Ben Okoro", None, None)
    assert report.legs == ["ivr", "talk", "ivr"]
    assert (report.entries, report.offers) == ([], [])


def test_an_agent_on_a_direct_call_is_offered_no_other(installation: Installation) -> None:
    installation.on_duty("1002")
    installation.switch.phone("1002", answer=1, talk=None)
    direct = installation.switch.call("1002", caller="1001")
    direct.wait_for("talks", to="1002")
    installation.see("1002", work="talking", call_id=direct.call_id)
    waiting = installation.switch.call(SWIFT)
    waiting.wait_for("music")
    direct.hang_up()
    waiting.wait_for("talks", to="1002")
    waiting.hang_up()
    assert installation.report(waiting).offered == [("1002", "answered")]
    report = installation.report(direct)
    assert (report.call["status"], report.beside) == ("answered", [])
    installation.see("1002", presence="ready", work="idle")


def test_a_caller_who_gives_up_while_an_extension_rings(installation: Installation) -> None:
    installation.switch.phone("1002", ring=True)
    caller = installation.switch.call("1002", caller="+4532101010")
    caller.wait_for("tone")
    caller.wait_until(caller.now + 2)
    caller.hang_up()
    report = installation.report(caller)
    assert (report.call["status"], report.call["direction"]) == ("abandoned_ringing", "inbound")
    assert report.way == [("ring", "hung_up")]


@pytest.mark.parametrize(
    ("manner", "exit_name"),
    [({"busy": True}, "busy"), ({"absent": True}, "unreachable"), ({"refuse": "CALL_REJECTED"}, "rejected")],
    ids=["busy", "absent", "refuses"],
)
def test_an_extension_that_does_not_answer_takes_a_message(
    installation: Installation, manner: dict[str, object], exit_name: str
) -> None:
    installation.switch.phone("1002", **manner)
    caller = installation.switch.call("1002", caller="1001")
    caller.hear("voicemail_greeting")
    caller.hang_up()
    report = installation.report(caller)
    assert report.way == [("ring", exit_name), ("message", "hung_up")]
    assert report.call["status"] == exit_name
    installation.see("1002", presence="ready", work="idle")
