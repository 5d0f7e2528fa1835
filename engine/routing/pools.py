"""Matching without searching: for each set of criteria one pool, with the calls that wait for it and the agents free for it.

A pool keeps two heaps. What leaves a heap early stays in it and is dropped when it comes to the top, so that nothing is ever
searched or re-sorted: an entry and an agent carry a stamp that changes whenever they are not to be had any more. Nothing comes
to the top of a pool that nobody asks, so what has grown to twice what was true of it is cleared.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from heapq import heapify, heappop, heappush
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from engine.routing.state import Agent, Entry
    from engine.routing.strategies.registry import Strategy

LEAST_CLEARED = 64
"""A heap of fewer is left alone, whatever is in it."""

HIGHEST = 5
"""The highest level of a skill."""

Needs = tuple[tuple[str, int, int], ...]
"""Skill, least and highest level that serves, in the order of the names."""


def needs_of(*parts: Mapping[str, int], exact: Iterable[str] = ()) -> Needs:
    """The needs of several parts together, skill -> least level; of two levels for one skill the higher one counts. Of the
    skills in `exact` that level and no other serves."""
    most: dict[str, int] = {}
    for part in parts:
        for skill, level in part.items():
            most[skill] = max(level, most.get(skill, 0))
    only = frozenset(exact)
    return tuple((skill, level, level if skill in only else HIGHEST) for skill, level in sorted(most.items()))


def serves(skills: Mapping[str, int], needs: Needs) -> bool:
    return all(least <= skills.get(skill, 0) <= most for skill, least, most in needs)


def lacking(skills: Mapping[str, int], needs: Needs) -> Needs:
    """The needs that these skills do not meet."""
    return tuple(need for need in needs if not need[1] <= skills.get(need[0], 0) <= need[2])


def said(needs: Needs) -> str:
    """Needs in words."""
    return " and ".join(
        f"{skill} at level {least}"
        + (" exactly" if most == least < HIGHEST else " or above" if least < HIGHEST else "")
        for skill, least, most in needs
    )


_ORDER = itemgetter(0, 1, 2, 3)

Waiting = tuple[float, float, str, int, "Entry"]
"""A call that waits: rank, sequence, the entry's id, its stamp when it came, and the entry. No two are alike before the entry
itself, which knows no order."""

Idle = tuple[int, float, float, int, int, "Agent"]
"""A free agent: order in the queue, score, idle since, id, stamp when they became free, and the agent. No two are alike before
the agent."""


class PoolKey(NamedTuple):
    """What decides who belongs to a pool: the agents of the queue who meet the needs, whose delay is not above `delay` and
    whose cost not above `cost`, and all agents of `groups`. With `only`: these agents and nobody else."""

    queue: str
    needs: Needs = ()
    delay: int = 0
    groups: tuple[str, ...] = ()
    cost: float = float("inf")
    only: tuple[int, ...] = ()


class Pool:
    """The calls with the same criteria and the agents who meet them."""

    __slots__ = (
        "_idle",
        "_idle_most",
        "_ordered",
        "_waiting",
        "_waiting_most",
        "agents",
        "claims",
        "free",
        "key",
        "lasting",
        "outsiders",
        "ready",
        "staffed",
        "strategy",
        "unready_since",
        "unstaffed_since",
    )

    def __init__(self, key: PoolKey, strategy: Strategy, agents: Mapping[int, tuple[int, int]]) -> None:
        """`agents`: id of each agent who meets the criteria, whatever they do now -> their order in the queue, and where it
        goes from the top down their place among those of the same order (0: the strategy's score counts)."""
        self.key = key
        self.strategy = strategy
        self.agents = agents
        self.staffed = self.ready = self.free = 0
        """How many of them are logged in, ready, and free now; counted by engine.routing.presence."""
        self.unstaffed_since: float | None = None
        self.unready_since: float | None = None
        """Since when there is none, where there was one before."""
        self.claims: dict[str, None] = {}
        """Ids of the entries that nobody outside this pool will ever be offered."""
        self.lasting = False
        """Kept, whether it is used or not."""
        self.outsiders: list[dict[str, Any]] | None = None
        """Some who do not belong here, each with the reason, once they were asked for."""
        self._ordered = len({order for order, _ in agents.values()}) > 1
        self._waiting: list[Waiting] = []
        self._waiting_most = LEAST_CLEARED
        self._idle: list[Idle] = []
        self._idle_most = LEAST_CLEARED

    def add_call(self, entry: Entry) -> None:
        heappush(self._waiting, (entry.rank, entry.sequence, entry.entry_id, entry.stamp, entry))
        if len(self._waiting) > self._waiting_most:
            self._waiting = [each for each in self._waiting if each[4].stamp == each[3]]
            heapify(self._waiting)
            self._waiting_most = max(LEAST_CLEARED, 2 * len(self._waiting))

    def add_agent(self, agent: Agent) -> None:
        self._enlist(agent)
        if len(self._idle) > self._idle_most:
            self._idle = [each for each in self._idle if each[5].stamp == each[4]]
            heapify(self._idle)
            self._idle_most = max(LEAST_CLEARED, 2 * len(self._idle))

    def _enlist(self, agent: Agent) -> None:
        agent_id = agent.profile.agent_id
        order, place = self.agents[agent_id]
        strategy = self.strategy
        if strategy.draw == "any":
            # Unordered: a draw takes any place of the list, so equal keys keep the heap's operations trivial.
            self._idle.append((order, 0.0, 0.0, agent_id, agent.stamp, agent))
            return
        score = float(place) if place else strategy.score(agent, self.key.needs)
        heappush(self._idle, (order, score, agent.idle_since, agent_id, agent.stamp, agent))

    def first_call(self) -> Waiting | None:
        """The call to be served first: least rank, then least sequence; supervisors may put two in the same place, of which
        the entry's id decides, here as on the boards."""
        heap = self._waiting
        while heap:
            first = heap[0]
            if first[4].stamp == first[3]:
                return first
            heappop(heap)
        return None

    def calls(self) -> list[Entry]:
        """All that wait here, in their order."""
        return [entry for *_, stamp, entry in sorted(self._waiting) if entry.stamp == stamp]

    def first_agent(self, chance: random.Random) -> Agent | None:
        """The free agent whom the strategy gives the call; `chance` is for those that draw lots."""
        heap = self._idle
        if self.strategy.draw == "any":
            return self._drawn(chance)
        while heap:
            first = heap[0]
            if first[5].stamp == first[4]:
                return first[5]
            heappop(heap)
        return None

    def _drawn(self, chance: random.Random) -> Agent | None:
        row = self._idle
        while row:
            place = int(chance.random() * len(row))
            drawn = row[place]
            if drawn[5].stamp != drawn[4]:
                row[place] = row[-1]
                row.pop()
                continue
            if not self._ordered:
                return drawn[5]
            there = [each for each in row if each[5].stamp == each[4]]
            least = min(each[0] for each in there)
            equal = [each[5] for each in there if each[0] == least]
            return equal[int(chance.random() * len(equal))]
        return None

    def first_agents(self, most: int) -> list[Agent]:
        """Up to `most` free agents, the first by score first. Looks at a few only, however many there are, so it may tell
        less than there are where much in the heap is out of date."""
        found: list[Agent] = []
        heap, looks = self._idle, 4 * most
        if len(heap) <= looks:
            return [agent for *_, stamp, agent in sorted(heap, key=_ORDER) if agent.stamp == stamp][:most]
        frontier = [(heap[0], 0)] if heap else []
        while frontier and len(found) < most and looks > 0:
            looks -= 1
            (*_, stamp, agent), place = heappop(frontier)
            if agent.stamp == stamp:
                found.append(agent)
            for child in (2 * place + 1, 2 * place + 2):
                if child < len(heap):
                    heappush(frontier, (heap[child], child))
        return found
