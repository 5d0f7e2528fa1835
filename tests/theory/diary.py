"""What the router did with each call, by its day's log: the instants between which theory has it at an agent."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from engine.routing import day_log


@dataclass(slots=True)
class Served:
    """One call's way through the router; instants in Unix seconds of the installation's clock."""

    at_once: bool
    """The router offered it in the very step in which it was told that it came."""
    offered: float | None = None
    freed: float | None = None
    """When its agent was free for the next call."""


def read(folder: Path) -> dict[str, Served]:
    """Every call in the logs of `folder`, by its id."""
    found: dict[str, Served] = {}
    offers: dict[str, Served] = {}
    for path in sorted(folder.glob(f"*/*{day_log.SUFFIX}")):
        _, lines = day_log.read(path)
        for line in lines:
            event: dict[str, Any] = msgspec.json.decode(line.e)
            decisions: list[dict[str, Any]] = msgspec.json.decode(line.d)
            for each in decisions:
                if each["decision"] == "MakeOffer":
                    at_once = event["event"] == "EntryAdded" and event["call_id"] == each["call_id"]
                    found[each["call_id"]] = offers[each["offer_id"]] = Served(at_once, offered=each["at"])
                elif each["decision"] == "CloseOffer" and each["result"] != "answered":
                    offers[each["offer_id"]].freed = each["at"]
            if event["event"] == "EntryAdded":
                found.setdefault(event["call_id"], Served(at_once=False))
            elif event["event"] == "TalkEnded" and event["offer_id"] in offers:
                offers[event["offer_id"]].freed = event["at"]
    return found
