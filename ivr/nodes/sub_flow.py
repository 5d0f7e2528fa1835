"""sub_flow: go through another flow and come back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from ivr.node import ERROR, Exit, Form, MoreExits, Node, Reference, node_type
from ivr.values import FlowName
from ivr.visit import Visit

RETURNED = "returned"
_RESULT = re.compile(r"[a-z][a-z0-9_]{0,39}")


@node_type
class SubFlow(Node):
    """Goes through `flow`, as it was published when the call began, with the call's variables, and goes on here when that flow
    ends: by `returned`, or by the result that a `return` node in it names, for which there may be an exit of that name. A flow
    that hangs up does not come back.

    The step itself is left at once, as `enters`; the other flow's steps follow it. Flows may call one another eight deep.
    """

    form: ClassVar[Form] = Form(
        "Go through a flow",
        "Goes through another flow and comes back here.",
        "flow",
        "arrows-split",
    )

    more_exits: ClassVar[MoreExits | None] = MoreExits(
        r"^[a-z][a-z0-9_]{0,39}$", "A result", "What a “back to the calling flow” of that flow names as its result."
    )

    type: Literal["sub_flow"]
    flow: FlowName = Field(title="Flow")

    def ways(self) -> tuple[Exit, ...]:
        results = (name for name in self.exits if _RESULT.fullmatch(name) and name not in (RETURNED, ERROR))
        return (Exit(RETURNED, ends=True), *(Exit(name, falls_to=RETURNED) for name in results))

    def references(self) -> Iterator[Reference]:
        yield Reference("flow", self.flow)

    def run(self, visit: Visit) -> str:
        visit.enters = (self.flow, True)
        return "enters"
