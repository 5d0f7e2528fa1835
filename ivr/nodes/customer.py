"""customer: go by who is calling."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from ivr.errors import NodeFailed
from ivr.node import Exit, Form, Node, Use, node_type
from ivr.shown import ADVANCED, choices
from ivr.values import Template, names_in
from ivr.visit import Visit

_EXITS = {
    "known": (),
    "category": ("vip", "problem"),
    "blocked": ("blocked",),
    "open_ticket": ("open_ticket",),
    "open_order": ("open_order",),
    "debt": ("debt",),
}

ASKED = {
    "known": "Is the caller a customer?",
    "category": "Important customer or problem?",
    "blocked": "Is the number blocked?",
    "open_ticket": "Is a ticket open?",
    "open_order": "Is an order open?",
    "debt": "Is there a debt?",
}


@node_type
class Customer(Node):
    """Leaves by `unknown` where the caller is no customer, or by what `asks` for: `vip` or `problem` by their category,
    `blocked` where their number is blocked, customer or not, `open_ticket`, `open_order` or `debt` where they have such; by
    `known` for all other customers, and where that exit leads nowhere of its own.

    With `number`, usually a variable that was collected, the customer is first looked up by that telephone number.
    """

    form: ClassVar[Form] = Form(
        "Who is calling?",
        "Goes by who is calling: known, important, a problem, blocked, or with something open.",
        "look_up",
        "user",
    )

    own_exits: ClassVar[tuple[Exit, ...]] = (Exit("known"), Exit("unknown"))

    type: Literal["customer"]
    asks: Literal["known", "category", "blocked", "open_ticket", "open_order", "debt"] = Field(
        default="known", title="What is asked", json_schema_extra=choices(ASKED)
    )
    number: Template = Field(
        default="",
        title="Look up first by the number",
        description="Usually a name in braces for what was keyed in; empty for the number that calls.",
        json_schema_extra=ADVANCED,
    )

    def ways(self) -> tuple[Exit, ...]:
        return (*(Exit(name, falls_to="known") for name in _EXITS[self.asks]), *self.own_exits)

    def uses(self) -> Iterator[Use]:
        yield from (Use(name) for name in names_in(self.number))

    def run(self, visit: Visit) -> str:
        if self.asks == "blocked" and visit.phone.office.is_blocked():
            return "blocked"
        if self.number and not self._look_up(visit):
            return "unknown"
        customer = visit.phone.customer
        if customer is None:
            return "unknown"
        if self.asks == "category":
            category = str(customer.get("category"))
            return category if category in _EXITS["category"] else "known"
        if self.asks == "debt":
            debt = customer.get("debt")
            return "debt" if isinstance(debt, int | float) and debt > 0 else "known"
        if self.asks in ("known", "blocked"):
            return "known"
        return self.asks if customer.get(f"{self.asks}s") else "known"

    def _look_up(self, visit: Visit) -> bool:
        try:
            number = visit.fill(self.number)
        except NodeFailed:
            return False
        return visit.phone.office.find_customer(number)
