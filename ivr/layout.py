"""Where the nodes of a flow stand when nobody has placed them: in layers from left to right, each behind those that lead to it,
in an order in which few lines cross.

Layers by the longest way from the start with ways back left out, order by the mean place of the neighbours, places as near to
these as there is room. Linear in the size of the flow but for sorting, without recursion, and the same each time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any, Final

ACROSS: Final = 300
"""From one layer to the next."""
GAP: Final = 28
"""Between two nodes above one another."""
HEAD: Final = 58
ROW: Final = 24
SWEEPS: Final = 6

Place = tuple[int, int]


def arrange(document: Mapping[str, Any], rows: Mapping[str, int] | None = None) -> dict[str, Place]:
    """A place for each node of a flow's document, half-made ones too; the topmost stand at 0 down. `rows` is how many exits
    each node shows, by default those that lead somewhere."""
    nodes: Mapping[str, Any] = document.get("nodes", {})
    leads = {name: _targets(node, nodes) for name, node in nodes.items()}
    if not leads:
        return {}
    layers = _layers(_ranks(leads, document.get("start", "")))
    _order(layers, leads)
    shown = rows or {name: len(node.get("exits", {})) for name, node in nodes.items()}
    heights = {name: HEAD + ROW * max(1, shown.get(name, 1)) for name in nodes}
    return _places(layers, leads, heights)


def _targets(node: Mapping[str, Any], nodes: Mapping[str, Any]) -> list[str]:
    exits = node.get("exits") or {}
    return list(dict.fromkeys(target for target in exits.values() if target in nodes))


def _ranks(leads: Mapping[str, Sequence[str]], start: str) -> dict[str, int]:
    """The layer of each node: one behind the last that leads to it, ways back not counted."""
    onward: dict[str, list[str]] = {}
    order: list[str] = []
    state: dict[str, int] = {}
    led_to = {target for targets in leads.values() for target in targets}
    roots = [name for name in (start, *(name for name in leads if name not in led_to), *leads) if name in leads]
    for root in roots:
        if root in state:
            continue
        state[root] = 1
        stack = [(root, iter(leads[root]))]
        onward[root] = []
        while stack:
            name, rest = stack[-1]
            target = next(rest, None)
            if target is None:
                stack.pop()
                state[name] = 2
                order.append(name)
            elif target not in state:
                state[target] = 1
                onward[name].append(target)
                onward[target] = []
                stack.append((target, iter(leads[target])))
            elif state[target] == 2:
                onward[name].append(target)
    ranks = dict.fromkeys(leads, 0)
    for name in reversed(order):
        for target in onward[name]:
            ranks[target] = max(ranks[target], ranks[name] + 1)
    return ranks


def _layers(ranks: Mapping[str, int]) -> list[list[str]]:
    layers: list[list[str]] = [[] for _ in range(max(ranks.values()) + 1)]
    for name, rank in ranks.items():
        layers[rank].append(name)
    return layers


def _order(layers: list[list[str]], leads: Mapping[str, Sequence[str]]) -> None:
    """Sort each layer by where its neighbours stand, to and fro."""
    comes: dict[str, list[str]] = {name: [] for name in leads}
    for name, targets in leads.items():
        for target in targets:
            comes[target].append(name)
    # At first as the exits have them, from the start on.
    seen: dict[str, int] = {}
    waiting = [name for layer in layers[:1] for name in layer]
    for name in waiting:
        if name not in seen:
            seen[name] = len(seen)
            waiting.extend(target for target in leads[name] if target not in seen)
    for layer in layers:
        layer.sort(key=lambda name: seen.get(name, len(seen)))
    at = {name: position for layer in layers for position, name in enumerate(layer)}
    for sweep in range(SWEEPS):
        neighbours: Mapping[str, Sequence[str]] = leads if sweep % 2 else comes
        for layer in reversed(layers) if sweep % 2 else layers:
            wanted = {
                name: fmean(at[other] for other in neighbours[name]) if neighbours[name] else at[name] for name in layer
            }
            layer.sort(key=wanted.__getitem__)
            at.update((name, position) for position, name in enumerate(layer))


def _places(
    layers: Sequence[Sequence[str]], leads: Mapping[str, Sequence[str]], heights: Mapping[str, int]
) -> dict[str, Place]:
    """Each node beside the mean of those that lead to it, and none above another."""
    comes: dict[str, list[str]] = {name: [] for name in leads}
    for name, targets in leads.items():
        for target in targets:
            comes[target].append(name)
    tops: dict[str, float] = {}
    for layer in layers:
        wanted = {}
        for name in layer:
            before = [tops[other] for other in comes[name] if other in tops]
            wanted[name] = fmean(before) if before else 0.0
        low = float("-inf")
        placed: list[str] = []
        for name in layer:
            tops[name] = max(wanted[name], low)
            low = tops[name] + heights[name] + GAP
            placed.append(name)
        # What was pushed down is taken up again as a whole, so that a layer stands around its middle.
        if placed:
            push = fmean(tops[name] - wanted[name] for name in placed)
            for name in placed:
                tops[name] -= push
    least = min(tops.values())
    return {
        name: (rank * ACROSS, round((tops[name] - least) / 4) * 4)
        for rank, layer in enumerate(layers)
        for name in layer
    }
