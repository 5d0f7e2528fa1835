"""Why this agent: a decision's reasons, kept with the offer in plain words and in figures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from engine.routing.pools import Pool, lacking
from engine.routing.state import Agent, Entry

MOST_NAMED: Final = 20
"""How many candidates and how many left out are named one by one; of the rest the count is kept."""


def why(entry: Entry, chosen: Agent, agents: Mapping[int, Agent], pool: Pool, at: float) -> dict[str, Any]:
    """The reasons for offering `entry` to `chosen` at the instant `at`, told before the offer changes anybody's state.

    Keys: in_words, strategy, needs (skill -> least level), waited_seconds, chosen and candidates ({agent_id, name,
    idle_seconds}, longest idle first), left_out ({agent_id, name, reason}), candidates_count, left_out_count."""
    able = [agents[agent_id] for agent_id in pool.agents if agent_id in agents]
    free = [agent for agent in able if agent.free]
    nearest = sorted(free, key=lambda agent: agent.idle_since)[:MOST_NAMED] if len(free) > 1 else free
    left_out: list[dict[str, Any]] = []
    left_out_count = len(agents) - len(free)
    if left_out_count:
        for agent in agents.values():
            if len(left_out) >= MOST_NAMED:
                break
            reason = _reason(agent, entry, at)
            if reason is not None:
                left_out.append({"agent_id": agent.profile.agent_id, "name": agent.profile.name, "reason": reason})
    return {
        "strategy": "longest_idle",
        "in_words": _in_words(chosen, len(free), entry, at),
        "needs": dict(entry.needs),
        "waited_seconds": round(at - entry.entered_at, 3),
        "chosen": _candidate(chosen, at),
        "candidates": [_candidate(agent, at) for agent in nearest],
        "candidates_count": len(free),
        "left_out": left_out,
        "left_out_count": left_out_count,
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
