"""Queues' rules on calls: who is asked first, who keeps a place, whose calls are not taken, and the day decided again."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest

from dialplan import destinations, store
from engine.live import keys, requests
from engine.records import queue_store
from engine.records.queues import decode_queue
from engine.records.tables import Agent, Customer, CustomerNumber, Queue
from tests.waiting import eventually

from .installation import Installation

ROUTED, NUISANCE, REGULAR = "5030", "+4531313131", "+4532323232"
REENTRY = 10


@pytest.fixture(scope="module")
def routed(running: Installation) -> Iterator[Installation]:
    """The queue `routed`, a customer with a responsible agent, and a number that is blocked."""
    settings = decode_queue(
        {
            "responsible_first_seconds": 60,
            "reentry_minutes": REENTRY,
            "relaxations": [{"after_seconds": 8, "drop": "danish"}],
        }
    )
    with running.setting_up() as db:
        with db.connection_context():
            queue = Queue.create(name="routed", title="Routed", announce_seconds=0, ring_seconds=5)
            ben = Agent.get(Agent.extension == "1002")
            customer = Customer.create(name="A Regular", category="vip", created_at=running.clock.now())
            CustomerNumber.create(customer=customer, number=REGULAR)
            queue_store.save_queue_rules(db, queue.id, "top_down", settings)
            queue_store.save_customer_routing(db, customer.id, {}, ben.id)
            queue_store.block_number(db, NUISANCE, country="DK", note="rings at night")
        store.save_number(db, ROUTED, "Routed", destinations.decode({"to": "queue", "queue": "routed"}), country="DK")
        with db.connection_context():
            (number_id,) = db.execute_sql("SELECT id FROM number WHERE number = %s", (ROUTED,)).fetchone()
            queue_store.save_number_needs(db, number_id, {"danish": 4})
    yield running
    with running.setting_up() as db, db.connection_context():
        queue_store.unblock_number(db, NUISANCE)


def test_the_responsible_agent_is_asked_first_whatever_their_skills(
    installation: Installation, routed: Installation
) -> None:
    caller = installation.switch.call(ROUTED, caller=REGULAR)
    caller.wait_for("talks", to="1002")
    caller.hang_up()
    (offer,) = installation.report(caller).offers
    assert offer["why"]["in_words"] == "Ben Okoro was asked first: responsible for the customer."


def test_a_need_of_the_number_is_relaxed_when_its_time_has_come(
    installation: Installation, routed: Installation
) -> None:
    installation.on_duty("1004")
    caller = installation.switch.call(ROUTED, caller="+4533333333")
    talks = caller.wait_for("talks", to="1004")
    assert 7.5 <= float(talks["at"]) <= 12
    caller.hang_up()
    (offer,) = installation.report(caller).offers
    assert "danish is not needed any more" in offer["why"]["in_words"]
    assert offer["why"]["stage"].startswith("after 8 s")


def test_who_dials_again_has_the_old_place(installation: Installation, routed: Installation) -> None:
    installation.on_duty()
    first = installation.switch.call(ROUTED, caller="+4534343434")
    first.wait_for("music")
    second = installation.switch.call(ROUTED, caller="+4535353535")
    second.wait_for("music")
    first.hang_up()
    again = installation.switch.call(ROUTED, caller="+4534343434")
    again.wait_for("music")
    entries = eventually(lambda: _waiting(installation, 2))
    _put_first_and_seen(installation, again.call_id, entries)
    installation.choose("1001", "ready")
    again.wait_for("talks", to="1001")
    assert len(entries) == 2
    for caller in (again, second):
        caller.hang_up()
    assert [entry["position_at_entry"] for entry in installation.report(again).entries] == [1]


def _put_first_and_seen(installation: Installation, call_id: str, entries: list[str]) -> None:
    """A supervisor puts the first one first: boards hear of a call that was put elsewhere, though nothing else changes."""
    with installation.redis.pubsub(ignore_subscribe_messages=True) as boards:
        boards.subscribe(keys.LIVE)
        boards.get_message(timeout=5)
        at = installation.clock.now()
        requests.reorder_entry(installation.redis, entries[0], before=entries[1], by="supervisor", at=at)

        def heard() -> None:
            news = boards.get_message(timeout=0.1)
            assert news is not None
            assert call_id in news["data"]

        eventually(heard)


def _waiting(installation: Installation, count: int) -> list[str]:
    entries: list[str] = installation.redis.zrange("queue:routed", 0, -1)
    assert len(entries) == count
    return entries


def test_a_supervisor_moves_a_waiting_call_and_gives_it_to_somebody(
    installation: Installation, routed: Installation
) -> None:
    installation.on_duty()
    caller = installation.switch.call(ROUTED, caller="+4536363636")
    caller.wait_for("music")
    (entry,) = eventually(lambda: _waiting(installation, 1))
    requests.move_entry(installation.redis, entry, "support", by="supervisor", at=installation.clock.now())
    (entry,) = eventually(lambda: _some(installation.redis.zrange("queue:support", 0, -1)))
    ben = int(installation.agents()["1002"]["agent_id"])
    requests.assign_entry(installation.redis, entry, ben, by="supervisor", at=installation.clock.now())
    installation.choose("1003", "ready")
    installation.choose("1002", "ready")
    caller.wait_for("talks", to="1002")
    caller.hang_up()
    report = installation.report(caller)
    assert [(each["queue"], each["result"]) for each in report.entries] == [
        ("routed", "moved"),
        ("support", "answered"),
    ]
    assert [offer["why"]["stage"] for offer in report.offers] == ["given to them by supervisor"]


def _some(entries: list[str]) -> list[str]:
    assert entries
    return entries


def test_a_blocked_number_is_turned_away(installation: Installation, routed: Installation) -> None:
    caller = installation.switch.call(ROUTED, caller=NUISANCE)
    caller.wait_for("ended")
    report = installation.report(caller)
    assert (report.call["status"], report.entries) == ("blocked", [])
    assert caller.prompts == []


def test_a_dry_run_says_who_would_get_the_call_and_changes_nothing(
    installation: Installation, routed: Installation
) -> None:
    installation.on_duty("1002", "1003")
    answer = requests.dry_run(
        installation.redis, "routed", at=installation.clock.now(), needs={"danish": 4}, category="vip"
    )
    assert answer["chosen"]["name"] == "Clara Jensen"
    reasons = {each["name"]: each["reason"] for each in answer["left_out"]}
    assert reasons["Ben Okoro"] == "lacks danish at level 4"
    assert reasons["Anna Holm"] == "is paused"
    assert [stage["after_seconds"] for stage in answer["stages"]] == [0, 8]
    installation.see("1003", work="idle")
    assert requests.dry_run(installation.redis, "nowhere", at=installation.clock.now())["known"] is False


def test_the_day_is_decided_again_just_as_it_was(installation: Installation, routed: Installation) -> None:
    caller = installation.switch.call(ROUTED)
    caller.wait_for("talks")
    caller.hang_up()
    installation.report(caller)

    def all_the_same() -> str:
        done = subprocess.run(
            [sys.executable, "-m", "conf.cli", "replay"],  # of today, on the installation's clock
            capture_output=True,
            text=True,
            env={"POINTSMAN_HOME": str(installation.home), "PATH": ""},
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert "all the same" in eventually(all_the_same)
