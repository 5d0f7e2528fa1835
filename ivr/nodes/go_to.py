"""go_to: go on in another flow and do not come back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from ivr.node import Form, Node, Reference, node_type
from ivr.values import FlowName
from ivr.visit import Visit


@node_type
class GoTo(Node):
    """Goes on at the beginning of `flow`, as it was published when the call began, with the call's variables. Within a
    sub-flow, that flow's end is the sub-flow's end."""

    form: ClassVar[Form] = Form(
        "Go to a flow",
        "Goes on in another flow and does not come back.",
        "flow",
        "arrow-right",
    )

    type: Literal["go_to"]
    flow: FlowName = Field(title="Flow")

    def references(self) -> Iterator[Reference]:
        yield Reference("flow", self.flow)

    def run(self, visit: Visit) -> str:
        visit.enters = (self.flow, False)
        return "enters"
