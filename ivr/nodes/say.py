"""say: speak a number, digits, a date, a time, an amount or a text."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any, ClassVar, Literal

from pydantic import TypeAdapter, model_validator

from ivr.errors import NodeFailed
from ivr.node import Exit, Node, node_type
from ivr.says import Prompts, SayDate, SayDigits, SayMoney, SayNumber, SayText, SayTime, SayValue
from ivr.says import Say as Item
from ivr.values import Template
from ivr.visit import Visit
from sounds.errors import SynthesisFailed

_ITEM: TypeAdapter[SayValue] = TypeAdapter(SayNumber | SayDigits | SayMoney | SayDate | SayTime | SayText)


@node_type
class Say(Node):
    """Says `before`, the value in the form that `say` names, and `after`.

    Leaves by `unsayable`, having said nothing, where the value is not set or cannot be said in that form, which leads where
    `next` does if nowhere of its own.
    """

    own_exits: ClassVar[tuple[Exit, ...]] = (Exit("next"), Exit("unsayable", falls_to="next"))

    type: Literal["say"]
    say: Literal["number", "digits", "money", "date", "time", "text"]
    value: Template | int | float
    currency: Literal["DKK", "EUR", "GBP", "USD"] | None = None
    zone: str = ""
    weekday: bool = True
    year: bool = False
    before: Prompts = ()
    after: Prompts = ()

    @cached_property
    def item(self) -> SayValue:
        """What is said, as it could stand in any list of prompts."""
        options: dict[str, Any] = {"say": self.say, "value": self.value}
        if self.say == "money":
            options["currency"] = self.currency
        if self.say in ("date", "time"):
            options["zone"] = self.zone
        if self.say == "date":
            options |= {"weekday": self.weekday, "year": self.year}
        return _ITEM.validate_python(options)

    @model_validator(mode="after")
    def _sayable(self) -> Say:
        if (self.say == "money") != (self.currency is not None):
            raise ValueError("money has a currency, and nothing else has one")
        _ = self.item
        return self

    def prompts_spoken(self) -> Iterable[str | Item]:
        return (*self.before, self.item, *self.after)

    def run(self, visit: Visit) -> str:
        try:
            files = self.item.files(visit, visit.language)
        except (NodeFailed, SynthesisFailed):
            return "unsayable"
        visit.phone.play([*visit.files(self.before), *files, *visit.files(self.after)])
        return "next"
