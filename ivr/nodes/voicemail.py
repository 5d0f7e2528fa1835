"""voicemail: take a message."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from ivr.node import Exit, Form, Node, Reference, node_type
from ivr.says import Prompts
from ivr.shown import SECONDS, shown_as
from ivr.visit import Visit


@node_type
class Voicemail(Node):
    """Says `prompts`, sounds the tone and records a message for `box`, a queue's name or an extension. Leaves by `left`, or by
    `nothing` where it was too short to be one, which leads where `left` does if nowhere of its own."""

    form: ClassVar[Form] = Form(
        "Take a message",
        "Takes a message for a queue or a person.",
        "connect",
        "mailbox",
    )

    own_exits: ClassVar[tuple[Exit, ...]] = (Exit("left", ends=True), Exit("nothing", falls_to="left", ends=True))

    type: Literal["voicemail"]
    box: Annotated[str, shown_as("box")] = Field(
        pattern=r"^[A-Za-z0-9_-]{1,40}$", title="For", description="The queue or the person who will hear it."
    )
    prompts: Prompts = Field(default=("voicemail_greeting",), title="What is said before the tone")
    most_seconds: float = Field(default=180, ge=5, le=3600, title="At most", json_schema_extra=SECONDS)

    def references(self) -> Iterator[Reference]:
        yield from super().references()
        yield Reference("box", self.box)

    def run(self, visit: Visit) -> str:
        outcome = visit.phone.take_message(self.box, visit.files(self.prompts), most_seconds=self.most_seconds)
        if outcome == "left":
            visit.mark("voicemail")
        return outcome
