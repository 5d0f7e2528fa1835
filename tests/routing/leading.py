"""A process that leads whenever it can, for tests that kill it.

`python -m tests.routing.leading NAME REDIS-URL FOLDER AGENTS`
"""

from gevent import monkey

monkey.patch_all()

import sys  # noqa: E402
from pathlib import Path  # noqa: E402
from zoneinfo import ZoneInfo  # noqa: E402

import gevent  # noqa: E402

from conf.clock import Clock  # noqa: E402
from engine.live.wire import Wire  # noqa: E402
from engine.records.journal import Journal  # noqa: E402
from engine.routing.leader import Leader  # noqa: E402
from engine.routing.roster import AgentProfile, QueueRule, Roster  # noqa: E402


def roster(agents: int) -> Roster:
    return Roster(
        1,
        tuple(AgentProfile(number, f"agent {number}", str(1000 + number), {}, 0) for number in range(1, agents + 1)),
        (QueueRule("all", most_waiting=100_000, longest_wait_seconds=3_600),),
    )


def main() -> None:
    name, redis_url, folder, agents = sys.argv[1:5]
    found = roster(int(agents))
    leader = Leader(
        name,
        wire=Wire(redis_url),
        journal=Journal(Path(folder) / "journal", name),
        clock=Clock(),
        roster=lambda: found,
        hours=lambda *_: None,
        presences=lambda _: {},
        next_epoch=lambda least: least + 1,
        folder=Path(folder) / "routing",
        zone=ZoneInfo("UTC"),
    )
    leader.start()
    while True:
        gevent.sleep(60)


if __name__ == "__main__":
    main()
