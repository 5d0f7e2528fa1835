"""Flows to begin a new one with: a YAML file each, half-made, as what a company has is not known here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dialplan import documents
from ivr.errors import FlowUnknown


@dataclass(frozen=True, slots=True)
class Template:
    """`document` is a draft's without its name."""

    key: str
    title: str
    help: str
    order: int
    document: Mapping[str, Any]


def templates() -> list[Template]:
    """All that come with Pointsman, the plainest first."""
    found = []
    for path in sorted(Path(__file__).parent.glob("*.yaml")):
        document = documents.read(path.read_text(encoding="utf-8"))
        about = document.pop("template")
        found.append(Template(path.stem, about["title"], about["help"], about["order"], document))
    return sorted(found, key=lambda template: template.order)


def template(key: str) -> Template:
    """FlowUnknown where there is none of this key."""
    for each in templates():
        if each.key == key:
            return each
    raise FlowUnknown(f"there is no template {key!r}")
