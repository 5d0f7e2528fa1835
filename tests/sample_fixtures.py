"""Fixtures of the admin's tests: the demo company, prepared once and copied for each test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sample_company
from flask import Flask
from sample_company import Company

from admin.parts import Parts
from conf.migrate import migrate

Prepared = Callable[[bool], tuple[str, Path]]
Applications = dict[str, tuple[Parts, Flask]]


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


@pytest.fixture(scope="session")
def applications() -> Applications:
    """Applications made so far, by the name of their database."""
    return {}


@pytest.fixture
def company(
    request: pytest.FixtureRequest, prepared: Prepared, applications: Applications, postgres: Any, redis_url: str
) -> Iterator[Company]:
    """The demo company in a database of its own; with a week of calls where the test asks for `history` as well. Tests come
    to the same application, as its templates and routes take longer to make than most tests take, but find nothing that
    another test left in it."""
    template, home = prepared("history" in request.fixturenames)
    name = f"{template}_now"
    url = sample_company.copy_database(postgres.url, name, template)
    if name not in applications:
        applications[name] = sample_company.application(url, redis_url, home)
    with sample_company.company(*applications[name]) as made:
        yield made
    sample_company.drop_database(postgres.url, name)
    made.parts.db.close_idle()  # what was given back only when the database had gone


@pytest.fixture
def history(company: Company) -> Company:
    """The company with a week of calls behind it."""
    return company
