"""What Redis keeps of a live call, so that any process can show it and go on with it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from engine.records.facts import CallBegan, Direction, Disposition, EndedBy
from engine.routing.wishes import Wishes

STATEMENT = ""
"""The box of what is a recording of the call and nobody's message."""


class Message(msgspec.Struct, frozen=True):
    """A voicemail message or a statement that is being recorded, so that what was said is kept even if nobody stops the
    recording."""

    voicemail_id: str
    box: str
    path: str
    began: datetime


class Recording(msgspec.Struct, frozen=True):
    """A conversation that is being recorded, or was and is not written down yet: whoever has the call at its end does it."""

    recording_id: str
    path: str
    began: datetime


class Checkpoint(msgspec.Struct, kw_only=True):
    """What Redis keeps of a live call: enough to show it and to go on with it. Times are UTC instants."""

    call_id: str
    owner: str
    started_at: datetime
    direction: Direction
    from_number: str = msgspec.field(name="from")
    to_number: str = msgspec.field(name="to")
    number_name: str = ""
    caller_name: str = ""
    switch: str = ""
    state: str = "ivr"
    since: datetime
    answered_at: datetime | None = None
    customer_id: int | None = None
    customer_name: str | None = None
    customer_category: str | None = None
    flow: str | None = None
    flow_version: int | None = None
    node: str | None = None
    node_type: str | None = None
    step_entered_at: datetime | None = None
    variables: dict[str, Any] = {}
    ivr_path: list[str] = []
    queue: str | None = None
    entry_id: str | None = None
    entered_at: datetime | None = None
    priority: int = 0
    wishes: Wishes = Wishes()
    offer_id: str | None = None
    agent_id: int | None = None
    agent: str | None = None
    extension: str | None = None
    beside: dict[str, tuple[int, str, str]] = {}
    """Who rings together with that agent: the offer's id -> agent's id, name and extension."""
    recording: Recording | None = None
    message: Message | None = None
    typed: str = ""
    """Keys pressed that nothing was done with yet."""
    parted_at: datetime | None = None
    """When the talk that the call stands at ended, as the router was told; what comes after it has not begun yet."""
    last_queue: str | None = None
    place_at: float | None = None
    """Since when the call counts as waiting, in Unix seconds, once it has left a queue unanswered; it keeps that place wherever
    it waits next."""
    callback_id: str | None = None
    """The callback for which this is an attempt; the leg is the agent's, and the customer's bears the offer's name."""
    sent_to: dict[str, Any] | None = None
    """The destination whose flow the call follows, where a queue's own settings have sent it there."""
    result: Disposition | None = None
    """What the call would be called if it ended now and nothing else happened."""
    ended_by: EndedBy | None = None
    lost_at: datetime | None = None
    """Since when the owner hears nothing of the leg any more, without its end having been told."""


def beginning(call: Checkpoint) -> CallBegan:
    """How the call began, to be written down; said twice, the record is the same."""
    return CallBegan(
        call_id=call.call_id,
        at=call.started_at,
        direction=call.direction,
        caller_number=call.from_number,
        called_number=call.to_number,
        number_name=call.number_name,
        caller_name=call.caller_name,
        switch=call.switch,
    )
