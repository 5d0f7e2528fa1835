"""What queueing theory says, and the router in virtual time to be held against it.

Erlang C: A. K. Erlang, 1917, for calls that wait however long; Erlang A: C. Palm, 1957, for callers who lose patience after a
time that is exponential too. Both for Poisson arrivals and exponential talks.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Any

from engine.routing.events import (
    CloseOffer,
    Decision,
    EntryAdded,
    EntryLeft,
    Event,
    MakeOffer,
    OfferAnswered,
    PlaceEntry,
    PresenceWanted,
    RosterPublished,
    TalkEnded,
    TimePassed,
)
from engine.routing.roster import AgentProfile, QueueRule, Roster
from engine.routing.router import Router
from tests.routing.ideal import Guest, ideal


@dataclass(frozen=True, slots=True)
class Expected:
    """Share of calls that wait, mean wait of all calls in seconds, share that give up."""

    waiting: float
    wait: float
    abandoning: float = 0.0


def erlang_c(arrivals: float, talk: float, agents: int) -> Expected:
    """`arrivals` a second, talks of `talk` seconds on average; there must be more agents than work."""
    work = arrivals * talk
    blocked = 1.0
    for number in range(1, agents + 1):
        blocked = work * blocked / (number + work * blocked)
    waiting = blocked / (1 - work / agents * (1 - blocked))
    return Expected(waiting, waiting * talk / (agents - work))


def erlang_a(arrivals: float, talk: float, agents: int, patience: float) -> Expected:
    """The same with callers whose patience is `patience` seconds on average. Solved as a birth and death process, whose states
    are the calls in the house; cut off where nothing is left of their probability."""
    weights, weight, state = [1.0], 1.0, 0
    while state < agents or weight > 1e-15 * max(weights):
        state += 1
        leaving = min(state, agents) / talk + max(0, state - agents) / patience
        weight *= arrivals / leaving
        weights.append(weight)
    total = sum(weights)
    waiting = sum(weights[agents:]) / total
    in_line = sum((state - agents) * weight for state, weight in enumerate(weights) if state > agents) / total
    return Expected(waiting, in_line / arrivals, in_line / patience / arrivals)


@dataclass(slots=True)
class Outcome:
    """What one run has measured of one queue, after its beginning."""

    waits: list[float] = field(default_factory=list)
    waited: int = 0
    abandoned: int = 0

    @property
    def calls(self) -> int:
        return len(self.waits)

    def measures(self) -> tuple[float, float, float]:
        """Share waiting, mean wait, share abandoning."""
        return self.waited / self.calls, sum(self.waits) / self.calls, self.abandoned / self.calls


@dataclass(frozen=True, slots=True)
class Stream:
    """The calls of one queue: how many a second, how long their talks and their patience are on average (None: they wait for
    ever)."""

    queue: str
    arrivals: float
    talk: float
    patience: float | None = None

    def guest(self, comes: float, chance: random.Random) -> Guest:
        """One who comes then, with a talk and a patience by chance."""
        patience = math.inf if self.patience is None else chance.expovariate(1 / self.patience)
        return Guest(self.queue, comes, chance.expovariate(1 / self.talk), patience)


class Floor:
    """A centre in virtual time: callers come by chance, phones are answered at once, talks last as long as they do."""

    def __init__(self, roster: Roster, seed: int) -> None:
        self.router = Router(seed)
        self.chance = random.Random(seed)
        self.now = 1_000.0
        self.outcomes: dict[str, Outcome] = {}
        self.told: list[tuple[PlaceEntry, float]] = []
        """What was told of waits at their beginning, and when that was."""
        self.answered: dict[str, float] = {}
        self._due: list[tuple[float, int, Any]] = []
        self._count = 0
        self._entered: dict[str, tuple[str, float, float]] = {}
        self._placed: set[str] = set()
        self._tell(RosterPublished(at=self.now, roster=roster))
        for agent in roster.agents:
            self.now += 0.001
            self._tell(PresenceWanted(at=self.now, agent_id=agent.agent_id, presence="ready"))

    def run(self, streams: Sequence[Stream], calls: int, warm_up: int = 0) -> None:
        """Let so many calls come, the first `warm_up` of them without being counted, and all of them be over."""
        self.outcomes = {stream.queue: Outcome() for stream in streams}
        coming = self.now
        total = sum(stream.arrivals for stream in streams)
        weights = [stream.arrivals for stream in streams]
        for number in range(calls):
            coming += self.chance.expovariate(total)
            self._until(coming)
            (stream,) = self.chance.choices(streams, weights)
            self._comes(stream, counted=number >= warm_up)
        self._until(math.inf)

    def _comes(self, stream: Stream, *, counted: bool) -> None:
        self._count += 1
        name = f"e{self._count}"
        self._entered[name] = (stream.queue if counted else "", self.now, self.chance.expovariate(1 / stream.talk))
        self._tell(
            EntryAdded(at=self.now, entry_id=name, call_id=name, queue=stream.queue, owner="floor", entered_at=self.now)
        )
        if name in self._entered and stream.patience is not None:
            self._later(self.chance.expovariate(1 / stream.patience), EntryLeft(at=0.0, entry_id=name))

    def _later(self, seconds: float, event: Event) -> None:
        self._count += 1
        heappush(self._due, (self.now + seconds, self._count, event))

    def _until(self, at: float) -> None:
        while self._due and self._due[0][0] <= at:
            self.now, _, event = heappop(self._due)
            if isinstance(event, EntryLeft):
                known = self._entered.pop(event.entry_id, None)
                if known is None:
                    continue
                self._over(event.entry_id, known, answered=False)
                self._tell(EntryLeft(at=self.now, entry_id=event.entry_id))
            else:
                self._tell(TalkEnded(at=self.now, offer_id=event.offer_id, agent_id=event.agent_id))
        if at != math.inf:
            self.now = at
            self._tell(TimePassed(at=at))

    def _tell(self, event: Event) -> None:
        self._follow(self.router.step(event))

    def _follow(self, decisions: list[Decision]) -> None:
        for decision in decisions:
            if isinstance(decision, MakeOffer):
                known = self._entered.pop(decision.entry_id)
                self._over(decision.entry_id, known, answered=True)
                talk = TalkEnded(at=0.0, offer_id=decision.offer_id, agent_id=decision.agent_id)
                answered = OfferAnswered(
                    at=self.now,
                    offer_id=decision.offer_id,
                    entry_id=decision.entry_id,
                    call_id=decision.call_id,
                    queue=decision.queue,
                    agent_id=decision.agent_id,
                )
                self._later(known[2], talk)
                self._tell(answered)
            elif isinstance(decision, PlaceEntry):
                self._placed.add(decision.entry_id)
                self.told.append((decision, self.now))
            elif isinstance(decision, CloseOffer):
                assert decision.result == "answered"

    def _over(self, name: str, known: tuple[str, float, float], *, answered: bool) -> None:
        queue, entered, _ = known
        if answered:
            self.answered[name] = self.now
        if queue:
            outcome = self.outcomes[queue]
            outcome.waits.append(self.now - entered)
            outcome.waited += name in self._placed
            outcome.abandoned += not answered


@dataclass(frozen=True, slots=True)
class TwoSkills:
    """The N-design: plain calls may go to everybody, special ones to generalists alone. There is no formula for it."""

    specialists: int
    generalists: int
    plain: Stream
    special: Stream

    def simulated(self, seed: int, calls: int, warm_up: int) -> dict[str, Outcome]:
        """What an ideal centre makes of callers who come by chance, by queue, of all but the first `warm_up` calls."""
        chance, both = random.Random(1_000 + seed), (self.plain, self.special)
        weights, comes, guests = [stream.arrivals for stream in both], 0.0, list[Guest]()
        for _ in range(calls):
            comes += chance.expovariate(sum(weights))
            (of,) = chance.choices(both, weights)
            guests.append(of.guest(comes, chance))
        staff = [(self.plain.queue,)] * self.specialists + [(self.plain.queue, self.special.queue)] * self.generalists
        outcomes = {stream.queue: Outcome() for stream in both}
        for guest, fate in list(zip(guests, ideal(staff, guests), strict=True))[warm_up:]:
            outcome = outcomes[guest.queue]
            outcome.waits.append(fate.wait)
            outcome.waited += fate.waited
            outcome.abandoned += fate.gave_up
        return outcomes


def agents(count: int, *skills: str, first: int = 1) -> tuple[AgentProfile, ...]:
    """So many agents with these skills, who have nothing to write up after a call."""
    return tuple(
        AgentProfile(number, f"agent {number}", str(1000 + number), dict.fromkeys(skills, 3), wrap_up_seconds=0)
        for number in range(first, first + count)
    )


def queue(name: str, *needs: str) -> QueueRule:
    return QueueRule(name, needs=dict.fromkeys(needs, 1), most_waiting=100_000, longest_wait_seconds=86_400)


def spread(values: Sequence[float]) -> tuple[float, float]:
    """Mean, and the standard error of the mean of independent runs."""
    mean = sum(values) / len(values)
    return mean, math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1) / len(values))
