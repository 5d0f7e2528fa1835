"""A whole installation beside queueing theory, by hand: `PYTHONPATH=tests .venv/bin/python -m theory`, seven to eight minutes.

Callers come by chance to many little centres of one installation on the virtual switch, whose clock runs fast; agents pick up
at once, and callers talk as long as chance will have it. What the reports say of them is held against Erlang C, Erlang A and a
simulation by simpy. Theory is told the time an agent is taken up by a call beyond its talk, as measured: connecting and hanging
up take some milliseconds of the wall, which a fast clock makes tenths of a second. Ends with 1 if a figure is not as theory has
it, a call was cut off or has left no row, or the machine was too busy to tell.
"""

from gevent import monkey

monkey.patch_all()

from psycogreen.gevent import patch_psycopg  # noqa: E402

patch_psycopg()

import argparse  # noqa: E402
import json  # noqa: E402
import sys  # noqa: E402

from faults.conftest import installed  # noqa: E402

from .centres import CENTRES, TALK  # noqa: E402
from .figures import measured  # noqa: E402
from .running import Run  # noqa: E402
from .table import overheads, table  # noqa: E402

LEAST = 60 * TALK


def main() -> int:
    words = argparse.ArgumentParser(prog="theory", description=__doc__)
    words.add_argument("--seconds", type=float, default=360.0, help="how long callers come, by the wall")
    words.add_argument("--speed", type=float, default=30.0, help="how fast the installation's clock runs")
    words.add_argument("--copies", type=int, default=3, help="how many there are of the largest centre")
    words.add_argument("--seed", type=int, default=1)
    given = words.parse_args()
    seconds = given.seconds * given.speed
    if seconds < LEAST:
        words.error(f"too few calls would come: give --seconds {LEAST / given.speed:g} or more")
    if given.copies < 1:
        words.error("there must be a copy of each centre")
    with installed(speed=given.speed) as damaged:
        run = Run(damaged, CENTRES, given.copies)
        run.furnish()
        run.calls(seconds, given.seed, print)
        faults = {"calls without a row": run.unwritten(), "calls cut off": run.cut_off()}
        figures, beyond = measured(damaged, run.copies, seconds)
    print(overheads(beyond, given.speed))
    print(table(figures) if figures else "The machine was too busy for so many calls at such a speed to say anything.")
    for what, stories in faults.items():
        if stories:
            print(f"{what}:", json.dumps(stories))
    return 0 if figures and all(figure.agrees for figure in figures) and not any(faults.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
