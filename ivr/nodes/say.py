"""say: speak a number, digits, a date, a time, an amount or a text."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any, ClassVar, Literal

from pydantic import Field, TypeAdapter, model_validator

from ivr.errors import NodeFailed
from ivr.node import Exit, Form, Node, node_type
from ivr.says import Prompts, SayDate, SayDigits, SayMoney, SayNumber, SayText, SayTime, SayValue
from ivr.says import Say as Item
from ivr.shown import choices, when
from ivr.values import TemplateOrNumber, ZoneName
from ivr.visit import Visit
from sounds.errors import SynthesisFailed

SAID_AS = {
    "number": "A number",
    "digits": "Digits, one by one",
    "money": "An amount of money",
    "date": "A date",
    "time": "A time of day",
    "text": "A text, spoken by the synthesiser",
}
_ITEM: TypeAdapter[SayValue] = TypeAdapter(SayNumber | SayDigits | SayMoney | SayDate | SayTime | SayText)


@node_type
class Say(Node):
    """Says `before`, the value in the form that `say` names, and `after`.

    Leaves by `unsayable`, having said nothing, where the value is not set or cannot be said in that form, which leads where
    `next` does if nowhere of its own.
    """

    form: ClassVar[Form] = Form(
        "Say a value",
        "Speaks a number, an amount, a date, a time, digits or a text, often one that was looked up.",
        "speak",
        "message",
    )

    own_exits: ClassVar[tuple[Exit, ...]] = (Exit("next"), Exit("unsayable", falls_to="next"))

    type: Literal["say"]
    say: Literal["number", "digits", "money", "date", "time", "text"] = Field(
        title="Said as", json_schema_extra=choices(SAID_AS)
    )
    value: TemplateOrNumber = Field(title="What", description="A value, or a name in braces such as {debt}.")
    currency: Literal["DKK", "EUR", "GBP", "USD"] | None = Field(
        default=None, title="Currency", json_schema_extra=when(say="money")
    )
    zone: ZoneName = Field(
        default="",
        title="Time zone",
        description="Whose clocks an instant is told by; as it stands where this is empty.",
        json_schema_extra=when(say=("date", "time")),
    )
    weekday: bool = Field(default=True, title="With the day of the week", json_schema_extra=when(say="date"))
    year: bool = Field(default=False, title="With the year", json_schema_extra=when(say="date"))
    before: Prompts = Field(default=(), title="Said before it")
    after: Prompts = Field(default=(), title="Said after it")

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
