"""How calls end: hang-ups at every moment, lingering, refusals, lost connections."""

import time

import pytest

from engine.virtual.client import Connection

from .plans import MORE_BEHIND, NOBODY, PLAIN, RESUMING, SECOND_HOST
from .rig import Rig
from .test_running import tone


def ending(call: Connection) -> list[str]:
    """What the channel tells from its playback's end on, states left out, and without the hang-up itself: that is told by
    whoever hangs up, and the rest by the channel, so they come in no order."""
    told = [
        f"{event.name} {event.get('Application')}" if event.name == "CHANNEL_EXECUTE_COMPLETE" else event.name
        for event in call.seen
        if event.name not in ("CHANNEL_STATE", "CHANNEL_HANGUP")
    ]
    return told[told.index("CHANNEL_EXECUTE_COMPLETE playback") :]


def test_the_order_of_the_last_events(rig: Rig) -> None:
    _, call, uuid = rig.take(PLAIN)
    call.execute("playback", tone(9000), uuid="play")
    call.event("CHANNEL_EXECUTE", **{"Application-UUID": "play"})
    assert call.api(f"uuid_kill {uuid} NORMAL_CLEARING") == "+OK\n"
    call.event("CHANNEL_HANGUP_COMPLETE")
    assert ending(call) == [
        "CHANNEL_EXECUTE_COMPLETE playback",
        "CHANNEL_UNPARK",
        "CHANNEL_EXECUTE_COMPLETE socket",
        "CHANNEL_HANGUP_COMPLETE",
    ]
    assert [event.name for event in call.seen].count("CHANNEL_HANGUP") == 1
    complete = call.seen[-1]
    assert complete.get("Hangup-Cause") == "NORMAL_CLEARING"
    assert complete.get("Answer-State") == "hangup"
    assert complete.get("Channel-State") == "CS_REPORTING"
    assert int(complete.get("Caller-Channel-Hangup-Time") or 0) > 0


def test_the_caller_hangs_up_during_a_playback(rig: Rig) -> None:
    caller, call, _ = rig.take(PLAIN)
    call.execute("playback", tone(9000), uuid="play")
    call.event("CHANNEL_EXECUTE", **{"Application-UUID": "play"})
    rig.inbound().api(f"uuid_kill {caller}")
    done = call.event("CHANNEL_EXECUTE_COMPLETE", **{"Application-UUID": "play"})
    # On FreeSWITCH it depends on where in its loop the hang-up meets it (switch_ivr_play_say.c, switch_ivr_play_file).
    assert done.get("Application-Response") in ("PLAYBACK ERROR", "FILE PLAYED")
    assert call.event("CHANNEL_HANGUP_COMPLETE").get("Hangup-Cause") == "NORMAL_CLEARING"


def test_linger_gives_two_notices(rig: Rig) -> None:
    _, call, uuid = rig.take(PLAIN, linger="linger 1")
    call.send("sendmsg", "call-command: hangup", "hangup-cause: NORMAL_CLEARING")
    call.event("CHANNEL_HANGUP_COMPLETE")
    assert call.send("getvar hangup_cause").get("Reply-Text") == "NORMAL_CLEARING"
    call.until_closed()
    first, second = call.notices
    assert (first.get("Content-Disposition"), first.get("Linger-Time")) == ("linger", "1")
    assert first.get("Controlled-Session-UUID") == second.get("Controlled-Session-UUID") == uuid
    assert second.get("Content-Disposition") == "disconnect"
    assert len(second.body) == 67


def test_without_linger_there_is_one_notice(rig: Rig) -> None:
    _, call, _ = rig.take(PLAIN, linger="")
    call.send("sendmsg", "call-command: hangup")
    call.until_closed()
    assert [notice.get("Content-Disposition") for notice in call.notices] == ["disconnect"]


def test_a_hangup_waits_behind_a_locked_application(rig: Rig) -> None:
    _, call, _ = rig.take(PLAIN)
    began = time.monotonic()
    call.execute("playback", tone(800), uuid="locked", lock=True)
    call.send("sendmsg", "call-command: hangup")
    done = call.event("CHANNEL_EXECUTE_COMPLETE")
    assert (done.get("Application-UUID"), done.get("Answer-State")) == ("locked", "answered")
    call.event("CHANNEL_HANGUP")
    assert time.monotonic() - began > 0.7


def test_a_hangup_interrupts_an_unlocked_application(rig: Rig) -> None:
    _, call, _ = rig.take(PLAIN)
    call.execute("playback", tone(9000), uuid="free")
    call.event("CHANNEL_EXECUTE", **{"Application-UUID": "free"})
    call.send("sendmsg", "call-command: hangup")
    call.event("CHANNEL_HANGUP")
    assert call.event("CHANNEL_EXECUTE_COMPLETE").get("Application-Response") == "FILE PLAYED"


@pytest.mark.parametrize("cause", ["USER_BUSY", "CALL_REJECTED", "SERVICE_UNAVAILABLE"])
def test_a_refusal_before_the_answer_tells_its_cause(rig: Rig, cause: str) -> None:
    watcher = rig.inbound()
    watcher.send("event plain BACKGROUND_JOB CHANNEL_HANGUP_COMPLETE")
    _, call, uuid = rig.take(PLAIN, answer=False)
    call.send("sendmsg", "call-command: hangup", f"hangup-cause: {cause}")
    done = watcher.event("CHANNEL_HANGUP_COMPLETE", **{"Unique-ID": uuid})
    assert done.get("Hangup-Cause") == cause
    assert done.get("Caller-Channel-Answered-Time") == "0"


def test_an_unknown_cause_becomes_normal_clearing(rig: Rig) -> None:
    _, call, _ = rig.take(PLAIN)
    call.send("sendmsg", "call-command: hangup", "hangup-cause: NOT_A_CAUSE")
    assert call.event("CHANNEL_HANGUP").get("Hangup-Cause") == "NORMAL_CLEARING"


def test_an_unknown_application_ends_the_call(rig: Rig) -> None:
    _, call, _ = rig.take(PLAIN)
    assert call.execute("no_such_application", "x", uuid="unknown") == "+OK"
    assert call.event("CHANNEL_HANGUP").get("Hangup-Cause") == "DESTINATION_OUT_OF_ORDER"
    call.event("CHANNEL_HANGUP_COMPLETE")
    assert "unknown" not in [event.get("Application-UUID") for event in call.seen]


def test_the_caller_leaves_before_the_answer(rig: Rig) -> None:
    caller, call, _ = rig.take(PLAIN, answer=False)
    rig.inbound().api(f"uuid_kill {caller} ORIGINATOR_CANCEL")
    done = call.event("CHANNEL_HANGUP_COMPLETE")
    assert done.get("Caller-Channel-Answered-Time") == "0"


def test_with_nobody_listening_the_dialplan_goes_on(rig: Rig) -> None:
    watcher = rig.inbound()
    watcher.send("event plain CHANNEL_HANGUP_COMPLETE CHANNEL_EXECUTE_COMPLETE")
    rig.ring(NOBODY)
    done = watcher.event(
        "CHANNEL_HANGUP_COMPLETE", **{"Caller-Destination-Number": NOBODY, "Call-Direction": "inbound"}
    )
    assert done.get("Hangup-Cause") == "NORMAL_TEMPORARY_FAILURE"
    played = [event.get("Application") for event in watcher.seen if event.name == "CHANNEL_EXECUTE_COMPLETE"]
    assert "playback" in played


def test_the_second_host_is_tried(rig: Rig) -> None:
    _, call, _ = rig.take(SECOND_HOST)
    assert call.send("getvar socket_host").get("Reply-Text") == "127.0.0.1"


def test_exit_goes_on_in_the_dialplan_after_what_runs(rig: Rig) -> None:
    watcher = rig.inbound()
    watcher.send("event plain CHANNEL_HANGUP_COMPLETE")
    rig.ring(MORE_BEHIND)
    call, uuid = rig.take_over()
    call.execute("playback", tone(500), uuid="play")
    call.event("CHANNEL_EXECUTE")
    began = time.monotonic()
    assert call.send("exit").get("Reply-Text") == "+OK bye"
    call.until_closed()
    done = watcher.event("CHANNEL_HANGUP_COMPLETE", **{"Unique-ID": uuid})
    assert done.get("Hangup-Cause") == "NORMAL_TEMPORARY_FAILURE"
    assert time.monotonic() - began > 0.6, "the running playback ends first, then the one behind it runs"


def test_a_lost_connection_ends_the_call_where_nothing_follows(rig: Rig) -> None:
    watcher = rig.inbound()
    watcher.send("event plain CHANNEL_HANGUP_COMPLETE")
    _, call, uuid = rig.take(PLAIN)
    call.close()
    assert watcher.event("CHANNEL_HANGUP_COMPLETE", **{"Unique-ID": uuid}).get("Hangup-Cause") == "NORMAL_CLEARING"


def test_with_socket_resume_a_lost_connection_is_made_again_at_once(rig: Rig) -> None:
    watcher = rig.inbound()
    watcher.send("event plain CHANNEL_EXECUTE CHANNEL_EXECUTE_COMPLETE")
    _, call, uuid = rig.take(RESUMING)
    call.execute("playback", "tone_stream://%(500,0,440);loops=-1", uuid="music")
    call.event("CHANNEL_EXECUTE", **{"Application-UUID": "music"})
    call.close()
    again = rig.accept()
    # The music is endless, so it was broken off for this; and nothing was run in between but what the dialplan has there.
    watcher.event("CHANNEL_EXECUTE_COMPLETE", **{"Unique-ID": uuid, "Application-UUID": "music"})
    watcher.event("CHANNEL_EXECUTE", **{"Unique-ID": uuid, "Application": "set"})
    watcher.event("CHANNEL_EXECUTE", **{"Unique-ID": uuid, "Application": "socket"})
    data = again.send("connect")
    assert data.get("Unique-ID") == uuid
    assert data.get("Answer-State") == "answered"
    assert data.get("variable_recovered") == "yes"
    again.send("myevents")
    again.execute("set", "taken=back", uuid="back")
    assert again.event("CHANNEL_EXECUTE_COMPLETE").get("variable_taken") == "back"


def test_without_socket_resume_endless_music_goes_on_until_a_break(rig: Rig) -> None:
    watcher = rig.inbound()
    watcher.send("event plain CHANNEL_HANGUP_COMPLETE")
    _, call, uuid = rig.take(RESUMING)
    call.execute("set", "socket_resume=false", uuid="off")
    call.event("CHANNEL_EXECUTE_COMPLETE")
    call.execute("playback", "tone_stream://%(500,0,440);loops=-1", uuid="music")
    call.event("CHANNEL_EXECUTE", **{"Application-UUID": "music"})
    call.close()
    assert rig.no_connection(0.7)
    watcher.api(f"uuid_break {uuid}")
    assert rig.accept().send("connect").get("Unique-ID") == uuid
