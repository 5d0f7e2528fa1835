"""One call with all its parts, and its time line: where each part stands on a line that is as long as the call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from admin.search import NAMED
from admin.words import SEGMENTS, Mark, mark
from conf.database import Database

Row = Mapping[str, Any]

_CALL = f"""
SELECT c.*, {NAMED} AS caller_named, extract(epoch FROM c.ended_at - c.started_at)::float8 AS total_seconds,
       k.name AS customer_name, k.company AS customer_company, k.category AS customer_category, k.note AS customer_note,
       k.place AS customer_place, a.name AS agent, COALESCE(NULLIF(q.title, ''), c.queue) AS queue_title,
       (c.ended_at - c.started_at) > interval '1 hour' AS too_long
FROM call c LEFT JOIN customer k ON k.id = c.customer_id LEFT JOIN agent a ON a.id = c.agent_id
LEFT JOIN queue q ON q.name = c.queue WHERE c.id = %s
"""  # noqa: S608
_PARTS: Mapping[str, str] = {
    "segments": "SELECT s.leg, s.kind, s.queue, s.agent_id, s.extension, s.began_at AS started_at, s.ended_at, "
    "a.name AS agent, COALESCE(NULLIF(q.title, ''), s.queue) AS queue_title FROM segment s "
    "LEFT JOIN agent a ON a.id = s.agent_id LEFT JOIN queue q ON q.name = s.queue "
    "WHERE s.call_id = %s ORDER BY s.began_at, s.leg DESC, s.started_at, s.kind",
    "steps": "SELECT * FROM ivr_step WHERE call_id = %s AND node IS NOT NULL ORDER BY entered_at",
    "entries": "SELECT e.*, a.name AS agent, COALESCE(NULLIF(q.title, ''), e.queue) AS queue_title FROM queue_entry e "
    "LEFT JOIN agent a ON a.id = e.agent_id LEFT JOIN queue q ON q.name = e.queue "
    "WHERE e.call_id = %s AND e.queue IS NOT NULL ORDER BY e.entered_at",
    "offers": "SELECT o.*, a.name AS agent FROM offer o LEFT JOIN agent a ON a.id = o.agent_id "
    "WHERE o.call_id = %s AND o.offered_at IS NOT NULL ORDER BY o.offered_at",
    "recordings": "SELECT r.*, a.name AS agent, l.name AS listener FROM recording r LEFT JOIN agent a ON a.id = r.agent_id "
    "LEFT JOIN account l ON l.id = r.listened_by WHERE r.call_id = %s ORDER BY r.started_at",
    "messages": "SELECT v.*, l.name AS listener FROM voicemail v LEFT JOIN account l ON l.id = v.listened_by "
    "WHERE v.call_id = %s ORDER BY v.left_at",
    "answers": "SELECT s.*, a.name AS agent FROM survey_answer s LEFT JOIN agent a ON a.id = s.agent_id "
    "WHERE s.call_id = %s ORDER BY s.answered_at",
    "mails": "SELECT id, asked_at, recipients, subject, tries, sent_at, given_up_at, fault FROM outgoing_mail "
    "WHERE call_id = %s ORDER BY asked_at",
}


@dataclass(frozen=True, slots=True)
class Bar:
    """A part of the time line; `left` and `width` in per cent of the call."""

    mark: Mark
    kind: str
    left: float
    width: float
    seconds: float
    label: str
    """As much of the hint as fits."""
    hint: str


@dataclass(frozen=True, slots=True)
class Tick:
    left: float
    label: str


@dataclass(frozen=True, slots=True)
class Timeline:
    seconds: float
    caller: Sequence[Bar]
    agents: Sequence[Bar]
    steps: Sequence[Bar]
    ticks: Sequence[Tick]


@dataclass(frozen=True, slots=True)
class OneCall:
    call: Row
    segments: Sequence[Row]
    steps: Sequence[Row]
    entries: Sequence[Row]
    offers: Sequence[Row]
    recordings: Sequence[Row]
    messages: Sequence[Row]
    answers: Sequence[Row] = ()
    mails: Sequence[Row] = ()

    def belongs_to(self, agent_id: int) -> bool:
        """Whether the call was taken by the agent or offered to them."""
        return self.call["agent_id"] == agent_id or any(offer["agent_id"] == agent_id for offer in self.offers)


def load(db: Database, call_id: str) -> OneCall | None:
    """The call and its parts, None where there is none of that id. A call that still goes on has no end yet."""
    found = _rows(db, _CALL, call_id)
    if not found:
        return None
    return OneCall(call=found[0], **{name: _rows(db, statement, call_id) for name, statement in _PARTS.items()})


def _rows(db: Database, statement: str, call_id: str) -> list[Row]:
    cursor = db.execute_sql(statement, (call_id,))
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def timeline(found: OneCall, now: datetime) -> Timeline:
    """The call's parts on one line. It reaches from the first part to the last, which may be an agent's wrap-up after the
    caller has gone."""
    starts = [row["started_at"] for row in found.segments] + [found.call["started_at"]] * bool(found.call["started_at"])
    ends = [row["ended_at"] or now for row in found.segments] + [found.call["ended_at"]] * bool(found.call["ended_at"])
    begin = min(starts, default=now)
    whole = max((max(ends, default=now) - begin).total_seconds(), 1.0)

    def bar(kind: str, start: datetime, end: datetime | None, label: str, hint: str) -> Bar:
        left = (start - begin).total_seconds()
        seconds = max(0.0, ((end or now) - start).total_seconds())
        return Bar(
            mark(SEGMENTS, kind),
            kind,
            round(100 * left / whole, 3),
            round(100 * seconds / whole, 3),
            seconds,
            _fitting(100 * seconds / whole, label, label.partition(" · ")[0]),
            hint,
        )

    def segment(row: Row) -> Bar:
        kind = str(row["kind"])
        word = mark(SEGMENTS, kind).word
        who = row["agent"] if row["leg"] == "agent" or kind in ("talk", "hold") else row["queue_title"]
        label = f"{word} · {who}" if who else word
        return bar(kind, row["started_at"], row["ended_at"], label, label)

    return Timeline(
        seconds=whole,
        caller=[segment(row) for row in found.segments if row["leg"] == "caller"],
        agents=[segment(row) for row in found.segments if row["leg"] == "agent"],
        steps=[
            bar(
                "step",
                row["entered_at"],
                row["left_at"] or row["entered_at"],
                str(row["node"]),
                f"{row['node']} ({row['node_type']})",
            )
            for row in found.steps
        ],
        ticks=list(_ticks(whole)),
    )


def _fitting(width: float, *labels: str) -> str:
    """The first label that has room in `width` per cent of a line of the usual length, nothing where none has."""
    return next((label for label in labels if len(label) * 7 + 12 <= width * 10), "")


def _ticks(whole: float) -> list[Tick]:
    """At most nine marks at round lengths."""
    step = next((s for s in (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600) if whole / s <= 8), 7200)
    return [
        Tick(
            round(100 * at / whole, 3),
            f"{at // 3600}:{at // 60 % 60:02}:{at % 60:02}" if at >= 3600 else f"{at // 60}:{at % 60:02}",
        )
        for at in range(0, int(whole) + 1, step)
    ]


def position(found: OneCall, line: Timeline, at: datetime, seconds: float) -> tuple[float, float]:
    """Where a recording that began `at` stands on the line: left and width in per cent."""
    begin = min([row["started_at"] for row in found.segments] + [found.call["started_at"] or at])
    left = max(timedelta(), at - begin).total_seconds()
    return round(100 * left / line.seconds, 3), round(100 * min(seconds, line.seconds) / line.seconds, 3)
