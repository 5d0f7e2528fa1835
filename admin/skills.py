"""Skills as the forms of agents and queues show them: every skill with a level, and room for a new one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field

from conf.database import Database


def _named(skills: dict[str, int]) -> dict[str, int]:
    for name in skills:
        if not 0 < len(name.strip()) <= 40:
            raise ValueError("need names of 1 to 40 characters")
    return {name.strip().lower(): level for name, level in skills.items()}


Level = Annotated[int, Field(ge=1, le=5)]
Skills = Annotated[dict[str, Level], AfterValidator(_named)]
"""Skill name -> level 1 to 5."""


def names(db: Database) -> list[str]:
    return [name for (name,) in db.execute_sql("SELECT name FROM skill ORDER BY name").fetchall()]


def of(db: Database, owner: str) -> Mapping[int, dict[str, int]]:
    """Owner's id -> its skills, for all agents (`owner` is `agent`) or all queues (`queue`)."""
    found: dict[int, dict[str, int]] = {}
    rows = db.execute_sql(
        f"SELECT o.{owner}_id, s.name, o.level FROM {owner}_skill o JOIN skill s ON s.id = o.skill_id ORDER BY s.name"  # noqa: S608
    )
    for owner_id, name, level in rows.fetchall():
        found.setdefault(owner_id, {})[name] = level
    return found


def save(db: Database, owner: str, owner_id: int, skills: Mapping[str, int]) -> None:
    """Give the agent or queue exactly these skills; those that do not exist yet are made. Inside a transaction."""
    db.execute_sql(f"DELETE FROM {owner}_skill WHERE {owner}_id = %s", (owner_id,))  # noqa: S608
    for name, level in skills.items():
        db.execute_sql("INSERT INTO skill (name) VALUES (%s) ON CONFLICT DO NOTHING", (name,))
        db.execute_sql(
            f"INSERT INTO {owner}_skill ({owner}_id, skill_id, level) SELECT %s, id, %s FROM skill WHERE name = %s",  # noqa: S608
            (owner_id, level, name),
        )


SERVES: Final = """
    NOT EXISTS (SELECT 1 FROM queue_skill n LEFT JOIN agent_skill s ON s.agent_id = a.id AND s.skill_id = n.skill_id
                WHERE n.queue_id = q.id AND (COALESCE(s.level, 0) < n.level OR n.exact AND s.level <> n.level))
    AND (NOT jsonb_path_exists(q.rules, '$.members.*[*]')
         OR jsonb_path_exists(q.rules, '$.members.agents[*] ? (@.extension == $its)', jsonb_build_object('its', a.extension))
         OR EXISTS (SELECT 1 FROM agent_group_member m JOIN agent_group g ON g.id = m.group_id
                    WHERE m.agent_id = a.id AND jsonb_exists(q.rules #> '{members,groups}', g.name)))
"""
"""In SQL, of an agent `a` and a queue `q`: whether the agent has what the queue asks for from the first second on, and is one
of those who serve it, where it names them."""


def exact(db: Database) -> Mapping[int, list[str]]:
    """Queue's id -> the skills of which it needs the very level."""
    found: dict[int, list[str]] = {}
    rows = db.execute_sql(
        "SELECT q.queue_id, s.name FROM queue_skill q JOIN skill s ON s.id = q.skill_id WHERE q.exact ORDER BY s.name"
    )
    for queue_id, name in rows.fetchall():
        found.setdefault(queue_id, []).append(name)
    return found


def save_exact(db: Database, queue_id: int, names: Sequence[str]) -> None:
    """Of these skills the queue needs the very level, of its others the least. Inside a transaction."""
    db.execute_sql(
        "UPDATE queue_skill SET exact = (SELECT s.name FROM skill s WHERE s.id = skill_id) = ANY(%s) WHERE queue_id = %s",
        (list(names), queue_id),
    )


def typed(form: Mapping[str, str]) -> dict[str, Any]:
    """The skills of a form: fields `skill:NAME` with a level or nothing, and `new_skill` with `new_level`."""
    skills = {key.removeprefix("skill:"): level for key, level in form.items() if key.startswith("skill:") and level}
    if form.get("new_skill", "").strip():
        skills[form["new_skill"].strip()] = form.get("new_level", "3")
    return dict(skills)
