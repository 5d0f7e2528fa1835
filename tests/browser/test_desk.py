"""The desk tells an agent what has become of them, by itself and with its mend beside it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import sample_company
from sample_browser import until
from sample_company import Company

from tests import waiting


def test_the_desk_follows_the_agent_and_mends_by_one_click(company: Company, visit: Any) -> None:
    sample_company.put_agent(company, "1001", "ready", "idle")
    page = visit("anna", "/desk")
    sample_company.put_agent(company, "1001", "pause", "idle", seconds=1, reason="no_answer")
    page.get_by_text("You are paused: your phone was not picked up.").wait_for()
    page.get_by_role("button", name="I am back").click()
    waiting.until(lambda: [each["presence"] for each in sample_company.told_to_router(company)] == ["ready"])

    till = sample_company.stamp(company.now + timedelta(seconds=50))
    sample_company.put_agent(company, "1001", "ready", "wrap_up", seconds=1, wrap_until=till)
    left = page.locator(".desk-state .left")
    left.wait_for()
    before = left.inner_text()
    until(page, f"document.querySelector('.desk-state .left').textContent !== {json.dumps(before)}")
    page.get_by_role("button", name="30 s more").click()
    page.get_by_role("button", name="Done").click()
    waiting.until(
        lambda: (
            [each["event"] for each in sample_company.told_to_router(company)]
            == ["PresenceWanted", "WrapUpExtended", "WrapUpEnded"]
        )
    )
    sample_company.put_agent(company, "1001", "ready", "idle", seconds=1)
    page.locator(".desk-state .notice").wait_for(state="detached")


def test_a_ring_group_grows_by_a_row_for_each_phone(company: Company, visit: Any) -> None:
    page = visit("admin", "/setup/ring-groups/new")
    page.fill("#title", "Office")
    page.fill("#name", "office")
    page.select_option("[name='phones.0.extension']", "1001")
    page.select_option("[name='phones.1.extension']", "1002")
    page.fill("[name='phones.1.delay_seconds']", "5")
    page.get_by_role("button", name="Save and publish").click()
    page.get_by_text("Ben Okoro after 5 s").wait_for()
