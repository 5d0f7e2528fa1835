"""What has changed from one version of a flow to another, node by node and field by field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ivr.flow import Flow


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. `node` is the node's name, empty for the flow itself; `field` the way to what changed, such as
    `exits.1` or `no_input.times`, empty where the whole node came, went or was renamed (`before` is then its old name).
    `before` and `after` are as in the document, None where it was or is not there."""

    what: Literal["added", "removed", "renamed", "changed"]
    node: str
    field: str = ""
    before: Any = None
    after: Any = None


def difference(before: Flow, after: Flow) -> list[Change]:
    """Every change, the flow's own first, then by node in the order of `after`, those removed last. Where nodes stand on the
    canvas is no change of the flow."""
    return document_changes(before.document(), after.document())


def document_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """The same of documents, which may be half-made."""
    old, new = dict(before), dict(after)
    old_nodes, new_nodes = old.pop("nodes"), new.pop("nodes")
    for document in (old, new):
        document.pop("layout", None)
    renamed = _renamed(old_nodes, new_nodes)
    old_nodes = {renamed.get(name, name): _led(node, renamed) for name, node in old_nodes.items()}
    if old.get("start") in renamed:
        old["start"] = renamed[old["start"]]
    names = {new_name: old_name for old_name, new_name in renamed.items()}
    changes = [Change("changed", "", field, *values) for field, values in _fields(old, new)]
    for name, node in new_nodes.items():
        if name not in old_nodes:
            changes.append(Change("added", name, after=node))
            continue
        if name in names:
            changes.append(Change("renamed", name, before=names[name], after=name))
        changes += [Change("changed", name, field, *values) for field, values in _fields(old_nodes[name], node)]
    gone = (name for name in old_nodes if name not in new_nodes)
    return [*changes, *(Change("removed", name, before=old_nodes[name]) for name in gone)]


def _renamed(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, str]:
    """Nodes that bear another name and are otherwise as they were: old name -> new name."""
    gone = [name for name in old if name not in new]
    come = [name for name in new if name not in old]
    found: dict[str, str] = {}
    for name in gone:
        for candidate in come:
            if candidate not in found.values() and _led(old[name], found | {name: candidate}) == new[candidate]:
                found[name] = candidate
                break
    return found


def _led(node: Mapping[str, Any], renamed: Mapping[str, str]) -> dict[str, Any]:
    """The node with its exits leading to the new names."""
    exits = {way: renamed.get(target, target) for way, target in node.get("exits", {}).items()}
    return {**node, "exits": exits} if exits else dict(node)


def _fields(old: Mapping[str, Any], new: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, tuple[Any, Any]]]:
    for name in dict.fromkeys((*old, *new)):
        before, after = old.get(name), new.get(name)
        if isinstance(before, dict) and isinstance(after, dict):
            yield from _fields(before, after, f"{above}{name}.")
        elif before != after:
            yield f"{above}{name}", (before, after)
