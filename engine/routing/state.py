"""What the router remembers: agents, waiting calls, offers, and the indexes by which it finds them."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from typing import Any, Final

from engine.records.facts import EntryKind, Presence, WorkState
from engine.routing.events import Decision
from engine.routing.expected import Expected, Meter
from engine.routing.plans import Plan, PlanBook
from engine.routing.pools import Needs, Pool, PoolKey
from engine.routing.roster import AgentProfile, QueueRule

TIMERS_UNSWEPT: Final = 10_000
"""So many timers are kept before those of what is gone are thrown away."""


@dataclass(slots=True, eq=False)
class Agent:
    """An agent as the router sees them now."""

    profile: AgentProfile
    presence: Presence = "offline"
    work: WorkState = "idle"
    reason: str | None = None
    since: float = 0.0
    idle_since: float = 0.0
    """When the last call's work was over."""
    free_since: float = 0.0
    call_id: str | None = None
    offer_id: str | None = None
    queue: str | None = None
    until: float | None = None
    """When the work after a call ends; None in it: when the agent says so."""
    wanted: tuple[Presence, str | None] | None = None
    """The presence chosen during an offer or a talk, for after it."""
    rest_until: float | None = None
    offered_at: float = 0.0
    calls: int = 0
    talk_seconds: float = 0.0
    misses: dict[str, int] = field(default_factory=dict)
    extended: int = 0
    """Seconds of work after the call asked for in the talk."""
    beside: dict[str, str] = field(default_factory=dict)
    """Other talks on the same phone that no queue brought, such as a colleague who is asked: the leg's name -> call."""
    owed: tuple[str, str, float] | None = None
    """Work after a call that a talk has put off: the call, its queue, and when it would have ended; 0 where it is to begin."""
    served: tuple[str, str, float] | None = None
    """Queue, caller and place of the call they talk on."""
    pools: list[Pool] = field(default_factory=list)
    stamp: int = 0
    """Another one whenever they become free, or are so no more."""
    listed: bool = False
    """Free, and waiting for a call in all their pools."""
    told: tuple[bool, bool, bool] = (False, False, False)
    """How the pools count them: logged in, ready, free."""

    @property
    def free(self) -> bool:
        return self.presence == "ready" and self.work == "idle" and self.rest_until is None


@dataclass(frozen=True, slots=True)
class First:
    """Whom an entry waits for before its queue's plan applies: till `until`, or with None as long as one of them is logged
    in."""

    agents: tuple[int, ...]
    until: float | None
    why: str


@dataclass(slots=True, eq=False)
class Entry:
    """A call that waits, or is offered to agents."""

    entry_id: str
    call_id: str
    queue: str
    owner: str
    entered_at: float
    place_at: float
    rank: float
    sequence: float
    needs: Needs
    plan: Plan
    further: Mapping[str, int] = field(default_factory=dict)
    exact: tuple[str, ...] = ()
    """What it brought of its own to the needs."""
    kind: EntryKind = "call"
    priority: int = 0
    boost: int = 0
    caller: str = ""
    not_before: float | None = None
    first: list[First] = field(default_factory=list)
    pool: Pool | None = None
    """Where it waits now."""
    offers: list[str] = field(default_factory=list)
    stamp: int = 0
    """Another one whenever it comes to another place, or waits no more."""
    expected: Expected | None = None
    waited: bool = False
    """It could not be offered to anybody when it came."""
    was_here: bool = False
    """It has the place of an earlier wait."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A call on its way to an agent whose phone rings."""

    offer_id: str
    entry_id: str
    call_id: str
    queue: str
    agent_id: int
    offered_at: float
    owner: str = ""
    batch: str = ""


class Timers:
    """What falls due when. `live(kind, key)` tells whether a timer may still mean something."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, float, int, str, Any]] = []
        self._count = 0
        self._most = TIMERS_UNSWEPT

    @property
    def next_due(self) -> float | None:
        return self._heap[0][0] if self._heap else None

    def add(self, due: float, kind: str, key: Any, *, rank: float = 0.0) -> None:
        """Of those due at the same instant the least `rank` comes first, then what was added first."""
        self._count += 1
        heappush(self._heap, (due, rank, self._count, kind, key))

    def pop(self, at: float) -> tuple[float, str, Any] | None:
        """The next one that is due at `at`."""
        if not self._heap or self._heap[0][0] > at:
            return None
        due, _, _, kind, key = heappop(self._heap)
        return due, kind, key

    def sweep(self, entries: Mapping[str, Entry], offers: Mapping[str, Offer]) -> None:
        """Forget the timers of entries and offers that are gone, once there are many."""
        if len(self._heap) <= self._most:
            return
        gone = {"longest_wait": entries, "stage": entries, "offer": offers}
        self._heap = [each for each in self._heap if each[3] not in gone or each[4] in gone[each[3]]]
        heapify(self._heap)
        self._most = max(TIMERS_UNSWEPT, 2 * len(self._heap))


class State:
    """One tenure's memory. Only the modules of engine.routing that the router calls change it."""

    def __init__(self, seed: int, *, settled: bool) -> None:
        self.chance = random.Random(seed)  # noqa: S311 - names of offers and lots among agents, no secret
        self.settled = settled
        self.latest = 0.0
        """The latest instant of which anything was told."""
        self.rules: dict[str, QueueRule] = {}
        self.agents: dict[int, Agent] = {}
        self.entries: dict[str, Entry] = {}
        self.offers: dict[str, Offer] = {}
        self.seen: dict[str, list[str]] = {}
        """Entry -> offers of an earlier tenure, as long as the entry itself was not told."""
        self.book = PlanBook()
        self.pools: dict[PoolKey, Pool] = {}
        self.rows: dict[str, list[tuple[float, float, str]]] = {}
        """Queue -> who waits or is offered there, in the order of their places."""
        self.timers = Timers()
        self.sequence = 0
        self.meters: dict[str, Meter] = {}
        self.paced: dict[str, float] = {}
        """Queue -> when its pace was told last."""
        self.places: dict[tuple[str, str], tuple[float, float]] = {}
        """(queue, caller) -> (place, till when it is kept)."""
        self.closed: set[str] = set()
        """Calendars that are closed now."""
        self.emptied: list[Pool] = []
        """Pools in which nobody is ready any more since the present event."""
        self.decisions: list[Decision] = []

    def rule(self, queue: str) -> QueueRule:
        return self.rules.get(queue) or QueueRule(queue)

    def meter(self, queue: str) -> Meter:
        meter = self.meters.get(queue)
        if meter is None:
            meter = self.meters[queue] = Meter()
        return meter
