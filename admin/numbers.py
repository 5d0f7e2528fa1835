"""The numbers that can be called, and where each one leads."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import peewee
from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from pydantic import BaseModel, Field
from werkzeug.wrappers import Response

from admin.access import Right, needs
from admin.forms import Form, Refused
from admin.parts import Parts, parts
from admin.publishing import change
from dialplan.destinations import (
    FIELDS,
    ByHours,
    Destination,
    HangUp,
    Refuse,
    Rule,
    ToCallback,
    ToExtension,
    ToFlow,
    ToNumber,
    ToQueue,
    ToRingGroup,
    ToVoicemail,
    decode,
    encode,
    leaves,
)
from dialplan.errors import DestinationInvalid
from dialplan.numbers import normalise

numbers = Blueprint("numbers", __name__)

_FLOWS = (
    "SELECT DISTINCT f.name, f.name FROM flow f JOIN flow_version v ON v.flow_id = f.id "
    "WHERE v.published_at IS NOT NULL ORDER BY 1"
)
KINDS: Mapping[str, str] = {
    "flow": "Flow",
    "queue": "Queue",
    "extension": "Extension",
    "ring_group": "Ring group",
    "voicemail": "Voicemail",
    "number": "Number outside",
    "callback": "Callback",
    "hang_up": "Goodbye and hang up",
    "refuse": "Refuse the call",
}


class NumberIn(BaseModel):
    """A number as it shall be. `destination` is as dialplan.destinations writes it, for example
    `{"to": "flow", "flow": "main"}`."""

    number: str = Field(title="Number", min_length=1, max_length=40)
    name: str = Field(default="", title="Name", max_length=80)
    destination: dict[str, Any] = Field(title="Destination")


@dataclass(frozen=True, slots=True)
class Number:
    number_id: int
    number: str
    name: str
    destination: Rule | None
    """None where what is stored makes no sense; then the number is out of service."""

    @property
    def simple(self) -> bool:
        """Whether the form can show it: one destination, or one open and one closed."""
        rule = self.destination
        return not isinstance(rule, ByHours) or not (isinstance(rule.open, ByHours) or isinstance(rule.closed, ByHours))


@dataclass(frozen=True, slots=True)
class Targets:
    """What a destination may name."""

    flows: Sequence[str]
    queues: Mapping[str, str]
    extensions: Mapping[str, str]
    calendars: Sequence[str]
    ring_groups: Mapping[str, str] = field(default_factory=dict)

    @property
    def boxes(self) -> Mapping[str, str]:
        return dict(self.queues) | dict(self.extensions)


def find(parts: Parts) -> Sequence[Number]:
    rows = parts.db.execute_sql("SELECT id, number, name, destination FROM number ORDER BY number").fetchall()
    return [Number(key, number, name, _stored(destination)) for key, number, name, destination in rows]


def _stored(destination: object) -> Rule | None:
    try:
        return decode(destination)
    except DestinationInvalid:
        return None


def get(parts: Parts, number_id: int) -> Number | None:
    return next((number for number in find(parts) if number.number_id == number_id), None)


def targets(parts: Parts) -> Targets:
    def pairs(statement: str) -> dict[str, str]:
        return dict(parts.db.execute_sql(statement).fetchall())

    return Targets(
        flows=list(pairs(_FLOWS)),
        queues=pairs("SELECT name, COALESCE(NULLIF(title, ''), name) FROM queue ORDER BY 2"),
        extensions=pairs("SELECT extension, name FROM agent ORDER BY 1"),
        calendars=list(pairs("SELECT name, name FROM calendar ORDER BY 1")),
        ring_groups=pairs("SELECT name, COALESCE(NULLIF(title, ''), name) FROM ring_group ORDER BY 2"),
    )


def in_words(rule: Rule | None) -> str:
    """`Flow main`, or `Queue sales while Office is open, else Voicemail sales`."""
    match rule:
        case ByHours(calendar, open_rule, closed_rule):
            return f"{in_words(open_rule)} while {calendar} is open, else {in_words(closed_rule)}"
        case ToFlow(flow):
            return f"Flow {flow}"
        case ToQueue(queue):
            return f"Queue {queue}"
        case ToExtension(extension):
            return f"Extension {extension}"
        case ToRingGroup(group):
            return f"Ring group {group}"
        case ToVoicemail(box):
            return f"Voicemail {box}"
        case ToNumber(number):
            return f"Number {number}"
        case ToCallback(queue):
            return f"Callback by {queue}"
        case HangUp():
            return "Goodbye and hang up"
        case Refuse(cause):
            return f"Refused ({cause})"
        case None:
            return "Out of service: its destination makes no sense"


def save(parts: Parts, wanted: NumberIn, number_id: int | None) -> int:
    """Add or change a number and publish it; its id. Refused for a number that cannot be called or is there already, and for
    a destination that names what is not there."""
    number = normalise(wanted.number, parts.settings.country)
    if not number:
        raise Refused(
            "number", f"Number {wanted.number} cannot be called; write it as dialled, or with + and country code."
        )
    try:
        rule = decode(wanted.destination)
    except DestinationInvalid as fault:
        raise Refused("destination", f"Destination is not usable: {fault}.") from fault
    check_targets(rule, targets(parts), "destination", "Destination")
    values = (number, wanted.name.strip(), json.dumps(encode(rule)))
    try:
        with change(parts):
            if number_id is None:
                statement = "INSERT INTO number (number, name, destination) VALUES (%s, %s, %s::jsonb) RETURNING id"
                return int(parts.db.execute_sql(statement, values).fetchone()[0])
            statement = "UPDATE number SET number = %s, name = %s, destination = %s::jsonb WHERE id = %s"
            parts.db.execute_sql(statement, (*values, number_id))
            return number_id
    except peewee.IntegrityError as error:
        raise Refused("number", f"Number {number} is there already.") from error


def check_targets(rule: Rule, known: Targets, field: str, title: str) -> None:
    """Refused, with this field and its title, where the rule names what is not there."""
    if isinstance(rule, ByHours):
        if rule.calendar not in known.calendars:
            raise Refused(field, f"{title} names the calendar {rule.calendar}, which is not there.")
        check_targets(rule.open, known, field, title)
        check_targets(rule.closed, known, field, title)
        return
    for leaf in leaves(rule):
        missing = _missing(leaf, known)
        if missing:
            raise Refused(field, f"{title} names {missing}, which is not there.")


def _missing(leaf: Destination, known: Targets) -> str:
    match leaf:
        case ToFlow(flow) if flow not in known.flows:
            return f"the flow {flow}"
        case ToQueue(queue) if queue not in known.queues:
            return f"the queue {queue}"
        case ToExtension(extension) if extension not in known.extensions:
            return f"extension {extension}"
        case ToRingGroup(group) if group not in known.ring_groups:
            return f"the ring group {group}"
        case ToVoicemail(box) if box not in known.boxes:
            return f"the box {box}"
        case ToCallback(queue) if queue not in known.queues:
            return f"the queue {queue}"
        case ToNumber(number) if not any(map(str.isdigit, number)):
            return f"the number {number}"
        case _:
            return ""


def delete(parts: Parts, number_id: int) -> None:
    with change(parts):
        parts.db.execute_sql("DELETE FROM number WHERE id = %s", (number_id,))


@numbers.get("/setup/numbers")
@needs(Right.SEE_SETUP)
def listed() -> str:
    return render_template("numbers.html", place_key="numbers", numbers=find(parts()), in_words=in_words)


@numbers.route("/setup/numbers/new", methods=["GET", "POST"])
@needs(Right.CHANGE_SETUP)
def add() -> Response | str:
    return _edit(None)


@numbers.route("/setup/numbers/<int:number_id>", methods=["GET", "POST"])
@needs(Right.CHANGE_SETUP)
def edit(number_id: int) -> Response | str:
    found = get(parts(), number_id)
    if found is None:
        abort(404)
    return _edit(found)


def _edit(number: Number | None) -> Response | str:
    here, form = parts(), Form()
    if request.method == "POST":
        form.values = request.form.to_dict()
        keep = number is not None and not number.simple
        destination = encode(number.destination) if keep and number and number.destination else typed(form.values)
        wanted = form.read(
            NumberIn,
            {
                "number": form.values.get("number", "").strip(),
                "name": form.values.get("name", "").strip(),
                "destination": destination,
            },
        )
        if wanted is not None:
            try:
                save(here, wanted, number.number_id if number else None)
            except Refused as refused:
                form.faults["open-to" if refused.field == "destination" else refused.field] = str(refused)
            else:
                flash(f"Number {wanted.number} is saved and published.", "good")
                return redirect(url_for("numbers.listed"))
    else:
        form.values = _values(number)
    page = render_template(
        "number.html",
        place_key="numbers",
        number=number,
        form=form,
        targets=targets(here),
        kinds=KINDS,
        in_words=in_words,
    )
    return Response(page, 422, mimetype="text/html") if form.faults else page


def _values(number: Number | None) -> dict[str, Any]:
    if number is None:
        return {"open-to": "flow", "closed-to": "voicemail"}
    values: dict[str, Any] = {"number": number.number, "name": number.name, "open-to": "flow", "closed-to": "voicemail"}
    rule = number.destination
    if isinstance(rule, ByHours):
        values["calendar"] = rule.calendar
        values |= _leaf_values("open", rule.open) | _leaf_values("closed", rule.closed)
    elif rule is not None:
        values |= _leaf_values("open", rule)
    return values


def _leaf_values(side: str, rule: Rule) -> dict[str, str]:
    if isinstance(rule, ByHours):
        return {}
    said = encode(rule)
    return {f"{side}-to": said["to"]} | {f"{side}-{said['to']}": value for key, value in said.items() if key != "to"}


def typed(values: Mapping[str, str]) -> dict[str, Any]:
    """The destination that the form's fields say."""

    def leaf(side: str) -> dict[str, Any]:
        kind = values.get(f"{side}-to", "")
        if kind == "refuse":
            return {"to": "refuse", "cause": "CALL_REJECTED"}
        if kind == "hang_up":
            return {"to": kind}
        return {"to": kind, FIELDS.get(kind, kind): values.get(f"{side}-{kind}", "").strip()}

    if values.get("calendar"):
        return {"to": "by_hours", "calendar": values["calendar"], "open": leaf("open"), "closed": leaf("closed")}
    return leaf("open")


@numbers.post("/setup/numbers/<int:number_id>/delete")
@needs(Right.CHANGE_SETUP)
def remove(number_id: int) -> Response:
    found = get(parts(), number_id)
    if found is None:
        abort(404)
    delete(parts(), number_id)
    flash(f"Number {found.number} is deleted; calls to it are refused from now on.", "good")
    return redirect(url_for("numbers.listed"))
