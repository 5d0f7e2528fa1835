"""A whole installation beside queueing theory, by hand: `PYTHONPATH=tests .venv/bin/python -m theory --seconds 240`.

Callers come by chance to several little centres of one installation on the virtual switch, whose clock runs fast; agents pick
up at once and talk as long as chance will have it. What report.queue_entries says of them is held against Erlang C, Erlang A
and a simulation by simpy. Theory is told the time an agent is taken up by a call beyond its talk, as measured: connecting and
hanging up take some milliseconds of the wall, which a fast clock makes seconds of. The mean is of ten parts of the run, and
within theory if it is no further off than their confidence interval of 99 %. Printed as JSON.
"""

from gevent import monkey

monkey.patch_all()

from psycogreen.gevent import patch_psycopg  # noqa: E402

patch_psycopg()

import argparse  # noqa: E402
import json  # noqa: E402
import random  # noqa: E402
import sys  # noqa: E402
from contextlib import suppress  # noqa: E402
from dataclasses import dataclass, replace  # noqa: E402
from typing import Any  # noqa: E402

import gevent  # noqa: E402
from call.callers import Caller  # noqa: E402
from call.installation import eventually  # noqa: E402
from faults.conftest import installed  # noqa: E402
from faults.damaged import Damaged  # noqa: E402
from routing.theory import Expected, Stream, TwoSkills, erlang_a, erlang_c, spread  # noqa: E402

from dialplan import store  # noqa: E402
from dialplan.destinations import ToQueue  # noqa: E402
from engine.records.tables import Agent, AgentSkill, Queue, QueueSkill, Skill  # noqa: E402

TALK = 60.0
PARTS = 10
T99 = 3.25
"""Student's t for ten values, two-sided, 99 %."""
WARM_UP = 0.1
"""The share of calls at the beginning that is not counted."""
AT_ONCE = 0.1
"""Seconds within which a call is offered that need not wait."""
MEASURES = ("share waiting", "mean wait", "share abandoning")


@dataclass(frozen=True)
class Centre:
    """Agents, each with the queues they serve, and the calls of these queues. `mm4m` is M/M/4+M, with patience."""

    name: str
    agents: tuple[tuple[str, ...], ...]
    streams: tuple[Stream, ...]

    def expected(self, talk: float) -> dict[str, Expected]:
        """What theory says of each queue if a call takes up its agent for `talk` seconds on average."""
        streams = tuple(replace(stream, talk=talk) for stream in self.streams)
        if len(streams) == 2:
            generalists = sum(len(queues) == 2 for queues in self.agents)
            design = TwoSkills(len(self.agents) - generalists, generalists, *streams)
            runs = [design.simulated(seed, 3_000, 300) for seed in range(20)]
            means = {
                stream.queue: [
                    spread(each)[0] for each in zip(*(run[stream.queue].measures() for run in runs), strict=True)
                ]
                for stream in streams
            }
            return {queue: Expected(*values) for queue, values in means.items()}
        (stream,), staff = streams, len(self.agents)
        if stream.patience is None:
            return {stream.queue: erlang_c(stream.arrivals, talk, staff)}
        return {stream.queue: erlang_a(stream.arrivals, talk, staff, stream.patience)}


def plain(name: str, staff: int, load: float, patience: float | None = None) -> Centre:
    return Centre(name, ((name,),) * staff, (Stream(name, load * staff / TALK, TALK, patience),))


CENTRES = (
    plain("mm2", 2, 0.6),
    plain("mm5", 5, 0.75),
    plain("mm4m", 4, 1.1, patience=60.0),
    Centre(
        "two_skills",
        (*(("plain",),) * 2, *(("plain", "special"),) * 2),
        (Stream("plain", 2.2 / TALK, TALK, 90.0), Stream("special", 1.1 / TALK, TALK, 60.0)),
    ),
)


class Run:
    def __init__(self, damaged: Damaged, seed: int) -> None:
        self._damaged = damaged
        self._chance = random.Random(seed)
        self._numbers = {stream.queue: str(6001 + n) for n, stream in enumerate(s for c in CENTRES for s in c.streams)}
        self._staff: dict[str, list[str]] = {}
        self._callers: list[Caller] = []
        self._following: list[gevent.Greenlet] = []

    def furnish(self) -> None:
        damaged = self._damaged
        with damaged.setting_up() as db:
            with db.connection_context():
                skills = {name: Skill.create(name=name) for name in self._numbers}
                for name, skill in skills.items():
                    queue = Queue.create(
                        name=name,
                        title=name,
                        announce_seconds=0,
                        longest_wait_seconds=86_400,
                        most_waiting=10_000,
                        ring_seconds=120,
                        recorded=False,
                    )
                    QueueSkill.create(queue=queue, skill=skill, level=1)
                for centre in CENTRES:
                    for queues in centre.agents:
                        extension = str(7001 + sum(map(len, self._staff.values())))
                        self._staff.setdefault(centre.name, []).append(extension)
                        agent = Agent.create(name=f"Agent {extension}", extension=extension, wrap_up_seconds=0)
                        for name in queues:
                            AgentSkill.create(agent=agent, skill=skills[name], level=3)
            for name, number in self._numbers.items():
                store.save_number(db, number, name, ToQueue(name), country="DK")
        everybody = [extension for staff in self._staff.values() for extension in staff]
        for extension in everybody:
            self._will_talk(extension)
        damaged.on_duty(*everybody)

    def calls(self, seconds: float) -> None:
        """Let callers come for so many seconds of the clock, and all of them be over."""
        streams = [stream for centre in CENTRES for stream in centre.streams]
        coming = [gevent.spawn(self._come, stream, seconds) for stream in streams]
        try:
            gevent.joinall(coming, raise_error=True)
            for caller in self._callers:
                if not caller.over:
                    caller.wait_for("ended", 120)
        finally:
            gevent.killall([*coming, *self._following])

    def _come(self, stream: Stream, seconds: float) -> None:
        clock = self._damaged.clock
        began, at = clock.monotonic(), 0.0
        while (at := at + self._chance.expovariate(stream.arrivals)) < seconds:
            clock.sleep(began + at - clock.monotonic())
            known = f"+45{20_000_000 + len(self._callers)}"
            caller = self._damaged.switch.call(self._numbers[stream.queue], caller=known)
            self._callers.append(caller)
            self._following.append(gevent.spawn(self._follow, caller))
            if stream.patience is not None:
                patience = clock.wall_seconds(self._chance.expovariate(1 / stream.patience))
                self._following.append(gevent.spawn_later(patience, self._give_up, caller))

    def _follow(self, caller: Caller) -> None:
        """Once a phone is in a talk, its next one will have another length."""
        talks = caller.wait_for("talks", 3_600)
        self._will_talk(talks["to"])

    def _give_up(self, caller: Caller) -> None:
        if "talks" not in caller.kinds and not caller.over:
            self._damaged.switch.api(f"virtual_hangup {caller.call_id}")

    def _will_talk(self, extension: str) -> None:
        self._damaged.switch.phone(extension, answer=0, talk=self._chance.expovariate(1 / TALK))

    # --- what came of it ---

    def measured(self, centre: Centre) -> dict[str, Any]:
        busy, talk = self._times(centre)
        expected = centre.expected(TALK + busy - talk)
        found = {stream.queue: self._figures(stream.queue, expected[stream.queue]) for stream in centre.streams}
        return {"mean_talk": round(talk, 2), "taken_up": round(busy, 2), "queues": found}

    def _figures(self, queue: str, expected: Expected) -> dict[str, Any]:
        rows = self._damaged.rows(
            """
            SELECT extract(epoch FROM coalesce(o.offered_at, e.left_at) - e.entered_at)::float AS wait,
                e.result <> 'answered' AS abandoned
            FROM report.queue_entries e LEFT JOIN report.offers o ON o.call_id = e.call_id AND o.result = 'answered'
            WHERE e.queue = %s ORDER BY e.entered_at
            """,
            queue,
        )
        for row in rows:
            row["waited"] = row["wait"] > AT_ONCE
        counted = rows[int(len(rows) * WARM_UP) :]
        parts = [counted[n * len(counted) // PARTS : (n + 1) * len(counted) // PARTS] for n in range(PARTS)]
        found: dict[str, Any] = {"calls": len(rows)}
        theory = (expected.waiting, expected.wait, expected.abandoning)
        for name, column, says in zip(MEASURES, ("waited", "wait", "abandoned"), theory, strict=True):
            mean, error = spread([sum(float(row[column]) for row in part) / len(part) for part in parts])
            found[name] = {
                "measured": round(mean, 3),
                "give_or_take": round(T99 * error, 3),
                "theory": round(says, 3),
                "within": abs(mean - says) <= T99 * error + 1e-9,
            }
        return found

    def _times(self, centre: Centre) -> tuple[float, float]:
        """How long a call takes up its agent on average, and how long its talk is, in seconds."""
        staff = self._staff[centre.name]
        (taken_up,) = self._damaged.rows(
            "SELECT sum(seconds)::float / count(*) FILTER (WHERE work_state = 'talking') AS seconds"
            " FROM report.agent_states WHERE work_state <> 'idle' AND extension = ANY(%s)",
            staff,
        )
        (talk,) = self._damaged.rows(
            "SELECT avg(extract(epoch FROM ended_at - began_at))::float AS seconds"
            " FROM segment WHERE kind = 'talk' AND extension = ANY(%s)",
            staff,
        )
        return taken_up["seconds"], talk["seconds"]

    def unwritten(self) -> list[Any]:
        """What befell the callers who have no complete row in report.calls when all is at rest; there should be none."""
        self._damaged.calm(60)

        def missing() -> list[Caller]:
            rows = self._damaged.rows("SELECT call_id::text AS id FROM report.calls WHERE ended_at IS NOT NULL")
            known = {row["id"] for row in rows}
            return [caller for caller in self._callers if caller.call_id not in known]

        def none() -> None:
            assert missing() == []

        with suppress(AssertionError):
            eventually(none, 10)
        return [caller.story for caller in missing()]


def main() -> int:
    words = argparse.ArgumentParser(prog="theory", description=__doc__)
    words.add_argument("--seconds", type=float, default=240.0, help="how long callers come, by the wall")
    words.add_argument("--speed", type=float, default=100.0, help="how fast the installation's clock runs")
    words.add_argument("--seed", type=int, default=1)
    given = words.parse_args()
    if given.seconds * given.speed < 30 * TALK:
        words.error(f"too few calls would come: give --seconds {30 * TALK / given.speed:g} or more")
    with installed(speed=given.speed) as damaged:
        run = Run(damaged, given.seed)
        run.furnish()
        run.calls(given.seconds * given.speed)
        unwritten = run.unwritten()
        found = {centre.name: run.measured(centre) for centre in CENTRES}
    json.dump({"centres": found, "calls_without_a_row": unwritten}, sys.stdout, indent=1)
    print()
    verdicts = [
        each[name]["within"] for centre in found.values() for each in centre["queues"].values() for name in MEASURES
    ]
    return 0 if all(verdicts) and not unwritten else 1


if __name__ == "__main__":
    sys.exit(main())
