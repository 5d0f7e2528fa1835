"""`pointsman bench`: load on an engine, and what its callers, its records and its processor make of it."""

from __future__ import annotations

import os
import resource
import signal
import sys
from contextlib import ExitStack

import click
import gevent
import msgspec

from conf.errors import PointsmanError
from conf.settings import Address, load
from engine.bench import run, table
from engine.bench.generator import Generator
from engine.bench.records import RecordsWatch
from engine.bench.site import Company, Site, password
from engine.virtual.load_plan import LoadPlan


class BenchImpossible(PointsmanError):
    """Nothing can be measured; the message says why."""


def cores() -> tuple[int, int] | None:
    """A processor for the engine and another for all the rest; None where there is only one."""
    free = sorted(os.sched_getaffinity(0))
    return (free[0], free[1]) if len(free) > 1 else None


def allow_many_files() -> None:
    """Let this process and its children hold as many sockets as the system grants."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


@click.command()
@click.option("--rate", type=click.FloatRange(min=0.1), default=100.0, show_default=True, help="Calls a second.")
@click.option("--seconds", type=click.FloatRange(min=1), default=30.0, show_default=True, help="How long calls arrive.")
@click.option("--engine", "address", metavar="HOST:PORT", help="An engine that runs already.")
@click.option("--number", default=None, help="With --engine: the number that is called; 5000 by default.")
@click.option("--press", default="1", show_default=True, help="With --engine: the key that leads to agents.")
@click.option("--held", type=click.IntRange(min=0), default=500, show_default=True, help="Calls held to weigh one.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed brings the same arrivals.")
@click.option("--json", "as_json", is_flag=True, help="JSON instead of tables.")
def bench(
    rate: float,
    seconds: float,
    address: str | None,
    number: str | None,
    press: str,
    held: int,
    seed: int,
    as_json: bool,
) -> int:
    """Put load on an engine and measure what callers notice.

    Calls arrive by chance, listen, choose, wait, talk and leave.

    Without --engine a throw-away installation is made, measured and taken away: Postgres, Redis, agents, and one engine held
    to one processor. With --engine that engine is loaded and only what callers notice is told; its control link must
    lead here: run it with POINTSMAN_FREESWITCH set to this machine's POINTSMAN_CONTROL, and with the same password.
    """
    allow_many_files()
    # Whoever ends it wants the throw-away installation taken away as well.
    gevent.signal_handler(signal.SIGTERM, gevent.kill, gevent.getcurrent(), KeyboardInterrupt)
    if address is not None:
        plan = LoadPlan(rate=rate, seconds=seconds, seed=seed, key=press, number=number or "5000")
        return _elsewhere(address, plan, as_json)
    agents = run.busy_agents(rate)
    with ExitStack() as stack:
        result = _here(
            stack, run.plan(rate, seconds, seed, agents), Company(max(20, round(rate)), agents), held, as_json
        )
    click.echo(msgspec.json.format(msgspec.json.encode(result)).decode() if as_json else table.result(result))
    failed = sum(result.outcome.failed.values()) + result.records.lost + result.records.doubled
    return 1 if failed else 0


def _here(stack: ExitStack, plan: LoadPlan, company: Company, held: int, quiet: bool) -> run.Result:
    """Measure on a throw-away installation."""

    def say(text: str) -> None:
        if not quiet:
            click.echo(f"bench: {text}", err=True)

    used = cores()
    if used is None:
        say("there is one processor; engine and load share it, and the figures are lower for it")
    else:
        # What is started inherits it, so nothing of ours gets in the engine's way.
        os.sched_setaffinity(0, {used[1]})
    say("setting up a throw-away installation")
    secret = password()
    site = stack.enter_context(Site(company, password=secret, cores=used))
    watch = RecordsWatch(site.database_url)
    stack.callback(watch.close)
    generator = stack.enter_context(
        Generator(
            site.esl,
            secret,
            control_port=site.control[1],
            core=None if used is None else used[1],
            on_ended=watch.ended,
        )
    )
    site.start_engine()
    say("warming up")
    run.warm_up(site, generator, plan.rate)
    weighed = None
    if held:
        # First of all, for what a load leaves free in the heap would be counted as no memory.
        say(f"holding {held} calls")
        weighed = run.hold(site, generator, held)
    say(f"{plan.rate:g} calls a second for {plan.seconds:g} s")
    return msgspec.structs.replace(run.measure(site, generator, watch, plan), held=weighed)


def _elsewhere(address: str, plan: LoadPlan, as_json: bool) -> int:
    """Put load on an engine that somebody else runs."""
    settings = load()
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise click.BadParameter(f"{address!r} is not HOST:PORT", param_hint="--engine")
    if settings.freeswitch_password is None:
        raise BenchImpossible("POINTSMAN_FREESWITCH_PASSWORD is not set; the engine's control link needs the same one")
    control = Address(settings.control)
    with Generator(
        (host, int(port)), settings.freeswitch_password.get_secret_value(), control_port=control.port
    ) as generator:
        outcome = generator.load(plan)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(outcome)).decode())
    else:
        failed = sum(outcome.failed.values())
        click.echo(f"{outcome.offered:,} calls, {outcome.served:,} served, {failed:,} failed {outcome.failed or ''}")
        click.echo(table.latencies(outcome))
    sys.stdout.flush()
    return 1 if outcome.failed else 0
