"""outside: call a number outside over a trunk, and talk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from ivr.node import Exit, Form, Node, Reference, Use, node_type
from ivr.nodes.ring import OUTCOMES, with_otherwise
from ivr.shown import SECONDS
from ivr.values import Template, names_in
from ivr.visit import Visit


@node_type
class Outside(Node):
    """Calls `number`, in whatever spelling or out of a variable, for `seconds`. Leaves by `answered` when the talk is over,
    else by `busy`, `no_answer`, `rejected`, `unreachable`, or by `forbidden` where the settings do not let flows call such
    numbers; these lead where `otherwise` does if nowhere of their own."""

    form: ClassVar[Form] = Form(
        "Call outside",
        "Calls a number outside and puts the caller through.",
        "connect",
        "phone-outgoing",
    )

    own_exits: ClassVar[tuple[Exit, ...]] = (*OUTCOMES, Exit("forbidden", falls_to="otherwise"))

    type: Literal["outside"]
    number: Template = Field(min_length=1, title="Number", description="In any spelling, or a name in braces.")
    seconds: float = Field(default=30, ge=1, le=300, title="Ring for", json_schema_extra=SECONDS)

    def ways(self) -> tuple[Exit, ...]:
        return with_otherwise(self)

    def references(self) -> Iterator[Reference]:
        yield Reference("trunk", "")

    def uses(self) -> Iterator[Use]:
        yield from (Use(name, "in the record of the call") for name in names_in(self.number))

    def run(self, visit: Visit) -> str:
        outcome = visit.phone.dial(visit.fill(self.number), self.seconds)
        if outcome != "forbidden":
            visit.mark(outcome)
        return outcome
