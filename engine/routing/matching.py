"""Who gets what: a call finds its place or its agent, an agent who becomes free finds their call.

The invariant: no call waits in a pool in which somebody is free. So a call that comes only asks who is free in its pool, and
an agent who becomes free only takes the first of the calls at the heads of their pools.
"""

from __future__ import annotations

from typing import Final

from engine.routing.offering import offer
from engine.routing.pooling import enlist, pool_of
from engine.routing.pools import Pool, PoolKey
from engine.routing.state import Agent, Entry, Offer, State

MOST_RUNG_TOGETHER: Final = 50
"""How many agents ring at once at most where all are to ring."""


def place(state: State, entry: Entry, at: float) -> bool:
    """Offer the call at once, or let it wait where it belongs now; True when it was offered."""
    pool, due = where(state, entry, at)
    entry.pool = pool
    entry.stamp += 1
    if due is not None:
        state.timers.add(due, "stage", entry.entry_id, rank=entry.rank)
    if entry.not_before is not None and at < entry.not_before:
        return False
    if state.settled and _offered(state, entry, pool, at):
        return True
    pool.add_call(entry)
    return False


def where(state: State, entry: Entry, at: float) -> tuple[Pool, float | None]:
    """The pool in which the entry belongs at this instant, and when it next belongs elsewhere; None: never by time alone."""
    while entry.first:
        first = entry.first[0]
        pool = pool_of(state, PoolKey(entry.queue, only=first.agents))
        if (pool.staffed if first.until is None else pool.ready) and (first.until is None or at < first.until):
            return pool, _sooner(first.until, entry.not_before, at)
        entry.first.pop(0)
    stages = entry.plan.stages
    waited = at - entry.place_at
    number = 0
    while number + 1 < len(stages) and stages[number + 1].after <= waited:
        number += 1
    pool = pool_of(state, stages[number].key)
    while number + 1 < len(stages) and stages[number].may_skip and not pool.ready:
        number += 1
        pool = pool_of(state, stages[number].key)
    due = entry.place_at + stages[number + 1].after if number + 1 < len(stages) else None
    return pool, _sooner(due, entry.not_before, at)


def _sooner(due: float | None, not_before: float | None, at: float) -> float | None:
    if not_before is None or not_before <= at:
        return due
    return not_before if due is None else min(due, not_before)


def _offered(state: State, entry: Entry, pool: Pool, at: float) -> bool:
    agent = pool.first_agent(state.chance)
    if agent is None:
        return False
    offer(state, entry, _together(pool, agent), at)
    return True


def _together(pool: Pool, first: Agent) -> list[Agent]:
    """The agents who ring together for a call of this pool."""
    if pool.strategy.draw != "all":
        return [first]
    others = [agent for agent in pool.first_agents(MOST_RUNG_TOGETHER) if agent is not first]
    return [first, *others][:MOST_RUNG_TOGETHER]


def serve(state: State, agent: Agent, at: float) -> None:
    """A free agent takes the first of the calls they may have, or waits for one."""
    if not agent.free:
        return
    best = None
    for pool in agent.pools:
        head = pool.first_call()
        if head is not None and (best is None or head[:3] < best[:3]):
            best = head
    if best is not None and state.settled:
        offer(state, best[4], [agent], at)
    else:
        enlist(agent)


def serve_all(state: State, at: float) -> None:
    """Nothing was offered for a while, or the pools are new: whoever is free takes a call, longest idle first."""
    for agent in sorted(state.agents.values(), key=lambda agent: (agent.idle_since, agent.profile.agent_id)):
        if agent.free:
            serve(state, agent, at)


def replace(state: State, ended: Offer, at: float) -> None:
    """After an offer came to nothing: the call to its place unless others ring for it, the agent to the next call."""
    entry = state.entries.get(ended.entry_id)
    if entry is not None and not entry.offers:
        place(state, entry, at)
    agent = state.agents.get(ended.agent_id)
    if agent is not None:
        serve(state, agent, at)


def move_on(state: State, entry: Entry, at: float) -> None:
    """The entry may belong to another pool by now; its place is the same there."""
    if entry.offers:
        return
    pool, due = where(state, entry, at)
    if pool is not entry.pool or (entry.not_before is not None and entry.not_before <= at):
        if entry.not_before is not None and entry.not_before <= at:
            entry.not_before = None
        place(state, entry, at)
    elif due is not None:
        state.timers.add(due, "stage", entry.entry_id, rank=entry.rank)


def leave_emptied(state: State, at: float) -> None:
    """Calls that wait for agents none of whom is ready any more wait for others, where that is all they were held back
    for."""
    while state.emptied:
        pool = state.emptied.pop()
        if pool.ready == 0:
            for entry in pool.calls():
                if entry.pool is pool and not entry.offers:
                    found, _ = where(state, entry, at)
                    if found is not pool:
                        place(state, entry, at)
