"""What a strategy is, and the one place where all of them are found.

A strategy is a pure function of an agent and of what the call needs: its score. The free agent with the least score gets the
call; of equal ones whoever has been idle longest, then the one with the lower id. A score must not change while an agent is
free, for it is taken once, when they become free. An agent's order in the queue goes before any score.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from conf.errors import PointsmanError
from engine.records.strategies import STRATEGIES, StrategyText
from engine.routing.pools import Needs
from engine.routing.state import Agent

Score = Callable[[Agent, Needs], float]
Words = Callable[[Agent, Needs, float], str]
"""Why an agent stood first: the end of "Anna had …", told of the agent, the needs and the instant."""

Draw = Literal["first", "any", "all"]
"""Who of the free agents is offered the call: the first by score, any one with the same chance, or all at once."""


class StrategyBroken(PointsmanError):
    """A strategy that stands twice, or that people cannot read about."""


@dataclass(frozen=True, slots=True)
class Strategy:
    text: StrategyText
    score: Score
    words: Words
    draw: Draw


_registered: dict[str, Strategy] = {}


def strategy(name: str, words: Words, draw: Draw = "first") -> Callable[[Score], Score]:
    """Register a score under a name of engine.records.strategies."""

    def register(score: Score) -> Score:
        if name in _registered:
            raise StrategyBroken(f"the strategy {name} stands twice")
        if name not in STRATEGIES:
            raise StrategyBroken(f"engine.records.strategies does not say what {name} does")
        _registered[name] = Strategy(STRATEGIES[name], score, words, draw)
        return score

    return register


def named(name: str) -> Strategy:
    """The strategy of that name; longest idle for one that is not there (any more)."""
    return _registered.get(name) or _registered["longest_idle"]


def names() -> list[str]:
    return list(_registered)
