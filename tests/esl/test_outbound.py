"""A call's link, against peers that behave and peers that do not."""

from __future__ import annotations

import gc
import socket
import threading
import time
import weakref

import gevent
import greenlet
import greenswitch.esl
import pytest
from gevent.event import AsyncResult
from structlog.testing import capture_logs

from engine.esl import names
from engine.esl.awaited import Awaited
from engine.esl.errors import CallGone, CommandRejected, LinkBusy, LinkClosed, ReplyTimeout, UnsafeText
from engine.esl.frames import Event, Frame, FrameReader
from engine.esl.link import UNANSWERED_LIMIT, Link
from engine.esl.outbound import CallLink
from ivr.phone import Gone
from tests.waiting import until

from .peer import UUID, calling, sockets
from .recordings import EVERY


def ready(greenlet_: gevent.Greenlet) -> object:
    """The result of a greenlet that must end by itself."""
    return greenlet_.get(timeout=5)


def waited_for(*awaited: Awaited) -> bool:
    """Whether somebody waits for each of them by now."""
    return all(each._signal is not None for each in awaited)


# The ordinary way -----------------------------------------------------------------------------------------------------


def test_connect_comes_first_and_asks_for_this_channels_events_only() -> None:
    with calling(connected=False) as (call, peer):
        taking = gevent.spawn(peer.take_call, variable_language="en")
        data = call.connect(5)
        lines = ready(taking)
        assert lines[:3] == ["connect", "linger 5", "myevents"]
        assert lines[4] == "event plain RECORD_STOP"
        left = names.MY_EVENTS - set(lines[3].split()[1:])
        assert lines[3].startswith("nixevent ")
        assert left == names.CALL_EVENTS - {"RECORD_STOP"}
        assert call.uuid == UUID
        assert call.full
        assert data.get("Caller-Caller-ID-Name") == "Test Caller"
        assert call.variable("language") == "en"
        assert call.variable("none") is None
        assert call.header("Caller-Destination-Number") == "5000"
        assert call.connect() is data
        assert not call.gone


@pytest.mark.parametrize(
    "name",
    [
        *("main", "caller_hangup_linger2", "caller_hangup_no_linger", "hangup_during_playback", "reject_busy"),
        *("bridge_loopback", "cancel_before_answer", "queue_event_lock", "shutdown", "transfer", "baresip_call"),
        "unknown_app",
    ],
)
def test_a_recorded_call_is_lived_through(name: str) -> None:
    frames = FrameReader().feed(EVERY[name].from_switch)
    with calling(connected=False) as (call, peer):

        def replay() -> None:
            for frame in frames:
                if frame.content_type in (names.COMMAND_REPLY, names.API_RESPONSE):
                    peer.command()
                peer.send(frame.head + b"\n\n" + frame.body)

        heard: list[str] = []
        call.on("*", lambda event: heard.append(event.name))
        replaying = gevent.spawn(replay)
        call.connect(5, events=None, linger=None)
        replies = [
            each.content_type for each in frames if each.content_type in (names.COMMAND_REPLY, names.API_RESPONSE)
        ]
        for kind in replies[1:]:
            call._link.post(b"api " * (kind == names.API_RESPONSE) + b"whatever was said\n\n")
        ready(replaying)
        peer.close()
        assert call.wait_closed(5)
        own = [frame.event for frame in frames if frame.is_event and frame.event.get("Unique-ID") == call.uuid]
        assert heard == [event.name for event in own]
        causes = [event.get("Hangup-Cause") for event in own if event.name == "CHANNEL_HANGUP"]
        assert call.hangup_cause == (causes[0] if causes else None)
        assert call.gone


def test_executions_end_by_their_uuid_in_any_order() -> None:
    """Item 7: two runs of one application, the later one ended first."""
    with calling() as (call, peer):
        outer, inner = call.execute("playback", "long.wav"), call.execute("playback", "short.wav")
        first, second = peer.command(), peer.command()
        assert (first.body, second.body) == ("long.wav", "short.wav")
        peer.reply()
        peer.reply()
        peer.complete(second, "FILE PLAYED", variable_current_application="playback")
        assert inner.wait(5).get("Application-Response") == "FILE PLAYED"
        assert not outer.done
        peer.complete(first, "FILE NOT FOUND", variable_current_application="playback")
        assert outer.wait(5).get("Application-Response") == "FILE NOT FOUND"


def test_locked_messages_carry_the_lock() -> None:
    with calling() as (call, peer):
        call.execute("playback", "a.wav", lock=True)
        assert peer.command().headers["event-lock"] == "true"


def test_an_api_answers_and_refuses() -> None:
    with calling() as (call, peer):
        asking = gevent.spawn(call.api, "uuid_exists x")
        assert peer.command().line == "api uuid_exists x"
        peer.response("true")
        assert ready(asking) == "true"
        asking = gevent.spawn(call.api, "uuid_break x")
        peer.command()
        peer.response("-ERR No such channel!\n")
        with pytest.raises(CommandRejected, match="No such channel"):
            ready(asking)


def test_hangup_does_not_wait_behind_what_is_locked() -> None:
    with calling() as (call, peer):
        hanging = gevent.spawn(call.hangup, "USER_BUSY")
        assert peer.command().line == f"api uuid_kill {UUID} USER_BUSY"
        peer.response("+OK\n")
        ready(hanging)
        peer.event("CHANNEL_HANGUP", Hangup_Cause="USER_BUSY")
        until(lambda: call.gone)
        assert call.hangup_cause == "USER_BUSY"
        call.hangup()
    with calling(Control="single-channel") as (call, peer):
        hanging = gevent.spawn(call.hangup)
        assert peer.command().headers["call-command"] == "hangup"
        peer.reply()
        ready(hanging)


def test_an_event_can_be_expected_before_what_brings_it() -> None:
    with calling() as (call, peer):
        bridged = call.expect(names.CHANNEL_BRIDGE, lambda event: event.get("Other-Leg-Unique-ID") == "agent")
        peer.event("CHANNEL_BRIDGE", Other_Leg_Unique_ID="nobody")
        peer.event("CHANNEL_BRIDGE", Other_Leg_Unique_ID="agent")
        assert bridged.wait(5).get("Other-Leg-Unique-ID") == "agent"
        with pytest.raises(ReplyTimeout):
            call.expect(names.CHANNEL_UNBRIDGE).wait(0.05)


def test_after_the_hangup_the_last_events_come_until_the_second_notice() -> None:
    with calling() as (call, peer):
        heard: list[str] = []
        gone: list[bool] = []
        call.on("*", lambda event: heard.append(event.name))
        call.on_gone(lambda: gone.append(call.gone))
        recording = call.execute("record", "m.wav 60")
        command = peer.command()
        peer.reply()
        peer.notice("linger")
        with pytest.raises(CallGone):
            recording.wait(5)
        assert not call.closed
        peer.event("CHANNEL_HANGUP", Hangup_Cause="NORMAL_CLEARING")
        peer.complete(command, variable_record_seconds="7")
        assert recording.wait(5, after_hangup=True).get("variable_record_seconds") == "7"
        peer.event("CHANNEL_HANGUP_COMPLETE", Hangup_Cause="NORMAL_CLEARING")
        assert peer.command().line == "exit", "FreeSWITCH's session is not kept for the rest of the lingering"
        peer.reply("+OK bye")
        peer.notice()
        assert call.wait_closed(5)
        assert heard == ["CHANNEL_HANGUP", "CHANNEL_EXECUTE_COMPLETE", "CHANNEL_HANGUP_COMPLETE"]
        assert gone == [True]
        assert call.hangup_cause == "NORMAL_CLEARING"


def test_leaving_says_exit_unless_the_call_is_being_hung_up() -> None:
    with calling() as (call, peer):
        leaving = gevent.spawn(call.stop, 5)
        assert peer.command().line == "exit"
        peer.reply("+OK bye")
        peer.notice()
        ready(leaving)
        assert call.closed


# What must not be inherited from greenswitch 0.0.19, by its number in the list --------------------------------------


def test_1_a_callers_name_forges_no_headers() -> None:
    with calling(**{"Caller-Caller-ID-Name": f"Bob\nUnique-ID: evil\nvariable_uuid: evil\n{UUID}"}) as (call, peer):
        assert call.uuid == UUID
        assert call.variable("uuid") == UUID
        assert call.data.headers()["Unique-ID"] == UUID
        digits: list[Event] = []
        call.on("DTMF", digits.append)
        peer.event("DTMF", Caller_Caller_ID_Name="x\nDTMF-Digit: 9", DTMF_Digit="#")
        until(lambda: digits)
        assert digits[0].get("DTMF-Digit") == "#"


def test_2_the_end_inside_a_body_stops_this_call_and_no_other() -> None:
    with calling() as (call, peer), calling() as (other, its_peer):
        waiting = gevent.spawn(call.execute("playback", "a.wav").wait, 30)
        peer.send(b"Content-Type: text/event-plain\nContent-Length: 500\n\nEvent-Name: DTMF\n")
        peer.close()
        with pytest.raises(CallGone):
            ready(waiting)
        assert call.closed
        asking = gevent.spawn(other.api, "status")
        its_peer.command()
        its_peer.response("UP")
        assert ready(asking) == "UP"


def test_3_the_end_without_a_notice_ends_every_wait() -> None:
    with calling() as (call, peer):
        playing, key = call.execute("playback", "a.wav"), call.expect("DTMF")
        waits = [
            gevent.spawn(call.send, "linger 5", 30),
            gevent.spawn(call.api, "status", 30),
            gevent.spawn(playing.wait, 30),
            gevent.spawn(key.wait, 30),
        ]
        assert [peer.command().line.split()[0] for _ in range(3)] == ["sendmsg", "linger", "api"]
        until(lambda: waited_for(playing, key))
        peer.close()
        for wait in waits:
            with pytest.raises(CallGone):
                ready(wait)
        with pytest.raises(CallGone):
            call.raise_if_disconnected()
        assert not call.connected
        assert call.hangup_cause is None


@pytest.mark.parametrize(
    "broken",
    [
        b"Reply-Text: +OK\n\n",
        b"Content-Type: text/event-plain\nContent-Length: -5\n\n",
        b"Content-Type: text/event-plain\nContent-Length: many\n\n",
        b"Content-Type: text/event-plain\n\n",
        b"Content-Type: command/reply\nReply-Text: +OK\n\n",
        b"\x00\xff\xfe\n\n",
    ],
)
def test_4_broken_frames_end_the_link_and_it_says_so(broken: bytes) -> None:
    with calling() as (call, peer):
        key = call.expect("DTMF")
        waiting = gevent.spawn(key.wait, 30)
        until(lambda: waited_for(key))
        peer.send(broken)
        with pytest.raises(CallGone):
            ready(waiting)
        assert not call.connected
        assert call.gone
        assert peer.is_closed()


def test_5_long_commands_arrive_whole() -> None:
    with calling() as (call, peer):
        argument = "x" * 900_000
        call.execute("set", argument)
        call.execute("set", "next")
        assert peer.command().body == argument
        assert peer.command().body == "next"


def test_5_a_peer_that_reads_nothing_gets_no_more_than_the_bound() -> None:
    with calling() as (call, _), pytest.raises(LinkBusy):  # noqa: PT012
        for _ in range(100):
            call.execute("set", "x" * 900_000)


def test_6_every_send_ends_and_a_late_reply_is_nobody_elses() -> None:
    with calling() as (call, peer):
        with pytest.raises(ReplyTimeout):
            call.send("linger 1", 0.05)
        peer.command()
        asking = gevent.spawn(call.send, "linger 2", 5)
        peer.command()
        peer.reply("+OK the first")
        peer.reply("+OK the second")
        frame = ready(asking)
        assert isinstance(frame, Frame)
        assert frame.data == "+OK the second"


def test_6_concurrent_sends_get_their_own_replies() -> None:
    with calling() as (call, peer):
        asking = [gevent.spawn(call.api, f"echo {number}") for number in range(50)]
        for _ in asking:
            peer.response(peer.command().line.removeprefix("api echo "))
        assert [ready(one) for one in asking] == [str(number) for number in range(50)]


RESPONSE = b"Content-Type: api/response\nContent-Length: 3\n\n+OK"
REPLY = b"Content-Type: command/reply\nReply-Text: +OK\n\n"


@pytest.mark.parametrize(
    ("answers", "fault"),
    [
        (RESPONSE + REPLY, "a reply came out of its turn"),
        (REPLY + REPLY, "a reply came out of its turn"),
        (REPLY + RESPONSE * 2, "a reply came that no command is waiting for"),
        (REPLY + RESPONSE + REPLY, "a reply came that no command is waiting for"),
    ],
)
def test_6_replies_out_of_their_order_end_this_link_and_no_other(answers: bytes, fault: str) -> None:
    """Nothing says to which command a reply belongs but its turn."""
    with calling() as (call, peer), calling() as (other, others), capture_logs() as logs:
        execution = call.execute("playback", "a.wav")
        waits = [gevent.spawn(execution.wait, 30), gevent.spawn(call.api, "status", 30)]
        heard = [peer.command().line for _ in waits]
        assert [line.split()[0] for line in heard] == ["sendmsg", "api"]
        peer.send(answers)
        with pytest.raises(CallGone):
            ready(waits[0])
        until(waits[1].ready)
        assert peer.is_closed()
        assert call.gone
        assert call.hangup_cause is None, "nobody hung up: FreeSWITCH brings the call to a process again"
        faults = [each["fault"] for each in logs if each["event"] == "peer_not_understood"]
        assert faults == [fault]
        asking = gevent.spawn(other.api, "status", 5)
        others.command()
        others.response("UP")
        assert ready(asking) == "UP"


def test_6_an_api_may_be_refused_as_any_command_is() -> None:
    with calling() as (call, peer):
        asking = gevent.spawn(call.api, "status", 5)
        peer.command()
        peer.reply("-ERR command not found")
        with pytest.raises(CommandRejected):
            ready(asking)
        assert not call.closed


def test_6_a_refused_verb_raises_instead_of_waiting() -> None:
    with calling() as (call, peer):
        playing = gevent.spawn(call.playback, "a.wav")
        peer.command()
        peer.reply("-ERR memory error")
        with pytest.raises(CommandRejected):
            ready(playing)
        with pytest.raises(ReplyTimeout):
            call.playback("a.wav", response_timeout=0.05)


def test_8_a_handler_for_all_does_not_disable_the_others() -> None:
    with calling() as (call, peer):
        everything: list[str] = []
        named: list[str] = []

        def faulty(event: Event) -> None:
            raise RuntimeError("a handler's own fault")

        def blocking(event: Event) -> None:
            gevent.sleep(60)

        call.register_handle("CHANNEL_EXECUTE_COMPLETE", blocking)
        call.register_handle("CHANNEL_EXECUTE_COMPLETE", faulty)
        call.register_handle("CHANNEL_EXECUTE_COMPLETE", lambda event: named.append(event.name))
        call.register_handle("*", lambda event: everything.append(event.name))
        playing = gevent.spawn(call.playback, "a.wav")
        peer.complete(peer.command(), "FILE PLAYED")
        assert ready(playing)
        assert named == everything == ["CHANNEL_EXECUTE_COMPLETE"]
        call.unregister_handle("CHANNEL_EXECUTE_COMPLETE", faulty)
        with pytest.raises(ValueError, match="no such handler"):
            call.unregister_handle("CHANNEL_EXECUTE_COMPLETE", faulty)


def test_9_another_legs_hangup_is_not_this_calls() -> None:
    with calling() as (call, peer):
        heard: list[str] = []
        call.on("*", lambda event: heard.append(event.name))
        peer.event("CHANNEL_HANGUP", uuid="another", Other_Leg_Unique_ID=UUID, Hangup_Cause="USER_BUSY")
        peer.event("CHANNEL_HANGUP_COMPLETE", uuid="another", Hangup_Cause="USER_BUSY")
        peer.event("DTMF", DTMF_Digit="1")
        until(lambda: heard)
        assert heard == ["DTMF"]
        assert not call.gone


def test_10_a_background_jobs_body_makes_no_headers() -> None:
    with calling() as (call, peer):
        jobs: list[Event] = []
        call.on("BACKGROUND_JOB", jobs.append)
        peer.event(
            "BACKGROUND_JOB", uuid=None, Job_UUID="job", body=f"Event-Name: CHANNEL_HANGUP\nUnique-ID: {UUID}\n\n+OK"
        )
        until(lambda: jobs)
        assert jobs[0].text.endswith("+OK")
        assert jobs[0].get("Unique-ID") is None
        assert not call.gone


def test_11_a_frame_beyond_the_bounds_ends_the_link() -> None:
    with calling() as (call, peer):
        peer.send(b"Content-Type: text/event-plain\nContent-Length: 4000000000\n\n")
        assert call.wait_closed(5)


def test_11_unanswered_commands_are_bounded() -> None:
    with calling() as (call, _):
        for _ in range(UNANSWERED_LIMIT):
            call.post_api("status")
        with pytest.raises(LinkBusy):
            call.post_api("status")


def test_11_a_flood_leaves_the_others_their_turn() -> None:
    ours, theirs = sockets()
    frames = 0

    def count(frame: Frame) -> None:
        nonlocal frames
        frames += 1

    link = Link(ours, count)
    link.start()
    flood = (b"Content-Length: 19\nContent-Type: text/event-plain\n\nEvent-Name: FLOOD\n\n" * 4000)[:200_000]
    raw = socket.socket.dup(theirs)
    stop = threading.Event()

    def send() -> None:
        raw.settimeout(5)
        try:
            while not stop.is_set():
                raw.sendall(flood)
        except OSError:
            pass

    sender = threading.Thread(target=send)
    sender.start()
    turns = 0
    deadline = time.monotonic() + 0.5
    while time.monotonic() < deadline:
        gevent.sleep(0.001)
        turns += 1
    stop.set()
    link.close()
    theirs.close()
    sender.join(5)
    raw.close()
    assert turns > 20


@pytest.mark.parametrize("text", ["x\n\napi system reboot", "x\rapi status", "${system reboot}"])
def test_11_what_callers_say_is_no_command(text: str) -> None:
    with calling() as (call, peer):
        for attempt in (call.playback, call.bridge, call.api, call.send, lambda said: call.say(text=said)):
            with pytest.raises(UnsafeText):
                attempt(text)
        call.execute("answer")
        assert peer.command().headers["execute-app-name"] == "answer"


def test_11_arguments_that_were_not_given_have_defaults_and_are_one_word_each() -> None:
    with calling() as (call, peer):
        asking = gevent.spawn(call.play_and_get_digits, prompt_file="menu.wav", digit_timeout=2000)
        command = peer.command()
        assert command.body == r"1 1 1 5000 # menu.wav silence_stream://250 digits \d+ 2000"
        assert "None" not in command.body
        peer.complete(command, variable_digits="4")
        assert ready(asking) == "4"
        with pytest.raises(UnsafeText):
            call.play_and_get_digits(prompt_file="two words.wav")


def test_12_a_link_has_no_greenlet_of_its_own() -> None:
    def living() -> set[greenlet.greenlet]:
        return {one for one in gc.get_objects() if isinstance(one, greenlet.greenlet) and not one.dead}

    def at_rest() -> set[greenlet.greenlet]:
        """Those that live once none of them ends and none begins any more."""
        before, found = None, living()
        while found != before:
            gevent.sleep(0.01)
            before, found = found, living()
        return found

    before = at_rest()
    ours, theirs = zip(*(sockets() for _ in range(20)), strict=True)
    links = [CallLink(("127.0.0.1", 0), sock) for sock in ours]
    assert at_rest() <= before
    for link in links:
        link.close()
    for sock in theirs:
        sock.close()


# greenswitch's names ---------------------------------------------------------------------------------------------------


def test_greenswitchs_exceptions_are_understood() -> None:
    with calling() as (call, peer):
        assert isinstance(call, greenswitch.esl.OutboundSession)
        peer.close()
        assert call.wait_closed(5)
        with pytest.raises(greenswitch.esl.OutboundSessionHasGoneAway):
            call.playback("a.wav")
        with pytest.raises(Gone):
            call.answer()
        assert issubclass(LinkClosed, greenswitch.esl.NotConnectedError)


def test_greenswitchs_names_work() -> None:
    with calling() as (call, peer):
        assert call.caller_id_number is None
        assert call.session_data is not None
        assert call.session_data.get("variable_uuid") == UUID
        with call.while_connected():
            plain = gevent.spawn(call.call_command, "answer")
            peer.command()
            peer.reply()
            assert ready(plain).data == "+OK"  # type: ignore[attr-defined]
        result: AsyncResult[Event] = AsyncResult()
        call.register_expected_event("CHANNEL_ANSWER", "state", "up", result)
        peer.event("CHANNEL_ANSWER", variable_state="down")
        peer.event("CHANNEL_ANSWER", variable_state="up")
        assert result.get(timeout=5).get("variable_state") == "up"
        lost: AsyncResult[Event] = AsyncResult()
        call.register_expected_event("CHANNEL_ANSWER", "state", "up", lost)
        breaking = gevent.spawn(call.uuid_break)
        assert peer.command().line == f"api uuid_break {UUID}"
        peer.response("+OK\n")
        ready(breaking)
        notices: list[Event] = []
        call.register_handle("DISCONNECT", notices.append)
        peer.notice("linger")
        with pytest.raises(CallGone):
            lost.get(timeout=5)
        until(lambda: notices)
        with pytest.raises(CallGone), call.while_connected():
            pass


def _listen(call: CallLink) -> None:
    """As a session does, which holds the link that holds it."""
    call.on("DTMF", lambda _: call.close())
    call.on_gone(lambda: call.forget(playing))
    playing = call.execute("playback", "endless.wav", then=lambda execution: call.forget(execution))


def test_a_call_that_is_over_is_freed_at_once() -> None:
    """Without the collector, which would stop all calls while it looks for circles."""
    gc.collect()
    gc.disable()
    try:
        with calling() as (call, peer):
            _listen(call)
            known = weakref.ref(call)
            peer.event("CHANNEL_HANGUP", Hangup_Cause="NORMAL_CLEARING")
            peer.notice()
            assert call.wait_closed(5)
            del call
        assert known() is None
    finally:
        gc.enable()
