"""Callbacks that are owed when engines and Redis die: each is still made, once."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from call.callers import Caller
from call.installation import one
from call.report import Row

from engine.live import callbacks as live
from engine.records.facts import Presence
from tests.waiting import eventually

from .conftest import installed
from .damaged import AGENTS, NUMBERS, Damaged

RULES = {"callback": {"offer_after_seconds": 60, "key": "2", "attempts": 2, "gap_seconds": 10}}


@pytest.fixture(scope="module")
def damaged() -> Iterator[Damaged]:
    """One of its own, as its queues are others."""
    with installed() as made:
        yield made


@pytest.fixture(scope="module", autouse=True)
def _rules(damaged: Damaged) -> None:
    with damaged.setting_up() as db, db.connection_context():
        db.execute_sql("UPDATE queue SET rules = %s::jsonb WHERE name = 'blue'", (json.dumps(RULES),))


def agent(damaged: Damaged, presence: Presence) -> None:
    damaged.choose(AGENTS["blue"], presence)
    damaged.see(AGENTS["blue"], presence=presence)


def ask(damaged: Damaged, number: str) -> Caller:
    agent(damaged, "pause")
    caller = damaged.switch.call(NUMBERS["blue"], caller=number)
    caller.wait_for("music")
    caller.press("2")
    caller.hear("callback_confirm")
    caller.press("1")
    caller.wait_for("ended")
    return caller


def kept(damaged: Damaged, number: str) -> dict[str, object]:
    def there() -> dict[str, object]:
        found = [each for each in live.live(damaged.redis).values() if each["number"] == number]
        assert len(found) == 1
        return found[0]

    return eventually(there)


def made(damaged: Damaged, caller: Caller, number: str) -> Row:
    def done() -> Row:
        row = one(damaged.rows("SELECT * FROM report.callbacks WHERE number = %s", number))
        assert (row["state"], str(row["call_id"])) == ("done", caller.call_id)
        return row

    row = eventually(done, 60)

    def written() -> list[Row]:
        rows = damaged.rows("SELECT * FROM report.calls WHERE called_number = %s", number)
        assert rows
        return rows

    (call,) = eventually(written)
    assert (call["status"], call["direction"], call["call_id"]) == ("answered", "outbound", row["closed_call_id"])
    assert live.live(damaged.redis) == {}
    return row


def test_its_process_is_killed_while_it_waits(damaged: Damaged) -> None:
    damaged.both_alive()
    caller = ask(damaged, "+4532101011")
    owner = str(kept(damaged, "+4532101011")["owner"])
    damaged.kill(owner)
    agent(damaged, "ready")
    assert made(damaged, caller, "+4532101011")["attempts"] == 1
    damaged.both_alive()


def test_the_process_of_the_call_is_killed_while_the_customer_is_rung(damaged: Damaged) -> None:
    damaged.both_alive()
    number = "+4532101012"
    damaged.switch.phone(number, answer=25, talk=3, press="1")
    caller = ask(damaged, number)
    agent(damaged, "ready")

    def calling() -> str:
        found = kept(damaged, number)
        assert found["state"] == "calling"
        assert any(each["dest"] == number for each in damaged.switch.channels())
        return str(found["owner"])

    damaged.kill(eventually(calling))
    row = made(damaged, caller, number)
    assert row["attempts"] == 1
    damaged.both_alive()


def test_redis_forgets_and_the_engines_die_and_it_is_found_in_the_database(damaged: Damaged) -> None:
    processes = damaged.both_alive()
    number = "+4532101013"
    caller = ask(damaged, number)

    def written() -> None:
        assert damaged.value("SELECT count(*) FROM callback WHERE number = %s", number) == 1

    eventually(written)
    damaged.kill(*processes)
    damaged.redis.flushall()
    damaged.both_alive()
    damaged.agents_are_known()
    agent(damaged, "ready")
    assert made(damaged, caller, number)["attempts"] == 1
