"""A router and a clock, with the events told as a story."""

from __future__ import annotations

from typing import Any

from engine.records.queues import AgentSettings, QueueSettings, decode_queue
from engine.routing.events import (
    Decision,
    EntryAdded,
    Event,
    MakeOffer,
    OfferAnswered,
    OfferFailed,
    PresenceWanted,
    ReleaseEntry,
    RosterPublished,
    SetAgent,
    TalkEnded,
    TimePassed,
)
from engine.routing.roster import AgentProfile, QueueRule, Roster
from engine.routing.router import Router


def roster(*agents: AgentProfile, queues: tuple[QueueRule, ...] = ()) -> Roster:
    return Roster(version=1, agents=agents, queues=queues or (QueueRule("sales", needs={"sales": 2}),))


ANNA = AgentProfile(1, "Anna", "1001", {"sales": 5}, wrap_up_seconds=10)
BEN = AgentProfile(2, "Ben", "1002", {"sales": 2}, wrap_up_seconds=0)
CLARA = AgentProfile(3, "Clara", "1003", {"support": 5})


class Desk:
    """A router and a clock, with the events told as a story."""

    def __init__(self, who: Roster, seed: int = 1) -> None:
        self.router = Router(seed)
        self.at = 0.0
        self.tell(RosterPublished(at=0.0, roster=who))

    def tell(self, event: Event) -> list[Decision]:
        self.at = max(self.at, event.at)
        return self.router.step(event)

    def ready(self, agent_id: int, after: float = 1.0) -> list[Decision]:
        self.at += after
        return self.tell(PresenceWanted(at=self.at, agent_id=agent_id, presence="ready"))

    def call(
        self, name: str, queue: str = "sales", after: float = 1.0, priority: int = 0, **more: Any
    ) -> list[Decision]:
        self.at += after
        return self.tell(
            EntryAdded(
                at=self.at,
                entry_id=name,
                queue=queue,
                owner="engine-1",
                entered_at=self.at,
                priority=priority,
                **({"call_id": name} | more),
            )
        )

    def answered(self, offer: MakeOffer, after: float = 1.0) -> list[Decision]:
        self.at += after
        return self.tell(
            OfferAnswered(
                at=self.at,
                offer_id=offer.offer_id,
                entry_id=offer.entry_id,
                call_id=offer.call_id,
                queue=offer.queue,
                agent_id=offer.agent_id,
            )
        )

    def failed(self, offer: MakeOffer, result: str = "no_answer", after: float = 1.0) -> list[Decision]:
        self.at += after
        return self.tell(OfferFailed(at=self.at, offer_id=offer.offer_id, result=result))  # type: ignore[arg-type]

    def ended(self, offer: MakeOffer, after: float = 1.0) -> list[Decision]:
        self.at += after
        return self.tell(TalkEnded(at=self.at, offer_id=offer.offer_id, agent_id=offer.agent_id))

    def pass_time(self, seconds: float) -> list[Decision]:
        self.at += seconds
        return self.tell(TimePassed(at=self.at))


def offers(decisions: list[Decision]) -> list[MakeOffer]:
    return [decision for decision in decisions if isinstance(decision, MakeOffer)]


def state(decisions: list[Decision], agent_id: int) -> tuple[str, str, str | None]:
    last = [each for each in decisions if isinstance(each, SetAgent) and each.agent_id == agent_id][-1]
    return last.presence, last.work, last.reason


def released(decisions: list[Decision]) -> list[tuple[str, str]]:
    return [(each.entry_id, each.result) for each in decisions if isinstance(each, ReleaseEntry)]


def agent(number: int, wrap_up: int = 0, cost: float = 0.0, **skills: int) -> AgentProfile:
    """Agent 1 has the extension 1001, and so on."""
    return AgentProfile(
        number, f"agent {number}", str(1000 + number), skills, wrap_up, AgentSettings(cost_per_minute=cost)
    )


def rules(**document: Any) -> QueueSettings:
    return decode_queue(document)
