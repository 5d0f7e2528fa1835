"""`make bench`: everything that is measured, in one run, each figure beside its goal and what it is compared with.

A table on the terminal, JSON in build/bench.json, and what README.md says of it in build/bench.md. `--quick` is for looking
whether it works at all.
"""

from gevent import monkey

monkey.patch_all()

from psycogreen.gevent import patch_psycopg  # noqa: E402

patch_psycopg()

import argparse  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import platform  # noqa: E402
import shutil  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
from collections.abc import Callable, Iterator, Sequence  # noqa: E402
from contextlib import ExitStack, contextmanager  # noqa: E402
from datetime import UTC, datetime  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import msgspec  # noqa: E402

from conf import embedded  # noqa: E402
from conf.children import Child  # noqa: E402
from conf.migrate import migrate  # noqa: E402
from engine.bench.table import GOALS, latencies, number, result, table  # noqa: E402
from engine.commands.bench import allow_many_files, cores  # noqa: E402
from tests.bench import decisions, draining, flows, on_freeswitch, readme, traffic  # noqa: E402

OUT = Path("build") / "bench.json"
DECISION_GOAL = 0.2
CLAIM_GOAL = 1.0
REBUILD_GOAL = 2_000.0
DRAIN_GOAL = 20_000
GOALS_OF = {"router:": DECISION_GOAL, "claim:": CLAIM_GOAL, "a new tenure": REBUILD_GOAL}
"""Milliseconds at the 99th percentile, by how a figure's name begins."""


def say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


@contextmanager
def stores() -> Iterator[tuple[embedded.Postgres, embedded.Redis]]:
    """A Postgres with the schema, and a Redis, of the benchmark's own."""
    home = Path(tempfile.mkdtemp(prefix="pointsman-bench-"))
    home.chmod(0o711)
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        postgres, redis = embedded.Postgres(home), embedded.Redis(home)
        for server in (postgres, redis):
            server.prepare()
            child = Child(server.spec, home / f"{server.spec.name}.log")
            stack.callback(child.stop)
            server.wait_ready(child)
        migrate(postgres.url)
        yield postgres, redis


def title(text: str) -> str:
    return f"\n{text}\n{'=' * len(text)}"


def in_one_process(quick: bool) -> tuple[dict[str, Any], str]:
    """Decisions, claims, steps, and records: what one process does without any call."""
    say("decisions")
    figures = decisions.router()
    per_call, per_step = decisions.steps(300 if quick else 2_000)
    large = flows.large()
    with stores() as (postgres, redis):
        say("claims")
        figures += decisions.made_good(redis.url, 500 if quick else 3_000)
        figures += decisions.claims(redis.url)
        say("records")
        drained = draining.drain(postgres.url, 1_000 if quick else 6_000)
    rows = []
    for figure in [*figures, per_call]:
        wanted = next((goal for name, goal in GOALS_OF.items() if figure.name.startswith(name)), None)
        spread = figure.spread
        rows.append(
            (
                figure.name,
                number(spread.p50, 4),
                number(spread.p99, 4),
                number(spread.most, 3),
                "" if wanted is None else f"p99 {wanted:g}",
                figure.note,
            )
        )
    query = next(figure for figure in figures if figure.name == decisions.CALLCENTER)
    told = [
        title("Decisions"),
        table(("milliseconds", "p50", "p99", "most", "goal", ""), rows),
        f"\nA pass of mod_callcenter over {decisions.WAITING:,} waiting calls, one such query each: "
        f"{query.spread.p50 * decisions.WAITING / 1000:,.0f} s",
        f"A step of a flow: {per_step:g} µs (goal {flows.STEP_GOAL:g})",
        f"A flow of {large.nodes:,} nodes: read {large.parse:g} ms, checked {large.check:g} ms (goal {flows.CHECK_GOAL:g}), "
        f"as YAML there and back {large.yaml:g} ms",
        title("Records"),
        table(
            ("", "measured", "goal"),
            [
                ("a fact written down, µs", number(drained.append_microseconds), ""),
                (
                    f"backlog of {drained.facts:,} facts into Postgres, facts a second",
                    f"{drained.facts_a_second:,.0f}",
                    f"{DRAIN_GOAL:,}",
                ),
                ("the same, calls a second", f"{drained.calls_a_second:,.0f}", ""),
                ("calls lost", f"{drained.lost:,}", "0"),
            ],
        ),
    ]
    found = {
        "decisions": [msgspec.to_builtins(figure) for figure in figures],
        "step_microseconds": per_step,
        "large_flow": msgspec.to_builtins(large),
        "records": msgspec.to_builtins(drained),
    }
    return found, "\n".join(told)


def held(each: traffic.Compared) -> str:
    """The highest rate that this controller held."""
    return f"{each.most:,.0f}{'' if each.broke_at else ' or more'}"


def compared(all_of_them: Sequence[traffic.Compared]) -> str:
    """The engine beside those that do less, each figure with its ratio to the bare greenswitch handler's."""
    base = next(each for each in all_of_them if each.name == "greenswitch")

    def row(name: str, values: Sequence[float], digits: int, *, more_is_better: bool = False) -> tuple[str, ...]:
        reference = values[list(all_of_them).index(base)]
        ours = values[0]
        ratio = (ours / reference if more_is_better else reference / ours) if ours and reference else 0.0
        return (name, *(number(value, digits) for value in values), f"{ratio:.1f} x" if ratio else "-")

    rate = f"at {traffic.COMPARED_RATE:g} calls/s: "
    rows: list[tuple[str, ...]] = [
        (
            "highest rate held, calls/s",
            *(held(each) for each in all_of_them),
            f"{all_of_them[0].most / base.most:.1f} x",
        ),
        row(rate + "CPU ms a call", [each.cpu_ms for each in all_of_them], 2),
        row(rate + "digit -> next command p50, ms", [each.outcome.times["digit"].p50 for each in all_of_them], 2),
        row(rate + "digit -> next command p99, ms", [each.outcome.times["digit"].p99 for each in all_of_them], 2),
        row(rate + "digit -> next command p99.9, ms", [each.outcome.times["digit"].p999 for each in all_of_them], 2),
        row(rate + "intended start -> answered p99, ms", [each.outcome.times["answer"].p99 for each in all_of_them], 2),
        row("memory a held call, KB", [each.bytes_a_held_call / 1024 for each in all_of_them], 1),
    ]
    text = table(("", *(each.name for each in all_of_them), "better than greenswitch"), rows)
    notes = [
        f"{each.name}: {each.most:,.0f}/s is all the generator offers on its core; the limit lies higher."
        for each in all_of_them
        if each.generator_limit
    ] + [f"{each.name} broke at {each.broke_at:,.0f}/s: {each.broke_by}" for each in all_of_them if each.broke_by]
    return "\n".join([text, "", *notes])


def under_load(arguments: argparse.Namespace) -> tuple[dict[str, Any], str]:
    """The engine and the bare handlers on the same traffic."""
    used = cores()
    if used is not None:
        os.sched_setaffinity(0, {used[1]})
    held = 200 if arguments.quick else 2_000
    few = min(held, 1_000)
    measured, ours = traffic.engine(arguments.rate, arguments.seconds, held, used, say, quick=arguments.quick)
    folder = Path(tempfile.mkdtemp(prefix="pointsman-bench-"))
    try:
        greenswitch = traffic.bare("greenswitch", folder, used, 100.0, few, say, quick=arguments.quick)
        lazy = traffic.bare("lazy", folder, used, 1_500.0, few, say, quick=arguments.quick)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    told = [
        title(f"The engine on one core, {arguments.rate:g} calls a second for {arguments.seconds:g} s"),
        result(measured),
        title("The same traffic on bare handlers, without queue, records and screen pops"),
        compared([ours, greenswitch, lazy]),
        "\nThe engine at the compared rate:",
        latencies(ours.outcome),
    ]
    found = {
        "engine": msgspec.to_builtins(measured),
        "compared": [msgspec.to_builtins(each) for each in (ours, greenswitch, lazy)],
        "goals": GOALS,
    }
    return found, "\n".join(told)


def on_a_switch(quick: bool) -> tuple[dict[str, Any], str]:
    """The engine on a real FreeSWITCH."""
    found, text = on_freeswitch.measure(say, quick)
    return {"freeswitch": found}, "\n".join((title("On a real FreeSWITCH, everything on this machine"), text))


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rate", type=float, default=300.0, help="calls a second offered to the engine")
    parser.add_argument("--seconds", type=float, default=60.0, help="for how long")
    parser.add_argument("--quick", action="store_true", help="everything once, too short to be quoted")
    parser.add_argument("--only", choices=("process", "load", "switch"), help="one part alone")
    parser.add_argument("--out", type=Path, default=OUT)
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.seconds = min(arguments.seconds, 10.0)
    allow_many_files()
    affinity = os.sched_getaffinity(0)
    found: dict[str, Any] = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"cores": len(affinity), "python": platform.python_version(), "system": platform.platform()},
        "quick": arguments.quick,
    }
    told = [f"{len(affinity)} processors, Python {platform.python_version()}"]
    parts: dict[str, Callable[[], tuple[dict[str, Any], str]]] = {
        "process": lambda: in_one_process(arguments.quick),
        "load": lambda: under_load(arguments),
        "switch": lambda: on_a_switch(arguments.quick),
    }
    for name, part in parts.items():
        if arguments.only in (None, name):
            figures, text = part()
            found |= figures
            told.append(text)
            os.sched_setaffinity(0, affinity)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print("\n".join(told))
    if not arguments.quick and arguments.only is None:
        arguments.out.with_suffix(".md").write_text(readme.figures(found), encoding="utf-8")
        print("\nFor README.md: python -m tests.bench.readme")
    print(f"\nAll figures: {arguments.out}")
    engine = found.get("engine")
    bad = engine is not None and (
        engine["records"]["lost"] or engine["records"]["doubled"] or engine["outcome"]["rung_twice"]
    )
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
