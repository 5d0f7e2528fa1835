"""callback: ask the caller whether they want to be called back, and under which number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from ivr.node import Exit, Form, Node, Reference, Use, node_type
from ivr.phone import QueueRequest
from ivr.shown import ADVANCED
from ivr.values import AddedPriority, FurtherSkills, QueueName, Template, names_in
from ivr.visit import Visit


@node_type
class Callback(Node):
    """Offers the caller to be called back by those who answer `queue`, when their turn would have come. Their number is read
    back to them, or `number` where it is given; they confirm it or name another.

    Leaves by `taken`, by `known` where that number is going to be called back already, by `declined`, or by `forbidden` where
    there is no number that may be called. What leads nowhere of its own leads where `otherwise` does.
    """

    form: ClassVar[Form] = Form(
        "Call back",
        "Offers to call the customer back when it is their turn.",
        "connect",
        "phone-call",
    )

    own_exits: ClassVar[tuple[Exit, ...]] = (
        Exit("taken", ends=True, paced=True),
        Exit("known", falls_to="taken", ends=True, paced=True, title="Asked for one before"),
        Exit("declined", falls_to="otherwise", paced=True),
        Exit("forbidden", falls_to="otherwise"),
    )

    type: Literal["callback"]
    queue: QueueName = Field(
        title="Queue", description="Whose agents call back, and whose rules say how often and when."
    )
    number: Template = Field(
        default="",
        title="Number",
        description="Proposed instead of the caller's own, such as {typed_number}.",
        json_schema_extra=ADVANCED,
    )
    priority: AddedPriority = 0
    skills: FurtherSkills = Field(default_factory=dict)

    def ways(self) -> tuple[Exit, ...]:
        needed = any(way.falls_to == "otherwise" and way.name not in self.exits for way in self.own_exits)
        return (*self.own_exits, *([Exit("otherwise")] if needed else []))

    def references(self) -> Iterator[Reference]:
        yield Reference("queue", self.queue)
        yield Reference("trunk", "")
        yield from (Reference("skill", skill) for skill in self.skills)

    def uses(self) -> Iterator[Use]:
        yield from (Use(name, "in the record of the callback") for name in names_in(self.number))

    def run(self, visit: Visit) -> str:
        request = QueueRequest(self.queue, self.priority, self.skills)
        outcome = visit.phone.offer_callback(request, number=visit.fill(self.number) if self.number else "")
        if outcome in ("taken", "known"):
            visit.mark("callback")
        return outcome
