"""What agents dial on their desk phones, and that nobody is offered a call while on the phone."""

from __future__ import annotations

from tests.waiting import eventually

from .conftest import SWIFT
from .installation import Installation


def test_a_pause_with_its_reason_and_back(installation: Installation) -> None:
    installation.on_duty("1001")
    began = installation.clock.now()
    caller = installation.switch.call("*422", caller="1001")
    caller.hear("feature_paused")
    installation.see("1001", presence="pause", reason="lunch", work="idle")
    caller.wait_for("ended")
    report = installation.report(caller)
    assert (
        report.call["direction"],
        report.call["status"],
        report.call["called_number"],
        report.call["number_name"],
    ) == (
        "internal",
        "self_service",
        "*422",
        "Pause",
    )
    caller = installation.switch.call("*43", caller="1001")
    caller.hear("feature_ready")
    caller.wait_for("ended")
    installation.see("1001", presence="ready", reason=None)
    eventually(lambda: _states(installation, began))


def _states(installation: Installation, began: object) -> None:
    states = installation.states("1001", began)  # type: ignore[arg-type]
    assert [state for state in states if state[1] == "idle"][-2:] == [
        ("pause", "idle", "lunch"),
        ("ready", "idle", None),
    ]


def test_the_reasons_are_read_out_where_none_is_dialled(installation: Installation) -> None:
    installation.on_duty("1001")
    caller = installation.switch.call("*42", caller="1001")
    caller.hear("feature_choose_reason")
    installation.see("1001", presence="pause", reason=None)
    caller.press("3")
    caller.hear("feature_paused")
    installation.see("1001", presence="pause", reason="meeting")
    caller.wait_for("ended")
    installation.report(caller)


def test_out_and_in_again(installation: Installation) -> None:
    installation.on_duty("1001")
    caller = installation.switch.call("*41", caller="1001")
    caller.hear("feature_logged_out")
    installation.see("1001", presence="offline")
    caller.wait_for("ended")
    waiting = installation.switch.call(SWIFT)
    again = installation.switch.call("*40", caller="1001")
    again.hear("feature_logged_in")
    # A call that waits finds the phone free, since the agent is ready only when they have hung up.
    waiting.wait_for("talks", to="1001")
    waiting.hang_up()
    assert installation.report(waiting).offered == [("1001", "answered")]


def test_agents_ask_what_they_are(installation: Installation) -> None:
    installation.on_duty("1001")

    def told() -> list[str]:
        asking = installation.switch.call("*46", caller="1001")
        asking.wait_for("ended")
        assert installation.report(asking).call["number_name"] == "What am I?"
        return asking.prompts

    assert told() == ["feature_ready"]
    installation.choose("1001", "pause", "lunch")
    installation.see("1001", presence="pause")
    assert told() == ["feature_paused"]
    installation.choose("1001", "offline")
    installation.see("1001", presence="offline")
    assert told() == ["feature_logged_out"]


def test_agents_who_write_up_are_told_so(installation: Installation) -> None:
    installation.on_duty("1001")
    installation.switch.phone("1001", answer=0, talk=1)
    caller = installation.switch.call(SWIFT)
    caller.wait_for("ended")
    installation.see("1001", work="wrap_up")
    more = installation.switch.call("*45", caller="1001")
    more.wait_for("ended")
    asking = installation.switch.call("*46", caller="1001")
    asking.wait_for("ended")
    assert asking.prompts == ["feature_wrap_up", "feature_ready"]
    end = installation.switch.call("*44", caller="1001")
    end.wait_for("ended")
    installation.see("1001", work="idle")
    installation.report(caller)


def test_the_codes_are_for_desk_phones_alone(installation: Installation) -> None:
    caller = installation.switch.call("*41", caller="+4532101010")
    caller.wait_for("ended")
    assert caller.prompts == []
    installation.see("1001", presence="ready")
    assert installation.report(caller).call["status"] == "rejected"


def test_an_agent_who_phones_is_offered_nothing(installation: Installation) -> None:
    installation.on_duty("1001")
    installation.switch.phone("1002", ring=True)
    own = installation.switch.call("1002", caller="1001")
    own.wait_for("tone")
    installation.see("1001", work="talking", call_id=own.call_id)
    waiting = installation.switch.call(SWIFT)
    waiting.wait_for("music")
    own.hang_up()
    waiting.wait_for("talks", to="1001")
    waiting.hang_up()
    assert installation.report(waiting).offered == [("1001", "answered")]


def test_messages_are_heard_on_the_phone(installation: Installation) -> None:
    installation.switch.phone("1004", busy=True)
    caller = installation.switch.call("1004", caller="+4586111213")
    caller.wait_for("ended")
    installation.report(caller)
    installation.switch.phone("1004", answer=1, talk=5)
    listener = installation.switch.call("*97", caller="1004", press="w9,1")
    listener.hear("messages_count")
    listener.hear("message_from")
    listener.hear("message_from")
    listener.hear("messages_end")
    listener.wait_for("ended")
    (row,) = installation.rows("SELECT listened_at FROM voicemail WHERE box = '1004'")
    assert row["listened_at"] is not None
    again = installation.switch.call("*97", caller="1004")
    again.hear("messages_none")
    again.wait_for("ended")


def test_an_agent_whose_phone_vanishes_is_paused(installation: Installation) -> None:
    installation.on_duty("1001", "1002")
    eventually(lambda: _signed_in(installation, "1001"))
    installation.switch.phone("1001", absent=True)
    installation.see("1001", presence="pause", reason="phone_gone")
    installation.see("1002", presence="ready")


def _signed_in(installation: Installation, extension: str) -> None:
    assert extension in installation.redis.hkeys("phones")
