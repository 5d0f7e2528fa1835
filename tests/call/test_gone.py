"""Callers who hang up before anybody has answered, at every place where they can."""

from __future__ import annotations

import pytest

from .conftest import SALES
from .installation import Installation


def test_in_the_greeting(installation: Installation) -> None:
    caller = installation.switch.call("5000")
    caller.hear("greeting_morning")
    caller.hang_up()
    report = installation.report(caller)
    assert (report.call["status"], report.call["ended_by"], report.call["queue"]) == ("abandoned_ivr", "caller", None)
    assert report.way == [("doors", "open"), ("morning", "open"), ("good_morning", "hung_up")]
    assert report.legs == ["ivr"]
    assert report.call["answered_at"] is not None
    assert installation.pops(caller) == []


def test_in_the_menu(installation: Installation) -> None:
    caller = installation.switch.call("5000")
    caller.hear("menu_main")
    caller.hang_up()
    report = installation.report(caller)
    assert (report.call["status"], report.call["ended_by"]) == ("abandoned_ivr", "caller")
    assert report.way[-1] == ("menu", "hung_up")


def test_in_the_queue(installation: Installation) -> None:
    installation.on_duty()
    caller = installation.switch.call(SALES)
    began = caller.wait_for("music")["at"]
    caller.wait_until(began + 7)
    caller.hang_up()
    report = installation.report(caller)
    assert (report.call["status"], report.call["ended_by"], report.call["queue"]) == (
        "abandoned_queue",
        "caller",
        "sales",
    )
    assert report.legs == ["ivr", "queue"]
    (entry,) = report.entries
    assert (entry["result"], entry["agent"], entry["position_at_entry"]) == ("abandoned", None, 1)
    assert float(entry["wait_seconds"]) == pytest.approx(7, abs=2)
    assert report.offered == []
    assert installation.pops(caller) == []


def test_shortly_after_they_came_into_the_queue(installation: Installation) -> None:
    installation.on_duty()
    caller = installation.switch.call(SALES)
    caller.wait_for("music")
    caller.hang_up()
    report = installation.report(caller)
    assert (report.call["status"], report.call["ended_by"]) == ("short_abandon", "caller")
    assert [entry["result"] for entry in report.entries] == ["short_abandon"]


def test_while_an_agents_phone_rings(installation: Installation) -> None:
    installation.on_duty("1001")
    installation.switch.phone("1001", ring=True)
    caller = installation.switch.call(SALES)
    began = caller.wait_for("music")["at"]
    installation.see("1001", work="offered", call_id=caller.call_id)
    caller.wait_until(began + 7)
    caller.hang_up()
    report = installation.report(caller)
    assert (report.call["status"], report.call["ended_by"]) == ("abandoned_ringing", "caller")
    assert (report.call["queue"], report.call["agent"]) == ("sales", None)
    assert report.legs == ["ivr", "queue"]
    assert [entry["result"] for entry in report.entries] == ["abandoned"]
    assert report.offered == [("1001", "caller_left")]
    installation.popped(caller, ("offered", "1001"), ("missed", "1001"))
    installation.see("1001", presence="ready", work="idle")


def test_in_the_message(installation: Installation) -> None:
    """What was said by then is a message."""
    caller = installation.switch.call("5000", press="w1,9", speaks=30)
    began = caller.wait_for("recording")["at"]
    caller.wait_until(began + 4)
    caller.hang_up()
    report = installation.report(caller)
    assert (report.call["status"], report.call["ended_by"]) == ("voicemail", "caller")
    assert report.legs == ["ivr", "voicemail"]
    (message,) = report.messages
    assert float(message["seconds"]) == pytest.approx(4, abs=1.5)
