"""The inbound side: authentication, originate, bridges and what becomes of the legs."""

import json
import time
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from engine.call.recovery import bridged_at_of_dump
from engine.virtual.client import Connection, SwitchRefuses

from .plans import AGENT, BRIEF, BUSY, PLAIN, RESUMING, RINGING
from .rig import Rig

DEFAULT_RINGING = 60
"""How many seconds a leg rings where nothing is said of it (switch_ivr_originate.c)."""


def _agent(control: Connection, number: str = AGENT) -> str:
    """An answered leg that waits."""
    uuid = str(uuid4())
    dial = f"{{origination_uuid={uuid},loopback_bowout=false,loopback_bowout_on_execute=false}}loopback/{number}/default/XML"
    assert control.background(f"originate {dial} &park()") == f"+OK {uuid}\n"
    return uuid


def test_a_wrong_password_is_refused(rig: Rig) -> None:
    with pytest.raises(SwitchRefuses):
        Connection.inbound("127.0.0.1", rig.control_port, "wrong")


def test_the_inbound_side_has_no_channel_of_its_own(rig: Rig) -> None:
    control = rig.inbound()
    assert control.send("connect").get("Reply-Text") == "-ERR command not found"
    assert control.send("linger").get("Reply-Text") == "-ERR not controlling a session"
    assert control.send("getvar x").get("Reply-Text") == "-ERR command not found"
    assert len(control.api("create_uuid")) == 36
    assert control.background("echo hi") == "hi"
    assert abs(int(control.api("strepoch")) - time.time()) < 5
    assert control.send("exit").get("Reply-Text") == "+OK bye"
    control.until_closed()
    assert len(control.notices) == 1


def test_originate_runs_its_application_on_the_answered_leg(rig: Rig) -> None:
    control = rig.inbound()
    control.send(
        "event plain CHANNEL_CREATE CHANNEL_PARK CHANNEL_EXECUTE_COMPLETE CHANNEL_HANGUP_COMPLETE CHANNEL_DESTROY"
    )
    uuid = _agent(control)
    control.event("CHANNEL_CREATE", **{"Unique-ID": uuid})
    assert control.event("CHANNEL_PARK", **{"Unique-ID": uuid}).get("Answer-State") == "answered"
    assert control.api(f"uuid_exists {uuid}") == "true"
    assert (
        control.send(
            f"sendmsg {uuid}",
            "call-command: execute",
            "execute-app-name: set",
            "execute-app-arg: a=b",
            "event-uuid: in-1",
        ).get("Reply-Text")
        == "+OK"
    )
    done = control.event("CHANNEL_EXECUTE_COMPLETE", **{"Application-UUID": "in-1"})
    assert (done.get("Unique-ID"), done.get("variable_a")) == (uuid, "b")
    assert control.api(f"uuid_kill {uuid} CALL_REJECTED") == "+OK\n"
    assert control.event("CHANNEL_HANGUP_COMPLETE", **{"Unique-ID": uuid}).get("Hangup-Cause") == "CALL_REJECTED"
    control.event("CHANNEL_DESTROY", **{"Unique-ID": uuid})
    assert control.api(f"uuid_exists {uuid}") == "false"
    assert control.api(f"uuid_kill {uuid}") == "-ERR No such channel!\n"


def test_a_quoted_application_of_several_words_sends_the_answered_leg_into_the_dialplan(rig: Rig) -> None:
    control = rig.inbound()
    control.send("event plain CHANNEL_HANGUP_COMPLETE")
    uuid = str(uuid4())
    dial = f"{{origination_uuid={uuid},loopback_bowout=false,loopback_bowout_on_execute=false}}loopback/{AGENT}/default/XML"
    assert control.background(f"originate {dial} '&transfer({BUSY} XML default)'") == f"+OK {uuid}\n"
    assert control.event("CHANNEL_HANGUP_COMPLETE", **{"Unique-ID": uuid}).get("Hangup-Cause") == "USER_BUSY"


def _seen(control: Connection, name: str, uuid: str) -> bool:
    return any(event.name == name and event.get("Unique-ID") == uuid for event in control.seen)


def test_originate_tells_why_it_failed(rig: Rig) -> None:
    control = rig.inbound()
    assert control.background(f"originate loopback/{BUSY}/default/XML &park()") == "-ERR USER_BUSY\n"
    assert control.api("originate error/CALL_REJECTED &park()") == "-ERR CALL_REJECTED\n"
    ringing = f"originate {{originate_timeout=2}}loopback/{RINGING}/default/XML &park()"
    began = time.monotonic()
    assert control.background(ringing) == "-ERR NO_ANSWER\n"
    assert 0.9 < time.monotonic() - began < DEFAULT_RINGING


def test_a_ringing_leg_can_be_killed(rig: Rig) -> None:
    control = rig.inbound()
    uuid = str(uuid4())
    control.send("event plain BACKGROUND_JOB CHANNEL_CREATE")
    dial = f"{{origination_uuid={uuid}}}loopback/{RINGING}/default/XML"
    control.send(f"bgapi originate {dial} &park()", "Job-UUID: ringing")
    control.event("CHANNEL_CREATE", **{"Unique-ID": uuid})
    control.listen(0.2)
    assert control.api(f"uuid_kill {uuid} ORIGINATOR_CANCEL") == "+OK\n"
    assert control.event("BACKGROUND_JOB", **{"Job-UUID": "ringing"}).text == "-ERR ORIGINATOR_CANCEL\n"


def test_uuid_bridge_joins_a_call_with_an_agent(rig: Rig) -> None:
    control = rig.inbound()
    _, call, uuid = rig.take(RESUMING)
    call.execute("set", "park_after_bridge=true", uuid="after", lock=True)
    call.execute("playback", "tone_stream://%(500,0,440);loops=-1", uuid="music")
    call.event("CHANNEL_EXECUTE", **{"Application-UUID": "music"})
    agent = _agent(control)
    assert control.api(f"uuid_bridge {uuid} {agent}") == f"+OK {agent}\n"
    bridged = call.event("CHANNEL_BRIDGE")
    assert bridged.get("Unique-ID") == bridged.get("Bridge-A-Unique-ID") == uuid
    assert bridged.get("Bridge-B-Unique-ID") == bridged.get("Other-Leg-Unique-ID") == agent
    assert "music" in [event.get("Application-UUID") for event in call.seen if event.name == "CHANNEL_EXECUTE_COMPLETE"]
    assert "CHANNEL_UNPARK" in [event.name for event in call.seen]
    assert control.api(f"uuid_getvar {uuid} bridge_uuid") == agent
    assert control.api(f"uuid_getvar {agent} bridge_uuid") == uuid
    control.api(f"uuid_kill {agent}")
    assert call.event("CHANNEL_UNBRIDGE").get("Bridge-B-Unique-ID") == agent
    call.event("CHANNEL_PARK")
    call.execute("set", "still=here", uuid="here")
    assert call.event("CHANNEL_EXECUTE_COMPLETE", **{"Application-UUID": "here"}).get("variable_still") == "here"


def test_after_a_bridge_without_a_wish_the_dialplan_goes_on(rig: Rig) -> None:
    control = rig.inbound()
    _, call, uuid = rig.take(RESUMING)
    agent = _agent(control)
    control.api(f"uuid_bridge {uuid} {agent}")
    call.event("CHANNEL_BRIDGE")
    control.api(f"uuid_kill {agent}")
    call.event("CHANNEL_UNBRIDGE")
    again = rig.accept()
    assert again.send("connect").get("Unique-ID") == uuid


def test_hangup_after_bridge_ends_the_caller_too(rig: Rig) -> None:
    control = rig.inbound()
    _, call, uuid = rig.take(RESUMING)
    control.api(f"uuid_setvar {uuid} hangup_after_bridge true")
    agent = _agent(control)
    control.api(f"uuid_bridge {uuid} {agent}")
    call.event("CHANNEL_BRIDGE")
    control.api(f"uuid_kill {agent}")
    assert call.event("CHANNEL_HANGUP").get("Hangup-Cause") == "NORMAL_CLEARING"


def test_when_the_caller_leaves_the_agent_is_free(rig: Rig) -> None:
    control = rig.inbound()
    control.send("event plain CHANNEL_HANGUP_COMPLETE")
    caller, call, uuid = rig.take(PLAIN)
    agent = _agent(control)
    control.api(f"uuid_bridge {uuid} {agent}")
    call.event("CHANNEL_BRIDGE")
    control.api(f"uuid_kill {caller}")
    assert control.event("CHANNEL_HANGUP_COMPLETE", **{"Unique-ID": agent}).get("Hangup-Cause") == "NORMAL_CLEARING"
    call.event("CHANNEL_UNBRIDGE")


def test_an_agent_can_be_kept_when_the_caller_leaves(rig: Rig) -> None:
    control = rig.inbound()
    caller, call, uuid = rig.take(PLAIN)
    agent = _agent(control)
    control.api(f"uuid_setvar {agent} park_after_bridge true")
    control.api(f"uuid_bridge {uuid} {agent}")
    call.event("CHANNEL_BRIDGE")
    control.send("event plain CHANNEL_PARK")
    control.api(f"uuid_kill {caller}")
    control.event("CHANNEL_PARK", **{"Unique-ID": agent})
    assert control.api(f"uuid_exists {agent}") == "true"


def test_the_engine_dies_during_a_talk(rig: Rig) -> None:
    """`socket_resume` off: the two go on talking, and the dialplan goes on when the agent hangs up."""
    control = rig.inbound()
    control.send("event plain CHANNEL_UNBRIDGE")
    _, call, uuid = rig.take(RESUMING)
    agent = _agent(control)
    control.api(f"uuid_setvar {uuid} socket_resume false")
    control.api(f"uuid_bridge {uuid} {agent}")
    call.event("CHANNEL_BRIDGE")
    call.close()
    assert rig.no_connection(0.6)
    control.listen(0.1)
    assert not _seen(control, "CHANNEL_UNBRIDGE", uuid)
    control.api(f"uuid_kill {agent}")
    assert rig.accept().send("connect").get("Unique-ID") == uuid


def test_the_engine_dies_during_a_talk_with_socket_resume(rig: Rig) -> None:
    control = rig.inbound()
    _, call, uuid = rig.take(RESUMING)
    agent = _agent(control)
    control.api(f"uuid_bridge {uuid} {agent}")
    call.event("CHANNEL_BRIDGE")
    call.close()
    assert rig.accept().send("connect").get("Unique-ID") == uuid


def test_the_bridge_application_comes_back_when_the_other_leg_ends(rig: Rig) -> None:
    _, call, uuid = rig.take(PLAIN)
    call.execute("bridge", f"{{loopback_bowout=false}}loopback/{BRIEF}/default/XML", uuid="bridge")
    assert call.event("CHANNEL_BRIDGE").get("Unique-ID") == uuid
    assert call.event("CHANNEL_UNBRIDGE").get("Unique-ID") == uuid
    done = call.event("CHANNEL_EXECUTE_COMPLETE", **{"Application-UUID": "bridge"})
    assert done.get("Answer-State") == "answered"
    assert call.send("getvar originate_disposition").get("Reply-Text") == "SUCCESS"
    assert call.send("getvar bridge_hangup_cause").get("Reply-Text") == "NORMAL_CLEARING"


def test_a_dump_tells_since_when_the_two_talk(rig: Rig) -> None:
    _, call, uuid = rig.take(PLAIN)
    control = rig.inbound()
    assert bridged_at_of_dump(control.api(f"uuid_dump {uuid} json")) is None
    began = datetime.now(UTC)
    call.execute("bridge", f"{{loopback_bowout=false}}loopback/{AGENT}/default/XML")
    call.event("CHANNEL_BRIDGE")
    since = bridged_at_of_dump(control.api(f"uuid_dump {uuid} json"))
    assert since is not None
    assert began - timedelta(seconds=1) < since < datetime.now(UTC) + timedelta(seconds=1)


def test_a_failed_bridge_ends_the_call_unless_it_may_go_on(rig: Rig) -> None:
    _, call, _ = rig.take(PLAIN)
    call.execute("set", "continue_on_fail=true", uuid="go-on")
    call.event("CHANNEL_EXECUTE_COMPLETE")
    call.execute("bridge", f"loopback/{BUSY}/default/XML", uuid="first")
    done = call.event("CHANNEL_EXECUTE_COMPLETE", **{"Application-UUID": "first"})
    assert (done.get("Answer-State"), done.get("variable_originate_disposition")) == ("answered", "USER_BUSY")
    call.execute("unset", "continue_on_fail", uuid="stop")
    call.event("CHANNEL_EXECUTE_COMPLETE")
    call.execute("bridge", f"loopback/{BUSY}/default/XML", uuid="second")
    assert call.event("CHANNEL_HANGUP").get("Hangup-Cause") == "USER_BUSY"


def test_hold_music_by_broadcast_reaches_one_leg(rig: Rig) -> None:
    control = rig.inbound()
    _, call, uuid = rig.take(PLAIN)
    assert control.api(f"uuid_broadcast {uuid} tone_stream://%(300,0,440) aleg") == "+OK Message sent\n"
    done = call.event("CHANNEL_EXECUTE_COMPLETE", Application="playback")
    assert done.get("Application-Response") == "FILE PLAYED"


def test_transfer_inline_replaces_what_runs(rig: Rig) -> None:
    control = rig.inbound()
    _, call, uuid = rig.take(PLAIN)
    call.execute("playback", "tone_stream://%(500,0,440);loops=-1", uuid="music")
    call.event("CHANNEL_EXECUTE", **{"Application-UUID": "music"})
    assert control.api(f"uuid_transfer {uuid} set:moved=yes,park: inline") == "+OK\n"
    done = call.event("CHANNEL_EXECUTE_COMPLETE", Application="set")
    assert done.get("variable_moved") == "yes"


def test_uuid_park_takes_a_leg_away_from_what_it_does(rig: Rig) -> None:
    control = rig.inbound()
    _, call, uuid = rig.take(PLAIN)
    call.execute("playback", "tone_stream://%(500,0,440);loops=-1", uuid="music")
    call.event("CHANNEL_EXECUTE", **{"Application-UUID": "music"})
    control.send("event plain CHANNEL_PARK")
    assert control.api(f"uuid_park {uuid}") == "+OK\n"
    control.event("CHANNEL_PARK", **{"Unique-ID": uuid})


def test_channels_are_listed(rig: Rig) -> None:
    control = rig.inbound()
    uuid = _agent(control)
    row: dict[str, str] = {}
    end = time.monotonic() + 10
    # FreeSWITCH lists from a table that it writes beside the calls, so it may be late.
    while row.get("callstate") != "ACTIVE" and time.monotonic() < end:
        control.listen(0.05)
        listed = json.loads(control.api("show channels as json"))
        assert listed["row_count"] == len(listed.get("rows", []))
        row = next((each for each in listed.get("rows", []) if each["uuid"] == uuid), {})
    assert (row.get("direction"), row.get("dest"), row.get("callstate")) == ("outbound", AGENT, "ACTIVE")
    table = control.api("show channels")
    assert uuid in table
    assert table.rstrip().endswith(" total.")
    assert control.api("hupall NORMAL_CLEARING").startswith("+OK")


def test_custom_events_come_to_those_who_asked(rig: Rig) -> None:
    control = rig.inbound()
    control.send("event plain CUSTOM own::kind")
    reply = control.send(
        "sendevent CUSTOM", "Event-Subclass: own::kind", "X-Some: a b%c", "content-type: text/plain", "content-length: 9",
        body="body: æ\n",
    )  # fmt: skip
    assert (reply.get("Reply-Text") or "").startswith("+OK ")
    event = control.event("CUSTOM")
    assert (event.get("Event-Subclass"), event.get("X-Some"), event.text) == ("own::kind", "a b%c", "body: æ\n")


def test_uuid_record_writes_a_file(rig: Rig) -> None:
    control = rig.inbound()
    _, call, uuid = rig.take(PLAIN)
    control.send("event plain RECORD_START RECORD_STOP")
    path = rig.folder / "beside.wav"
    assert control.api(f"uuid_record {uuid} start {path}") == "+OK Success\n"
    assert control.event("RECORD_START").get("Record-File-Path") == str(path)
    call.execute("playback", "tone_stream://%(700,0,440)", uuid="play")
    call.event("CHANNEL_EXECUTE_COMPLETE")
    assert control.api(f"uuid_record {uuid} stop {path}") == "+OK Success\n"
    assert control.event("RECORD_STOP").get("Record-File-Path") == str(path)
    assert path.stat().st_size > 4000
    assert control.api(f"uuid_record nobody start {path}") == "-ERR Cannot locate session!\n"
