"""Waiting for what comes about by itself."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import gevent

LONG_SECONDS = 45.0
"""How long tests wait for what must come, on a machine that has much else to do."""

T = TypeVar("T")


def until(condition: Callable[[], object], seconds: float = LONG_SECONDS) -> None:
    """Give the others their turns until `condition` holds; AssertionError where it does not within `seconds` of the wall."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came about"
        gevent.sleep(0.005)


def eventually(check: Callable[[], T], seconds: float = LONG_SECONDS) -> T:
    """What `check` returns as soon as it raises no AssertionError; after `seconds` of the wall its last one is raised."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return check()
        except AssertionError:
            if time.monotonic() > deadline:
                raise
        gevent.sleep(0.02)
