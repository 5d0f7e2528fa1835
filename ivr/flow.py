"""A flow: named nodes, one of which is the first. Parsed once, immutable, shared by all calls that are in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, ValidationError
from pydantic_core import CoreSchema, core_schema

import ivr.nodes  # noqa: F401  # declares the node types
from dialplan import documents
from dialplan.errors import DocumentInvalid
from ivr.errors import FlowInvalid
from ivr.node import ERROR, Node, NodeName, node_types

MOST_NODES = 5000


class _OneOfTheTypes:
    """Reads a node by its `type`, whatever types are declared."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        choices = {name: handler.generate_schema(node_class) for name, node_class in node_types().items()}
        return core_schema.tagged_union_schema(choices, discriminator="type")


AnyNode = Annotated[Node, _OneOfTheTypes()]


class Flow(BaseModel):
    """What the callers of a number go through. That its exits lead anywhere is not asked here but by `ivr.check`, so that
    half-made flows can be kept."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,59}$")
    title: str = Field(default="", max_length=200)
    language: str = Field(default="en", pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")
    start: str
    nodes: dict[NodeName, AnyNode] = Field(min_length=1, max_length=MOST_NODES)
    layout: dict[NodeName, tuple[int, int]] = Field(default_factory=dict)
    """Where nodes stand on the canvas, across and down. It changes nothing of what callers hear."""

    @classmethod
    def parse(cls, document: object) -> Flow:
        """The flow that a document's content (of YAML or JSON) describes. FlowInvalid lists every fault and its place."""
        try:
            return cls.model_validate(document)
        except ValidationError as error:
            raise FlowInvalid("; ".join(_fault(each) for each in error.errors())) from error

    @classmethod
    def from_yaml(cls, text: str) -> Flow:
        """The flow that a YAML document describes. FlowInvalid as for `parse`, and for what is no YAML."""
        try:
            return cls.parse(documents.read(text))
        except DocumentInvalid as error:
            raise FlowInvalid(str(error)) from error

    def document(self) -> dict[str, Any]:
        """Plain content that `parse` makes the same flow of; what is as by default is left out."""
        return self.model_dump(mode="json", exclude_defaults=True)

    def to_yaml(self) -> str:
        """The YAML document that `from_yaml` makes the same flow of."""
        return documents.write(self.document())


@dataclass(frozen=True)
class PublishedFlow:
    """One version of a flow, made ready to run. `ways` has for each node its exits that can be gone by, each with the node
    that follows, or None where the flow ends there as it should. FlowInvalid where the first node does not exist."""

    version: int
    flow: Flow
    ways: Mapping[str, Mapping[str, str | None]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.flow.start not in self.flow.nodes:
            raise FlowInvalid(f"flow {self.flow.name!r} starts at {self.flow.start!r}, which does not exist")
        ways = {name: MappingProxyType(_ways(self.flow, node)) for name, node in self.flow.nodes.items()}
        object.__setattr__(self, "ways", MappingProxyType(ways))

    @property
    def name(self) -> str:
        return self.flow.name


def _ways(flow: Flow, node: Node) -> dict[str, str | None]:
    ways: dict[str, str | None] = {}
    for way in node.every_way():
        target = node.target(way)
        if target in flow.nodes:
            ways[way.name] = target
        elif target is None and way.ends and way.name != ERROR:
            ways[way.name] = None
    return ways


def _fault(error: Any) -> str:
    place = ".".join(str(part) for part in error["loc"]) or "the document"
    given = f" (it is {error['input']!r:.60})" if isinstance(error["input"], str | int | float) else ""
    return f"{place}: {error['msg']}{given}"
