"""What the tests of flows share: the shipped prompts, a calendar or two, and a short way to run a flow on a script."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from dialplan import calendars, documents
from dialplan.hours import Calendar
from ivr.errors import FlowUnknown
from ivr.flow import Flow, PublishedFlow
from ivr.interpreter import STEP_BUDGET, Interpreter
from ivr.phone import Gone
from ivr.simulator import MemoryPhone, MemoryWatch, Script
from ivr.visit import Checkpoint, Ending, Speech, outcome_when_gone
from sounds.catalogue import Catalogue

ZONE = ZoneInfo("Europe/Copenhagen")
DEMO = Path(documents.__file__).parent.parent / "conf" / "demo"
CATALOGUE = Catalogue.of_home(Path("/nonexistent"))
CALENDARS: dict[str, Calendar] = {
    calendar.name: calendar
    for calendar in calendars.parse(
        documents.read((DEMO / "calendars.yaml").read_text(encoding="utf-8")), zone=ZONE, years=range(2026, 2028)
    )
}


@dataclass
class Played:
    """One call through a flow: how it ended, None where the caller left, and what was seen of it."""

    ending: Ending | None
    phone: MemoryPhone
    watch: MemoryWatch

    @property
    def names(self) -> list[str]:
        """The prompts that were begun, in order."""
        return [Path(heard.detail).stem for heard in self.phone.heard if heard.what == "prompt"]

    @property
    def disposition(self) -> str:
        if self.ending is not None:
            return self.ending.disposition
        return outcome_when_gone(self.watch.checkpoints[-1][1])


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


def flow_of(nodes: dict[str, object], start: str | None = None, **fields: object) -> Flow:
    return Flow.parse({"name": "test", "start": start or next(iter(nodes)), "nodes": nodes, **fields})


def play(
    flow: Flow,
    script: Script | None = None,
    *,
    when: str = "2026-11-23T10:00",
    resume: Checkpoint | None = None,
    budget: int = STEP_BUDGET,
    phone: MemoryPhone | None = None,
    watch: MemoryWatch | None = None,
    others: Iterable[Flow] = (),
    speech: Speech | None = None,
    **caller: Any,
) -> Played:
    """Run the flow, version 3, among `others`, all version 1; `caller` as MemoryPhone takes it."""
    phone = phone or MemoryPhone(script, start=at(when), **caller)
    watch = watch or MemoryWatch()
    known = {flow.name: PublishedFlow(3, flow), **{other.name: PublishedFlow(1, other) for other in others}}

    def find(name: str, version: int | None) -> PublishedFlow:
        found = known.get(name)
        if found is None or version not in (None, found.version):
            raise FlowUnknown(name)
        return found

    ending = None
    interpreter = Interpreter(CATALOGUE, CALENDARS, step_budget=budget, flows=find, speech=speech)
    with contextlib.suppress(Gone):
        ending = interpreter.run(known[flow.name], phone, watch, resume)
    return Played(ending, phone, watch)


def _exits_of(node: dict[str, object]) -> dict[str, str]:
    exits = node.get("exits", {})
    assert isinstance(exits, dict)
    return exits


def through(node: dict[str, object], script: Script | None = None, **how: Any) -> tuple[str | None, Played]:
    """Run one node, each exit of which has a goodbye of its own; gives the exit taken and the call."""
    flow = flow_of({"it": node, "end": {"type": "hang_up"}})
    ways = [way.name for way in flow.nodes["it"].every_way()]
    flow = flow_of(
        {"it": {**node, "exits": {**dict.fromkeys(ways, "end"), **_exits_of(node)}}, "end": {"type": "hang_up"}}
    )
    played = play(flow, script, **how)
    return played.watch.steps[0].exit, played
