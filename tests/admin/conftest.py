from __future__ import annotations

import re
from typing import Any

import pytest
import sample_company
from flask.testing import FlaskClient
from sample_company import Company
from sample_fixtures import applications, company, history, prepared
from werkzeug.test import TestResponse

__all__ = ["applications", "company", "history", "prepared"]


class Visitor:
    """A browser without a screen: keeps its cookies, and sends the token of the page that it saw last."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self._token = ""

    def get(self, address: str, **more: Any) -> TestResponse:
        answer = self.client.get(address, **more)
        found = (
            re.search(r'name="csrf-token" content="([^"]+)"', answer.text) if answer.mimetype == "text/html" else None
        )
        self._token = found.group(1) if found else self._token
        return answer

    def post(self, address: str, **fields: Any) -> TestResponse:
        return self.client.post(address, data=fields, headers={"X-CSRFToken": self._token})

    def sign_in(self, name: str, password: str = sample_company.PASSWORD, **more: Any) -> TestResponse:
        self.get("/sign-in")
        return self.post("/sign-in", name=name, password=password, **more)


@pytest.fixture
def visitor(company: Company) -> Visitor:
    return Visitor(company.app.test_client())


@pytest.fixture
def visit(company: Company) -> Any:
    """visit("anna") is a visitor who has signed in as anna."""

    def signed_in(name: str) -> Visitor:
        made = Visitor(company.app.test_client())
        assert made.sign_in(name).status_code == 302
        made.get("/account/password")
        return made

    return signed_in
