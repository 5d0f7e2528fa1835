"""Accounts and tokens: made, disabled, reset, shown once, and nobody locks everybody out."""

from __future__ import annotations

import re
from typing import Any

from sample_company import PASSWORD, Company

NEW = {"name": "erik", "full_name": "Erik Lund", "role": "supervisor", "password": "", "enabled": "1"}


def account_id(company: Company, name: str) -> int:
    with company.parts.db.connection_context():
        return int(company.parts.db.execute_sql("SELECT id FROM account WHERE name = %s", (name,)).fetchone()[0])


def shown_secret(page: Any) -> str:
    found = re.search(r'<code id="secret">([^<]+)</code>', page.text)
    assert found
    return found[1]


def test_somebody_new_signs_in_with_the_password_shown_once(company: Company, visit: Any, visitor: Any) -> None:
    admin = visit("admin")
    password = shown_secret(admin.post("/setup/people/new", **NEW))
    erik = account_id(company, "erik")
    assert password not in admin.get(f"/setup/people/{erik}").text
    assert visitor.sign_in("erik", password).status_code == 302
    assert visitor.get("/setup/system").status_code == 200
    assert visitor.get("/setup/people").status_code == 403
    page = admin.get("/setup/people").text
    assert "Erik Lund" in page
    assert "Anna Holm" in page


def test_a_disabled_account_is_out_at_once_and_may_come_back(company: Company, visit: Any) -> None:
    admin, analyst = visit("admin"), visit("analyst")
    token = {"Authorization": f"Bearer {company.token('analyst')}"}
    address = f"/setup/people/{account_id(company, 'analyst')}"
    admin.post(address, full_name="Analyst", role="analyst")
    assert analyst.get("/calls").status_code == 302
    assert company.app.test_client().get("/api/v1/me", headers=token).status_code == 401
    assert "Disabled" in admin.get("/setup/people").text
    admin.post(address, full_name="Analyst", role="supervisor", enabled="1")
    assert company.app.test_client().get("/api/v1/me", headers=token).json["role"] == "supervisor"


def test_another_password_ends_the_sessions(company: Company, visit: Any, visitor: Any) -> None:
    admin, ben = visit("admin"), visit("ben")
    address = f"/setup/people/{account_id(company, 'ben')}/password"
    assert admin.post(address, password="short").status_code == 422
    assert ben.get("/calls").status_code == 200
    assert admin.post(address, password="a longer horse").status_code == 302
    assert ben.get("/calls").status_code == 302
    assert visitor.sign_in("ben", PASSWORD).status_code == 401
    assert visitor.sign_in("ben", shown_secret(admin.post(address, password=""))).status_code == 302


def test_nobody_locks_everybody_out(company: Company, visit: Any) -> None:
    admin = visit("admin")
    own = f"/setup/people/{account_id(company, 'admin')}"
    for fields in ({"role": "admin"}, {"role": "analyst", "enabled": "1"}):
        answer = admin.post(own, full_name="Administrator", **fields)
        assert answer.status_code == 422
        assert "You cannot take your own rights away" in answer.text
    other = {"Authorization": f"Bearer {company.token('admin')}"}
    with company.parts.db.connection_context():
        company.parts.db.execute_sql("UPDATE account SET role = 'admin' WHERE name = 'supervisor'")
        company.parts.db.execute_sql("UPDATE account SET role = 'analyst' WHERE name = 'admin'")
    supervisor = visit("supervisor")
    assert company.app.test_client().get("/api/v1/people", headers=other).status_code == 403
    answer = supervisor.post(f"/setup/people/{account_id(company, 'supervisor')}", role="agent", enabled="1")
    assert answer.status_code == 422


def test_what_is_wrong_with_somebody_new_stands_beside_it(company: Company, visit: Any) -> None:
    admin = visit("admin")
    for changed, said in (
        ({"name": ""}, "User name must be 1 to 40 of letters"),
        ({"name": "two words"}, "User name must be 1 to 40 of letters"),
        ({"name": "anna"}, "There is an account &#39;anna&#39; already."),
        ({"role": "king"}, "Role"),
        ({"password": "short"}, "Password needs 10 characters or more."),
    ):
        answer = admin.post("/setup/people/new", **(NEW | changed))
        assert answer.status_code == 422, changed
        assert said in answer.text, said
        assert "Erik Lund" in answer.text


def test_a_token_is_shown_once_and_revoked(company: Company, visit: Any) -> None:
    admin = visit("admin")
    token = shown_secret(admin.post("/setup/tokens", account="analyst", name="Nightly export"))
    headers = {"Authorization": f"Bearer {token}"}
    client = company.app.test_client()
    assert client.get("/api/v1/me", headers=headers).json["role"] == "analyst"
    page = admin.get("/setup/tokens").text
    assert "Nightly export" in page
    assert token not in page
    again = admin.post("/setup/tokens", account="analyst", name="Nightly export")
    assert (again.status_code, "has a token Nightly export already" in again.text) == (422, True)
    assert admin.post("/setup/tokens", account="nobody", name="X").status_code == 422
    admin.post(re.search(r"/setup/tokens/\d+/revoke", page)[0])  # type: ignore[index]
    assert client.get("/api/v1/me", headers=headers).status_code == 401


def test_the_api_does_what_the_pages_do(company: Company) -> None:
    headers = {"Authorization": f"Bearer {company.token('admin')}"}
    client = company.app.test_client()

    def call(method: str, address: str, body: Any = None) -> Any:
        return client.open(f"/api/v1{address}", method=method, json=body, headers=headers)

    made = call("POST", "/people", {"name": "erik", "role": "analyst"}).json
    assert len(made["password"]) >= 10
    assert call("POST", "/people", {"name": "erik", "role": "analyst"}).status_code == 409
    assert call("POST", "/people", {"name": "eva", "role": "king"}).status_code == 422
    assert call("POST", "/people", {"name": "eva", "full_name": "a\0b", "role": "agent"}).status_code == 422
    assert call("POST", "/tokens", {"account": "a\0b", "name": "x"}).status_code == 422
    own = f"/people/{made['id']}"
    assert call("PUT", own, {"full_name": "Erik Lund", "role": "agent"}).json == {"id": made["id"]}
    assert call("POST", f"{own}/password", {"password": "a longer horse"}).json == {"password": None}
    found = {person["name"]: person for person in call("GET", "/people").json["people"]}
    assert (found["erik"]["role"], found["erik"]["agent"], found["anna"]["extension"]) == ("agent", None, "1001")
    assert all("password" not in person and "hash" not in str(person) for person in found.values())
    token = call("POST", "/tokens", {"account": "erik", "name": "Screen"}).json["token"]
    assert client.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"}).json["name"] == "erik"
    listed = call("GET", "/tokens").json["tokens"]
    assert token not in str(listed)
    (screen,) = [each["id"] for each in listed if each["name"] == "Screen"]
    assert call("DELETE", f"/tokens/{screen}").status_code == 204
    assert call("DELETE", f"/tokens/{screen}").status_code == 404
    assert (
        call("PUT", f"/people/{account_id(company, 'admin')}", {"role": "admin", "enabled": False}).status_code == 409
    )
