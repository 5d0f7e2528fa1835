"""How a field of a node is shown in a form, said where the field is declared and carried in its JSON schema.

A schema's own words (title, description, minimum, pattern, enum) say most of it; these are what they have no words for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

Extra = dict[str, Any]
WIDGET: Final = "x-widget"
WHEN: Final = "x-when"
CHOICES: Final = "x-choices"

SECONDS: Final[Extra] = {"unit": "s"}
ADVANCED: Final[Extra] = {"x-advanced": True}
"""Shown only to those who ask for more."""


@dataclass(frozen=True, slots=True)
class _ShownAs:
    widget: str

    def __get_pydantic_json_schema__(self, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {**handler(core), WIDGET: self.widget}


def shown_as(widget: str) -> Any:
    """Part of an `Annotated` type: its values are put in by this widget (see `ivr.forms`)."""
    return _ShownAs(widget)


def when(**fields: str | bool | tuple[str, ...]) -> Extra:
    """Shown only while each of these fields has the value, or one of the values."""
    return {WHEN: {name: list(values) if isinstance(values, tuple) else [values] for name, values in fields.items()}}


def choices(words: Mapping[str, str]) -> Extra:
    """What each value of a choice is called."""
    return {CHOICES: dict(words)}
