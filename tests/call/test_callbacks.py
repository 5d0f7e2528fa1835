"""Being called back: asked for in a queue, the place kept, the agent first and then the customer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from dialplan import destinations, store
from engine.live import callbacks as live
from engine.live import keys
from engine.records.tables import Queue
from tests.waiting import eventually

from .conftest import PATIENT, SALES
from .installation import Installation, one
from .report import Row

CUSTOMER, OTHER = "+4532101010", "+4570101010"
BACK, LEAVE = "5031", "5032"
RULES: dict[str, Any] = {
    "callback": {"offer_after_seconds": 5, "key": "2", "attempts": 2, "gap_seconds": 10},
    "ways_out": {"keys": {"9": {"to": "queue", "queue": "patient"}, "8": {"to": "voicemail", "box": "sales"}}},
    "position": {"say": False},
    "comfort": {"prompts": ["queue_comfort"], "every_seconds": 20},
}


ONCE = {
    **RULES,
    "callback": {"key": "2", "attempts": 1, "gap_seconds": 10},
    "position": {"say": True, "every_seconds": 30},
    "expected_wait": {"say": True, "largest_error": 0.3},
}


@pytest.fixture(scope="module", autouse=True)
def _queues(running: Installation) -> None:
    with running.setting_up() as db:
        with db.connection_context():
            for name, rules in (("back", RULES), ("leave", ONCE)):
                Queue.create(name=name, title=name.title(), short_abandon_seconds=0)
                db.execute_sql("UPDATE queue SET rules = %s::jsonb WHERE name = %s", (json.dumps(rules), name))
        for number, queue in {BACK: "back", LEAVE: "leave"}.items():
            store.save_number(db, number, number, destinations.decode({"to": "queue", "queue": queue}), country="DK")


@pytest.fixture(autouse=True)
def _nobody_owed(installation: Installation) -> Iterator[None]:
    """Whatever comes of a test, nobody is called back in the next one."""
    yield
    for callback_id in live.live(installation.redis):
        live.wish(installation.redis, callback_id, "cancel", by="tests")

    def nobody() -> None:
        assert live.live(installation.redis) == {}

    eventually(nobody)


def callbacks(installation: Installation, number: str) -> list[Row]:
    return installation.rows("SELECT * FROM report.callbacks WHERE number = %s ORDER BY asked_at", number)


def closed(installation: Installation, number: str, state: str = "done") -> Row:
    def over() -> Row:
        *_, row = callbacks(installation, number) or [{"state": "none"}]
        assert row["state"] == state
        return row

    return eventually(over)


def attempts(installation: Installation, row: Row) -> list[tuple[str, str]]:
    rows = installation.rows(
        "SELECT result, extension FROM report.callback_attempts WHERE callback_id = %s ORDER BY position",
        row["callback_id"],
    )
    return [(attempt["result"], attempt["extension"]) for attempt in rows]


def test_a_customer_is_called_back_when_it_is_their_turn(installation: Installation) -> None:
    installation.on_duty()
    installation.switch.phone("1001", answer=1, talk=None)
    caller = installation.switch.call(BACK, caller=CUSTOMER)
    caller.wait_for("music")
    caller.hear("callback_offer")
    caller.press("2")
    caller.hear("callback_number")
    caller.hear("callback_confirm")
    caller.press("1")
    caller.hear("callback_taken")
    caller.wait_for("ended")
    report = installation.report(caller)
    assert (report.call["status"], report.call["queue"]) == ("callback", "back")
    assert [entry["result"] for entry in report.entries] == ["callback"]
    later = installation.switch.call(BACK, caller=OTHER)
    later.wait_for("music")
    installation.choose("1001", "ready")
    row = closed(installation, CUSTOMER)
    later.wait_for("talks", to="1001")
    later.hang_up()
    assert (str(row["call_id"]), row["attempts"], row["queue"]) == (caller.call_id, 1, "back")
    assert attempts(installation, row) == [("answered", "1001")]

    def reached() -> Row:
        return one(installation.rows("SELECT * FROM report.calls WHERE call_id = %s", row["closed_call_id"]))

    call = eventually(reached)
    assert (call["direction"], call["status"], call["caller_number"], call["called_number"]) == (
        "outbound", "answered", "1001", CUSTOMER,
    )  # fmt: skip
    assert (call["queue"], call["extension"], call["ended_by"]) == ("back", "1001", "caller")
    assert float(call["talk_seconds"]) == pytest.approx(10, abs=3)


def ask(installation: Installation, number: str, *keys: str, caller: str = CUSTOMER) -> Any:
    """Ring `number`, ask for a callback, press these keys when the number was read, and hear that it will be."""
    asking = installation.switch.call(number, caller=caller)
    asking.wait_for("music")
    asking.press("2")
    for key in keys:
        asking.hear("callback_confirm")
        asking.press(key)
    return asking


def test_another_number_is_typed_and_a_missed_one_has_a_second_turn(installation: Installation) -> None:
    installation.on_duty()
    installation.switch.phone("1001", answer=1, talk=None)
    installation.switch.phone(OTHER, busy=True)
    caller = ask(installation, BACK, "2")
    caller.hear("callback_enter")
    caller.press("70101010#")
    caller.hear("callback_confirm")
    caller.press("1")
    caller.hear("callback_taken")
    caller.wait_for("ended")
    installation.choose("1001", "ready")
    installation.see("1001", work="wrap_up")

    def tried() -> Row:
        row = one(callbacks(installation, OTHER))
        assert row["attempts"] == 1
        return row

    row = eventually(tried)
    assert (row["state"], row["last_result"]) == ("owed", "busy")
    installation.switch.phone(OTHER, answer=1, talk=3, press="1")
    row = closed(installation, OTHER)
    assert attempts(installation, row) == [("busy", "1001"), ("answered", "1001")]

    def both() -> None:
        calls = installation.rows("SELECT * FROM report.calls WHERE called_number = %s ORDER BY started_at", OTHER)
        assert len(calls) == 2
        failed, reached = calls
        assert (failed["status"], failed["extension"], reached["status"]) == ("busy", "1001", "answered")

    eventually(both)


def test_a_machine_is_no_customer_and_after_enough_attempts_it_is_over(installation: Installation) -> None:
    installation.on_duty()
    installation.switch.phone("1001", answer=1, talk=None)
    installation.switch.phone(CUSTOMER, answer=1, talk=None)
    caller = ask(installation, LEAVE, "1")
    caller.wait_for("ended")
    installation.choose("1001", "ready")
    row = closed(installation, CUSTOMER, "failed")
    assert attempts(installation, row) == [("machine", "1001")]
    installation.switch.phone(CUSTOMER, answer=3, talk=10, press="1")


def test_one_number_is_owed_one_call_and_a_supervisor_may_cancel_it(installation: Installation) -> None:
    installation.on_duty()
    ask(installation, BACK, "1").hear("callback_taken")
    again = ask(installation, LEAVE, "1")
    again.hear("callback_known")
    again.wait_for("ended")
    row = callbacks(installation, CUSTOMER)[-1]
    live.wish(installation.redis, str(row["callback_id"]), "cancel", by="supervisor")
    row = closed(installation, CUSTOMER, "cancelled")
    assert row["closed_by"] == "supervisor"
    assert installation.report(again).call["status"] == "callback"


def test_who_calls_again_and_is_answered_is_owed_no_call_any_more(installation: Installation) -> None:
    installation.on_duty()
    ask(installation, BACK, "1").wait_for("ended")
    installation.switch.phone("1001", answer=1, talk=None)
    # The queue sales is served first.
    again = installation.switch.call(SALES, caller=CUSTOMER)
    again.wait_for("music")
    # Every process has heard of the callback by then.
    again.wait_until(20)
    installation.choose("1001", "ready")
    again.wait_for("talks", to="1001")
    row = closed(installation, CUSTOMER)
    again.hang_up()
    assert (row["attempts"], str(row["closed_call_id"])) == (0, again.call_id)
    assert row["closed_by"] == "customer reached in another call"


def test_an_agent_who_becomes_free_is_better_than_a_question(installation: Installation) -> None:
    installation.on_duty()
    installation.switch.phone("1001", answer=1, talk=None)
    caller = installation.switch.call(BACK)
    caller.wait_for("music")
    caller.press("2")
    caller.hear("callback_confirm")
    installation.choose("1001", "ready")
    caller.wait_for("talks", to="1001")
    caller.hang_up()
    assert installation.report(caller).call["status"] == "answered"


def test_an_agent_who_does_not_pick_up_leaves_it_to_the_next(installation: Installation) -> None:
    installation.on_duty()
    caller = ask(installation, BACK, "1")
    caller.wait_for("ended")
    installation.switch.phone("1001", refuse="CALL_REJECTED")
    installation.switch.phone("1002", answer=1, talk=None)
    installation.choose("1001", "ready")
    installation.see("1001", presence="pause", reason="rejected")
    installation.choose("1002", "ready")
    row = closed(installation, CUSTOMER)
    assert attempts(installation, row) == [("answered", "1002")]
    offers = installation.rows(
        "SELECT * FROM report.offers WHERE call_id = %s ORDER BY offered_at", row["closed_call_id"]
    )
    assert [(offer["extension"], offer["result"]) for offer in offers] == [("1001", "rejected"), ("1002", "answered")]


def test_callers_leave_by_key_and_keep_their_place(installation: Installation) -> None:
    installation.on_duty()
    caller = installation.switch.call(BACK)
    caller.wait_for("music")
    caller.press("5")
    caller.wait_until(caller.now + 8)
    first = installation.switch.call(PATIENT)
    first.wait_for("music")
    caller.press("9")
    caller.hear("queue_next")
    caller.hang_up()
    first.hang_up()
    report = installation.report(caller)
    assert [(entry["queue"], entry["result"]) for entry in report.entries] == [
        ("back", "exit_key"),
        ("patient", "abandoned"),
    ]
    assert report.entries[1]["position_at_entry"] == 1
    assert report.way[0][1] == "exit_key"


def test_a_message_is_left_by_key_and_keys_of_the_queue_are_no_answer_to_it(installation: Installation) -> None:
    installation.on_duty()
    caller = installation.switch.call(LEAVE, speaks=3)
    caller.wait_for("music")
    caller.press("8")
    caller.hear("voicemail_greeting")
    caller.wait_for("ended")
    report = installation.report(caller)
    assert (report.call["status"], [message["box"] for message in report.messages]) == ("voicemail", ["sales"])


def test_an_expected_wait_is_told_as_a_range_where_it_has_been_right_before(installation: Installation) -> None:
    installation.on_duty()
    pace = {"seconds_a_place": 150.0, "samples": 40, "low": 0.9, "high": 1.5, "error": 0.2}
    installation.redis.hset(keys.PACES, "leave", json.dumps(pace))
    caller = installation.switch.call(LEAVE)
    caller.hear("queue_next")
    caller.hear("queue_wait_between")
    told = [caller.wait_for("hears")["prompt"] for _ in range(4)]
    assert told == ["number_2", "and", "number_4", "minutes"]
    caller.hang_up()
    installation.redis.hset(keys.PACES, "leave", json.dumps(pace | {"error": 0.6}))
    caller = installation.switch.call(LEAVE)
    caller.hear("queue_next")
    caller.wait_until(caller.now + 8)
    caller.hang_up()
    installation.redis.hdel(keys.PACES, "leave")
    assert "queue_wait_between" not in caller.prompts
