"""Waiting on a real FreeSWITCH: left by key, called back, and no announcement between a caller and an agent."""

from __future__ import annotations

import json

import pytest

from dialplan import destinations, store
from engine.records.tables import Queue
from tests.call.installation import one
from tests.call.report import Row
from tests.phone.house import ASKED, BEEP, MUSIC, House
from tests.phone.rig import SipPhone
from tests.phone.tones import seconds_of_tone, when, write_tone
from tests.waiting import eventually

BACK = "5041"
CUSTOMER, AGENT, COMFORT = 700.0, 1000.0, 1450.0
COMFORT_SECONDS = 20.0
RULES = {
    "callback": {"offer_after_seconds": 60, "key": "2", "attempts": 2, "gap_seconds": 10},
    "ways_out": {"keys": {"8": {"to": "voicemail", "box": "sales"}}},
    "position": {"say": False},
    "comfort": {"prompts": ["long_comfort"], "every_seconds": 5},
}


@pytest.fixture(autouse=True, scope="module")
def _queue(running_in_house: House) -> None:
    write_tone(running_in_house.home / "prompts" / "en" / "long_comfort.wav", COMFORT, COMFORT_SECONDS)
    with running_in_house.setting_up() as db:
        with db.connection_context():
            Queue.create(name="back", title="Back", short_abandon_seconds=0)
            db.execute_sql("UPDATE queue SET rules = %s::jsonb WHERE name = 'back'", (json.dumps(RULES),))
        store.save_number(db, BACK, "Back", destinations.decode({"to": "queue", "queue": "back"}), country="DK")


def test_an_announcement_is_heard_over_the_music_and_does_not_keep_an_agent_waiting(house: House) -> None:
    agent = house.switch.desk("1001", hertz=AGENT)
    agent.register()
    caller = house.ring(BACK, hertz=CUSTOMER)
    caller.phone.listen_for(COMFORT, 0.5)
    house.choose("1001", "ready")
    agent.wait_for("incoming")
    agent.answer()
    answered = agent.wait_for("established")["at"]
    caller.see(state="talk")
    caller.phone.listen_for(AGENT, 0.5)
    caller.phone.hang_up()
    report = house.told_of(caller)
    heard = caller.phone.heard()
    said = seconds_of_tone(heard, COMFORT)
    # A good part of the words was still to come when the agent answered, and was neither waited for nor heard.
    assert said < COMFORT_SECONDS - 5
    (talk,) = [part for part in report.segments if part["kind"] == "talk"]
    assert talk["started_at"].timestamp() - answered < min(5, COMFORT_SECONDS - said)
    assert len([at for at in when(heard, MUSIC) if at < when(heard, COMFORT)[0]]) > 30
    assert when(heard, COMFORT)[-1] <= when(heard, AGENT)[0]


def test_a_message_is_left_by_key_out_of_the_queue(house: House) -> None:
    caller = house.ring(BACK, hertz=CUSTOMER)
    caller.phone.listen_for(MUSIC, 0.5)
    caller.phone.press("5")
    caller.phone.listen_for(MUSIC, 1)
    caller.phone.press("8")
    caller.phone.listen_for(BEEP, 0.2)
    caller.see(state="voicemail")
    caller.phone.listen(2)
    caller.phone.hang_up()
    report = house.told_of(caller)
    assert [(entry["queue"], entry["result"]) for entry in report.entries] == [("back", "exit_key")]
    assert (report.call["status"], report.call["ended_by"]) == ("voicemail", "caller")
    house.check_message(report, CUSTOMER, caller.number)


def asked_for(house: House, phone: SipPhone, number: str) -> None:
    """Ring the queue and ask for a callback to this very phone."""
    phone.call(BACK)
    phone.wait_for("established")
    phone.listen_for(MUSIC, 0.5)
    assert [call["state"] for call in house.board.snapshot()["calls"] if call["from"] == number] == ["queue"]
    phone.press("2")
    phone.listen_for(ASKED["callback_confirm"], 0.2)
    phone.press("1")
    phone.wait_for("closed")
    phone.forget()


def owed(house: House) -> Row:
    return house.rows("SELECT * FROM report.callbacks ORDER BY asked_at DESC LIMIT 1")[0]


def test_a_customer_is_called_back_by_the_agent_whose_turn_it_is(house: House) -> None:
    customer = house.switch.desk("1004", hertz=CUSTOMER)
    customer.register()
    asked_for(house, customer, "1004")
    agent = house.comes("1001", hertz=AGENT)
    agent.wait_for("incoming")
    agent.answer()
    customer.wait_for("incoming")
    customer.answer()
    customer.wait_for("established")
    customer.listen_for(ASKED["callback_greeting"], 0.2)
    customer.press("1")
    customer.listen_for(AGENT, 2)
    agent.listen_for(CUSTOMER, 2)
    customer.hang_up()
    agent.wait_for("closed")
    eventually(lambda: _tried(house, 1, "answered"))
    row = owed(house)
    assert (row["state"], row["queue"], row["number"]) == ("done", "back", "1004")

    def reported() -> Row:
        return one(house.rows("SELECT * FROM report.calls WHERE call_id = %s", row["closed_call_id"]))

    call = eventually(reported)
    assert (call["status"], call["direction"], call["extension"], call["ended_by"]) == (
        "answered", "outbound", "1001", "caller",
    )  # fmt: skip
    (recording,) = house.rows("SELECT * FROM recording WHERE call_id = %s", row["closed_call_id"])
    file = house.home / "recordings" / recording["path"]
    assert seconds_of_tone(file, CUSTOMER, channel=0) > 1
    assert seconds_of_tone(file, AGENT, channel=1) > 1


def _tried(house: House, times: int, result: str) -> None:
    row = owed(house)
    assert (row["attempts"], row["last_result"]) == (times, result)
