"""What has changed in a flow, as people say it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ivr import forms
from ivr.difference import Change

_KEYS = re.compile(r"[0-9*#]{1,8}")
_OF_THE_FLOW = {"title": "The title", "language": "The language", "start": "The first node"}
LONGEST = 120


def in_words(change: Change, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """One sentence for a change between two documents."""
    old, new = before.get("nodes", {}), after.get("nodes", {})
    if not change.node:
        what = _OF_THE_FLOW.get(change.field, change.field)
        return f"{what} was {_value(change.before)} and is now {_value(change.after)}."
    here = node_name(change.node, new if change.node in new else old)
    kind = _kind(change.node, new if change.node in new else old)
    match change.what:
        case "added":
            return f"{here} ({kind}) was added."
        case "removed":
            return f"{here} ({kind}) was removed."
        case "renamed":
            return f"{here} was called {change.before} before, and is otherwise as it was."
    if change.field.startswith("exits."):
        return f"{here}: {exit_words(change.field[6:])} {_leads(change.before, change.after, old, new)}."
    title = _field_title(kind_of(change.node, new), change.field)
    if change.before is None:
        return f"{here}: {title} is now {_value(change.after)}."
    if change.after is None:
        return f"{here}: {title} was {_value(change.before)} and is now as usual."
    return f"{here}: {title} was {_value(change.before)} and is now {_value(change.after)}."


def node_name(name: str, nodes: Mapping[str, Any]) -> str:
    """A node by its title, or by its name."""
    node = nodes.get(name, {})
    return f"“{node.get('title') or name}”"


def exit_words(name: str) -> str:
    return f"key {name}" if _KEYS.fullmatch(name) else f"the exit {name.replace('_', ' ')}"


def kind_of(name: str, nodes: Mapping[str, Any]) -> str:
    return str(nodes.get(name, {}).get("type", ""))


def _kind(name: str, nodes: Mapping[str, Any]) -> str:
    kind = kind_of(name, nodes)
    form = forms.node_forms().get(kind)
    return form.title.lower() if form else kind


def _leads(before: Any, after: Any, old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    was = node_name(str(before), old) if before else "nowhere"
    to = node_name(str(after), new) if after else "nowhere"
    return f"leads to {to}, which it did not before" if not before else f"leads to {to}, before it was {was}"


def _field_title(kind: str, path: str) -> str:
    """`no_input.times` -> the titles of the form's fields on the way."""
    form = forms.node_forms().get(kind)
    fields, titles = list(form.fields) if form else [], []
    for part in path.split("."):
        found = next((field for field in fields if field["name"] == part), {})
        titles.append(str(found.get("title") or part.replace("_", " ")))
        fields = list(found.get("fields", ()))
    return " › ".join(titles)


def _value(value: Any) -> str:
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, str):
        told = f"“{value}”" if value else "empty"
    elif isinstance(value, list):
        told = ", ".join(_value(each) for each in value) or "nothing"
    elif isinstance(value, dict):
        told = ", ".join(f"{key}: {_value(each)}" for key, each in value.items()) or "nothing"
    else:
        told = str(value)
    return told if len(told) <= LONGEST else f"{told[: LONGEST - 1]}…"
