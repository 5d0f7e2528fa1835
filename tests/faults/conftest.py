"""Installations to be broken. Most modules share one, as it takes longer to make one than to break it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from call.installation import environment

from tests.processes import left_running

from .crowd import Crowd
from .damaged import AT, SPEED, Damaged

Installing = Callable[..., AbstractContextManager[Damaged]]


@contextmanager
def installed(engines: int = 2, speed: float = SPEED, *, keep: bool = False) -> Iterator[Damaged]:
    home = Path(tempfile.mkdtemp(prefix="pointsman-test-"))
    # The embedded Postgres runs as somebody else where the tests run as root.
    home.chmod(0o755)
    wanted = environment(home) | {"POINTSMAN_ENGINES": str(engines)}
    damaged = Damaged(wanted, "--at", AT, "--speed", str(speed))
    try:
        damaged.furnish()
        yield damaged
    finally:
        code = damaged.end()
        left = left_running(damaged.home)
        if keep:
            print("kept:", home)
        else:
            shutil.rmtree(home, ignore_errors=True)
    assert code == 0
    assert left == []


@pytest.fixture(scope="package")
def damaged() -> Iterator[Damaged]:
    """An installation of two engine processes, ten times as fast as the wall, everybody at their desk."""
    with installed() as made:
        yield made


@pytest.fixture(scope="package")
def slower() -> Iterator[Damaged]:
    """Another, not so fast that callers lose their patience within a fault's seconds of the wall."""
    with installed(speed=5) as made:
        yield made


@pytest.fixture
def crowd(damaged: Damaged) -> Iterator[Crowd]:
    """Callers at many places, who hang up at the end."""
    made = Crowd(damaged)
    try:
        yield made
    finally:
        made.go_home()
    damaged.calm()
