"""Calling a number for real from a page: on the virtual switch by a caller made of software, else by way of a desk phone."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from flask import Response, abort, jsonify

from admin.access import Right
from admin.flows import choices
from admin.flows.data import view
from admin.flows.shapes import FlowPath, TrialIn, TrialPath
from admin.flows.walk import plan_of
from admin.forms import Refused
from admin.parts import Parts, parts
from conf import installation
from conf.installation import NotRunning
from dialplan.destinations import ToFlow, leaves
from dialplan.numbers import normalise
from engine.live import keys, trials
from engine.live.trials import Trial

LONGEST_SECONDS = 60.0
"""How long a caller made of software listens who presses nothing."""


def is_virtual(parts: Parts) -> bool:
    """Whether calls are made by callers of software."""
    try:
        return installation.read(parts.settings.home).switch == "virtual"
    except NotRunning:
        return False


@view("get", "/flows/<name>/calling", "The numbers that lead to a flow, and how they can be called", Right.SEE_SETUP)
def calling(path: FlowPath) -> Response:
    here = parts()
    plan = plan_of(here)
    numbers = [
        {"number": number.number, "name": number.name}
        for number in plan.numbers.values()
        if any(isinstance(leaf, ToFlow) and leaf.flow == path.name for leaf in leaves(number.destination))
    ]
    phones = choices.extensions(here)
    return jsonify(
        numbers=sorted(numbers, key=lambda each: each["number"]), virtual=is_virtual(here), extensions=phones
    )


@view("post", "/trial-calls", "Call a number for real", Right.CHANGE_SETUP)
def call(body: TrialIn) -> Response:
    here = parts()
    plan = plan_of(here)
    number = plan.number(body.number)
    if number is None:
        raise Refused("number", f"{body.number} is no number of ours.")
    call_id, virtual = str(uuid4()), is_virtual(here)
    if virtual:
        caller = normalise(body.caller, here.settings.country)
        if body.caller and not caller:
            raise Refused("caller", f"{body.caller} is no number.")
        patience = None if body.press else LONGEST_SECONDS
        trial = Trial(call_id=call_id, number=number.number, caller=caller, press=body.press, hang_up_after=patience)
    else:
        if body.extension not in plan.extensions:
            raise Refused("extension", "Choose whose phone is to ring.")
        trial = Trial(call_id=call_id, number=number.number, extension=body.extension)
    trials.ask(here.redis, trial)
    return jsonify(call_id=call_id)


@view("get", "/trial-calls/<uuid:call_id>", "How such a call stands", Right.SEE_SETUP)
def standing(path: TrialPath) -> Response:
    here, call_id = parts(), str(path.call_id)
    trial = trials.find(here.redis, call_id)
    if trial is None:
        abort(404)
    row = here.db.execute_sql("SELECT ended_at, status FROM call WHERE id = %s", (call_id,)).fetchone()
    steps = here.db.execute_sql(
        "SELECT flow, node, exit FROM ivr_step WHERE call_id = %s AND node IS NOT NULL ORDER BY entered_at", (call_id,)
    ).fetchall()
    told: dict[str, Any] = {
        "path": [{"flow": flow, "node": node, "exit": way} for flow, node, way in steps],
        "node": steps[-1][1] if steps else "",
        "status": "",
        "why": trial.why,
        "state": "asked" if trial.state == "asked" else "called",
    }
    if row is not None and row[0] is not None:
        told |= {"state": "over", "status": row[1] or ""}
    elif trial.state == "failed":
        told["state"] = "failed"
    elif row is not None or here.redis.hexists(keys.CALLS, call_id):
        told["state"] = "live"
    return jsonify(told)
