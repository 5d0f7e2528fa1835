"""The API's groups, blocked numbers, and the question who would get a call now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response, abort
from flask_openapi3.models.tag import Tag
from pydantic import BaseModel

from admin import blocked, dry_run, groups
from admin.access import Right, needs, viewer
from admin.api.blueprints import ById, blueprint, conflict
from admin.api.shapes import MadeOut, answer
from admin.forms import Refused
from admin.parts import parts
from engine.live.requests import RouterSilent
from engine.records.queue_store import BlockedNumber, Group

routing = blueprint("api_routing")
SETUP = Tag(name="Set-up")


class NumberPath(BaseModel):
    number: str


class GroupsOut(BaseModel):
    groups: Sequence[Group]


class BlockedOut(BaseModel):
    numbers: Sequence[BlockedNumber]


class BlockedNumberOut(BaseModel):
    number: str


class WhoOut(BaseModel):
    """See engine.routing.dry_run."""

    answer: dict[str, Any]


@routing.get("/groups", summary="All groups of agents", tags=[SETUP], responses={200: GroupsOut})
@needs(Right.SEE_SETUP)
def list_groups() -> Response:
    return answer(GroupsOut(groups=groups.find(parts())))


@routing.post("/groups", summary="Add a group", tags=[SETUP], responses={201: MadeOut})
@needs(Right.CHANGE_SETUP)
def add_group(body: groups.GroupIn) -> Response:
    return _saved_group(body, None, 201)


@routing.put("/groups/<int:id>", summary="Change a group", tags=[SETUP], responses={200: MadeOut})
@needs(Right.CHANGE_SETUP)
def change_group(path: ById, body: groups.GroupIn) -> Response:
    return _saved_group(body, _group(path.id), 200)


@routing.delete("/groups/<int:id>", summary="Delete a group", tags=[SETUP])
@needs(Right.CHANGE_SETUP)
def delete_group(path: ById) -> Response:
    found = _group(path.id)
    try:
        groups.delete(parts(), found)
    except Refused as refused:
        conflict(refused)
    return Response(status=204)


def _group(group_id: int) -> Group:
    found = groups.get(parts(), group_id)
    if found is None:
        abort(404)
    return found


def _saved_group(body: groups.GroupIn, group: Group | None, status: int) -> Response:
    try:
        return answer(MadeOut(id=groups.save(parts(), body, group)), status)
    except Refused as refused:
        conflict(refused)


@routing.get("/blocked-numbers", summary="Numbers whose calls are not taken", tags=[SETUP], responses={200: BlockedOut})
@needs(Right.SEE_SETUP)
def list_blocked() -> Response:
    return answer(BlockedOut(numbers=blocked.find(parts())))


@routing.post("/blocked-numbers", summary="Block a number", tags=[SETUP], responses={201: BlockedNumberOut})
@needs(Right.CHANGE_SETUP)
def block_number(body: blocked.BlockIn) -> Response:
    try:
        return answer(BlockedNumberOut(number=blocked.block(parts(), body, viewer().name)), 201)
    except Refused as refused:
        conflict(refused)


@routing.delete("/blocked-numbers/<number>", summary="Take a number's calls again", tags=[SETUP])
@needs(Right.CHANGE_SETUP)
def unblock_number(path: NumberPath) -> Response:
    if not blocked.unblock(parts(), path.number):
        abort(404)
    return Response(status=204)


@routing.post("/queues/who", summary="Who would get a call now, and why", tags=[SETUP], responses={200: WhoOut})
@needs(Right.SEE_SETUP)
def who(body: dry_run.DryRunIn) -> Response:
    try:
        return answer(WhoOut(answer=dict(dry_run.answer(parts(), body))))
    except Refused as refused:
        conflict(refused)
    except RouterSilent as silent:
        abort(409, str(silent))
