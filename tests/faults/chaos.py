"""Many calls of all kinds, while engine processes and Redis are killed at random, and what must be true of all of them."""

from __future__ import annotations

import random
import re
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

import gevent
import psutil
from call.callers import Caller
from call.installation import eventually

from engine.records.tables import Agent, AgentSkill, Skill

from .damaged import Damaged

FAREWELLS = frozenset({"goodbye", "voicemail_saved", "voicemail_too_short"})
"""What a caller may hear last before the switch ends a call that nobody hung up."""


@dataclass(frozen=True)
class Plan:
    """How much, for how long, and what breaks meanwhile; all seconds are the wall's."""

    calls: int = 300
    seconds: float = 32.0
    kill_every: float = 4.5
    redis_kill_at: float | None = 16.0
    agents: int = 8
    seed: int = 1


@dataclass
class Outcome:
    """What was seen."""

    callers: list[Caller] = field(default_factory=list)
    killed_at: list[float] = field(default_factory=list)
    """Unix seconds of each kill of an engine."""
    leaders_killed: int = 0


class Chaos:
    def __init__(self, damaged: Damaged, plan: Plan) -> None:
        self._damaged = damaged
        self._plan = plan
        self._random = random.Random(plan.seed)
        self._outcome = Outcome()

    def run(self) -> Outcome:
        """All of it, until the last call is over."""
        self._furnish()
        breaking = gevent.spawn(self._break_things)
        began = time.monotonic()
        moments = sorted(self._random.uniform(0, self._plan.seconds) for _ in range(self._plan.calls))
        try:
            for moment in moments:
                gevent.sleep(max(0.0, began + moment - time.monotonic()))
                self._outcome.callers.append(self._call())
        finally:
            breaking.kill()
        for caller in self._outcome.callers:
            if not caller.over:
                caller.wait_for("ended", 120)
        return self._outcome

    def _furnish(self) -> None:
        damaged, extensions = self._damaged, [str(3001 + number) for number in range(self._plan.agents)]
        with damaged.setting_up() as db, db.connection_context():
            for extension in extensions:
                agent = Agent.create(name=f"Agent {extension}", extension=extension, wrap_up_seconds=2)
                for skill in ("sales", "support"):
                    AgentSkill.create(agent=agent, skill=Skill.get(Skill.name == skill), level=3)
        for extension in extensions:
            damaged.switch.phone(extension, answer=self._random.uniform(0.5, 2), talk=self._random.uniform(2, 6))
        damaged.on_duty(*extensions)

    def _call(self) -> Caller:
        pick, switch = self._random.random(), self._damaged.switch
        caller = f"+45{self._random.randrange(10**7, 10**8)}"
        if pick < 0.15:
            return switch.call("5000", caller=caller, hang_up_after=self._random.uniform(0.5, 12))
        if pick < 0.25:
            return switch.call("5000", caller=caller, press="9,w4,#")
        if pick < 0.35:
            return switch.call("5000", caller=caller, press="1", hang_up_after=self._random.uniform(5, 15))
        if pick < 0.7:
            return switch.call("5000", caller=caller, press="1")
        return switch.call("5000", caller=caller, press="3,2")

    # --- what breaks ---

    def _break_things(self) -> None:
        redis_at = self._plan.redis_kill_at
        began = time.monotonic()
        while True:
            gevent.sleep(self._plan.kill_every * self._random.uniform(0.9, 1.1))
            self._kill_an_engine()
            if redis_at is not None and time.monotonic() - began > redis_at:
                redis_at = None
                self._damaged.killed("redis")
                self._damaged.redis_answers()

    def _kill_an_engine(self) -> None:
        """One of at least two that run; with a single one there is nobody to take its calls."""
        damaged = self._damaged
        alive = [each["id"] for each in damaged.engines() if psutil.pid_exists(each["pid"])]
        if len(alive) < 2:
            return
        victim = self._random.choice(alive)
        self._outcome.leaders_killed += damaged.board.snapshot()["router"]["leader"] == victim
        self._outcome.killed_at.append(time.time())
        damaged.kill(victim)


# --- what must be true ---


def check(damaged: Damaged, outcome: Outcome) -> None:
    """Everything that a caller, an agent or an analyst could complain of."""
    nobody_was_cut_off(outcome)
    eventually(lambda: _all_rows(damaged, outcome), 25)
    for caller in outcome.callers:
        damaged.report(caller)
    overlapping = damaged.offers_overlap()
    assert overlapping == [], overlapping
    damaged.calm(60)


def nobody_was_cut_off(outcome: Outcome) -> None:
    """Each call was ended by its caller, by the agent at the end of the talk, or with a farewell."""
    for caller in outcome.callers:
        assert caller.over, caller.story
        if caller.story[-1]["by"] != "caller" and "left" not in caller.kinds:
            assert caller.prompts, caller.story
            assert caller.prompts[-1] in FAREWELLS, caller.story


def _all_rows(damaged: Damaged, outcome: Outcome) -> None:
    rows = damaged.rows("SELECT id::text AS id, started_at, ended_at FROM call")
    kept = {row["id"] for row in rows if row["started_at"] and row["ended_at"]}
    missing = [caller for caller in outcome.callers if caller.call_id not in kept]
    assert missing == [], [(caller.story, [row for row in rows if row["id"] == caller.call_id]) for caller in missing]


def overtaken(damaged: Damaged) -> list[dict[str, object]]:
    """Callers first offered to an agent later than others who came to the same queue more than 5 s after them."""
    return damaged.rows(
        """
        WITH first AS (
            SELECT e.id, e.queue, e.entered_at, min(o.offered_at) AS offered_at
            FROM queue_entry e JOIN offer o ON o.entry_id = e.id GROUP BY e.id, e.queue, e.entered_at
        )
        SELECT a.id, a.queue, a.entered_at, a.offered_at, count(*) AS by_others
        FROM first a JOIN first b ON b.queue = a.queue AND b.entered_at > a.entered_at + interval '5 seconds'
            AND b.offered_at < a.offered_at
        GROUP BY 1, 2, 3, 4
        """
    )


def seconds_to_take_over(damaged: Damaged, outcome: Outcome) -> list[float]:
    """Of each call that was taken over within 5 s after a kill: the seconds from the kill till then, sorted."""
    found = []
    for log in (damaged.home / "log").glob("engine-*.log"):
        for line in log.read_text().splitlines():
            if 'event="call taken over"' in line and (stamp := re.match(r"timestamp=(\S+)Z ", line)):
                at = datetime.fromisoformat(stamp[1]).replace(tzinfo=UTC).timestamp()
                since = min((at - kill for kill in outcome.killed_at if 0 <= at - kill < 5), default=None)
                if since is not None:
                    found.append(since)
    return sorted(found)
