"""What can be asked of callers, phones and dial strings, and what is refused."""

import wave
from pathlib import Path

import pytest

from engine.virtual import audio
from engine.virtual.callers import CallPlan, Pause, script
from engine.virtual.errors import PlanInvalid, SoundMissing
from engine.virtual.originate import dial_string
from engine.virtual.phones import Manner


def test_a_script_is_keys_and_pauses() -> None:
    assert script("1,w2,#") == ["1", Pause(2.0), "#"]
    assert script("42,w") == ["4", "2", Pause(1.0)]
    assert script("") == []
    with pytest.raises(PlanInvalid, match="x7"):
        script("1,x7")


def test_a_call_is_described_in_json() -> None:
    plan = CallPlan.parse('{"number": "5000", "from": "+4570123456", "press": "1", "hang_up_after": 3}')
    assert (plan.number, plan.caller, plan.press, plan.hang_up_after) == ("5000", "+4570123456", ("1",), 3.0)
    assert CallPlan.parse('{"number": "5000"}').caller == "+4532101010"
    for text in ("", "[]", '{"number": ""}', '{"number": "5 0"}', '{"number": "5000", "at": "2026-12-25T10:00"}'):
        with pytest.raises(PlanInvalid):
            CallPlan.parse(text)


def test_a_phone_is_told_how_to_behave() -> None:
    usual = Manner()
    assert Manner.parse('{"answer": 3}', usual) == Manner(answer=3)
    assert Manner.parse('{"ring": true}', usual).answer is None
    assert Manner.parse('{"busy": true, "talk": null}', usual) == Manner(busy=True, talk=None)
    assert Manner.parse('{"talk": 2}', Manner(busy=True)) == Manner(talk=2), (
        "what is told makes an end of what was refused"
    )
    for text in ("x", '{"answer": -1}', '{"refuse": "NO_SUCH_CAUSE"}', '{"colour": "red"}'):
        with pytest.raises(PlanInvalid):
            Manner.parse(text, usual)


def test_dial_strings_are_groups_of_legs_with_variables() -> None:
    common, groups = dial_string("{a=1,b='x,y'}[c=2]user/1001,user/1002|sofia/gateway/out/4570123456")
    assert common == {"a": "1", "b": "x,y"}
    assert [[leg.endpoint for leg in group] for group in groups] == [
        ["user/1001", "user/1002"],
        ["sofia/gateway/out/4570123456"],
    ]
    assert groups[0][0].variables == {"c": "2"}
    assert dial_string("{^^:a=1:b=2,3}error/USER_BUSY")[0] == {"a": "1", "b": "2,3"}


@pytest.mark.parametrize(
    ("sound", "seconds"),
    [
        ("silence_stream://1500", 1.5),
        ("silence_stream://-1", None),
        ("tone_stream://%(200,100,440);loops=3", 0.9),
        ("tone_stream://%(500,0,440);loops=-1", None),
        ("local_stream://music", None),
    ],
)
def test_streams_have_their_lengths(sound: str, seconds: float | None) -> None:
    assert audio.seconds(sound) == pytest.approx(seconds)


def test_recordings_have_the_length_they_say(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "call.wav"
    audio.write_wave(path, 2.5, 2)
    with wave.open(str(path), "rb") as sound:
        assert (sound.getnframes() / sound.getframerate(), sound.getnchannels()) == (2.5, 2)
    assert audio.seconds(str(path)) == 2.5
    path.write_bytes(b"RIFFnothing")
    with pytest.raises(SoundMissing):
        audio.seconds(str(path))
