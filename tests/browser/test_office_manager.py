"""The office manager's story, on real parts: before Christmas the menu gets another key; it is tried, published and rolled
back while calls run, and each call keeps the menu that it began with."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.call.installation import Installation, environment
from tests.waiting import eventually

WISHES = "holiday_christmas_eve"


@pytest.fixture
def house() -> Iterator[Installation]:
    home = Path(tempfile.mkdtemp(prefix="pointsman-test-"))
    home.chmod(0o755)
    running = Installation(environment(home), "--at", "2026-12-10T10:00", "--speed", "4")
    yield running
    assert running.end() == 0
    assert running.complaints() == []


@pytest.fixture
def office(house: Installation, chromium: Any) -> Iterator[Any]:
    """A page on which the office manager has signed in."""
    address = re.search(r"admin=(\S+)", house.ready)
    assert address
    context = chromium.new_context(base_url=address[1], viewport={"width": 1366, "height": 768})
    context.set_default_timeout(30_000)
    page, complaints = context.new_page(), list[str]()
    page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto("/sign-in")
    page.fill("#name", "admin")
    page.fill("#password", "of our own")
    page.click("button.main")
    page.wait_for_url("**/live")
    yield page
    context.close()
    assert [said for said in complaints if "net::ERR_" not in said] == []


def versions(house: Installation, call_id: str) -> set[int]:
    rows = house.rows("SELECT DISTINCT flow_version FROM report.ivr_steps WHERE call_id = %s", call_id)
    return {row["flow_version"] for row in rows}


def test_the_menu_is_changed_tried_published_and_taken_back_while_calls_run(house: Installation, office: Any) -> None:
    office.goto("/setup/flows")
    office.click("text=Main line")
    office.wait_for_selector(".card")

    # She finds the menu, gives it key 4, and leads it to a new node that says something.
    office.click("[data-act=search]")
    office.keyboard.type("main menu")
    office.keyboard.press("Enter")
    office.fill(".more-exit input", "4")
    office.keyboard.press("Enter")
    office.click("button[aria-label^='Key 4 leads']")
    office.keyboard.type("a new node")
    office.keyboard.press("Enter")
    office.keyboard.type("play")
    office.keyboard.press("Enter")
    office.wait_for_selector(".form-head >> text=Play")
    office.keyboard.type("Season's greetings")
    office.click("button[aria-label='Add something to say']")
    office.keyboard.type(WISHES)
    office.keyboard.press("Enter")
    office.wait_for_selector(f".prompt-list >> text={WISHES}")

    # It is not finished, says the page, and cannot be published like this.
    office.wait_for_selector(".flow-tally.bad >> text=1")
    office.click("[data-act=publish]")
    office.click(".problem >> text=Season's greetings")
    office.click("button[aria-label^='Next leads']")
    office.keyboard.type("main menu")
    office.keyboard.press("Enter")
    office.wait_for_selector(".flow-tally", state="hidden")

    # She tries it as a caller would hear it on the day before Christmas.
    office.click("[data-tab=try]")
    office.fill("#walk-at", "2026-12-23T11:00")
    office.click(".walk-start button.main")
    office.click(".keypad button:text-is('4')")
    office.wait_for_selector(".walk-log >> text=Christmas Eve.")
    assert office.locator(".card.here").count() == 1

    # Somebody is listening to the old menu when the new one is put in force.
    before = house.switch.call("5000")
    before.hear("menu_main")
    office.click("[data-act=publish]")
    office.fill("#asked", "Before Christmas")
    office.click("dialog button.main")
    office.wait_for_selector("[data-state] >> text=Version 2 is in force")
    before.press("4")
    before.hear("menu_no_match")
    before.hang_up()

    def in_force(version: int) -> None:
        engines = house.engines()
        assert engines
        wanted = house.value("SELECT version FROM configuration")
        assert all(engine["configuration"] >= wanted for engine in engines), version

    eventually(lambda: in_force(2))
    during = house.switch.call("5000")
    during.hear("menu_main")
    during.press("4")
    during.hear(WISHES)

    # It was wrong after all: one click, and new callers have the old menu, while the one on the line keeps the new one.
    office.click("[data-tab=history]")
    office.click(".history li:has-text('Version 1') >> button:has-text('Roll back')")
    office.wait_for_selector("[data-state] >> text=Version 3 is in force")
    eventually(lambda: in_force(3))
    after = house.switch.call("5000")
    during.hear("menu_main")
    during.press("4")
    during.hear(WISHES)
    during.hang_up()
    after.hear("menu_main")
    after.press("4")
    after.hear("menu_no_match")
    after.hang_up()

    def told() -> None:
        assert [versions(house, caller.call_id) for caller in (before, during, after)] == [{1}, {2}, {3}]

    eventually(told)
    office.wait_for_selector(".history >> text=Before Christmas")
    assert office.locator(".history > li").count() == 3

    # And the real thing can be called from there.
    office.click("[data-tab=try]")
    office.click("[data-walk] [aria-label='End this walk']")
    office.click("summary:has-text('Call it for real')")
    office.fill("#call-press", "9")
    office.click("[data-call] button.main")
    office.wait_for_selector(".call-told >> text=On the line")
    office.wait_for_selector(".card.lit")
