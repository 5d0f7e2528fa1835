"""What one decision costs: the router beside a plain search and mod_callcenter's kind of query, the claim, a flow's step."""

from __future__ import annotations

import contextlib
import gc
import random
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import combinations
from pathlib import Path
from typing import Any

import msgspec

from dialplan import calendars, documents
from engine.bench.site import CALENDARS, FLOW
from engine.commands.engine import freeze
from engine.live import connection, keys
from engine.live.wire import Wire
from engine.records.queues import decode_queue
from engine.routing.claims import Claims
from engine.routing.day_log import DayLog, Tenure
from engine.routing.events import (
    AgentSeen,
    EntryAdded,
    Event,
    MakeOffer,
    OfferAnswered,
    RosterPublished,
    SetAgent,
    TalkEnded,
    TimePassed,
    encode,
)
from engine.routing.pools import serves
from engine.routing.restoring import restore
from engine.routing.roster import AgentProfile, QueueRule, Roster
from engine.routing.router import Router
from engine.virtual.load_plan import Spread
from ivr.flow import PublishedFlow
from ivr.interpreter import Interpreter
from ivr.simulator import MemoryPhone, MemoryWatch, Script
from ivr.store import read_file
from sounds.catalogue import Catalogue

AGENTS, SKILLS, WAITING = 10_000, 100, 5_000
SKILLS_AN_AGENT = 5
ROUNDS = 5_000


CALLCENTER = "mod_callcenter's kind of query, one call"


class Figure(msgspec.Struct, frozen=True):
    """Something timed, with what it is compared with. Times are microseconds where the name says so, else milliseconds."""

    name: str
    spread: Spread
    note: str = ""


def timed(rounds: int, act: Callable[[int], Any]) -> list[float]:
    clock = time.perf_counter
    taken = []
    for number in range(rounds):
        began = clock()
        act(number)
        taken.append(clock() - began)
    return taken


class Centre:
    """10,000 agents with 5 of 100 skills each: all of them talk and `waiting` calls wait, or with none all are free."""

    def __init__(self, waiting: int, relaxations: Sequence[dict[str, Any]] = ()) -> None:
        """`relaxations` with an empty skill are of each queue's own."""
        self.random = random.Random(5)
        skills = [f"skill{number}" for number in range(SKILLS)]
        agents = tuple(
            AgentProfile(
                number,
                f"Agent {number}",
                str(100_000 + number),
                {skill: self.random.randint(1, 5) for skill in self.random.sample(skills, SKILLS_AN_AGENT)},
                wrap_up_seconds=0,
            )
            for number in range(1, AGENTS + 1)
        )
        self.queues = tuple(
            QueueRule(
                skill,
                needs={skill: 2},
                most_waiting=100_000,
                longest_wait_seconds=86_400,
                settings=decode_queue(
                    {"relaxations": [{n: skill if v == "" else v for n, v in step.items()} for step in relaxations]}
                ),
            )
            for skill in skills
        )
        self.agents = {agent.agent_id: agent for agent in agents}
        self.at = 1_000_000.0
        self.entries = 0
        self.talks: dict[int, str] = {}
        self.router = Router(1)
        self.roster = Roster(version=1, agents=agents, queues=self.queues)
        self.router.step(RosterPublished(at=self.at, roster=self.roster))
        self.told = []
        for agent in agents:
            self.talks[agent.agent_id] = f"talk-{agent.agent_id}"
            seen = AgentSeen(
                at=self.at,
                agent_id=agent.agent_id,
                presence="ready",
                work="talking" if waiting else "idle",
                since=self.at - 100,
                idle_since=self.at - 200 - agent.agent_id,
                call_id=f"call-{agent.agent_id}" if waiting else None,
                offer_id=f"talk-{agent.agent_id}" if waiting else None,
                queue="skill0" if waiting else None,
            )
            self.told += [each for each in self.router.step(seen) if isinstance(each, SetAgent)]
        self.waiting = [self.arrival() for _ in range(waiting)]
        for entry in self.waiting:
            self.router.step(entry)
        # An engine does not have Python's collector look through all of this either.
        gc.unfreeze()
        freeze()

    def arrival(self) -> EntryAdded:
        self.at += 0.001
        self.entries += 1
        return EntryAdded(
            at=self.at,
            entry_id=f"entry-{self.entries}",
            call_id=f"call-e{self.entries}",
            queue=self.random.choice(self.queues).name,
            owner="engine",
            entered_at=self.at,
            priority=self.random.choice((0, 0, 0, 1, 3)),
        )


def router() -> list[Figure]:
    """An agent becomes free and gets the right one of 5,000 calls; a call comes in while everybody talks."""
    centre = Centre(WAITING)
    router = centre.router
    freed: list[float] = []
    arrived: list[float] = []
    clock = time.perf_counter
    agents = list(centre.talks)
    for _ in range(ROUNDS):
        agent_id = centre.random.choice(agents)
        centre.at += 0.001
        began = clock()
        decisions = router.step(TalkEnded(at=centre.at, offer_id=centre.talks[agent_id], agent_id=agent_id))
        freed.append(clock() - began)
        for offer in [each for each in decisions if isinstance(each, MakeOffer)]:
            centre.talks[agent_id] = offer.offer_id
            router.step(
                OfferAnswered(
                    at=centre.at,
                    offer_id=offer.offer_id,
                    entry_id=offer.entry_id,
                    call_id=offer.call_id,
                    queue=offer.queue,
                    agent_id=agent_id,
                )
            )
        event = centre.arrival()
        began = clock()
        router.step(event)
        arrived.append(clock() - began)
    size = f"{AGENTS:,} agents, {SKILLS} skills, {len(router.entries):,} waiting"
    return [
        Figure("router: agent free -> decided", Spread.of(freed), size),
        Figure(
            "of that the choice of the call", Spread.of(choices(centre)), "the rest is reasons and what is told of it"
        ),
        Figure("router: call comes -> placed", Spread.of(arrived), size),
        *offered(),
        *relaxed(),
        Figure("a plain search over all that wait", Spread.of(plain(centre)), "the same state, the same rule"),
        Figure(CALLCENTER, Spread.of(callcenter(centre)), "SQLite in memory"),
    ]


def choices(centre: Centre) -> list[float]:
    """Finding the first of the calls that an agent may have, alone."""
    agents = list(centre.router.agents.values())
    rows = [centre.random.choice(agents).pools for _ in range(ROUNDS)]

    def choose(number: int) -> Any:
        best = None
        for pool in rows[number]:
            head = pool.first_call()
            if head is not None and (best is None or head[:3] < best[:3]):
                best = head
        return best

    return timed(ROUNDS, choose)


def relaxed() -> list[Figure]:
    """A call has waited its time with everybody busy, and waits on in a wider pool."""
    centre = Centre(
        WAITING, relaxations=({"after_seconds": 30, "skill": "", "level": 1}, {"after_seconds": 60, "drop": ""})
    )
    router, moved = centre.router, list[float]()
    while (due := router.next_due) is not None and len(moved) < ROUNDS:
        event = TimePassed(at=due)
        began = time.perf_counter()
        router.step(event)
        moved.append(time.perf_counter() - began)
    return [Figure("router: needs relaxed -> moved", Spread.of(moved), f"{WAITING:,} waiting, each at its place")]


def offered() -> list[Figure]:
    """A call comes in while everybody is free: the agent idle longest of those who are able gets it. One in ten needs a second
    skill together with its queue's as no call did before, which brings a new pool of agents, and is told apart."""
    centre = Centre(0)
    unseen = [(one.name, other.name) for one, other in combinations(centre.queues, 2)]
    centre.random.shuffle(unseen)
    first: list[float] = []
    later: list[float] = []
    for number in range(ROUNDS):
        event = centre.arrival()
        new = number % 10 == 0
        if new:
            queue, skill = unseen.pop()
            event = msgspec.structs.replace(event, queue=queue, needs={skill: 2})
        began = time.perf_counter()
        decisions = centre.router.step(event)
        (first if new else later).append(time.perf_counter() - began)
        for offer in [each for each in decisions if isinstance(each, MakeOffer)]:
            who: dict[str, Any] = {"offer_id": offer.offer_id, "agent_id": offer.agent_id}
            centre.router.step(
                OfferAnswered(at=centre.at, entry_id=offer.entry_id, call_id=offer.call_id, queue=offer.queue, **who)
            )
            centre.router.step(TalkEnded(at=centre.at, **who))
    free = f"{AGENTS:,} agents free"
    return [
        Figure("router: call comes, all free -> decided", Spread.of(later), free),
        Figure("the same, first call with such needs", Spread.of(first), "a pool is made for them"),
    ]


def plain(centre: Centre) -> list[float]:
    """Each time an agent is free all calls are looked at for the one with the least rank that the agent may have."""
    waiting = [(entry.rank, entry.sequence, entry.needs) for entry in centre.router.entries.values()]
    agents = list(centre.agents.values())

    def search(_: int) -> Any:
        skills = centre.random.choice(agents).skills
        return min((each for each in waiting if serves(skills, each[2])), default=None)

    return timed(200, search)


def callcenter(centre: Centre) -> list[float]:
    """For each waiting call a query joins all agents with the tiers of its queue and sorts them, as mod_callcenter's does
    for the strategy longest-idle-agent; its tables have no index."""
    with contextlib.closing(sqlite3.connect(":memory:")) as db:
        db.execute(
            "CREATE TABLE agents (name TEXT, instance_id TEXT, status TEXT, state TEXT, contact TEXT, last_bridge_end INTEGER,"
            " wrap_up_time INTEGER, ready_time INTEGER, no_answer_count INTEGER)"
        )
        db.execute("CREATE TABLE tiers (queue TEXT, agent TEXT, state TEXT, level INTEGER, position INTEGER)")
        db.executemany(
            "INSERT INTO agents VALUES (?, 'one', 'Available', 'In a queue call', 'user/x', ?, 0, 0, 0)",
            [(agent.name, agent.agent_id) for agent in centre.agents.values()],
        )
        db.executemany(
            "INSERT INTO tiers VALUES (?, ?, 'Ready', 1, 1)",
            [(skill, agent.name) for agent in centre.agents.values() for skill in agent.skills],
        )
        names = [queue.name for queue in centre.queues]
        statement = (
            "SELECT name, contact, agents.state, tiers.state, last_bridge_end, wrap_up_time, ready_time, level, position "
            "FROM agents LEFT JOIN tiers ON agents.name = tiers.agent "
            "WHERE tiers.queue = ? AND status IN ('Available', 'On Break', 'Available (On Demand)') "
            "ORDER BY level, last_bridge_end, position"
        )
        return timed(15, lambda _: db.execute(statement, (centre.random.choice(names),)).fetchall())


def made_good(redis_url: str, rounds: int = 3_000) -> list[Figure]:
    """At full size with Redis: an agent becomes free, the call is decided and the claim stands; then all of it is read back
    by the next tenure."""
    client, wire = connection.commands(redis_url), Wire(redis_url)
    client.flushdb()
    centre = Centre(WAITING)
    router = centre.router
    client.set(keys.ROUTER_EPOCH, 1)
    writer = Claims(wire, "bench", 1)
    for begin in range(0, len(centre.told), 1_000):
        writer.write(centre.told[begin : begin + 1_000], "0-1")
    wire.ask_all([("HSET", keys.WAITING, entry.entry_id, encode(entry)) for entry in centre.waiting])
    tenure = Tenure(epoch=1, seed=1, settled=True, began=datetime.now(UTC))
    folder = Path(tempfile.mkdtemp(prefix="pointsman-bench-"))
    log = DayLog(folder, datetime.now(UTC).date(), tenure)
    freed, logged = list[float](), list[float]()
    clock, agents = time.perf_counter, list(centre.talks)
    for number in range(rounds):
        agent_id = centre.random.choice(agents)
        centre.at += 0.001
        event: Event = TalkEnded(at=centre.at, offer_id=centre.talks[agent_id], agent_id=agent_id)
        began = clock()
        decisions = router.step(event)
        lost = writer.write(decisions, f"{number + 1}-0")
        freed.append(clock() - began)
        assert not lost, lost
        began = clock()
        log.add(event, decisions)
        log.flush()
        logged.append(clock() - began)
        for offer in [each for each in decisions if isinstance(each, MakeOffer)]:
            centre.talks[agent_id] = offer.offer_id
            answered = OfferAnswered(
                at=centre.at,
                offer_id=offer.offer_id,
                entry_id=offer.entry_id,
                call_id=offer.call_id,
                queue=offer.queue,
                agent_id=agent_id,
            )
            writer.write(router.step(answered), f"{number + 1}-1")
            wire.ask("HDEL", keys.WAITING, offer.entry_id)
        entry = centre.arrival()
        wire.ask("HSET", keys.WAITING, entry.entry_id, encode(entry))
        writer.write(router.step(entry), f"{number + 1}-2")
    log.close()
    shutil.rmtree(folder)

    def rebuild(_: int) -> None:
        again = Router(2)
        restore(wire, again.step, again, centre.roster, centre.at, presences=dict, keep=lambda _: None)
        assert len(again.entries) == len(router.entries)

    rebuilt = timed(3, rebuild)
    client.flushdb()
    client.close()
    wire.close()
    size = f"{AGENTS:,} agents, {SKILLS} skills, {WAITING:,} waiting"
    return [
        Figure("claim: agent free -> decided, stands in Redis", Spread.of(freed), size),
        Figure("a step written into the day's log", Spread.of(logged)),
        Figure("a new tenure rebuilt from Redis", Spread.of(rebuilt), size),
    ]


def claims(redis_url: str) -> list[Figure]:
    """A decision made good: one script call, back when the offer stands in Redis; beside a script that does nothing."""
    client = connection.commands(redis_url)
    client.flushdb()
    agents = tuple(
        AgentProfile(number, f"Agent {number}", str(2000 + number), {"sales": 3}, 0) for number in range(1, 201)
    )
    desk = Router(1)
    at = 1_000_000.0
    roster = Roster(version=1, agents=agents, queues=(QueueRule("sales", needs={"sales": 1}),))
    desk.step(RosterPublished(at=at, roster=roster))
    client.set(keys.ROUTER_EPOCH, 1)
    wire = Wire(redis_url)
    writer = Claims(wire, "bench", 1)
    for agent in agents:
        seen = AgentSeen(
            at=at, agent_id=agent.agent_id, presence="ready", work="idle", since=at, idle_since=at + agent.agent_id
        )
        writer.write(desk.step(seen), "0-1")
    offered: list[float] = []
    clock = time.perf_counter
    for number in range(2_000):
        at += 0.01
        entry = EntryAdded(
            at=at, entry_id=f"e{number}", call_id=f"c{number}", queue="sales", owner="bench", entered_at=at
        )
        client.hset(keys.WAITING, entry.entry_id, encode(entry).decode())
        decisions = desk.step(entry)
        began = clock()
        lost = writer.write(decisions, f"{number + 1}-0")
        offered.append(clock() - began)
        assert not lost, lost
        offer = next(each for each in decisions if isinstance(each, MakeOffer))
        answered = OfferAnswered(
            at=at,
            offer_id=offer.offer_id,
            entry_id=offer.entry_id,
            call_id=offer.call_id,
            queue=offer.queue,
            agent_id=offer.agent_id,
        )
        ended = TalkEnded(at=at, offer_id=offer.offer_id, agent_id=offer.agent_id)
        writer.write([*desk.step(answered), *desk.step(ended)], f"{number + 1}-1")
        client.delete(keys.inbox("bench"))
    digest = wire.ask("SCRIPT", "LOAD", "return 1")
    bare = timed(2_000, lambda _: wire.ask("EVALSHA", digest, 0))
    nothing = client.register_script("return 1")
    usual = timed(2_000, lambda _: nothing())
    client.flushdb()
    client.close()
    wire.close()
    return [
        Figure("claim: one offer written by the script", Spread.of(offered)),
        Figure("a script that does nothing", Spread.of(bare), "the same connection"),
        Figure("the same by redis-py's client", Spread.of(usual), "the same server"),
    ]


def steps(rounds: int = 2_000) -> tuple[Figure, float]:
    """Calls through the bench's flow on a telephone in memory; the spread is a call's, the figure microseconds a step."""
    now = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)
    zone = calendars.zone_named("UTC")
    always = {"name": "Always", "weekly": {"mon-sun": ["00:00-24:00"]}}
    document = documents.read(CALENDARS.read_text(encoding="utf-8"))
    parsed = calendars.parse({"calendars": [*document["calendars"], always]}, zone=zone, years=range(2026, 2027))
    catalogue = Catalogue.of_home(Path("/nonexistent"))
    flow = PublishedFlow(1, read_file(FLOW))
    interpreter = Interpreter(catalogue, {calendar.name: calendar for calendar in parsed})
    visited = 0

    def call(_: int) -> None:
        nonlocal visited
        phone = MemoryPhone(Script(answers=["1"]), start=now, seconds_of=lambda _: 2.0)
        watch = MemoryWatch()
        interpreter.run(flow, phone, watch)
        visited += len(watch.steps)

    taken = timed(rounds, call)
    spread = Spread.of(taken)
    # By the median call: what the machine does beside it is no cost of a step.
    return Figure("a call through the flow, in memory", spread), round(spread.p50 * 1000 * rounds / max(1, visited), 2)


def ordered(figures: Sequence[Figure]) -> list[tuple[str, Spread, str]]:
    return [(figure.name, figure.spread, figure.note) for figure in figures]
