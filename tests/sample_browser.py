"""A browser for the tests of pages."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required",
]  # fmt: skip


def until(page: Any, condition: str, seconds: float = 30.0) -> None:
    """Till the page says so; playwright's own way would need eval, which our pages forbid."""
    ends = time.monotonic() + seconds
    while not page.evaluate(condition):
        assert time.monotonic() < ends, condition
        page.wait_for_timeout(30)


_BROWSER = pytest.StashKey[Any]()


@pytest.fixture(scope="session")
def chromium(request: pytest.FixtureRequest) -> Any:
    """The one browser of this run, whichever folders ask for it; a second one cannot be driven from the same process."""
    if not CHROMIUM.exists():
        pytest.skip(f"no browser: {CHROMIUM} is not installed")
    playwright = pytest.importorskip("playwright.sync_api", reason="no browser: playwright is not installed")
    stash = request.config.stash
    if _BROWSER not in stash:
        driver = playwright.sync_playwright().start()
        stash[_BROWSER] = driver.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        request.config.add_cleanup(driver.stop)
        request.config.add_cleanup(stash[_BROWSER].close)
    return stash[_BROWSER]
