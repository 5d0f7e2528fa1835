"""`pointsman up` where it cannot come up: one clear line, exit code 1, nothing left running."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.processes import left_running


@pytest.fixture
def home() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="pointsman-test-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


def environment(home: Path, **settings: str) -> dict[str, str]:
    ports = {f"POINTSMAN_{name}": f"127.0.0.1:{free_port()}" for name in ("HTTP", "ESL", "CONTROL", "SIP")}
    named = {f"POINTSMAN_{name}": value for name, value in settings.items()}
    return os.environ | ports | {"POINTSMAN_HOME": str(home), "POINTSMAN_FREESWITCH": "virtual"} | named


def up(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "conf.cli", "up", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def assert_one_clear_line(done: subprocess.CompletedProcess[str], home: Path, *words: str) -> None:
    assert done.returncode == 1, done.stderr
    assert done.stdout == ""
    last = done.stderr.splitlines()[-1]
    assert last.startswith("pointsman: ")
    for word in words:
        assert word in last
    assert "Traceback" not in done.stderr
    assert left_running(home) == []


@pytest.mark.parametrize("name", ["HTTP", "ESL", "CONTROL"])
def test_a_port_in_use_is_named_with_its_setting(home: Path, name: str) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen(1)
        taken = f"127.0.0.1:{other.getsockname()[1]}"
        assert_one_clear_line(up(environment(home, **{name: taken})), home, taken, f"POINTSMAN_{name}", "in use")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"DATABASE_URL": "postgresql://a:secret@127.0.0.1:1/x"}, ["POINTSMAN_DATABASE_URL", "127.0.0.1:1"]),
        ({"DATABASE_URL": "nonsense"}, ["POINTSMAN_DATABASE_URL"]),
        ({"HTTP": "8080"}, ["POINTSMAN_HTTP", "HOST:PORT"]),
        ({"HTTP": "203.0.113.9:8080"}, ["POINTSMAN_HTTP"]),
        ({"FREESWITCH": "/no/such/freeswitch"}, ["POINTSMAN_FREESWITCH"]),
        ({"TIMEZONE": "Mars/Olympus"}, ["POINTSMAN_TIMEZONE"]),
        ({"ENGINES": "0"}, ["POINTSMAN_ENGINES"]),
    ],
)
def test_a_wrong_setting_is_named(home: Path, settings: dict[str, str], words: list[str]) -> None:
    done = up(environment(home, **settings))
    assert_one_clear_line(done, home, *words)
    assert "secret" not in done.stderr


def test_a_wrong_redis_is_named_and_postgres_is_ended_again(home: Path) -> None:
    done = up(environment(home, REDIS_URL=f"redis://127.0.0.1:{free_port()}/0"))
    assert_one_clear_line(done, home, "POINTSMAN_REDIS_URL")


def test_a_home_that_cannot_be_made_is_named(home: Path) -> None:
    (home / "file").write_text("")
    assert_one_clear_line(up(environment(home / "file" / "var")), home, str(home / "file" / "var"))


def test_a_clock_of_one_s_own_needs_the_virtual_switch(home: Path) -> None:
    done = up(environment(home, FREESWITCH="127.0.0.1:8021"), "--speed", "10")
    assert_one_clear_line(done, home, "virtual")
    assert_one_clear_line(up(environment(home), "--at", "Christmas"), home, "--at", "2026-12-25")
