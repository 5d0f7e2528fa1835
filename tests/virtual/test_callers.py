"""Virtual callers and phones: what they tell of a call, and that they do what they were asked."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.virtual.callers import SUBCLASS
from engine.virtual.client import Connection
from engine.virtual.switch import Switch

from .conftest import MakeSwitch

Connect = Callable[[Switch], Connection]


def story(connection: Connection, plan: dict[str, Any]) -> list[dict[str, Any]]:
    """Make the call and hear its story to the end."""
    connection.send(f"event plain CUSTOM {SUBCLASS}")
    answer = connection.api(f"virtual_call {json.dumps(plan)}")
    assert answer.startswith("+OK "), answer
    told = []
    while not told or told[-1]["kind"] != "ended":
        told.append(json.loads(connection.event("CUSTOM", timeout=20).text))
    assert {each["call"] for each in told} == {answer.split()[1]}
    assert [each["at"] for each in told] == sorted(each["at"] for each in told)
    return told


def kinds(told: list[dict[str, Any]]) -> list[str]:
    return [each["kind"] for each in told]


def test_a_caller_hears_the_texts_presses_keys_and_talks(
    make_switch: MakeSwitch, connect: Connect, prompts: Path
) -> None:
    switch = make_switch(
        dialplan=[
            ("answer", ""),
            ("playback", str(prompts / "welcome.wav")),
            ("read", f"1 1 {prompts / 'menu.wav'} choice 5000 none"),
            ("set", "ringback=local_stream://music"),
            ("set", "hangup_after_bridge=true"),
            ("bridge", "user/1001"),
        ]
    )
    told = story(connect(switch), {"number": "5000", "from": "+4570123456", "press": "1"})
    assert kinds(told) == ["calling", "answered", "hears", "hears", "presses", "talks", "left", "ended"]
    assert told[0]["caller"] == "+4570123456"
    assert (told[2]["prompt"], told[2]["text"]) == ("welcome", "Good morning, and welcome.")
    assert told[4]["key"] == "1"
    assert 2.0 < told[4]["at"] < 4.0, "after both prompts, once it is quiet"
    assert told[5]["to"] == "1001"
    assert told[5]["at"] - told[4]["at"] >= 1.4, "the phone rings for a while"
    assert told[6]["who"] == "1001"
    assert 4.5 < told[6]["at"] - told[5]["at"] < 7.0, "the agent talks for five seconds"
    assert (told[7]["cause"], told[7]["by"]) == ("NORMAL_CLEARING", "switch")


def test_a_caller_hangs_up_in_the_middle(make_switch: MakeSwitch, connect: Connect) -> None:
    switch = make_switch(dialplan=[("answer", ""), ("playback", "local_stream://music")])
    told = story(connect(switch), {"number": "5000", "hang_up_after": 4})
    assert kinds(told) == ["calling", "answered", "music", "hangs_up", "ended"]
    assert 3.9 < told[-1]["at"] < 6.0
    assert (told[-1]["by"], told[-1]["cause"]) == ("caller", "NORMAL_CLEARING")
    assert not switch.channels


def test_a_call_that_is_refused(make_switch: MakeSwitch, connect: Connect) -> None:
    switch = make_switch(dialplan=[("hangup", "USER_BUSY")])
    told = story(connect(switch), {"number": "5000"})
    assert kinds(told) == ["calling", "ended"]
    assert (told[-1]["cause"], told[-1]["answered"]) == ("USER_BUSY", False)


def test_pauses_and_several_keys(make_switch: MakeSwitch, connect: Connect, prompts: Path) -> None:
    switch = make_switch(
        dialplan=[("answer", ""), ("read", f"1 5 {prompts / 'menu.wav'} code 9000 #"), ("hangup", "NORMAL_CLEARING")]
    )
    told = story(connect(switch), {"number": "5000", "press": "4,2,w3,#"})
    pressed = [(each["key"], each["at"]) for each in told if each["kind"] == "presses"]
    assert [key for key, _ in pressed] == ["4", "2", "#"]
    assert 2.8 < pressed[2][1] - pressed[1][1] < 5.0


def test_keys_are_not_pressed_into_a_talk(make_switch: MakeSwitch, connect: Connect) -> None:
    switch = make_switch(
        dialplan=[("answer", ""), ("set", "hangup_after_bridge=true"), ("bridge", "user/1001")],
    )
    told = story(connect(switch), {"number": "5000", "press": "7"})
    assert "presses" not in kinds(told)


def test_a_message_is_recorded_until_the_caller_falls_silent(
    make_switch: MakeSwitch, connect: Connect, tmp_path: Path
) -> None:
    path = tmp_path / "message.wav"
    switch = make_switch(
        dialplan=[("answer", ""), ("record", f"{path} 60 200 2"), ("hangup", "NORMAL_CLEARING")],
    )
    told = story(connect(switch), {"number": "5000", "speaks": 3})
    assert kinds(told) == ["calling", "answered", "recording", "recorded", "ended"]
    assert 5 * 16000 <= path.stat().st_size - 44 < 6 * 16000


def test_phones_behave_as_told(make_switch: MakeSwitch, connect: Connect) -> None:
    switch = make_switch()
    control = connect(switch)
    for text, answer in (
        ('{"busy": true}', "-ERR USER_BUSY\n"),
        ('{"refuse": "CALL_REJECTED", "answer": 0.5}', "-ERR CALL_REJECTED\n"),
        ('{"absent": true}', "-ERR USER_NOT_REGISTERED\n"),
        ('{"ring": true}', "-ERR NO_ANSWER\n"),
    ):
        assert json.loads(control.api(f"virtual_phone 1001 {text}"))
        assert control.background("originate {originate_timeout=3}user/1001@pointsman &park()") == answer
    assert control.background("originate user/4242 &park()") == "-ERR SUBSCRIBER_ABSENT\n"
    control.api('virtual_phone 1001 {"answer": 1}')
    uuid = "0f0e0d0c-1111-4222-8333-444455556666"
    assert control.background(f"originate {{origination_uuid={uuid}}}user/1001 &park()") == f"+OK {uuid}\n"
    assert control.background("originate user/1001 &park()") == "-ERR USER_BUSY\n", "one line a phone"
    assert control.background("originate sofia/gateway/trunk/4570123456 &park()").startswith("+OK ")
    assert control.api("virtual_phone 4711").startswith("-ERR")
    assert control.api("virtual_phone 1001 nonsense").startswith("-ERR")


def test_the_first_phone_that_answers_gets_the_call(make_switch: MakeSwitch, connect: Connect) -> None:
    switch = make_switch()
    control = connect(switch)
    control.api('virtual_phone 1003 {"answer": 4}')
    control.api('virtual_phone 1004 {"answer": 2, "talk": 60}')
    uuid = control.background("originate user/1003,user/1004 &park()").split()[1]
    listed = json.loads(control.api("show channels as json"))
    assert [(row["uuid"], row["dest"]) for row in listed["rows"]] == [(uuid, "1004")]


def test_the_time_to_decide_by_goes_with_the_call(make_switch: MakeSwitch, connect: Connect) -> None:
    switch = make_switch()
    control = connect(switch)
    uuid = control.api('virtual_call {"number": "5000", "at": "2026-12-25T10:00:00+01:00"}').split()[1]
    assert control.api(f"uuid_getvar {uuid} pointsman_at") == "2026-12-25T10:00:00+01:00"


def test_many_calls_leave_nothing_behind(make_switch: MakeSwitch, connect: Connect) -> None:
    switch = make_switch(dialplan=[("answer", ""), ("playback", "tone_stream://%(2000,0,440)")])
    control = connect(switch)
    control.send("event plain CHANNEL_HANGUP_COMPLETE")
    for _ in range(300):
        control.api('virtual_call {"number": "5000"}')
    ended = {control.event("CHANNEL_HANGUP_COMPLETE").get("Unique-ID") for _ in range(300)}
    assert len(ended) == 300
    assert not switch.channels
