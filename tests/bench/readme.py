"""What README.md says of the benchmark: `python -m tests.bench.readme` puts the last whole run's figures into it."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

FIGURES = Path("build") / "bench.json"
README = Path("README.md")
BEGIN, END = "<!-- figures: make bench -->", "<!-- end of figures -->"


class NoFigures(Exception):
    """There is no whole run of the benchmark to be told of."""


def figures(found: dict[str, Any]) -> str:
    """Markdown: the figures of one run, each with its goal or beside the others'. NoFigures."""
    if found.get("quick") or not {"engine", "compared", "decisions", "records", "freeswitch"} <= found.keys():
        raise NoFigures("the last run was a quick one, or of one part alone; run `make bench`")
    engine, outcome = found["engine"], found["engine"]["outcome"]
    times = outcome["times"]
    machine = found["machine"]
    parts = [
        f"Measured by `make bench` on {found['at'][:10]}, {machine['cores']} processors, Python {machine['python']}; "
        "the engine on one of them, callers, agents, Postgres and Redis on the other.",
        _table(
            (f"one engine process at {engine['rate']:g} calls a second", "measured", "goal"),
            [
                ("calls served of those offered", f"{outcome['served']:,} of {outcome['offered']:,}", "all"),
                ("key pressed -> next command, p50 / p99 / p99.9", _spread(times["digit"]), "p99 10 ms"),
                ("agent free -> next caller's bridge, p50 / p99 / p99.9", _spread(times["free"]), "p99 10 ms"),
                ("engine's processor time a call", f"{engine['engine_ms']:.1f} ms", "3 ms"),
                ("memory a held call", f"{engine['held']['bytes_a_call'] / 1024:.1f} KB", "25 KB"),
                ("call over -> row in the database, p99", f"{engine['records']['lag']['p99']:.0f} ms", "500 ms"),
                ("records lost or doubled", f"{engine['records']['lost'] + engine['records']['doubled']}", "0"),
                ("backlog into the database", f"{found['records']['facts_a_second']:,} facts/s", "20,000"),
            ],
        ),
        _table(
            ("the same traffic", *(each["name"] for each in found["compared"])),
            [
                ("does", "menu, queue, records, pops", "menu, bridge", "menu, bridge"),
                ("highest rate held, calls/s", *(_most(each) for each in found["compared"])),
                ("CPU a call", *(f"{each['cpu_ms']:.2f} ms" for each in found["compared"])),
                (
                    "memory a held call",
                    *(f"{each['bytes_a_held_call'] / 1024:.1f} KB" for each in found["compared"]),
                ),
            ],
        ),
        "`greenswitch` is a bare handler on that library, `lazy` the least that gevent can do.",
        _freeswitch(found["freeswitch"]),
    ]
    return "\n\n".join(parts) + "\n"


def _spread(times: dict[str, float]) -> str:
    return " / ".join(f"{times[name]:.1f}" for name in ("p50", "p99", "p999")) + " ms"


def _most(each: dict[str, Any]) -> str:
    return f"{each['most']:,.0f}" + ("" if each["broke_at"] else " or more")


def _freeswitch(found: dict[str, Any]) -> str:
    if "rows" not in found:
        return f"On a real FreeSWITCH: not measured ({found['skipped']})."
    head = ("with a real FreeSWITCH on the same machine", "engine", "goal", "mod_callcenter", "greenswitch", "Genesis")
    return (
        _table(head, found["rows"]) + "\n\nThe three on the right were measured before on a machine of the same size."
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def put_into(text: str, told: str) -> str:
    """README's text with these figures in the place of those it has; at its end where it has none yet."""
    before, mark, rest = text.partition(BEGIN)
    _, closed, after = rest.partition(END)
    if not mark or not closed:
        before, after = text.rstrip("\n") + "\n\n## How fast it is\n\n", "\n"
    return f"{before}{BEGIN}\n{told}{END}{after}"


def main() -> int:
    try:
        found = json.loads(FIGURES.read_text(encoding="utf-8"))
        told = figures(found)
    except (FileNotFoundError, NoFigures) as error:
        print(f"no figures: {error}", file=sys.stderr)
        return 1
    README.write_text(put_into(README.read_text(encoding="utf-8"), told), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
