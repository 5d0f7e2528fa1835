"""Forms: what was typed, and what is wrong with it, by field. Pages and the API check with the same models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from conf.errors import PointsmanError

Model = TypeVar("Model", bound=BaseModel)


class Refused(PointsmanError):
    """What was asked for cannot be done as things stand; `field` names the one at fault, empty where it is none."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(slots=True)
class Form:
    """`values` as typed, so that nothing is lost when the page is shown again; `faults` field -> sentence."""

    values: dict[str, Any] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)

    def read(self, model: type[Model], given: Mapping[str, Any]) -> Model | None:
        """The checked model, or None with the faults set."""
        try:
            return model.model_validate(given)
        except ValidationError as error:
            self.faults |= sentences(model, error)
            return None

    def refuse(self, refused: Refused) -> None:
        self.faults[refused.field] = str(refused)


def sentence(said: str) -> str:
    """A fault as people read it, with a capital and a full stop."""
    return f"{said[:1].upper()}{said[1:]}{'' if said.endswith(('.', '?')) else '.'}"


_SAID = {
    "missing": "is missing",
    "string_too_short": "is missing",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "literal_error": "is none of the choices",
    "enum": "is none of the choices",
}


def sentences(model: type[BaseModel], error: ValidationError) -> dict[str, str]:
    """Each field's first fault as a sentence that begins with the field's title."""
    said: dict[str, str] = {}
    for fault in error.errors():
        name = str(fault["loc"][0]) if fault["loc"] else ""
        known = model.model_fields.get(name)
        title = (known.title if known else None) or name.replace("_", " ").capitalize()
        context = fault.get("ctx", {})
        match fault["type"]:
            case "greater_than_equal":
                word = f"must be {context['ge']} or more"
            case "less_than_equal":
                word = f"must be {context['le']} or less"
            case "too_short":
                word = "must not be empty" if context["min_length"] == 1 else f"need {context['min_length']} or more"
            case "too_long":
                word = f"must be {context['max_length']} or fewer"
            case "string_too_long":
                word = f"must be {context['max_length']} characters or fewer"
            case "string_pattern_mismatch":
                word = (
                    f"must be {known.description[:1].lower()}{known.description[1:]}"
                    if known and known.description
                    else "is not as it must be"
                )
            case "value_error":
                word = str(context.get("error", fault["msg"]))
            case kind if kind.startswith(("date_", "datetime_")):
                word = "must be a date such as 2026-12-24"
            case kind:
                word = _SAID.get(kind, fault["msg"][:1].lower() + fault["msg"][1:])
        said.setdefault(name, f"{title} {word.removesuffix('.')}.")
    return said
