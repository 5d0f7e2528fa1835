"""`pointsman admin` as a process: it answers, it ends in order, and it says why where it cannot start."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sample_company import Company

from tests.ports import free_port
from tests.waiting import until

ROOT = Path(__file__).parent.parent.parent


def environment(company: Company, port: int, **more: str) -> dict[str, str]:
    settings = company.parts.settings
    return {name: value for name, value in os.environ.items() if not name.startswith("POINTSMAN_")} | {
        "POINTSMAN_HOME": str(settings.home),
        "POINTSMAN_DATABASE_URL": settings.database_url or "",
        "POINTSMAN_REDIS_URL": settings.redis_url or "",
        "POINTSMAN_HTTP": f"127.0.0.1:{port}",
    } | more  # fmt: skip


@contextmanager
def running(company: Company, port: int, **more: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "conf.cli", "admin"], cwd=ROOT, env=environment(company, port, **more),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def answers(port: int) -> bool:
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", "/healthz")
        return connection.getresponse().status in (200, 503)
    except OSError:
        return False


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_answers_and_ends_in_order_also_with_pages_open(
    company: Company, visit: Any, number: signal.Signals
) -> None:
    port = free_port()
    anna = visit("anna")
    # The session was made for the usual port; a cookie goes by the port's name.
    cookies = {cookie.key: cookie.value for cookie in anna.client._cookies.values()}
    session = f"pointsman_{port}={cookies['pointsman_8080']}"
    with running(company, port) as process:
        until(lambda: answers(port))
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request("GET", "/stream?board=1", headers={"Cookie": session})
        stream = connection.getresponse()
        assert stream.status == 200
        assert stream.readline() == b"retry: 2000\n"
        process.send_signal(number)
        assert process.wait(timeout=20) == 0
        while stream.readline():
            pass
        connection.close()
        assert process.stdout
        assert "admin has ended" in process.stdout.read()


def test_a_port_in_use_is_one_clear_line(company: Company) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        port = taken.getsockname()[1]
        with running(company, port) as process:
            said, _ = process.communicate(timeout=40)
    assert process.returncode == 1
    assert (
        said
        == f"pointsman: POINTSMAN_HTTP: 127.0.0.1:{port} cannot be had (Address already in use); set another port\n"
    )


def test_without_an_installation_it_says_what_to_do(company: Company, tmp_path: Path) -> None:
    with running(company, free_port(), POINTSMAN_DATABASE_URL="", POINTSMAN_HOME=str(tmp_path)) as process:
        said, _ = process.communicate(timeout=40)
    assert process.returncode == 1
    assert "pointsman up" in said
    assert "Traceback" not in said
