"""The API's agents, queues and numbers. A change is published as one made on a page is."""

from __future__ import annotations

from flask import Response, abort
from flask_openapi3.models.tag import Tag

from admin import agents, numbers, queues
from admin.access import Right, needs
from admin.api.blueprints import ById, blueprint, conflict
from admin.api.shapes import (
    AgentsOut,
    MadeOut,
    NumberOut,
    NumbersOut,
    QueuesOut,
    answer,
)
from admin.forms import Refused
from admin.parts import parts
from dialplan.destinations import encode

setup = blueprint("api_setup")
SETUP = Tag(name="Set-up")


@setup.get("/agents", summary="All agents with their skills", tags=[SETUP], responses={200: AgentsOut})
@needs(Right.SEE_SETUP)
def list_agents() -> Response:
    return answer(AgentsOut(agents=agents.find(parts())))


@setup.post("/agents", summary="Add an agent", tags=[SETUP], responses={201: MadeOut})
@needs(Right.CHANGE_SETUP)
def add_agent(body: agents.AgentIn) -> Response:
    try:
        return answer(MadeOut(id=agents.save(parts(), body, None)), 201)
    except Refused as refused:
        conflict(refused)


@setup.put("/agents/<int:id>", summary="Change an agent", tags=[SETUP], responses={200: MadeOut})
@needs(Right.CHANGE_SETUP)
def change_agent(path: ById, body: agents.AgentIn) -> Response:
    if agents.get(parts(), path.id) is None:
        abort(404)
    try:
        return answer(MadeOut(id=agents.save(parts(), body, path.id)))
    except Refused as refused:
        conflict(refused)


@setup.delete("/agents/<int:id>", summary="Delete an agent", tags=[SETUP])
@needs(Right.CHANGE_SETUP)
def delete_agent(path: ById) -> Response:
    found = agents.get(parts(), path.id)
    if found is None:
        abort(404)
    try:
        agents.delete(parts(), found)
    except Refused as refused:
        conflict(refused)
    return Response(status=204)


@setup.get("/queues", summary="All queues with their needs", tags=[SETUP], responses={200: QueuesOut})
@needs(Right.SEE_SETUP)
def list_queues() -> Response:
    return answer(QueuesOut(queues=queues.find(parts())))


@setup.post("/queues", summary="Add a queue", tags=[SETUP], responses={201: MadeOut})
@needs(Right.CHANGE_SETUP)
def add_queue(body: queues.QueueIn) -> Response:
    try:
        return answer(MadeOut(id=queues.save(parts(), body, None)), 201)
    except Refused as refused:
        conflict(refused)


@setup.put("/queues/<int:id>", summary="Change a queue", tags=[SETUP], responses={200: MadeOut})
@needs(Right.CHANGE_SETUP)
def change_queue(path: ById, body: queues.QueueIn) -> Response:
    if queues.get(parts(), path.id) is None:
        abort(404)
    try:
        return answer(MadeOut(id=queues.save(parts(), body, path.id)))
    except Refused as refused:
        conflict(refused)


@setup.delete("/queues/<int:id>", summary="Delete a queue", tags=[SETUP])
@needs(Right.CHANGE_SETUP)
def delete_queue(path: ById) -> Response:
    found = queues.get(parts(), path.id)
    if found is None:
        abort(404)
    try:
        queues.delete(parts(), found)
    except Refused as refused:
        conflict(refused)
    return Response(status=204)


@setup.get("/numbers", summary="All numbers and where they lead", tags=[SETUP], responses={200: NumbersOut})
@needs(Right.SEE_SETUP)
def list_numbers() -> Response:
    return answer(
        NumbersOut(
            numbers=[
                NumberOut(
                    number_id=n.number_id,
                    number=n.number,
                    name=n.name,
                    destination=encode(n.destination) if n.destination else {},
                )
                for n in numbers.find(parts())
            ]
        )
    )


@setup.post("/numbers", summary="Add a number", tags=[SETUP], responses={201: MadeOut})
@needs(Right.CHANGE_SETUP)
def add_number(body: numbers.NumberIn) -> Response:
    try:
        return answer(MadeOut(id=numbers.save(parts(), body, None)), 201)
    except Refused as refused:
        conflict(refused)


@setup.put("/numbers/<int:id>", summary="Change a number", tags=[SETUP], responses={200: MadeOut})
@needs(Right.CHANGE_SETUP)
def change_number(path: ById, body: numbers.NumberIn) -> Response:
    if numbers.get(parts(), path.id) is None:
        abort(404)
    try:
        return answer(MadeOut(id=numbers.save(parts(), body, path.id)))
    except Refused as refused:
        conflict(refused)


@setup.delete("/numbers/<int:id>", summary="Delete a number", tags=[SETUP])
@needs(Right.CHANGE_SETUP)
def delete_number(path: ById) -> Response:
    if numbers.get(parts(), path.id) is None:
        abort(404)
    numbers.delete(parts(), path.id)
    return Response(status=204)
