"""Many calls of all kinds, while engine processes and Redis are killed at random, and what must be true of all of them."""

from __future__ import annotations

import random
import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import gevent
import psutil
import redis
from call.callers import Caller
from call.report import Row

from conf.database import Database
from dialplan import destinations, store
from engine.records import queue_store
from engine.records.queues import CallbackRules, QueueSettings, Relaxation, WaysOut
from engine.records.tables import Agent, AgentSkill, Queue, QueueSkill, Skill
from tests.waiting import eventually

from .damaged import Damaged

FAREWELLS = frozenset({"goodbye", "voicemail_saved", "voicemail_too_short", "callback_taken", "callback_known"})
"""What a caller may hear last before the switch ends a call that nobody hung up."""

LOOK_SECONDS = 0.25

FORGOTTEN_SECONDS = 2.0
"""How much of the past a killed Redis may forget: it puts writing off no longer than that (aof.c, flushAppendOnlyFile)."""

QUEUES = {
    "owed": (
        "5040",
        ("sales",),
        QueueSettings(callback=CallbackRules(offer_after_seconds=None, attempts=20, gap_seconds=10)),
    ),
    "chorus": ("5041", ("chorus",), QueueSettings(whisper=("feature_choose_reason",))),
    "picky": ("5042", ("sales", "rare"), QueueSettings(relaxations=(Relaxation(after_seconds=4, drop="rare"),))),
    "leave": ("5043", ("away",), QueueSettings(ways_out=WaysOut(keys={"9": {"to": "voicemail", "box": "sales"}}))),
}
"""Queues beside the demo company's, with number, skills and rules: one that calls back, one where all phones ring and the
agent is told something first, one that asks less after a while, and one whose only agent is paused, with a key out of it."""

OWN_SKILLS: dict[str, Sequence[int]] = {"chorus": range(3), "rare": range(3, 4), "away": ()}
"""Skills of a few, with the indexes of the agents who have them beside the others; `away` is the only one of who is paused."""
PAUSED = "3999"


@dataclass(frozen=True)
class Plan:
    """How much, for how long, and what breaks meanwhile; all seconds are the wall's."""

    calls: int = 300
    seconds: float = 32.0
    kill_every: float = 4.5
    leaders_only: bool = False
    redis_kill_at: float | None = 16.0
    redis_kill_every: float | None = None
    """Further kills of Redis after the first."""
    agents: int = 10
    seed: int = 1


@dataclass
class Outcome:
    """What was seen. Times are Unix seconds."""

    callers: list[Caller] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    killed_at: list[float] = field(default_factory=list)
    """Each kill of an engine."""
    leaders_killed: int = 0
    redis_away: list[tuple[float, float]] = field(default_factory=list)
    """From each kill of Redis until it answered again."""
    rung_twice: set[str] = field(default_factory=set)
    """Extensions of which two legs were seen at the switch twice running."""


class Chaos:
    def __init__(self, damaged: Damaged, plan: Plan) -> None:
        self._damaged = damaged
        self._plan = plan
        self._random = random.Random(plan.seed)
        self._outcome = Outcome()
        self._extensions = [str(3001 + number) for number in range(plan.agents)]

    def run(self) -> Outcome:
        """All of it, until the last call is over."""
        self._furnish()
        beside = [gevent.spawn(self._break_engines), gevent.spawn(self._break_redis), gevent.spawn(self._look)]
        began = time.monotonic()
        moments = sorted(self._random.uniform(0, self._plan.seconds) for _ in range(self._plan.calls))
        try:
            for moment in moments:
                gevent.sleep(max(0.0, began + moment - time.monotonic()))
                self._outcome.callers.append(self._call())
        finally:
            gevent.killall(beside)
        self._damaged.redis_answers()
        for caller in self._outcome.callers:
            if not caller.over:
                caller.wait_for("ended", 120)
        return self._outcome

    def _furnish(self) -> None:
        damaged = self._damaged
        with damaged.setting_up() as db, db.connection_context():
            skills = {name: Skill.get(Skill.name == name) for name in ("sales", "support")}
            skills |= {name: Skill.create(name=name) for name in OWN_SKILLS}
            for number, extension in enumerate((*self._extensions, PAUSED)):
                agent = Agent.create(name=f"Agent {extension}", extension=extension, wrap_up_seconds=2)
                own = [name for name, who in OWN_SKILLS.items() if number in who]
                for name in ["away"] if extension == PAUSED else ["sales", "support", *own]:
                    AgentSkill.create(agent=agent, skill=skills[name], level=3)
            _add_queues(db, skills)
        for extension in self._extensions:
            damaged.switch.phone(extension, answer=self._random.uniform(0.5, 2), talk=self._random.uniform(2, 6))
        damaged.on_duty(*self._extensions)

    def _call(self) -> Caller:
        pick, switch, chosen = self._random.random(), self._damaged.switch, self._random
        caller = f"+45{20_000_000 + len(self._outcome.callers)}"

        def call(kind: str, number: str, **plan: object) -> Caller:
            self._outcome.kinds[kind] += 1
            return switch.call(number, caller=caller, **plan)

        if pick < 0.12:
            return call("gives up", "5000", hang_up_after=chosen.uniform(0.05, 12))
        if pick < 0.19:
            return call("message", "5000", press="9,w4,#")
        if pick < 0.27:
            return call("gives up waiting", "5000", press="1", hang_up_after=chosen.uniform(5, 15))
        if pick < 0.50:
            return call("sales", "5000", press="1")
        if pick < 0.68:
            return call("support", "5000", press="3,2")
        if pick < 0.76:
            return call("is called back", QUEUES["owed"][0], press="1", hang_up_after=chosen.uniform(30, 60))
        if pick < 0.84:
            return call("all ring", QUEUES["chorus"][0])
        if pick < 0.92:
            return call("asks less", QUEUES["picky"][0])
        return call("leaves by key", QUEUES["leave"][0], press="9,w4,#")

    # --- what is seen ---

    def _look(self) -> None:
        """An agent's telephone has one leg at a time, whatever the records say."""
        before: set[frozenset[str]] = set()
        while True:
            gevent.sleep(LOOK_SECONDS)
            legs: dict[str, list[str]] = {}
            for channel in self._damaged.switch.channels():
                if channel["direction"] == "outbound":
                    legs.setdefault(channel["dest"], []).append(channel["uuid"])
            twice = {frozenset(uuids): extension for extension, uuids in legs.items() if len(uuids) > 1}
            self._outcome.rung_twice.update(
                twice[pair] for pair in twice.keys() & before if twice[pair] in self._extensions
            )
            before = set(twice)

    # --- what breaks ---

    def _break_engines(self) -> None:
        while True:
            gevent.sleep(self._plan.kill_every * self._random.uniform(0.9, 1.1))
            try:
                self._kill_an_engine()
            except redis.RedisError:
                # It is away at this moment, and without it nobody knows who is alive.
                continue

    def _break_redis(self) -> None:
        plan = self._plan
        pause = plan.redis_kill_at
        while pause is not None:
            gevent.sleep(pause)
            at = time.time()
            self._damaged.killed("redis")
            self._damaged.redis_answers()
            self._outcome.redis_away.append((at, time.time()))
            pause = plan.redis_kill_every

    def _kill_an_engine(self) -> None:
        """One of at least two that run; with a single one there is nobody to take its calls."""
        damaged = self._damaged
        alive = [each["id"] for each in damaged.engines() if psutil.pid_exists(each["pid"])]
        leader = damaged.board.snapshot()["router"]["leader"]
        if len(alive) < 2 or (self._plan.leaders_only and leader not in alive):
            return
        victim = leader if self._plan.leaders_only else self._random.choice(alive)
        self._outcome.leaders_killed += leader == victim
        self._outcome.killed_at.append(time.time())
        damaged.kill(victim)


def _add_queues(db: Database, skills: Mapping[str, Skill]) -> None:
    for name, (number, needed, settings) in QUEUES.items():
        queue = Queue.create(name=name, title=name.title(), short_abandon_seconds=0)
        queue_store.save_queue_rules(db, queue.id, "ring_all" if name == "chorus" else "longest_idle", settings)
        for skill in needed:
            QueueSkill.create(queue=queue, skill=skills[skill], level=1)
        to = destinations.ToCallback(name) if name == "owed" else destinations.ToQueue(name)
        store.save_number(db, number, name.title(), to, country="DK")


# --- what must be true ---


def check(damaged: Damaged, outcome: Outcome) -> None:
    """Everything that a caller, an agent or an analyst could complain of."""
    nobody_was_cut_off(outcome)
    eventually(lambda: _all_rows(damaged, outcome), 25)
    eventually(lambda: nobody_waits_to_be_called(damaged), 60)
    forgotten = forgotten_offers(damaged, outcome)
    for caller in outcome.callers:
        damaged.report(caller, forgotten=forgotten)
    overlapping = damaged.offers_overlap()
    assert overlapping == [], overlapping
    assert outcome.rung_twice == set()
    damaged.calm(60)
    each_is_called_back_once(damaged, outcome)


def nobody_was_cut_off(outcome: Outcome) -> None:
    """Each call was ended by its caller, by the agent at the end of the talk, or with a farewell."""
    for caller in outcome.callers:
        assert caller.over, caller.story
        if caller.story[-1]["by"] != "caller" and "left" not in caller.kinds:
            assert caller.prompts, caller.story
            assert caller.prompts[-1] in FAREWELLS, caller.story


def forgotten_offers(damaged: Damaged, outcome: Outcome) -> set[str]:
    """The offers whose end nobody has told, each of which must have been made when Redis died: it was written down, and then
    Redis forgot it before its owner had heard of it, so that no phone rang. (A Redis that is killed has lost what it had not
    handed to the operating system yet, as it does while an fsync is under way.)"""

    def settled() -> list[Row]:
        rows = damaged.rows("SELECT id::text, offered_at, call_id::text FROM offer WHERE NOT end_known")
        strange = [row for row in rows if not _while_redis_died(damaged, outcome, row["offered_at"])]
        assert strange == [], strange
        return rows

    return {row["id"] for row in eventually(settled, 10)}


def _while_redis_died(damaged: Damaged, outcome: Outcome, at: datetime) -> bool:
    clock = damaged.clock
    wall = time.time() - clock.wall_seconds(clock.timestamp() - at.timestamp())
    return any(gone - FORGOTTEN_SECONDS < wall < back for gone, back in outcome.redis_away)


def _all_rows(damaged: Damaged, outcome: Outcome) -> None:
    rows = damaged.rows("SELECT id::text AS id, started_at, ended_at FROM call")
    kept = {row["id"] for row in rows if row["started_at"] and row["ended_at"]}
    missing = [caller for caller in outcome.callers if caller.call_id not in kept]
    assert missing == [], [(caller.story, [row for row in rows if row["id"] == caller.call_id]) for caller in missing]


def nobody_waits_to_be_called(damaged: Damaged) -> None:
    owed = damaged.rows("SELECT * FROM report.callbacks WHERE state = 'owed'")
    agents = {extension: (agent["presence"], agent["work"]) for extension, agent in damaged.agents().items()}
    assert owed == [], (agents, owed)


def each_is_called_back_once(damaged: Damaged, outcome: Outcome) -> None:
    """Who was promised a call got it, and one; nobody else did."""
    callbacks = damaged.rows("SELECT * FROM report.callbacks")
    attempts = damaged.rows("SELECT callback_id, call_id::text, result FROM report.callback_attempts")
    asked = Counter(str(row["call_id"]) for row in callbacks)
    assert set(asked.values()) <= {1}, asked
    for caller in outcome.callers:
        if "callback_taken" in caller.prompts:
            assert caller.call_id in asked, caller.story
    for row in callbacks:
        assert row["state"] == "done", row
        answered = [
            each for each in attempts if each["callback_id"] == row["callback_id"] and each["result"] == "answered"
        ]
        # Who got through by themselves meanwhile need not be called.
        assert len(answered) == (0 if row["closed_by"] else 1), (row, answered)
    outbound = damaged.rows(
        "SELECT called_number FROM report.calls WHERE direction = 'outbound' AND status = 'answered'"
    )
    assert max(Counter(row["called_number"] for row in outbound).values(), default=0) <= 1
    strange = damaged.value("SELECT count(*) FROM report.calls WHERE direction = 'inbound'") - len(outcome.callers)
    assert strange == 0, f"{strange} calls of nobody"


def overtaken(damaged: Damaged) -> list[dict[str, object]]:
    """Callers first offered to an agent later than others who came to the same queue more than 5 s after them."""
    return damaged.rows(
        """
        WITH first AS (
            SELECT e.id, e.queue, e.entered_at, min(o.offered_at) AS offered_at
            FROM queue_entry e JOIN offer o ON o.entry_id = e.id WHERE e.kind = 'call'
            GROUP BY e.id, e.queue, e.entered_at
        )
        SELECT a.id, a.queue, a.entered_at, a.offered_at, count(*) AS by_others
        FROM first a JOIN first b ON b.queue = a.queue AND b.entered_at > a.entered_at + interval '5 seconds'
            AND b.offered_at < a.offered_at
        GROUP BY 1, 2, 3, 4
        """
    )


@dataclass(frozen=True)
class TakenOver:
    """A call that another process went on with within 5 s after a kill. One in a talk or a message is none: that goes on by
    itself, and is brought to somebody when it is over."""

    seconds: float
    """From the kill till then."""
    redis_away: bool
    """Whether Redis was away for some of that time."""


def taken_over(damaged: Damaged, outcome: Outcome) -> list[TakenOver]:
    """In the order of their seconds."""
    found = []
    for log in (damaged.home / "log").glob("engine-*.log"):
        for line in log.read_text().splitlines():
            if 'event="call taken over"' not in line or "by_itself=true" in line.lower():
                continue
            if stamp := re.match(r"timestamp=(\S+)Z ", line):
                at = datetime.fromisoformat(stamp[1]).replace(tzinfo=UTC).timestamp()
                since = min((at - kill for kill in outcome.killed_at if 0 <= at - kill < 5), default=None)
                if since is not None:
                    away = any(gone < at and back > at - since for gone, back in outcome.redis_away)
                    found.append(TakenOver(since, away))
    return sorted(found, key=lambda each: each.seconds)
