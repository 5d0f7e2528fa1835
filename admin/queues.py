"""Queues: what a call needs there, how long agents ring, how long callers wait."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import peewee
from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from pydantic import BaseModel, Field
from werkzeug.wrappers import Response

from admin import queue_form, skills
from admin.access import Right, needs
from admin.forms import Form, Refused, sentence
from admin.leading import check_nothing_leads_to
from admin.numbers import check_targets, targets
from admin.parts import Parts, parts
from admin.publishing import change
from admin.skills import Skills
from dialplan.destinations import ToQueue
from engine.live.connection import RedisError
from engine.records import queue_store, strategies
from engine.records.queues import QueueSettings, RulesInvalid, decode_queue, encode
from sounds import music
from sounds.catalogue import SHIPPED, Catalogue

queues = Blueprint("queues", __name__)


class QueueIn(BaseModel):
    """A queue as it shall be. Its name is how flows and reports call it, and does not change later."""

    name: str = Field(title="Name", pattern="^[a-z0-9_-]{1,40}$", description="1 to 40 of a-z, 0-9, - and _")
    title: str = Field(default="", title="Title", max_length=80)
    priority: int = Field(default=0, title="Priority", ge=-1000, le=1000)
    ring_seconds: int = Field(default=15, title="Ring time", ge=1, le=120)
    longest_wait_seconds: int = Field(default=600, title="Longest wait", ge=1, le=86400)
    most_waiting: int = Field(default=100, title="Most waiting", ge=1, le=100000)
    announce_seconds: int = Field(default=30, title="Announce every", ge=0, le=3600)
    answer_within_seconds: int = Field(default=20, title="Answer within", ge=1, le=3600)
    short_abandon_seconds: int = Field(default=5, title="Short abandon", ge=0, le=600)
    recorded: bool = Field(default=True, title="Recorded")
    skills: Skills = Field(default_factory=dict, title="Skills", description="Skill -> least level, 1 to 5.")
    exact: list[str] = Field(default_factory=list, title="Exact", description="Skills whose level is the only one.")
    strategy: str = Field(default=strategies.DEFAULT, title="Who gets the call")
    rules: dict[str, Any] | None = Field(
        default=None,
        title="Rules",
        description="See engine.records.queues.QueueSettings; null leaves them as they are.",
    )


_BESIDE = frozenset({"skills", "exact", "strategy", "rules"})
COLUMNS = tuple(name for name in QueueIn.model_fields if name not in _BESIDE)


@dataclass(frozen=True, slots=True)
class Queue:
    queue_id: int
    name: str
    title: str
    priority: int
    ring_seconds: int
    longest_wait_seconds: int
    most_waiting: int
    announce_seconds: int
    answer_within_seconds: int
    short_abandon_seconds: int
    recorded: bool
    skills: dict[str, int]
    exact: Sequence[str]
    strategy: str
    rules: Mapping[str, Any]
    agents: int
    """How many agents have what it needs and are among those who serve it."""


def find(parts: Parts) -> Sequence[Queue]:
    needs = skills.of(parts.db, "queue")
    exact = skills.exact(parts.db)
    rows = parts.db.execute_sql(
        f"SELECT id, strategy, rules, (SELECT count(*) FROM agent a WHERE {skills.SERVES}), {', '.join(COLUMNS)} FROM queue q"  # noqa: S608
        " ORDER BY COALESCE(NULLIF(title, ''), name)"
    )
    found = []
    for queue_id, strategy, rules, fit, *values in rows.fetchall():
        wanted, only = needs.get(queue_id, {}), exact.get(queue_id, ())
        columns = dict(zip(COLUMNS, values, strict=True))
        found.append(
            Queue(**columns, queue_id=queue_id, skills=wanted, exact=only, strategy=strategy, rules=rules, agents=fit)
        )
    return found


def get(parts: Parts, queue_id: int) -> Queue | None:
    return next((queue for queue in find(parts) if queue.queue_id == queue_id), None)


def save(parts: Parts, wanted: QueueIn, queue_id: int | None) -> int:
    """Add or change a queue and publish it; its id. Refused where the name is another one's, or would change, and where the
    rules cannot be taken or lead to what is not there."""
    values = [getattr(wanted, name) for name in COLUMNS]
    if set(wanted.exact) - set(wanted.skills):
        raise Refused("exact", "Exact names a skill that is not needed.")
    try:
        with change(parts):
            if queue_id is None:
                marks = ", ".join(["%s"] * len(COLUMNS))
                statement = f"INSERT INTO queue ({', '.join(COLUMNS)}) VALUES ({marks}) RETURNING id"  # noqa: S608
                queue_id = int(parts.db.execute_sql(statement, values).fetchone()[0])
            else:
                present = parts.db.execute_sql("SELECT name FROM queue WHERE id = %s", (queue_id,)).fetchone()
                if present and present[0] != wanted.name:
                    raise Refused(
                        "name", "Name cannot change: flows and reports call the queue by it. Change the title."
                    )
                setting = ", ".join(f"{name} = %s" for name in COLUMNS)
                parts.db.execute_sql(f"UPDATE queue SET {setting} WHERE id = %s", [*values, queue_id])  # noqa: S608
            skills.save(parts.db, "queue", queue_id, wanted.skills)
            skills.save_exact(parts.db, queue_id, wanted.exact)
            kept = (
                queue_store.queue_rules(parts.db, queue_id)[1] if wanted.rules is None else decode_queue(wanted.rules)
            )
            queue_store.save_queue_rules(parts.db, queue_id, wanted.strategy, kept)
            if wanted.rules is not None:
                # By now the queue is there itself, so that callers may be sent to its own box.
                known = targets(parts)
                for place, rule in queue_form.ways_out(kept):
                    check_targets(rule, known, f"rules.{place}", "Way out")
    except RulesInvalid as error:
        field = "strategy" if error.field == "strategy" else f"rules.{error.field}"
        raise Refused(field, sentence(error.message)) from error
    except peewee.IntegrityError as error:
        raise Refused("name", f"There is a queue {wanted.name} already.") from error
    return queue_id


def delete(parts: Parts, queue: Queue) -> None:
    """Take a queue away. Refused while anything leads to it or somebody waits in it."""
    check_nothing_leads_to(parts, ToQueue(queue.name), f"Queue {queue.title or queue.name} is not deleted")
    try:
        waiting = [call for call in parts.board.snapshot()["calls"] if call.get("queue") == queue.name]
    except RedisError:
        waiting = []
    if waiting:
        raise Refused("", "Callers are in this queue now. Try again when they have been served.")
    with change(parts):
        parts.db.execute_sql("DELETE FROM queue WHERE id = %s", (queue.queue_id,))


@queues.get("/setup/queues")
@needs(Right.SEE_SETUP)
def listed() -> str:
    return render_template("queues.html", place_key="queues", queues=find(parts()))


@queues.route("/setup/queues/new", methods=["GET", "POST"])
@needs(Right.CHANGE_SETUP)
def add() -> Response | str:
    return _edit(None)


@queues.route("/setup/queues/<int:queue_id>", methods=["GET", "POST"])
@needs(Right.CHANGE_SETUP)
def edit(queue_id: int) -> Response | str:
    found = get(parts(), queue_id)
    if found is None:
        abort(404)
    return _edit(found)


def _edit(queue: Queue | None) -> Response | str:
    here, form = parts(), Form()
    before = queue_store.queue_rules(here.db, queue.queue_id)[1] if queue else QueueSettings()
    if request.method == "POST":
        form.values = queue_form.compact(request.form.to_dict())
        wanted = _read(form, queue, before)
        if wanted is not None:
            try:
                save(here, wanted, queue.queue_id if queue else None)
            except Refused as refused:
                form.faults[queue_form.field_of(refused.field, form.values)] = str(refused)
            else:
                flash(f"{wanted.title or wanted.name} is saved and published.", "good")
                return redirect(url_for("queues.listed"))
    else:
        form.values = _values(queue, before)
    page = render_template(
        "queue.html",
        place_key="queues",
        queue=queue,
        form=form,
        all_skills=skills.names(here.db),
        strategies=strategies.STRATEGIES,
        groups=queue_store.groups(here.db),
        targets=targets(here),
        musics=music.names(here.settings.home),
        prompts=Catalogue([here.settings.home / "prompts", SHIPPED]).names("en"),
        numbered=queue_form.numbered,
        part_of=queue_form.part_of,
    )
    return Response(page, 422, mimetype="text/html") if form.faults else page


def _read(form: Form, queue: Queue | None, before: QueueSettings) -> QueueIn | None:
    """The queue that the form says, or None with the faults set."""
    given: dict[str, Any] = {name: str(form.values.get(name, "")).strip() for name in COLUMNS}
    needed, exact = queue_form.needs(skills.typed(form.values))
    given |= {"recorded": "recorded" in form.values, "skills": needed, "exact": exact}
    given["strategy"] = form.values.get("strategy") or strategies.DEFAULT
    if queue is not None:
        given["name"] = queue.name
    try:
        given["rules"] = encode(queue_form.typed(form.values, before))
    except RulesInvalid as error:
        form.faults[error.field] = sentence(error.message)
    wanted = form.read(QueueIn, given)
    return None if form.faults else wanted


def _values(queue: Queue | None, settings: QueueSettings) -> dict[str, Any]:
    if queue is None:
        return QueueIn.model_construct(name="").model_dump() | queue_form.shown(strategies.DEFAULT, settings)
    values: dict[str, Any] = {name: getattr(queue, name) for name in COLUMNS}
    values |= {
        f"skill:{name}": f"={level}" if name in queue.exact else f"{level}" for name, level in queue.skills.items()
    }
    return values | queue_form.shown(queue.strategy, settings)


@queues.post("/setup/queues/<int:queue_id>/delete")
@needs(Right.CHANGE_SETUP)
def remove(queue_id: int) -> Response:
    found = get(parts(), queue_id)
    if found is None:
        abort(404)
    try:
        delete(parts(), found)
    except Refused as refused:
        flash(str(refused), "bad")
        return redirect(url_for("queues.edit", queue_id=queue_id))
    flash(f"{found.title or found.name} is deleted.", "good")
    return redirect(url_for("queues.listed"))
