"""Applications: their order, locks, nesting, breaks, digits and recordings."""

import time
import wave
from functools import partial

import pytest

from engine.virtual.client import Connection

from .plans import PLAIN
from .rig import PATIENCE, Rig, lasts


def tone(milliseconds: int) -> str:
    return f"tone_stream://%({milliseconds},0,440)"


def ends(call: Connection, count: int) -> list[str]:
    """The ids of the next so many applications that end."""
    return [call.event("CHANNEL_EXECUTE_COMPLETE").get("Application-UUID") or "" for _ in range(count)]


def test_answer_goes_before_its_own_end(rig: Rig) -> None:
    _, call, _ = rig.take(PLAIN)
    answered = next(event for event in call.seen if event.name == "CHANNEL_ANSWER")
    assert answered.get("Answer-State") == "answered"
    # That the socket's own application began may be told here too, or be told already before anybody listened.
    told = [event.name for event in call.seen if event.get("Application") == "answer" or event is answered]
    assert told == ["CHANNEL_EXECUTE", "CHANNEL_ANSWER", "CHANNEL_EXECUTE_COMPLETE"]
    done = call.seen[-1]
    assert (done.get("Application"), done.get("Application-Response")) == ("answer", "_none_")


def test_locked_messages_run_in_order(rig: Rig) -> None:
    _, call, _ = rig.take(PLAIN)

    def one_after_the_other() -> None:
        for name, length in (("first", 500), ("second", 300), ("third", 100)):
            assert call.execute("playback", tone(length), uuid=name, lock=True) == "+OK"
        assert ends(call, 3) == ["first", "second", "third"]

    lasts(0.8, 2.0, one_after_the_other)


def test_unlocked_messages_nest_and_the_last_ends_first(rig: Rig) -> None:
    _, call, _ = rig.take(PLAIN)
    began = time.monotonic()
    for name, length in (("outer", 600), ("middle", 400), ("inner", 200)):
        call.execute("playback", tone(length), uuid=name)
    assert ends(call, 3) == ["inner", "middle", "outer"]
    assert time.monotonic() - began > 1.1, "the outer ones wait for the inner ones"


def test_break_stops_nested_playbacks_together(rig: Rig) -> None:
    _, call, uuid = rig.take(PLAIN)
    call.execute("playback", tone(5000), uuid="outer")
    call.execute("playback", tone(5000), uuid="inner")
    call.event("CHANNEL_EXECUTE", **{"Application-UUID": "inner"})
    assert call.api(f"uuid_break {uuid}") == "+OK\n"
    assert ends(call, 2) == ["inner", "outer"]


def test_break_stops_one_of_the_locked(rig: Rig) -> None:
    _, call, uuid = rig.take(PLAIN)
    for name in ("one", "two"):
        call.execute("playback", tone(5000), uuid=name, lock=True)
    call.event("CHANNEL_EXECUTE", **{"Application-UUID": "one"})
    call.api(f"uuid_break {uuid}")
    done = call.event("CHANNEL_EXECUTE_COMPLETE")
    assert (done.get("Application-UUID"), done.get("Application-Response")) == ("one", "FILE PLAYED")
    call.event("CHANNEL_EXECUTE", **{"Application-UUID": "two"})
    call.api(f"uuid_break {uuid}")
    assert ends(call, 1) == ["two"]


def test_break_all_drops_what_is_queued(rig: Rig) -> None:
    _, call, uuid = rig.take(PLAIN)
    for name in ("one", "two", "three"):
        call.execute("playback", tone(5000), uuid=name, lock=True)
    call.event("CHANNEL_EXECUTE", **{"Application-UUID": "one"})
    call.api(f"uuid_break {uuid} all")
    assert ends(call, 1) == ["one"]
    call.execute("set", "after=1", uuid="after")
    assert ends(call, 1) == ["after"]


def test_loops_repeat_what_takes_half_a_second(rig: Rig) -> None:
    _, call, _ = rig.take(PLAIN)
    call.execute("playback", tone(550), uuid="loop", loops=2)
    assert ends(call, 2) == ["loop", "loop"]
    call.execute("playback", tone(100), uuid="short", loops=3)
    assert ends(call, 1) == ["short"]
    call.execute("set", "after=1", uuid="after")
    assert ends(call, 1) == ["after"]


def test_a_missing_file_is_told(rig: Rig) -> None:
    _, call, _ = rig.take(PLAIN)
    call.execute("playback", "/no/such/file.wav", uuid="missing")
    assert call.event("CHANNEL_EXECUTE_COMPLETE").get("Application-Response") == "FILE NOT FOUND"


def test_files_play_for_as_long_as_they_last(rig: Rig) -> None:
    _, call, _ = rig.take(PLAIN)
    path = rig.folder / "half.wav"
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(2 * 4000))
    for source, least in ((str(path), 0.4), (f"file_string://{path}!{path}", 0.9), ("silence_stream://300", 0.2)):
        lasts(least, least + 0.7, partial(_played, call, source))


def _played(call: Connection, source: str) -> None:
    call.execute("playback", source, uuid="file")
    assert call.event("CHANNEL_EXECUTE_COMPLETE").get("Application-Response") == "FILE PLAYED"


def test_a_key_of_the_terminators_stops_a_playback(rig: Rig) -> None:
    caller, call, _ = rig.take(PLAIN)
    call.execute("playback", tone(9000), uuid="stopped")
    call.event("CHANNEL_EXECUTE")
    call.api(f"uuid_send_dtmf {caller} 1*")
    done = call.event("CHANNEL_EXECUTE_COMPLETE")
    assert (done.get("Application-UUID"), done.get("variable_playback_terminator_used")) == ("stopped", "*")
    assert [event.get("DTMF-Digit") for event in call.seen if event.name == "DTMF"] == ["1", "*"]


def test_digits_while_parked_come_as_events(rig: Rig) -> None:
    caller, call, _ = rig.take(PLAIN)
    call.api(f"uuid_send_dtmf {caller} 15#")
    assert [call.event("DTMF").get("DTMF-Digit") for _ in range(3)] == ["1", "5", "#"]


def test_digits_are_gathered_to_a_terminator(rig: Rig) -> None:
    caller, call, uuid = rig.take(PLAIN)
    call.execute("play_and_get_digits", f"1 4 1 4000 # {tone(9000)} silence_stream://50 pin \\d+", uuid="gather")
    call.event("CHANNEL_EXECUTE", **{"Application-UUID": "gather"})
    call.api(f"uuid_send_dtmf {caller} 42#")
    done = call.event("CHANNEL_EXECUTE_COMPLETE")
    assert (done.get("Application-UUID"), done.get("variable_pin")) == ("gather", "42")
    assert done.get("variable_read_result") == "success"
    assert done.get("variable_read_terminator_used") == "#"
    assert call.api(f"uuid_getvar {uuid} pin") == "42"


def test_digits_are_gathered_to_the_most(rig: Rig) -> None:
    caller, call, _ = rig.take(PLAIN)
    call.execute("read", f"2 2 {tone(9000)} code 3000 #", uuid="read")
    call.event("CHANNEL_EXECUTE", **{"Application-UUID": "read"})
    call.api(f"uuid_send_dtmf {caller} 789")
    done = call.event("CHANNEL_EXECUTE_COMPLETE")
    assert (done.get("variable_code"), done.get("variable_read_result")) == ("78", "success")


def test_gathering_ends_when_nothing_is_pressed(rig: Rig) -> None:
    _, call, _ = rig.take(PLAIN)
    call.execute("play_and_get_digits", f"1 1 1 400 # {tone(100)} silence_stream://50 pin \\d", uuid="silent")
    done = call.event("CHANNEL_EXECUTE_COMPLETE")
    assert done.get("variable_pin") is None
    assert done.get("variable_read_result") in ("timeout", "failure")


def test_sleep_lets_what_is_sent_run_inside(rig: Rig) -> None:
    _, call, _ = rig.take(PLAIN)
    call.execute("sleep", "700", uuid="sleep")
    call.event("CHANNEL_EXECUTE", **{"Application-UUID": "sleep"})
    call.execute("set", "x=1", uuid="inside")
    assert ends(call, 2) == ["inside", "sleep"]


SPEAKS = "playback(tone_stream://%(1000,0,300);loops=-1)"


def test_a_recording_ends_with_its_key_and_is_a_wave_file(rig: Rig) -> None:
    caller, call, uuid = rig.take(PLAIN, does=SPEAKS)
    path = rig.folder / "message.wav"
    call.api(f"uuid_setvar {uuid} playback_terminators #")
    call.execute("record", f"{path} 10", uuid="record")
    call.event("CHANNEL_EXECUTE", **{"Application-UUID": "record"})
    call.listen(1.2)
    call.api(f"uuid_send_dtmf {caller} #")
    done = call.event("CHANNEL_EXECUTE_COMPLETE")
    assert done.get("variable_playback_terminator_used") == "#"
    recorded = int(done.get("variable_record_ms") or 0) / 1000
    assert 0.9 < recorded < 10, "not for as long as it might have"
    with wave.open(str(path), "rb") as sound:
        assert sound.getnframes() / sound.getframerate() == pytest.approx(recorded, abs=0.1)


def test_a_recording_ends_at_its_limit(rig: Rig) -> None:
    _, call, _ = rig.take(PLAIN, does=SPEAKS)
    recorded: list[int] = []

    def record() -> None:
        call.execute("record", f"{rig.folder / 'limited.wav'} 1", uuid="record")
        done = call.event("CHANNEL_EXECUTE_COMPLETE", **{"Application-UUID": "record"})
        recorded.append(int(done.get("variable_record_ms") or 0))

    lasts(0.7, 2.4, record)
    assert 700 < recorded[-1] < 2200, "FreeSWITCH counts whole seconds of the clock"


def test_a_session_is_recorded_in_stereo_until_the_end(rig: Rig) -> None:
    caller, call, uuid = rig.take(PLAIN, does=SPEAKS)
    path = rig.folder / "session.wav"
    call.execute("set", "RECORD_STEREO=true", uuid="stereo", lock=True)
    call.execute("record_session", str(path), uuid="start", lock=True)
    call.execute("playback", tone(1200), uuid="play", lock=True)
    began = time.monotonic()
    assert ends(call, 3) == ["stereo", "start", "play"]
    call.api(f"uuid_kill {uuid}")
    call.event("CHANNEL_HANGUP_COMPLETE")
    longest = time.monotonic() - began + 0.5
    seconds, end = 0.0, time.monotonic() + PATIENCE
    while seconds <= 0.8 and time.monotonic() < end:
        call.listen(0.05)
        with wave.open(str(path), "rb") as sound:
            seconds, channels = sound.getnframes() / sound.getframerate(), sound.getnchannels()
    assert channels == 2
    assert 0.8 < seconds < longest
    assert caller
