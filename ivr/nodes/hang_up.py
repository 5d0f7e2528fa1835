"""hang_up: say goodbye and end the call."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from ivr.node import Exit, Node, node_type
from ivr.says import Prompts
from ivr.visit import Visit


@node_type
class HangUp(Node):
    """Says `prompts` and hangs up with `cause`. `disposition` is how the call is counted where nothing else has become of it
    yet: a talk, a message, a queue that failed and closed doors are counted as what they are."""

    own_exits: ClassVar[tuple[Exit, ...]] = (Exit("done", ends=True),)

    type: Literal["hang_up"]
    prompts: Prompts = ()
    cause: str = Field(default="NORMAL_CLEARING", pattern=r"^[A-Z_]{3,60}$")
    disposition: Literal["self_service", "after_hours", "no_agent", "blocked", "abandoned_ivr"] = "self_service"

    def run(self, visit: Visit) -> str:
        if visit.outcome is None:
            visit.mark(self.disposition)
            # Who hangs up during the goodbye has left no earlier than the flow would have sent them.
            visit.save()
        visit.play(self.prompts)
        return "done"
