"""`python -m tests.routing [EVENTS] [--agents N] [--queues N] [--seed N]`: a random centre under all rules, a million events.

All that tests/routing/worlds.py checks is checked after each event; at the end the whole story is decided again.
"""

import argparse
import time

from tests.routing.worlds import World


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.routing", description=__doc__)
    parser.add_argument("events", nargs="?", type=int, default=1_000_000)
    parser.add_argument("--agents", type=int, default=12)
    parser.add_argument("--queues", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    world = World(asked.seed, agents=asked.agents, queues=asked.queues)
    began = time.perf_counter()
    for part in range(1, 11):
        world.run(asked.events * part // 10)
        print(
            f"{world.events:>10,} events, {len(world.ended):>9,} calls over, {time.perf_counter() - began:6.1f} s",
            flush=True,
        )
    print(
        "decided again:", "the same" if world.decided_again() else "DIFFERENT", f"{time.perf_counter() - began:.1f} s"
    )


if __name__ == "__main__":
    main()
