"""The load generator: what it sends is what FreeSWITCH sends, its arrivals are what the seed says, and it counts right."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

import gevent
import pytest

from engine.bench.generator import Generator
from engine.bench.meter import Watched
from engine.esl import names
from engine.esl.control import Control
from engine.esl.errors import CallGone
from engine.esl.frames import FrameReader
from engine.esl.outbound import CallLink
from engine.esl.server import OutboundServer
from engine.virtual import load_frames
from engine.virtual.load_plan import LoadPlan, Spread

UUID = b"0b1cdb0c-8d7e-4f0c-9d43-4a2f5a3c1e11"
PASSWORD = "a password"


def test_frames_parse_and_are_as_long_as_freeswitchs() -> None:
    leg = load_frames.Leg(UUID, b"+4520000017", b"7000")
    stream = leg.connected() + leg.digit(b"1") + leg.executed(b"read", b"exec-1", extra=b"variable_choice: 1\n")
    stream += leg.completely() + leg.lingering() + leg.farewell() + load_frames.job_done(b"job-1", b"show", b"{}\n\n")
    reader = FrameReader()
    frames = [frame for start in range(0, len(stream), 977) for frame in reader.feed(stream[start : start + 977])]
    connected, digit, executed, completely, lingering, farewell, job = frames
    assert connected.get("Unique-ID") == UUID.decode()
    assert connected.get("Caller-Caller-ID-Number") == "+4520000017"
    assert connected.get("Caller-Destination-Number") == "7000"
    assert connected.get("Control") == "full"
    assert digit.event.get("DTMF-Digit") == "1"
    assert executed.event.name == names.CHANNEL_EXECUTE_COMPLETE
    assert executed.event.get("Application-UUID") == "exec-1"
    assert executed.event.get("variable_choice") == "1"
    assert completely.event.get("Hangup-Cause") == "NORMAL_CLEARING"
    assert (lingering.get("Content-Disposition"), farewell.get("Content-Disposition")) == ("linger", "disconnect")
    assert job.event.body == b"{}\n\n"
    # tests/esl/captures: 6.4, 9.2 and 2.1 KB at the median, 7.1 KB for the reply to connect.
    assert [len(frame.body) // 100 for frame in (executed, completely, digit)] == [60, 88, 21]
    assert 6500 < len(leg.connected()) < 7500
    assert json.loads(load_frames.row(UUID))["uuid"] == UUID.decode()


def test_a_spread_names_the_value_that_so_many_stay_below() -> None:
    values = [number / 1000 for number in range(1, 1001)]
    random.Random(3).shuffle(values)
    assert Spread.of(values) == Spread(1000, 500.0, 990.0, 999.0, 1000.0)
    assert Spread.of([]) == Spread(0, 0.0, 0.0, 0.0, 0.0)
    assert Spread.of([0.002]) == Spread(1, 2.0, 2.0, 2.0, 2.0)


class Desk:
    """A small controller on real sockets, by the engine's own links: a menu, then music or an agent."""

    def __init__(self) -> None:
        self.server = OutboundServer(("127.0.0.1", 0), self.handle)
        self.server.start()
        self.agents = 0
        self.owner = ""
        """Whom the agents' legs are to tell of their end."""
        self.pressed: list[str | None] = []
        self.callers: list[str | None] = []

    def handle(self, call: CallLink) -> None:
        self.callers.append(call.connect().get("Caller-Caller-ID-Number"))
        parted = call.expect(names.CHANNEL_UNBRIDGE)
        call.answer()
        call.playback("welcome.wav", response_timeout=30)
        done = call.execute("read", "1 1 menu.wav choice 5000 none 3000", lock=True).wait(30)
        digit = done.get("variable_choice")
        self.pressed.append(digit)
        if digit == "3":
            call.playback("local_stream://music", response_timeout=30)
            return
        if digit == "9":
            call.hangup()
            raise CallGone
        self.agents += 1
        leg = f"{{origination_uuid=agent-{self.agents:030d},pointsman_owner={self.owner}}}"
        call.execute("bridge", f"{leg}user/{2000 + self.agents}")
        parted.wait(30)
        call.hangup()

    def stop(self) -> None:
        self.server.stop(1)


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    yield made
    made.stop()


@pytest.fixture
def generator(desk: Desk) -> Iterator[Generator]:
    with Generator(desk.server.address, PASSWORD) as made:
        yield made


QUICK = LoadPlan(rate=40, seconds=2, seed=5, prompt_seconds=0.02, press_seconds=0.02, talk_seconds=0.05, warm_seconds=0)


def test_every_call_is_served_and_timed(desk: Desk, generator: Generator) -> None:
    outcome = generator.load(QUICK)
    assert outcome.failed == {}
    assert outcome.served == outcome.offered == len(desk.callers) == len(set(outcome.calls))
    assert 50 < outcome.offered < 110
    assert outcome.rung_twice == 0
    assert set(desk.pressed) == {"1"}
    assert outcome.times["digit"].count == outcome.times["through"].count == outcome.offered
    # All of it on one machine: the whole way from the intended start is longer than its first leg, and neither takes a second.
    assert 0 < outcome.times["start"].p50 <= outcome.times["answer"].p50 < 1000
    assert 0 < outcome.generator_cpu < 1


def test_the_same_seed_brings_the_same_callers(desk: Desk, generator: Generator) -> None:
    told = []
    for seed in (5, 5, 6):
        desk.callers.clear()
        generator.load(LoadPlan(rate=40, seconds=1, seed=seed, prompt_seconds=0, press_seconds=0, talk_seconds=0.02))
        told.append(list(desk.callers))
    assert sorted(map(str, told[0])) == sorted(map(str, told[1]))
    assert sorted(map(str, told[0])) != sorted(map(str, told[2]))


def test_calls_that_come_to_nothing_are_failures_by_their_reason(desk: Desk, generator: Generator) -> None:
    ended = generator.load(LoadPlan(rate=20, seconds=1, key="9", prompt_seconds=0.01, press_seconds=0.01))
    assert ended.failed == {"hung up before a talk": ended.offered}
    impatient = generator.load(
        LoadPlan(rate=20, seconds=1, key="3", prompt_seconds=0.01, press_seconds=0.01, patience=0.5)
    )
    assert impatient.failed == {"not served within the caller's patience": impatient.offered}
    assert (ended.served, impatient.served) == (0, 0)


def test_calls_are_held_until_they_are_released(desk: Desk, generator: Generator) -> None:
    plan = LoadPlan(rate=100, key="3", prompt_seconds=0.01, press_seconds=0.01)
    assert generator.hold(plan, 30).held == 30
    assert generator.hold(plan, 10).held == 40
    with gevent.Timeout(30):
        while desk.server.connections < 40:
            gevent.sleep(0.01)
    released = generator.release()
    assert (released.left, released.failed) == (0, 0)


def test_the_control_link_is_answered(desk: Desk, generator: Generator) -> None:
    generator.hold(LoadPlan(rate=100, key="3", prompt_seconds=0.01, press_seconds=0.01), 3)
    control = Control(("127.0.0.1", generator.port), PASSWORD)
    control.connect(5)
    try:
        assert control.core_uuid == load_frames.CORE.decode()
        channels = control.channels(5)
        assert len(channels) == 3
        control.kill(channels[0].uuid)
        with gevent.Timeout(30):
            while len(control.channels(5)) > 2:
                gevent.sleep(0.02)
    finally:
        control.stop()
        generator.release()


def test_the_control_link_is_told_of_the_end_of_the_legs_that_it_rang(desk: Desk, generator: Generator) -> None:
    control = Control(("127.0.0.1", generator.port), PASSWORD)
    ended: list[str] = []
    control.register_handle(names.CHANNEL_HANGUP, lambda event: ended.append(event.get("Unique-ID") or ""))
    control.connect(5)
    try:
        desk.owner = control.owner
        assert generator.load(LoadPlan(rate=50, seconds=0.2, patience=10, talk_seconds=0.02)).served
        assert sorted(ended) == [f"agent-{number:030d}" for number in range(1, desk.agents + 1)]
    finally:
        control.stop()


def test_a_process_is_watched_by_what_the_kernel_counts(generator: Generator) -> None:
    watched = generator.watched
    before = watched.cpu_seconds()
    generator.load(LoadPlan(rate=200, seconds=1, prompt_seconds=0, press_seconds=0, talk_seconds=0))
    assert before < watched.cpu_seconds() < before + 5
    assert watched.resident_bytes() > 5_000_000
    assert watched.open_files() > 3
    assert Watched(2**22 - 1).cpu_seconds() == 0
