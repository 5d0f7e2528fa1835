"""Tickets that calls open."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import pytest

from conf.database import Database
from engine.records.tickets import Tickets

AT = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)
CALL = str(uuid.uuid4())


@pytest.fixture
def tickets(db: Database) -> Tickets:
    db.execute_sql("INSERT INTO customer (name) VALUES ('Ann'), ('Ben')")
    db.execute_sql(
        "INSERT INTO customer_number SELECT id, number FROM customer,"
        " LATERAL (VALUES ('+4570707070'), (CASE name WHEN 'Ann' THEN '+4532101010' END)) n (number)"
        " WHERE number IS NOT NULL"
    )
    return Tickets(db, "DK")


def opened(tickets: Tickets, key: str = "main.ticket", **how: object) -> tuple[int, int] | None:
    asked: dict[str, object] = {"kind": "report", "subject": "Help", "at": AT, "customer_id": None, "number": ""} | how
    return tickets.open(CALL, key, **asked)  # type: ignore[arg-type]


def test_a_known_caller_gets_a_ticket_once(db: Database, tickets: Tickets) -> None:
    first = opened(tickets, number="32 10 10 10")
    assert first is not None
    (owner,) = db.execute_sql("SELECT id FROM customer WHERE name = 'Ann'").fetchone()
    assert first[1] == owner
    assert opened(tickets, number="32 10 10 10") == first
    assert opened(tickets, "main.other", customer_id=owner) != first
    state = tickets.state(first[0])
    assert state is not None
    assert (state.customer_id, state.kind, state.opened_at, state.closed_at) == (owner, "report", AT, None)


def test_an_unknown_caller_becomes_a_customer(db: Database, tickets: Tickets) -> None:
    made = opened(tickets, number="+4527101112", name="Eve Winter")
    assert made is not None
    (name,) = db.execute_sql("SELECT name FROM customer WHERE id = %s", (made[1],)).fetchone()
    assert name == "Eve Winter"
    assert opened(tickets, "main.second", number="27 10 11 12") == (made[0] + 1, made[1])


def test_whose_ticket_it_would_be_must_be_clear(tickets: Tickets) -> None:
    for number in ("", "1001", "+4570707070"):
        assert opened(tickets, number=number) is None


def test_a_ticket_that_is_not_there(tickets: Tickets) -> None:
    assert tickets.state(4711) is None
