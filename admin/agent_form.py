"""An agent's rules as the fields of a form, there and back: engine.records.queues.AgentSettings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from admin import queue_form
from engine.records.queues import AgentSettings, RulesInvalid, decode_agent

WRAP_UPS: Final[Mapping[str, str]] = {
    "fixed": "After these seconds",
    "chosen": "At once, unless asked for in the talk",
    "endless": "When the agent says so",
}
RING_SECONDS: Final = 20
"""What a step of a forwarding begins after where nothing is typed."""


def shown(rules: Mapping[str, Any]) -> dict[str, str]:
    """The form's fields for these rules; those of an agent without any where what is stored makes no sense."""
    try:
        settings = decode_agent(rules)
    except RulesInvalid:
        settings = AgentSettings()
    values = {
        "auto_answer": "1" if settings.auto_answer else "",
        "wrap_up": settings.wrap_up,
        "recorded": {None: "", True: "yes", False: "no"}[settings.recorded],
        "cost_per_minute": f"{settings.cost_per_minute:g}" if settings.cost_per_minute else "",
    }
    for place, step in enumerate(settings.forwarding):
        values[f"forwarding.{place}.after_seconds"] = str(step.after_seconds)
        values[f"forwarding.{place}.to"] = queue_form.destination_text(step.to)
    return values


def typed(values: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """The document that a form's fields say; a step by hours, which the form cannot show, stays as it was `before`. What
    makes no sense in it is for the check that follows."""
    kept = [step.get("to") for step in before.get("forwarding", []) if step.get("to", {}).get("to") == "by_hours"]
    steps = []
    for row in queue_form.rows({key: str(value) for key, value in values.items()}, "forwarding"):
        to = row.get("to", "")
        if not to:
            continue
        destination = kept.pop(0) if to == "other" and kept else queue_form.destination(to)
        steps.append({"after_seconds": _number(row.get("after_seconds", str(RING_SECONDS))), "to": destination})
    recorded = {"yes": True, "no": False}.get(str(values.get("recorded", "")))
    return {
        "auto_answer": bool(values.get("auto_answer")),
        "wrap_up": str(values.get("wrap_up") or "fixed"),
        "cost_per_minute": _number(str(values.get("cost_per_minute") or "0")),
        "recorded": recorded,
        "forwarding": steps,
    }


def _number(text: str) -> Any:
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        return text
    return int(value) if value.is_integer() else value
