"""Calls that reach an agent: what the caller hears, what the agent is shown, what the records say."""

from __future__ import annotations

import wave

import pytest

from tests.waiting import eventually

from .conftest import SALES, WRAP_UP
from .installation import Installation


def test_from_the_menu_to_an_agent_who_hangs_up(installation: Installation) -> None:
    installation.on_duty("1001")
    began = installation.clock.now()
    caller = installation.switch.call("5000", caller="+4532101010", press="1")
    caller.hear("greeting_morning")
    caller.hear("menu_main")
    caller.wait_for("presses", key="1")
    talk = caller.wait_for("talks", to="1001")
    left = caller.wait_for("left", who="1001")
    assert caller.wait_for("ended")["by"] == "switch"
    assert 4.5 < left["at"] - talk["at"] < 20

    report = installation.report(caller)
    call = report.call
    assert (call["status"], call["ended_by"], call["hangup_cause"]) == ("answered", "agent", "NORMAL_CLEARING")
    assert (call["direction"], call["caller_number"], call["called_number"]) == ("inbound", "+4532101010", "5000")
    assert (call["number_name"], call["queue"], call["agent"], call["extension"]) == (
        "Main line",
        "sales",
        "Anna Holm",
        "1001",
    )
    assert (call["customer_name"], call["customer_category"]) == ("Mette Dahl", "vip")
    assert (call["flow"], call["too_long"], call["voicemail_id"]) == ("main", False, None)
    assert report.legs == ["ivr", "queue", "talk", "ivr"]
    assert float(call["talk_seconds"]) == pytest.approx(left["at"] - talk["at"], abs=1)
    assert [node for node, _ in report.way] == ["doors", "morning", "good_morning", "menu", "sales"]
    assert report.way[-2:] == [("menu", "1"), ("sales", "answered")]
    (entry,) = report.entries
    assert (entry["queue"], entry["result"], entry["agent"]) == ("sales", "answered", "Anna Holm")
    assert float(entry["wait_seconds"]) == pytest.approx(float(call["wait_seconds"]), abs=0.01)
    assert report.offered == [("1001", "answered")]
    (offer,) = report.offers
    assert offer["why"]["in_words"] == "Anna Holm was the only free agent with sales at level 1 or above."
    assert 0.9 < offer["ring_seconds"] <= call["wait_seconds"]

    pops = installation.popped(caller, ("offered", "1001"), ("answered", "1001"), ("ended", "1001"))
    assert {pop["offer_id"] for pop in pops} == {str(offer["offer_id"])}
    assert pops[0]["customer"]["name"] == "Mette Dahl"
    assert pops[0]["customer"]["company"] == "Nordlys Shipping"
    assert pops[0]["customer"]["open_tickets"][0]["subject"] == "Delivery times in December"
    assert pops[0]["ivr_path"] == ["doors", "morning", "good_morning", "menu", "sales"]
    assert (pops[0]["from"], pops[0]["to"], pops[0]["queue"]) == ("+4532101010", "5000", "sales")
    assert pops[0]["agent"]["name"] == "Anna Holm"
    assert pops[1]["waited_seconds"] == pytest.approx(float(entry["wait_seconds"]), abs=1)

    def written_up() -> None:
        report = installation.report(caller)
        assert report.beside == ["offer", "wrap_up"]
        assert float(report.call["wrap_up_seconds"]) == pytest.approx(WRAP_UP, abs=0.1)

    eventually(written_up)
    installation.see("1001", presence="ready", work="idle")
    states = [work for _, work, _ in installation.states("1001", began)]
    assert states[-4:] == ["offered", "talking", "wrap_up", "idle"]


def test_the_caller_hangs_up_in_the_talk(installation: Installation) -> None:
    installation.on_duty("1001")
    installation.switch.phone("1001", answer=1, talk=None)
    caller = installation.switch.call(SALES, caller="+4532101010")
    caller.wait_for("music")
    caller.wait_for("talks", to="1001")
    installation.see("1001", work="talking", call_id=caller.call_id)
    caller.hang_up()
    report = installation.report(caller)
    assert (report.call["status"], report.call["ended_by"]) == ("answered", "caller")
    assert report.legs == ["ivr", "queue", "talk"]
    assert report.way == [("queue", "answered")]
    assert report.offered == [("1001", "answered")]
    installation.popped(caller, ("offered", "1001"), ("answered", "1001"), ("ended", "1001"))
    installation.see("1001", work="wrap_up")
    installation.see("1001", work="idle")


def test_the_talk_is_recorded_on_two_tracks(installation: Installation) -> None:
    installation.on_duty("1001")
    caller = installation.switch.call(SALES)
    caller.wait_for("talks")
    caller.wait_for("ended")

    def kept() -> None:
        report = installation.report(caller)
        assert len(report.recordings) == 1
        recording = report.recordings[0]
        assert report.call["recording_id"] == recording["id"]
        assert report.call["recording_listened"] is False
        assert float(recording["seconds"]) == pytest.approx(float(report.call["talk_seconds"]), abs=1)
        with wave.open(str(installation.home / "recordings" / recording["path"])) as sound:
            assert (sound.getnchannels(), sound.getframerate()) == (2, 8000)
            assert sound.getnframes() / 8000 == pytest.approx(float(recording["seconds"]), abs=0.01)

    eventually(kept)
