"""The API's callbacks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from flask import Response, abort
from flask_openapi3.models.tag import Tag
from pydantic import BaseModel, Field

from admin import callbacks
from admin.access import Right, needs, viewer
from admin.api.blueprints import blueprint
from admin.api.shapes import answer
from admin.callbacks import Attempt, Callback
from admin.forms import Refused
from admin.parts import parts
from engine.live.callbacks import Wish

api_callbacks = blueprint("api_callbacks")
CALLS = Tag(name="Calls")


class CallbacksQuery(BaseModel):
    state: str = Field(default="", description="owed, done, failed or cancelled; empty for all.")
    queue: str = Field(default="", description="The queue's name.")
    before: datetime | None = Field(
        default=None, description="Those after the last one of the page before, by its `asked_at`."
    )
    limit: int = Field(default=50, ge=1, le=500)


class CallbackPath(BaseModel):
    callback_id: UUID


class CallbacksOut(BaseModel):
    callbacks: Sequence[Callback]
    counts: dict[str, int]


class CallbackOut(BaseModel):
    callback: Callback
    attempts: Sequence[Attempt]


@api_callbacks.get("/callbacks", summary="Who is owed a call, and who was", tags=[CALLS], responses={200: CallbacksOut})
@needs(Right.ALL_CALLS)
def list_callbacks(query: CallbacksQuery) -> Response:
    here = parts()
    if query.state and query.state not in callbacks.LISTS:
        abort(400, f"state: one of {', '.join(callbacks.LISTS)}")
    found = callbacks.find(here, state=query.state, queue=query.queue, before=query.before, limit=query.limit)
    return answer(CallbacksOut(callbacks=found, counts=callbacks.counts(here, query.queue)))


@api_callbacks.get(
    "/callbacks/<uuid:callback_id>",
    summary="One callback with its attempts",
    tags=[CALLS],
    responses={200: CallbackOut},
)
@needs(Right.ALL_CALLS)
def one_callback(path: CallbackPath) -> Response:
    found = callbacks.get(parts(), path.callback_id)
    if found is None:
        abort(404, "There is no such callback.")
    return answer(CallbackOut(callback=found, attempts=callbacks.attempts(parts(), path.callback_id)))


@api_callbacks.post("/callbacks/<uuid:callback_id>/cancel", summary="Give a callback up", tags=[CALLS])
@needs(Right.MOVE_CALLS)
def cancel_callback(path: CallbackPath) -> Response:
    return _asked(path.callback_id, "cancel")


@api_callbacks.post(
    "/callbacks/<uuid:callback_id>/now", summary="Try a callback before all others, whatever the hours", tags=[CALLS]
)
@needs(Right.MOVE_CALLS)
def call_back_now(path: CallbackPath) -> Response:
    return _asked(path.callback_id, "now")


def _asked(callback_id: UUID, what: Wish) -> Response:
    try:
        callbacks.wish(parts(), viewer(), callback_id, what)
    except Refused as refused:
        abort(409, str(refused))
    return Response(status=202)
