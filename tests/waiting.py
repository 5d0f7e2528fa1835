"""Waiting for what comes about by itself."""

from __future__ import annotations

import time
from collections.abc import Callable

import gevent


def until(condition: Callable[[], object], seconds: float = 40.0) -> None:
    """Give the others their turns until `condition` holds; AssertionError where it does not within `seconds` of the wall."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came about"
        gevent.sleep(0.005)
