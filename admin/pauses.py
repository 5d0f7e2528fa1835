"""Reasons for a pause: the list that agents choose from, kept by the user, and the words for those that the system gives."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from pydantic import BaseModel, Field
from werkzeug.wrappers import Response

from admin.access import Right, needs, viewer
from admin.forms import Form, Refused, sentence
from admin.parts import Parts, parts
from admin.publishing import change
from engine.records import queue_store
from engine.records.queue_store import PauseReason
from engine.records.queues import RulesInvalid

pauses = Blueprint("pauses", __name__)

MOST = 30
SPARE_ROWS = 2


class PauseReasonIn(BaseModel):
    """A reason as it shall be; those of the past keep their `name`."""

    name: str = Field(default="", title="Name", max_length=60, description="Empty: made from the title.")
    title: str = Field(title="Reason", min_length=1, max_length=60)
    paid: bool = Field(default=True, title="Paid")


class PauseReasonsIn(BaseModel):
    """All reasons in the order in which agents see them; the first nine are to be had by the phone's keys."""

    reasons: list[PauseReasonIn] = Field(title="Reasons", max_length=MOST)


def find(parts: Parts) -> list[PauseReason]:
    """In the order in which agents see them."""
    return queue_store.pause_reasons(parts.db)


def titles(parts: Parts) -> Mapping[str, str]:
    return {reason.name: reason.title or reason.name for reason in find(parts)}


def save(parts: Parts, wanted: PauseReasonsIn) -> None:
    """These in place of all there were, published. Refused for one that stands twice."""
    reasons = [
        PauseReason(each.name.strip() or _name(each.title), each.title.strip(), each.paid) for each in wanted.reasons
    ]
    try:
        with change(parts):
            queue_store.save_pause_reasons(parts.db, reasons)
    except RulesInvalid as error:
        raise Refused("reasons", sentence(error.message)) from error


def _name(title: str) -> str:
    """`Lunch break` -> `lunch_break`: what the record of a pause says."""
    return re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")[:60] or "pause"


@pauses.get("/setup/pause-reasons")
@needs(Right.SEE_SETUP)
def page() -> str:
    return _page(Form(values=_shown(find(parts()))))


@pauses.post("/setup/pause-reasons")
@needs(Right.CHANGE_SETUP)
def save_page() -> Response | str:
    form = Form(values=request.form.to_dict())
    wanted = form.read(PauseReasonsIn, {"reasons": _typed(form.values)})
    if wanted is not None:
        try:
            save(parts(), wanted)
        except Refused as refused:
            form.refuse(refused)
        else:
            flash("The reasons are saved and published.", "good")
            return redirect(url_for("pauses.page"))
    return Response(_page(form), 422, mimetype="text/html")


def _page(form: Form) -> str:
    count = len(_rows(form.values))
    return render_template(
        "pause_reasons.html",
        place_key="pauses",
        form=form,
        rows=range(count + (SPARE_ROWS if viewer().may(Right.CHANGE_SETUP) else 0)),
    )


def _shown(reasons: list[PauseReason]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for place, reason in enumerate(reasons):
        values |= {f"name.{place}": reason.name, f"title.{place}": reason.title or reason.name}
        values |= {f"place.{place}": str(place + 1)} | ({f"paid.{place}": "1"} if reason.paid else {})
    return values


def _rows(values: Mapping[str, Any]) -> list[int]:
    return sorted(int(key[6:]) for key in values if key.startswith("title.") and key[6:].isdigit())


def _typed(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The rows that say something, by the places typed."""

    def place(row: int) -> tuple[float, int]:
        said = str(values.get(f"place.{row}", "")).strip()
        return (float(said) if said.isdigit() else 1000.0, row)

    return [
        {
            "name": str(values.get(f"name.{row}", "")),
            "title": str(values[f"title.{row}"]).strip(),
            "paid": bool(values.get(f"paid.{row}")),
        }
        for row in sorted(_rows(values), key=place)
        if str(values[f"title.{row}"]).strip()
    ]
