"""kill -9 of an engine process with calls at every place: FreeSWITCH hands them to the other one, which goes on where they
were. The callers hear a short gap, and each record is as if nothing had happened."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from call.callers import Caller
from call.report import Report

from engine.live import keys
from tests.waiting import eventually, until

from .damaged import AGENTS, BOX, CODE, NUMBERS, QUEUES, WRAP_UP, Damaged, gap, since

MOST_SECONDS = 2.0
"""What a caller may wait, of the wall's time, until the surviving process says something. It is some 50 ms on a machine
that has nothing else to do."""

TALK_SECONDS = 60.0


@dataclass
class Scene:
    """Calls that were at their places when their process was killed, and what became of them."""

    damaged: Damaged
    survivor: str
    calls: dict[str, Caller] = field(default_factory=dict)
    killed_at: dict[str, float] = field(default_factory=dict)
    """The clock's second of each call at which its process was killed."""

    def report(self, name: str) -> Report:
        caller = self.calls[name]
        if not caller.over:
            caller.wait_for("ended", 60)
        return self.damaged.report(caller)

    def gap(self, name: str) -> float:
        return gap(self.damaged, self.calls[name], self.killed_at[name])

    def heard_afterwards(self, name: str) -> list[str]:
        return [told["prompt"] for told in since(self.calls[name], self.killed_at[name]) if told["kind"] == "hears"]


def queue(damaged: Damaged, name: str, victim: str | None = None, **plan: object) -> Caller:
    number = NUMBERS[name]
    caller = damaged.switch.call(number, **plan) if victim is None else damaged.call_at(victim, number, **plan)
    caller.wait_for("music")
    return caller


@pytest.fixture(scope="module", params=["the router's leader", "another process"])
def scene(damaged: Damaged, request: pytest.FixtureRequest) -> Iterator[Scene]:
    processes = damaged.both_alive()
    leader = damaged.leader()
    victim = leader if request.param == "the router's leader" else next(p for p in processes if p != leader)
    survivor = next(process for process in processes if process != victim)
    scene = Scene(damaged, survivor)
    calls = scene.calls
    damaged.on_duty(AGENTS["red"], AGENTS["green"], AGENTS["white"])
    damaged.switch.phone(AGENTS["white"], answer=1, talk=None)
    calls["wrapped up"] = queue(damaged, "white", victim)
    calls["wrapped up"].wait_for("talks")
    damaged.switch.phone(AGENTS["red"], answer=1, talk=TALK_SECONDS)
    calls["talk"] = queue(damaged, "red", victim)
    calls["talk"].wait_for("talks")
    calls["first"] = queue(damaged, "blue")
    calls["middle"] = queue(damaged, "blue", victim)
    calls["last"] = queue(damaged, "blue")
    damaged.switch.phone(AGENTS["green"], ring=True)
    calls["ringing"] = queue(damaged, "green", victim)
    damaged.see(AGENTS["green"], work="offered", call_id=calls["ringing"].call_id)
    eventually(lambda: damaged.kept_of(calls["ringing"])["offer_id"] or pytest.fail("not yet"))
    calls["message"] = damaged.call_at(victim, BOX, speaks=30)
    calls["message"].wait_for("recording")
    calls["code"] = damaged.call_at(victim, CODE)
    calls["code"].hear("menu_main")
    calls["code"].press("12")
    calls["menu"] = damaged.call_at(victim, "5000")
    calls["menu"].hear("menu_main")
    calls["message"].wait_until(calls["message"].now + 2)
    calls["greeting"] = damaged.call_at(victim, "5000")
    calls["greeting"].hear("greeting_morning")
    calls["wrapped up"].hang_up()
    damaged.see(AGENTS["white"], work="wrap_up")
    pid = damaged.pid_of_engine(victim)
    # Taken before, as the survivor may be faster than this test.
    scene.killed_at = {name: caller.now for name, caller in calls.items()}
    damaged.send(signal.SIGKILL, pid)
    yield scene
    for caller in calls.values():
        if not caller.over:
            caller.hang_up()
    damaged.calm()
    damaged.both_alive()


def test_in_the_greeting_it_is_said_again_and_the_menu_follows(scene: Scene) -> None:
    caller = scene.calls["greeting"]
    caller.hear("menu_main")
    assert scene.gap("greeting") < MOST_SECONDS
    caller.press("3")
    caller.hear("menu_main")
    caller.hang_up()
    report = scene.report("greeting")
    assert (report.call["status"], report.call["ended_by"]) == ("self_service", "caller")
    assert [node for node, _ in report.way].count("good_morning") == 1
    assert scene.heard_afterwards("greeting")[0] == "greeting_morning"


def test_in_the_menu_it_is_said_again_and_takes_a_choice(
    scene: Scene, record_property: Callable[[str, object], None]
) -> None:
    caller = scene.calls["menu"]
    caller.hear("menu_main")
    record_property("killed_to_next_prompt_seconds", round(scene.gap("menu"), 3))
    assert scene.gap("menu") < MOST_SECONDS
    caller.press("9")
    caller.wait_for("recording")
    caller.wait_until(caller.now + 3)
    caller.hang_up()
    report = scene.report("menu")
    assert report.call["status"] == "voicemail"
    assert report.way == [
        ("doors", "open"),
        ("morning", "open"),
        ("good_morning", "next"),
        ("menu", "9"),
        ("message", "hung_up"),
    ]


def test_keys_pressed_before_count_with_those_pressed_afterwards(scene: Scene) -> None:
    caller = scene.calls["code"]
    caller.wait_until(scene.killed_at["code"] + 10)
    caller.press("34")
    caller.hear("voicemail_saved")
    caller.wait_for("ended")
    report = scene.report("code")
    assert report.way == [("code", "1234"), ("right", "done")]


def test_in_the_queue_everybody_keeps_their_place(scene: Scene, record_property: Callable[[str, object], None]) -> None:
    damaged = scene.damaged
    scene.calls["middle"].wait_for("music")
    record_property("killed_to_music_seconds", round(scene.gap("middle"), 3))
    assert scene.gap("middle") < MOST_SECONDS
    damaged.choose(AGENTS["blue"], "ready")
    reports = []
    for name in ("first", "middle", "last"):
        scene.calls[name].wait_for("talks", to=AGENTS["blue"])
        scene.calls[name].wait_for("left")
        reports.append(scene.report(name))
    answered = [next(part["started_at"] for part in report.segments if part["kind"] == "talk") for report in reports]
    assert answered == sorted(answered)
    for report in reports:
        (entry,) = report.entries
        assert (report.call["status"], entry["result"]) == ("answered", "answered")
        assert report.legs == ["ivr", "queue", "talk", "ivr"]
        assert report.offered == [(AGENTS["blue"], "answered")]
    assert reports[1].call["wait_seconds"] > reports[0].call["wait_seconds"] - 1


def test_while_an_agents_phone_rings_it_stops_and_they_are_offered_the_call_again(scene: Scene) -> None:
    damaged, caller = scene.damaged, scene.calls["ringing"]
    caller.wait_for("music")
    assert scene.gap("ringing") < MOST_SECONDS

    def picked_up() -> None:
        rung = [each["uuid"] for each in damaged.switch.channels() if each["direction"] == "outbound"]
        ringing = set(rung) & {damaged.kept_of(caller)["offer_id"]}
        assert ringing, rung
        damaged.switch.api(f"uuid_answer {ringing.pop()}")

    eventually(picked_up)
    caller.wait_for("talks", to=AGENTS["green"])
    caller.wait_for("left")
    report = scene.report("ringing")
    assert report.offered == [(AGENTS["green"], "failed"), (AGENTS["green"], "answered")]
    assert report.call["status"] == "answered"
    assert len(report.entries) == 1


def test_a_talk_goes_on_and_its_record_is_full(scene: Scene) -> None:
    caller = scene.calls["talk"]
    left = caller.wait_for("left", who=AGENTS["red"], seconds=30)
    caller.wait_for("ended")
    report = scene.report("talk")
    began = next(told["at"] for told in caller.story if told["kind"] == "talks")
    assert left["at"] - began == pytest.approx(TALK_SECONDS, abs=3)
    assert (report.call["status"], report.call["ended_by"], report.call["agent"]) == ("answered", "agent", "Agent 3")
    assert report.legs == ["ivr", "queue", "talk", "ivr"]
    assert float(report.call["talk_seconds"]) == pytest.approx(TALK_SECONDS, abs=4)
    (recording,) = report.recordings
    assert float(recording["seconds"]) == pytest.approx(TALK_SECONDS, abs=4)
    assert report.call["recording_id"] == recording["id"]
    scene.damaged.see(AGENTS["red"], presence="ready", work="idle")


def test_what_was_said_into_a_message_is_kept(scene: Scene) -> None:
    report = scene.report("message")
    (message,) = report.messages
    assert report.call["status"] == "voicemail"
    said = scene.killed_at["message"] - next(
        told["at"] for told in scene.calls["message"].story if told["kind"] == "recording"
    )
    # The recording goes on while nobody steers it, so nothing that was said before or after is missing.
    assert float(message["seconds"]) >= said
    assert (scene.damaged.home / "recordings" / message["path"]).exists()


def test_the_work_after_a_call_lasts_as_long_as_it_should(scene: Scene) -> None:
    damaged = scene.damaged

    def written_up() -> None:
        report = damaged.report(scene.calls["wrapped up"])
        assert report.call["status"] == "answered"
        assert "wrap_up" in report.beside, report.beside
        assert float(report.call["wrap_up_seconds"]) == pytest.approx(WRAP_UP, abs=2.5)
        assert len(report.recordings) == 1

    eventually(written_up)
    damaged.see(AGENTS["white"], presence="ready", work="idle")


def test_no_agent_had_two_calls_at_once(scene: Scene) -> None:
    for caller in scene.calls.values():
        if not caller.over:
            caller.wait_for("ended", 40)
    scene.damaged.every_call_has_one_row(list(scene.calls.values()))
    assert scene.damaged.offers_overlap() == []
    assert QUEUES


@pytest.mark.parametrize("ends", ["by the agent", "by the caller"])
def test_a_talk_whose_end_was_told_already_ended_then(damaged: Damaged, ends: str) -> None:
    """The process dies between telling the router, which gives the agent other calls from then on, and writing the end down."""
    damaged.both_alive()
    extension = AGENTS["white"]
    damaged.switch.phone(extension, answer=1, talk=None)
    damaged.on_duty(extension)
    caller = queue(damaged, "white")
    caller.wait_for("talks")
    damaged.see(extension, work="talking", call_id=caller.call_id)
    caller.wait_until(caller.now + 5)
    damaged.kill(damaged.owner(caller))
    kept = damaged.kept_of(caller)
    parted_at = datetime.fromisoformat(kept["since"]) + timedelta(seconds=3)
    damaged.redis.hset(keys.CALLS, caller.call_id, json.dumps(kept | {"parted_at": parted_at.isoformat()}))
    if ends == "by the agent":
        damaged.switch.api(f"uuid_kill {kept['offer_id']}")
        caller.wait_for("ended")
    else:
        caller.hang_up()
    report = damaged.report(caller)
    assert report.legs == ["ivr", "queue", "talk", "ivr"]
    assert (report.call["status"], float(report.call["talk_seconds"])) == ("answered", 3.0)
    (recording,) = report.recordings
    assert float(recording["seconds"]) > 0
    damaged.see(extension, work="idle")
    damaged.both_alive()


def test_a_talk_that_nobody_had_told_of_began_when_the_agent_answered(damaged: Damaged) -> None:
    """The process dies after the agent has answered and before it has heard of it, and the talk goes on for long."""
    damaged.both_alive()
    extension = AGENTS["white"]
    damaged.switch.phone(extension, ring=True, talk=None)
    damaged.on_duty(extension)
    caller = queue(damaged, "white")
    damaged.see(extension, work="offered", call_id=caller.call_id)
    pid = damaged.pid_of_engine(damaged.owner(caller))
    caller.wait_until(caller.now + 5)
    leg = damaged.kept_of(caller)["offer_id"]
    damaged.send(signal.SIGSTOP, pid)
    damaged.switch.api(f"uuid_answer {leg}")
    talks = caller.wait_for("talks")
    damaged.send(signal.SIGKILL, pid)
    until(lambda: damaged.kept_of(caller)["state"] == "talk")
    caller.wait_until(talks["at"] + 30)
    caller.hang_up()
    report = damaged.report(caller)
    assert report.legs == ["ivr", "queue", "talk"]
    waited = talks["at"] - next(told["at"] for told in caller.story if told["kind"] == "music")
    assert float(report.call["wait_seconds"]) == pytest.approx(waited, abs=0.5)
    assert (report.call["status"], report.call["agent"]) == ("answered", "Agent 4")
    damaged.see(extension, work="idle")
    damaged.both_alive()
