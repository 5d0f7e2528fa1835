"""Pools as the state has them: found by their criteria, made when first needed, thrown away when nobody needs them."""

from __future__ import annotations

from engine.routing.pools import Pool, PoolKey
from engine.routing.state import Agent, Entry, State
from engine.routing.strategies import named

MOST_POOLS_KEPT = 5_000
"""Beyond this, pools that only single calls asked for are thrown away when no call waits in them."""


def pool_of(state: State, key: PoolKey) -> Pool:
    """The pool of these criteria."""
    pool = state.pools.get(key)
    return _make(state, key) if pool is None else pool


def _make(state: State, key: PoolKey) -> Pool:
    if len(state.pools) >= MOST_POOLS_KEPT:
        _sweep(state)
    rule = state.rule(key.queue)
    members = state.book.agents(key)
    pool = state.pools[key] = Pool(key, named(rule.strategy), members)
    agents = state.agents
    staffed = ready = free = 0
    for agent_id in members:
        agent = agents.get(agent_id)
        if agent is None:
            continue
        agent.pools.append(pool)
        now = agent.told
        staffed += now[0]
        ready += now[1]
        free += now[2]
        if agent.listed:
            pool.add_agent(agent)
    pool.staffed, pool.ready, pool.free = staffed, ready, free
    return pool


def _sweep(state: State) -> None:
    dead = {
        key for key, pool in state.pools.items() if not pool.lasting and not pool.claims and pool.first_call() is None
    }
    gone = {id(state.pools[key]) for key in dead}
    for agent_id in {agent_id for key in dead for agent_id in state.pools[key].agents}:
        agent = state.agents.get(agent_id)
        if agent is not None:
            agent.pools = [pool for pool in agent.pools if id(pool) not in gone]
    for key in dead:
        del state.pools[key]


def rebuild(state: State) -> None:
    """Make the pools of the published roster anew: all that its queues need by themselves at once, so that no call has to
    wait for it; the entries are yet to be placed."""
    state.pools = {}
    state.emptied = []
    for agent in state.agents.values():
        agent.pools = []
    for rule in state.rules.values():
        plan = state.book.plan(rule, state.book.needs(rule, {}, ()))
        for stage in plan.stages:
            pool_of(state, stage.key).lasting = True


def enlist(agent: Agent) -> None:
    """A free agent for whom there is no call waits for one, in all their pools."""
    if not agent.listed:
        agent.listed = True
        for pool in agent.pools:
            pool.add_agent(agent)


def claim(state: State, entry: Entry) -> Pool:
    """The pool beyond which the entry will never be offered to anybody; it is counted there from now on."""
    pool = pool_of(state, entry.plan.widest)
    pool.claims[entry.entry_id] = None
    return pool
