"""Walking through a flow in the browser: what a caller hears, says and comes to, at any date and time, on the interpreter that
runs calls. Nothing is kept between two requests: each brings all moves so far and is walked anew, which takes milliseconds and
lets a step be taken back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from flask import Response, abort, jsonify, send_file

from admin.access import Right
from admin.flows import work
from admin.flows.data import view
from admin.flows.shapes import FlowPath, Move, NumberWalkIn, SoundPath, SpeechPath, WalkIn
from admin.forms import Refused, sentence
from admin.numbers import in_words
from admin.parts import Parts, parts
from dialplan import store as dialplan_store
from dialplan.destinations import ToFlow
from dialplan.plan import Plan, decide
from engine.records.customers import Customers
from ivr import drafts, store
from ivr.errors import FlowInvalid, FlowUnknown
from ivr.flow import Flow, PublishedFlow
from ivr.simulation import Scene, Simulation, SimulationOver, SimulationStuck, Spoken
from ivr.values import TOLD
from sounds.errors import PromptMissing
from sounds.speech import Speech

_SPEECH = re.compile(r"[0-9a-f]{32}")


def walk(parts: Parts, flow: Flow, version: int, given: WalkIn, plan: Plan) -> dict[str, Any]:
    """Make all moves and tell everything up to the next decision. Refused where what was chosen makes no sense."""
    taken = sorted(set(given.variables) & TOLD)
    if taken:
        raise Refused(
            "variables", f"{taken[0]} is what each call has by itself; choose the caller or the customer instead."
        )
    if given.start:
        if given.start not in flow.nodes:
            raise Refused("start", f"There is no node {given.start}.")
        flow = flow.model_copy(update={"start": given.start})
    known = {**store.load(parts.db), flow.name: PublishedFlow(version, flow)}

    def find(name: str, _version: int | None) -> PublishedFlow:
        if name not in known:
            raise FlowUnknown(f"flow {name!r} is not published")
        return known[name]

    simulation = Simulation(
        known[flow.name],
        catalogue=work.catalogue(),
        calendars=plan.calendars,
        at=given.at or parts.clock.now(),
        flows=find,
        caller_number=given.caller.strip(),
        called_number=given.called.strip(),
        customer=_customer(parts, given),
        variables=given.variables,
        extensions=plan.extensions,
        speech=Speech(parts.settings.home / "speech").file,
    )
    try:
        return _walked(simulation, given)
    finally:
        simulation.close()


def _walked(simulation: Simulation, given: WalkIn) -> dict[str, Any]:
    made, decided = 0, list[str]()
    try:
        scene = simulation.start()
        heard = [_spoken(each, 0) for each in scene.heard]
        for move in given.moves:
            at = f"{scene.flow}.{scene.node}"
            try:
                scene = _move(simulation, move)
            except SimulationOver:
                # The flow has changed since; what still fits is shown.
                break
            made += 1
            decided += [at] if move.do == "decide" else []
            heard += [_spoken(each, made) for each in scene.heard]
    except SimulationStuck as error:
        raise Refused("", sentence(str(error))) from error
    return {
        "heard": heard,
        "moves": made,
        "decided": decided,
        "path": [{"flow": flow, "node": node, "exit": way} for flow, node, way in simulation.path],
        **_question(scene),
    }


def _move(simulation: Simulation, move: Move) -> Scene:
    match move.do:
        case "press":
            return simulation.press(move.keys, move.after) if move.keys else simulation.wait()
        case "wait":
            return simulation.wait()
        case "decide":
            return simulation.decide(move.choice, move.seconds, move.variables)
        case _:
            return simulation.hang_up(move.after)


def _question(scene: Scene) -> dict[str, Any]:
    return {
        "wants": scene.wants,
        "flow": scene.flow,
        "node": scene.node,
        "node_type": scene.node_type,
        "elapsed": scene.elapsed,
        "asks": [_spoken(each, -1) for each in scene.asks],
        "patience": scene.patience,
        "about": scene.about,
        "choices": list(scene.choices),
        "variables": dict(scene.variables),
        "disposition": scene.disposition,
        "fault": scene.fault,
    }


def _spoken(spoken: Spoken, move: int) -> dict[str, Any]:
    told = {**asdict(spoken), "move": move, "sound": ""}
    if spoken.what == "prompt":
        path = Path(told.pop("detail"))
        told["detail"] = spoken.name
        if _SPEECH.fullmatch(path.stem):
            told["sound"] = f"/data/flow-speech/{path.stem}"
            told["detail"] = told["name"] = "speech"
        else:
            told["sound"] = f"/data/flow-sounds/{path.parent.name}/{path.stem}"
    return told


def _customer(parts: Parts, given: WalkIn) -> Mapping[str, object] | None:
    customers = Customers(parts.db, parts.settings.country)
    if given.customer_id is not None:
        card = customers.card(given.customer_id)
        if card is None:
            raise Refused("customer_id", "There is no such customer.")
        return card
    return customers.find(given.caller).card if given.caller else None


def runnable(document: Mapping[str, Any]) -> Flow:
    """The flow as far as it is made: nodes that cannot run yet are left out. FlowInvalid where the first is among them."""
    try:
        return Flow.parse(document)
    except FlowInvalid as fault:
        nodes = {}
        for name, node in document.get("nodes", {}).items():
            try:
                nodes[name] = Flow.parse({"name": "one", "start": name, "nodes": {name: node}}).nodes[name]
            except FlowInvalid:
                continue
        if document.get("start") not in nodes:
            raise FlowInvalid(f"the first node is not finished yet: {fault}") from fault
        return Flow.parse({**document, "nodes": {name: node.model_dump(mode="json") for name, node in nodes.items()}})


def _told(given: WalkIn) -> str:
    return "" if given.at is None else given.at.isoformat()


def plan_of(parts: Parts) -> Plan:
    return dialplan_store.load(parts.db, zone=parts.settings.timezone, country=parts.settings.country)


@view("post", "/flows/<name>/walk", "Walk through a flow as a caller would", Right.SEE_SETUP)
def walk_flow(path: FlowPath, body: WalkIn) -> Response:
    here = parts()
    newest = drafts.newest(here.db, path.name)
    version = body.version or newest.version
    document = newest.document if version == newest.version else work.document_of(here, path.name, version)
    body = body.model_copy(update={"at": body.at or here.clock.now()})
    return jsonify(version=version, at=_told(body), **walk(here, runnable(document), version, body, plan_of(here)))


@view("post", "/number-walks", "Walk through what a caller of a number would get", Right.SEE_SETUP)
def walk_number(body: NumberWalkIn) -> Response:
    here = parts()
    plan, at = plan_of(here), body.at or here.clock.now()
    number = plan.number(body.number)
    found = decide(plan, body.number, body.caller, at)
    led: dict[str, Any] = {
        "leads": in_words(found),
        "number_name": "" if number is None else number.name,
        "by": "" if number is None else in_words(number.destination),
        "at": at.isoformat(),
    }
    if not isinstance(found, ToFlow):
        return jsonify(
            **led, wants="over", heard=[], path=[], moves=0, decided=[], elapsed=0, disposition="", fault="", version=0
        )
    in_force = store.load(here.db).get(found.flow)
    if in_force is None:
        raise FlowUnknown(f"the number leads to flow {found.flow!r}, which is not published")
    given = body.model_copy(update={"called": body.called or body.number, "at": at})
    return jsonify(**led, version=in_force.version, **walk(here, in_force.flow, in_force.version, given, plan))


@view("get", "/flow-sounds/<language>/<prompt>", "A prompt's sound", Right.SEE_SETUP)
def prompt_sound(path: SoundPath) -> Response:
    try:
        found = work.catalogue().find(path.prompt, path.language)
    except PromptMissing:
        abort(404)
    return send_file(found.path, mimetype="audio/wav", conditional=True, max_age=0)


@view("get", "/flow-speech/<speech>", "A text that was spoken on a walk", Right.SEE_SETUP)
def speech_sound(path: SpeechPath) -> Response:
    file = parts().settings.home / "speech" / f"{path.speech}.wav"
    if not file.is_file():
        abort(404)
    return send_file(file.absolute(), mimetype="audio/wav", conditional=True, max_age=0)


@view("get", "/flow-callers", "Customers to walk as", Right.SEE_SETUP)
def callers() -> Response:
    rows = (
        parts()
        .db.execute_sql(
            "SELECT k.id, k.name, k.company, k.category, (SELECT min(number) FROM customer_number n WHERE n.customer_id = k.id)"
            " FROM customer k ORDER BY k.company, k.name LIMIT 500"
        )
        .fetchall()
    )
    keys = ("id", "name", "company", "category", "number")
    return jsonify(customers=[dict(zip(keys, row, strict=True)) for row in rows])
