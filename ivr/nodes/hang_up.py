"""hang_up: say goodbye and end the call."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from ivr.node import Exit, Form, Node, node_type
from ivr.says import Prompts
from ivr.shown import ADVANCED, choices
from ivr.visit import Visit

COUNTED_AS = {
    "self_service": "Served by the flow",
    "after_hours": "After hours",
    "no_agent": "Nobody there",
    "blocked": "Blocked",
    "abandoned_ivr": "Given up",
}


@node_type
class HangUp(Node):
    """Says `prompts` and hangs up with `cause`. `disposition` is how the call is counted where nothing else has become of it
    yet: a talk, a message, a queue that failed and closed doors are counted as what they are."""

    form: ClassVar[Form] = Form(
        "Hang up",
        "Says goodbye and ends the call.",
        "flow",
        "phone-off",
    )

    own_exits: ClassVar[tuple[Exit, ...]] = (Exit("done", ends=True),)

    type: Literal["hang_up"]
    prompts: Prompts = Field(default=(), title="What is said before")
    disposition: Literal["self_service", "after_hours", "no_agent", "blocked", "abandoned_ivr"] = Field(
        default="self_service",
        title="Counted as",
        description="Where nothing else has become of the call yet.",
        json_schema_extra=choices(COUNTED_AS),
    )
    cause: str = Field(
        default="NORMAL_CLEARING",
        pattern=r"^[A-Z_]{3,60}$",
        title="Cause",
        description="What the telephone network is told.",
        json_schema_extra=ADVANCED,
    )

    def run(self, visit: Visit) -> str:
        if visit.outcome is None:
            visit.mark(self.disposition)
            # Who hangs up during the goodbye has left no earlier than the flow would have sent them.
            visit.save()
        visit.play(self.prompts)
        return "done"
