"""A flow among those it calls and those that call it: where a call may go across them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ivr.flow import Flow
from ivr.node import ERROR, Node
from ivr.nodes.go_to import GoTo
from ivr.nodes.returns import Return
from ivr.nodes.sub_flow import RETURNED, SubFlow


class Place(NamedTuple):
    """A node of a flow."""

    flow: str
    node: str


def targets(flow: Flow, name: str) -> list[str]:
    """The nodes that may follow a node within its flow."""
    node = flow.nodes[name]
    found = (node.target(way) for way in node.every_way())
    return list(dict.fromkeys(target for target in found if target in flow.nodes))


def leading_to_secrets(flows: Mapping[str, Flow]) -> frozenset[str]:
    """The names of the flows that collect secrets themselves, or come to one that does."""
    found = {name for name, flow in flows.items() if any(next(node.secrets(), None) for node in flow.nodes.values())}
    ahead = {name: set(_onward(flow)) for name, flow in flows.items()}
    grown = True
    while grown:
        more = {name for name, follows in ahead.items() if name not in found and follows & found}
        grown = bool(more)
        found |= more
    return frozenset(found)


def _onward(flow: Flow) -> Iterator[str]:
    return (node.flow for node in flow.nodes.values() if isinstance(node, SubFlow | GoTo))


class Neighbours:
    """A flow and the others, None where they are not known. The flow itself stands for whatever is known under its name."""

    def __init__(self, flow: Flow, others: Mapping[str, Flow] | None) -> None:
        self.flow = flow
        self.complete = others is not None
        self._flows = {**(others or {}), flow.name: flow}
        self._results: dict[str, frozenset[str]] = {}

    def told(self, place: Place) -> str:
        """A place as people are told of it."""
        return place.node if place.flow == self.flow.name else f"{place.flow}.{place.node}"

    def calls(self) -> Iterator[tuple[str, str]]:
        """The nodes of the flow that call another one, each with its name."""
        for name, node in self.flow.nodes.items():
            if isinstance(node, SubFlow):
                yield name, node.flow

    def way_back(self, called: str) -> list[str] | None:
        """The flows from `called` on that lead to this flow again; None where none does."""
        ways = {called: [called]}
        waiting = deque([called])
        while waiting:
            name = waiting.popleft()
            if name == self.flow.name:
                return ways[name]
            for follows in self._next(name):
                if follows not in ways:
                    ways[follows] = [*ways[name], follows]
                    waiting.append(follows)
        return None

    def joined(self) -> Iterator[Flow]:
        """The flow, and all others that a call may have come through or may yet come to."""
        callers: dict[str, set[str]] = {}
        for name in self._flows:
            for follows in self._next(name):
                callers.setdefault(follows, set()).add(name)
        names: set[str] = set()
        for step in (self._next, lambda name: callers.get(name, set())):
            found, waiting = {self.flow.name}, [self.flow.name]
            while waiting:
                for name in step(waiting.pop()):
                    if name in self._flows and name not in found:
                        found.add(name)
                        waiting.append(name)
            names |= found
        return (self._flows[name] for name in sorted(names))

    def unpaced(self, place: Place) -> list[Place]:
        """Where a call may go from there without a key being pressed and without truly waiting."""
        flow = self._flows.get(place.flow)
        node = None if flow is None else flow.nodes.get(place.node)
        if flow is None or node is None:
            return []
        found = [Place(place.flow, target) for target in self._within(node) if target in flow.nodes]
        if isinstance(node, SubFlow | GoTo) and node.flow in self._flows:
            found.append(Place(node.flow, self._flows[node.flow].start))
        return list(dict.fromkeys(found))

    def _within(self, node: Node) -> Iterator[str]:
        results = self._returns(node.flow) if isinstance(node, SubFlow) else None
        for way in node.every_way():
            taken = results is None or way.name == ERROR or _takes(node, way.name, results)
            target = node.target(way)
            if taken and not way.paced and target is not None:
                yield target

    def _returns(self, name: str) -> frozenset[str]:
        """The results that a flow may come back with, unpaced. One that is not known comes back with none."""
        if name not in self._results:
            # A flow that is asked of while it is looked at calls itself, which is told of elsewhere.
            self._results[name] = frozenset()
            flow = self._flows.get(name)
            if flow is not None:
                self._results[name] = frozenset(self._find_results(flow))
        return self._results[name]

    def _find_results(self, flow: Flow) -> Iterator[str]:
        reached, waiting = {flow.start}, [flow.start]
        while waiting:
            node = flow.nodes.get(waiting.pop())
            if node is None:
                continue
            if isinstance(node, GoTo):
                yield from self._returns(node.flow)
            elif isinstance(node, Return):
                yield node.result
            elif node.type != "hang_up" and self._may_end(node):
                yield RETURNED
            for target in self._within(node):
                if target not in reached:
                    reached.add(target)
                    waiting.append(target)

    def _may_end(self, node: Node) -> bool:
        results = self._returns(node.flow) if isinstance(node, SubFlow) else None
        return any(
            way.ends and not way.paced and way.name != ERROR and node.target(way) is None
            for way in node.every_way()
            if results is None or _takes(node, way.name, results)
        )

    def _next(self, name: str) -> list[str]:
        flow = self._flows.get(name)
        if flow is None:
            return []
        return list(dict.fromkeys(_onward(flow)))


def _takes(node: Node, exit_name: str, results: frozenset[str]) -> bool:
    """Whether one of the results leads out by this exit."""
    if exit_name == RETURNED:
        return any(result == RETURNED or result not in node.exits for result in results)
    return exit_name in results
