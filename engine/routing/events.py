"""What the router is told and what it decides, as they stand in the stream, in the log and in an owner's inbox.

Times are Unix seconds on the installation's clock. An event may come twice (its sender could not know whether the first one
arrived); the second changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from engine.records.facts import OfferResult, Presence, QueueResult, WorkState
from engine.routing.roster import Roster


class Event(msgspec.Struct, frozen=True, tag_field="event", kw_only=True):
    at: float


class RosterPublished(Event, frozen=True, tag=True):
    roster: Roster


class PresenceWanted(Event, frozen=True, tag=True):
    """Somebody chose a presence for the agent; during a call it is kept till after it."""

    agent_id: int
    presence: Presence
    reason: str | None = None
    by: str = ""


class EntryAdded(Event, frozen=True, tag=True):
    """A call waits. Told again, the entry keeps its place and only its owner changes, so that a call which another process
    took over goes on where it was."""

    entry_id: str
    call_id: str
    queue: str
    owner: str
    entered_at: float
    priority: int = 0
    needs: Mapping[str, int] = {}


class EntryLeft(Event, frozen=True, tag=True):
    """The call waits no more: the caller has gone or chose another way. What was offered is taken back."""

    entry_id: str


class OfferSeen(Event, frozen=True, tag=True):
    """An offer of an earlier tenure that still stands; told before its agent and its entry. Told by its owner too, before
    the entry, when Redis may have lost it."""

    offer_id: str
    entry_id: str
    call_id: str
    queue: str
    agent_id: int
    offered_at: float
    expires_at: float
    owner: str = ""


class OfferAnswered(Event, frozen=True, tag=True):
    """The agent talks to the caller. Told again by the owner of the talk whenever Redis may have lost it; it is then true
    even if the offer is not known (any more)."""

    offer_id: str
    entry_id: str
    call_id: str
    queue: str
    agent_id: int


class OfferFailed(Event, frozen=True, tag=True):
    offer_id: str
    result: OfferResult


class ClaimLost(Event, frozen=True, tag=True):
    """The offer was decided, but could not be made: the call or the agent was not there any more when it was written."""

    offer_id: str
    entry_gone: bool


class TalkBegan(Event, frozen=True, tag=True):
    """The agent talks on a call that no queue brought, such as a colleague's; `offer_id` is the name of the agent's leg."""

    offer_id: str
    call_id: str
    agent_id: int


class TalkEnded(Event, frozen=True, tag=True):
    offer_id: str
    agent_id: int


class AgentSeen(Event, frozen=True, tag=True):
    """An agent's state as a new tenure finds it in Redis, or in Postgres where Redis lost it. `since` is when the state
    began, `idle_since` when the last call's work was over."""

    agent_id: int
    presence: Presence
    work: WorkState
    since: float
    idle_since: float
    reason: str | None = None
    call_id: str | None = None
    offer_id: str | None = None
    queue: str | None = None
    until: float | None = None
    wanted: Presence | None = None
    wanted_reason: str | None = None


class Settled(Event, frozen=True, tag=True):
    """Redis had lost its memory, and all who know of calls, offers and talks have had the time to tell them again. Until
    then nothing is decided that one of them might contradict."""


class TimePassed(Event, frozen=True, tag=True):
    """Nothing happened but time; what was due till `at` happens now."""


AnyEvent = (
    RosterPublished | PresenceWanted | EntryAdded | EntryLeft | OfferSeen | OfferAnswered | OfferFailed
    | ClaimLost | TalkBegan | TalkEnded | AgentSeen | Settled | TimePassed
)  # fmt: skip


class Decision(msgspec.Struct, frozen=True, tag_field="decision", kw_only=True):
    at: float


class MakeOffer(Decision, frozen=True, tag=True):
    """Ring this agent for this call. `offer_id` becomes the uuid of the agent's leg."""

    offer_id: str
    entry_id: str
    call_id: str
    owner: str
    queue: str
    agent_id: int
    agent_name: str
    extension: str
    ring_seconds: int
    expires_at: float
    why: dict[str, Any]


class CloseOffer(Decision, frozen=True, tag=True):
    """The offer that was made at `offered_at` is over. An owner that still rings the agent for it stops."""

    offer_id: str
    call_id: str
    owner: str | None
    queue: str
    agent_id: int
    extension: str
    offered_at: float
    result: OfferResult


class ReleaseEntry(Decision, frozen=True, tag=True):
    """The call is to leave the queue unanswered; its owner tells the flow."""

    entry_id: str
    call_id: str
    owner: str
    result: QueueResult


class PlaceEntry(Decision, frozen=True, tag=True):
    """The call has to wait; `position` counts from 1."""

    entry_id: str
    call_id: str
    owner: str
    position: int


class SetAgent(Decision, frozen=True, tag=True):
    """The agent's state changed."""

    agent_id: int
    name: str
    extension: str
    presence: Presence
    work: WorkState
    reason: str | None
    since: float
    idle_since: float
    call_id: str | None
    offer_id: str | None
    queue: str | None
    until: float | None
    wanted: Presence | None = None
    wanted_reason: str | None = None
    """What they chose to be after this call."""


class RemoveAgent(Decision, frozen=True, tag=True):
    """The agent is not set up any more."""

    agent_id: int


class CloseWrapUp(Decision, frozen=True, tag=True):
    """An agent's work after a call is over."""

    agent_id: int
    extension: str
    call_id: str
    queue: str | None
    started_at: float


class TakenOver(Decision, frozen=True, tag=True):
    """No decision of the router's: `owner` tells the process that had the call before that it has it now."""

    call_id: str
    owner: str


AnyDecision = MakeOffer | CloseOffer | ReleaseEntry | PlaceEntry | SetAgent | RemoveAgent | CloseWrapUp

decode_event = msgspec.json.Decoder(AnyEvent).decode
encode = msgspec.json.encode
