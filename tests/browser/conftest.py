"""A browser, and the company that it visits. This folder may also be run alone, without the conftest above it
(`--confcutdir=tests/browser`), so it brings the servers in by itself."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parent.parent
if str(TESTS) not in sys.path:
    sys.path.insert(0, str(TESTS))
_spec = importlib.util.spec_from_file_location("shared_servers", TESTS / "conftest.py")
assert _spec
assert _spec.loader
_servers = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_servers)  # patches the world for gevent, so it comes before all else

import gevent  # noqa: E402
import pytest  # noqa: E402
import sample_company  # noqa: E402
from sample_browser import chromium  # noqa: E402
from sample_company import PASSWORD, Company  # noqa: E402
from sample_fixtures import applications, company, history, prepared  # noqa: E402

servers_home, postgres, redis, redis_url = _servers.servers_home, _servers.postgres, _servers.redis, _servers.redis_url
cheap_passwords = _servers.cheap_passwords

__all__ = [
    "applications",
    "chromium",
    "company",
    "history",
    "postgres",
    "prepared",
    "redis",
    "redis_url",
    "servers_home",
]

LONGEST_SECONDS = 200


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
    # A stream that ends because the test is over is no fault of the page, nor is it that somebody else was quicker.
    assert [said for said in complaints if "net::ERR_" not in said and "409 (CONFLICT)" not in said] == []
