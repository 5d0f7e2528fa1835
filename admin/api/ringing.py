"""The API's ring groups and reasons for a pause."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response, abort
from flask_openapi3.models.tag import Tag
from pydantic import BaseModel

from admin import pauses, ring_groups
from admin.access import Right, needs
from admin.api.blueprints import ById, blueprint, conflict
from admin.api.shapes import MadeOut, answer
from admin.forms import Refused
from admin.parts import parts
from dialplan.scenarios import encode_group

ringing = blueprint("api_ringing")
RINGING = Tag(name="Ringing")


class RingGroupOut(BaseModel):
    """A group; `document` is empty where what is stored makes no sense."""

    group_id: int
    name: str
    title: str
    document: dict[str, Any]


class RingGroupsOut(BaseModel):
    ring_groups: Sequence[RingGroupOut]


def _found(group_id: int) -> ring_groups.Group:
    found = ring_groups.get(parts(), group_id)
    if found is None:
        abort(404)
    return found


@ringing.get("/ring-groups", summary="All ring groups", tags=[RINGING], responses={200: RingGroupsOut})
@needs(Right.SEE_SETUP)
def list_groups() -> Response:
    return answer(
        RingGroupsOut(
            ring_groups=[
                RingGroupOut(
                    group_id=each.group_id,
                    name=each.name,
                    title=each.title,
                    document=encode_group(each.group) if each.group else {},
                )
                for each in ring_groups.find(parts())
            ]
        )
    )


@ringing.post("/ring-groups", summary="Add a ring group", tags=[RINGING], responses={201: MadeOut})
@needs(Right.CHANGE_SETUP)
def add_group(body: ring_groups.RingGroupIn) -> Response:
    try:
        return answer(MadeOut(id=ring_groups.save(parts(), body, None)), 201)
    except Refused as refused:
        conflict(refused)


@ringing.put("/ring-groups/<int:id>", summary="Change a ring group", tags=[RINGING], responses={200: MadeOut})
@needs(Right.CHANGE_SETUP)
def change_group(path: ById, body: ring_groups.RingGroupIn) -> Response:
    try:
        return answer(MadeOut(id=ring_groups.save(parts(), body, _found(path.id))))
    except Refused as refused:
        conflict(refused)


@ringing.delete("/ring-groups/<int:id>", summary="Delete a ring group", tags=[RINGING])
@needs(Right.CHANGE_SETUP)
def delete_group(path: ById) -> Response:
    try:
        ring_groups.delete(parts(), _found(path.id))
    except Refused as refused:
        conflict(refused)
    return Response(status=204)


@ringing.get(
    "/pause-reasons", summary="Reasons for a pause, in order", tags=[RINGING], responses={200: pauses.PauseReasonsIn}
)
@needs(Right.SIGNED_IN)
def list_reasons() -> Response:
    reasons = [
        pauses.PauseReasonIn(name=each.name, title=each.title or each.name, paid=each.paid)
        for each in pauses.find(parts())
    ]
    return answer(pauses.PauseReasonsIn(reasons=reasons))


@ringing.put("/pause-reasons", summary="All reasons for a pause, in place of those there are", tags=[RINGING])
@needs(Right.CHANGE_SETUP)
def change_reasons(body: pauses.PauseReasonsIn) -> Response:
    try:
        pauses.save(parts(), body)
    except Refused as refused:
        conflict(refused)
    return Response(status=204)
