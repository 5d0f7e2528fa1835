"""create_ticket: open a ticket for the caller."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from ivr.node import Exit, Form, Node, Use, node_type
from ivr.values import Template, names_in
from ivr.visit import Visit

TICKET = "ticket"


@node_type
class CreateTicket(Node):
    """Opens a ticket of `kind` with `subject`, in which variables may stand; the variable `ticket` then holds its number.

    Leaves by `created`; an unknown caller becomes a customer by it. Leaves by `unknown` where it cannot be told whose ticket it
    would be, for the number is withheld or several customers'; this leads where `created` does if nowhere of its own. A call
    that comes by twice opens one ticket.
    """

    form: ClassVar[Form] = Form(
        "Open a ticket",
        "Opens a ticket for the caller and keeps its number.",
        "note",
        "file-plus",
    )

    own_exits: ClassVar[tuple[Exit, ...]] = (Exit("created"), Exit("unknown", falls_to="created"))
    asks_the_house: ClassVar[bool] = True

    type: Literal["create_ticket"]
    subject: Template = Field(min_length=1, title="Subject", description="Names in braces are filled in.")
    kind: str = Field(default="enquiry", pattern=r"^[a-z][a-z0-9_]{0,39}$", title="Kind")

    def uses(self) -> Iterator[Use]:
        yield from (Use(name, "in the ticket") for name in names_in(self.subject))

    def sets(self) -> Iterator[str]:
        yield TICKET

    def run(self, visit: Visit) -> str:
        number = visit.phone.office.open_ticket(visit.node, self.kind, visit.fill(self.subject))
        if number is None:
            return "unknown"
        visit.set(TICKET, number)
        return "created"
