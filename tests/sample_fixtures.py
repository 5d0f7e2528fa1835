"""Fixtures of the admin's tests: the demo company, prepared once and copied for each test."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sample_company
from sample_company import Company

from conf.migrate import migrate

Prepared = Callable[[bool], tuple[str, Path]]


@pytest.fixture(scope="session")
def prepared(postgres: Any, redis: Any, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """prepared(True) is the name of a database with a week of calls and the home of their sound; prepared(False) has none."""
    made: dict[bool, tuple[str, Path]] = {}

    def one(history: bool) -> tuple[str, Path]:
        if history not in made:
            name, home = f"company_{'week' if history else 'new'}", tmp_path_factory.mktemp("company")
            url = sample_company.copy_database(postgres.url, name, "template1")
            migrate(url)
            sample_company.prepare(url, redis.url, home, history=history)
            made[history] = name, home
        return made[history]

    return one


@pytest.fixture
def company(request: pytest.FixtureRequest, prepared: Prepared, postgres: Any, redis_url: str) -> Iterator[Company]:
    """The demo company in a database of its own; with a week of calls where the test asks for `history` as well."""
    template, home = prepared("history" in request.fixturenames)
    name = f"admin_{uuid.uuid4().hex[:12]}"
    url = sample_company.copy_database(postgres.url, name, template)
    with sample_company.company(url, redis_url, home) as made:
        yield made
    sample_company.drop_database(postgres.url, name)


@pytest.fixture
def history(company: Company) -> Company:
    """The company with a week of calls behind it."""
    return company
