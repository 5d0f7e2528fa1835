from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gevent
import pytest
import sample_company
from sample_company import PASSWORD, Company
from sample_fixtures import company, history, prepared

__all__ = ["company", "history", "prepared"]

LONGEST_SECONDS = 100
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required",
]  # fmt: skip


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    if not CHROMIUM.exists():
        pytest.skip(f"no browser: {CHROMIUM} is not installed")
    playwright = pytest.importorskip("playwright.sync_api", reason="no browser: playwright is not installed")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(autouse=True)
def watchdog() -> Iterator[None]:
    """A browser that stands still fails its test; a signal could not, as the greenlet that waits for it is not the hub."""
    with gevent.Timeout(LONGEST_SECONDS, AssertionError("the browser stands still")):
        yield


@pytest.fixture
def address(company: Company) -> Iterator[str]:
    with sample_company.serving(company) as base:
        yield base


Visit = Callable[..., Any]


@pytest.fixture
def visit(chromium: Any, address: str) -> Iterator[Visit]:
    """visit("anna", "/desk") is a page on which anna has signed in. What a page complains about fails the test."""
    contexts, complaints = [], list[str]()

    def open_page(name: str, path: str = "/", *, width: int = 1366, height: int = 768, dark: bool = False) -> Any:
        context = chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light", base_url=address
        )
        contexts.append(context)
        context.set_default_timeout(30_000)
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto("/sign-in")
        page.fill("#name", name)
        page.fill("#password", PASSWORD)
        page.click("button.main")
        page.wait_for_load_state()
        if path != "/":
            page.goto(path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    # A stream that ends because the test is over is no fault of the page.
    assert [said for said in complaints if "net::ERR_" not in said] == []
