"""The demo company, who is calling, and who may sign in."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from conf.database import Database
from conf.settings import Settings
from engine.records import demo
from engine.records.accounts import AccountRefused, Accounts
from engine.records.customers import Customers
from engine.records.tables import Agent, Customer, CustomerNumber

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SETTINGS = Settings(timezone="Europe/Copenhagen", country="DK")


@pytest.fixture
def company(db: Database) -> Database:
    assert demo.is_empty(db)
    names = demo.load(db, SETTINGS, NOW, "sesame open")
    assert names == ["admin", "supervisor", "analyst", "anna", "ben", "clara", "david"]
    return db


@pytest.mark.parametrize("spelled", ["+4532101010", "+45 32 10 10 10", "004532101010", "32 10 10 10", "32101010"])
def test_a_customer_is_found_by_their_number_in_any_spelling(company: Database, spelled: str) -> None:
    match = Customers(company, "DK").find(spelled)
    assert match.card is not None
    assert match.candidates == []
    assert (match.card["name"], match.card["company"], match.card["category"]) == (
        "Mette Dahl",
        "Nordlys Shipping",
        "vip",
    )
    assert "+4532101010" in match.card["numbers"]
    assert match.card["open_tickets"][0]["subject"] == "Delivery times in December"
    assert match.card["open_orders"][0]["responsible"] == "Anna Holm"
    assert match.card["debt"] == 1250.0
    assert match.card["photo_url"] is None
    assert match.card["last_calls"] == []
    assert json.loads(json.dumps(match.card)) == match.card


def test_the_card_shows_the_last_calls_newest_first(company: Database) -> None:
    customers = Customers(company, "DK")
    card = customers.find("+4532101010").card
    assert card is not None
    with company.connection_context():
        for n in range(7):
            company.execute_sql(
                "INSERT INTO call (id, started_at, ended_at, direction, status, customer_id, agent_id)"
                " SELECT gen_random_uuid(), %s, %s, 'inbound', 'answered', %s, id FROM agent WHERE extension = '1001'",
                (NOW + timedelta(hours=n), NOW + timedelta(hours=n, seconds=90), card["id"]),
            )
    calls = (customers.card(card["id"]) or {})["last_calls"]
    assert [call["at"] for call in calls] == [f"2026-03-02T{hour:02}:00:00.000Z" for hour in (15, 14, 13, 12, 11)]
    assert (calls[0]["agent"], calls[0]["seconds"]) == ("Anna Holm", 90.0)


@pytest.mark.parametrize("number", ["", "anonymous", "1001", "+4599999999", "'; DROP TABLE customer; --", "+" * 5000])
def test_nobody_is_made_up_for_a_number_that_is_nobody_s(company: Database, number: str) -> None:
    match = Customers(company, "DK").find(number)
    assert (match.card, match.candidates) == (None, [])


def test_a_number_of_two_customers_makes_candidates_of_both(company: Database) -> None:
    with company.connection_context():
        other = Customer.create(name="Karl Dahl", created_at=NOW)
        CustomerNumber.create(customer=other, number="+4532101010")
    match = Customers(company, "DK").find("+4532101010")
    assert match.card is None
    assert [card["name"] for card in match.candidates] == ["Mette Dahl", "Karl Dahl"]


def test_the_demo_agents_have_phones_accounts_and_skills(company: Database) -> None:
    with company.connection_context():
        agents = {agent.extension: agent for agent in Agent.select()}
        assert sorted(agents) == ["1001", "1002", "1003", "1004"]
        assert all(
            agent.sip_password and agent.presence == "ready" and agent.account.role == "agent"
            for agent in agents.values()
        )
        assert len({agent.sip_password for agent in agents.values()}) == 4


def test_sign_in_takes_the_right_password_alone(company: Database) -> None:
    accounts = Accounts(company)
    signed_in = accounts.sign_in("supervisor", "sesame open")
    assert signed_in is not None
    assert signed_in.role == "supervisor"
    assert accounts.sign_in("supervisor", "sesame shut") is None
    assert accounts.sign_in("nobody", "sesame open") is None
    assert accounts.sign_in("super\0visor", "sesame open") is None
    assert accounts.sign_in("supervisor", "x" * 1_000_000) is None


def test_another_password_ends_the_sessions(company: Database) -> None:
    accounts = Accounts(company)
    before = accounts.sign_in("anna", "sesame open")
    assert before is not None
    assert accounts.by_session(before.id, before.session_key) == before
    accounts.set_password("anna", "open sesame")
    assert accounts.by_session(before.id, before.session_key) is None
    assert accounts.sign_in("anna", "sesame open") is None
    assert accounts.sign_in("anna", "open sesame") is not None


def test_a_token_works_till_its_account_is_disabled_and_is_not_kept_readable(company: Database) -> None:
    accounts = Accounts(company)
    token = accounts.add_token("analyst", "nightly report", NOW)
    found = accounts.by_token(token, NOW)
    assert found is not None
    assert found.name == "analyst"
    assert accounts.by_token(token + "x", NOW) is None
    with company.connection_context():
        kept = company.execute_sql("SELECT t::text FROM api_token t").fetchone()[0]
        company.execute_sql("UPDATE account SET enabled = false WHERE name = 'analyst'")
    assert token not in kept
    assert accounts.by_token(token, NOW) is None


@pytest.mark.parametrize(
    ("name", "password", "role"),
    [
        ("admin", "long enough", "agent"),
        ("", "long enough", "agent"),
        ("eve", "short", "agent"),
        ("eve", "long enough", "root"),
    ],
)
def test_accounts_that_make_no_sense_are_refused(company: Database, name: str, password: str, role: str) -> None:
    with pytest.raises(AccountRefused):
        Accounts(company).add(name, password, role)  # type: ignore[arg-type]
