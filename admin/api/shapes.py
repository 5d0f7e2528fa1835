"""What the API answers with. Times are ISO 8601 in UTC, lengths are seconds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import Response
from pydantic import BaseModel, Field

from admin.agents import Agent
from admin.board import AgentRow, CallRow, QueueRow
from admin.messages import Message
from admin.queues import Queue
from admin.search import Call


class CallsOut(BaseModel):
    """A page of the calls list. `hits` counts all pages and stops at 100,001; `after` and `before` are for the next and the
    previous page, empty where there is none."""

    calls: Sequence[Call]
    hits: int
    after: str
    before: str


class CallOut(BaseModel):
    """One call with all its parts, in their order."""

    call: dict[str, Any]
    segments: Sequence[dict[str, Any]]
    steps: Sequence[dict[str, Any]]
    entries: Sequence[dict[str, Any]]
    offers: Sequence[dict[str, Any]]
    recordings: Sequence[dict[str, Any]]
    messages: Sequence[dict[str, Any]]
    answers: Sequence[dict[str, Any]] = Field(description="What the caller answered in surveys.")
    mails: Sequence[dict[str, Any]] = Field(description="E-mails that the flow has asked for.")


class MessagesOut(BaseModel):
    messages: Sequence[Message]
    hits: int


class AgentsOut(BaseModel):
    agents: Sequence[Agent]


class QueuesOut(BaseModel):
    queues: Sequence[Queue]


class NumberOut(BaseModel):
    number_id: int
    number: str
    name: str
    destination: dict[str, Any]


class NumbersOut(BaseModel):
    numbers: Sequence[NumberOut]


class LiveOut(BaseModel):
    """What is true now. An agent's token is told who calls only where the call is their own."""

    queues: Sequence[QueueRow]
    waiting: Sequence[CallRow]
    talking: Sequence[CallRow]
    others: Sequence[CallRow]
    agents: Sequence[AgentRow]
    engines: int
    router: bool


class SystemOut(BaseModel):
    states: dict[str, str]
    processes: Sequence[dict[str, Any]]
    router: dict[str, Any]


class MeOut(BaseModel):
    name: str
    full_name: str
    role: str
    agent_id: int | None
    extension: str | None
    rights: Sequence[str]


class MadeOut(BaseModel):
    id: int


class FaultOut(BaseModel):
    error: str
    detail: str


class CallPath(BaseModel):
    call_id: UUID


class SoundPath(BaseModel):
    sound_id: UUID


def answer(model: BaseModel, status: int = 200) -> Response:
    return Response(model.model_dump_json(), status, mimetype="application/json")
