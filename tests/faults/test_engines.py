"""Engine processes that end, are stopped for a while, or die all at once."""

from __future__ import annotations

import json
import re
import signal
import time
from collections.abc import Callable

from engine.process import OVERSLEPT_SECONDS
from tests.waiting import until

from .crowd import Crowd
from .damaged import AGENTS, NUMBERS, Damaged, gap

SILENCE_SECONDS = 20.0
"""By the wall, from the death of all engines to the next prompt. It is some three on a machine that has nothing else to do."""


def test_one_that_is_told_to_end_hands_its_calls_over(damaged: Damaged, crowd: Crowd) -> None:
    """As an upgrade does it. Its calls go on with the other one at once, and it ends in order."""
    one, _ = damaged.both_alive()
    damaged.choose(AGENTS["white"], "ready")
    damaged.switch.phone(AGENTS["white"], answer=0.5, talk=1)
    calls = [damaged.switch.call(NUMBERS["white"]) for _ in range(3)]
    crowd.choose()
    ending = damaged.pid_of_engine(one)
    name = next(each["name"] for each in damaged.engines() if each["id"] == one)
    damaged.send(signal.SIGTERM, ending)
    calls += [damaged.switch.call(NUMBERS["white"]) for _ in range(3)]
    until(lambda: damaged.children()[name] != ending, 30)
    assert f"{name} has ended (exit code 0)" in (damaged.home / "log" / "up.log").read_text()
    crowd.finish()
    for caller in calls:
        caller.wait_for("ended", 60)
        assert damaged.report(caller).call["status"] == "answered"
    damaged.both_alive()


def test_all_of_them_killed_at_once(
    damaged: Damaged, crowd: Crowd, record_property: Callable[[str, object], None]
) -> None:
    """The callers wait in silence till the supervisor has started others, and then go on where they were."""
    damaged.kill(*damaged.both_alive())
    at = crowd.now()
    crowd.menu.hear("menu_main")
    crowd.first.wait_for("music")
    crowd.ringing.wait_for("music")
    silence = gap(damaged, crowd.menu, at[crowd.menu])
    record_property("all_killed_to_next_prompt_seconds", round(silence, 3))
    assert silence < SILENCE_SECONDS
    crowd.finish()
    damaged.both_alive()


def test_one_that_is_stopped_for_a_while_does_no_harm_when_it_goes_on(damaged: Damaged, crowd: Crowd) -> None:
    """Its calls are given to the other one, and what it did for them before counts no more."""
    one = damaged.owner(crowd.first)
    (other,) = (each for each in damaged.both_alive() if each != one)
    # A talk and a message go on by themselves and are given to somebody when they are over.
    crowd.choose()
    waiting = [crowd.first, crowd.second, crowd.ringing]
    mine = [caller for caller in waiting if damaged.owner(caller) == one]
    pid = damaged.pid_of_engine(one)
    name = next(each["name"] for each in damaged.engines() if each["id"] == one)
    log = damaged.home / "log" / f"{name}.log"
    written = log.stat().st_size
    stopped_at = damaged.send(signal.SIGSTOP, pid)
    try:
        until(lambda: time.monotonic() - stopped_at > OVERSLEPT_SECONDS)
        for caller in mine:
            until(lambda caller=caller: json.loads(damaged.redis.hget("calls", caller.call_id))["owner"] == other)
    finally:
        left = damaged.unaccepted()
        damaged.send(signal.SIGCONT, pid)
    until(lambda: b"overslept, calls let go" in log.read_bytes()[written:])
    # What was brought to it while it stood still it takes now, and is then the one to be believed.
    ways = re.compile(rb'event=call_gone_at_once |event="call taken over" ')
    until(lambda: len(ways.findall(log.read_bytes()[written:])) >= left)
    for caller in waiting:
        # Both processes hear it.
        caller.press("5")
    for caller in waiting:
        until(lambda caller=caller: damaged.owner_in_queue(caller) in (None, damaged.owner(caller)))
    crowd.finish()
    damaged.both_alive()


def test_who_hangs_up_before_any_engine_has_the_call_has_a_row(damaged: Damaged) -> None:
    """Gone within milliseconds; gone while the engines answer nothing, and one of them never again."""
    one, other = damaged.both_alive()
    pids = [damaged.pid_of_engine(each) for each in (one, other)]
    soon = (0.01, 0.05, 0.1, 0.2, 0.4)
    quick = [damaged.switch.call("5000", hang_up_after=after) for after in soon for _ in range(4)]
    for caller in quick:
        caller.wait_for("ended")
    damaged.send(signal.SIGSTOP, *pids)
    try:
        late = [damaged.switch.call("5000", caller=f"+4520{number:06}") for number in range(8)]
        for caller in late:
            caller.hang_up()
    finally:
        damaged.send(signal.SIGKILL, pids[0])
        damaged.send(signal.SIGCONT, pids[1])
    for caller in (*quick, *late):
        report = damaged.report(caller)
        assert (report.call["status"], report.call["ended_by"]) == ("abandoned_ivr", "caller")
        assert (report.legs, report.call["direction"]) == (["ivr"], "inbound")
        assert float(report.call["total_seconds"]) < 30
    calls = [damaged.report(caller).call for caller in late]
    assert {call["hangup_cause"] for call in calls} == {"ORIGINATOR_CANCEL"}
    assert [call["caller_number"] for call in calls] == [f"+4520{number:06}" for number in range(len(late))]
    written = [line for log in (damaged.home / "log").glob("engine-*.log") for line in log.read_text().splitlines()]
    written = [line for line in written if "call that nobody took" in line]
    assert len(written) >= len(late)
    assert len(written) == len({line.split("call=")[-1].split()[0] for line in written}), "each by one process"
    damaged.both_alive()
    damaged.calm()
