"""condition: go by what the call's variables hold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from ivr.node import Exit, Form, Node, Use, node_type
from ivr.values import Clause, names_in
from ivr.visit import Visit


@node_type
class Condition(Node):
    """Leaves by `met` where each clause of `all_of` holds and, if there are any, one of `any_of`; else by `not_met`."""

    form: ClassVar[Form] = Form(
        "Condition",
        "Goes by what is known of the call: what was keyed in, looked up or set before.",
        "decide",
        "git-branch",
    )

    own_exits: ClassVar[tuple[Exit, ...]] = (Exit("met"), Exit("not_met"))

    type: Literal["condition"]
    all_of: tuple[Clause, ...] = Field(default=(), max_length=50, title="All of these hold")
    any_of: tuple[Clause, ...] = Field(default=(), max_length=50, title="And one of these, if there are any")

    @model_validator(mode="after")
    def _asks(self) -> Condition:
        if not self.all_of and not self.any_of:
            raise ValueError("a condition has one clause at least, in all_of or any_of")
        return self

    def uses(self) -> Iterator[Use]:
        for clause in (*self.all_of, *self.any_of):
            yield Use(clause.variable)
            for value in clause.values():
                yield from (Use(name) for name in (names_in(value) if isinstance(value, str) else ()))

    def run(self, visit: Visit) -> str:
        def holds(clause: Clause) -> bool:
            return clause.holds(visit.get(clause.variable), visit.value)

        met = all(map(holds, self.all_of)) and (not self.any_of or any(map(holds, self.any_of)))
        return "met" if met else "not_met"
