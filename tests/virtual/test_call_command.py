"""`pointsman switch` and `pointsman call`, as a user runs them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from conf.clock import Clock
from conf.installation import Installation, write
from tests.ports import free_port

COMMAND = [sys.executable, "-m", "conf.cli"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home folder with a virtual switch running and no engine, so a caller hears the apology."""
    home = Path(tmp_path_factory.mktemp("home"))
    control = f"127.0.0.1:{free_port()}"
    clock = str(Clock.starting(None, 20))
    environment = os.environ | {
        "POINTSMAN_HOME": str(home),
        "POINTSMAN_CONTROL": control,
        "POINTSMAN_ESL": f"127.0.0.1:{free_port()}",
        "POINTSMAN_FREESWITCH_PASSWORD": "secret",
        "POINTSMAN_CLOCK": clock,
    }
    process = subprocess.Popen([*COMMAND, "switch"], env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline().startswith("ready ")
    unused = "127.0.0.1:1"
    write(
        home,
        Installation(os.getpid(), "", "", unused, unused, control, "secret", "virtual", clock=clock),
    )
    yield home
    process.terminate()
    assert process.wait(10) == 0


def call(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"POINTSMAN_HOME": str(home)}
    return subprocess.run([*COMMAND, "call", *arguments], env=environment, capture_output=True, text=True, timeout=60)


def test_a_call_is_told_in_lines(home: Path) -> None:
    # However fast the clock is, an engine is waited for as long as one takes to be started.
    done = call(home, "5000", "--from", "+4570123456", "--hang-up-after", "600")
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr
    assert lines[0] == "  0:00.0  calling 5000 from +4570123456"
    assert any("answered" in each for each in lines)
    assert any("hears" in each and "(technical_fault)" in each for each in lines)
    assert lines[-1].endswith("NORMAL_TEMPORARY_FAILURE")


def test_control_c_hangs_up(home: Path) -> None:
    environment = os.environ | {"POINTSMAN_HOME": str(home)}
    process = subprocess.Popen(
        [*COMMAND, "call", "5000"],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        # As a terminal starts it; what runs these tests may have the signal ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert process.stdout is not None
    assert "calling" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=20)
    assert rest.splitlines()[-1].endswith("not answered  ORIGINATOR_CANCEL")


def test_a_call_is_told_in_json(home: Path) -> None:
    done = call(home, "5000", "--json", "--hang-up-after", "1.5")
    told = [json.loads(each) for each in done.stdout.splitlines()]
    assert told[0]["kind"] == "calling"
    assert (told[-1]["kind"], told[-1]["by"], told[-1]["cause"]) == ("ended", "caller", "ORIGINATOR_CANCEL")
    assert done.returncode == 1, "it was never answered"


def test_what_cannot_be_called_is_said_in_one_line(home: Path, tmp_path: Path) -> None:
    nowhere = call(tmp_path, "5000")
    assert nowhere.returncode == 1
    assert nowhere.stderr.count("\n") == 1
    assert "pointsman up" in nowhere.stderr
    wrong = call(home, "5 000")
    assert wrong.returncode == 1
    assert "5 000" in wrong.stderr
    assert call(home, "5000", "--press", "1,x").returncode == 2


def test_on_a_real_freeswitch_it_says_to_use_a_telephone(tmp_path: Path) -> None:
    unused = "127.0.0.1:1"
    write(tmp_path, Installation(os.getpid(), "", "", unused, unused, unused, "x", "freeswitch", sip="192.0.2.7:5060"))
    done = call(tmp_path, "5000")
    assert done.returncode == 1
    assert "192.0.2.7:5060" in done.stderr
    assert done.stderr.count("\n") == 1
