"""record: record what the caller states, such as a consent or a meter's reading."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from ivr.node import Exit, Form, Node, node_type
from ivr.says import Prompts
from ivr.shown import SECONDS
from ivr.visit import Visit

STATEMENT = "statement"


@node_type
class Record(Node):
    """Says `prompts`, sounds the tone and records until `#`, silence or `most_seconds`. What was said is kept among the call's
    recordings, and the variable `statement` holds its id. Leaves by `recorded`, or by `nothing` where it was too short."""

    form: ClassVar[Form] = Form(
        "Record a statement",
        "Records what the caller says, such as a consent, among the recordings of the call.",
        "ask",
        "microphone",
    )

    own_exits: ClassVar[tuple[Exit, ...]] = (Exit("recorded"), Exit("nothing", falls_to="recorded"))

    type: Literal["record"]
    prompts: Prompts = Field(min_length=1, title="What is said before the tone")
    most_seconds: float = Field(default=60, ge=5, le=3600, title="At most", json_schema_extra=SECONDS)

    def sets(self) -> Iterator[str]:
        yield STATEMENT

    def run(self, visit: Visit) -> str:
        recording = visit.phone.take_statement(visit.files(self.prompts), most_seconds=self.most_seconds)
        if recording is None:
            return "nothing"
        visit.set(STATEMENT, recording)
        return "recorded"
