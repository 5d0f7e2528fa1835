"""Who would get a call now, and why: the router is asked, and nothing changes by it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from flask import Blueprint, Response, render_template, request
from pydantic import BaseModel, Field

from admin import skills
from admin.access import Right, needs
from admin.forms import Form, Refused
from admin.numbers import targets
from admin.parts import Parts, parts
from admin.skills import Skills
from engine.live.connection import RedisError
from engine.live.requests import RouterSilent
from engine.live.requests import dry_run as ask

dry_run = Blueprint("dry_run", __name__)


class DryRunIn(BaseModel):
    """The call that is imagined."""

    queue: str = Field(title="Queue", min_length=1)
    category: Literal["", "vip", "average", "problem"] = Field(default="", title="Customer")
    waited_seconds: int = Field(default=0, title="Waits already", ge=0, le=86400)
    priority: int = Field(default=0, title="Priority", ge=-1000, le=1000)
    skills: Skills = Field(
        default_factory=dict, title="Skills", description="Skill -> least level, beyond the queue's."
    )
    responsible: str = Field(default="", title="Responsible agent", description="An agent's extension.")
    last_agent: str = Field(default="", title="Last agent", description="An agent's extension.")


def answer(parts: Parts, wanted: DryRunIn) -> Mapping[str, Any]:
    """The router's answer. Refused where the queue or an agent is not there, or not known to the router yet; RouterSilent
    where nobody routes."""
    if not parts.db.execute_sql("SELECT 1 FROM queue WHERE name = %s", (wanted.queue,)).fetchone():
        raise Refused("queue", f"There is no queue {wanted.queue:.40}.")
    found = ask(
        parts.redis,
        wanted.queue,
        at=parts.clock.now(),
        priority=wanted.priority,
        needs=wanted.skills,
        waited_seconds=float(wanted.waited_seconds),
        category=wanted.category,
        responsible=_agent(parts, "responsible", wanted.responsible),
        last_agent=_agent(parts, "last_agent", wanted.last_agent),
    )
    if not found["known"]:
        raise Refused("queue", "The router does not know this queue yet; ask again in a moment.")
    return found


def _agent(parts: Parts, field: str, extension: str) -> int | None:
    if not extension:
        return None
    row = parts.db.execute_sql("SELECT id FROM agent WHERE extension = %s", (extension,)).fetchone()
    if row is None:
        raise Refused(field, f"There is no agent at extension {extension:.20}.")
    return int(row[0])


@dry_run.get("/setup/queues/who")
@needs(Right.SEE_SETUP)
def page() -> Response | str:
    here, form = parts(), Form(values=request.args.to_dict())
    found = _found(here, form) if form.values.get("queue") else None
    shown = render_template(
        "dry_run.html",
        place_key="queues",
        form=form,
        found=found,
        targets=targets(here),
        all_skills=skills.names(here.db),
    )
    return Response(shown, 422, mimetype="text/html") if form.faults else shown


def _found(here: Parts, form: Form) -> Mapping[str, Any] | None:
    given = {name: value.strip() for name, value in form.values.items() if value.strip()}
    wanted = form.read(DryRunIn, given | {"skills": skills.typed(form.values)})
    if wanted is None:
        return None
    try:
        return answer(here, wanted)
    except Refused as refused:
        form.refuse(refused)
    except (RouterSilent, RedisError):
        form.faults[""] = "The router did not answer: see whether an engine runs (System), then ask again."
    return None
