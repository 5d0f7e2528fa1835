"""What a call's variables may hold, how they stand in texts, and how they are compared.

A text may hold variables in braces: `Your order {order} is on its way`. Values that come from outside (keys, answers of web
services) are bounded and kept to one line before they become values.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ivr.shown import ADVANCED, choices, shown_as, when

Value = str | int | float | bool
VariableName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$"), shown_as("variable")]
Template = Annotated[str, Field(max_length=500), shown_as("template")]
"""A text that may hold variables in braces."""

TemplateOrNumber = Annotated[Template | int | float, shown_as("value")]
ShownValue = Annotated[Value, shown_as("value")]
CalendarName = Annotated[str, shown_as("calendar")]
QueueName = Annotated[str, shown_as("queue")]
SkillName = Annotated[str, shown_as("skill")]
ZoneName = Annotated[str, shown_as("zone")]
FlowName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,59}$"), shown_as("flow")]
"""Names of what is set up elsewhere; a form lets people choose them."""

AddedPriority = Annotated[
    int,
    Field(
        ge=-1000,
        le=1000,
        title="Priority",
        description="Added to the queue's own; one more counts like a minute of waiting.",
        json_schema_extra=ADVANCED,
    ),
]
FurtherSkills = Annotated[
    dict[SkillName, Annotated[int, Field(ge=1, le=5)]],
    Field(
        title="Further skills",
        description="Skill and least level, on top of what the queue asks for.",
        json_schema_extra=ADVANCED,
    ),
]
"""What a node may ask of a queue beyond the queue's own rules."""

LONGEST: Final = 500
"""Characters of a value; what is longer is cut."""

TOLD: Final = frozenset(
    {
        "call_id",
        "caller_number",
        "called_number",
        "language",
        "customer_id",
        "customer_name",
        "customer_company",
        "customer_category",
        "open_tickets",
        "open_orders",
        "debt",
    }
)
"""The variables that each call has by itself; no node may set them. Those of the customer are not set where nobody is known;
`open_tickets` and `open_orders` are counts."""

_HOLE = re.compile(r"\{([a-z][a-z0-9_]{0,39})\}")
# Without leading zeros: 0123 and 123 are two codes, not one number.
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,9})?")


def names_in(template: str) -> list[str]:
    """The variables that stand in a text, in their order."""
    return _HOLE.findall(template)


def fill(template: str, value_of: Callable[[str], Value], quote: Callable[[str], str] = str) -> str:
    """The text with its variables in place, each passed through `quote`."""
    return _HOLE.sub(lambda hole: quote(as_text(value_of(hole[1]))), template)


def as_text(value: Value) -> str:
    """A value as it stands in a text: `true` and `false`, and numbers without a needless fraction."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def as_number(value: Value) -> Decimal | None:
    """The number that a value is, or that a text spells; None where it is none."""
    text = as_text(value).strip()
    return Decimal(text) if not isinstance(value, bool) and _NUMBER.fullmatch(text) else None


def foreign(text: str) -> str:
    """A text from outside as a value may hold it: on one line, without control characters, cut where it is too long."""
    kept = "".join(" " if unicodedata.category(sign)[0] in "CZ" else sign for sign in text[: 4 * LONGEST])
    return " ".join(kept.split())[:LONGEST]


Comparison = Literal[
    "is", "is_not", "less", "at_most", "more", "at_least", "contains", "begins_with", "one_of", "is_set", "is_not_set"
]
COMPARED: Final = {
    "is": "is",
    "is_not": "is not",
    "less": "is less than",
    "at_most": "is at most",
    "more": "is more than",
    "at_least": "is at least",
    "contains": "contains",
    "begins_with": "begins with",
    "one_of": "is one of",
    "is_set": "is known",
    "is_not_set": "is not known",
}
_ORDERS: Final[dict[str, Callable[[Decimal, Decimal], bool]]] = {
    "less": lambda one, other: one < other,
    "at_most": lambda one, other: one <= other,
    "more": lambda one, other: one > other,
    "at_least": lambda one, other: one >= other,
}


class Clause(BaseModel):
    """One comparison of a variable with a value, which may be a text with variables of its own.

    Numbers and texts that spell one are compared as numbers, all else as texts, capitals or not. `less`, `at_most`, `more` and
    `at_least` hold between numbers only. `one_of` takes a list. A variable that is not set is not equal to anything, and fits
    only `is_not`, `is_not_set`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    variable: VariableName = Field(title="Name")
    how: Comparison = Field(default="is", title="How", json_schema_extra=choices(COMPARED))
    value: Annotated[Value | tuple[Value, ...] | None, shown_as("values")] = Field(
        default=None, title="Value", json_schema_extra=when(how=tuple(how for how in COMPARED if "set" not in how))
    )

    @model_validator(mode="after")
    def _fits(self) -> Clause:
        if self.how in ("is_set", "is_not_set"):
            if self.value is not None:
                raise ValueError(f"{self.how} compares with nothing; leave the value out")
        elif self.how == "one_of":
            if not isinstance(self.value, tuple) or not self.value:
                raise ValueError("one_of wants a list of values")
        elif self.value is None or isinstance(self.value, tuple):
            raise ValueError(f"{self.how} wants one value")
        return self

    def values(self) -> Sequence[Value]:
        """What the variable is compared with."""
        if self.value is None:
            return ()
        return self.value if isinstance(self.value, tuple) else (self.value,)

    def holds(self, found: Value | None, value_of: Callable[[str], Value]) -> bool:
        """Whether the comparison holds for the variable's value `found`, None where it is not set."""
        if self.how in ("is_set", "is_not_set"):
            return (found is not None) == (self.how == "is_set")
        if found is None:
            return self.how == "is_not"
        wanted = [fill(value, value_of) if isinstance(value, str) else value for value in self.values()]
        if self.how == "one_of":
            return any(same(found, value) for value in wanted)
        if self.how in ("is", "is_not"):
            return same(found, wanted[0]) == (self.how == "is")
        if self.how in _ORDERS:
            one, other = as_number(found), as_number(wanted[0])
            return one is not None and other is not None and _ORDERS[self.how](one, other)
        text, part = as_text(found).casefold(), as_text(wanted[0]).casefold()
        return text.startswith(part) if self.how == "begins_with" else part in text


def same(one: Value, other: Value) -> bool:
    """Whether two values are equal, as numbers where both are, else as texts without regard to capitals."""
    first, second = as_number(one), as_number(other)
    if first is not None and second is not None:
        return first == second
    return as_text(one).strip().casefold() == as_text(other).strip().casefold()
