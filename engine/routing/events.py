"""What the router is told and what it decides, as they stand in the stream, in the log and in an owner's inbox.

Times are Unix seconds on the installation's clock. An event may come twice (its sender could not know whether the first one
arrived); the second changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from engine.records.facts import EntryKind, OfferResult, Presence, QueueResult, WorkState
from engine.routing.expected import Expected, Pace
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
    """Points beyond the queue's own."""
    needs: Mapping[str, int] = {}
    """Of the flow, the number, the customer and the language; skill -> level."""
    exact: tuple[str, ...] = ()
    """Skills of `needs` of which that level and no other serves."""
    kind: EntryKind = "call"
    place_at: float | None = None
    """Since when it counts as waiting, where that is earlier than `entered_at`: a callback's or a moved call's place."""
    not_before: float | None = None
    """It is offered to nobody before that."""
    caller: str = ""
    """The caller's number (or callback's), normalised; empty where withheld. Who comes again is known by it."""
    customer_id: int | None = None
    category: str = ""
    """The customer's: vip, average, problem; empty where the customer is unknown."""
    responsible: int | None = None
    """Agent responsible for the customer."""
    last_agent: int | None = None
    """Agent the customer talked with last."""


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
    batch: str = ""


class EntryMoved(Event, frozen=True, tag=True):
    """A supervisor moves a waiting entry to another queue; its owner is told to enter it there at its place."""

    entry_id: str
    queue: str
    by: str = ""


class EntryAssigned(Event, frozen=True, tag=True):
    """A supervisor gives a waiting entry to one agent, who gets it as soon as they are free; as long as they are logged in
    nobody else does."""

    entry_id: str
    agent_id: int
    by: str = ""


class EntryReordered(Event, frozen=True, tag=True):
    """A supervisor puts a waiting entry right before another one of its queue, or behind the last one (None)."""

    entry_id: str
    before: str | None = None
    by: str = ""


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
    dropped: bool = False
    """The caller was cut off: the line failed, nobody hung up."""


class WrapUpExtended(Event, frozen=True, tag=True):
    """So many seconds more to write up; told during the talk, for after it."""

    agent_id: int
    seconds: int = 30
    by: str = ""


class WrapUpEnded(Event, frozen=True, tag=True):
    """The agent has written up."""

    agent_id: int
    by: str = ""


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
    rest_until: float | None = None
    offered_at: float = 0.0
    calls: int = 0
    talk_seconds: float = 0.0
    misses: Mapping[str, int] = {}
    beside: Mapping[str, str] = {}
    owed: tuple[str, str, float] | None = None


class PlaceSeen(Event, frozen=True, tag=True):
    """A place that an earlier tenure kept for somebody who may come again."""

    queue: str
    caller: str
    place_at: float
    until: float


class PaceSeen(Event, frozen=True, tag=True):
    """What an earlier tenure had measured of a queue."""

    queue: str
    pace: Pace


class HoursChanged(Event, frozen=True, tag=True):
    """A calendar that queues go by opens or closes."""

    calendar: str
    open: bool


class DayBegan(Event, frozen=True, tag=True):
    """The agents' calls and talk of the day count from nought again."""


class DryRun(Event, frozen=True, tag=True):
    """Somebody asks who would get a call now, and why; nothing changes by it."""

    ask_id: str
    queue: str
    priority: int = 0
    needs: Mapping[str, int] = {}
    exact: tuple[str, ...] = ()
    waited_seconds: float = 0.0
    category: str = ""
    responsible: int | None = None
    last_agent: int | None = None


class Settled(Event, frozen=True, tag=True):
    """Redis had lost its memory, and all who know of calls, offers and talks have had the time to tell them again. Until
    then nothing is decided that one of them might contradict."""


class TimePassed(Event, frozen=True, tag=True):
    """Nothing happened but time; what was due till `at` happens now."""


AnyEvent = (
    RosterPublished | PresenceWanted | EntryAdded | EntryLeft | EntryMoved | EntryAssigned | EntryReordered | OfferSeen
    | OfferAnswered | OfferFailed | ClaimLost | TalkBegan | TalkEnded | WrapUpExtended | WrapUpEnded | AgentSeen | PlaceSeen
    | PaceSeen | HoursChanged | DayBegan | DryRun | Settled | TimePassed
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
    kind: EntryKind = "call"
    batch: str = ""
    """The offers of one entry that ring together (strategy ring_all) bear the same; empty where one rings alone."""
    together: int = 1
    """How many offers bear it."""
    whisper: tuple[str, ...] = ()
    """The queue's words to the agent; see engine.records.queues."""
    auto_answer: bool = False
    announce_caller: bool = False
    waited_seconds: float = 0.0

    def seen(self, at: float) -> OfferSeen:
        """What a router that does not know this offer, which still stands, is told of it."""
        return OfferSeen(
            at=at,
            offer_id=self.offer_id,
            entry_id=self.entry_id,
            call_id=self.call_id,
            queue=self.queue,
            agent_id=self.agent_id,
            offered_at=self.at,
            expires_at=self.expires_at,
            owner=self.owner,
            batch=self.batch,
        )


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
    """The call is to leave the queue unanswered; its owner takes the queue's way out for the result, or tells the flow.
    With the result `moved` it enters `queue` instead, its `place_at` being `place_at`."""

    entry_id: str
    call_id: str
    owner: str
    result: QueueResult
    queue: str | None = None
    place_at: float | None = None
    by: str = ""


class PlaceEntry(Decision, frozen=True, tag=True):
    """The call has to wait, or waits at another place; `position` counts from 1. `rank` is its score in the queue's sorted
    set, which is written for it. `expected` is None where too little has been measured."""

    entry_id: str
    call_id: str
    owner: str
    position: int
    queue: str = ""
    rank: float = 0.0
    expected: Expected | None = None


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
    rest_until: float | None = None
    """Till when they get no call after an offer that came to nothing."""
    offered_at: float = 0.0
    """When they were offered a call last."""
    calls: int = 0
    talk_seconds: float = 0.0
    """Of queues, today."""
    misses: Mapping[str, int] = {}
    """Failed offers in a row, by their result."""
    beside: Mapping[str, str] = {}
    """Other talks on the same phone, leg -> call."""
    owed: tuple[str, str, float] | None = None
    """Call, queue and end (0: not begun) of work after a call that a talk has put off."""


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


class KeepPlace(Decision, frozen=True, tag=True):
    """Somebody who left may come again till `until` and then has this place."""

    queue: str
    caller: str
    place_at: float
    until: float


class TellPace(Decision, frozen=True, tag=True):
    """What is measured of a queue now, for those who tell callers how long it may take."""

    queue: str
    pace: Pace


class AnswerDryRun(Decision, frozen=True, tag=True):
    """See engine.routing.dry_run for the answer's keys."""

    ask_id: str
    answer: dict[str, Any]


class TakenOver(Decision, frozen=True, tag=True):
    """No decision of the router's: `owner` tells the process that had the call before that it has it now."""

    call_id: str
    owner: str


decode_event = msgspec.json.Decoder(AnyEvent).decode
encode = msgspec.json.encode
