"""Each role sees its own, and an agent their own calls only."""

from __future__ import annotations

from typing import Any

import pytest
from sample_company import Company

from admin import access
from admin.access import RIGHTS, Right


def test_every_view_says_what_it_takes(company: Company) -> None:
    with company.app.app_context():
        silent = [name for name in company.app.view_functions if access.right_of(name) is None]
    assert silent == []


def test_what_needs_no_sign_in_is_a_short_list(company: Company) -> None:
    with company.app.app_context():
        public = {name for name in company.app.view_functions if access.right_of(name) is Right.ANYONE}
    assert public == {"account.sign_in", "static.file", "health.healthz", "metrics", "openapi"}


def test_a_view_that_says_nothing_is_closed_to_everybody(
    company: Company, visit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = visit("admin")
    monkeypatch.setitem(company.app.view_functions, "calls.listed", lambda: "open")
    assert admin.get("/calls").status_code == 403


PAGES = {
    "/desk": {"agent"},
    "/live": {"admin", "supervisor", "analyst", "agent"},
    "/calls": {"admin", "supervisor", "analyst", "agent"},
    "/messages": {"admin", "supervisor", "analyst", "agent"},
    "/reports/ivr": {"admin", "supervisor", "analyst"},
    "/reports/ivr-record": {"admin", "supervisor", "analyst"},
    "/reports/surveys": {"admin", "supervisor", "analyst"},
    "/setup/agents": {"admin", "supervisor", "analyst"},
    "/setup/agents/new": {"admin"},
    "/setup/queues": {"admin", "supervisor", "analyst"},
    "/setup/queues/new": {"admin"},
    "/setup/numbers": {"admin", "supervisor", "analyst"},
    "/setup/numbers/new": {"admin"},
    "/setup/hours": {"admin", "supervisor", "analyst"},
    "/setup/hours/new": {"admin"},
    "/setup/system": {"admin", "supervisor"},
    "/setup/people": {"admin"},
    "/setup/people/new": {"admin"},
    "/setup/tokens": {"admin"},
}


@pytest.mark.parametrize("role", list(RIGHTS))
def test_a_role_sees_its_own_pages_and_only_those_are_in_its_tree(visit: Any, role: str) -> None:
    visitor = visit("anna" if role == "agent" else role)
    tree = visitor.get("/live").text
    for address, roles in PAGES.items():
        answer = visitor.get(address)
        assert answer.status_code == (200 if role in roles else 403), address
        if not address.endswith("/new"):
            assert (f'<li><a href="{address}"' in tree) == (role in roles), address


def test_who_may_look_may_not_change(visit: Any) -> None:
    for name in ("supervisor", "analyst", "anna"):
        visitor = visit(name)
        for place in (
            "agents/new",
            "agents/1",
            "agents/1/delete",
            "agents/1/phone-password",
            "queues/1/delete",
            "numbers/1/delete",
            "people/new",
            "people/1",
            "people/1/password",
            "tokens",
            "tokens/1/revoke",
            "hours/new",
            "hours/1/edit",
            "hours/1/delete",
            "hours/1/days/new",
            "hours/1/days/0/delete",
            "hours/1/holidays",
            "hours/import",
            "hours/changes/1/undo",
        ):
            address = f"/setup/{place}"
            assert visitor.post(address, name="X", extension="1099", wrap_up_seconds="5").status_code == 403, address


def test_an_agent_finds_their_own_calls_only(history: Company, visit: Any) -> None:
    anna = visit("anna")
    mine, bens = history.calls["answered"], history.calls["ben"]
    shown = anna.get("/calls?period=all").text
    assert mine in shown
    assert bens not in shown
    assert anna.get(f"/calls/{mine}").status_code == 200
    assert anna.get(f"/calls/{bens}").status_code == 404
    exported = anna.get("/calls/export.csv?period=all").text
    assert mine in exported
    assert bens not in exported
    assert bens not in anna.get("/calls?period=all&agent=2").text


def test_an_agent_who_only_was_rung_sees_the_call_but_does_not_hear_it(history: Company, visit: Any) -> None:
    call_id = history.calls["answered"]  # rang at Clara first, Anna took it
    clara, anna = visit("clara"), visit("anna")
    with history.parts.db.connection_context():
        recording = history.parts.db.execute_sql("SELECT id FROM recording WHERE call_id = %s", (call_id,)).fetchone()[
            0
        ]
    assert "<audio" not in clara.get(f"/calls/{call_id}").text
    assert clara.get(f"/recordings/{recording}/audio").status_code == 404
    assert clara.post(f"/recordings/{recording}/listened").status_code == 404
    assert anna.get(f"/recordings/{recording}/audio").status_code == 200


def test_an_agent_hears_messages_in_the_boxes_they_serve(history: Company, visit: Any) -> None:
    with history.parts.db.connection_context():
        message = history.parts.db.execute_sql(
            "UPDATE voicemail SET box = 'support' WHERE call_id = %s RETURNING id", (history.calls["message"],)
        ).fetchone()[0]
    assert visit("ben").get(f"/messages/{message}/audio").status_code == 200
    assert visit("anna").get(f"/messages/{message}/audio").status_code == 404
    assert str(message) not in visit("anna").get("/messages").text
