"""Commands beside a running installation, and parts run alone: whose settings hold."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from click.testing import CliRunner

from conf import installation
from conf.settings import load
from engine.commands.switch import switch

URLS = {"database_url": "postgresql:///x", "redis_url": "redis://x"}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder that the environment names and in which an installation runs, whose shell is of another zone."""
    for name in [name for name in os.environ if name.startswith("POINTSMAN_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("POINTSMAN_HOME", str(tmp_path))
    monkeypatch.setenv("TZ", "America/New_York")
    running = installation.Installation(
        pid=os.getpid(), http="127.0.0.1:1", esl="127.0.0.1:2", control="127.0.0.1:3", password="", switch="virtual",
        timezone="Europe/Copenhagen", **URLS,
    )  # fmt: skip
    installation.write(tmp_path, running)
    return tmp_path


def test_the_running_installations_zone_holds_where_none_is_set(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load().timezone == "America/New_York"
    assert installation.complete(load()).zone.key == "Europe/Copenhagen"
    (home / "pointsman.toml").write_text('timezone = "Asia/Tokyo"\n')
    assert installation.complete(load()).timezone == "Asia/Tokyo"
    monkeypatch.setenv("POINTSMAN_TIMEZONE", "Europe/London")
    assert installation.complete(load()).timezone == "Europe/London"


def test_a_part_run_alone_has_its_own_zone(home: Path) -> None:
    assert installation.complete(load(**URLS)).timezone == "America/New_York"


@pytest.fixture
def logging_kept() -> Iterator[None]:
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.mark.usefixtures("logging_kept")
def test_a_part_run_alone_logs_as_the_file_says(home: Path) -> None:
    (home / "pointsman.toml").write_text('log_level = "error"\n')
    answer = CliRunner().invoke(switch)
    assert "POINTSMAN_FREESWITCH_PASSWORD is not set" in str(answer.exception)
    assert structlog.get_logger().bind().get_effective_level() == logging.ERROR
