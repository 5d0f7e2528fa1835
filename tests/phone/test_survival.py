"""What a killed engine process, and a killed FreeSWITCH, cost the callers of a real FreeSWITCH."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from engine.esl import names
from engine.esl.control import Control
from engine.esl.frames import Event
from tests.phone.house import BEEP, BOX, SALES, House, OnLine
from tests.phone.rig import PATIENCE, SipPhone
from tests.phone.tones import seconds_of_tone
from tests.waiting import eventually

CALLER, AGENT = 700.0, 1000.0
MOST_SECONDS = 0.5
"""From the kill to the first command of the process that takes the call over."""


class Watch:
    """The instants, on this machine's clock, at which FreeSWITCH began an application for each call."""

    def __init__(self, house: House) -> None:
        self.began: dict[str, list[tuple[float, str]]] = {}
        control = house.switch.control
        self._link = Control(
            (control.host, control.port), house.switch.password, events=frozenset({names.CHANNEL_EXECUTE})
        )
        self._link.start()
        assert self._link.wait_connected(PATIENCE)
        self._link.send("filter delete all")
        self._link.register_handle(names.CHANNEL_EXECUTE, self._take)

    def _take(self, event: Event) -> None:
        at = int(event.get("Event-Date-Timestamp") or 0) / 1e6
        self.began.setdefault(event.get("Unique-ID") or "", []).append((at, event.get("Application") or ""))

    def after(self, call_id: str, instant: float) -> list[tuple[float, str]]:
        """What was begun for the call since then, but for what the dialplan itself does to have the call taken over."""
        own = ("set", "socket", "sleep")
        return [(at, what) for at, what in self.began.get(call_id, []) if at > instant and what not in own]

    def close(self) -> None:
        self._link.stop()


@pytest.fixture
def watch(house: House) -> Iterator[Watch]:
    found = Watch(house)
    yield found
    found.close()


def owned_by(house: House, number: str, owner: str | None, **shown: object) -> tuple[OnLine, str]:
    """A caller to `number` whose call that process has (any where None), and the process. The kernel spreads FreeSWITCH's
    connections over the processes, so some callers are sent away again."""
    for _ in range(12):
        caller = house.ring(number)
        call = caller.see(**shown)
        if owner in (None, call["owner"]):
            return caller, call["owner"]
        caller.phone.hang_up()
        caller.phone.wait_for("closed")
    raise AssertionError(f"no call to {number} came to {owner}")


def answered_by(agent: SipPhone, caller: OnLine, after: int) -> None:
    agent.wait_for("incoming", after=after)
    agent.answer()
    agent.wait_for("established", after=after)
    caller.see(state="talk")


def talking(house: House, agent: SipPhone) -> tuple[OnLine, str]:
    caller = house.ring(SALES)
    agent.wait_for("incoming")
    agent.answer()
    agent.wait_for("established")
    return caller, caller.see(state="talk")["owner"]


def test_calls_outlive_the_engine_that_had_them(
    house: House, watch: Watch, record_property: Callable[[str, object], None]
) -> None:
    (agent,) = house.at_desk("1001", hertz=AGENT)
    speaking, victim = talking(house, agent)
    waiting, _ = owned_by(house, SALES, victim, state="queue")
    leaving, _ = owned_by(house, BOX, victim, state="voicemail")
    leaving.phone.listen_for(BEEP, 0.1)
    choosing, _ = owned_by(house, "5000", victim, node="menu")
    eventually(lambda: _begun(watch, choosing.call_id, "read"))
    ids = {caller: caller.call_id for caller in (speaking, waiting, leaving, choosing)}
    pid = next(engine["pid"] for engine in house.engines() if engine["id"] == victim)

    killed = time.time()
    os.kill(pid, signal.SIGKILL)

    for name, caller in (("menu", choosing), ("queue", waiting)):
        first = eventually(lambda caller=caller: _first(watch, ids[caller], killed), PATIENCE)
        record_property(f"{name}_ms", round(first * 1000))
        assert first < MOST_SECONDS
    agent.listen_for(CALLER, agent.heard_of(CALLER) + 1)
    speaking.phone.listen_for(AGENT, speaking.phone.heard_of(AGENT) + 1)
    choosing.phone.press("1")
    choosing.see(state="queue")
    # Nothing interrupts a message: it is spoken to its end, and then another process goes on.
    leaving.phone.listen(2)
    leaving.phone.press("#")
    message = house.told_of(leaving)
    assert message.call["status"] == "voicemail"
    assert len(message.messages) == 1
    assert float(message.messages[0]["seconds"]) > 2
    assert seconds_of_tone(house.home / "recordings" / message.messages[0]["path"], CALLER) > 2
    assert message.call["ended_by"] == "system"

    for caller in (waiting, choosing):
        before = len(agent.events)
        agent.hang_up()
        answered_by(agent, caller, before)
        agent.listen_for(CALLER, 0.5)
    agent.hang_up()
    for caller in (speaking, waiting, choosing):
        report = house.told_of(caller)
        assert (report.call["status"], report.call["agent"]) == ("answered", "Anna Holm"), report
    spoken = house.report(speaking)  # type: ignore[arg-type]
    assert float(spoken.call["talk_seconds"]) > 3
    assert len(spoken.recordings) == 1
    assert [entry["result"] for entry in house.report(waiting).entries] == ["answered"]  # type: ignore[arg-type]
    eventually(lambda: _all_engines(house))


def _begun(watch: Watch, call_id: str, application: str) -> None:
    assert application in [what for _, what in watch.began.get(call_id, [])]


def test_who_hangs_up_before_any_engine_has_the_call_has_a_row(house: House) -> None:
    """And of those whom an engine has taken FreeSWITCH sends the engines no event beside their own links'."""
    told: list[str | None] = []
    ear = Control((house.switch.control.host, house.switch.control.port), house.switch.password)
    ear.hear_untaken(lambda event: told.append(event.get("Caller-Caller-ID-Number")))
    ear.start()
    assert ear.wait_connected(PATIENCE)
    taken = house.ring("5000")
    taken.see(node="menu")
    taken.phone.hang_up()
    engines = [engine["pid"] for engine in house.engines()]
    gone = house.caller()
    for pid in engines:
        os.kill(pid, signal.SIGSTOP)
    began = time.monotonic()
    try:
        gone.phone.call("5000")
        eventually(lambda: _at_the_engines(house, gone.number))
        # FreeSWITCH's clock goes by steps of 20 ms; the call is to last for more than one of them.
        time.sleep(0.1)
        gone.phone.hang_up()
        gone.phone.wait_for("closed")
        lasted = time.monotonic() - began
    finally:
        for pid in engines:
            os.kill(pid, signal.SIGCONT)
    report = house.told_of(gone)
    assert (report.call["status"], report.call["ended_by"]) == ("abandoned_ivr", "caller")
    assert (report.call["hangup_cause"], report.call["called_number"]) == ("ORIGINATOR_CANCEL", "5000")
    assert (report.legs, report.call["direction"], report.call["answered_at"]) == (["ivr"], "inbound", None)
    assert 0.05 < float(report.call["total_seconds"]) < lasted + 0.1
    assert house.told_of(taken).legs == ["ivr"]
    assert told == [gone.number]
    ear.stop()


def _at_the_engines(house: House, number: str) -> None:
    """This caller is: the one before, whose leg may still be ending, is not meant."""
    assert [each["application"] for each in house.switch.channels() if each["cid_num"] == number] == ["socket"]


def _first(watch: Watch, call_id: str, instant: float) -> float:
    began = watch.after(call_id, instant)
    assert began
    return began[0][0] - instant


def _all_engines(house: House) -> None:
    assert len(house.engines()) == 2


def test_freeswitch_killed_comes_back_and_its_calls_are_closed(
    house: House, record_property: Callable[[str, object], None]
) -> None:
    (agent,) = house.at_desk("1001", hertz=AGENT)
    idle = house.switch.desk("1003")
    idle.register()
    speaking, _ = talking(house, agent)
    waiting = house.ring(SALES)
    waiting.see(state="queue")
    ids = [speaking.call_id, waiting.call_id]
    before = house.children()["switch"]
    killed = time.monotonic()
    os.kill(before, signal.SIGKILL)

    def closed() -> list[dict[str, Any]]:
        rows = house.rows("SELECT * FROM report.calls WHERE call_id::text = ANY(%s) AND ended_at IS NOT NULL", ids)
        assert len(rows) == 2
        return rows

    rows = {str(row["call_id"]): row for row in eventually(closed, PATIENCE)}
    record_property("records_closed_seconds", round(time.monotonic() - killed, 1))
    assert rows[ids[0]]["status"] == "answered"
    assert rows[ids[1]]["status"] == "network"
    assert {row["ended_by"] for row in rows.values()} == {"system"}

    def back() -> None:
        assert house.children()["switch"] != before
        assert all(engine["switch"] == "ok" for engine in house.engines())
        assert "RUNNING" in house.switch.api("sofia status")

    eventually(lambda: _quiet(back), PATIENCE)
    record_property("freeswitch_back_seconds", round(time.monotonic() - killed, 1))
    # This phone did nothing: it is found by its old registration, or by one it made anew.
    eventually(lambda: _signed_in(house, idle), PATIENCE)
    record_property("phone_known_again_seconds", round(time.monotonic() - killed, 1))
    house.on_duty("1003")
    caller, _ = talking(house, idle)
    idle.hang_up()
    assert house.told_of(caller).call["status"] == "answered"


def _signed_in(house: House, phone: SipPhone) -> None:
    assert f"{phone.extension}@" in house.switch.api("sofia status profile internal reg")


def _quiet(check: Callable[[], None]) -> None:
    try:
        check()
    except OSError as error:
        raise AssertionError(error) from error
