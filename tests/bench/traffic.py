"""The engine, a bare greenswitch handler and a bare gevent handler under the same traffic, one after the other in one run."""

from __future__ import annotations

import contextlib
import socket
import sys
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import gevent
import msgspec

from conf import embedded
from conf.children import Child, ChildSpec
from engine.bench import run
from engine.bench.generator import Generator
from engine.bench.meter import Watched
from engine.bench.records import RecordsWatch
from engine.bench.site import Company, Site, password, pin
from engine.virtual.load_plan import LoadPlan, Outcome

COMPARED_RATE = 100.0
COMPARED_SECONDS = 12.0
STEP_SECONDS = 6.0
STEP_GROWTH = 1.25
QUICK_SECONDS = 4.0
QUICK_STEPS = 2
LATE_MS = 100.0
"""A rate is held if every call is served, its digit answered within this time in 99 cases of 100."""

Cores = tuple[int, int] | None
Say = Callable[[str], None]


class Compared(msgspec.Struct, kw_only=True):
    """One controller. `most` is the highest rate it held; `generator_limit` that the generator could offer no more. Where it
    did not break, `broke_at` is 0."""

    name: str
    outcome: Outcome
    cpu_ms: float
    most: float
    generator_limit: bool
    broke_at: float
    broke_by: str
    bytes_a_held_call: float


class Handler:
    """A bare handler as a process. Use as a context."""

    def __init__(self, kind: str, folder: Path, core: int | None) -> None:
        self.address = ("127.0.0.1", embedded.free_port())
        spec = ChildSpec(
            kind, (sys.executable, str(Path(__file__).with_name("handlers.py")), kind, str(self.address[1]))
        )
        self._child = Child(spec, folder / f"{kind}.log")
        if core is not None:
            pin(self._child.pid, core)
        self.watched = Watched(self._child.pid)

    def __enter__(self) -> Handler:
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), socket.create_connection(self.address, 1):
                return self
            gevent.sleep(0.1)
        raise RuntimeError(f"the bare handler does not come up: {self._child.last_words()}")

    def __exit__(self, *_: object) -> None:
        self._child.kill()


def steps(first: float, quick: bool) -> Iterator[float]:
    for number in count():
        if quick and number == QUICK_STEPS:
            return
        yield first * STEP_GROWTH**number


def broken(outcome: Outcome) -> str:
    """Why this rate was not held; nothing where it was."""
    if outcome.failed:
        why, count = max(outcome.failed.items(), key=lambda each: each[1])
        return f"{count} of {outcome.offered} calls: {why}"
    late = outcome.times["digit"].p99
    return f"digit to next command {late:,.0f} ms at p99" if late > LATE_MS else ""


def climb(generator: Generator, first: float, say: Say, plan: Callable[[float], LoadPlan], *, quick: bool) -> Compared:
    """Rising rates until one is not held. What is compared at one rate for all is put in by `compare`."""
    most, limited, why, rate = 0.0, False, "", first
    outcome: Outcome | None = None
    for rate in steps(first, quick):
        outcome = generator.load(plan(rate))
        if why := broken(outcome):
            # Something else on the machine may have wanted the processor: what breaks twice is broken.
            say(f"  {rate:,.0f} a second: {why}; once more")
            outcome = generator.load(plan(rate))
            why = broken(outcome)
        say(f"  {rate:,.0f} a second: {why or 'held'}")
        if why:
            break
        most = rate
        if outcome.generator_cpu > run.GENERATOR_LIMIT:
            limited = True
            break
    assert outcome is not None
    return Compared(
        name="",
        outcome=outcome,
        cpu_ms=0.0,
        most=round(most, 1),
        generator_limit=limited,
        broke_at=round(rate, 1) if why else 0.0,
        broke_by=why,
        bytes_a_held_call=0.0,
    )


def compare(
    generator: Generator,
    watched: Watched,
    name: str,
    first: float,
    say: Say,
    plan: Callable[[float], LoadPlan],
    *,
    quick: bool,
) -> Compared:
    """Everything about one controller that all have in common."""
    say(f"{name}: {COMPARED_RATE:g} calls a second")
    used = watched.cpu_seconds()
    outcome = generator.load(
        msgspec.structs.replace(plan(COMPARED_RATE), seconds=QUICK_SECONDS if quick else COMPARED_SECONDS)
    )
    cpu_ms = (watched.cpu_seconds() - used) * 1000 / max(1, outcome.offered)
    say(f"{name}: the highest rate it holds")
    found = climb(generator, first, say, plan, quick=quick)
    found.name, found.cpu_ms = name, round(cpu_ms, 3)
    found.outcome = msgspec.structs.replace(outcome, calls=[])
    return found


def weigh(generator: Generator, watched: Watched, calls: int) -> float:
    few = LoadPlan(rate=60.0, key=run.HELD)
    already = generator.hold(few, 30).held
    before = watched.resident_bytes()
    held = generator.hold(few, calls).held - already
    gevent.sleep(1.0)
    grown = watched.resident_bytes() - before
    generator.release()
    return round(grown / max(1, held))


def simple(rate: float) -> LoadPlan:
    return LoadPlan(rate=rate, seconds=STEP_SECONDS, patience=15.0)


def bare(kind: str, folder: Path, cores: Cores, first: float, held: int, say: Say, *, quick: bool) -> Compared:
    engine_core, other_core = cores or (None, None)
    with (
        Handler(kind, folder, engine_core) as handler,
        Generator(handler.address, password(), core=other_core) as generator,
    ):
        generator.load(msgspec.structs.replace(simple(20.0), seconds=3.0))
        say(f"{kind}: {held} calls held")
        weight = weigh(generator, handler.watched, held)
        found = compare(generator, handler.watched, kind, first, say, simple, quick=quick)
        found.bytes_a_held_call = weight
        return found


def engine(
    rate: float, seconds: float, held: int, cores: Cores, say: Say, *, quick: bool
) -> tuple[run.Result, Compared]:
    """The engine with its queue, its records and all: measured at `rate`, then as the others are."""
    secret = password()
    most = max(rate, 600.0)
    with Site(Company(round(most), run.busy_agents(rate)), password=secret, cores=cores) as site:
        watch = RecordsWatch(site.database_url)
        generator = Generator(
            site.esl,
            secret,
            control_port=site.control[1],
            core=None if cores is None else cores[1],
            on_ended=watch.ended,
        )
        with contextlib.closing(watch), generator:
            site.start_engine()
            say("engine: warming up")
            run.warm_up(site, generator, rate)
            say(f"engine: {held} calls held")
            weighed = run.hold(site, generator, held)
            say(f"engine: {rate:g} calls a second for {seconds:g} s")
            result = run.measure(site, generator, watch, run.plan(rate, seconds, 1, site.company.busy))
            result = msgspec.structs.replace(result, held=weighed)
            found = compare(generator, Watched(site.engine.pid), "engine", 150.0, say, simple, quick=quick)
            found.bytes_a_held_call = weighed.bytes_a_call
    return result, found
