"""The same at any size, by hand: `PYTHONPATH=tests .venv/bin/python -m faults 10000`. What it finds is printed as JSON."""

from gevent import monkey

monkey.patch_all()

from psycogreen.gevent import patch_psycopg  # noqa: E402

patch_psycopg()

import argparse  # noqa: E402
import json  # noqa: E402
import resource  # noqa: E402
import sys  # noqa: E402
import traceback  # noqa: E402

from . import chaos  # noqa: E402
from .conftest import installed  # noqa: E402


def spread(ordered: list[float]) -> dict[str, float]:
    """How long something took, of sorted seconds."""
    shares = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "longest": 1.0}
    found = {name: round(ordered[int((len(ordered) - 1) * share)], 3) for name, share in shares.items() if ordered}
    return {"count": len(ordered), **found}


def main() -> int:
    words = argparse.ArgumentParser(prog="faults", description=__doc__)
    words.add_argument("calls", type=int, nargs="?", default=10_000)
    words.add_argument("--rate", type=float, default=20.0, help="calls a second, by the wall")
    words.add_argument("--speed", type=float, default=10.0, help="how fast the installation's clock runs")
    words.add_argument("--engines", type=int, default=3)
    words.add_argument("--agents", type=int, default=24)
    words.add_argument("--kill-every", type=float, default=5.0, help="seconds of the wall")
    words.add_argument("--leader", action="store_true", help="kill the process that holds the router each time")
    words.add_argument("--kill-redis-every", type=float, help="seconds of the wall; once in the middle by default")
    words.add_argument("--seed", type=int, default=1)
    words.add_argument("--keep", action="store_true", help="leave the home folder where it is when something is found")
    given = words.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    plan = chaos.Plan(
        calls=given.calls,
        seconds=given.calls / given.rate,
        kill_every=given.kill_every,
        leaders_only=given.leader,
        redis_kill_at=given.kill_redis_every or given.calls / given.rate / 2,
        redis_kill_every=given.kill_redis_every,
        agents=given.agents,
        seed=given.seed,
    )
    with installed(engines=given.engines, speed=given.speed, keep=given.keep) as damaged:
        outcome = chaos.Chaos(damaged, plan).run()
        fault = None
        try:
            chaos.check(damaged, outcome)
        except AssertionError:
            fault = traceback.format_exc(limit=-2)
        taken = chaos.taken_over(damaged, outcome)
        found = {
            "calls": len(outcome.callers),
            "kills": len(outcome.killed_at),
            "kills_of_the_leader": outcome.leaders_killed,
            "calls_taken_over": len(taken),
            "take_over_seconds": spread([each.seconds for each in taken if not each.redis_away]),
            "take_over_seconds_while_redis_is_away": spread([each.seconds for each in taken if each.redis_away]),
            "kills_of_redis": len(outcome.redis_away),
            "redis_away_seconds": spread(sorted(back - gone for gone, back in outcome.redis_away)),
            "kinds": dict(outcome.kinds),
            "callbacks": damaged.value("SELECT count(*) FROM report.callbacks"),
            "offers_that_redis_forgot": damaged.value("SELECT count(*) FROM offer WHERE NOT end_known"),
            "overtaken": len(chaos.overtaken(damaged)),
            "fault": fault,
        }
    json.dump(found, sys.stdout, indent=1)
    print()
    return 0 if fault is None else 1


if __name__ == "__main__":
    sys.exit(main())
