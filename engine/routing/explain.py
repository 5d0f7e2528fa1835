"""Why this agent: a decision's reasons, kept with the offer in plain words and in figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain, islice
from typing import Any, Final

from engine.routing.pools import Pool, lacking
from engine.routing.state import Agent, Entry

MOST_NAMED: Final = 10
"""How many candidates and how many left out are named one by one; of the rest the count is kept."""

MOST_LOOKED_AT: Final = 50


def why(
    entry: Entry, chosen: Agent, agents: Mapping[int, Agent], pool: Pool, nearest: Sequence[int], at: float
) -> dict[str, Any]:
    """The reasons for offering `entry` to `chosen` at the instant `at`, told before the offer changes anybody's state.
    `nearest` are free agents of the pool, the one idle longest first.

    Keys: in_words, strategy, needs (skill -> least level), waited_seconds, chosen and candidates ({agent_id, name,
    idle_seconds}, longest idle first), left_out ({agent_id, name, reason}), candidates_count, left_out_count. Of many
    agents some are named and all are counted."""
    candidates = [chosen, *(agents[agent_id] for agent_id in nearest if agent_id != chosen.profile.agent_id)]
    candidates.sort(key=lambda agent: agent.idle_since)
    free = max(pool.free, len(candidates))
    left_out: list[dict[str, Any]] = []
    if len(agents) > free:
        # Those with the skills come first: why not them is what people ask.
        able = (agents[agent_id] for agent_id in islice(pool.agents, MOST_LOOKED_AT) if agent_id in agents)
        others = (agent for agent in islice(agents.values(), MOST_LOOKED_AT) if pool not in agent.pools)
        for agent in chain(able, others):
            reason = _reason(agent, entry, at)
            if reason is not None:
                left_out.append({"agent_id": agent.profile.agent_id, "name": agent.profile.name, "reason": reason})
                if len(left_out) == MOST_NAMED:
                    break
    return {
        "strategy": "longest_idle",
        "in_words": _in_words(chosen, free, entry, at),
        "needs": dict(entry.needs),
        "waited_seconds": round(at - entry.entered_at, 3),
        "chosen": _candidate(chosen, at),
        "candidates": [_candidate(agent, at) for agent in candidates[:MOST_NAMED]],
        "candidates_count": free,
        "left_out": left_out,
        "left_out_count": len(agents) - free,
    }


def _candidate(agent: Agent, at: float) -> dict[str, Any]:
    return {
        "agent_id": agent.profile.agent_id,
        "name": agent.profile.name,
        "idle_seconds": round(at - agent.idle_since, 3),
    }


def _reason(agent: Agent, entry: Entry, at: float) -> str | None:
    """Why this agent could not have the call; None for one who could."""
    missing = lacking(agent.profile.skills, entry.needs)
    if missing:
        needs = ", ".join(f"{skill} at level {level}" for skill, level in missing)
        return f"lacks {needs}"
    if agent.presence == "offline":
        return "is not logged in"
    if agent.work == "talking":
        return f"is in a talk since {_length(at - agent.since)}"
    if agent.work == "offered":
        return "is being offered another call"
    if agent.work == "wrap_up":
        return "is still writing up the last call"
    if agent.presence == "pause":
        return f"is paused ({agent.reason})" if agent.reason else "is paused"
    return None


def _in_words(chosen: Agent, free: int, entry: Entry, at: float) -> str:
    needs = " and ".join(f"{skill} at level {level} or above" for skill, level in entry.needs)
    who = f" with {needs}" if needs else ""
    if free == 1:
        return f"{chosen.profile.name} was the only free agent{who}."
    return (
        f"{chosen.profile.name} had been idle longest, {_length(at - chosen.idle_since)}, of {free} free agents{who}."
    )


def _length(seconds: float) -> str:
    minutes, rest = divmod(max(0, round(seconds)), 60)
    return f"{minutes}:{rest:02d}"
