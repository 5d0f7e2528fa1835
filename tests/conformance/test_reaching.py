"""Several phones rung by one bridge: one after the other, each for its own time, and what is said before the talk."""

from __future__ import annotations

import time

from engine.virtual.client import Connection

from .plans import AGENT, BUSY, PLAIN, RINGING
from .rig import PATIENCE, Rig

STAYS = "loopback_bowout=false,loopback_bowout_on_execute=false"


def bridge(call: Connection, legs: str, **variables: str) -> float:
    """Ring the legs; when that began."""
    given = "".join(f",{name}={value}" for name, value in variables.items())
    call.execute("set", "continue_on_fail=true", uuid="set", lock=True)
    began = time.monotonic()
    call.execute("bridge", f"{{{STAYS}{given}}}{legs}", uuid="bridge")
    return began


def leg(number: str, variables: str = "") -> str:
    return (f"[{variables}]" if variables else "") + f"loopback/{number}/default/XML"


def failure(call: Connection) -> str | None:
    return call.event("CHANNEL_EXECUTE_COMPLETE", **{"Application-UUID": "bridge"}).get(
        "variable_originate_disposition"
    )


def test_what_is_run_on_the_answered_leg_comes_before_the_talk(rig: Rig) -> None:
    _, call, _ = rig.take(PLAIN)
    began = bridge(
        call,
        leg(AGENT),
        group_confirm_key="exec",
        group_confirm_file="'sleep 2000'",
        group_confirm_timeout="30",
        leg_timeout="1",
        originate_timeout="32",
    )
    call.event("CHANNEL_BRIDGE")
    assert time.monotonic() - began > 1.9, "the time to ring is over, but the phone was answered within it"


def test_who_hangs_up_before_the_talk_ends_the_attempt(rig: Rig) -> None:
    _, call, _ = rig.take(PLAIN)
    control = rig.inbound()
    bridge(
        call,
        leg(AGENT, "origination_uuid=agent-in-confirmation"),
        group_confirm_key="exec",
        group_confirm_file="'sleep 9000'",
        group_confirm_timeout="30",
    )
    end = time.monotonic() + PATIENCE
    while control.api("uuid_getvar agent-in-confirmation endpoint_disposition") != "ANSWER":
        assert time.monotonic() < end
        time.sleep(0.02)
    control.api("uuid_kill agent-in-confirmation")
    assert failure(call) == "NORMAL_CLEARING"


def confirmed_by_key(call: Connection, control: Connection, name: str, seconds: int) -> None:
    """Ring a leg of that name, which is to press 1 before the talk, and wait till it was answered."""
    bridge(
        call,
        leg(AGENT, f"origination_uuid={name}"),
        group_confirm_key="1",
        group_confirm_file="tone_stream://%(300\\,0\\,440)",
        group_confirm_read_timeout="1000",
        group_confirm_timeout=str(seconds),
    )
    end = time.monotonic() + PATIENCE
    while control.api(f"uuid_getvar {name} endpoint_disposition") != "ANSWER":
        assert time.monotonic() < end
        time.sleep(0.02)


def test_who_is_to_confirm_by_a_key_is_asked_till_they_press_it(rig: Rig) -> None:
    _, call, _ = rig.take(PLAIN)
    control = rig.inbound()
    confirmed_by_key(call, control, "confirming-by-key", 20)
    control.api("uuid_recv_dtmf confirming-by-key 7")
    call.listen(0.5)
    assert not [each for each in call.seen if each.name == "CHANNEL_BRIDGE"], "nothing comes of another key"
    control.api("uuid_recv_dtmf confirming-by-key 1")
    call.event("CHANNEL_BRIDGE")


def test_who_does_not_confirm_has_not_answered(rig: Rig) -> None:
    _, call, _ = rig.take(PLAIN)
    confirmed_by_key(call, rig.inbound(), "never-confirming", 1)
    assert failure(call) == "ALLOTTED_TIMEOUT"


def test_a_leg_rings_after_its_delay_for_its_own_time(rig: Rig) -> None:
    _, call, _ = rig.take(PLAIN)
    began = bridge(call, f"{leg(RINGING, 'leg_timeout=20')},{leg(AGENT, 'leg_delay_start=1')}", originate_timeout="40")
    call.event("CHANNEL_BRIDGE")
    assert 0.9 < time.monotonic() - began < 20, "before the first one has rung for its time"


def test_where_nothing_rings_any_more_nobody_is_waited_for(rig: Rig) -> None:
    _, call, _ = rig.take(PLAIN)
    began = bridge(call, f"{leg(BUSY)},{leg(AGENT, 'leg_delay_start=20')}", originate_timeout="40")
    call.event("CHANNEL_BRIDGE")
    assert time.monotonic() - began < 20


def test_a_leg_that_rang_for_its_time_is_not_answered(rig: Rig) -> None:
    _, call, _ = rig.take(PLAIN)
    bridge(call, leg(RINGING, "leg_timeout=1"), originate_timeout="30")
    assert failure(call) == "ALLOTTED_TIMEOUT"
