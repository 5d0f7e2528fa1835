"""ring: let one desk phone ring, and talk."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from ivr.errors import NodeFailed
from ivr.node import Exit, Form, Node, Reference, Use, node_type
from ivr.shown import SECONDS, shown_as
from ivr.values import names_in
from ivr.visit import Visit

OUTCOMES = (
    Exit("answered", ends=True, paced=True),
    Exit("busy", falls_to="otherwise"),
    Exit("no_answer", falls_to="otherwise"),
    Exit("rejected", falls_to="otherwise"),
    Exit("unreachable", falls_to="otherwise"),
)
_EXTENSION = re.compile(r"[0-9]{2,6}")


def with_otherwise(node: Node) -> tuple[Exit, ...]:
    """The exits of a node that rings, with `otherwise` where one of them leads nowhere else."""
    needed = any(way.falls_to and way.name not in node.exits for way in node.own_exits)
    return (*node.own_exits, *([Exit("otherwise")] if needed else []))


@node_type
class Ring(Node):
    """Rings `extension`, or the one that a variable holds (`{extension}`), for `seconds`. Leaves by `answered` when the talk
    is over, else by `busy`, `no_answer`, `rejected` or `unreachable`, which lead where `otherwise` does if nowhere of their
    own."""

    form: ClassVar[Form] = Form(
        "Ring one phone",
        "Rings one desk phone and puts the caller through.",
        "connect",
        "phone-ringing",
    )

    own_exits: ClassVar[tuple[Exit, ...]] = OUTCOMES

    type: Literal["ring"]
    extension: Annotated[str, shown_as("extension")] = Field(
        pattern=r"^([0-9]{2,6}|\{[a-z][a-z0-9_]{0,39}\})$",
        title="Extension",
        description="Or a name in braces, such as {extension} after a menu with direct dial.",
    )
    seconds: float = Field(default=20, ge=1, le=300, title="Ring for", json_schema_extra=SECONDS)

    def ways(self) -> tuple[Exit, ...]:
        return with_otherwise(self)

    def references(self) -> Iterator[Reference]:
        if not names_in(self.extension):
            yield Reference("extension", self.extension)

    def uses(self) -> Iterator[Use]:
        yield from (Use(name, "in the record of the call") for name in names_in(self.extension))

    def run(self, visit: Visit) -> str:
        extension = visit.fill(self.extension)
        if not _EXTENSION.fullmatch(extension):
            raise NodeFailed(f"{extension[:20]!r} is no extension")
        outcome = visit.phone.ring(extension, self.seconds)
        visit.mark(outcome)
        return outcome
