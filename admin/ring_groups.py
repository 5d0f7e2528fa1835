"""Groups of phones that ring for one call, at once or one after the other, and where the call goes when nobody took it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import peewee
from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from pydantic import BaseModel, Field
from werkzeug.wrappers import Response

from admin import queue_form
from admin.access import Right, needs
from admin.forms import Form, Refused, sentence
from admin.leading import check_nothing_leads_to
from admin.numbers import check_targets, in_words, targets
from admin.parts import Parts, parts
from admin.publishing import change
from dialplan import scenarios
from dialplan.destinations import ByHours, ToRingGroup, decode, encode, leaves
from dialplan.errors import DestinationInvalid
from dialplan.scenarios import ORDERS, RingGroup

ring_groups = Blueprint("ring_groups", __name__)


class PhoneIn(BaseModel):
    """A phone of a group."""

    extension: str = Field(title="Extension", pattern="^[0-9]{2,6}$", description="2 to 6 digits")
    delay_seconds: int = Field(default=0, title="Delay", ge=0, le=300, description="Only where all ring at once.")


class RingGroupIn(BaseModel):
    """A ring group as it shall be. `otherwise` is a destination as dialplan.destinations writes it, null for none."""

    name: str = Field(
        title="Name",
        pattern="^[a-z0-9_-]{1,40}$",
        description="Made of small letters, digits, - and _, 40 at most.",
    )
    title: str = Field(default="", title="Title", max_length=80)
    order: Literal["together", "listed", "shuffled", "longest_idle"] = Field(default="together", title="Who rings next")
    seconds: int = Field(default=20, title="Ring time", ge=1, le=300)
    rounds: int = Field(default=1, title="Times", ge=1, le=10)
    phones: list[PhoneIn] = Field(title="Phones", min_length=1, max_length=scenarios.MOST_PHONES)
    otherwise: dict[str, Any] | None = Field(default=None, title="Otherwise")


@dataclass(frozen=True, slots=True)
class Group:
    group_id: int
    name: str
    title: str
    group: RingGroup | None
    """None where what is stored makes no sense; then calls to it go nowhere."""


def find(parts: Parts) -> Sequence[Group]:
    rows = parts.db.execute_sql(
        "SELECT id, name, title, document FROM ring_group ORDER BY coalesce(nullif(title, ''), name)"
    )
    return [Group(key, name, title, _stored(name, title, document)) for key, name, title, document in rows.fetchall()]


def get(parts: Parts, group_id: int) -> Group | None:
    return next((group for group in find(parts) if group.group_id == group_id), None)


def _stored(name: str, title: str, document: object) -> RingGroup | None:
    try:
        return scenarios.decode_group(name, title, document)
    except DestinationInvalid:
        return None


def save(parts: Parts, wanted: RingGroupIn, before: Group | None) -> int:
    """Add or change a group and publish it; its id. Refused for a name that is taken, a phone or a destination that is not
    there, a group that leads to itself, and a new name for one that others lead to."""
    known = targets(parts)
    document = wanted.model_dump(include={"order", "seconds", "rounds", "phones", "otherwise"})
    try:
        group = scenarios.decode_group(wanted.name, wanted.title.strip(), document)
    except DestinationInvalid as fault:
        raise Refused("phones", sentence(str(fault))) from fault
    for phone in group.phones:
        if phone.extension not in known.extensions:
            raise Refused("phones", f"Extension {phone.extension} is nobody's.")
    if group.otherwise is not None:
        if ToRingGroup(group.name) in leaves(group.otherwise):
            raise Refused("otherwise", "The group leads to itself; choose another way for when nobody answers.")
        check_targets(group.otherwise, known, "otherwise", "Otherwise")
    if before is not None and before.name != group.name:
        keeps = f"Name {before.name} stays"
        check_nothing_leads_to(parts, ToRingGroup(before.name), keeps, "name")
    values = (group.name, group.title, json.dumps(scenarios.encode_group(group)))
    try:
        with change(parts):
            if before is None:
                statement = "INSERT INTO ring_group (name, title, document) VALUES (%s, %s, %s::jsonb) RETURNING id"
                return int(parts.db.execute_sql(statement, values).fetchone()[0])
            statement = "UPDATE ring_group SET name = %s, title = %s, document = %s::jsonb WHERE id = %s"
            parts.db.execute_sql(statement, (*values, before.group_id))
            return before.group_id
    except peewee.IntegrityError as error:
        raise Refused("name", f"There is a ring group {group.name} already.") from error


def delete(parts: Parts, group: Group) -> None:
    """Refused while anything leads to it."""
    check_nothing_leads_to(parts, ToRingGroup(group.name), f"Ring group {group.title or group.name} is not deleted")
    with change(parts):
        parts.db.execute_sql("DELETE FROM ring_group WHERE id = %s", (group.group_id,))


@ring_groups.get("/setup/ring-groups")
@needs(Right.SEE_SETUP)
def listed() -> str:
    here = parts()
    return render_template(
        "ring_groups.html",
        place_key="ring_groups",
        groups=find(here),
        people=targets(here).extensions,
        orders=ORDERS,
        in_words=in_words,
    )


@ring_groups.route("/setup/ring-groups/new", methods=["GET", "POST"])
@needs(Right.CHANGE_SETUP)
def add() -> Response | str:
    return _edit(None)


@ring_groups.route("/setup/ring-groups/<int:group_id>", methods=["GET", "POST"])
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
        wanted = form.read(RingGroupIn, _typed(form.values, group))
        if wanted is not None:
            try:
                save(here, wanted, group)
            except Refused as refused:
                form.refuse(refused)
            else:
                flash(f"{wanted.title or wanted.name} is saved and published.", "good")
                return redirect(url_for("ring_groups.listed"))
    else:
        form.values = _shown(group)
    page = render_template(
        "ring_group.html",
        place_key="ring_groups",
        group=group,
        form=form,
        targets=targets(here),
        orders=ORDERS,
        numbered=queue_form.numbered,
    )
    return Response(page, 422, mimetype="text/html") if form.faults else page


def _shown(found: Group | None) -> dict[str, Any]:
    if found is None:
        return {"order": "together", "seconds": 20, "rounds": 1}
    values: dict[str, Any] = {"name": found.name, "title": found.title, "order": "together", "seconds": 20, "rounds": 1}
    group = found.group
    if group is None:
        return values
    values |= {"order": group.order, "seconds": group.seconds, "rounds": group.rounds}
    values["otherwise"] = queue_form.destination_text(None if group.otherwise is None else encode(group.otherwise))
    for place, phone in enumerate(group.phones):
        values[f"phones.{place}.extension"] = phone.extension
        values[f"phones.{place}.delay_seconds"] = str(phone.delay_seconds or "")
    return values


def _typed(values: Mapping[str, Any], before: Group | None) -> dict[str, Any]:
    found: dict[str, Any] = {
        key: str(values.get(key, "")).strip() for key in ("name", "title", "order", "seconds", "rounds")
    }
    found["phones"] = [
        {"extension": row["extension"], "delay_seconds": row.get("delay_seconds", 0)}
        for row in queue_form.rows(values, "phones")
        if row.get("extension")
    ]
    otherwise = str(values.get("otherwise", ""))
    if otherwise == "other":
        stored = before.group.otherwise if before is not None and before.group is not None else None
        found["otherwise"] = encode(stored) if isinstance(stored, ByHours) else None
    else:
        found["otherwise"] = queue_form.destination(otherwise) if otherwise else None
        _readable(found)
    return found


def _readable(found: dict[str, Any]) -> None:
    """A destination that nobody could have chosen is none."""
    try:
        if found["otherwise"] is not None:
            decode(found["otherwise"])
    except DestinationInvalid:
        found["otherwise"] = None


@ring_groups.post("/setup/ring-groups/<int:group_id>/delete")
@needs(Right.CHANGE_SETUP)
def remove(group_id: int) -> Response:
    found = get(parts(), group_id)
    if found is None:
        abort(404)
    try:
        delete(parts(), found)
    except Refused as refused:
        flash(str(refused), "bad")
        return redirect(url_for("ring_groups.edit", group_id=group_id))
    flash(f"{found.title or found.name} is deleted.", "good")
    return redirect(url_for("ring_groups.listed"))
