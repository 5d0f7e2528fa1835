"""Messages that callers left: who, when, how long, and whether somebody has listened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, abort, render_template, request

from admin.access import Right, Viewer, needs, viewer
from admin.parts import Parts, parts

messages = Blueprint("messages", __name__)

PAGE = 50
_OF_AGENT = (
    "(v.box IN (SELECT extension FROM agent WHERE id = %s) "
    "OR EXISTS (SELECT 1 FROM queue q WHERE q.name = v.box AND NOT EXISTS "
    "(SELECT 1 FROM queue_skill n LEFT JOIN agent_skill s ON s.agent_id = %s AND s.skill_id = n.skill_id "
    "WHERE n.queue_id = q.id AND COALESCE(s.level, 0) < n.level)))"
)
_SELECT = """
SELECT v.id, v.call_id, v.box, COALESCE(NULLIF(q.title, ''), g.name, v.box), v.left_at, v.seconds::float8, v.caller_number,
       v.listened_at, COALESCE(l.full_name, ''), COALESCE(k.name, ''), COALESCE(k.company, ''), COALESCE(k.category, '')
FROM voicemail v LEFT JOIN queue q ON q.name = v.box LEFT JOIN agent g ON g.extension = v.box
LEFT JOIN account l ON l.id = v.listened_by LEFT JOIN call c ON c.id = v.call_id LEFT JOIN customer k ON k.id = c.customer_id
"""


@dataclass(frozen=True, slots=True)
class Message:
    voicemail_id: UUID
    call_id: UUID
    box: str
    box_title: str
    left_at: datetime
    seconds: float
    caller_number: str
    listened_at: datetime | None
    listened_by: str
    customer_name: str
    customer_company: str
    customer_category: str


def find(
    parts: Parts, who: Viewer, *, box: str = "", new: bool = False, before: datetime | None = None, limit: int = PAGE
) -> Sequence[Message]:
    """The newest messages first that this viewer may hear; `before` goes on from the last one's `left_at`."""
    where, values = _where(who, box, new)
    if before is not None:
        where, values = where + " AND v.left_at < %s", [*values, before]
    cursor = parts.db.execute_sql(f"{_SELECT} WHERE {where} ORDER BY v.left_at DESC, v.id LIMIT {limit}", values)
    return [Message(*row) for row in cursor.fetchall()]


def count(parts: Parts, who: Viewer, *, box: str = "", new: bool = False) -> int:
    where, values = _where(who, box, new)
    return int(parts.db.execute_sql(f"SELECT count(*) FROM voicemail v WHERE {where}", values).fetchone()[0])  # noqa: S608


def _where(who: Viewer, box: str, new: bool) -> tuple[str, list[Any]]:
    terms: list[str] = ["true"]
    values: list[Any] = []
    if who.only_agent is not None:
        terms.append(_OF_AGENT)
        values += [who.only_agent, who.only_agent]
    if box:
        terms.append("v.box = %s")
        values.append(box)
    if new:
        terms.append("v.listened_at IS NULL")
    return " AND ".join(terms), values


@messages.get("/messages")
@needs(Right.SEE_CALLS)
def listed() -> str:
    here, who = parts(), viewer()
    box, new = request.args.get("box", "")[:60], request.args.get("new") == "1"
    try:
        before = datetime.fromisoformat(request.args["before"]) if request.args.get("before") else None
    except ValueError:
        abort(400, "before: not an instant")
    rows = find(here, who, box=box, new=new, before=before, limit=PAGE + 1)
    boxes = here.db.execute_sql(
        "SELECT DISTINCT v.box, COALESCE(NULLIF(q.title, ''), g.name, v.box) FROM voicemail v "
        "LEFT JOIN queue q ON q.name = v.box LEFT JOIN agent g ON g.extension = v.box ORDER BY 2"
    ).fetchall()
    return render_template(
        "messages.html",
        place_key="messages",
        messages=rows[:PAGE],
        more=len(rows) > PAGE,
        hits=count(here, who, box=box, new=new),
        box=box,
        new=new,
        before=before,
        boxes=boxes if who.only_agent is None else [],
    )
