"""milestone: note that a call has come this far."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from ivr.node import Exit, Form, Node, node_type
from ivr.visit import Visit

MILESTONE = "milestone"


@node_type
class Milestone(Node):
    """Notes `name`, which the variable `milestone` holds from then on. The step in the record of the call tells when. With
    `serves`, whoever has come here was served, even if they hang up afterwards."""

    form: ClassVar[Form] = Form(
        "Milestone",
        "Notes that a call has come this far, for reports.",
        "note",
        "flag",
    )

    own_exits: ClassVar[tuple[Exit, ...]] = (Exit("next"),)

    type: Literal["milestone"]
    name: str = Field(min_length=1, max_length=80, title="Name")
    serves: bool = Field(
        default=False,
        title="This is what callers ring up for",
        description="Whoever comes here counts as served, even if they hang up afterwards.",
    )

    def sets(self) -> Iterator[str]:
        yield MILESTONE

    def run(self, visit: Visit) -> str:
        visit.set(MILESTONE, self.name)
        if self.serves:
            visit.mark("self_service")
        return "next"
