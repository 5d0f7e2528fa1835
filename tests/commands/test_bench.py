"""`pointsman bench`: a throw-away installation is measured and leaves nothing behind."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


def bench(*arguments: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "conf.cli", "bench", *arguments],
        capture_output=True,
        text=True,
        timeout=220,
        check=False,
        env={**os.environ, **({} if folder is None else {"TMPDIR": str(folder)})},
    )


@pytest.fixture
def folder() -> Iterator[Path]:
    """For temporary files, one that also an unprivileged Postgres may pass through."""
    made = Path(tempfile.mkdtemp(prefix="pointsman-test-"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made, ignore_errors=True)


def test_a_small_load_is_held_and_every_call_has_its_record(folder: Path) -> None:
    done = bench("--rate", "15", "--seconds", "4", "--held", "20", "--json", folder=folder)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    outcome, records = found["outcome"], found["records"]
    assert outcome["offered"] == outcome["served"] == records["calls"] > 30
    assert outcome["failed"] == {}
    assert (records["lost"], records["doubled"], outcome["rung_twice"]) == (0, 0, 0)
    assert records["statuses"] == {"answered": records["calls"]}
    assert found["engine_ms"] > 0
    assert found["redis_ms"] > 0
    assert found["postgres_ms"] > 0
    assert found["held"]["calls"] == 20
    assert found["held"]["bytes_a_call"] < 500_000
    assert list(folder.iterdir()) == []


def test_an_address_that_is_none_is_refused_in_one_line() -> None:
    done = bench("--engine", "nowhere")
    assert done.returncode == 2
    assert "--engine" in done.stderr
