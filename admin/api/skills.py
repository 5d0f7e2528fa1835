"""The API's skills: their names, and every agent's levels."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Response, abort
from flask_openapi3.models.tag import Tag
from pydantic import BaseModel

from admin import skill_matrix
from admin.access import Right, needs
from admin.api.blueprints import ById, blueprint, conflict
from admin.api.shapes import MadeOut, answer
from admin.forms import Refused
from admin.parts import parts

skills = blueprint("api_skills")
SETUP = Tag(name="Set-up")


class SkillsOut(BaseModel):
    """Every skill, and every agent's levels by the skill's name."""

    skills: Sequence[skill_matrix.Skill]
    agents: Sequence[skill_matrix.Row]


class ChangedOut(BaseModel):
    changed: int


def _known(skill_id: int) -> skill_matrix.Skill:
    found = skill_matrix.get(parts(), skill_id)
    if found is None:
        abort(404)
    return found


@skills.get("/skills", summary="All skills and the agents' levels", tags=[SETUP], responses={200: SkillsOut})
@needs(Right.SEE_SETUP)
def list_skills() -> Response:
    grid = skill_matrix.find(parts())
    return answer(SkillsOut(skills=grid.skills, agents=grid.rows))


@skills.post("/skills", summary="Add a skill", tags=[SETUP], responses={201: MadeOut})
@needs(Right.CHANGE_SETUP)
def add_skill(body: skill_matrix.SkillIn) -> Response:
    try:
        return answer(MadeOut(id=skill_matrix.add(parts(), body)), 201)
    except Refused as refused:
        conflict(refused)


@skills.put("/skills/<int:id>", summary="Rename a skill", tags=[SETUP], responses={200: MadeOut})
@needs(Right.CHANGE_SETUP)
def rename_skill(path: ById, body: skill_matrix.SkillIn) -> Response:
    found = _known(path.id)
    try:
        skill_matrix.rename(parts(), found, body)
    except Refused as refused:
        conflict(refused)
    return answer(MadeOut(id=path.id))


@skills.delete("/skills/<int:id>", summary="Delete a skill", tags=[SETUP])
@needs(Right.CHANGE_SETUP)
def delete_skill(path: ById) -> Response:
    found = _known(path.id)
    try:
        skill_matrix.delete(parts(), found)
    except Refused as refused:
        conflict(refused)
    return Response(status=204)


@skills.put("/skills/levels", summary="Give agents levels", tags=[SETUP], responses={200: ChangedOut})
@needs(Right.CHANGE_SETUP)
def set_levels(body: skill_matrix.LevelsIn) -> Response:
    try:
        return answer(ChangedOut(changed=skill_matrix.set_levels(parts(), body)))
    except Refused as refused:
        conflict(refused)
