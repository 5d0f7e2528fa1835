"""What the log looks like, whoever's words are in it."""

from __future__ import annotations

import io
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from conf import logs


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    before = structlog.get_config()
    logs.configure("info", stream)
    yield stream
    structlog.configure(**before)


def test_a_message_is_one_line_with_its_time_and_keys(written: io.StringIO) -> None:
    structlog.get_logger().info("call taken over", call="b5", number=3, caller="", cause=None, sure=True, path="a=b")
    [line] = written.getvalue().splitlines()
    stamp, _, rest = line.partition(" ")
    assert abs((datetime.now(UTC) - datetime.fromisoformat(stamp.removeprefix("timestamp="))).total_seconds()) < 60
    assert stamp.endswith("Z")
    assert rest == 'level=info event="call taken over" call=b5 number=3 caller= cause= sure=true path="a=b"'


def test_levels_below_are_left_out(written: io.StringIO) -> None:
    log = structlog.get_logger()
    log.debug("not wanted")
    log.warning("wanted")
    assert "not" not in written.getvalue()
    assert "level=warning event=wanted" in written.getvalue()


def test_a_fault_is_told_with_its_traceback_in_the_same_line(written: io.StringIO) -> None:
    log = structlog.get_logger()
    try:
        int("no number")
    except ValueError:
        log.exception("failed")
    [line] = written.getvalue().splitlines()
    assert "level=error event=failed" in line
    assert "Traceback (most recent call last)" in line
    assert "\\nValueError: invalid literal" in line


@given(st.text())
def test_no_value_leaves_its_line_or_says_anything_but_itself(text: str) -> None:
    line = logs.line(None, "info", {"level": "info", "event": "x", "caller": text, "after": 1})
    assert line.isprintable()
    _, _, _, caller, after = shlex.split(line.replace("'", "_").replace("#", "_"))
    assert after == "after=1"
    if text.isprintable():
        assert caller == "caller=" + text.replace("'", "_").replace("#", "_")
