"""Tests of flows made from calls that were: their way as the record of the call has it, without what tells who called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ivr.flow import Flow
from ivr.flow_test import Expected, FlowTest, Outcome
from ivr.node import Node
from ivr.nodes.collect import Collect
from ivr.nodes.menu import BACK_KEY, EXTENSION, KEYS, Menu
from ivr.values import Value
from ivr.visit import LOST

_BY_ITSELF = frozenset({"play", "hours", "sub_flow", "go_to", "return", "set", "milestone", "hang_up"})
"""Node types that do the same again whoever calls."""


@dataclass(frozen=True, slots=True)
class RecordedStep:
    """One step of a past call."""

    flow: str
    version: int
    node: str
    node_type: str
    exit: str
    seconds: float


def masked(number: str) -> str:
    """A number of which only its beginning, the country mostly, is left."""
    return number[:3] + "0" * max(0, len(number) - 3) if number.startswith("+") else "0" * len(number)


def made_from(
    steps: Sequence[RecordedStep],
    flows: Mapping[tuple[str, int], Flow],
    *,
    name: str,
    caller: str,
    called: str,
    at: datetime,
    category: str | None = None,
    end: str | None = None,
) -> FlowTest:
    """The test that a call's steps amount to, the first of which is of the flow to be tested. `flows` are the versions that the
    steps name. The caller's number is masked, what was keyed in (other than choices of menus) is replaced by zeros, and of the
    customer only the `category` is kept; what came of nodes that depend on such is taken from the record."""
    main = steps[0].flow if steps else ""
    keys: list[str] = []
    outcomes: list[Outcome] = []
    visits, taken = Counter[str](), Counter[str]()
    for step in steps:
        told = step.node if step.flow == main else f"{step.flow}.{step.node}"
        visits[told] += 1
        flow = flows.get((step.flow, step.version))
        node = None if flow is None else flow.nodes.get(step.node)
        if step.exit in ("hung_up", LOST, "enters"):
            continue
        if isinstance(node, Menu) and step.exit not in ("error", "extension"):
            keys += _keys(node, step.exit)
        elif step.node_type not in _BY_ITSELF or step.exit == "error":
            variables = {} if node is None or step.exit == "error" else _variables(node)
            taken[told] += 1
            outcomes.append(
                Outcome(
                    node=told,
                    outcome=step.exit,
                    seconds=round(step.seconds, 3),
                    variables=variables,
                    visit=visits[told] if visits[told] != taken[told] else None,
                )
            )
    left = steps[-1].exit == "hung_up" if steps else False
    return FlowTest(
        name=name,
        at=at,
        caller=masked(caller),
        called=called,
        customer=None if category is None else {"id": 0, "name": "", "company": "", "category": category},
        keys=tuple(keys),
        outcomes=tuple(outcomes),
        hangs_up_in_step=len(steps) if left else None,
        expect=Expected(
            path=tuple(step.node if step.flow == main else f"{step.flow}.{step.node}" for step in steps),
            end=end,
            hung_up_by="caller" if left else None,
        ),
    )


def _variables(node: Node) -> dict[str, Value]:
    """Something in place of what the node has set, for no record has it."""
    if isinstance(node, Collect):
        return {node.variable: "0" * node.least}
    if isinstance(node, Menu):
        return {EXTENSION: "0" * node.direct_dial}
    return dict.fromkeys(node.sets(), "0")


def _keys(menu: Menu, way: str) -> list[str]:
    """What was pressed at each of the menu's questions so that it was left this way."""
    if way == "no_input":
        return [""] * menu.no_input.times
    if way == "no_match":
        chosen = set(menu.choices()) | ({BACK_KEY} if menu.back else set())
        wrong = next((key for key in "0123456789" if not any(choice.startswith(key) for choice in chosen)), "#")
        return [wrong] * menu.no_match.times
    if way == "back":
        return [BACK_KEY]
    longest = max(menu.direct_dial, *map(len, menu.choices()))
    return [way if len(way) == longest or "#" in way else f"{way}#"] if KEYS.fullmatch(way) else []
