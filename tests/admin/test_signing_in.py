"""Coming in and going out, and what every answer carries."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sample_company import PASSWORD, Company


def test_the_right_password_leads_to_the_first_own_page(visitor: Any) -> None:
    assert visitor.sign_in("anna").location == "/"
    assert visitor.get("/").location == "/desk"
    assert "Anna Holm" in visitor.get("/desk").text


def test_a_page_leads_to_the_sign_in_and_back(visitor: Any) -> None:
    asked = visitor.get("/calls?status=missed")
    assert asked.status_code == 302
    assert asked.location == "/sign-in?next=/calls?status%3Dmissed"
    assert visitor.sign_in("admin", next="/calls?status=missed").location == "/calls?status=missed"


@pytest.mark.parametrize(
    "elsewhere", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_nobody_is_sent_to_another_site(visitor: Any, elsewhere: str) -> None:
    assert visitor.sign_in("admin", next=elsewhere).location == "/"


@pytest.mark.parametrize("name", ["admin", "nobody", "", "admin\0"])
def test_a_wrong_password_and_a_wrong_name_look_the_same(visitor: Any, name: str) -> None:
    answer = visitor.sign_in(name, "wrong wrong wrong")
    assert answer.status_code == 401
    assert "do not fit together" in answer.text
    assert visitor.get("/calls").status_code == 302


def test_guessing_is_slowed_down_and_the_right_name_is_not_locked_by_successes(visitor: Any, visit: Any) -> None:
    for _ in range(12):
        visit("supervisor")
    for _ in range(10):
        assert visitor.sign_in("admin", "guess guess").status_code == 401
    limited = visitor.sign_in("admin", "guess guess")
    assert limited.status_code == 429
    assert "Wait a few minutes" in limited.text


def test_a_form_without_its_token_changes_nothing(visit: Any, company: Company) -> None:
    client = visit("admin").client
    answer = client.post("/setup/numbers/new", data={"number": "5099", "open-to": "flow", "open-flow": "main"})
    assert answer.status_code == 400
    assert "Nothing was changed" in answer.text
    with company.parts.db.connection_context():
        assert company.parts.db.execute_sql("SELECT count(*) FROM number WHERE number = '5099'").fetchone() == (0,)


def test_a_new_password_ends_the_other_sessions(visit: Any, visitor: Any) -> None:
    here, elsewhere = visit("ben"), visit("ben")
    answer = here.post("/account/password", present=PASSWORD, wanted="a longer horse", again="a longer horse")
    assert answer.status_code == 302
    assert here.get("/calls").status_code == 200
    assert elsewhere.get("/calls").status_code == 302
    assert visitor.sign_in("ben", PASSWORD).status_code == 401
    assert visitor.sign_in("ben", "a longer horse").status_code == 302


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"present": "wrong", "wanted": "a longer horse", "again": "a longer horse"}, "present password is not right"),
        ({"present": PASSWORD, "wanted": "short", "again": "short"}, "10 characters or more"),
        ({"present": PASSWORD, "wanted": "a longer horse", "again": "another horse"}, "passwords differ"),
    ],
)
def test_a_password_that_cannot_be_is_refused(visit: Any, visitor: Any, fields: dict[str, str], said: str) -> None:
    answer = visit("ben").post("/account/password", **fields)
    assert answer.status_code == 422
    assert said in answer.text
    assert visitor.sign_in("ben").status_code == 302


def test_signing_out_ends_it(visit: Any) -> None:
    anna = visit("anna")
    assert anna.post("/sign-out").location == "/sign-in"
    assert anna.get("/desk").status_code == 302


def test_a_disabled_account_is_out_at_once(visit: Any, company: Company) -> None:
    clara = visit("clara")
    with company.parts.db.connection_context():
        company.parts.db.execute_sql("UPDATE account SET enabled = false WHERE name = 'clara'")
    assert clara.get("/desk").status_code == 302


def test_pages_run_no_script_but_ours_and_are_not_kept(visit: Any) -> None:
    answer = visit("admin").get("/calls")
    policy = answer.headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=|<style", answer.text)


def test_the_session_cookie_is_ours_alone(visitor: Any, company: Company) -> None:
    cookies = visitor.sign_in("admin").headers.getlist("Set-Cookie")
    cookie = next(cookie for cookie in cookies if cookie.startswith("pointsman_8080="))
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie
    client = company.app.test_client()
    token = re.search(r'csrf-token" content="([^"]+)', client.get("/sign-in").text)
    assert token
    secure = client.post(
        "/sign-in",
        data={"name": "admin", "password": PASSWORD, "csrf_token": token.group(1)},
        headers={"X-Forwarded-Proto": "https"},
    )
    assert "Secure" in next(c for c in secure.headers.getlist("Set-Cookie") if c.startswith("pointsman_8080="))
    assert "max-age" in secure.headers["Strict-Transport-Security"]


def test_looks_are_kept_and_nonsense_is_not(visit: Any) -> None:
    anna = visit("anna")
    anna.post("/account/looks", theme="dark", density="compact")
    assert 'data-theme="dark" data-density="compact"' in anna.get("/desk").text
    anna.post("/account/looks", theme='"><script>')
    assert 'data-theme="dark" data-density="compact"' in anna.get("/desk").text
