"""The switch dies and comes back with another Core-UUID: its calls are over and closed with their cause, the agents are free,
new calls work. And the whole installation dies, and is started again."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from call.installation import environment

from tests.processes import left_running
from tests.waiting import eventually

from .crowd import Crowd
from .damaged import AGENTS, AT, NUMBERS, SPEED, Damaged

CLOSED_SECONDS = 8.0
"""By the wall, from the death of the switch till all its calls are closed and all agents free."""

BEGUN_SECONDS = 90.0
"""By the wall, from the start of a new installation till it has put everything in order that the killed one left. It is some
five on a machine that has nothing else to do."""


def closed(damaged: Damaged, crowd: Crowd) -> None:
    """Every call that was cut off is closed, with its cause, and has one row."""
    for caller in crowd.callers:
        caller.story.append({"kind": "ended", "at": caller.now})
        report = damaged.report(caller)
        call = report.call
        assert call["ended_by"] == "system", report
        assert call["hangup_cause"] == "NETWORK_OUT_OF_ORDER", report
    statuses = {
        crowd.menu: "network",
        crowd.first: "network",
        crowd.second: "network",
        crowd.ringing: "network",
        crowd.talk: "answered",
        # The virtual switch writes its files at their end, so what was recorded dies with it.
        crowd.message: "network",
    }
    for caller, status in statuses.items():
        assert damaged.report(caller).call["status"] == status, damaged.report(caller)
    for caller in (crowd.first, crowd.second, crowd.ringing):
        (entry,) = damaged.report(caller).entries
        assert entry["result"] == "failed"


def a_call_works(damaged: Damaged) -> None:
    damaged.switch.phone(AGENTS["white"], answer=1, talk=5)
    damaged.on_duty(AGENTS["white"])
    caller = damaged.switch.call(NUMBERS["white"])
    caller.wait_for("talks", to=AGENTS["white"])
    caller.wait_for("left")
    caller.wait_for("ended")
    assert damaged.report(caller).call["status"] == "answered"
    damaged.calm()


def test_the_switch_killed(damaged: Damaged, record_property: Callable[[str, object], None]) -> None:
    crowd = Crowd(damaged)
    began = time.monotonic()
    damaged.killed("switch")
    damaged.new_switchboard()
    for name in ("red", "green"):
        damaged.see(AGENTS[name], presence="ready", work="idle", seconds=CLOSED_SECONDS)
    eventually(lambda: damaged.check_nothing_left(), CLOSED_SECONDS)
    record_property("killed_to_closed_seconds", round(time.monotonic() - began, 1))
    closed(damaged, crowd)
    a_call_works(damaged)


@pytest.fixture
def home() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="pointsman-test-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.mark.timeout(300)
def test_pointsman_up_killed_and_started_again(home: Path) -> None:
    """Two installations are made for it, one after the other, which takes a busy machine a while."""
    settings = environment(home)
    damaged = Damaged(settings, "--at", AT, "--speed", str(SPEED))
    try:
        damaged.furnish()
        crowd = Crowd(damaged)
    finally:
        os.kill(damaged.process.pid, signal.SIGKILL)
        damaged.process.wait()
        damaged.let_go()
    again = Damaged(settings, "--at", AT.replace("T10", "T11"), "--speed", str(SPEED))
    try:
        again.calm(BEGUN_SECONDS)
        for caller in crowd.callers:
            caller.story.append({"kind": "ended", "at": caller.now})
            again.report(caller, BEGUN_SECONDS)
        assert again.value("SELECT count(*) FROM report.calls") == len(crowd.callers)
        a_call_works(again)
    finally:
        code = again.end()
    assert code == 0
    assert left_running(again.home) == []
