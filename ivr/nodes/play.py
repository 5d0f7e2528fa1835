"""play: say something to its end."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from ivr.node import Exit, Form, Node, node_type
from ivr.says import Prompts
from ivr.visit import Visit


@node_type
class Play(Node):
    """Says `prompts`; keys pressed meanwhile are kept for the next menu.

    `serves` marks what callers ring up for, such as opening hours: whoever has heard it was served, even if they hang up
    afterwards.
    """

    form: ClassVar[Form] = Form(
        "Play",
        "Says something to its end.",
        "speak",
        "volume",
    )

    own_exits: ClassVar[tuple[Exit, ...]] = (Exit("next"),)

    type: Literal["play"]
    prompts: Prompts = Field(min_length=1, title="What is said")
    serves: bool = Field(
        default=False,
        title="This is what callers ring up for",
        description="Whoever has heard it counts as served, even if they hang up afterwards.",
    )

    def run(self, visit: Visit) -> str:
        visit.play(self.prompts)
        if self.serves:
            visit.mark("self_service")
        return "next"
