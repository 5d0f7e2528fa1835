"""Queues' and agents' rules, groups, pause reasons, blocked numbers and further needs, in and out of the database.

What is saved takes part in calls once the configuration's version is raised (engine.records.publish) by the caller, in the
caller's transaction where there is one. Database errors pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import peewee

from conf.database import Database
from dialplan import numbers
from engine.records import strategies
from engine.records.queues import (
    AgentSettings,
    Needs,
    QueueSettings,
    RulesInvalid,
    decode_agent,
    decode_needs,
    decode_queue,
    encode,
)


@dataclass(frozen=True, slots=True)
class Group:
    group_id: int
    name: str
    extensions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PauseReason:
    name: str
    title: str
    paid: bool
    position: int = 0


@dataclass(frozen=True, slots=True)
class BlockedNumber:
    number: str
    note: str = ""
    until: datetime | None = None
    created_by: str = ""


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


# --- queues ---


def queue_rules(db: Database, queue_id: int) -> tuple[str, QueueSettings]:
    """A queue's strategy and settings; the defaults for an unknown one. RulesInvalid where what is stored is broken."""
    row = db.execute_sql("SELECT strategy, rules FROM queue WHERE id = %s", (queue_id,)).fetchone()
    return (strategies.DEFAULT, QueueSettings()) if row is None else (row[0], decode_queue(row[1]))


def save_queue_rules(db: Database, queue_id: int, strategy: str, settings: QueueSettings) -> None:
    """RulesInvalid where the strategy is none, or the settings name an agent, group, skill, queue or calendar that is not
    there."""
    if strategy not in strategies.STRATEGIES:
        raise RulesInvalid("strategy", f"`{strategy}` is none of {', '.join(strategies.STRATEGIES)}")
    decode_queue(encode(settings))
    check_names(db, settings)
    db.execute_sql(
        "UPDATE queue SET strategy = %s, rules = %s::jsonb WHERE id = %s", (strategy, _json(encode(settings)), queue_id)
    )


def check_names(db: Database, settings: QueueSettings) -> None:
    """RulesInvalid for the first name in the settings that nothing bears."""
    extensions, groups, skills, calendars = (
        {name for (name,) in db.execute_sql(statement).fetchall()}
        for statement in (
            "SELECT extension FROM agent",
            "SELECT name FROM agent_group",
            "SELECT name FROM skill",
            "SELECT name FROM calendar",
        )
    )
    for number, member in enumerate(settings.members.agents):
        _known(member.extension, extensions, f"members.agents.{number}.extension", "no agent has extension")
    for number, name in enumerate(settings.members.groups):
        _known(name, groups, f"members.groups.{number}", "there is no group")
    for number, extension in enumerate(settings.problem_agents):
        _known(extension, extensions, f"problem_agents.{number}", "no agent has extension")
    for number, step in enumerate(settings.relaxations):
        _known(step.group, groups, f"relaxations.{number}.group", "there is no group")
        _known(step.drop, skills, f"relaxations.{number}.drop", "there is no skill")
        _known(step.skill, skills, f"relaxations.{number}.skill", "there is no skill")
    _known(settings.calendar, calendars, "calendar", "there is no calendar")
    if settings.callback is not None:
        _known(settings.callback.calendar, calendars, "callback.calendar", "there is no calendar")


def _known(name: str | None, names: set[str], field: str, fault: str) -> None:
    if name is not None and name not in names:
        raise RulesInvalid(field, f"{fault} {name}")


# --- agents and groups ---


def save_agent_rules(db: Database, agent_id: int, settings: AgentSettings) -> None:
    """RulesInvalid."""
    decode_agent(encode(settings))
    db.execute_sql("UPDATE agent SET rules = %s::jsonb WHERE id = %s", (_json(encode(settings)), agent_id))


def groups(db: Database) -> list[Group]:
    """All groups by name, each with its members' extensions in order."""
    rows = db.execute_sql(
        "SELECT g.id, g.name, coalesce(array_agg(a.extension ORDER BY a.extension) FILTER (WHERE a.id IS NOT NULL), '{}') "
        "FROM agent_group g LEFT JOIN agent_group_member m ON m.group_id = g.id LEFT JOIN agent a ON a.id = m.agent_id "
        "GROUP BY g.id ORDER BY g.name"
    ).fetchall()
    return [Group(group_id, name, tuple(extensions)) for group_id, name, extensions in rows]


def save_group(db: Database, name: str, extensions: Iterable[str], group_id: int | None = None) -> int:
    """Add or change a group; its id. RulesInvalid where the name is taken or empty, or an extension is nobody's."""
    name = name.strip()
    if not name:
        raise RulesInvalid("name", "must not be empty")
    wanted = set(extensions)
    with db.atomic():
        known = dict(db.execute_sql("SELECT extension, id FROM agent").fetchall())
        for extension in sorted(wanted):
            _known(extension, set(known), "extensions", "no agent has extension")
        try:
            if group_id is None:
                row = db.execute_sql("INSERT INTO agent_group (name) VALUES (%s) RETURNING id", (name,)).fetchone()
                group_id = int(row[0])
            else:
                db.execute_sql("UPDATE agent_group SET name = %s WHERE id = %s", (name, group_id))
        except peewee.IntegrityError as error:
            raise RulesInvalid("name", f"there is a group {name} already") from error
        db.execute_sql("DELETE FROM agent_group_member WHERE group_id = %s", (group_id,))
        for extension in sorted(wanted):
            db.execute_sql(
                "INSERT INTO agent_group_member (group_id, agent_id) VALUES (%s, %s)", (group_id, known[extension])
            )
    return group_id


def check_group_unused(db: Database, name: str) -> None:
    """RulesInvalid while a queue names the group."""
    for queue, rules in db.execute_sql("SELECT name, rules FROM queue ORDER BY name").fetchall():
        try:
            settings = decode_queue(rules)
        except RulesInvalid:
            continue
        if name in settings.members.groups or any(step.group == name for step in settings.relaxations):
            raise RulesInvalid("", f"queue {queue} names the group; change the queue first")


def delete_group(db: Database, group_id: int) -> None:
    """RulesInvalid while a queue names the group."""
    row = db.execute_sql("SELECT name FROM agent_group WHERE id = %s", (group_id,)).fetchone()
    if row is None:
        return
    check_group_unused(db, row[0])
    db.execute_sql("DELETE FROM agent_group WHERE id = %s", (group_id,))


# --- reasons, needs, blocked numbers ---


def pause_reasons(db: Database) -> list[PauseReason]:
    rows = db.execute_sql("SELECT name, title, paid, position FROM pause_reason ORDER BY position, name").fetchall()
    return [PauseReason(*row) for row in rows]


def save_pause_reasons(db: Database, reasons: Iterable[PauseReason]) -> None:
    """Store these in place of all there were, in this order. RulesInvalid for a name that is empty or stands twice."""
    seen: set[str] = set()
    with db.atomic():
        db.execute_sql("DELETE FROM pause_reason")
        for position, reason in enumerate(reasons):
            name = reason.name.strip()
            if not name or name in seen:
                raise RulesInvalid(f"{position}.name", f"{name} stands twice" if name else "must not be empty")
            seen.add(name)
            db.execute_sql(
                "INSERT INTO pause_reason (name, title, paid, position) VALUES (%s, %s, %s, %s)",
                (name, reason.title.strip(), reason.paid, position),
            )


def language_needs(db: Database) -> dict[str, Needs]:
    """Language -> what its callers need. What is broken is left out."""
    found = {}
    for language, needs in db.execute_sql("SELECT language, needs FROM language_need ORDER BY language").fetchall():
        try:
            found[language] = decode_needs(needs)
        except RulesInvalid:
            continue
    return found


def save_language_needs(db: Database, language: str, needs: Mapping[str, object]) -> None:
    """Empty needs take the language out. RulesInvalid."""
    if not language.strip():
        raise RulesInvalid("language", "must not be empty")
    _save_needs(
        db,
        needs,
        "INSERT INTO language_need (needs, language) VALUES (%s::jsonb, %s) "
        "ON CONFLICT (language) DO UPDATE SET needs = excluded.needs",
        language.strip(),
    )
    db.execute_sql("DELETE FROM language_need WHERE needs = '{}'")


def save_number_needs(db: Database, number_id: int, needs: Mapping[str, object]) -> None:
    """What callers of a number need beside the queue's own needs. RulesInvalid."""
    _save_needs(db, needs, "UPDATE number SET needs = %s::jsonb WHERE id = %s", number_id)


def save_customer_routing(
    db: Database, customer_id: int, needs: Mapping[str, object], responsible_agent_id: int | None
) -> None:
    """What a customer needs of whoever talks with them, and who is responsible for them. RulesInvalid."""
    _save_needs(db, needs, "UPDATE customer SET needs = %s::jsonb WHERE id = %s", customer_id)
    db.execute_sql("UPDATE customer SET responsible_agent_id = %s WHERE id = %s", (responsible_agent_id, customer_id))


def _save_needs(db: Database, needs: Mapping[str, object], statement: str, key: Any) -> None:
    decoded = decode_needs(needs)
    known = {name for (name,) in db.execute_sql("SELECT name FROM skill").fetchall()}
    for skill in decoded:
        _known(skill, known, f"needs.{skill}", "there is no skill")
    db.execute_sql(statement, (_json(msgspec.to_builtins(decoded)), key))


def blocked_numbers(db: Database) -> list[BlockedNumber]:
    rows = db.execute_sql("SELECT number, note, until, created_by FROM blocked_number ORDER BY number").fetchall()
    return [BlockedNumber(*row) for row in rows]


def block_number(
    db: Database, number: str, *, country: str, note: str = "", until: datetime | None = None, by: str = ""
) -> str:
    """Block a number in whatever spelling, in place of an earlier block; as it is kept. RulesInvalid where it is none."""
    normal = numbers.normalise(number, country)
    if not normal:
        raise RulesInvalid("number", f"{number!r:.60} is no number")
    db.execute_sql(
        "INSERT INTO blocked_number (number, note, until, created_by) VALUES (%s, %s, %s, %s) "
        "ON CONFLICT (number) DO UPDATE SET note = excluded.note, until = excluded.until, created_by = excluded.created_by",
        (normal, note.strip(), until, by),
    )
    return normal


def unblock_number(db: Database, number: str) -> None:
    """`number` as it is kept."""
    db.execute_sql("DELETE FROM blocked_number WHERE number = %s", (number,))
