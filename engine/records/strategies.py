"""The ways in which a queue can choose among the agents who may have a call: names, titles, and a sentence on each.

What each of them does stands in engine.routing.strategies, under the same name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class StrategyText:
    """What people read of a strategy: `sentence` says all of it."""

    name: str
    title: str
    sentence: str


_ALL: Final = (
    StrategyText(
        "longest_idle",
        "Longest idle",
        "The agent whose last call ended longest ago gets the call; a pause gains nothing.",
    ),
    StrategyText(
        "fewest_calls", "Fewest calls", "The agent who has taken the fewest calls of queues today gets the call."
    ),
    StrategyText(
        "least_talk",
        "Least talk time",
        "The agent who has talked the least today, over all calls of queues, gets the call.",
    ),
    StrategyText(
        "round_robin", "Round robin", "Agents are asked in turn: whoever was asked longest ago gets the call."
    ),
    StrategyText(
        "top_down", "Top down", "The first free agent of the queue's own order gets the call, every time from the top."
    ),
    StrategyText("ring_all", "Ring all", "All free agents ring at once, and the first to answer has the call."),
    StrategyText("random", "Random", "Any free agent gets the call, each with the same chance."),
    StrategyText(
        "most_experienced",
        "Most experienced first",
        "The free agent with the highest levels in the skills that the call needs gets it.",
    ),
    StrategyText(
        "least_skilled",
        "Least skilled able first",
        "Of those who are able, the agent with the fewest and lowest skills gets the call, so that generalists stay free.",
    ),
    StrategyText(
        "cheapest",
        "Cheapest first, then escalate",
        "Calls go to the agents who cost least a minute; those who cost more are asked only when a call has waited its time.",
    ),
)

STRATEGIES: Final[Mapping[str, StrategyText]] = {strategy.name: strategy for strategy in _ALL}
"""By name, in the order in which they are shown."""

DEFAULT: Final = "longest_idle"
