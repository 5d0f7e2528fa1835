"""ticket_state: go by how a ticket stands whose number the caller gave."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from ivr.node import Exit, Form, Node, Use, node_type
from ivr.shown import ADVANCED
from ivr.values import Template, names_in
from ivr.visit import Visit

_NUMBER = re.compile(r"[1-9][0-9]{0,8}")


@node_type
class TicketState(Node):
    """Leaves by `open`, `closed`, or `not_found` for the ticket that `number` gives, usually a variable that was collected.
    Sets `ticket_kind` and `ticket_opened` (an instant). Only tickets of the customer who calls are found, unless
    `of_anybody`."""

    form: ClassVar[Form] = Form(
        "Look up a ticket",
        "Goes by how a ticket stands whose number the caller gave.",
        "look_up",
        "ticket",
    )

    own_exits: ClassVar[tuple[Exit, ...]] = (Exit("open"), Exit("closed"), Exit("not_found"))
    asks_the_house: ClassVar[bool] = True

    type: Literal["ticket_state"]
    number: Template = Field(default="{ticket}", title="Ticket number", description="Usually a name in braces.")
    of_anybody: bool = Field(
        default=False,
        title="Tickets of anybody",
        description="Otherwise only those of the customer who calls are found.",
        json_schema_extra=ADVANCED,
    )

    def uses(self) -> Iterator[Use]:
        yield from (Use(name) for name in names_in(self.number))

    def sets(self) -> Iterator[str]:
        return iter(("ticket_kind", "ticket_opened"))

    def run(self, visit: Visit) -> str:
        number = visit.fill(self.number).strip().lstrip("0")
        ticket = visit.phone.office.ticket(int(number)) if _NUMBER.fullmatch(number) else None
        if ticket is None or not (self.of_anybody or ticket.customer_id == visit.get("customer_id")):
            return "not_found"
        visit.set("ticket_kind", ticket.kind)
        visit.set("ticket_opened", ticket.opened_at.isoformat(timespec="seconds"))
        return "open" if ticket.closed_at is None else "closed"
