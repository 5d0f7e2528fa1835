"""go_to: go on in another flow and do not come back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from ivr.node import Node, Reference, node_type
from ivr.visit import Visit


@node_type
class GoTo(Node):
    """Goes on at the beginning of `flow`, as it was published when the call began, with the call's variables. Within a
    sub-flow, that flow's end is the sub-flow's end."""

    type: Literal["go_to"]
    flow: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,59}$")

    def references(self) -> Iterator[Reference]:
        yield Reference("flow", self.flow)

    def run(self, visit: Visit) -> str:
        visit.enters = (self.flow, False)
        return "enters"
