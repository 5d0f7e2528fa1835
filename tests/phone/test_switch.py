"""FreeSWITCH as our configuration makes it: who may call, what it opens, and what a lost engine costs a caller."""

from __future__ import annotations

import stat
from contextlib import closing

import psutil
import pytest

from tests.phone.controller import CallWire, Engine, Wire, control, originate
from tests.phone.rig import RigError, RunningSwitch, SipPhone
from tests.phone.tones import seconds_of_tone

CALLER, AGENT = 700.0, 1000.0
"""The tones that the two parties speak."""


def connected(engine: Engine, caller: SipPhone, number: str = "5000") -> CallWire:
    caller.call(number)
    call = engine.next_call()
    call.execute("answer")
    caller.wait_for("established")
    return call


def talk(call: CallWire, link: Wire, agent: SipPhone) -> str:
    """Put the caller through to the agent, as the engine does; the uuid of the agent's leg."""
    leg, job = originate(link, agent.extension, ignore_early_media="true", originate_timeout="60")
    agent.wait_for("incoming")
    agent.answer()
    assert link.wait("BACKGROUND_JOB", Job_UUID=job)["body"].strip() == f"+OK {leg}"
    assert link.api(f"uuid_bridge {call.uuid} {leg}").startswith("+OK")
    call.wait("CHANNEL_BRIDGE", Other_Leg_Unique_ID=leg)
    return leg


def test_a_phone_registers_with_its_password_and_with_no_other(switch: RunningSwitch) -> None:
    phone = switch.desk("1001")
    phone.register()
    assert "1001@" in switch.api("sofia status profile internal reg")
    stranger = switch.desk("1002", password="guessed")
    with pytest.raises(RigError, match="403"):
        stranger.register()
    nobody = switch.desk("1999", password="guessed")
    with pytest.raises(RigError, match="403"):
        nobody.register()


def test_where_no_trunk_is_only_signed_in_phones_call(strict: RunningSwitch) -> None:
    with closing(Engine(strict.engine)) as engine:
        stranger = strict.desk("1001", password="")
        stranger.call("5000")
        assert stranger.wait_for("closed")["text"].startswith(("401", "403", "407"))
        with pytest.raises(RigError, match="no call"):
            engine.next_call(0.3)

        phone = strict.desk("1002")
        phone.call("5000")
        call = engine.next_call()
        assert call.data["variable_pointsman_extension"] == "1002"
        assert call.data["Channel-Destination-Number"] == "5000"
        call.hang_up("USER_BUSY")
        assert phone.wait_for("closed")["text"].startswith("486")


def test_a_phone_that_is_not_there_is_told_at_once(switch: RunningSwitch, link: Wire) -> None:
    _, job = originate(link, "1003", originate_timeout="60")
    assert link.wait("BACKGROUND_JOB", Job_UUID=job)["body"].strip() == "-ERR USER_NOT_REGISTERED"


def test_a_phone_that_is_not_answered_says_why(switch: RunningSwitch, link: Wire) -> None:
    phone = switch.desk("1001")
    phone.register()
    _, job = originate(link, "1001", originate_timeout="60")
    phone.wait_for("incoming")
    phone.reject()
    assert link.wait("BACKGROUND_JOB", Job_UUID=job)["body"].strip() == "-ERR USER_BUSY"
    phone.wait_for("closed")
    phone.forget()
    _, job = originate(link, "1001", originate_timeout="1")
    phone.wait_for("incoming")
    assert link.wait("BACKGROUND_JOB", Job_UUID=job)["body"].strip() == "-ERR NO_ANSWER"
    phone.wait_for("closed")


def test_caller_and_agent_hear_each_other_and_are_recorded_apart(
    switch: RunningSwitch, engine: Engine, link: Wire
) -> None:
    agent = switch.desk("1001", hertz=AGENT)
    agent.register()
    caller = switch.outside("+4532101010", hertz=CALLER)
    call = connected(engine, caller)
    assert call.data["Caller-Caller-ID-Number"] == "+4532101010"

    gathered = call.execute("play_and_get_digits", "1 1 1 5000 # silence_stream://5000 silence_stream://250 choice \\d")
    call.wait("PLAYBACK_START")
    caller.press("1")
    assert call.wait("DTMF")["DTMF-Digit"] == "1"
    assert call.finished(gathered)["variable_choice"] == "1"

    for setting in ("park_after_bridge=true", "socket_resume=false", "RECORD_STEREO=true"):
        call.finished(call.execute("set", setting))
    music = call.execute("playback", "local_stream://music")
    call.wait("CHANNEL_EXECUTE", Application_UUID=music)
    leg = talk(call, link, agent)
    call.finished(music)
    recording = switch.folder / "talk.wav"
    assert link.api(f"uuid_record {call.uuid} start {recording}").startswith("+OK")
    pressed = len(call.events)
    caller.press("5")
    call.wait("DTMF", DTMF_Digit="5")
    assert pressed < len(call.events)
    # From here on, as they are recorded from here on.
    caller.listen_for(AGENT, caller.heard_of(AGENT) + 0.8)
    agent.listen_for(CALLER, agent.heard_of(CALLER) + 0.8)

    agent.hang_up()
    call.wait("CHANNEL_UNBRIDGE")
    call.wait("CHANNEL_PARK", Channel_State="CS_PARK")
    assert link.api(f"uuid_record {call.uuid} stop {recording}").startswith("+OK")
    assert call.wait("RECORD_STOP")["Record-File-Path"] == str(recording)
    assert link.api(f"uuid_exists {leg}") == "false"
    assert (
        call.finished(call.execute("playback", "tone_stream://%(300,0,1700)"))["Application-Response"] == "FILE PLAYED"
    )
    call.hang_up()

    assert seconds_of_tone(caller.heard(), 1700) >= 0.2
    assert seconds_of_tone(recording, CALLER, channel=0) > 0.5
    assert seconds_of_tone(recording, AGENT, channel=1) > 0.5
    assert seconds_of_tone(recording, AGENT, channel=0) == 0
    assert seconds_of_tone(recording, CALLER, channel=1) == 0


def test_a_bridge_to_a_caller_who_has_gone_is_refused(switch: RunningSwitch, engine: Engine, link: Wire) -> None:
    """The agent's leg is left waiting, so that whoever asked for it must end it."""
    agent = switch.desk("1001")
    agent.register()
    caller = switch.outside("+4532101010")
    call = connected(engine, caller)
    leg, job = originate(link, "1001")
    agent.wait_for("incoming")
    caller.hang_up()
    link.wait("CHANNEL_HANGUP_COMPLETE", Unique_ID=call.uuid)
    agent.answer()
    link.wait("BACKGROUND_JOB", Job_UUID=job)
    assert link.api(f"uuid_bridge {call.uuid} {leg}").startswith("-ERR")
    assert link.api(f"uuid_kill {leg}") == "+OK"
    agent.wait_for("closed")


def test_a_caller_in_the_menu_is_taken_over_when_the_engine_dies(switch: RunningSwitch, engine: Engine) -> None:
    caller = switch.outside("+4532101010")
    call = connected(engine, caller)
    call.execute("playback", "local_stream://music")
    call.wait("PLAYBACK_START")
    call.close()
    again = engine.next_call()
    assert again.uuid == call.uuid
    assert again.data["Answer-State"] == "answered"


def test_a_caller_whom_no_engine_takes_hears_an_apology(switch: RunningSwitch) -> None:
    caller = switch.outside("+4532101010")
    caller.call("5000")
    assert seconds_of_tone(caller.heard(), 1500) > 0.5


def test_text_from_outside_runs_no_command(switch: RunningSwitch, engine: Engine) -> None:
    """Arguments are taken as they stand; `set` alone looks into its value by itself, and gets no command run either."""
    call = connected(engine, switch.outside("+4532101010"))
    played = call.finished(call.execute("playback", "${uuid}.wav"))
    assert (played["Application-Data"], played["Application-Response"]) == ("${uuid}.wav", "FILE NOT FOUND")
    call.finished(call.execute("set", "said=${status()}"))
    assert switch.api(f"uuid_getvar {call.uuid} said") == "<API Execute Permission Denied>"


def test_it_is_open_to_nobody_but_this_machine(switch: RunningSwitch) -> None:
    with pytest.raises(RigError, match="invalid"):
        control(switch.control, "ClueCon")
    sockets = psutil.Process(switch.pid).net_connections("inet")
    assert {connection.laddr.ip for connection in sockets} == {"127.0.0.1"}
    listening = {connection.laddr.port for connection in sockets if connection.status == psutil.CONN_LISTEN}
    assert listening == {switch.control.port, switch.sip.port}
    configuration = switch.folder / "conf" / "freeswitch.xml"
    assert stat.S_IMODE(configuration.stat().st_mode) == 0o600
    assert all(phone.password not in configuration.read_text() for phone in switch.phones)
