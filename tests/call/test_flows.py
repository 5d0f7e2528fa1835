"""What a caller can do by keys: the demo company's menus, early, late and wrong keys, opening hours, messages."""

from __future__ import annotations

import wave

import pytest

from tests.waiting import eventually

from .conftest import BOX, CHANGING, changing
from .installation import Installation


def test_opening_hours_serve_and_lead_back_to_the_menu(installation: Installation) -> None:
    caller = installation.switch.call("5000", press="w1,3")
    caller.hear("open_from")
    caller.hear("menu_main")
    caller.hang_up()
    report = installation.report(caller)
    assert report.call["status"] == "self_service"
    assert report.way[-3:] == [("menu", "3"), ("opening_hours", "next"), ("menu", "hung_up")]


def test_a_key_stops_the_menu(installation: Installation) -> None:
    installation.on_duty()
    caller = installation.switch.call("5000")
    asked = caller.hear("menu_main")
    caller.press("2")
    assert caller.wait_for("music")["at"] - asked["at"] < 5
    caller.hang_up()
    assert installation.report(caller).way[-2:] == [("menu", "2"), ("support", "hung_up")]


def test_a_key_pressed_before_the_menu_answers_it(installation: Installation) -> None:
    installation.on_duty()
    caller = installation.switch.call("5000")
    caller.hear("greeting_morning")
    caller.press("1")
    caller.wait_for("music")
    assert caller.prompts == ["greeting_morning"]
    caller.hang_up()
    assert installation.report(caller).way[-2:] == [("menu", "1"), ("sales", "hung_up")]


def test_each_key_pressed_ahead_answers_its_own_question(installation: Installation) -> None:
    installation.on_duty()
    caller = installation.switch.call("5000")
    caller.hear("greeting_morning")
    caller.press("31")
    caller.hear("open_from")
    caller.wait_for("music")
    assert "menu_main" not in caller.prompts
    caller.hang_up()
    assert installation.report(caller).way[-4:] == [
        ("menu", "3"), ("opening_hours", "next"), ("menu", "1"), ("sales", "hung_up"),
    ]  # fmt: skip


def test_wrong_keys_are_answered_and_in_the_end_a_colleague_helps(installation: Installation) -> None:
    installation.on_duty()
    caller = installation.switch.call("5000")
    caller.hear("menu_main")
    caller.press("7")
    caller.hear("menu_no_match")
    caller.hear("menu_main")
    caller.press("8")
    caller.hear("menu_no_match_again")
    caller.press("*")
    caller.hear("menu_operator")
    caller.wait_for("music")
    caller.hang_up()
    report = installation.report(caller)
    assert report.way[-3:] == [("menu", "no_match"), ("no_choice", "next"), ("operator", "hung_up")]
    assert report.call["queue"] == "reception"


def test_silence_is_asked_again_and_in_the_end_a_colleague_helps(installation: Installation) -> None:
    installation.on_duty()
    caller = installation.switch.call("5000")
    caller.hear("menu_no_input")
    caller.hear("menu_main")
    caller.hear("menu_operator")
    caller.wait_for("music")
    caller.hang_up()
    assert installation.report(caller).way[-3][1] == "no_input"


def test_a_message_is_left(installation: Installation) -> None:
    caller = installation.switch.call("5000", press="w1,9", speaks=4)
    caller.hear("voicemail_greeting")
    caller.wait_for("recording")
    caller.hear("voicemail_saved")
    caller.hear("goodbye")
    assert caller.wait_for("ended")["by"] == "switch"
    report = installation.report(caller)
    assert (report.call["status"], report.call["ended_by"], report.call["queue"]) == ("voicemail", "system", None)
    assert report.legs == ["ivr", "voicemail", "ivr"]
    assert report.way[-2:] == [("message", "left"), ("saved", "done")]
    (message,) = report.messages
    assert report.call["voicemail_id"] == message["id"]
    assert (message["box"], message["caller_number"], message["listened_at"]) == ("reception", "+4532101010", None)
    with wave.open(str(installation.home / "recordings" / message["path"])) as sound:
        assert sound.getnframes() / sound.getframerate() == pytest.approx(float(message["seconds"]), abs=0.01)
        assert sound.getnframes() / sound.getframerate() > 4


def test_hash_ends_a_message(installation: Installation) -> None:
    caller = installation.switch.call(BOX, speaks=60)
    began = caller.wait_for("recording")["at"]
    caller.wait_until(began + 4)
    caller.press("#")
    caller.wait_for("recorded")
    caller.hear("goodbye")
    caller.wait_for("ended")
    report = installation.report(caller)
    assert report.call["status"] == "voicemail"
    assert float(report.messages[0]["seconds"]) == pytest.approx(4, abs=1.5)


@pytest.mark.parametrize("speaks", [0, None], ids=["silence", "hash at once"])
def test_a_message_in_which_nothing_was_said_is_none(installation: Installation, speaks: int | None) -> None:
    caller = installation.switch.call("5000", press="w1,9", speaks=60 if speaks is None else speaks)
    caller.wait_for("recording")
    if speaks is None:
        caller.press("#")
    caller.hear("voicemail_too_short")
    caller.wait_for("ended")
    report = installation.report(caller)
    assert report.call["status"] == "abandoned_ivr"
    assert report.way[-2:] == [("message", "nothing"), ("not_saved", "done")]
    assert report.messages == []
    assert list((installation.home / "recordings" / "messages").rglob(f"{caller.call_id}*")) == []


def test_a_call_finishes_on_the_version_it_began_with(installation: Installation) -> None:
    early = installation.switch.call(CHANGING)
    early.hear("greeting")
    with installation.setting_up() as db:
        ivr_version = installation.publish(db, changing("menu_goodbye"))
    late = installation.switch.call(CHANGING)
    late.hear("greeting")
    for caller in (early, late):
        caller.press("1")
        caller.wait_for("ended")
    assert early.prompts == ["greeting", "goodbye"]
    assert late.prompts == ["greeting", "menu_goodbye"]
    assert installation.report(early).call["flow_version"] == ivr_version - 1
    assert installation.report(late).call["flow_version"] == ivr_version


def test_what_a_caller_does_is_on_the_board_while_they_do_it(installation: Installation) -> None:
    caller = installation.switch.call("5000")
    caller.hear("menu_main")

    def shown() -> None:
        calls = [call for call in installation.board.snapshot()["calls"] if call["call_id"] == caller.call_id]
        assert [(call["state"], call["node"]) for call in calls] == [("ivr", "menu")]

    eventually(shown)
    caller.hang_up()
    installation.report(caller)
