"""The live page, the stream that moves it and the desk, and presence chosen from either."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import monotonic
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from flask import Blueprint, Response, abort, render_template, request, stream_with_context
from peewee import PeeweeException
from pydantic import BaseModel

from admin import desk, moving, presence
from admin.access import Right, Viewer, needs, viewer
from admin.board import boards
from admin.forms import Form, Refused
from admin.parts import Parts, parts
from engine.live.connection import RedisError

live = Blueprint("live", __name__)
Wanted = TypeVar("Wanted", bound=BaseModel)

SILENCE_SECONDS = 15.0
"""After so long without news a comment goes out, so that proxies and browsers see that the line lives."""
PACE_SECONDS = 0.5
"""A board is not drawn more often than this for one browser, however much happens."""


@live.get("/live")
@needs(Right.SEE_LIVE)
def page() -> str:
    return render_template("live.html", place_key="live", wall=request.args.get("wall") == "1", **_board(viewer()))


@live.get("/live/board")
@needs(Right.SEE_LIVE)
def board() -> str:
    """The board alone."""
    return render_template("live_board.html", **_board(viewer()))


@live.post("/agents/<int:agent_id>/presence")
@needs(Right.SIGNED_IN)
def choose_presence(agent_id: int) -> Response:
    try:
        wanted = presence.parse(request.form.get("presence", ""), request.form.get("reason", ""))
        presence.choose(parts(), viewer(), agent_id, wanted)
    except ValueError:
        abort(400)
    except presence.PresenceRefused:
        abort(403)
    return Response(status=204)


@live.post("/agents/<int:agent_id>/wrap-up")
@needs(Right.SIGNED_IN)
def choose_wrap_up(agent_id: int) -> Response:
    form = Form(values=request.form.to_dict())
    wanted = form.read(presence.WrapUpIn, {name: value for name, value in form.values.items() if value})
    if wanted is None:
        abort(400)
    try:
        presence.wrap_up(parts(), viewer(), agent_id, wanted)
    except presence.PresenceRefused:
        abort(403)
    return Response(status=204)


@live.post("/live/entries/<uuid:entry_id>/queue")
@needs(Right.MOVE_CALLS)
def move(entry_id: UUID) -> Response:
    return _moved(moving.MoveIn, moving.move, entry_id)


@live.post("/live/entries/<uuid:entry_id>/agent")
@needs(Right.MOVE_CALLS)
def assign(entry_id: UUID) -> Response:
    return _moved(moving.AssignIn, moving.assign, entry_id)


@live.post("/live/entries/<uuid:entry_id>/place")
@needs(Right.MOVE_CALLS)
def reorder(entry_id: UUID) -> Response:
    return _moved(moving.ReorderIn, moving.reorder, entry_id)


def _moved(model: type[Wanted], ask: Callable[[Parts, Viewer, str, Wanted], None], entry_id: UUID) -> Response:
    form = Form(values=request.form.to_dict())
    wanted = form.read(model, {name: value for name, value in form.values.items() if value})
    if wanted is None:
        abort(400, " ".join(form.faults.values()))
    try:
        ask(parts(), viewer(), str(entry_id), wanted)
    except Refused as refused:
        return Response(str(refused), 409, mimetype="text/plain")
    return Response(status=204)


@live.get("/stream")
@needs(Right.SIGNED_IN)
def stream() -> Response:
    """Server-sent events: `board` (the board drawn anew) where `board=1` is asked for, and for an agent `state` (own
    state), `desk` (what it means for them) and `pop` (the card). Data are HTML, made here, so that what a caller is called is
    escaped in one place."""
    who = viewer()
    wants_board = request.args.get("board") == "1" and who.may(Right.SEE_LIVE)
    response = Response(stream_with_context(_events(parts(), who, wants_board)), mimetype="text/event-stream")
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    return response


def _board(who: Viewer) -> dict[str, Any]:
    try:
        return {"board": boards().view(), "viewer": who}
    except RedisError:
        return {"board": None, "viewer": who}


def _events(parts: Parts, who: Viewer, wants_board: bool) -> Iterator[str]:
    with parts.feed.listen(who.extension) as listener:
        yield "retry: 2000\n\n"
        if who.agent_id is not None:
            yield from _own(parts, who)
            card = desk.current_card(parts, who)
            if card:
                yield event("pop", card)
        shown = {"board": "", "state": "", "desk": ""}
        next_at = 0.0
        listener.changed = wants_board
        while not parts.feed.stopping:
            while listener.pops:
                yield event("pop", desk.card(parts, msgspec.json.decode(listener.pops.popleft())))
            if listener.changed and monotonic() >= next_at:
                listener.changed = False
                next_at = monotonic() + PACE_SECONDS
                for name, html in _changed(parts, who, wants_board):
                    if shown[name] != html:
                        shown[name] = html
                        yield event(name, html)
            due = max(0.05, next_at - monotonic()) if listener.changed else SILENCE_SECONDS
            if not listener.wait(due) and not listener.changed:
                yield f": {parts.clock.timestamp():.3f}\n\n"
                if wants_board:
                    listener.changed = True  # figures of the day move without an event


def _changed(parts: Parts, who: Viewer, wants_board: bool) -> Iterator[tuple[str, str]]:
    try:
        if who.agent_id is not None:
            yield "state", render_template("own_state.html", own_state=desk.own_state(parts, who), viewer=who)
            yield "desk", render_template("desk_state.html", desk_state=desk.desk_state(parts, who), viewer=who)
        if wants_board:
            yield "board", render_template("live_board.html", board=boards().view(), viewer=who)
    except (RedisError, PeeweeException):
        if wants_board:
            yield "board", render_template("live_board.html", board=None, viewer=who)


def _own(parts: Parts, who: Viewer) -> Iterator[str]:
    yield event("state", render_template("own_state.html", own_state=desk.own_state(parts, who), viewer=who))
    yield event("desk", render_template("desk_state.html", desk_state=desk.desk_state(parts, who), viewer=who))


def event(name: str, data: str) -> str:
    """One server-sent event; each line of the data gets its own field."""
    lines = "\n".join(f"data: {line}" for line in data.splitlines())
    return f"event: {name}\n{lines}\n\n"
