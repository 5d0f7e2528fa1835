"""What the editor's forms are made from: for each node type its words, its fields with their widgets, and its exits.

All of it is read from the types themselves, so a new type has its form by being declared. A widget is how a value is put in:
`text`, `number`, `switch`, `choice`, `json`; `template` (a text that may hold variables in braces), `long_template` (one of
several lines), `value` (a template, a number, or yes and no), `values` (one of these, or several), `variable` (a name for one);
`prompts` (names of prompts and things that are said in words of their own, see `say_forms`); the name of something that is set
up elsewhere: `queue`, `calendar`, `flow`, `extension`, `box`, `skill`, `language`, `zone`; and, of these again, a `group`, a
`list` or a `map`.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from pydantic import BaseModel, ValidationError

import ivr.nodes  # noqa: F401  # declares the node types
from ivr.node import Exit, Group, MoreExits, Node, node_types
from ivr.says import say_types
from ivr.shown import CHOICES, WHEN, WIDGET

GROUPS: Final[Mapping[Group, str]] = {
    "speak": "Say something",
    "ask": "Ask the caller",
    "decide": "Decide",
    "connect": "Put through",
    "look_up": "Look up",
    "note": "Note down",
    "flow": "Go on or end",
}
"""What the groups of node types are called, in the order in which they are shown."""

EXITS: Final[Mapping[str, str]] = {
    "next": "Next", "error": "If it fails", "no_input": "No key pressed", "no_match": "Wrong key", "back": "Star: back",
    "extension": "An extension keyed in", "collected": "Keyed in", "chosen": "Chosen", "open": "Open", "closed": "Closed",
    "lunch": "Lunch", "holiday": "Holiday", "emergency": "Closed by hand", "met": "It holds",
    "not_met": "It does not hold", "known": "Known",
    "unknown": "Unknown", "vip": "Important customer", "problem": "Problem customer", "blocked": "Blocked",
    "open_ticket": "Ticket open", "open_order": "Order open", "debt": "In debt", "done": "Done", "failed": "Failed",
    "free": "Somebody is free", "waiting": "Some are waiting", "long": "A long wait", "unstaffed": "Nobody there",
    "answered": "Answered, and talked", "timeout": "Waited too long", "no_agent": "Nobody there", "full": "Queue full",
    "exit_key": "Key pressed while waiting", "callback": "Going to be called back", "otherwise": "In all other cases",
    "taken": "Wants a call", "declined": "Wants none", "busy": "Busy", "no_answer": "No answer",
    "rejected": "Declined", "unreachable": "Not reachable", "forbidden": "Not allowed", "left": "Message left",
    "nothing": "Nothing said", "recorded": "Recorded", "created": "Opened", "not_found": "Not found", "returned": "Back again",
    "unsayable": "Cannot be said",
}  # fmt: skip
"""What exits are called, where a type has no words of its own for them."""

Widget = str
_SIMPLE: Final[Mapping[str, Widget]] = {
    "boolean": "switch",
    "integer": "number",
    "number": "number",
    "string": "text",
    "array": "list",
}
_LIMITS: Final = (
    ("minimum", "least"),
    ("maximum", "most"),
    ("minLength", "shortest"),
    ("maxLength", "longest"),
    ("minItems", "least_items"),
    ("maxItems", "most_items"),
    ("minProperties", "least_items"),
    ("maxProperties", "most_items"),
    ("pattern", "pattern"),
    ("unit", "unit"),
)
_NOT_SHOWN: Final = frozenset({"title", "exits"})

Field = dict[str, Any]
"""One field: `name`, `title`, `help`, `widget`, `required`, `default`, `advanced`, and what applies: `unit`, `least`, `most`,
`shortest`, `longest`, `least_items`, `most_items`, `pattern`, `choices` ([{value, title}]), `optional` (may be absent: None),
`when` ({field: values}: shown only then), and of what it is made: `fields` of a group, `item` of a list, `key` and `value` of a
map."""


@dataclass(frozen=True, slots=True)
class ExitForm:
    """One exit of a node. With `must` it has to lead somewhere; without a target of its own it goes where `falls_to` does, or
    the flow ends there (`ends`), or it leads back to where the call came from (`returns`)."""

    name: str
    title: str
    must: bool
    falls_to: str | None = None
    ends: bool = False
    returns: bool = False


@dataclass(frozen=True, slots=True)
class NodeForm:
    """One node type as the editor offers it. `exits` are those of a new node; where `exits_depend`, a change of its fields may
    change them (see `exits_of`). `more_exits` are those that people add themselves."""

    type: str
    title: str
    help: str
    group: Group
    icon: str
    fields: Sequence[Field]
    exits: Sequence[ExitForm]
    more_exits: MoreExits | None
    exits_depend: bool


@dataclass(frozen=True, slots=True)
class SayForm:
    """One kind of thing that may stand in a list of prompts beside prompts' names, as {"say": …} with its fields."""

    say: str
    title: str
    fields: Sequence[Field]


@cache
def node_forms() -> Mapping[str, NodeForm]:
    """The forms of all node types, group by group."""
    types = node_types()
    ordered = sorted(types, key=lambda name: list(GROUPS).index(types[name].form.group))
    return {name: _form(name, types[name]) for name in ordered}


@cache
def say_forms() -> Mapping[str, SayForm]:
    """The forms of what may stand in a list of prompts, by what stands in `say`."""
    return {name: SayForm(name, found.label, fields_of(found)) for name, found in say_types().items()}


def exits_of(document: Mapping[str, Any]) -> list[ExitForm]:
    """The exits that this node has, half-made as it may be: what cannot be read is taken to be as by default."""
    node = _node(document)
    return [] if node is None else [_exit(way) for way in node.every_way()]


def new_node(name: str) -> dict[str, Any]:
    """The document of a new node of a type, with what the type begins with; other required fields stand there empty, and
    all else is as by default."""
    return _new(name, node_forms()[name].fields) | copy.deepcopy(dict(node_types()[name].starter))


def fields_of(model: type[BaseModel]) -> list[Field]:
    """The fields of a node type, or of anything that is made as one."""
    schema = model.model_json_schema()
    return _fields(schema, schema.get("$defs", {}))


def _new(name: str, fields: Sequence[Field]) -> dict[str, Any]:
    return {"type": name} | {field["name"]: _empty(field) for field in fields if field["required"]}


def _form(name: str, node_class: type[Node]) -> NodeForm:
    form, fields = node_class.form, fields_of(node_class)
    return NodeForm(
        type=name,
        title=form.title,
        help=form.help,
        group=form.group,
        icon=form.icon,
        fields=fields,
        exits=exits_of(_new(name, fields)),
        more_exits=node_class.more_exits,
        exits_depend=node_class.ways is not Node.ways,
    )


def _exit(way: Exit) -> ExitForm:
    falls_to = way.falls_to
    must = not way.ends and not way.returns and falls_to is None
    return ExitForm(way.name, way.title or EXITS.get(way.name, way.name), must, falls_to, way.ends, way.returns)


def _node(document: Mapping[str, Any]) -> Node | None:
    """The node that a document describes, without those of its fields that are faulty."""
    node_class = node_types().get(str(document.get("type")))
    if node_class is None:
        return None
    try:
        return node_class.model_validate(document)
    except ValidationError as error:
        faulty = {str(fault["loc"][0]) for fault in error.errors() if fault["loc"]}
    sound = {name: value for name, value in document.items() if name not in faulty and name in node_class.model_fields}
    exits = {str(name): str(target) for name, target in dict(sound.pop("exits", None) or {}).items()}
    return node_class.model_construct(**{**_unset(node_class), **sound, "exits": exits})


def _unset(node_class: type[Node]) -> dict[str, Any]:
    """Something in the place of required fields, enough for `ways`."""
    return {
        field["name"]: {} if field["widget"] == "map" else () if field["widget"] in ("list", "prompts") else ""
        for field in fields_of(node_class)
        if field["required"]
    }


def _fields(schema: Mapping[str, Any], parts: Mapping[str, Any]) -> list[Field]:
    required = schema.get("required", ())
    return [
        {"name": name, **_field(found, parts), "required": name in required}
        for name, found in schema.get("properties", {}).items()
        if name not in _NOT_SHOWN and "const" not in found
    ]


def _field(given: Mapping[str, Any], parts: Mapping[str, Any]) -> Field:
    found, optional = _resolved(given, parts)
    field: Field = {
        "title": given.get("title", found.get("title", "")),
        "help": given.get("description", ""),
        "widget": found.get(WIDGET) or _widget(found),
        "default": given.get("default"),
        "advanced": bool(given.get("x-advanced")),
    }
    field |= {name: found[source] for source, name in _LIMITS if source in found}
    field |= {name: given[source] for source, name in (("unit", "unit"), (WHEN, "when")) if source in given}
    if optional:
        field["optional"] = True
    elif field["default"] is None and field["widget"] in ("map", "list", "prompts", "group"):
        field["default"] = {} if field["widget"] in ("map", "group") else []
    words = given.get(CHOICES, {})
    if "enum" in found:
        field["choices"] = [{"value": value, "title": words.get(value, str(value))} for value in found["enum"]]
    if field["widget"] == "group":
        field["fields"] = _fields(found, parts)
    elif field["widget"] == "list":
        field["item"] = _field(found.get("items", {}), parts)
    elif field["widget"] == "map":
        field["key"] = _field(found.get("propertyNames", {"type": "string"}), parts)
        field["value"] = _field(found.get("additionalProperties", {}), parts)
    return field


def _resolved(given: Mapping[str, Any], parts: Mapping[str, Any]) -> tuple[Mapping[str, Any], bool]:
    """A schema without references, and whether None is as good."""
    found: Mapping[str, Any] = given
    if "$ref" in found:
        found = {**parts[found["$ref"].rpartition("/")[2]], **{k: v for k, v in found.items() if k != "$ref"}}
    either = [each for each in found.get("anyOf", ()) if each.get("type") != "null"]
    optional = len(either) < len(found.get("anyOf", ()))
    if WIDGET not in found and len(either) == 1:
        inner, _ = _resolved(either[0], parts)
        rest = {name: value for name, value in found.items() if name != "anyOf"}
        found = {**inner, **rest}
    return found, optional


def _widget(found: Mapping[str, Any]) -> Widget:
    if "enum" in found:
        return "choice"
    if found.get("type") == "object":
        return "group" if "properties" in found else "map"
    return _SIMPLE.get(str(found.get("type")), "text")


def _empty(field: Field) -> Any:
    if field["widget"] == "choice":
        return field["choices"][0]["value"]
    if field["widget"] in ("list", "prompts"):
        return []
    return {"map": {}, "group": {}, "number": field.get("least", 0), "switch": False}.get(field["widget"], "")
