"""Agents whose phones are not answered, who come and go, and the calls that go to the next one."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.waiting import eventually

from .conftest import SALES, SWIFT, WRAP_UP
from .installation import Installation


@pytest.mark.parametrize(
    ("manner", "result"),
    [
        ({"ring": True}, "no_answer"),
        ({"refuse": "CALL_REJECTED"}, "rejected"),
        ({"busy": True}, "busy"),
        ({"absent": True}, "unreachable"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_a_phone_that_is_not_picked_up_pauses_its_agent_and_the_next_one_gets_the_call(
    installation: Installation, manner: dict[str, object], result: str
) -> None:
    installation.on_duty("1001")
    installation.switch.phone("1001", **manner)
    began = installation.clock.now()
    caller = installation.switch.call(SWIFT)
    installation.see("1001", presence="pause", reason=result, work="idle")
    assert not caller.over
    installation.choose("1002", "ready")
    caller.wait_for("talks", to="1002")
    caller.wait_for("left")
    caller.wait_for("ended")

    report = installation.report(caller)
    assert (report.call["status"], report.call["agent"]) == ("answered", "Ben Okoro")
    assert report.offered == [("1001", result), ("1002", "answered")]
    assert report.legs == ["ivr", "queue", "talk", "ivr"]
    assert len(report.entries) == 1, "it kept its place"
    installation.popped(
        caller, ("offered", "1001"), ("missed", "1001"), ("offered", "1002"), ("answered", "1002"), ("ended", "1002")
    )
    assert ("pause", "idle", result) in installation.states("1001", began)
    if result == "no_answer":
        assert float(report.offers[0]["ring_seconds"]) == pytest.approx(3, abs=1.5)


def test_the_agent_idle_longest_is_offered_the_call(installation: Installation) -> None:
    installation.on_duty("1001", "1003")
    talks = []
    for _ in range(3):
        caller = installation.switch.call(SALES)
        talks.append(caller.wait_for("talks")["to"])
        caller.hang_up()
        installation.see(talks[-1], work="idle")
    assert talks[0] != talks[1]
    assert talks[0] == talks[2]


def test_only_an_agent_with_the_skill_is_offered_the_call(installation: Installation) -> None:
    installation.on_duty("1002")
    caller = installation.switch.call(SALES)
    caller.wait_for("music")
    installation.choose("1004", "ready")
    assert caller.wait_for("talks")["to"] == "1004"
    caller.hang_up()
    report = installation.report(caller)
    assert report.offered == [("1004", "answered")]
    left_out = {each["name"]: each["reason"] for each in report.offers[0]["why"]["left_out"]}
    assert left_out == {
        "Anna Holm": "is paused",
        "Ben Okoro": "lacks sales at level 1",
        "Clara Jensen": "is paused",
    }


def test_an_agent_who_talks_is_offered_no_second_call(installation: Installation) -> None:
    installation.on_duty("1001")
    installation.switch.phone("1001", answer=1, talk=None)
    first = installation.switch.call(SALES)
    first.wait_for("talks")
    second = installation.switch.call(SALES)
    second.wait_for("music")
    assert installation.rows("SELECT * FROM report.offers WHERE call_id = %s", second.call_id) == []
    first.hang_up()
    second.wait_for("talks", to="1001")
    second.hang_up()
    one, other = installation.report(first), installation.report(second)
    freed = one.call["ended_at"] + timedelta(seconds=WRAP_UP)
    waited = other.offers[0]["offered_at"] - freed
    assert timedelta(seconds=-1) < waited < timedelta(seconds=15), "the work after the call comes first"


def test_a_pause_wanted_in_a_talk_comes_true_after_it(installation: Installation) -> None:
    installation.on_duty("1001")
    installation.switch.phone("1001", answer=1, talk=None)
    began = installation.clock.now()
    caller = installation.switch.call(SALES)
    caller.wait_for("talks")
    installation.see("1001", work="talking")
    installation.choose("1001", "pause", "lunch")
    caller.wait_until(caller.now + 3)
    installation.see("1001", presence="ready", work="talking")
    caller.hang_up()
    installation.see("1001", presence="pause", reason="lunch", work="idle")
    installation.report(caller)

    def seen() -> None:
        states = installation.states("1001", began)
        assert ("ready", "talking", None) in states
        assert ("pause", "talking", "lunch") not in states
        assert states[-1] == ("pause", "idle", "lunch")

    eventually(seen)


def test_a_pause_while_idle_comes_true_at_once_and_keeps_calls_away(installation: Installation) -> None:
    installation.on_duty("1001")
    installation.choose("1001", "pause", "training")
    installation.see("1001", presence="pause", reason="training")
    caller = installation.switch.call(SALES)
    caller.wait_for("music")
    installation.choose("1001", "ready")
    caller.wait_for("talks", to="1001")
    caller.hang_up()
    assert installation.report(caller).offered == [("1001", "answered")]


def test_a_call_that_waits_is_released_when_the_last_agent_logs_out(installation: Installation) -> None:
    installation.on_duty(otherwise="offline")
    installation.on_duty("1002", otherwise="offline")
    installation.choose("1001", "pause")
    installation.see("1001", presence="pause")
    caller = installation.switch.call("5000", press="w1,1")
    caller.wait_for("music")
    installation.choose("1001", "offline")
    caller.hear("queue_no_agent")
    caller.hang_up()
    report = installation.report(caller)
    assert [entry["result"] for entry in report.entries] == ["no_agent"]
    assert report.call["status"] == "no_agent"


def test_an_agent_who_becomes_ready_in_the_work_after_a_call_is_free_at_once(installation: Installation) -> None:
    installation.on_duty("1001")
    caller = installation.switch.call(SALES)
    caller.wait_for("talks")
    caller.hang_up()
    installation.see("1001", work="wrap_up")
    installation.choose("1001", "ready")
    installation.see("1001", presence="ready", work="idle")
    installation.report(caller)
