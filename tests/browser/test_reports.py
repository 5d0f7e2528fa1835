"""Reports on flows in a real browser: choosing, opening a figure, and what paper shows."""

from __future__ import annotations

import re
from typing import Any

from sample_browser import until
from sample_company import Company


def test_a_figure_opens_into_its_calls_and_back(history: Company, visit: Any) -> None:
    page = visit("analyst", "/reports/ivr")
    page.select_option("select[name=period]", "30d")
    page.wait_for_url("**/reports/ivr?period=30d")
    page.select_option("select[name=flow]", "main")
    page.wait_for_url("**/reports/ivr?period=30d&flow=main")
    assert re.match(r"\d+ calls from \d+ numbers came through flow main", page.inner_text("#answer"))
    bars = page.locator(".chart rect.calls")
    heights = [float(bars.nth(number).get_attribute("height")) for number in range(bars.count())]
    assert len(heights) == 30
    assert max(heights) > 60
    row = page.locator("table.ivr-steps tr", has_text="main_menu")
    hung_up = row.locator("td.num a").last
    figure = hung_up.inner_text()
    hung_up.click()
    page.wait_for_url("**/reports/ivr-record?*exit=hung_up*")
    assert page.inner_text("#hits") == f"{figure} calls"
    assert page.locator("ol.path li.sought").count() == int(figure)
    page.go_back()
    page.wait_for_url("**/reports/ivr?period=30d&flow=main")
    page.select_option("select[name=period]", "dates")
    page.fill("input[name=from]", "2001-01-01")
    page.fill("input[name=to]", "2001-01-02")
    page.click("form.filters button")
    page.wait_for_url("**from=2001-01-01*")
    assert "No call came through flow main" in page.inner_text("main")


def test_paper_shows_the_answer_the_chart_and_the_table_alone(history: Company, visit: Any) -> None:
    page = visit("analyst", "/reports/ivr?period=30d")
    page.emulate_media(media="print")
    for shown in ("#answer", ".chart svg", "table.ivr-steps", "#h-formulas"):
        assert page.locator(shown).first.is_visible(), shown
    for hidden in ("nav.side, .side", "form.filters", "[data-print]"):
        assert not page.locator(hidden).first.is_visible(), hidden


def test_what_drops_down_stays_on_a_narrow_page(company: Company, visit: Any) -> None:
    page = visit("analyst", "/reports/ivr-record")
    page.set_viewport_size({"width": 390, "height": 844})
    page.click("main details.drop summary")
    until(page, "document.querySelector('main details.drop .sheet').getBoundingClientRect().left >= 0")
    page.click("main details.drop a >> nth=0", trial=True)
