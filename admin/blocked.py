"""Numbers whose calls are not taken."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from pydantic import BaseModel, Field
from werkzeug.wrappers import Response

from admin.access import Right, needs, viewer
from admin.forms import Form, Refused
from admin.parts import Parts, parts
from admin.publishing import change
from engine.records import queue_store
from engine.records.queue_store import BlockedNumber
from engine.records.queues import RulesInvalid

blocked = Blueprint("blocked", __name__)


class BlockIn(BaseModel):
    """A number to block, in whatever spelling."""

    number: str = Field(title="Number", min_length=1, max_length=40)
    note: str = Field(default="", title="Why", max_length=200)
    until: datetime | None = Field(default=None, title="Until", description="None: for good.")


def find(parts: Parts) -> list[BlockedNumber]:
    return queue_store.blocked_numbers(parts.db)


def block(parts: Parts, wanted: BlockIn, by: str) -> str:
    """Block a number from now on; as it is kept. Refused where it is none, or the end is over."""
    if wanted.until is not None and wanted.until.astimezone(parts.settings.zone) <= parts.clock.now():
        raise Refused("until", "Until is over already.")
    try:
        with change(parts):
            return queue_store.block_number(
                parts.db, wanted.number, country=parts.settings.country, note=wanted.note, until=wanted.until, by=by
            )
    except RulesInvalid as error:
        raise Refused("number", "Number cannot be read; write it as dialled, or with + and country code.") from error


def unblock(parts: Parts, number: str) -> bool:
    """Take the number's calls again; whether it was blocked."""
    if not any(kept.number == number for kept in find(parts)):
        return False
    with change(parts):
        queue_store.unblock_number(parts.db, number)
    return True


@blocked.route("/setup/blocked", methods=["GET", "POST"])
@needs(Right.SEE_SETUP)
def page() -> Response | str:
    here, form = parts(), Form(values=request.args.to_dict())
    if request.method == "POST":
        form.values = request.form.to_dict()
        if not viewer().may(Right.CHANGE_SETUP):
            return Response(status=403)
        wanted = form.read(BlockIn, _typed(here, form.values))
        if wanted is not None:
            try:
                number = block(here, wanted, viewer().name)
            except Refused as refused:
                form.refuse(refused)
            else:
                flash(f"{number} is blocked.", "good")
                return redirect(url_for("blocked.page"))
    shown = render_template("blocked.html", place_key="blocked", numbers=find(here), form=form)
    return Response(shown, 422, mimetype="text/html") if form.faults else shown


def _typed(here: Parts, values: dict[str, str]) -> dict[str, Any]:
    given: dict[str, Any] = {"number": values.get("number", "").strip(), "note": values.get("note", "").strip()}
    day = values.get("until", "").strip()
    try:
        # A day that is named is blocked to its end.
        last = datetime.combine(datetime.fromisoformat(day).date() + timedelta(days=1), time(), here.settings.zone)
    except (ValueError, OverflowError):
        return given | ({"until": day} if day else {})
    return given | {"until": last}


@blocked.post("/setup/blocked/take")
@needs(Right.CHANGE_SETUP)
def take_again() -> Response:
    number = request.form.get("number", "")
    if unblock(parts(), number):
        flash(f"{number} may call again.", "good")
    return redirect(url_for("blocked.page"))
