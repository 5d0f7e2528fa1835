"""One call as the report tells it, and what must be true of every call there."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Any

Row = dict[str, Any]


@dataclass(frozen=True)
class Report:
    """The rows of one call in the views of the schema report, and its files' rows."""

    call: Row
    segments: list[Row]
    steps: list[Row]
    entries: list[Row]
    offers: list[Row]
    recordings: list[Row]
    messages: list[Row]

    @property
    def legs(self) -> list[str]:
        """The kinds of the segments of the caller's leg, in order."""
        return [segment["kind"] for segment in self.caller_leg]

    @property
    def caller_leg(self) -> list[Row]:
        return [segment for segment in self.segments if segment["leg"] == "caller"]

    @property
    def beside(self) -> list[str]:
        """The kinds of the segments on agents' legs."""
        return [segment["kind"] for segment in self.segments if segment["leg"] == "agent"]

    @property
    def way(self) -> list[tuple[str, str]]:
        """Node and exit of each step."""
        return [(step["node"], step["exit"]) for step in self.steps]

    @property
    def offered(self) -> list[tuple[str, str]]:
        """Extension and result of each offer, in order."""
        return [(offer["extension"], offer["result"]) for offer in self.offers]

    def check(self, forgotten: Collection[str] = ()) -> None:
        """What holds of every call that is over. `forgotten` are offers whose end nobody could tell: they have failed, and no
        time of their own."""
        call = self.call
        leg = self.caller_leg
        assert leg, call
        assert leg[0]["started_at"] == call["started_at"]
        assert leg[-1]["ended_at"] == call["ended_at"]
        for one, other in pairwise(leg):
            assert one["ended_at"] == other["started_at"], leg
        assert sum(segment["seconds"] for segment in leg) == call["total_seconds"]
        named = {"ivr": "ivr_seconds", "queue": "wait_seconds", "talk": "talk_seconds", "hold": "hold_seconds"}
        for kind, column in named.items():
            assert sum((part["seconds"] for part in leg if part["kind"] == kind), Decimal(0)) == call[column]
        for step in self.steps:
            assert step["left_at"] is not None, step
            assert step["exit"], step
        for step, following in pairwise(self.steps):
            assert step["left_at"] <= following["entered_at"], self.steps
        for entry in self.entries:
            assert entry["left_at"] is not None, entry
            assert entry["result"], entry
        if any(entry["result"] == "answered" and entry["kind"] == "call" for entry in self.entries):
            assert self.offers, self.entries
        for offer in self.offers:
            assert offer["ended_at"] is not None, offer
            assert offer["result"], offer
            assert offer["why"]["in_words"], offer
        told = [offer for offer in self.offers if str(offer["offer_id"]) not in forgotten]
        assert self.beside.count("offer") == len(told), (self.beside, self.offers)
        assert all(offer["result"] == "failed" for offer in self.offers if offer not in told), self.offers
        assert all(segment["ended_at"] is not None for segment in self.segments)
