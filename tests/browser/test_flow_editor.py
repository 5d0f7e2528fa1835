"""The flow editor in a browser: by mouse, by keyboard alone, with two people at once, with names that mean harm, and large."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sample_browser import until
from sample_company import Company

from ivr import drafts, store

EVIL = "<img src=x onerror=\"document.title='broken into'\"><script>document.title='broken into'</script>"


def saved(page: Any) -> None:
    """Till all is kept."""
    until(page, "document.querySelector('[data-saved]').textContent.startsWith('Saved')")


def kept(company: Company, name: str) -> dict[str, Any]:
    return dict(drafts.newest(company.parts.db, name).document)


def make(company: Company, nodes: dict[str, Any], name: str = "tried") -> None:
    document = {"name": name, "title": "Tried out", "start": next(iter(nodes)), "nodes": nodes}
    drafts.create(company.parts.db, document, author="admin", at=company.now)


TWO = {
    "hello": {"type": "play", "title": "Hello", "prompts": ["greeting"]},
    "end": {"type": "hang_up", "title": "The end"},
}


def test_a_line_is_drawn_in_one_gesture_and_everything_can_be_undone(company: Company, visit: Any) -> None:
    make(company, TWO)
    page = visit("admin", "/setup/flows/tried")
    scale = page.locator(".card[data-node=end]").bounding_box()["width"] / 224
    port = page.locator(".card[data-node=hello] .exit[data-exit=next] .port").bounding_box()
    end = page.locator(".card[data-node=end]").bounding_box()
    page.mouse.move(port["x"] + 6, port["y"] + 6)
    page.mouse.down()
    page.mouse.move(end["x"] + 40, end["y"] + 20, steps=4)
    page.mouse.up()
    saved(page)
    assert kept(company, "tried")["nodes"]["hello"]["exits"] == {"next": "end"}
    page.mouse.move(end["x"] + 40, end["y"] + 20)
    page.mouse.down()
    page.mouse.move(end["x"] + 140, end["y"] + 120, steps=4)
    page.mouse.up()
    moved = page.locator(".card[data-node=end]").bounding_box()
    assert moved["x"] - end["x"] == pytest.approx(100, abs=4 * scale + 1)
    page.keyboard.press("Delete")
    assert page.locator(".card").count() == 1
    for _ in range(3):
        page.keyboard.press("Control+z")
    saved(page)
    assert kept(company, "tried")["nodes"]["hello"].get("exits", {}) == {}
    assert page.locator(".card[data-node=end]").bounding_box()["x"] == pytest.approx(end["x"], abs=1)
    for _ in range(2):
        page.keyboard.press("Control+y")
    saved(page)
    found = kept(company, "tried")
    assert found["nodes"]["hello"]["exits"] == {"next": "end"}
    assert page.locator(".card[data-node=end]").bounding_box()["x"] == pytest.approx(moved["x"], abs=1)


def test_a_flow_is_built_and_published_by_keyboard_alone(company: Company, visit: Any) -> None:
    page = visit("admin", "/setup/flows/new")
    page.keyboard.type("By hand")
    page.keyboard.press("Tab")
    page.keyboard.type("by_hand")
    page.keyboard.press("Enter")
    page.wait_for_selector(".card")
    page.locator("[data-canvas]").focus()
    page.keyboard.press("Control+a")
    page.keyboard.press("Delete")
    page.keyboard.press("a")
    page.keyboard.type("play")
    page.keyboard.press("Enter")
    page.wait_for_selector(".form-head >> text=Play")
    page.keyboard.type("Welcome")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.type("greeting_morning")
    page.keyboard.press("Enter")
    page.wait_for_selector(".prompt-list li")
    page.locator("[data-canvas]").focus()
    page.keyboard.press("l")
    page.keyboard.type("new node")
    page.keyboard.press("Enter")
    page.keyboard.type("hang up")
    page.keyboard.press("Enter")
    page.wait_for_selector(".form-head >> text=Hang up")
    page.locator("[data-canvas]").focus()
    page.keyboard.press("ArrowLeft")
    until(page, "document.querySelector('.card.chosen')?.dataset.node === 'play'")
    assert page.inner_text("[data-says]").startswith("Welcome")
    page.keyboard.press("Control+c")
    page.keyboard.press("Control+v")
    until(page, "document.querySelectorAll('.card').length === 3")
    page.keyboard.press("Control+d")
    until(page, "document.querySelectorAll('.card').length === 4")
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    until(page, "document.querySelectorAll('.card').length === 2")
    saved(page)
    page.locator("[data-act=publish]").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog >> text=Publish version 1?")
    page.keyboard.type("a beginning")
    page.keyboard.press("Enter")
    page.wait_for_selector("[data-state] >> text=Version 1 is in force")
    flow = store.export_flow(company.parts.db, "by_hand")
    assert {name: dict(node.exits) for name, node in flow.nodes.items()} == {"play": {"next": "hang_up"}, "hang_up": {}}
    (line,) = store.history(company.parts.db, "by_hand")
    assert (line.author, line.note) == ("admin", "a beginning")


def test_names_that_mean_harm_are_only_words(company: Company, visit: Any) -> None:
    make(
        company,
        {
            "one": {"type": "play", "title": EVIL, "prompts": [], "exits": {"next": "two"}},
            "two": {"type": "<b>bold</b>"},
        },
    )
    page = visit("admin", "/setup/flows/tried")
    page.click(".card[data-node=one] .card-head")
    assert EVIL in page.inner_text(".card[data-node=one] b")
    page.click("[data-tab=problems]")
    page.click("[data-act=search]")
    page.wait_for_selector(".pick")
    page.keyboard.press("Escape")
    page.click("[data-tab=tests]")
    page.click("[data-tab=history]")
    page.wait_for_selector(".history")
    assert "broken into" not in page.title()
    page.goto("/setup/flows")
    assert "broken into" not in page.title()


def test_what_somebody_else_has_saved_meanwhile_is_not_overwritten(company: Company, visit: Any) -> None:
    make(company, TWO)
    page = visit("admin", "/setup/flows/tried")
    page.click(".card[data-node=hello] .card-head")
    theirs = kept(company, "tried")
    theirs["nodes"]["hello"]["title"] = "Theirs"
    work = drafts.newest(company.parts.db, "tried")
    drafts.save(company.parts.db, theirs, author="supervisor", revision=work.revision, at=company.now)
    page.fill("[data-way=title] input", "Mine")
    page.wait_for_selector("[data-banner] >> text=Nothing was overwritten")
    assert kept(company, "tried")["nodes"]["hello"]["title"] == "Theirs"
    page.click("text=Show theirs and mine")
    page.wait_for_selector(".changes >> text=“Theirs” and is now “Mine”")
    assert page.locator(".card.mark-changed").count() == 1
    page.click("text=Back to the draft")
    page.wait_for_selector(".card")
    page.evaluate("document.querySelector('[data-tab=history]').click()")
    until(page, "document.querySelectorAll('.history > li').length === 2")


def test_a_supervisor_looks_and_tries_but_changes_nothing(company: Company, visit: Any) -> None:
    page = visit("supervisor", "/setup/flows/main")
    page.wait_for_selector(".card")
    assert page.locator("[data-act=publish], [data-act=add], [data-act=undo]").count() == 0
    page.click("[data-tab=try]")
    page.click(".walk-start button.main")
    page.wait_for_selector(".walk-log li")
    page.click("[data-tab=node]")
    page.locator("[data-canvas]").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("[data-way=title] input").is_disabled()


def test_a_walk_becomes_a_test_that_blocks_a_wrong_version(company: Company, visit: Any) -> None:
    page = visit("admin", "/setup/flows/main")
    page.click("[data-tab=try]")
    page.fill("#walk-at", "2026-03-04T11:00")
    page.click(".walk-start button.main")
    page.click(".keypad button:text-is('9')")
    page.click(".walk-choices >> text=Message left")
    page.click("text=Keep as a test")
    page.keyboard.type("Message by 9")
    page.keyboard.press("Enter")
    page.click("text=Run all")
    page.wait_for_selector(".history .badge.good >> text=passed")
    page.click("[data-act=search]")
    page.keyboard.type("main menu")
    page.keyboard.press("Enter")
    page.click("button[aria-label^='Key 9 leads']")
    page.keyboard.type("opening hours")
    page.keyboard.press("Enter")
    page.click("[data-act=publish]")
    page.wait_for_selector(".toast >> text=Not published: 1 failing test")
    page.wait_for_selector(".differences >> text=The call came to")
    assert store.export_flow(company.parts.db, "main").nodes["menu"].exits["9"] == "message"


def test_a_number_is_tried_on_christmas_eve(company: Company, visit: Any) -> None:
    page = visit("supervisor", "/setup/try?number=5000")
    page.fill("#walk-at", "2026-12-24T20:00")
    page.click(".walk-start button.main")
    page.wait_for_selector(".walk-log >> text=Christmas Eve.")
    page.click(".keypad button:text-is('1')")
    page.click(".walk-choices >> text=Message left")
    page.wait_for_selector(".walk-asked >> text=The call is over")
    assert "closed_menu" in page.inner_text("[data-way]")
    page.click("[aria-label='Take the last step back']")
    page.wait_for_selector(".walk-choices >> text=Message left")


def test_a_flow_of_two_thousand_nodes_opens_and_is_edited(company: Company, visit: Any) -> None:
    nodes: dict[str, Any] = {
        f"n{number}": {
            "type": "menu",
            "title": f"Menu {number}",
            "prompts": ["menu_main"],
            "exits": {"1": f"n{2 * number + 1}", "2": f"n{2 * number + 2}", "no_input": "n0"},
        }
        for number in range(1000)
    }
    nodes |= {f"n{number}": {"type": "hang_up"} for number in range(1000, 2001)}
    make(company, nodes)
    page = visit("admin", "/setup/flows/tried")
    page.wait_for_selector(".card[data-node=n0]")
    page.locator("[data-canvas]").focus()
    page.keyboard.press("0")
    until(page, "document.querySelectorAll('.card').length > 100")
    page.keyboard.press("f")
    page.keyboard.type("menu 777")
    page.keyboard.press("Enter")
    page.fill("[data-way=title] input", "Far out")
    saved(page)
    assert kept(company, "tried")["nodes"]["n777"]["title"] == "Far out"
    assert len(json.dumps(kept(company, "tried"))) > 100_000
