"""A recorded day decided again: by the same router told the same events, each decision compared byte by byte."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from engine.routing import day_log
from engine.routing.events import decode_event, encode
from engine.routing.router import Router


@dataclass(frozen=True, slots=True)
class Difference:
    """The first step that was decided otherwise: its line, what the router was told, what it had decided, what it decides."""

    line: int
    event: dict[str, Any]
    recorded: list[dict[str, Any]]
    decided: list[dict[str, Any]]

    def first(self) -> tuple[int, dict[str, Any] | None, dict[str, Any] | None]:
        """The number of the first decision that differs, as recorded and as decided now."""
        for number in range(max(len(self.recorded), len(self.decided))):
            was = self.recorded[number] if number < len(self.recorded) else None
            now = self.decided[number] if number < len(self.decided) else None
            if was != now:
                return number, was, now
        return 0, None, None


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of one tenure's log."""

    path: Path
    tenure: day_log.Tenure
    events: int
    decisions: int
    seconds: float
    difference: Difference | None


def replay(path: Path) -> Replayed:
    """Decide the tenure of this log again, to its end or to the first difference. LogBroken, OSError."""
    tenure, lines = day_log.read(path)
    router = Router(tenure.seed, settled=tenure.settled)
    began = time.perf_counter()
    events = decisions = 0
    difference = None
    for number, told in enumerate(lines, start=2):
        try:
            event = decode_event(told.e)
        except msgspec.MsgspecError as error:
            raise day_log.LogBroken(f"{path}, line {number}: {error}") from error
        decided = router.step(event)
        events += 1
        decisions += len(decided)
        if encode(decided) != bytes(told.d):
            difference = Difference(
                number,
                msgspec.json.decode(told.e),
                msgspec.json.decode(told.d),
                msgspec.json.decode(encode(decided)),
            )
            break
    return Replayed(path, tenure, events, decisions, time.perf_counter() - began, difference)
