"""Matching without searching: for each set of needs one pool, with the calls that wait for it and the agents free for it.

A pool keeps two heaps. What leaves a heap early stays in it and is dropped when it comes to the top, so that nothing is ever
searched or re-sorted: a pool's owner says whether a top is still good.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from heapq import heappop, heappush

Needs = tuple[tuple[str, int], ...]
"""Skill and least level, in the order of the names."""


def needs_of(*parts: Mapping[str, int]) -> Needs:
    """The needs of several parts together; of two levels for one skill the higher one counts."""
    most: dict[str, int] = {}
    for part in parts:
        for skill, level in part.items():
            most[skill] = max(level, most.get(skill, 0))
    return tuple(sorted(most.items()))


def serves(skills: Mapping[str, int], needs: Needs) -> bool:
    return all(skills.get(skill, 0) >= level for skill, level in needs)


def lacking(skills: Mapping[str, int], needs: Needs) -> Needs:
    """The needs that these skills do not meet."""
    return tuple((skill, level) for skill, level in needs if skills.get(skill, 0) < level)


class Pool:
    """The calls with the same needs and the agents who meet them."""

    __slots__ = ("_idle", "_waiting", "agents", "free", "needs")

    def __init__(self, needs: Needs, agents: Iterable[int]) -> None:
        self.needs = needs
        self.agents = tuple(agents)
        """Ids of all agents who meet the needs, whatever they do now."""
        self.free = 0
        """How many of them are free now; the router counts."""
        self._waiting: list[tuple[float, int, str]] = []
        self._idle: list[tuple[float, int]] = []

    def add_call(self, rank: float, sequence: int, entry_id: str) -> None:
        heappush(self._waiting, (rank, sequence, entry_id))

    def add_agent(self, idle_since: float, agent_id: int) -> None:
        heappush(self._idle, (idle_since, agent_id))

    def first_call(self, waits: Callable[[str, int], bool]) -> tuple[float, int, str] | None:
        """The call to be served first: least rank, then least sequence. `waits(entry_id, sequence)` says whether it still
        waits at this place."""
        heap = self._waiting
        while heap:
            if waits(heap[0][2], heap[0][1]):
                return heap[0]
            heappop(heap)
        return None

    def longest_idle(self, free: Callable[[int, float], bool]) -> int | None:
        """The agent idle longest; of two since the same instant the one with the lower id. `free(agent_id, idle_since)`
        says whether the agent is still free, since then."""
        heap = self._idle
        while heap:
            if free(heap[0][1], heap[0][0]):
                return heap[0][1]
            heappop(heap)
        return None

    def idle_longest(self, free: Callable[[int, float], bool], most: int) -> list[int]:
        """Up to `most` free agents, the one idle longest first. Looks at a few entries only, however many there are, so it
        may tell less than there are where many entries are out of date."""
        found: list[int] = []
        heap, looks = self._idle, 4 * most
        frontier = [(heap[0], 0)] if heap else []
        while frontier and len(found) < most and looks > 0:
            looks -= 1
            (idle_since, agent_id), place = heappop(frontier)
            if agent_id not in found and free(agent_id, idle_since):
                found.append(agent_id)
            for child in (2 * place + 1, 2 * place + 2):
                if child < len(heap):
                    heappush(frontier, (heap[child], child))
        return found
