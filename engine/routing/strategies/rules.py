"""The strategies, each a score of a few lines. What they promise people stands in engine.records.strategies."""

from __future__ import annotations

from engine.routing.pools import Needs
from engine.routing.state import Agent
from engine.routing.strategies.registry import strategy


def length(seconds: float) -> str:
    """Minutes and seconds, or hours too."""
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _idle(agent: Agent, _: Needs, at: float) -> str:
    return f"been idle longest, {length(at - agent.idle_since)}"


@strategy("longest_idle", _idle)
def longest_idle(agent: Agent, _: Needs) -> float:
    return agent.idle_since


@strategy("fewest_calls", lambda agent, _, __: f"taken the fewest calls today, {agent.calls}")
def fewest_calls(agent: Agent, _: Needs) -> float:
    return agent.calls


@strategy("least_talk", lambda agent, _, __: f"talked least today, {length(agent.talk_seconds)}")
def least_talk(agent: Agent, _: Needs) -> float:
    return agent.talk_seconds


@strategy(
    "round_robin",
    lambda agent, _, at: (
        f"been asked longest ago, {length(at - agent.offered_at)}" if agent.offered_at else "not been asked yet"
    ),
)
def round_robin(agent: Agent, _: Needs) -> float:
    return agent.offered_at


@strategy("top_down", lambda *_: "the first place in the queue's order")
def top_down(_: Agent, __: Needs) -> float:
    return 0.0


@strategy("ring_all", lambda *_: "to be rung with all other free agents", draw="all")
def ring_all(agent: Agent, _: Needs) -> float:
    return agent.idle_since


@strategy("random", lambda *_: "been drawn by lot", draw="any")
def random(_: Agent, __: Needs) -> float:
    return 0.0


@strategy("most_experienced", lambda agent, needs, _: f"the most experience, {_levels(agent, needs)}")
def most_experienced(agent: Agent, needs: Needs) -> float:
    return -_levels(agent, needs)


@strategy("least_skilled", lambda agent, *_: f"the fewest skills, {sum(agent.profile.skills.values())} levels in all")
def least_skilled(agent: Agent, _: Needs) -> float:
    return sum(agent.profile.skills.values())


@strategy("cheapest", lambda agent, *_: f"the lowest cost, {agent.profile.settings.cost_per_minute:g} a minute")
def cheapest(agent: Agent, _: Needs) -> float:
    return agent.profile.settings.cost_per_minute


def _levels(agent: Agent, needs: Needs) -> int:
    """The agent's levels in what the call needs; all their levels where it needs nothing."""
    skills = agent.profile.skills
    return sum(skills.get(skill, 0) for skill, _, _ in needs) if needs else sum(skills.values())
