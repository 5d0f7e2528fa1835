"""set: give variables their values."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from ivr.errors import NodeFailed
from ivr.node import Exit, Form, Node, Use, node_type
from ivr.shown import ADVANCED
from ivr.values import LONGEST, TOLD, ShownValue, VariableName, as_number, names_in
from ivr.visit import Visit


@node_type
class Set(Node):
    """Gives `values` their values, texts with the variables in them; then adds to each of `add` its number, counting from 0;
    then has those in `clear` not set any more. Within each of these a value may read what stood before."""

    form: ClassVar[Form] = Form(
        "Set values",
        "Keeps values under names, to be said or compared later.",
        "note",
        "pencil",
    )

    own_exits: ClassVar[tuple[Exit, ...]] = (Exit("next"),)

    type: Literal["set"]
    values: dict[VariableName, ShownValue] = Field(default_factory=dict, max_length=50, title="Names and values")
    add: dict[VariableName, int | float] = Field(
        default_factory=dict,
        max_length=50,
        title="Add to numbers",
        description="Name and how much is added, counting from 0.",
        json_schema_extra=ADVANCED,
    )
    clear: tuple[VariableName, ...] = Field(default=(), max_length=50, title="Forget", json_schema_extra=ADVANCED)

    @model_validator(mode="after")
    def _may(self) -> Set:
        own = [name for name in (*self.values, *self.add, *self.clear) if name in TOLD]
        if own:
            raise ValueError(f"{own[0]!r} is what each call has by itself and cannot be set")
        long = [name for name, value in self.values.items() if isinstance(value, str) and len(value) > LONGEST]
        if long:
            raise ValueError(f"{long[0]!r} is longer than {LONGEST} characters")
        return self

    def uses(self) -> Iterator[Use]:
        for name, value in self.values.items():
            for read in names_in(value) if isinstance(value, str) else ():
                yield Use(read, f"as {name!r}, which is no secret")

    def sets(self) -> Iterator[str]:
        yield from self.values
        yield from self.add

    def run(self, visit: Visit) -> str:
        values = {name: visit.fill(value) if isinstance(value, str) else value for name, value in self.values.items()}
        for name, value in values.items():
            visit.set(name, value)
        for name, number in self.add.items():
            before = as_number(visit.get(name) or 0)
            if before is None:
                raise NodeFailed(f"{name!r} is no number that could be added to")
            total = float(before) + number
            visit.set(name, int(total) if total.is_integer() else total)
        for name in self.clear:
            visit.forget(name)
        return "next"
