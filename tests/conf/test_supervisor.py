"""The supervisor: what ends is started again, what is ended stays ended, and one alone holds a home folder."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from conf.children import ChildBroken, ChildSpec, started_at
from conf.supervisor import AlreadyRunning, ChildEnded, Supervisor
from tests.waiting import until


class Said(list[str]):
    def __call__(self, text: str) -> None:
        self.append(text)


@pytest.fixture
def said() -> Said:
    return Said()


@pytest.fixture
def supervisor(tmp_path: Path, said: Said) -> Iterator[Supervisor]:
    made = Supervisor(tmp_path, said)
    yield made
    made.stop(*made.names())
    made.close()


def shell(name: str, script: str, **more: object) -> ChildSpec:
    return ChildSpec(name, ("/bin/sh", "-c", script), **more)  # type: ignore[arg-type]


def test_a_child_that_is_killed_is_started_again(supervisor: Supervisor, said: Said) -> None:
    prepared: list[int] = []
    first = supervisor.start(ChildSpec("sleeper", ("/bin/sleep", "600")), before=lambda: prepared.append(1))
    supervisor.hold()
    os.kill(first.pid, signal.SIGKILL)
    until(lambda: supervisor.runs("sleeper") == 2)
    assert prepared == [1], "what a fresh run needs was done once, before it"
    assert "sleeper has ended (killed by SIGKILL)" in said[0]


def test_a_child_that_ends_while_all_comes_up_is_a_fault_with_its_last_words(supervisor: Supervisor) -> None:
    child = supervisor.start(shell("broken", "echo pointsman: the disk is full >&2; exit 3"))
    child.wait(40)
    with pytest.raises(ChildEnded, match="broken ended at once: the disk is full"):
        supervisor.hold()


def test_ended_children_stay_ended_and_stubborn_ones_are_killed(supervisor: Supervisor) -> None:
    gentle = supervisor.start(ChildSpec("gentle", ("/bin/sleep", "600")))
    marker = supervisor.home / "deaf"
    deaf = supervisor.start(shell("deaf", f'trap "" TERM; : > {marker}; while :; do sleep 0.1; done', stop_seconds=0.3))
    until(marker.exists)
    supervisor.hold()
    supervisor.stop("gentle", "deaf")
    assert gentle.exit_code == -signal.SIGTERM
    assert deaf.exit_code == -signal.SIGKILL
    assert supervisor.names() == []


def test_a_program_that_is_not_there_is_named(supervisor: Supervisor) -> None:
    with pytest.raises(ChildBroken, match="/no/such/program"):
        supervisor.start(ChildSpec("missing", ("/no/such/program",)))


def test_one_home_has_one_supervisor(supervisor: Supervisor, said: Said) -> None:
    with pytest.raises(AlreadyRunning, match="POINTSMAN_HOME"):
        Supervisor(supervisor.home, said)


def test_what_a_killed_supervisor_left_is_ended_by_the_next(tmp_path: Path, said: Said) -> None:
    # A child that takes its time to end outlives its killed supervisor for a moment; the next one must not trip over it.
    reader, writer = os.pipe()
    first = os.fork()
    if first == 0:
        supervisor = Supervisor(tmp_path, said)
        marker = tmp_path / "deaf"
        child = supervisor.start(
            shell("deaf", f'trap "" TERM; : > {marker}; while :; do sleep 0.1; done', stop_seconds=0.3)
        )
        until(marker.exists)
        os.write(writer, str(child.pid).encode())
        os.kill(os.getpid(), signal.SIGKILL)
    os.close(writer)
    pid = int(os.read(reader, 32))
    os.close(reader)
    os.waitpid(first, 0)
    assert started_at(pid) is not None
    second = Supervisor(tmp_path, said)
    assert started_at(pid) is None
    second.close()


def test_logs_are_for_the_owner_alone_and_put_aside_when_long(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    from conf import children

    child = supervisor.start(shell("talker", "echo one line"))
    child.wait(40)
    log = supervisor.log_of("talker")
    assert log.read_text() == "one line\n"
    assert log.stat().st_mode & 0o077 == 0
    monkeypatch.setattr(children, "LOG_BYTES", 5)
    children.rotate(log)
    assert log.read_text() == ""
    assert log.with_name("talker.log.1").read_text() == "one line\n"
