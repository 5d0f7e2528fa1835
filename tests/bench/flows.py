"""Flows: what the check of a large one costs, and what it costs to read it and write it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Final

import msgspec

from ivr.check import Surroundings, check
from ivr.flow import Flow
from sounds.catalogue import Catalogue

NODES: Final = 2_000
CHECK_GOAL: Final = 1000.0
STEP_GOAL: Final = 50.0


class Large(msgspec.Struct, frozen=True):
    """Milliseconds for one flow of `nodes` nodes: reading its document, checking it, and its YAML there and back."""

    nodes: int
    parse: float
    check: float
    yaml: float


def large() -> Large:
    """A flow of menus, questions, conditions and queues, all of which lead on and back."""
    document = {"name": "large", "start": "n0", "nodes": _nodes()}
    began = time.perf_counter()
    flow = Flow.parse(document)
    parsed = time.perf_counter()
    problems = check(flow, Surroundings(Catalogue.of_home(Path("/nonexistent")), {}, {"sales"}, (), {}, {"sales": 1}))
    checked = time.perf_counter()
    if problems or Flow.from_yaml(flow.to_yaml()) != flow:
        raise AssertionError(f"the flow is not as it should be: {problems[:3]}")
    written = time.perf_counter()
    parts = (parsed - began, checked - parsed, written - checked)
    return Large(len(flow.nodes), *(round(seconds * 1000, 2) for seconds in parts))


def _nodes() -> dict[str, Any]:
    nodes: dict[str, Any] = {"bye": {"type": "hang_up", "prompts": ["goodbye"]}}
    for number in range(NODES - 1):
        onward = f"n{number + 1}" if number + 2 < NODES else "bye"
        away = f"n{number * 7 % (NODES - 1)}"
        nodes[f"n{number}"] = (
            {"type": "menu", "prompts": ["menu_main"], "exits": {"1": onward, "2": away, "no_input": "bye"}},
            {
                "type": "collect",
                "variable": "order",
                "prompts": ["enter_number"],
                "exits": {"collected": onward, "no_input": "bye"},
            },
            {
                "type": "condition",
                "all_of": [{"variable": "order", "value": "1"}],
                "exits": {"met": onward, "not_met": "bye"},
            },
            {"type": "queue", "queue": "sales", "exits": {"otherwise": onward}},
        )[number % 4]
    return nodes
