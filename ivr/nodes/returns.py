"""return: end a sub-flow with a result."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, field_validator

from ivr.node import ERROR, Exit, Form, Node, node_type
from ivr.nodes.sub_flow import RETURNED
from ivr.visit import Visit


@node_type
class Return(Node):
    """Ends the flow; the node that called it goes on by the exit that is called as `result` says. In a flow that no other one
    called, the call ends here."""

    form: ClassVar[Form] = Form(
        "Back to the calling flow",
        "Ends this flow; the one that called it goes on.",
        "flow",
        "arrow-back-up",
    )

    own_exits: ClassVar[tuple[Exit, ...]] = (Exit("done", ends=True),)

    type: Literal["return"]
    result: str = Field(
        default=RETURNED,
        pattern=r"^[a-z][a-z0-9_]{0,39}$",
        title="Result",
        description="The calling flow goes on by the exit of this name, where it has one.",
    )

    @field_validator("result")
    @classmethod
    def _free(cls, result: str) -> str:
        if result == ERROR:
            raise ValueError(
                f"{ERROR!r} is the exit of a flow that cannot be gone through; call the result something else"
            )
        return result

    def run(self, visit: Visit) -> str:
        visit.result = self.result
        return "done"
