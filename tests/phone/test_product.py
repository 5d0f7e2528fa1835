"""The finished thing on a real FreeSWITCH, as callers, agents and analysts meet it."""

from __future__ import annotations

import json
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dialplan.freeswitch import DeskPhone
from engine.bench.telephones import TelephonesBroken
from engine.live import keys, trials
from engine.records.tables import Agent
from tests.phone.house import (
    ASKED,
    BEEP,
    CLOSED,
    GREETING,
    MUSIC,
    NIMBLE,
    PATIENT,
    PLACE,
    SALES,
    SHUT,
    WORDY,
    House,
    OnLine,
)
from tests.phone.rig import PATIENCE, RigError, SipPhone
from tests.phone.tones import seconds_of_tone, when
from tests.phone.wire_phone import WirePhone
from tests.waiting import eventually

CALLER, AGENT = 700.0, 1000.0
KNOWN = "+4532101010"
"""Mette Dahl's, a customer of the demo company."""


def put_through(caller: OnLine, agent: SipPhone) -> None:
    """The agent's phone rings and is picked up."""
    agent.wait_for("incoming")
    agent.answer()
    agent.wait_for("established")
    caller.see(state="talk")


def they_talk(caller: OnLine, agent: SipPhone, seconds: float) -> None:
    """Each hears the other for so long."""
    agent.listen_for(CALLER, seconds)
    caller.phone.listen_for(AGENT, seconds)


def recording_of(house: House, path: str) -> Path:
    return house.home / "recordings" / path


def test_it_says_what_it_runs(house: House) -> None:
    named = house.settings
    assert house.ready == (
        f"ready admin=http://{named['POINTSMAN_HTTP']} esl={named['POINTSMAN_ESL']}"
        f" switch=freeswitch sip={named['POINTSMAN_SIP']}"
    )
    assert len(house.engines()) == 2


def test_a_call_through_the_menu_is_answered_and_told_as_on_the_virtual_switch(house: House) -> None:
    _wrap_up(house, 1)
    (agent,) = house.at_desk("1001", hertz=AGENT)
    caller = house.ring("5000", hertz=CALLER, caller_number=KNOWN)
    caller.see(node="menu")
    caller.phone.press("1")
    put_through(caller, agent)
    they_talk(caller, agent, 2)
    agent.hang_up()
    talked = agent.wait_for("closed")["at"] - agent.wait_for("established")["at"]
    eventually(lambda: _wrapped_up(house, caller))
    _wrap_up(house, 0)
    report = house.told_of(caller)
    call = report.call
    assert (call["status"], call["queue"], call["agent"], call["ended_by"]) == (
        "answered",
        "sales",
        "Anna Holm",
        "agent",
    )
    assert (call["called_number"], call["direction"], call["flow"]) == ("5000", "inbound", "main")
    assert (call["caller_number"], call["customer_name"]) == (KNOWN, "Mette Dahl")
    assert float(call["talk_seconds"]) == pytest.approx(talked, abs=1)
    assert report.legs == ["ivr", "queue", "talk", "ivr"]
    assert report.way[-2:] == [("menu", "1"), ("sales", "answered")]
    assert [(entry["result"], entry["agent"]) for entry in report.entries] == [("answered", "Anna Holm")]
    assert report.offered == [("1001", "answered")]
    pops = house.popped(caller, ("offered", "1001"), ("answered", "1001"), ("ended", "1001"))  # type: ignore[arg-type]
    assert pops[0]["customer"]["name"] == "Mette Dahl"
    (recording,) = report.recordings
    file = recording_of(house, recording["path"])
    assert float(recording["seconds"]) == pytest.approx(talked, abs=1)
    assert seconds_of_tone(file, CALLER, channel=0) > 1
    assert seconds_of_tone(file, AGENT, channel=1) > 1
    assert seconds_of_tone(file, AGENT, channel=0) == seconds_of_tone(file, CALLER, channel=1) == 0


def _wrap_up(house: House, seconds: int) -> None:
    with house.setting_up():
        Agent.update(wrap_up_seconds=seconds).where(Agent.extension == "1001").execute()


def _wrapped_up(house: House, caller: OnLine) -> None:
    assert house.told_of(caller).beside == ["offer", "wrap_up"]


def test_gone_in_the_menu(house: House) -> None:
    caller = house.ring("5000")
    caller.see(node="menu")
    caller.phone.hang_up()
    report = house.told_of(caller)
    assert (report.call["status"], report.call["ended_by"], report.legs) == ("abandoned_ivr", "caller", ["ivr"])
    assert report.way[-1] == ("menu", "hung_up")


def test_gone_in_the_queue(house: House) -> None:
    caller = house.ring(SALES)
    caller.see(state="queue")
    caller.phone.listen_for(MUSIC, 2)
    caller.phone.hang_up()
    report = house.told_of(caller)
    assert (report.call["status"], report.call["ended_by"]) == ("abandoned_queue", "caller")
    assert report.legs == ["ivr", "queue"]


def test_gone_while_it_rings(house: House) -> None:
    (agent,) = house.at_desk("1001")
    caller = house.ring(SALES)
    agent.wait_for("incoming")
    caller.phone.listen_for(MUSIC, 2)
    caller.phone.hang_up()
    agent.wait_for("closed")
    report = house.told_of(caller)
    assert (report.call["status"], report.call["agent"]) == ("abandoned_ringing", None)
    assert report.offered == [("1001", "caller_left")]
    house.popped(caller, ("offered", "1001"), ("missed", "1001"))  # type: ignore[arg-type]
    house.see("1001", presence="ready", work="idle")


def test_gone_in_the_talk(house: House) -> None:
    (agent,) = house.at_desk("1001")
    caller = house.ring(SALES)
    put_through(caller, agent)
    agent.listen_for(CALLER, 1)
    caller.phone.hang_up()
    agent.wait_for("closed")
    report = house.told_of(caller)
    assert (report.call["status"], report.call["ended_by"], report.call["agent"]) == ("answered", "caller", "Anna Holm")
    assert report.legs == ["ivr", "queue", "talk"]
    assert len(report.recordings) == 1


def test_a_phone_that_nobody_picks_up_is_followed_by_the_next(house: House) -> None:
    first, second = house.at_desk("1001", "1003")
    caller = house.ring(NIMBLE)
    silent = eventually(lambda: _ringing(first, second))
    other = second if silent is first else first
    other.answer_next()
    other.wait_for("established")
    silent.wait_for("closed")
    caller.see(state="talk", extension=other.extension)
    other.hang_up()
    report = house.told_of(caller)
    assert report.call["status"] == "answered"
    assert report.offered == [(silent.extension, "no_answer"), (other.extension, "answered")]
    house.see(silent.extension, presence="pause", reason="no_answer", work="idle")


def _ringing(*phones: SipPhone) -> SipPhone:
    """The only one of them that has rung."""
    (phone,) = [phone for phone in phones if phone.rung] or [None]
    assert phone is not None
    return phone


@pytest.mark.parametrize(
    ("meets", "result"), [("486 Busy Here", "busy"), ("603 Decline", "rejected"), (None, "unreachable")]
)
def test_a_phone_that_turns_the_call_away_is_followed_by_the_next(house: House, meets: str | None, result: str) -> None:
    desk = WirePhone(house.switch.sip, meets=meets or "")
    if meets is not None:
        desk.register(next(phone for phone in house.switch.phones if phone.extension == "1003"))
    else:
        house.switch.api("sofia profile internal flush_inbound_reg 1003@pointsman")
        # Nobody is to be paused for it: this phone was never there.
        house.redis.hdel(keys.PHONES, "1003")
    house.on_duty("1003")
    caller = house.ring(NIMBLE)
    house.see("1003", presence="pause")
    agent = house.switch.desk("1001")
    agent.register()
    agent.answer_next()
    house.choose("1001", "ready")
    agent.wait_for("established")
    caller.see(state="talk", extension="1001")
    agent.hang_up()
    report = house.told_of(caller)
    desk.close()
    assert report.offered == [("1003", result), ("1001", "answered")]
    assert report.call["status"] == "answered"


def test_after_hours_the_caller_is_told_so(house: House) -> None:
    caller = house.ring(CLOSED)
    report = house.told_of(caller)
    assert (report.call["status"], report.call["ended_by"]) == ("after_hours", "system")
    assert report.way == [("doors", "closed"), ("words", "next"), ("bye", "done")]
    assert seconds_of_tone(caller.phone.heard(), SHUT) > 0.6


def test_with_nobody_logged_in_a_message_is_taken(house: House) -> None:
    house.on_duty(otherwise="offline")
    caller = house.ring("5000", hertz=CALLER)
    caller.see(node="menu")
    caller.phone.press("1")
    caller.phone.listen_for(BEEP, 0.1)
    caller.see(state="voicemail")
    caller.phone.listen(2)
    caller.phone.press("#")
    report = house.told_of(caller)
    assert (report.call["status"], report.call["queue"], report.call["agent"]) == ("voicemail", "sales", None)
    assert report.call["ended_by"] == "system"
    assert [(entry["queue"], entry["result"]) for entry in report.entries] == [("sales", "no_agent")]
    house.check_message(report, CALLER, caller.number)


def test_keys_pressed_during_the_greeting_are_kept(house: House) -> None:
    (agent,) = house.at_desk("1001")
    caller = house.ring(WORDY)
    caller.phone.listen_for(GREETING, 0.1)
    caller.phone.press("1")
    put_through(caller, agent)
    agent.hang_up()
    report = house.told_of(caller)
    assert ("menu", "1") in report.way
    assert seconds_of_tone(caller.phone.heard(), ASKED["menu_main"]) == 0, (
        "they are asked nothing that they have answered"
    )


def test_a_colleague_is_rung_by_extension(house: House) -> None:
    anna, ben = house.at_desk("1001", "1002")
    began = datetime.now(UTC)
    anna.call("1002")
    ben.wait_for("incoming")
    ben.answer()
    ben.wait_for("established")
    anna.listen_for(AGENT, 0.6)
    ben.listen_for(AGENT, 0.6)
    ben.hang_up()
    anna.wait_for("closed")
    (row,) = _reported(house, "1001", since=began)
    assert (row["direction"], row["status"], row["extension"]) == ("internal", "answered", "1002")


def _reported(
    house: House, number: str, seconds: float = PATIENCE, since: datetime | None = None
) -> list[dict[str, object]]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        rows = house.rows(
            "SELECT * FROM report.calls WHERE caller_number = %s AND started_at >= %s ORDER BY started_at",
            number,
            since or datetime.fromtimestamp(0, UTC),
        )
        if rows:
            return rows
        time.sleep(0.05)
    raise RigError(f"no call from {number} was reported")


def test_the_place_is_told_over_the_music_which_goes_on(house: House) -> None:
    first = house.ring(PATIENT)
    first.see(state="queue")
    second = house.ring(PATIENT)
    second.see(state="queue")
    second.phone.listen_for(PLACE, 0.7)
    second.phone.listen_for(MUSIC, second.phone.heard_of(MUSIC) + 1.5)
    for caller in (first, second):
        caller.phone.hang_up()
        house.told_of(caller)
    heard = second.phone.heard()
    told = when(heard, PLACE)[0]
    assert len([at for at in when(heard, MUSIC) if at > told]) >= 15


NAMES = {
    "expansion": '"${system(touch %s)} ${system touch %s}"',
    "quotes": '"a\\"b\', touch %s ; x=\'y"',
    "escapes": '"Bob%%0AUnique-ID: x%%0D%%0A%%0Aapi system touch %s%%0A"',
    "braces": '"{origination_uuid=x,api_on_answer=system touch %s}[a=b]<c>|d,e^^:"',
}


@pytest.mark.parametrize("kind", NAMES)
def test_a_name_is_text_and_nothing_else(house: House, kind: str, tmp_path: Path) -> None:
    """Whatever a caller is called, nothing is run, no other call is harmed, and a name comes out that can be read."""
    mark = tmp_path / "pwned"
    name = NAMES[kind].replace("%s", str(mark)).replace("%%", "%")
    other = house.ring(SALES)
    other.see(state="queue")
    phone = WirePhone(house.switch.sip)
    number = f"+45870000{list(NAMES).index(kind):02d}"
    phone.call(PATIENT, f"{name} <sip:{number}@127.0.0.1>")
    desk = WirePhone(house.switch.sip, meets="486 Busy Here")
    desk.register(next(each for each in house.switch.phones if each.extension == "1002"))
    # Callers wait for them already, so they are rung before anybody could see them ready.
    house.choose("1002", "ready")
    invite = desk.wait("INVITE ")
    house.see("1002", presence="pause")
    phone.hang_up()
    (row,) = _reported(house, number)
    other.see(state="queue")
    other.phone.hang_up()
    house.told_of(other)
    phone.close()
    desk.close()
    shown = next(line for line in invite.split("\r\n") if line.startswith("From:"))
    assert f"<sip:{number}@" in shown
    assert not any(sign in shown.split("<sip:")[0].removeprefix("From:") for sign in "${}'\\;%"), shown
    assert row["call_id"] is not None
    assert not mark.exists()


def test_a_new_agents_phone_signs_in_without_anything_being_started_again(house: House) -> None:
    new = DeskPhone("1077", "Newcomer", "fresh from the page")
    with house.setting_up():
        Agent.create(name=new.name, extension=new.extension, sip_password=new.password)
    desk = WirePhone(house.switch.sip)

    def signs_in() -> None:
        try:
            desk.register(new)
        except TelephonesBroken as error:
            raise AssertionError(str(error)) from error

    try:
        eventually(signs_in)
    finally:
        desk.close()
        with house.setting_up():
            Agent.delete().where(Agent.extension == new.extension).execute()
        eventually(lambda: _not_shown(house, new.extension))


def _not_shown(house: House, extension: str) -> None:
    assert extension not in house.agents()


def test_a_call_that_is_asked_for_on_a_page_rings_the_chosen_phone_first(house: House) -> None:
    (phone,) = house.at_desk("1001", hertz=AGENT)
    call_id = str(uuid.uuid4())
    trials.ask(house.redis, trials.Trial(call_id=call_id, number="5000", extension="1001"))
    phone.wait_for("incoming")
    phone.answer()
    phone.wait_for("established")
    eventually(lambda: _at(house, call_id, "menu"))
    phone.hang_up()

    def told() -> None:
        query = "SELECT status, called_number, caller_number, flow FROM report.calls WHERE call_id = %s"
        wanted = {"status": "abandoned_ivr", "called_number": "5000", "caller_number": "1001", "flow": "main"}
        assert house.rows(query, call_id) == [wanted]

    eventually(told)
    nobody = str(uuid.uuid4())
    trials.ask(house.redis, trials.Trial(call_id=nobody, number="5000", extension="1099"))

    def failed() -> None:
        found = trials.find(house.redis, nobody)
        assert found
        assert (found.state, found.why.startswith("phone 1099 was not answered")) == ("failed", True)

    eventually(failed)


def _at(house: House, call_id: str, node: str) -> None:
    found = house.redis.hget(keys.CALLS, call_id)
    assert found
    assert json.loads(found)["node"] == node
