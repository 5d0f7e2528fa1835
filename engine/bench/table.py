"""Figures as a table on a terminal: each beside its goal and what it is compared with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from engine.bench.run import Held, Result
from engine.virtual.load_plan import Outcome, Spread

GOALS: Final = {
    "rate": 300.0,
    "digit": 10.0,
    "free": 10.0,
    "engine_ms": 3.0,
    "held_kb": 25.0,
    "records": 500.0,
}
"""What DESIGN asks for: calls a second, milliseconds at p99, milliseconds of processor a call, KB a held call."""

Row = Sequence[str]


def table(head: Row, rows: Iterable[Row]) -> str:
    """Columns as wide as they must be; the first one to the left, the others to the right."""
    lines = [list(head), *(list(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    shown = [
        "  ".join(
            text.ljust(width) if column == 0 else text.rjust(width)
            for column, (text, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]
    return "\n".join([shown[0], "  ".join("-" * width for width in widths), *shown[1:]])


def number(value: float, digits: int = 1) -> str:
    return f"{value:,.{digits}f}"


def spread(name: str, times: Spread, goal: float | None = None) -> Row:
    figures = (times.p50, times.p99, times.p999, times.most)
    shown = [number(each, 2) if times.count else "-" for each in figures]
    return (name, *shown, "" if goal is None else f"p99 {goal:g}", f"{times.count:,}")


NAMES: Final = {
    "start": "intended start -> first command",
    "answer": "intended start -> answered",
    "digit": "digit -> next command",
    "through": "digit -> bridge command, agent free",
    "answered": "agent answers -> next command",
    "free": "agent free -> bridge command, calls wait",
    "lag": "the generator's own delay",
}


def latencies(outcome: Outcome, records_lag: Spread | None = None) -> str:
    rows = [spread(text, outcome.times[name], GOALS.get(name)) for name, text in NAMES.items()]
    if records_lag is not None:
        rows.append(spread("call ended -> row in report.calls", records_lag, GOALS["records"]))
    return table(("milliseconds", "p50", "p99", "p99.9", "most", "goal", "timed"), rows)


def result(one: Result) -> str:
    """Everything about one measurement."""
    outcome, records = one.outcome, one.records
    failed = sum(outcome.failed.values())
    rows: list[Row] = [
        ("calls offered, a second", number(one.rate), ""),
        ("calls held, a second", number(one.served_a_second), f"{GOALS['rate']:g}"),
        ("calls offered", f"{outcome.offered:,}", ""),
        ("calls failed", f"{failed:,}", "0"),
        ("most at once", f"{outcome.most_at_once:,}", ""),
        ("agents rung twice at once", f"{outcome.rung_twice:,}", "0"),
        ("records lost", f"{records.lost:,}", "0"),
        ("records doubled", f"{records.doubled:,}", "0"),
        ("engine, CPU ms a call", number(one.engine_ms, 2), f"{GOALS['engine_ms']:g}"),
        ("engine, share of its core", f"{one.engine_cpu:.0%}", ""),
        ("Redis, CPU ms a call", number(one.redis_ms, 2), ""),
        ("Postgres, CPU ms a call", number(one.postgres_ms, 2), ""),
        ("generator, CPU ms a call", number(outcome.generator_ms_a_call, 2), ""),
        ("generator, share of its core", f"{outcome.generator_cpu:.0%}", ""),
        *held(one.held),
    ]
    parts = [table(("", "measured", "goal"), rows), latencies(outcome, records.lag)]
    if outcome.failed:
        parts.append("Failed: " + ", ".join(f"{count:,} {why}" for why, count in outcome.failed.items()))
    if one.complaints:
        parts.append("The engine's log: " + ", ".join(f"{count:,} x {what}" for what, count in one.complaints.items()))
    if one.generator_is_the_limit:
        parts.append("Warning: the generator used most of its own core; what it timed is partly its own waiting.")
    return "\n\n".join(parts)


def held(one: Held | None) -> list[Row]:
    if one is None:
        return []
    return [
        (f"memory a held call, KB ({one.calls:,} held)", number(one.bytes_a_call / 1024), f"{GOALS['held_kb']:g}"),
        ("engine while they wait, share of its core", f"{one.cpu:.1%}", ""),
        ("open files a held call", number(one.open_files_a_call, 2), "1"),
    ]
