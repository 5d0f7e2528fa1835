"""The office manager and the opening hours: changed in the browser, heard on the telephone, undone."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import gevent
import pytest
from sample_browser import chromium

from tests.waiting import eventually

from .installation import Installation

__all__ = ["chromium"]
OPEN, CHRISTMAS_EVE = "greeting_office", ["closed_for", "holiday_christmas_eve"]


@pytest.fixture
def page(chromium: Any, installation: Installation) -> Iterator[Any]:
    """The admin's browser."""
    address = installation.ready.split("admin=")[1].split()[0]
    context = chromium.new_context(viewport={"width": 1366, "height": 768}, base_url=address)
    context.set_default_timeout(20_000)
    complaints: list[str] = []
    try:
        with gevent.Timeout(200, AssertionError("the browser stands still")):
            page = context.new_page()
            page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
            page.goto("/sign-in")
            page.fill("#name", "admin")
            page.fill("#password", "of our own")
            page.click("button.main")
            page.wait_for_load_state()
            yield page
    finally:
        context.close()
    assert complaints == []


def in_force(installation: Installation) -> None:
    """Wait until every engine goes by what was published last."""
    version = installation.value("SELECT version FROM configuration")

    def check() -> None:
        engines = [process for process in installation.board.snapshot()["processes"] if process["alive"]]
        assert engines
        assert all(engine["configuration"] >= version for engine in engines)

    eventually(check)


def heard(installation: Installation, *arguments: str) -> list[str]:
    """What a caller of the office line hears first, by `pointsman call`."""
    in_force(installation)
    command = [sys.executable, "-m", "conf.cli", "call", "5001", "--json", "--hang-up-after", "8", *arguments]
    called = subprocess.run(
        command, env={"POINTSMAN_HOME": str(installation.home), "PATH": ""}, capture_output=True, text=True, timeout=60
    )
    assert called.returncode == 0, called.stderr
    story = [json.loads(line) for line in called.stdout.splitlines()]
    return [told["prompt"] for told in story if told.get("kind") == "hears" and told.get("prompt")]


def test_christmas_eve_closes_at_noon_with_its_name_and_is_taken_back(installation: Installation, page: Any) -> None:
    page.goto("/setup/hours")
    page.click("h2 a:has-text('Office')")
    page.click("a:has-text('Christmas Eve')")
    page.check("input[name=effect][value=part]")
    assert page.input_value("#part") == "12:00-24:00"
    page.click("button:has-text('Save and publish')")
    page.wait_for_selector(".toast:has-text('every 24 December: closed 12:00–24:00. Published.')")
    page.select_option("#of", "calendar:Office")
    page.fill("#ask-on", "2026-12-24")
    page.fill("#ask-at", "12:30")
    page.click("button:has-text('Ask')")
    page.wait_for_selector("#answer:has-text('Office is closed for Christmas Eve.')")
    assert heard(installation, "--at", "2026-12-24T11:00+01:00")[0] == OPEN
    assert heard(installation, "--at", "2026-12-24T12:30+01:00")[:2] == CHRISTMAS_EVE
    page.reload()
    page.click("li:has-text('Christmas Eve changed') button:has-text('Undo')")
    page.wait_for_selector(".toast:has-text('Undone')")
    assert heard(installation, "--at", "2026-12-24T11:00+01:00")[:2] == CHRISTMAS_EVE


def test_closed_by_hand_and_opened_again(installation: Installation, page: Any) -> None:
    assert heard(installation)[0] == OPEN
    page.goto("/setup/hours")
    page.click("h2 a:has-text('Office')")
    page.click("a:has-text('Close now')")
    page.fill("#reason", "Water in the cellar")
    page.click("button:has-text('Close now')")
    page.wait_for_selector(".bar.hand:has-text('Water in the cellar')")
    assert heard(installation)[0] == "closed_emergency"
    page.goto("/live")
    page.click(".bar.hand button:has-text('Open again')")
    page.wait_for_selector(".toast:has-text('It goes by its hours again.')")
    assert page.locator(".bar.hand").count() == 0
    assert heard(installation)[0] == OPEN
