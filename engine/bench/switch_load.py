"""Load on a real FreeSWITCH: sipp's callers through the menu into a queue, sipp's agents, one engine process, one machine.

What it takes FreeSWITCH is part of every figure, so times are FreeSWITCH's own: each event bears the instant at which it
happened (Event-Date-Timestamp), and a listener beside the engine collects those instants.
"""

from __future__ import annotations

import os
import secrets
import socket
import time
import wave
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, Final

import gevent
import msgspec
import psycopg2

from conf import embedded
from conf.children import Child, ChildSpec
from conf.errors import PointsmanError
from conf.settings import Address
from dialplan.freeswitch import DeskPhone, command_line, installed_modules, render
from engine import freeswitch
from engine.bench.site import NUMBER, Company, Site
from engine.bench.telephones import Agents, ring, sipp
from engine.esl import names
from engine.esl.control import Control
from engine.esl.frames import Event
from sounds import music

SHORT_PROMPTS: Final = {
    "greeting_morning": 0.1,
    "greeting_afternoon": 0.1,
    "menu_main": 3.0,
    "menu_no_input": 0.5,
    "goodbye": 0.1,
}
"""Seconds of silence instead of words, so that a caller comes to the menu at once and calls last as long as the talk."""

PRESS_MS: Final = 800
ENOUGH: Final = "1"
BUSY: Final = "2"
READY_SECONDS: Final = 60.0
COMPARED: Final = frozenset({names.DTMF, names.CHANNEL_ANSWER, names.CHANNEL_BRIDGE, names.CHANNEL_HANGUP})


class Spread(msgspec.Struct, frozen=True):
    """Milliseconds. FreeSWITCH's clock moves in steps of 20 ms, so the mean tells more than the median does."""

    count: int
    mean: float
    p50: float
    p95: float
    most: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Spread:
        """All zero where nothing was timed."""
        ordered = sorted(seconds) or [0.0]
        at = [round(ordered[int((len(ordered) - 1) * share)] * 1000, 1) for share in (0.5, 0.95, 1.0)]
        return cls(len(seconds), round(sum(ordered) * 1000 / len(ordered), 1), *at)


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """What FreeSWITCH and the engine are given to do."""

    rate: float = 20.0
    seconds: float = 20.0
    digit: str = ENOUGH
    """What callers press: ENOUGH leads to more agents than callers, BUSY to few, so that callers wait all the time."""
    agents: int = 100
    talk_ms: int = 1000
    most: int = 400
    """Callers at once; for BUSY it is how long the queue grows."""


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a load. `bridged`: key pressed -> caller and agent hear each other; `next`: agent hung up -> the same
    agent hears the next caller; both in milliseconds by FreeSWITCH's clock. CPU is user and system time."""

    offered_rate: float
    calls: int
    failed: int
    reported: int
    """How many of them have their row, answered."""
    rate: float
    """Calls put through a second, from the first to the last."""
    bridged: Spread
    next: Spread
    switch_ms_a_call: float
    engine_ms_a_call: float
    switch_cpu: float
    """Share of one processor while callers came."""


class Listener:
    """Collects the instants at which callers pressed, and were bridged with agents, and agents hung up."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self.pressed: dict[str, float] = {}
        self.bridged: list[float] = []
        self.instants: list[float] = []
        self.next: list[float] = []
        self._extension: dict[str, str] = {}
        self._free: dict[str, float] = {}

    def take(self, event: Event) -> None:
        uuid = event.get("Unique-ID") or ""
        at = int(event.get("Event-Date-Timestamp") or 0) / 1e6
        if event.name == names.DTMF:
            self.pressed.setdefault(uuid, at)
        elif event.name == names.CHANNEL_ANSWER and event.get("variable_pointsman_leg") == "agent":
            self._extension[uuid] = event.get("variable_dialed_user") or event.get("Caller-Destination-Number") or ""
        elif event.name == names.CHANNEL_BRIDGE:
            self._joined(uuid, event.get("Other-Leg-Unique-ID") or "", at)
        elif event.name == names.CHANNEL_HANGUP and uuid in self._extension:
            self._free[self._extension.pop(uuid)] = at

    def _joined(self, one: str, other: str, at: float) -> None:
        caller, agent = (one, other) if one in self.pressed else (other, one)
        began = self.pressed.pop(caller, None)
        if began is None:
            return
        self.bridged.append(at - began)
        self.instants.append(at)
        free = self._free.pop(self._extension.get(agent, ""), None)
        if free is not None:
            self.next.append(at - free)


class Rig:
    """A throw-away installation with a real FreeSWITCH, agents' phones not yet among them. For a `with`."""

    def __init__(self, binary: Path, *, agents: int = 100, busy: int = 20, recorded: bool = False) -> None:
        sipp()
        self.control = Address(f"127.0.0.1:{embedded.free_port()}")
        self.sip = Address(f"127.0.0.1:{embedded.free_port()}")
        self.site = Site(
            Company(sales=agents, busy=busy),
            control=(self.control.host, self.control.port),
            password=secrets.token_urlsafe(12),
        )
        self.phones = [DeskPhone(str(2001 + number), "", secrets.token_hex(8)) for number in range(agents)]
        self.phones += [DeskPhone(str(6001 + number), "", secrets.token_hex(8)) for number in range(busy)]
        self.binary = binary
        self.listener = Listener()
        self._recorded = recorded
        self._stack = ExitStack()
        self.switch: Child

    def __enter__(self) -> Rig:
        try:
            self._stack.enter_context(self.site)
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _start(self) -> None:
        self._shorten_prompts()
        with closing(psycopg2.connect(self.site.database_url)) as connection, connection, connection.cursor() as cursor:
            cursor.execute("UPDATE queue SET recorded = %s, announce_seconds = 0", (self._recorded,))
        self._start_switch()
        self.site.start_engine()
        control = Control((self.control.host, self.control.port), self.site.password, events=COMPARED)
        self._stack.callback(control.stop)
        control.start()
        if not control.wait_connected(10):
            raise freeswitch.FreeSwitchBroken("FreeSWITCH takes no second control link")
        # All legs, not only those that this link would originate.
        control.send("filter delete all")
        for name in COMPARED:
            control.register_handle(name, self.listener.take)
        # FreeSWITCH's very first call to a phone takes half a second longer than any later one.
        self.run(Load(rate=5.0, seconds=1.0, talk_ms=200))

    def _shorten_prompts(self) -> None:
        folder = self.site.home / "prompts" / "en"
        folder.mkdir(parents=True)
        for name, seconds in SHORT_PROMPTS.items():
            with wave.open(str(folder / f"{name}.wav"), "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(8000)
                file.writeframes(bytes(2 * int(8000 * seconds)))

    def _start_switch(self) -> None:
        folder = self.site.home / "freeswitch"
        render(
            folder / "conf",
            control=self.control,
            control_password=self.site.password,
            sip=self.sip,
            engines=[Address("{}:{}".format(*self.site.esl))],
            phones=self.phones,
            music=music.SHIPPED,
            available=installed_modules(self.binary),
            sessions_per_second=1000,
            registration_seconds=3600,
        )
        self.switch = Child(
            ChildSpec(name="switch", argv=tuple(command_line(self.binary, folder)), folder=folder), folder / "out.log"
        )
        self._stack.callback(self.switch.kill)
        deadline = time.monotonic() + READY_SECONDS
        while True:
            try:
                if "RUNNING" in freeswitch.api(self.control, self.site.password, "sofia status", 5):
                    return
            except OSError:
                pass
            if self.switch.exit_code is not None or time.monotonic() > deadline:
                raise freeswitch.FreeSwitchBroken(f"FreeSWITCH does not come up: {self.switch.last_words(8)}")
            gevent.sleep(0.1)

    @contextmanager
    def staffed(self, load: Load) -> Iterator[None]:
        """The phones of the queue that callers of this load come to."""
        phones = self._team(load)
        with Agents(self.site.home, self.sip, phones, sip=_free_udp(), media=_free_udp(), talk_ms=load.talk_ms):
            yield

    def _team(self, load: Load) -> list[DeskPhone]:
        first = "6" if load.digit == BUSY else "2"
        return [phone for phone in self.phones if phone.extension.startswith(first)]

    def run(self, load: Load) -> Measured:
        """Offer the load and wait for its last row."""
        self.listener.forget()
        calls = round(load.rate * load.seconds)
        before = self._answered()
        with self.staffed(load):
            switch, engine, began = cpu(self.switch.pid), cpu(self.site.engine.pid), time.monotonic()
            rung = ring(
                self.site.home,
                self.sip,
                NUMBER,
                rate=load.rate,
                calls=calls,
                most=load.most,
                digit=load.digit,
                press_ms=PRESS_MS,
                sip=_free_udp(),
                media=_free_udp(),
                seconds=load.seconds + 60,
            )
            took = time.monotonic() - began
            switch, engine = cpu(self.switch.pid) - switch, cpu(self.site.engine.pid) - engine
        deadline = time.monotonic() + 15
        while self._answered() - before < rung.calls - rung.failed and time.monotonic() < deadline:
            gevent.sleep(0.1)
        instants = sorted(self.listener.instants)
        span = instants[-1] - instants[0] if len(instants) > 1 else 0.0
        return Measured(
            offered_rate=load.rate,
            calls=rung.calls,
            failed=rung.failed,
            reported=self._answered() - before,
            rate=round((len(instants) - 1) / span, 1) if span else 0.0,
            bridged=Spread.of(self.listener.bridged),
            next=Spread.of(self.listener.next),
            switch_ms_a_call=round(switch * 1000 / rung.calls, 1),
            engine_ms_a_call=round(engine * 1000 / rung.calls, 1),
            switch_cpu=round(switch / took, 2),
        )

    def _answered(self) -> int:
        with closing(psycopg2.connect(self.site.database_url)) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM call WHERE status = 'answered' AND ended_at IS NOT NULL")
            row: Any = cursor.fetchone()
            return int(row[0])


def cpu(pid: int) -> float:
    """Seconds of processor that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _free_udp() -> int:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def why_not() -> str | None:
    """Why this machine cannot run it, None where it can."""
    try:
        if freeswitch.find("auto") is None:
            return "no FreeSWITCH here"
        sipp()
    except PointsmanError as error:
        return str(error)
    return None
