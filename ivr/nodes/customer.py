"""customer: go by who is calling."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from ivr.errors import NodeFailed
from ivr.node import Exit, Node, Use, node_type
from ivr.values import Template, names_in
from ivr.visit import Visit

_EXITS = {
    "known": (),
    "category": ("vip", "problem"),
    "open_ticket": ("open_ticket",),
    "open_order": ("open_order",),
    "debt": ("debt",),
}


@node_type
class Customer(Node):
    """Leaves by `unknown` where the caller is no customer, or by what `asks` for: `vip` or `problem` by their category,
    `open_ticket`, `open_order` or `debt` where they have such; by `known` for all other customers, and where that exit leads
    nowhere of its own.

    With `number`, usually a variable that was collected, the customer is first looked up by that telephone number.
    """

    own_exits: ClassVar[tuple[Exit, ...]] = (Exit("known"), Exit("unknown"))

    type: Literal["customer"]
    asks: Literal["known", "category", "open_ticket", "open_order", "debt"] = "known"
    number: Template = ""

    def ways(self) -> tuple[Exit, ...]:
        return (*(Exit(name, falls_to="known") for name in _EXITS[self.asks]), *self.own_exits)

    def uses(self) -> Iterator[Use]:
        yield from (Use(name) for name in names_in(self.number))

    def run(self, visit: Visit) -> str:
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
        return self.asks if self.asks == "known" or customer.get(f"{self.asks}s") else "known"

    def _look_up(self, visit: Visit) -> bool:
        try:
            number = visit.fill(self.number)
        except NodeFailed:
            return False
        return visit.phone.office.find_customer(number)
