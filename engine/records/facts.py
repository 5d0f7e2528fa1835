"""Facts: what happened, as the journal keeps it and Postgres receives it.

A fact is appended to the journal the moment it is true and is never changed. Each can be applied to Postgres any number of
times with the same result, and in any order within a call, so a journal that is shipped twice, late, or by another process
does no harm. Times are aware UTC instants.

The caller's leg is always in exactly one phase: `PhaseBegan` ends the phase before it and `CallEnded` the last one, so a
call's segments cannot overlap and add up to the call. What runs beside it on an agent's leg (an offer, wrap-up) is a
`SideSegment` with both its ends.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec

Phase = Literal["ivr", "queue", "talk", "hold", "consult", "voicemail", "callback"]
SidePhase = Literal["offer", "wrap_up"]
Direction = Literal["inbound", "outbound", "internal"]
EndedBy = Literal["caller", "agent", "system", "transfer"]
Disposition = Literal[
    "answered", "self_service", "voicemail", "callback",
    "abandoned_ivr", "abandoned_queue", "short_abandon", "abandoned_ringing",
    "timeout", "no_agent", "full", "exit_key", "after_hours", "blocked",
    "busy", "no_answer", "rejected", "unreachable", "network",
]  # fmt: skip
QueueResult = Literal[
    "answered", "abandoned", "short_abandon", "timeout", "no_agent", "full", "exit_key", "after_hours", "callback", "failed",
    "all_paused", "overflow", "moved",
]  # fmt: skip
OfferResult = Literal["answered", "no_answer", "busy", "rejected", "unreachable", "caller_left", "failed", "taken"]
"""`taken`: another agent who rang for the same call was quicker."""
EntryKind = Literal["call", "callback"]
CallbackResult = Literal[
    "answered", "machine", "no_answer", "busy", "rejected", "unreachable", "forbidden", "agent_left", "failed",
]  # fmt: skip
"""`machine`: who or what picked up did not say that they want the call. `agent_left`: the agent hung up before the customer was
reached."""
Presence = Literal["ready", "pause", "offline"]
WorkState = Literal["idle", "offered", "talking", "wrap_up"]


class Fact(msgspec.Struct, frozen=True, tag_field="fact", kw_only=True):
    """The root of all facts; on the wire its class's name stands in `fact`."""


class CallBegan(Fact, frozen=True, tag=True):
    call_id: str
    at: datetime
    direction: Direction
    caller_number: str
    """As dialled in, normalised to E.164 where it is a public number; empty when withheld."""
    called_number: str
    number_name: str
    caller_name: str = ""
    switch: str = ""


class CallAnswered(Fact, frozen=True, tag=True):
    """The caller's leg was answered (by the IVR or an agent)."""

    call_id: str
    at: datetime


class CallerFound(Fact, frozen=True, tag=True):
    call_id: str
    customer_id: int


class PhaseBegan(Fact, frozen=True, tag=True):
    """The caller's leg passed into `phase` at `at`; two of one call never bear the same instant."""

    call_id: str
    at: datetime
    phase: Phase
    queue: str | None = None
    agent_id: int | None = None
    extension: str | None = None


class SideSegment(Fact, frozen=True, tag=True):
    call_id: str
    phase: SidePhase
    started_at: datetime
    ended_at: datetime
    queue: str | None = None
    agent_id: int | None = None
    extension: str | None = None


class StepEntered(Fact, frozen=True, tag=True):
    call_id: str
    entered_at: datetime
    flow: str
    flow_version: int
    node: str
    node_type: str


class StepLeft(Fact, frozen=True, tag=True):
    """The step that was entered at `entered_at` is over; `exit` is the node's exit, or `hung_up`, or `lost`."""

    call_id: str
    entered_at: datetime
    left_at: datetime
    exit: str


class QueueEntered(Fact, frozen=True, tag=True):
    entry_id: str
    call_id: str
    queue: str
    at: datetime
    priority: int = 0
    position: int | None = None
    estimated_wait_seconds: float | None = None
    estimated_low_seconds: float | None = None
    estimated_high_seconds: float | None = None
    kind: EntryKind = "call"


class QueueLeft(Fact, frozen=True, tag=True):
    entry_id: str
    call_id: str
    at: datetime
    result: QueueResult
    agent_id: int | None = None


class OfferMade(Fact, frozen=True, tag=True):
    offer_id: str
    call_id: str
    entry_id: str
    queue: str
    agent_id: int
    extension: str
    at: datetime
    why: dict[str, Any]
    """The decision's reasons: candidates, why each other one was left out, the score's terms."""


class OfferEnded(Fact, frozen=True, tag=True):
    offer_id: str
    at: datetime
    result: OfferResult


class AgentStateBegan(Fact, frozen=True, tag=True):
    """The agent passed into this state; it lasts till the next one of the same agent."""

    agent_id: int
    at: datetime
    presence: Presence
    work_state: WorkState
    reason: str | None = None
    call_id: str | None = None


class RecordingMade(Fact, frozen=True, tag=True):
    recording_id: str
    call_id: str
    path: str
    """Relative to the installation's recordings folder."""
    started_at: datetime
    seconds: float
    queue: str | None = None
    agent_id: int | None = None


class MessageLeft(Fact, frozen=True, tag=True):
    """A voicemail message; `box` is the name of a queue or an agent's extension."""

    voicemail_id: str
    call_id: str
    box: str
    path: str
    at: datetime
    seconds: float
    caller_number: str


class SurveyAnswered(Fact, frozen=True, tag=True):
    """The caller has answered a question of a survey: `answer` are the keys, `words` what they stand for. The last answer to
    a question of a call counts. `queue` and `agent_id` are those of the call until then."""

    call_id: str
    at: datetime
    survey: str
    question: str
    asked: str
    answer: str
    words: str = ""
    queue: str | None = None
    agent_id: int | None = None


class MailWanted(Fact, frozen=True, tag=True):
    """A flow wants an e-mail sent. Told twice under one id, it is sent once."""

    mail_id: str
    call_id: str
    at: datetime
    recipients: tuple[str, ...]
    subject: str
    body: str


class CallbackAsked(Fact, frozen=True, tag=True):
    """A caller wants to be called back. `record` is all that is known of it (engine.live.callbacks.Callback)."""

    callback_id: str
    call_id: str
    queue: str
    number: str
    at: datetime
    record: dict[str, Any]
    name: str = ""
    customer_id: int | None = None


class CallbackTried(Fact, frozen=True, tag=True):
    """An attempt is over; `call_id` is the outbound call, `due_at` when the next attempt is to be made."""

    callback_id: str
    call_id: str
    started_at: datetime
    ended_at: datetime
    result: CallbackResult
    agent_id: int | None = None
    extension: str | None = None
    due_at: datetime | None = None


class CallbackClosed(Fact, frozen=True, tag=True):
    """The callback is owed no more; `call_id` is the call in which the customer was reached."""

    callback_id: str
    at: datetime
    result: Literal["done", "failed", "cancelled"]
    by: str = ""
    call_id: str | None = None


class CallEnded(Fact, frozen=True, tag=True):
    """The caller's leg is gone. `final` is False where a sweeper closed the record of a call whose own process had died;
    a final one replaces it, never the other way round."""

    call_id: str
    at: datetime
    status: Disposition
    ended_by: EndedBy
    hangup_cause: str
    queue: str | None = None
    agent_id: int | None = None
    extension: str | None = None
    flow: str | None = None
    flow_version: int | None = None
    final: bool = True


AnyFact = (
    CallBegan | CallAnswered | CallerFound | PhaseBegan | SideSegment | StepEntered | StepLeft | QueueEntered | QueueLeft
    | OfferMade | OfferEnded | AgentStateBegan | RecordingMade | MessageLeft | SurveyAnswered | MailWanted
    | CallbackAsked | CallbackTried | CallbackClosed | CallEnded
)  # fmt: skip
