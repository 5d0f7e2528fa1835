"""ring: let one desk phone ring, and talk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from ivr.node import Exit, Node, Reference, node_type
from ivr.visit import Visit


@node_type
class Ring(Node):
    """Rings `extension` for `seconds`. Leaves by `answered` when the talk is over, else by `busy`, `no_answer`, `rejected` or
    `unreachable`, which lead where `otherwise` does if nowhere of their own."""

    own_exits: ClassVar[tuple[Exit, ...]] = (
        Exit("answered", ends=True, paced=True),
        Exit("busy", falls_to="otherwise"),
        Exit("no_answer", falls_to="otherwise"),
        Exit("rejected", falls_to="otherwise"),
        Exit("unreachable", falls_to="otherwise"),
    )

    type: Literal["ring"]
    extension: str = Field(pattern=r"^[0-9]{2,6}$")
    seconds: float = Field(default=20, ge=1, le=300)

    def ways(self) -> tuple[Exit, ...]:
        needed = any(way.falls_to and way.name not in self.exits for way in self.own_exits)
        return (*self.own_exits, *([Exit("otherwise")] if needed else []))

    def references(self) -> Iterator[Reference]:
        yield Reference("extension", self.extension)

    def run(self, visit: Visit) -> str:
        outcome = visit.phone.ring(self.extension, self.seconds)
        visit.mark(outcome)
        return outcome
