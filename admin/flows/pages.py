"""The flows' pages: the list, a new flow, and the editor, which brings all it needs along so that it opens at once."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from markupsafe import Markup
from werkzeug.wrappers import Response

from admin.access import Right, accepts, needs, viewer
from admin.flows import work
from admin.flows.data import editing, lines, opened
from admin.flows.shapes import NewFlowIn
from admin.flows.testing import keep_of_call
from admin.forms import Form, Refused, sentence
from admin.numbers import find as find_numbers
from admin.parts import parts
from ivr.errors import FlowInvalid, FlowTaken, FlowTestInvalid, FlowUnknown, FlowUsed
from ivr.templates import templates

flows = Blueprint("flows", __name__)
LARGEST_FILE = 4_000_000


@flows.get("/setup/flows")
@needs(Right.SEE_SETUP)
def listed() -> str:
    return render_template("flows.html", place_key="flows", flows=lines(), numbers=_numbers())


def _numbers() -> dict[str, list[str]]:
    """Which numbers lead to each flow."""
    rows = parts().db.execute_sql(
        "SELECT f.name, n.number FROM flow f JOIN number n ON jsonb_path_exists(n.destination,"
        " '$.** ? (@.flow == $name)', jsonb_build_object('name', f.name)) ORDER BY 2"
    )
    found: dict[str, list[str]] = {}
    for name, number in rows.fetchall():
        found.setdefault(name, []).append(number)
    return found


@flows.route("/setup/flows/new", methods=["GET", "POST"])
@needs(Right.CHANGE_SETUP)
def add() -> Response | str:
    here, form = parts(), Form(values={"template": "menu"})
    if request.method == "POST":
        form.values = request.form.to_dict()
        wanted = form.read(
            NewFlowIn,
            {
                "name": form.values.get("name", "").strip(),
                "title": form.values.get("title", "").strip(),
                "template": form.values.get("template", "empty"),
            },
        )
        if wanted is not None:
            try:
                made = work.new(here, viewer().name, name=wanted.name, title=wanted.title, key=wanted.template)
            except FlowTaken as error:
                form.faults["name"] = sentence(str(error))
            except FlowUnknown:
                form.faults["template"] = "Template is not there."
            else:
                return redirect(url_for("flows.editor", name=made.name))
    page = render_template("flow_new.html", place_key="flows", form=form, templates=templates())
    return Response(page, 422, mimetype="text/html") if form.faults else page


@flows.post("/setup/flows/import")
@accepts(LARGEST_FILE + 100_000)
@needs(Right.CHANGE_SETUP)
def bring_in() -> Response:
    given = request.files.get("file")
    if given is None or not given.filename:
        flash("Choose a YAML file first.", "bad")
        return redirect(url_for("flows.listed"))
    try:
        text = given.stream.read(LARGEST_FILE + 1).decode("utf-8")
        made = work.bring_in(parts(), viewer().name, work.from_yaml(text))
    except UnicodeDecodeError:
        flash("The file is no text in UTF-8.", "bad")
    except FlowInvalid as error:
        flash(f"The file is no flow: {error}.", "bad")
    else:
        flash(f"Imported as version {made.version} of {made.name}, a draft that no call takes yet.", "good")
        return redirect(url_for("flows.editor", name=made.name))
    return redirect(url_for("flows.listed"))


@flows.get("/setup/flows/<name>")
@needs(Right.SEE_SETUP)
def editor(name: str) -> str:
    try:
        found = opened(name)
    except FlowUnknown:
        abort(404)
    return render_template(
        "flow.html",
        place_key="flows",
        name=name,
        flow_title=found.document.get("title") or name,
        may_change=viewer().may(Right.CHANGE_SETUP),
        data=_inside({"work": found.model_dump(mode="json"), "nodes": editing()}),
    )


def _inside(content: Any) -> Markup:
    """JSON as it may stand within a page."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))  # noqa: S704


@flows.post("/setup/flows/<name>/delete")
@needs(Right.CHANGE_SETUP)
def remove(name: str) -> Response:
    try:
        work.delete(parts(), name)
    except FlowUnknown:
        abort(404)
    except FlowUsed as error:
        flash(str(error), "bad")
    else:
        flash(f"Flow {name} is deleted. Its calls of the past stay.", "good")
    return redirect(url_for("flows.listed"))


@flows.post("/setup/flows/from-call/<uuid:call_id>")
@needs(Right.CHANGE_SETUP)
def from_call(call_id: UUID) -> Response:
    """A test of the way that a call took, kept with its flow."""
    try:
        flow = keep_of_call(parts(), str(call_id), request.form.get("name", "").strip()[:100], viewer().name)
    except (Refused, FlowTestInvalid) as error:
        flash(sentence(str(error)), "bad")
        return redirect(url_for("calls.one", call_id=call_id))
    flash("The test is kept; numbers are masked.", "good")
    return redirect(url_for("flows.editor", name=flow, panel="tests"))


@flows.get("/setup/try")
@needs(Right.SEE_SETUP)
def try_number() -> str:
    return render_template("try_number.html", place_key="try", numbers=find_numbers(parts()))
