"""One measurement of the engine: load, memory, records, and what each process used for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import gevent
import msgspec

from conf.errors import PointsmanError
from engine.bench.generator import Generator
from engine.bench.meter import Watched
from engine.bench.records import RecordsWatch, Written
from engine.bench.site import Site
from engine.virtual.load_plan import LoadPlan, Outcome

ENOUGH: Final = "1"
BUSY: Final = "2"
HELD: Final = "3"
BUSY_SHARE: Final = 0.1
GENERATOR_LIMIT: Final = 0.8
"""Above this share of its processor the generator's own waiting shows in what it times."""

Say = Callable[[str], None]


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """The engine while calls wait in a queue and nothing else happens."""

    calls: int
    bytes_a_call: float
    cpu: float
    """Share of a processor."""
    open_files_a_call: float


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """All of one measurement. Processor time is milliseconds a call; `postgres` includes every connection's process."""

    rate: float
    outcome: Outcome
    served_a_second: float
    engine_ms: float
    engine_cpu: float
    redis_ms: float
    postgres_ms: float
    engine_bytes_at_end: int
    records: Written
    complaints: dict[str, int]
    """What the engine logged since its start, warnings and worse."""
    held: Held | None = None
    generator_is_the_limit: bool = False


def plan(rate: float, seconds: float, seed: int, company_busy: int) -> LoadPlan:
    """A load of which one caller in ten, or fewer, goes to a queue whose agents are nearly always busy."""
    talk = 0.4
    # Nine in ten of what these agents can take, so that callers wait there and the queue never grows for ever.
    share = min(BUSY_SHARE, 0.9 * company_busy / (talk + 0.05) / rate)
    return LoadPlan(
        rate=rate, seconds=seconds, seed=seed, key=ENOUGH, other_key=BUSY, other_share=share, talk_seconds=talk
    )


def busy_agents(rate: float) -> int:
    """How many agents the small queue needs for a tenth of the load to keep them nine tenths busy."""
    return max(2, round(rate * BUSY_SHARE * 0.45 / 0.9))


class NothingServed(PointsmanError):
    """The engine serves nobody, so there is nothing to measure; the message says what became of the calls."""


def warm_up(site: Site, generator: Generator, rate: float) -> None:
    """A few calls that are not counted. NothingServed where not one of them was served; GeneratorBroken."""
    outcome = generator.load(LoadPlan(rate=min(rate, 50.0), seconds=3.0, patience=20.0, seed=0))
    if not outcome.served:
        raise NothingServed(f"no call was served: {outcome.failed}; {site.engine.last_words(4)[-600:]}")


def measure(site: Site, generator: Generator, watch: RecordsWatch, load: LoadPlan) -> Result:
    """Run a load on the site's engine. GeneratorBroken."""
    engine = Watched(site.engine.pid)
    redis = Watched(site.children["redis"].pid)
    postgres = Watched(site.children["postgres"].pid, family=True)
    before = [each.cpu_seconds() for each in (engine, redis, postgres)]
    outcome = generator.load(load)
    records = watch.check(outcome.calls)
    used = [each.cpu_seconds() - was for each, was in zip((engine, redis, postgres), before, strict=True)]
    calls = max(1, outcome.offered)
    outcome = msgspec.structs.replace(outcome, calls=[])
    return Result(
        rate=load.rate,
        outcome=outcome,
        served_a_second=round(outcome.served / load.seconds, 1),
        engine_ms=round(used[0] * 1000 / calls, 3),
        engine_cpu=round(used[0] / outcome.seconds, 3),
        redis_ms=round(used[1] * 1000 / calls, 3),
        postgres_ms=round(used[2] * 1000 / calls, 3),
        engine_bytes_at_end=engine.resident_bytes(),
        records=records,
        complaints=site.complaints(),
        generator_is_the_limit=outcome.generator_cpu > GENERATOR_LIMIT,
    )


def hold(site: Site, generator: Generator, calls: int, *, rate: float = 150.0, idle_seconds: float = 4.0) -> Held:
    """Let calls wait in a queue that nobody answers, and see what that costs the engine. GeneratorBroken."""
    engine = Watched(site.engine.pid)
    # Structures that every call needs once are not a call's memory.
    load = LoadPlan(rate=rate, key=HELD)
    few = generator.hold(load, 50).held
    bytes_before, files_before = engine.resident_bytes(), engine.open_files()
    held = generator.hold(load, calls)
    gevent.sleep(3.0)
    grown, files = engine.resident_bytes() - bytes_before, engine.open_files() - files_before
    used = engine.cpu_seconds()
    gevent.sleep(idle_seconds)
    cpu = (engine.cpu_seconds() - used) / idle_seconds
    generator.release()
    waiting = max(1, held.held - few)
    return Held(
        calls=waiting,
        bytes_a_call=round(grown / waiting),
        cpu=round(cpu, 3),
        open_files_a_call=round(files / waiting, 2),
    )
