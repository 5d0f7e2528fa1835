"""Imports point one way: conf <- sounds, dialplan <- ivr <- engine, and admin on top of what it may use."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAY_USE = {
    "conf": ("conf",),
    "sounds": ("sounds", "conf"),
    "dialplan": ("dialplan", "conf"),
    "ivr": ("ivr", "sounds", "dialplan", "conf"),
    "engine": ("engine", "ivr", "sounds", "dialplan", "conf"),
    "admin": ("admin", "conf", "sounds", "dialplan", "ivr", "engine.records", "engine.live"),
}
APART = {
    # The peer that speaks FreeSWITCH's side shares frames with ours and nothing else, or it would be a mock.
    "engine/virtual": ("engine.call", "engine.routing", "engine.records"),
    # The wire knows nothing of calls; the records know nothing of the switch.
    "engine/esl": ("engine.call", "engine.routing", "engine.records", "engine.live", "engine.virtual"),
    "engine/records": ("engine.call", "engine.routing", "engine.esl", "engine.virtual"),
    "engine/live": ("engine.call", "engine.routing", "engine.esl", "engine.virtual"),
}


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Line and full name of everything that the file imports, in whatever form and depth."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (base, node.module or "") if part)
            for alias in node.names:
                yield node.lineno, f"{module}.{alias.name}"


def within(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


@pytest.mark.parametrize("package", MAY_USE)
def test_a_package_imports_only_what_stands_below_it(package: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in sorted((ROOT / package).rglob("*.py"))
        for line, name in imported(path)
        if name.partition(".")[0] in MAY_USE and not within(name, MAY_USE[package])
    ]
    assert wrong == []


@pytest.mark.parametrize("part", APART)
def test_parts_of_the_engine_keep_apart(part: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in sorted((ROOT / part).rglob("*.py"))
        for line, name in imported(path)
        if within(name, APART[part])
    ]
    assert wrong == []


def test_every_command_is_there() -> None:
    broken = []
    for point in entry_points(group="pointsman.commands"):
        try:
            point.load()
        except ImportError as error:
            broken.append(f"{point.name}: {error}")
    assert broken == []
