"""What the router remembers of agents, waiting calls and offers."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.records.facts import Presence, WorkState
from engine.routing.pools import Needs, Pool
from engine.routing.roster import AgentProfile


@dataclass(slots=True)
class Agent:
    """An agent as the router sees them now."""

    profile: AgentProfile
    presence: Presence = "offline"
    work: WorkState = "idle"
    reason: str | None = None
    since: float = 0.0
    idle_since: float = 0.0
    call_id: str | None = None
    offer_id: str | None = None
    queue: str | None = None
    until: float | None = None
    wanted: tuple[Presence, str | None] | None = None
    """The presence chosen during an offer or a talk, for after it."""
    pools: list[Pool] = field(default_factory=list)
    counted: bool = False
    """Whether the pools count this agent as free."""

    @property
    def free(self) -> bool:
        return self.presence == "ready" and self.work == "idle"


@dataclass(slots=True)
class Entry:
    """A call that waits, or is offered to an agent."""

    entry_id: str
    call_id: str
    queue: str
    owner: str
    entered_at: float
    rank: float
    sequence: int
    needs: Needs
    offer_id: str | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """A call on its way to an agent whose phone rings."""

    offer_id: str
    entry_id: str
    call_id: str
    queue: str
    agent_id: int
    offered_at: float
    owner: str = ""
