"""How a queue chooses among the agents who may have a call; see `registry` for what a strategy is."""

from engine.routing.strategies import rules
from engine.routing.strategies.registry import Strategy, named, names

__all__ = ["Strategy", "named", "names", "rules"]
