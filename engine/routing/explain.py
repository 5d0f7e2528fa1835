"""Why this agent: a decision's reasons, kept with the offer in plain words and in figures."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any, Final

from engine.routing.pools import Pool, lacking, said
from engine.routing.state import Agent, Entry, State
from engine.routing.strategies.rules import length

MOST_NAMED: Final = 10
"""How many candidates and how many left out are named one by one; of the rest the count is kept."""

MOST_LOOKED_AT: Final = 50


def why(state: State, entry: Entry, chosen: Agent, at: float) -> dict[str, Any]:
    """The reasons for offering `entry` to `chosen` at the instant `at`, told before the offer changes anybody's state.

    Keys: in_words, strategy, needs (skill -> least level), waited_seconds, chosen and candidates ({agent_id, name,
    idle_seconds, score}, the first first), left_out ({agent_id, name, reason}), candidates_count, left_out_count, stage (how
    the needs have been relaxed, in words; empty: not yet), call (the terms of the call's own place: waited_seconds,
    priority, vip_boost, head_start_seconds, kept_place), and where agents are chosen by cost `cost` (see `_cost`). Of many
    agents some are named and all are counted."""
    pool = entry.pool
    assert pool is not None, "an entry is offered out of its pool"
    candidates = pool.first_agents(MOST_NAMED) or [chosen]
    if chosen not in candidates:
        candidates = [chosen, *candidates]
    free = max(pool.free, len(candidates))
    stage = stage_words(entry, pool)
    reasons = {
        "strategy": pool.strategy.text.name,
        "in_words": in_words(pool, chosen, free, stage, at),
        "needs": {skill: least for skill, least, _ in pool.key.needs},
        "waited_seconds": round(at - entry.entered_at, 3),
        "chosen": candidate(chosen, pool, at),
        "candidates": [candidate(agent, pool, at) for agent in candidates[:MOST_NAMED]],
        "candidates_count": free,
        "left_out": left_out(state, pool, at),
        "left_out_count": len(state.agents) - free,
        "stage": stage,
        "call": terms(entry, at),
    }
    if pool.strategy.text.name == "cheapest":
        reasons["cost"] = _cost(state, entry, chosen, at)
    return reasons


def of_another(reasons: Mapping[str, Any], agent: Agent, at: float) -> dict[str, Any]:
    """The same reasons for one more agent who rings for the same call."""
    mine = {
        "agent_id": agent.profile.agent_id,
        "name": agent.profile.name,
        "idle_seconds": round(at - agent.idle_since, 3),
    }
    return {**reasons, "chosen": mine}


def candidate(agent: Agent, pool: Pool, at: float) -> dict[str, Any]:
    return {
        "agent_id": agent.profile.agent_id,
        "name": agent.profile.name,
        "idle_seconds": round(at - agent.idle_since, 3),
        "score": round(pool.strategy.score(agent, pool.key.needs), 3),
    }


def terms(entry: Entry, at: float) -> dict[str, Any]:
    """Why this call: what its place in the row is made of."""
    return {
        "waited_seconds": round(at - entry.place_at, 3),
        "priority": entry.priority,
        "vip_boost": entry.boost,
        "head_start_seconds": 60.0 * (entry.priority + entry.boost),
        "kept_place": entry.was_here,
    }


def left_out(state: State, pool: Pool, at: float) -> list[dict[str, Any]]:
    """Some of those who could not have the call, each with the reason: first those who belong to the pool, for why not them is
    what people ask."""
    agents = state.agents
    found: list[dict[str, Any]] = []
    if pool.free < len(pool.agents):
        for agent_id in islice(pool.agents, MOST_LOOKED_AT):
            agent = agents.get(agent_id)
            if agent is not None and not agent.free:
                found.append(_named(agent, reason(state, pool, agent, at)))
                if len(found) == MOST_NAMED:
                    return found
    if pool.outsiders is None:
        # Who does not belong to the pool, and why, is the same till another roster is published.
        others = (agent for agent_id, agent in islice(agents.items(), MOST_LOOKED_AT) if agent_id not in pool.agents)
        pool.outsiders = [_named(agent, reason(state, pool, agent, at)) for agent in islice(others, MOST_NAMED)]
    return [*found, *pool.outsiders[: MOST_NAMED - len(found)]]


def _named(agent: Agent, words: str) -> dict[str, Any]:
    return {"agent_id": agent.profile.agent_id, "name": agent.profile.name, "reason": words}


def reason(state: State, pool: Pool, agent: Agent, at: float) -> str:
    """Why this agent could not have a call of this pool."""
    agent_id = agent.profile.agent_id
    if agent_id not in pool.agents:
        return _outside(state, pool, agent)
    if agent.presence == "offline":
        return "is not logged in"
    if agent.work == "talking":
        return f"is in a talk since {length(at - agent.since)}"
    if agent.work == "offered":
        return "is being offered another call"
    if agent.work == "wrap_up":
        return "is still writing up the last call"
    if agent.presence == "pause":
        return f"is paused ({agent.reason})" if agent.reason else "is paused"
    if agent.rest_until is not None:
        return f"rests after an offer that came to nothing, for {length(agent.rest_until - at)} yet"
    return "was free"


def _outside(state: State, pool: Pool, agent: Agent) -> str:
    key, agent_id = pool.key, agent.profile.agent_id
    if key.only:
        return "has to leave it to those who are asked first"
    missing = lacking(agent.profile.skills, key.needs)
    if missing:
        return f"lacks {said(missing).replace(' or above', '').replace(' and ', ', ')}"
    members = state.book.members(state.rule(key.queue))
    if members is not None:
        if agent_id not in members:
            return "does not serve this queue"
        if members[agent_id][1] > key.delay:
            return f"is asked only after {members[agent_id][1]} s"
    if agent.profile.settings.cost_per_minute > key.cost:
        return "costs more than those who are asked first"
    return "does not serve this queue"


def stage_words(entry: Entry, pool: Pool) -> str:
    """How far the call's needs have been relaxed, in words."""
    if pool.key.only:
        first = next((first for first in entry.first if first.agents == pool.key.only), None)
        return "" if first is None else first.why
    words = []
    for stage in entry.plan.stages:
        if stage.why:
            words.append(f"after {stage.after:g} s {stage.why}")
        if stage.key == pool.key:
            break
    else:
        return ""
    return ", ".join(words)


def in_words(pool: Pool, chosen: Agent, free: int, stage: str, at: float) -> str:
    name, key = chosen.profile.name, pool.key
    if key.only:
        return f"{name} was asked first: {stage}."
    who = f" with {said(key.needs)}" if key.needs else ""
    further = f" {stage[0].upper()}{stage[1:]}." if stage else ""
    if pool.strategy.draw == "all" and free > 1:
        return f"All {free} free agents{who} ring at once, {name} among them.{further}"
    if free == 1:
        return f"{name} was the only free agent{who}.{further}"
    words = pool.strategy.words(chosen, key.needs, at)
    return f"{name} had {words}, of {free} free agents{who}.{further}"


def _cost(state: State, entry: Entry, chosen: Agent, at: float) -> dict[str, Any]:
    """What choosing by cost does: the chosen agent's cost a minute, that of whom longest idle would have chosen now
    (`instead_…`), and for how long the caller has waited while that one was free."""
    widest = state.pools.get(entry.plan.widest)
    free = [chosen] if widest is None else [chosen, *widest.first_agents(MOST_LOOKED_AT)]
    instead = min(free, key=lambda agent: (agent.idle_since, agent.profile.agent_id))
    lost = 0.0 if instead is chosen else max(0.0, at - max(entry.entered_at, instead.free_since))
    return {
        "chosen_per_minute": chosen.profile.settings.cost_per_minute,
        "instead_per_minute": instead.profile.settings.cost_per_minute,
        "instead": instead.profile.name,
        "lost_seconds": round(lost, 3),
    }
