"""Groups of agents, for queues to name: who serves them, and who helps out when callers wait for long."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from pydantic import BaseModel, Field
from werkzeug.wrappers import Response

from admin.access import Right, needs
from admin.forms import Form, Refused, sentence
from admin.numbers import targets
from admin.parts import Parts, parts
from admin.publishing import change
from engine.records import queue_store
from engine.records.queue_store import Group
from engine.records.queues import RulesInvalid

groups = Blueprint("groups", __name__)


class GroupIn(BaseModel):
    """A group as it shall be."""

    name: str = Field(title="Name", min_length=1, max_length=60)
    extensions: list[str] = Field(default_factory=list, title="Agents", description="Extensions of its agents.")


def find(parts: Parts) -> list[Group]:
    return queue_store.groups(parts.db)


def get(parts: Parts, group_id: int) -> Group | None:
    return next((group for group in find(parts) if group.group_id == group_id), None)


def save(parts: Parts, wanted: GroupIn, group: Group | None) -> int:
    """Add or change a group and publish it; its id. Refused for a name that is taken, and for one that queues know."""
    try:
        with change(parts):
            if group is not None and group.name != wanted.name.strip():
                queue_store.check_group_unused(parts.db, group.name)
            return queue_store.save_group(
                parts.db, wanted.name, wanted.extensions, None if group is None else group.group_id
            )
    except RulesInvalid as error:
        raise Refused(error.field or "name", sentence(error.message)) from error


def delete(parts: Parts, group: Group) -> None:
    """Refused while a queue names it."""
    try:
        with change(parts):
            queue_store.delete_group(parts.db, group.group_id)
    except RulesInvalid as error:
        raise Refused("", sentence(error.message)) from error


@groups.get("/setup/groups")
@needs(Right.SEE_SETUP)
def listed() -> str:
    here = parts()
    return render_template("groups.html", place_key="groups", groups=find(here), people=targets(here).extensions)


@groups.route("/setup/groups/new", methods=["GET", "POST"])
@needs(Right.CHANGE_SETUP)
def add() -> Response | str:
    return _edit(None)


@groups.route("/setup/groups/<int:group_id>", methods=["GET", "POST"])
@needs(Right.CHANGE_SETUP)
def edit(group_id: int) -> Response | str:
    found = get(parts(), group_id)
    if found is None:
        abort(404)
    return _edit(found)


def _edit(group: Group | None) -> Response | str:
    here, form = parts(), Form()
    if request.method == "POST":
        form.values = request.form.to_dict()
        wanted = form.read(GroupIn, _typed(form.values))
        if wanted is not None:
            try:
                save(here, wanted, group)
            except Refused as refused:
                form.refuse(refused)
            else:
                flash(f"{wanted.name.strip()} is saved and published.", "good")
                return redirect(url_for("groups.listed"))
    elif group is not None:
        form.values = {"name": group.name} | {f"agent:{extension}": "1" for extension in group.extensions}
    page = render_template("group.html", place_key="groups", group=group, form=form, people=targets(here).extensions)
    return Response(page, 422, mimetype="text/html") if form.faults else page


def _typed(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": str(values.get("name", "")).strip(),
        "extensions": [key.removeprefix("agent:") for key in values if key.startswith("agent:")],
    }


@groups.post("/setup/groups/<int:group_id>/delete")
@needs(Right.CHANGE_SETUP)
def remove(group_id: int) -> Response:
    found = get(parts(), group_id)
    if found is None:
        abort(404)
    try:
        delete(parts(), found)
    except Refused as refused:
        flash(str(refused), "bad")
        return redirect(url_for("groups.edit", group_id=group_id))
    flash(f"{found.name} is deleted.", "good")
    return redirect(url_for("groups.listed"))
