"""How agents are offered calls, on a real FreeSWITCH with real telephones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from conf.database import Database
from dialplan import destinations, scenarios, store
from dialplan.destinations import ToRingGroup
from dialplan.scenarios import GroupPhone, RingGroup
from engine.records import queue_store
from engine.records.queues import AgentSettings, QueueSettings, WrapUp
from engine.records.tables import Agent, Queue
from tests.phone.house import EIGHT, MUSIC, PLACE, House
from tests.phone.tones import seconds_of_tone, when, write_tone
from tests.phone.wire_phone import WirePhone
from tests.waiting import eventually

CALLER, AGENT = 700.0, 1000.0
TOLD, ALL, OFFICE, SLOW, WORDY, NAMED = "5060", "5061", "5062", "5063", "5064", "5065"
"""Numbers of a queue that whispers (the words are the tone PLACE), one that rings all, a ring group, one with an endless
time to write up, one that whispers for so long that nobody hears the end of it, and one that tells who calls."""
RINGS = 30
"""How many seconds the queues ring: longer than any phone here takes to be answered."""


@pytest.fixture(scope="module", autouse=True)
def set_up(running_in_house: House) -> Iterator[None]:
    write_tone(_long_whisper(running_in_house), PLACE, 19.0)
    with running_in_house.setting_up() as db:
        for number, name, strategy, settings in (
            (TOLD, "told", "longest_idle", QueueSettings(whisper=("queue_position",))),
            (ALL, "all", "ring_all", QueueSettings()),
            (WORDY, "wordy", "longest_idle", QueueSettings(whisper=("long_whisper",))),
            (NAMED, "named", "longest_idle", QueueSettings(announce_caller=True)),
            (SLOW, "slow", "longest_idle", QueueSettings(wrap_up=WrapUp(mode="endless"))),
        ):
            with db.connection_context():
                queue = Queue.create(name=name, title=name.title(), ring_seconds=RINGS, announce_seconds=0)
                queue_store.save_queue_rules(db, queue.id, strategy, settings)
            store.save_number(db, number, name, destinations.ToQueue(name), country="DK")
        office = RingGroup("office", "Office", (GroupPhone("1001"), GroupPhone("1003", 2)), seconds=RINGS)
        with db.connection_context():
            db.execute_sql(
                "INSERT INTO ring_group (name, title, document) VALUES ('office', 'Office', %s::jsonb)",
                (queue_store._json(scenarios.encode_group(office)),),
            )
        store.save_number(db, OFFICE, "Office", ToRingGroup("office"), country="DK")
        _auto_answer(db, True)
    yield
    with running_in_house.setting_up() as db:
        _auto_answer(db, False)


def _long_whisper(house: House) -> Path:
    return house.home / "prompts" / "en" / "long_whisper.wav"


def _auto_answer(db: Database, on: bool) -> None:
    with db.connection_context():
        queue_store.save_agent_rules(db, Agent.get(Agent.extension == "1004").id, AgentSettings(auto_answer=on))


def test_the_agent_is_told_first_while_the_caller_hears_the_music(house: House) -> None:
    (agent,) = house.at_desk("1001", hertz=AGENT)
    caller = house.ring(TOLD, hertz=CALLER)
    agent.wait_for("incoming")
    caller.phone.listen_for(MUSIC, 0.5)
    while_it_rings = caller.phone.heard_of(MUSIC)
    agent.answer()
    caller.see(state="talk")
    agent.listen_for(CALLER, 1)
    caller.phone.listen_for(AGENT, 1)
    agent.hang_up()
    assert house.told_of(caller).offered == [("1001", "answered")]
    heard_by_agent, heard_by_caller = agent.heard(), caller.phone.heard()
    assert 0.6 <= seconds_of_tone(heard_by_agent, PLACE) <= 1.4
    assert seconds_of_tone(heard_by_caller, PLACE) == 0
    assert seconds_of_tone(heard_by_caller, MUSIC) >= while_it_rings + 0.8
    assert when(heard_by_agent, PLACE)[-1] <= when(heard_by_agent, CALLER)[0]
    talk = when(heard_by_caller, AGENT)
    assert not [at for at in when(heard_by_caller, MUSIC) if talk[0] < at < talk[-1]]


def test_the_agent_is_told_who_calls(house: House) -> None:
    (agent,) = house.at_desk("1001", hertz=AGENT)
    caller = house.ring(NAMED, hertz=CALLER)
    agent.wait_for("incoming")
    agent.answer()
    agent.listen_for(EIGHT, 0.2 * caller.number.count("8"))
    caller.see(state="talk")
    agent.listen_for(CALLER, 0.5)
    agent.hang_up()
    assert house.told_of(caller).offered == [("1001", "answered")]
    assert seconds_of_tone(caller.phone.heard(), EIGHT) == 0


def test_who_hangs_up_while_they_are_told_has_refused_and_the_next_one_rings(house: House) -> None:
    (first,) = house.at_desk("1001", hertz=AGENT)
    caller = house.ring(WORDY)
    first.wait_for("incoming")
    first.answer()
    first.listen_for(PLACE, 0.2)
    first.hang_up()
    house.see("1001", presence="pause", reason="rejected")
    write_tone(_long_whisper(house), PLACE, 0.4)
    second = house.comes("1003", hertz=AGENT)
    second.wait_for("incoming")
    second.answer()
    caller.see(state="talk")
    caller.phone.hang_up()
    assert house.told_of(caller).offered == [("1001", "rejected"), ("1003", "answered")]


def test_all_phones_ring_and_the_quickest_has_the_call(house: House) -> None:
    first, second = house.at_desk("1001", "1003", hertz=AGENT)
    caller = house.ring(ALL)
    first.wait_for("incoming")
    second.wait_for("incoming")
    second.answer()
    caller.see(state="talk", extension="1003")
    first.wait_for("closed")
    house.see("1001", presence="ready", work="idle")
    caller.phone.hang_up()
    assert sorted(house.told_of(caller).offered) == [("1001", "taken"), ("1003", "answered")]


def test_one_of_all_who_refuses_is_paused_while_the_others_ring_on(house: House) -> None:
    first, second = house.at_desk("1001", "1003", hertz=AGENT)
    caller = house.ring(ALL)
    first.wait_for("incoming")
    second.wait_for("incoming")
    first.reject()
    house.see("1001", presence="pause", reason="busy", work="idle")
    second.answer()
    caller.see(state="talk", extension="1003")
    caller.phone.hang_up()
    assert sorted(house.told_of(caller).offered) == [("1001", "busy"), ("1003", "answered")]


def test_the_phone_of_one_who_answers_by_headset_is_told_to_pick_up(house: House) -> None:
    phone = WirePhone(house.switch.sip)
    phone.register(next(each for each in house.switch.phones if each.extension == "1004"))
    house.on_duty("1004")
    caller = house.ring(ALL)
    invite = phone.wait("INVITE ")
    assert "Call-Info: <sip:127.0.0.1>;answer-after=0" in invite
    assert "Alert-Info: <info=alert-autoanswer>" in invite
    house.see("1004", presence="pause", reason="busy")
    caller.phone.hang_up()
    house.told_of(caller)
    phone.close()


def test_the_second_phone_of_a_group_rings_later(house: House) -> None:
    first, second = house.at_desk("1001", "1003", hertz=AGENT)
    caller = house.caller()
    caller.phone.call(OFFICE)
    first.wait_for("incoming")
    second.wait_for("incoming")
    since = eventually(lambda: _both(house.switch.rung_since()))
    # FreeSWITCH counts the seconds of the clock: two of them may last little more than one.
    assert 1 <= since["1003"] - since["1001"] < RINGS / 2
    second.answer()
    caller.see(state="talk", extension="1003")
    first.wait_for("closed")
    caller.phone.hang_up()
    assert house.told_of(caller).way[-1][0] == "group"


def _both(since: dict[str, int]) -> dict[str, int]:
    """FreeSWITCH lists the calls from a table that it writes beside them, so it may be late."""
    assert set(since) == {"1001", "1003"}
    return since


def test_codes_are_dialled_on_a_desk_phone(house: House) -> None:
    (agent,) = house.at_desk("1001", hertz=AGENT)
    agent.call("*422")
    agent.wait_for("established")
    house.see("1001", presence="pause", reason="lunch")
    agent.wait_for("closed")
    agent.forget()
    agent.call("*43")
    agent.wait_for("established")
    agent.wait_for("closed")
    house.see("1001", presence="ready", reason=None)


def test_the_work_after_a_call_ends_by_code(house: House) -> None:
    (agent,) = house.at_desk("1001", hertz=AGENT)
    caller = house.ring(SLOW)
    agent.wait_for("incoming")
    agent.answer()
    caller.see(state="talk")
    agent.hang_up()
    house.see("1001", work="wrap_up", wrap_until=None)
    agent.wait_for("closed")
    agent.forget()
    agent.call("*44")
    agent.wait_for("closed")
    house.see("1001", presence="ready", work="idle")
    house.told_of(caller)


def test_an_agent_whose_phone_signs_out_is_paused(house: House) -> None:
    before = house.redis.hget("phones", "1001")
    (agent,) = house.at_desk("1001")
    eventually(lambda: _signed_in(house, "1001", before))
    agent.unregister()
    house.see("1001", presence="pause", reason="phone_gone")


def _signed_in(house: House, extension: str, before: str | None) -> None:
    """The switch has told where this phone, unlike one of an earlier test, has signed in from."""
    assert house.redis.hget("phones", extension) not in (None, before)
