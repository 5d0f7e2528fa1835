"""Skills in one grid: every agent, every skill, the level where they meet; and the skills' own names."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import peewee
from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from pydantic import BaseModel, Field
from werkzeug.wrappers import Response

from admin import skills as levels
from admin.access import Right, needs, viewer
from admin.forms import Form, Refused
from admin.parts import Parts, parts
from admin.publishing import change

matrix = Blueprint("skill_matrix", __name__)

LEVELS = frozenset("12345")
MOST_CHANGES = 50_000


class SkillIn(BaseModel):
    """A skill as it shall be called. Names are kept in lower case, as flows and reports write them."""

    name: str = Field(title="Name", min_length=1, max_length=40, pattern=r"^[^\x00-\x1f\x7f:]+$",
                      description="1 to 40 characters without a colon")  # fmt: skip


class LevelIn(BaseModel):
    """One cell of the grid. Without a level the agent does not have the skill."""

    extension: str = Field(title="Extension")
    skill: str = Field(title="Skill")
    level: int | None = Field(default=None, title="Level", ge=1, le=5)


class LevelsIn(BaseModel):
    levels: list[LevelIn] = Field(title="Levels", max_length=MOST_CHANGES)


@dataclass(frozen=True, slots=True)
class Skill:
    skill_id: int
    name: str
    agents: int
    """How many have it, at whatever level."""
    queues: Sequence[str]
    """Names of the queues that need it."""


@dataclass(frozen=True, slots=True)
class Row:
    agent_id: int
    name: str
    extension: str
    levels: Mapping[str, int]
    """Skill's name -> level."""


@dataclass(frozen=True, slots=True)
class Grid:
    skills: Sequence[Skill]
    rows: Sequence[Row]

    @property
    def digest(self) -> str:
        """Changes with any level, so that a form tells whether the grid is still the one it was filled in on."""
        said = "\n".join(
            f"{row.agent_id} {name} {level}" for row in self.rows for name, level in sorted(row.levels.items())
        )
        return hashlib.sha256(said.encode()).hexdigest()[:16]


_SKILLS = """
SELECT s.id, s.name, (SELECT count(*) FROM agent_skill a WHERE a.skill_id = s.id),
       ARRAY(SELECT q.name FROM queue_skill n JOIN queue q ON q.id = n.queue_id WHERE n.skill_id = s.id ORDER BY q.name)
FROM skill s ORDER BY s.name
"""


def find(parts: Parts) -> Grid:
    own = levels.of(parts.db, "agent")
    agents = parts.db.execute_sql("SELECT id, name, extension FROM agent ORDER BY name, id").fetchall()
    return Grid(
        skills=[Skill(*row) for row in parts.db.execute_sql(_SKILLS).fetchall()],
        rows=[Row(agent_id, name, extension, own.get(agent_id, {})) for agent_id, name, extension in agents],
    )


def set_levels(parts: Parts, wanted: LevelsIn) -> int:
    """Give agents levels, all of them or none; how many cells differ now. Refused where an agent or a skill is not there."""
    agents = dict(parts.db.execute_sql("SELECT extension, id FROM agent").fetchall())
    known = dict(parts.db.execute_sql("SELECT name, id FROM skill").fetchall())
    own = levels.of(parts.db, "agent")
    cells: dict[tuple[int, str], int | None] = {}
    for cell in wanted.levels:
        name = cell.skill.strip().lower()
        if cell.extension not in agents:
            raise Refused("levels", f"There is no agent at extension {cell.extension:.20}.")
        if name not in known:
            raise Refused("levels", f"There is no skill {name:.40}. Add it first.")
        cells[agents[cell.extension], name] = cell.level
    differing = {(who, name): level for (who, name), level in cells.items() if own.get(who, {}).get(name) != level}
    if not differing:
        return 0
    with change(parts):
        for (agent_id, name), level in differing.items():
            if level is None:
                parts.db.execute_sql(
                    "DELETE FROM agent_skill WHERE agent_id = %s AND skill_id = %s", (agent_id, known[name])
                )
            else:
                parts.db.execute_sql(
                    "INSERT INTO agent_skill (agent_id, skill_id, level) VALUES (%s, %s, %s) "
                    "ON CONFLICT (agent_id, skill_id) DO UPDATE SET level = excluded.level",
                    (agent_id, known[name], level),
                )
    return len(differing)


def add(parts: Parts, wanted: SkillIn) -> int:
    """Make a skill that nobody has yet; its id."""
    name = wanted.name.strip().lower()
    try:
        with change(parts):
            row = parts.db.execute_sql("INSERT INTO skill (name) VALUES (%s) RETURNING id", (name,)).fetchone()
    except peewee.IntegrityError as error:
        raise Refused("name", f"There is a skill {name} already.") from error
    return int(row[0])


def named_by(parts: Parts, name: str) -> str:
    """What keeps a skill from being renamed or deleted, as a sentence; empty where nothing does."""
    queue = parts.db.execute_sql(
        "SELECT q.title, q.name FROM queue q WHERE EXISTS (SELECT 1 FROM queue_skill n JOIN skill s ON s.id = n.skill_id "
        "WHERE n.queue_id = q.id AND s.name = %s) ORDER BY q.name LIMIT 1",
        (name,),
    ).fetchone()
    if queue:
        return f"The queue {queue[0] or queue[1]} needs it."
    flow = parts.db.execute_sql(
        "SELECT f.name FROM flow f JOIN flow_version v ON v.flow_id = f.id "
        "WHERE jsonb_path_exists(v.document, '$.**.skills.keyvalue() ? (@.key == $name)', "
        "jsonb_build_object('name', %s::text)) "
        "AND v.version >= COALESCE((SELECT max(p.version) FROM flow_version p WHERE p.flow_id = f.id "
        "AND p.published_at IS NOT NULL), 0) ORDER BY f.name LIMIT 1",
        (name,),
    ).fetchone()
    return f"The flow {flow[0]} asks for it." if flow else ""


def rename(parts: Parts, skill: Skill, wanted: SkillIn) -> None:
    """Call a skill otherwise; agents and queues keep it. Refused where a flow asks for it by its name."""
    name = wanted.name.strip().lower()
    flow = named_by(parts, skill.name)
    if flow.startswith("The flow"):
        raise Refused("name", f"{flow} Change the flow first.")
    try:
        with change(parts):
            parts.db.execute_sql("UPDATE skill SET name = %s WHERE id = %s", (name, skill.skill_id))
    except peewee.IntegrityError as error:
        raise Refused("name", f"There is a skill {name} already.") from error


def delete(parts: Parts, skill: Skill) -> None:
    """Take a skill away from everybody. Refused while a queue or a flow needs it."""
    kept = named_by(parts, skill.name)
    if kept:
        raise Refused("", f"{kept} Take it away there first.")
    with change(parts):
        parts.db.execute_sql("DELETE FROM skill WHERE id = %s", (skill.skill_id,))


def get(parts: Parts, skill_id: int) -> Skill | None:
    return next((skill for skill in find(parts).skills if skill.skill_id == skill_id), None)


@matrix.route("/setup/skills", methods=["GET", "POST"])
@needs(Right.SEE_SETUP)
def page() -> Response | str:
    here = parts()
    if request.method == "GET":
        return _page(find(here))
    if not viewer().may(Right.CHANGE_SETUP):
        abort(403)
    return _saved(here)


def _saved(here: Parts) -> Response | str:
    """Save what was typed, unless somebody else changed the grid meanwhile: then it is shown with both."""
    grid, form = find(here), Form(values=request.form.to_dict())
    typed, faults = _typed(grid, form.values)
    if not faults and form.values.get("shown") != grid.digest:
        faults.append("Somebody else changed levels meanwhile. Yours are marked below; look at them and save again.")
    if not faults:
        try:
            changed = set_levels(here, LevelsIn(levels=typed))
        except Refused as refused:
            faults.append(str(refused))
        else:
            cells = "1 level" if changed == 1 else f"{changed} levels"
            flash(f"{cells} changed and published." if changed else "Nothing was different.", "good")
            return redirect(url_for("skill_matrix.page"))
    form.faults = {f"said-{place}": fault for place, fault in enumerate(faults)}
    return Response(_page(grid, form), 422, mimetype="text/html")


def _typed(grid: Grid, values: Mapping[str, str]) -> tuple[list[LevelIn], list[str]]:
    """The cells of a form (`AGENT:SKILL` -> level or nothing), and what is wrong with them."""
    typed, faults = [], []
    rows = {str(row.agent_id): row for row in grid.rows}
    skills = {str(skill.skill_id): skill for skill in grid.skills}
    for key, value in values.items():
        agent_id, colon, skill_id = key.partition(":")
        if not colon:
            continue
        row, skill, level = rows.get(agent_id), skills.get(skill_id), value.strip()
        if row is None or skill is None:
            faults.append("An agent or a skill has been deleted meanwhile. What is left is below; save it again.")
        elif level and level not in LEVELS:
            faults.append(f"{row.name}, {skill.name}: a level is 1 to 5, or nothing.")
        else:
            typed.append(LevelIn(extension=row.extension, skill=skill.name, level=int(level) if level else None))
    return typed, list(dict.fromkeys(faults))


def _page(grid: Grid, form: Form | None = None) -> str:
    return render_template("skills.html", place_key="skills", grid=grid, form=form or Form())


@matrix.post("/setup/skills/new")
@needs(Right.CHANGE_SETUP)
def make() -> Response:
    return _named(None)


@matrix.post("/setup/skills/<int:skill_id>/name")
@needs(Right.CHANGE_SETUP)
def call_otherwise(skill_id: int) -> Response:
    return _named(get(parts(), skill_id) or abort(404))


def _named(skill: Skill | None) -> Response:
    form = Form()
    wanted = form.read(SkillIn, {"name": request.form.get("name", "").strip()})
    if wanted is not None:
        try:
            if skill is None:
                add(parts(), wanted)
            else:
                rename(parts(), skill, wanted)
        except Refused as refused:
            form.refuse(refused)
        else:
            flash(f"The skill {wanted.name.strip().lower()} is saved and published.", "good")
    for fault in form.faults.values():
        flash(fault, "bad")
    return redirect(url_for("skill_matrix.page"))


@matrix.post("/setup/skills/<int:skill_id>/delete")
@needs(Right.CHANGE_SETUP)
def remove(skill_id: int) -> Response:
    skill = get(parts(), skill_id)
    if skill is None:
        abort(404)
    try:
        delete(parts(), skill)
    except Refused as refused:
        flash(str(refused), "bad")
    else:
        flash(f"The skill {skill.name} is deleted.", "good")
    return redirect(url_for("skill_matrix.page"))
