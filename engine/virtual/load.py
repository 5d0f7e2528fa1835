"""The load generator: FreeSWITCH's side of very many calls at once, as cheap as Python can do it.

It speaks both kinds of event socket over real sockets, as the virtual switch does, but knows only what calls under load do:
a caller listens, presses a key, waits, talks and leaves; an agent's phone answers. One thread, one epoll, no greenlets, and
frames put together from parts encoded beforehand, so that on one processor it can offer more than an engine on another one
can take. It watches itself: how much of its processor it used, and how late it did what was due.

Run as a process of its own, `python -m engine.virtual.load HOST:PORT CONTROL-PORT PASSWORD`, it takes one Order a line on its
input and answers each with a line on its output; its first line is the port on which the control link is awaited. Lines that
begin with `!` come in between: the id of a call and the Unix time at which its leg had gone.
"""

from __future__ import annotations

import gc
import heapq
import os
import random
import resource
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import msgspec

from engine.virtual.load_calls import AgentLeg, Caller, ControlPeer
from engine.virtual.load_peer import Poller
from engine.virtual.load_plan import LoadPlan, Order, Outcome, Spread

SOURCES: Final = 16
"""How many loopback addresses calls come from: each has some 28,000 ports, and a port rests for a minute after its call."""

LONGEST_POLL: Final = 0.5
TIMES: Final = ("start", "answer", "digit", "through", "answered", "free", "lag")


class Load:
    """One generator. `engine` is where calls go; the control link is awaited on `control` (port 0 takes a free one)."""

    def __init__(self, engine: tuple[str, int], control: tuple[str, int], password: str) -> None:
        self.engine = engine
        self.password = password.encode()
        self.poller = Poller()
        self.callers: dict[bytes, Caller] = {}
        self.controls: list[ControlPeer] = []
        self.legs: dict[bytes, AgentLeg] = {}
        """The agents' phones that ring or talk, by the uuid of their leg."""
        self._free_since: dict[bytes, float] = {}
        """Extension -> since when its phone is free; 0 while it is not."""
        self.plan = LoadPlan()
        self.failed: Counter[str] = Counter()
        self.served = 0
        self.rung_twice = 0
        self.holding = False
        self.waiting = 0
        """Callers who wait in a queue now."""
        self._begun: list[str] = []
        self._ended = 0
        self._times: dict[str, list[float]] = {name: [] for name in TIMES}
        self._timed_from = 0.0
        self._timers: list[tuple[float, int, Callable[..., None], Any]] = []
        self._sequence = 0
        self._random = random.Random(0)  # noqa: S311 - a load that can be repeated
        self._sources = [f"127.0.0.{2 + number}" for number in range(SOURCES)]
        self._door = socket.create_server(control, backlog=16)
        self._door.setblocking(False)
        self.poller.watch(self._door.fileno(), self)
        self._orders = OrderLine(self)
        self._over = False

    @property
    def port(self) -> int:
        return int(self._door.getsockname()[1])

    def ready(self, _events: int) -> None:
        """An engine's control link comes."""
        sock, _ = self._door.accept()
        self.controls.append(ControlPeer(self, sock))

    # --- time ---

    def after(self, seconds: float, then: Callable[..., None], *arguments: Any) -> None:
        self._sequence += 1
        heapq.heappush(self._timers, (time.monotonic() + seconds, self._sequence, then, arguments))

    def timed(self, name: str, seconds: float) -> None:
        """Something took so long, now that the load is warm."""
        if self._timed_from and time.monotonic() >= self._timed_from:
            self._times[name].append(seconds)

    def begun(self, uuid: bytes) -> None:
        """The engine has taken this call."""
        self._begun.append(uuid.decode())

    def ended(self, uuid: bytes) -> None:
        """The leg of this call has gone; every tenth is told at once, for its record to be looked for."""
        self._ended += 1
        if self._ended % 10 == 0 and not self.holding:
            os.write(1, b"!%b %.6f\n" % (uuid, time.time()))

    def _run_due(self) -> float:
        """Do what is due; seconds till the next."""
        timers = self._timers
        while timers:
            now = time.monotonic()
            due = timers[0][0]
            if due > now:
                return min(due - now, LONGEST_POLL)
            _, _, then, arguments = heapq.heappop(timers)
            self.timed("lag", now - due)
            then(*arguments)
        return LONGEST_POLL

    def turn(self) -> None:
        self.poller.poll(self._run_due())

    # --- calls ---

    def begin(self, intended: float, key: str) -> None:
        """A caller rings whose call was intended for the instant `intended`."""
        number = f"+45{self.plan.first_caller + self._random.randrange(self.plan.callers)}"
        uuid = os.urandom(16).hex()  # not by the seed: a load that is repeated is made of other calls
        uuid = f"{uuid[:8]}-{uuid[8:12]}-4{uuid[13:16]}-8{uuid[17:20]}-{uuid[20:]}"
        try:
            sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        except OSError as error:
            # A handler far behind has more calls open than this machine has descriptors.
            self.failed[f"not connected: {error.strerror}"] += 1
            return
        if self.engine[0].startswith("127."):
            # Else a few hundred calls a second would use up the ports of one address.
            sock.setsockopt(socket.IPPROTO_IP, 24, 1)  # IP_BIND_ADDRESS_NO_PORT
            sock.bind((self._sources[self._sequence % SOURCES], 0))
        sock.setblocking(False)
        try:
            sock.connect(self.engine)
        except BlockingIOError:
            pass
        except OSError as error:
            sock.close()
            self.failed[f"not connected: {error.strerror}"] += 1
            return
        caller = Caller(self, sock, uuid.encode(), number.encode(), key.encode(), intended)
        self.callers[caller.uuid] = caller
        self.after(self.plan.patience, caller.lose_patience)

    def agent_rung(self, agent: AgentLeg) -> None:
        """An agent's phone begins to ring."""
        now, caller = time.monotonic(), agent.caller
        free = self._free_since.get(agent.extension, -1.0)
        if free == 0.0:
            self.rung_twice += 1
        elif caller.queued_at and caller.queued_at < free:
            self.timed("free", now - free)
        elif caller.pressed_at:
            self.timed("through", now - caller.pressed_at)
        self._free_since[agent.extension] = 0.0
        self.legs[agent.uuid] = agent

    def agent_free(self, agent: AgentLeg) -> None:
        self._free_since[agent.extension] = time.monotonic()
        self.legs.pop(agent.uuid, None)

    def _arrive(self, intended: float, until: float) -> None:
        plan = self.plan
        other = plan.other_share and self._random.random() < plan.other_share
        following = intended + self._random.expovariate(plan.rate)
        if following < until:
            self._sequence += 1
            heapq.heappush(self._timers, (following, self._sequence, self._arrive, (following, until)))
        self._offered.append(intended)
        self.begin(intended, plan.other_key if other else plan.key)

    # --- orders ---

    def obey(self, order: Order) -> bytes:
        """Carry an order out; what is to be told."""
        if order.what == "load":
            return msgspec.json.encode(self.run(order.plan))
        if order.what == "hold":
            return msgspec.json.encode(self.hold(order.plan, order.calls))
        if order.what == "release":
            return msgspec.json.encode(self.release())
        self._over = True
        return b"{}"

    def _fresh(self, plan: LoadPlan) -> None:
        self.plan = plan
        self._random = random.Random(plan.seed)  # noqa: S311 - as above
        self._offered: list[float] = []
        self.failed.clear()
        self._begun = []
        self.served = self.rung_twice = 0
        for each in self._times.values():
            each.clear()

    def run(self, plan: LoadPlan) -> Outcome:
        """Offer the load and stay until its last call is over."""
        self._fresh(plan)
        known = set(self.callers)
        began = time.monotonic()
        used = _cpu()
        self._timed_from = began + min(plan.warm_seconds, plan.seconds / 4)
        first = began + 0.05
        until = first + plan.seconds
        self._sequence += 1
        heapq.heappush(self._timers, (first, self._sequence, self._arrive, (first, until)))
        most = 0
        arrivals_used = wall = 0.0
        while time.monotonic() < until or len(self.callers) > len(known):
            self.turn()
            most = max(most, len(self.callers))
            if not wall and time.monotonic() >= until:
                wall, arrivals_used = time.monotonic() - began, _cpu() - used
        self._timed_from = 0.0
        ended = time.monotonic()
        return Outcome(
            offered=len(self._offered),
            served=self.served,
            failed=dict(self.failed),
            seconds=round(ended - began, 3),
            arrival_seconds=plan.seconds,
            most_at_once=most,
            times={name: Spread.of(each) for name, each in self._times.items()},
            generator_cpu=round(arrivals_used / wall, 3) if wall else 0.0,
            generator_ms_a_call=round((_cpu() - used) * 1000 / max(1, len(self._offered)), 3),
            rung_twice=self.rung_twice,
            calls=self._begun,
        )

    def hold(self, plan: LoadPlan, calls: int) -> dict[str, int]:
        """Bring so many calls into a queue, and let them wait there."""
        self._fresh(plan)
        self.holding = True
        for number in range(calls):
            self.after(number / plan.rate, self.begin, time.monotonic() + number / plan.rate, plan.key)
        until = time.monotonic() + calls / plan.rate + plan.patience
        wanted = self.waiting + calls
        while self.waiting < wanted and time.monotonic() < until:
            self.turn()
        return {"held": self.waiting, "failed": self.failed.total()}

    def release(self) -> dict[str, int]:
        """Whoever waits hangs up."""
        for number, caller in enumerate(list(self.callers.values())):
            self.after(number / self.plan.rate, caller.hang_up)
        until = time.monotonic() + len(self.callers) / self.plan.rate + 15
        while self.callers and time.monotonic() < until:
            self.turn()
        self.holding = False
        return {"left": len(self.callers), "failed": self.failed.total()}

    def serve(self) -> None:
        """Wait for orders and carry them out, until told to quit or nobody is left to give any."""
        while not self._over:
            self.turn()


class OrderLine:
    """Orders on the process's input, one a line."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._buffer = b""
        self._busy = False
        load.poller.watch(0, self)

    def ready(self, _events: int) -> None:
        data = os.read(0, 65536)
        if not data:
            sys.exit(0)
        self._buffer += data
        while b"\n" in self._buffer and not self._busy:
            line, _, self._buffer = self._buffer.partition(b"\n")
            self._busy = True
            answer = self._load.obey(msgspec.json.decode(line, type=Order))
            self._busy = False
            os.write(1, answer + b"\n")


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main(arguments: list[str]) -> None:
    host, _, port = arguments[0].rpartition(":")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    load = Load((host, int(port)), ("127.0.0.1", int(arguments[1])), arguments[2])
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 1000)
    os.write(1, b"%d\n" % load.port)
    load.serve()


if __name__ == "__main__":
    main(sys.argv[1:])
