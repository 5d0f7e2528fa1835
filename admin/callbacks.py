"""Callbacks: who is owed a call, what became of it, and what a supervisor may do about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal, cast
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from admin.access import Right, Viewer, needs, viewer
from admin.forms import Refused
from admin.parts import Parts, parts
from engine.live import callbacks as live
from engine.live.callbacks import Wish
from engine.live.connection import RedisError

callbacks = Blueprint("callbacks", __name__)

PAGE = 50
State = Literal["owed", "calling", "done", "failed", "cancelled"]
LISTS: Final = {"owed": "Owed", "done": "Reached", "failed": "Not reached", "cancelled": "Cancelled"}
_SELECT = """
SELECT r.callback_id, r.queue, COALESCE(NULLIF(q.title, ''), r.queue), r.number, COALESCE(NULLIF(r.name, ''), k.name, ''),
       COALESCE(k.company, ''), COALESCE(k.category, ''), r.customer_id, r.call_id, r.asked_at, r.state, r.attempts,
       r.last_result, r.due_at, r.closed_at, COALESCE(r.closed_by, ''), r.closed_call_id, r.seconds::float8
FROM report.callbacks r LEFT JOIN queue q ON q.name = r.queue LEFT JOIN customer k ON k.id = r.customer_id
"""


@dataclass(frozen=True, slots=True)
class Callback:
    callback_id: UUID
    queue: str
    queue_title: str
    number: str
    customer_name: str
    customer_company: str
    customer_category: str
    customer_id: int | None
    call_id: UUID
    asked_at: datetime
    state: State
    attempts: int
    last_result: str | None
    due_at: datetime | None
    closed_at: datetime | None
    closed_by: str
    closed_call_id: UUID | None
    seconds: float
    extension: str = ""
    """Whose phone rings for it now, or who calls."""


@dataclass(frozen=True, slots=True)
class Attempt:
    position: int
    call_id: UUID
    started_at: datetime
    ended_at: datetime
    result: str
    agent: str | None
    extension: str | None


def find(
    parts: Parts, *, state: str = "", queue: str = "", before: datetime | None = None, limit: int = PAGE
) -> Sequence[Callback]:
    """Those of one state, or all: what is owed in the order of asking, what is over with the newest first. `before` goes on
    from the last one's `asked_at`."""
    where, values = _where(state, queue)
    owed = state == "owed"
    if before is not None:
        where, values = where + f" AND r.asked_at {'>' if owed else '<'} %s", [*values, before]
    order = "r.asked_at" if owed else "r.asked_at DESC"
    rows = parts.db.execute_sql(
        f"{_SELECT} WHERE {where} ORDER BY {order}, r.callback_id LIMIT {limit}", values
    ).fetchall()
    return _as_they_are_now(parts, [Callback(*row) for row in rows])


def get(parts: Parts, callback_id: UUID) -> Callback | None:
    row = parts.db.execute_sql(f"{_SELECT} WHERE r.callback_id = %s", (str(callback_id),)).fetchone()
    return None if row is None else _as_they_are_now(parts, [Callback(*row)])[0]


def attempts(parts: Parts, callback_id: UUID) -> Sequence[Attempt]:
    rows = parts.db.execute_sql(
        "SELECT position, call_id, started_at, ended_at, result, agent, extension FROM report.callback_attempts"
        " WHERE callback_id = %s ORDER BY position",
        (str(callback_id),),
    ).fetchall()
    return [Attempt(*row) for row in rows]


def counts(parts: Parts, queue: str = "") -> dict[str, int]:
    """State -> how many."""
    where, values = _where("", queue)
    rows = parts.db.execute_sql(
        f"SELECT r.state, count(*) FROM report.callbacks r WHERE {where} GROUP BY 1",  # noqa: S608
        values,
    ).fetchall()
    return dict.fromkeys(LISTS, 0) | dict(rows)


def wish(parts: Parts, who: Viewer, callback_id: UUID, what: Wish) -> Callback:
    """Ask the engine to give a callback up, or to try it now. Refused where it is not owed any more, or an agent has it in
    hand; redis.RedisError when Redis is away."""
    callback = get(parts, callback_id)
    if callback is None:
        raise Refused("", "There is no such callback.")
    if callback.state == "calling":
        raise Refused("", "The customer is being called this moment.")
    if callback.state != "owed":
        raise Refused("", f"The callback is over: {LISTS[callback.state].lower()}.")
    live.wish(parts.redis, str(callback_id), what, by=who.full_name or who.name)
    return callback


def _where(state: str, queue: str) -> tuple[str, list[Any]]:
    terms, values = ["true"], []
    if state:
        terms.append("r.state = %s")
        values.append(state)
    if queue:
        terms.append("r.queue = %s")
        values.append(queue)
    return " AND ".join(terms), values


def _as_they_are_now(parts: Parts, found: Sequence[Callback]) -> Sequence[Callback]:
    """With what only Redis knows of them; without that where it is away."""
    if not any(callback.state == "owed" for callback in found):
        return found
    try:
        known = live.live(parts.redis)
    except (RedisError, OSError):
        return found
    return [_as_it_is_now(callback, known.get(str(callback.callback_id))) for callback in found]


def _as_it_is_now(callback: Callback, told: dict[str, Any] | None) -> Callback:
    if told is None or callback.state != "owed":
        return callback
    offer = told.get("offer") or {}
    return replace(
        callback,
        state=cast(State, told.get("state") or "owed"),
        due_at=datetime.fromisoformat(told["due_at"]) if told.get("due_at") else callback.due_at,
        extension=str(offer.get("extension") or ""),
    )


@callbacks.get("/callbacks")
@needs(Right.ALL_CALLS)
def listed() -> str:
    here = parts()
    state, queue = request.args.get("state", "owed"), request.args.get("queue", "")[:60]
    if state not in LISTS:
        abort(400, "state: not one of these lists")
    try:
        before = datetime.fromisoformat(request.args["before"]) if request.args.get("before") else None
    except ValueError:
        abort(400, "before: not an instant")
    rows = find(here, state=state, queue=queue, before=before, limit=PAGE + 1)
    queues = here.db.execute_sql(
        "SELECT DISTINCT r.queue, COALESCE(NULLIF(q.title, ''), r.queue) FROM callback r LEFT JOIN queue q ON q.name = r.queue"
        " WHERE r.queue IS NOT NULL ORDER BY 2"
    ).fetchall()
    return render_template(
        "callbacks.html",
        place_key="callbacks",
        callbacks=rows[:PAGE],
        more=len(rows) > PAGE,
        counts=counts(here, queue),
        lists=LISTS,
        state=state,
        queue=queue,
        queues=queues,
    )


@callbacks.get("/callbacks/<uuid:callback_id>")
@needs(Right.ALL_CALLS)
def one(callback_id: UUID) -> str:
    here = parts()
    found = get(here, callback_id)
    if found is None:
        abort(404)
    return render_template("callback.html", place_key="callbacks", callback=found, attempts=attempts(here, callback_id))


@callbacks.post("/callbacks/<uuid:callback_id>/<any(cancel, now):what>")
@needs(Right.MOVE_CALLS)
def act(callback_id: UUID, what: Wish) -> Response:
    try:
        callback = wish(parts(), viewer(), callback_id, what)
    except Refused as refused:
        flash(str(refused), "bad")
    except (RedisError, OSError):
        flash("Redis does not answer, so nothing was asked. Try again in a moment.", "bad")
    else:
        said = "is tried as soon as an agent is free" if what == "now" else "is cancelled"
        flash(
            f"The callback to {callback.customer_company or callback.customer_name or callback.number} {said}.", "good"
        )
    # Back to where they were, if that is a page of these.
    back = request.form.get("back", "")
    return redirect(back if back.startswith("/callbacks") else url_for("callbacks.listed"))
