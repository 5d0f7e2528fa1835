"""What the engine takes for granted of FreeSWITCH's applications."""

from __future__ import annotations

import wave
from pathlib import Path

import pytest

from tests.phone.controller import CallWire, Engine, Event, Wire
from tests.phone.rig import RigError, RunningSwitch, SipPhone
from tests.phone.test_switch import connected
from tests.phone.tones import seconds_of_tone, write_tone


@pytest.fixture
def caller(switch: RunningSwitch) -> SipPhone:
    return switch.outside("+4532101010")


@pytest.fixture
def call(engine: Engine, caller: SipPhone) -> CallWire:
    return connected(engine, caller)


@pytest.fixture
def prompt(tmp_path: Path) -> Path:
    return write_tone(tmp_path / "prompt.wav", 1200, 1.0)


def read(
    call: CallWire,
    caller: SipPhone,
    most: int,
    prompt: Path | str,
    terminators: str,
    keys: str,
    *,
    first_ms: int = 20_000,
    next_ms: int = 10_000,
) -> Event:
    """The end of a `read` during whose prompt these keys were pressed; it waits for them for so long."""
    seen = len(call.events)
    mark = call.execute("read", f"1 {most} {prompt} digits {first_ms} {terminators} {next_ms}")
    call.wait("CHANNEL_EXECUTE", Application_UUID=mark)
    if prompt != "silence":
        call.wait("PLAYBACK_START", after=seen)
    if keys:
        caller.press(keys)
    return call.finished(mark)


KEYED = [
    (1, "none", "3", "3", "success"),
    (1, "none", "#", "#", "success"),
    (4, "#", "12#", "12", "success"),
    (4, "#", "1234", "1234", "success"),
    (4, "#", "#", None, "failure"),
]


def test_digits_are_read_over_a_prompt(call: CallWire, caller: SipPhone, prompt: Path) -> None:
    for most, terminators, keys, digits, result in KEYED:
        ended = read(call, caller, most, prompt, terminators, keys)
        assert (ended.get("variable_digits"), ended["variable_read_result"]) == (digits, result), keys
    ended = read(call, caller, 4, prompt, "#", "12", next_ms=1500)
    assert (ended.get("variable_digits"), ended["variable_read_result"]) == ("12", "timeout")
    ended = read(call, caller, 1, prompt, "none", "", first_ms=1001)
    assert (ended.get("variable_digits"), ended["variable_read_result"]) == (None, "failure")


def test_digits_are_read_in_silence_too(call: CallWire, caller: SipPhone) -> None:
    assert read(call, caller, 1, "silence", "none", "7")["variable_digits"] == "7"
    assert read(call, caller, 1, "silence", "none", "", first_ms=1001)["variable_read_result"] == "failure"


def test_several_files_are_one_prompt(call: CallWire, caller: SipPhone, tmp_path: Path) -> None:
    first, second = write_tone(tmp_path / "1.wav", 1200, 0.4), write_tone(tmp_path / "2.wav", 1600, 0.4)
    done = call.finished(call.execute("playback", f"file_string://{first}!{second}"))
    assert done["Application-Response"] == "FILE PLAYED"
    call.hang_up()
    heard = caller.heard()
    assert seconds_of_tone(heard, 1200) >= 0.2
    assert seconds_of_tone(heard, 1600) >= 0.2


def test_an_announcement_is_heard_over_the_music_which_then_goes_on(
    call: CallWire, caller: SipPhone, link: Wire, tmp_path: Path
) -> None:
    music = call.execute("playback", "local_stream://music")
    call.wait("PLAYBACK_START")
    place = write_tone(tmp_path / "place.wav", 1600, 0.6)
    assert call.finished(call.execute("playback", str(place)))["Application-Response"] == "FILE PLAYED"
    caller.press("4")
    call.wait("DTMF", DTMF_Digit="4")
    with pytest.raises(RigError):
        call.finished(music, 0.1)
    assert link.api(f"uuid_break {call.uuid} all").startswith("+OK")
    call.finished(music)
    call.hang_up()
    assert seconds_of_tone(caller.heard(), 1600) >= 0.4


def test_a_message_ends_with_the_hash_key_only_where_that_is_a_terminator(
    call: CallWire, caller: SipPhone, link: Wire, tmp_path: Path
) -> None:
    for terminators, ends in (("none", False), ("#", True)):
        call.finished(call.execute("set", f"playback_terminators={terminators}"))
        recording = call.execute("record", f"{tmp_path / 'message.wav'} 10 200 5")
        call.wait("CHANNEL_EXECUTE", Application_UUID=recording)
        caller.listen(0.5)
        caller.press("#")
        if ends:
            assert call.finished(recording)["variable_playback_terminator_used"] == "#"
        else:
            with pytest.raises(RigError):
                call.finished(recording, 0.5)
            link.api(f"uuid_break {call.uuid}")
            call.finished(recording)
    assert seconds_of_tone(tmp_path / "message.wav", caller.hertz) >= 0.2


def test_a_message_is_whole_when_the_caller_hangs_up(call: CallWire, caller: SipPhone, tmp_path: Path) -> None:
    file = tmp_path / "message.wav"
    recording = call.execute("record", f"{file} 10 200 5")
    call.wait("CHANNEL_EXECUTE", Application_UUID=recording)
    caller.listen(1.2)
    caller.hang_up()
    assert call.wait("RECORD_STOP")["Record-File-Path"] == str(file)
    with wave.open(str(file)) as message:
        assert (message.getnchannels(), message.getframerate()) == (1, 8000)
        assert message.getnframes() >= 4000
