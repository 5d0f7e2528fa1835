"""Callers who wait are dragged on the live board."""

from __future__ import annotations

import uuid
from typing import Any

import sample_company
from sample_company import Company

from engine.live import keys


def test_a_caller_is_dragged_before_another_to_a_queue_and_to_an_agent(company: Company, visit: Any) -> None:
    sample_company.a_moment(company)
    entries = {}
    for place, number in enumerate(("+4532000001", "+4532000002"), 1):
        entries[number] = str(uuid.uuid4())
        sample_company.put_call(
            company, "queue", seconds=20, queue="sales", entry_id=entries[number], **{"from": number}
        )
        company.parts.redis.zadd(keys.queue("sales"), {entries[number]: place})
    first, second = entries.values()
    page = visit("supervisor", "/live")
    page.drag_and_drop(f"[data-entry='{second}']", f"[data-entry='{first}']")
    page.wait_for_selector("text=The order is changed.")
    page.drag_and_drop(f"[data-entry='{second}']", "[data-to-name='support']")
    page.wait_for_selector("text=On the way to Support.")
    page.drag_and_drop(f"[data-entry='{first}']", "[data-to-title='Clara Jensen']")
    page.wait_for_selector("text=Clara Jensen gets the caller as soon as free.")
    page.click(f"[data-entry='{second}'] summary")
    page.click(f"[data-entry='{second}'] button:has-text('First in line')")
    page.wait_for_selector("text=First in line now.")
    assert [event["event"] for event in sample_company.told_to_router(company)] == [
        "EntryReordered", "EntryMoved", "EntryAssigned", "EntryReordered",
    ]  # fmt: skip
