"""ring_group: let the phones of a group ring, one after the other or all at once, and talk."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import Field, field_validator

from dialplan.scenarios import ORDERS, Order
from ivr.node import Exit, Form, Node, Reference, node_type
from ivr.nodes.ring import OUTCOMES, with_otherwise
from ivr.phone import RingOutcome
from ivr.shown import ADVANCED, SECONDS, choices, shown_as
from ivr.visit import Visit

Extension = Annotated[str, Field(pattern=r"^[0-9]{2,6}$"), shown_as("extension")]
_ORDERS = {**ORDERS, "together": "All at once"}
"""As a group of its own has them; the node knows no delays."""

_WORST_FIRST: tuple[RingOutcome, ...] = ("no_answer", "busy", "rejected", "unreachable")


@node_type
class RingGroup(Node):
    """Rings the `extensions`, each for `seconds`, `rounds` times at most.

    `order` says who rings next: `listed` as they stand, `shuffled` in an order drawn for each call, `longest_idle` whoever
    has been free for longest first, `together` all at once, those in `delays` so many seconds later. Leaves by `answered` when
    the talk is over; else by `no_answer` where any phone rang, by `busy` where one was in use, by `rejected` or `unreachable`,
    which lead where `otherwise` does if nowhere of their own.
    """

    form: ClassVar[Form] = Form(
        "Ring a group",
        "Rings several desk phones, one after the other or all at once.",
        "connect",
        "users",
    )

    own_exits: ClassVar[tuple[Exit, ...]] = OUTCOMES

    type: Literal["ring_group"]
    extensions: tuple[Extension, ...] = Field(min_length=1, max_length=50, title="Extensions")
    order: Order = Field(default="listed", title="Who rings next", json_schema_extra=choices(_ORDERS))
    seconds: float = Field(default=15, ge=1, le=300, title="Ring each for", json_schema_extra=SECONDS)
    rounds: int = Field(default=1, ge=1, le=10, title="Times through the list", json_schema_extra=ADVANCED)

    delays: dict[Extension, Annotated[int, Field(ge=0, le=300)]] = Field(
        default_factory=dict,
        title="Later by",
        description="Where all ring at once: how many seconds after the others a phone begins.",
        json_schema_extra=ADVANCED,
    )

    @field_validator("extensions")
    @classmethod
    def _once(cls, extensions: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(extensions)) < len(extensions):
            raise ValueError("an extension stands twice")
        return extensions

    def ways(self) -> tuple[Exit, ...]:
        return with_otherwise(self)

    def references(self) -> Iterator[Reference]:
        yield from (Reference("extension", extension) for extension in self.extensions)

    def run(self, visit: Visit) -> str:
        met: set[RingOutcome] = set()
        for _ in range(self.rounds):
            for outcome in self._round(visit):
                if outcome == "answered":
                    visit.mark("answered")
                    return "answered"
                met.add(outcome)
        worst = next(outcome for outcome in _WORST_FIRST if outcome in met)
        visit.mark(worst)
        return worst

    def _round(self, visit: Visit) -> Iterator[RingOutcome]:
        if self.order == "together":
            yield visit.phone.ring_together(self.extensions, self.seconds, self.delays)
            return
        for extension in self._ordered(visit):
            yield visit.phone.ring(extension, self.seconds)

    def _ordered(self, visit: Visit) -> list[str]:
        if self.order == "longest_idle":
            return visit.phone.office.rested(self.extensions)
        extensions = list(self.extensions)
        if self.order == "shuffled":
            random.Random(f"{visit.phone.call_id} {visit.node}").shuffle(extensions)  # noqa: S311
        return extensions
