"""`pointsman up` as its users see it: ready, calls, kills survived, ended in order, and its data found again."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil
import psycopg2
import pytest

from tests.ports import free_port
from tests.processes import left_running
from tests.waiting import until

PASSWORD = "a password for tests"


@dataclass
class Running:
    process: subprocess.Popen[str]
    environment: dict[str, str]
    ready: str

    @property
    def home(self) -> Path:
        return Path(self.environment["POINTSMAN_HOME"])

    @property
    def installation(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.home / "run" / "installation.json").read_text())
        return found

    def children(self) -> dict[str, int]:
        return {
            name: each["pid"] for name, each in json.loads((self.home / "run" / "children.json").read_text()).items()
        }

    def query(self, statement: str) -> Any:
        connection = psycopg2.connect(self.installation["database_url"], connect_timeout=5)
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchone()
        finally:
            connection.close()

    def healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://{self.environment['POINTSMAN_HTTP']}/healthz", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "conf.cli", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)


def start(environment: dict[str, str]) -> Running:
    process = subprocess.Popen(
        [sys.executable, "-m", "conf.cli", "up"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    ready = process.stdout.readline().strip()
    if not ready:
        pytest.fail(f"it did not come up: {process.stderr.read()}")
    return Running(process, environment, ready)


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    home = Path(tempfile.mkdtemp(prefix="pointsman-test-"))
    home.chmod(0o755)
    ports = {f"POINTSMAN_{name}": f"127.0.0.1:{free_port()}" for name in ("HTTP", "ESL", "CONTROL", "SIP")}
    yield (
        os.environ
        | ports
        | {
            "POINTSMAN_HOME": str(home),
            "POINTSMAN_FREESWITCH": "virtual",
            "POINTSMAN_ENGINES": "2",
            "POINTSMAN_ADMIN_PASSWORD": PASSWORD,
        }
    )
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="module")
def running(environment: dict[str, str]) -> Iterator[Running]:
    made = start(environment)
    yield made
    if made.process.poll() is None:
        made.end()
    assert left_running(made.home) == []


def test_the_ready_line_names_what_others_need(running: Running) -> None:
    named = running.environment
    assert running.ready == f"ready admin=http://{named['POINTSMAN_HTTP']} esl={named['POINTSMAN_ESL']} switch=virtual"
    assert running.healthy()


def test_what_was_written_for_other_commands_is_private(running: Running) -> None:
    for path in (running.home / "run" / "installation.json", running.home / "secrets", running.home / "log"):
        assert path.stat().st_mode & 0o077 == 0
    for process in psutil.process_iter(["cmdline"]):
        assert running.installation["password"] not in " ".join(process.info["cmdline"] or [])


def test_the_doctor_finds_all_well(running: Running) -> None:
    done = running.run("doctor")
    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines()[-1] == "all is well"


def test_the_doctor_finds_parts_that_run_by_themselves(running: Running, tmp_path: Path) -> None:
    urls = {f"POINTSMAN_{name.upper()}": running.installation[name] for name in ("database_url", "redis_url", "http")}
    apart = replace(running, environment=running.environment | urls | {"POINTSMAN_HOME": str(tmp_path)})
    done = apart.run("doctor")
    assert f"ok    installation: answers on {running.installation['http']}" in done.stdout.splitlines()


def test_a_second_start_in_the_same_home_is_refused(running: Running) -> None:
    done = running.run("up")
    assert done.returncode == 1
    assert "runs in" in done.stderr.splitlines()[-1]
    assert running.healthy()


@pytest.mark.parametrize("name", ["postgres", "redis", "engine-1", "switch", "admin"])
def test_a_part_that_is_killed_comes_back(running: Running, name: str) -> None:
    before = running.children()[name]
    os.kill(before, signal.SIGKILL)
    until(lambda: running.children()[name] != before)
    until(running.healthy)


def test_the_end_is_in_order_and_the_data_is_found_again(running: Running, environment: dict[str, str]) -> None:
    accounts = running.query("SELECT count(*) FROM account")
    url = running.installation["database_url"]
    assert running.end() == 0
    assert left_running(running.home) == []
    assert not (running.home / "run" / "installation.json").exists()
    again = start(environment)
    try:
        assert again.installation["database_url"] == url
        assert again.query("SELECT count(*) FROM account") == accounts
    finally:
        assert again.end() == 0


def test_children_end_with_a_supervisor_that_is_killed(environment: dict[str, str]) -> None:
    running = start(environment)
    running.process.kill()
    running.process.wait()
    until(lambda: left_running(running.home) == [])
    again = start(environment)
    assert again.end() == 0
    assert left_running(running.home) == []
