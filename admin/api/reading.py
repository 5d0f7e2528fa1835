"""The API's calls, recordings, messages, the live picture, presence and the own account."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from flask import Response, abort, request
from flask_openapi3.models.tag import Tag
from pydantic import BaseModel, Field

from admin import audio, messages, moving, presence
from admin.access import Right, Viewer, needs, viewer
from admin.account import SHORTEST_PASSWORD, accounts
from admin.api.blueprints import blueprint
from admin.api.shapes import (
    CallOut,
    CallPath,
    CallsOut,
    LiveOut,
    MeOut,
    MessagesOut,
    SoundPath,
    SystemOut,
    answer,
)
from admin.board import CallRow, boards
from admin.calls import COLUMN_KEYS
from admin.forms import Refused
from admin.health import examine
from admin.onecall import load
from admin.parts import Parts, parts
from admin.periods import USUAL, FilterUnusable
from admin.search import PERIODS, SORTS, CallSearch, read_filters
from engine.records.accounts import AccountRefused

reading = blueprint("api")
Wanted = TypeVar("Wanted", bound=BaseModel)
CALLS, LIVE, OWN = Tag(name="Calls"), Tag(name="Live"), Tag(name="Own account")


class CallsQuery(BaseModel):
    """The filters of the calls list, as its address writes them."""

    period: str = Field(default=USUAL, description=f"One of {', '.join(PERIODS)}.")
    since: str = Field(default="", alias="from", description="With period `dates`: first day, 2026-03-04.")
    until: str = Field(default="", alias="to", description="With period `dates`: last day.")
    q: str = Field(default="", description="A number in any spelling, or a part of a name.")
    direction: str = ""
    status: str = Field(default="", description="A disposition, or `missed` for all that nobody answered.")
    queue: str = ""
    agent: str = Field(default="", description="An agent's id.")
    customer: str = Field(default="", description="A customer's id.")
    sort: str = Field(default="-started", description=f"One of {', '.join(SORTS)}; with - the largest first.")
    after: str = ""
    before: str = ""
    limit: int = Field(default=50, ge=1, le=500)


@reading.get("/calls", summary="Calls that have ended", tags=[CALLS], responses={200: CallsOut})
@needs(Right.SEE_CALLS)
def list_calls(query: CallsQuery) -> Response:
    here, who = parts(), viewer()
    search = CallSearch(here.db, here.settings.zone)
    try:
        filters = read_filters(request.args, COLUMN_KEYS)
        found = search.find(filters, now=here.clock.now(), only_agent=who.only_agent, limit=query.limit)
    except FilterUnusable as fault:
        abort(400, str(fault))
    return answer(CallsOut(calls=found.calls, hits=found.hits, after=found.after, before=found.before))


@reading.get("/calls/<uuid:call_id>", summary="One call with all its parts", tags=[CALLS], responses={200: CallOut})
@needs(Right.SEE_CALLS)
def one_call(path: CallPath) -> Response:
    who = viewer()
    found = load(parts().db, str(path.call_id))
    if found is None or (who.only_agent is not None and not found.belongs_to(who.only_agent)):
        abort(404)
    heard = who.only_agent is None or found.call["agent_id"] == who.only_agent
    return answer(
        CallOut(
            call=dict(found.call),
            segments=[dict(row) for row in found.segments],
            steps=[dict(row) for row in found.steps],
            entries=[dict(row) for row in found.entries],
            offers=[dict(row) for row in found.offers],
            recordings=[dict(row) for row in found.recordings] if heard else [],
            messages=[dict(row) for row in found.messages],
            answers=[dict(row) for row in found.answers],
            mails=[dict(row) for row in found.mails],
        )
    )


@reading.get("/recordings/<uuid:sound_id>/audio", summary="A recording's sound, with ranges", tags=[CALLS])
@needs(Right.SEE_CALLS)
def recording_audio(path: SoundPath) -> Response:
    return audio.send(parts(), viewer(), "recording", path.sound_id)


class ListenedIn(BaseModel):
    listened: bool = True


@reading.post("/recordings/<uuid:sound_id>/listened", summary="Mark a recording as listened to, or not", tags=[CALLS])
@needs(Right.SEE_CALLS)
def recording_listened(path: SoundPath, body: ListenedIn) -> Response:
    if not audio.mark_listened(parts(), viewer(), "recording", path.sound_id, listened=body.listened):
        abort(404)
    return Response(status=204)


class MessagesQuery(BaseModel):
    box: str = Field(default="", description="A queue's name or an extension.")
    new: bool = Field(default=False, description="Only those nobody has listened to.")
    before: datetime | None = Field(default=None, description="`left_at` of the last one of the page before.")
    limit: int = Field(default=50, ge=1, le=500)


@reading.get("/messages", summary="Messages that callers left", tags=[CALLS], responses={200: MessagesOut})
@needs(Right.SEE_CALLS)
def list_messages(query: MessagesQuery) -> Response:
    here, who = parts(), viewer()
    found = messages.find(here, who, box=query.box, new=query.new, before=query.before, limit=query.limit)
    return answer(MessagesOut(messages=found, hits=messages.count(here, who, box=query.box, new=query.new)))


@reading.get("/messages/<uuid:sound_id>/audio", summary="A message's sound, with ranges", tags=[CALLS])
@needs(Right.SEE_CALLS)
def message_audio(path: SoundPath) -> Response:
    return audio.send(parts(), viewer(), "voicemail", path.sound_id)


@reading.post("/messages/<uuid:sound_id>/listened", summary="Mark a message as listened to, or not", tags=[CALLS])
@needs(Right.SEE_CALLS)
def message_listened(path: SoundPath, body: ListenedIn) -> Response:
    if not audio.mark_listened(parts(), viewer(), "voicemail", path.sound_id, listened=body.listened):
        abort(404)
    return Response(status=204)


@reading.get("/live", summary="Who waits, who talks, what agents do", tags=[LIVE], responses={200: LiveOut})
@needs(Right.SEE_LIVE)
def live_picture() -> Response:
    view, who = boards().view(), viewer()

    def shown(rows: Any) -> list[CallRow]:
        if who.may(Right.WATCH_ALL):
            return list(rows)
        return [row if row.agent_id == who.agent_id else replace(row, number="", customer="") for row in rows]

    agents = view.agents if who.may(Right.WATCH_ALL) else [
        row if row.agent_id == who.agent_id else replace(row, with_whom="", call_id=None) for row in view.agents
    ]  # fmt: skip
    return answer(
        LiveOut(
            queues=view.queues,
            waiting=shown(view.waiting),
            talking=shown(view.talking),
            others=shown(view.others),
            agents=agents,
            engines=view.engines,
            router=view.leader,
        )
    )


class AgentPath(BaseModel):
    agent_id: int


@reading.put("/agents/<int:agent_id>/presence", summary="Choose an agent's presence", tags=[LIVE])
@needs(Right.SIGNED_IN)
def choose_presence(path: AgentPath, body: presence.PresenceIn) -> Response:
    try:
        presence.choose(parts(), viewer(), path.agent_id, body)
    except presence.PresenceRefused:
        abort(403)
    return Response(status=204)


@reading.put("/agents/<int:agent_id>/wrap-up", summary="More time to write up a call, or its end", tags=[LIVE])
@needs(Right.SIGNED_IN)
def choose_wrap_up(path: AgentPath, body: presence.WrapUpIn) -> Response:
    try:
        presence.wrap_up(parts(), viewer(), path.agent_id, body)
    except presence.PresenceRefused:
        abort(403)
    return Response(status=204)


class EntryPath(BaseModel):
    entry_id: UUID


@reading.put("/live/entries/<uuid:entry_id>/queue", summary="Move a caller who waits to another queue", tags=[LIVE])
@needs(Right.MOVE_CALLS)
def move_entry(path: EntryPath, body: moving.MoveIn) -> Response:
    return _moved(moving.move, path, body)


@reading.put("/live/entries/<uuid:entry_id>/agent", summary="Give a caller who waits to one agent", tags=[LIVE])
@needs(Right.MOVE_CALLS)
def assign_entry(path: EntryPath, body: moving.AssignIn) -> Response:
    return _moved(moving.assign, path, body)


@reading.put("/live/entries/<uuid:entry_id>/place", summary="Put a caller before another one", tags=[LIVE])
@needs(Right.MOVE_CALLS)
def reorder_entry(path: EntryPath, body: moving.ReorderIn) -> Response:
    return _moved(moving.reorder, path, body)


def _moved(ask: Callable[[Parts, Viewer, str, Wanted], None], path: EntryPath, body: Wanted) -> Response:
    try:
        ask(parts(), viewer(), str(path.entry_id), body)
    except Refused as refused:
        abort(409, str(refused))
    return Response(status=204)


@reading.get("/system", summary="Whether each part answers", tags=[LIVE], responses={200: SystemOut})
@needs(Right.SEE_SYSTEM)
def system() -> Response:
    found = examine(parts())
    snapshot = found.snapshot
    return answer(
        SystemOut(
            states=dict(found.states),
            processes=snapshot["processes"] if snapshot else [],
            router=snapshot["router"] if snapshot else {},
        )
    )


@reading.get("/me", summary="Whose token this is", tags=[OWN], responses={200: MeOut})
@needs(Right.SIGNED_IN)
def me() -> Response:
    who = viewer()
    return answer(
        MeOut(
            name=who.name,
            full_name=who.full_name,
            role=who.role,
            agent_id=who.agent_id,
            extension=who.extension,
            rights=sorted(right.value for right in Right if who.may(right)),
        )
    )


class PasswordIn(BaseModel):
    present: str = Field(max_length=512)
    wanted: str = Field(min_length=SHORTEST_PASSWORD, max_length=512)


@reading.put("/me/password", summary="Change the own password", tags=[OWN])
@needs(Right.SIGNED_IN)
def change_password(body: PasswordIn) -> Response:
    who = viewer()
    if accounts().sign_in(who.name, body.present) is None:
        abort(400, "present: the present password is not right")
    try:
        accounts().set_password(who.name, body.wanted)
    except AccountRefused as refused:
        abort(400, f"wanted: {refused}")
    return Response(status=204)
