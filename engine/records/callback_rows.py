"""The rows of callbacks: who asked, each attempt, and how it ended. Facts may come in any order and twice; of two ends the
earlier counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from engine.records import facts

Row = dict[str, Any]


class CallbackRows:
    """Those of one batch."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self.attempts: dict[tuple[str, str], Row] = {}

    def asked(self, fact: facts.CallbackAsked) -> None:
        self._row(fact.callback_id).update(
            call_id=fact.call_id,
            queue=fact.queue,
            number=fact.number,
            name=fact.name,
            customer_id=fact.customer_id,
            asked_at=fact.at,
            record=fact.record,
        )

    def tried(self, fact: facts.CallbackTried) -> None:
        self.attempts.setdefault(
            (fact.callback_id, fact.call_id),
            {
                "callback_id": fact.callback_id,
                "call_id": fact.call_id,
                "started_at": fact.started_at,
                "ended_at": fact.ended_at,
                "result": fact.result,
                "agent_id": fact.agent_id,
                "extension": fact.extension,
                "due_at": fact.due_at,
            },
        )

    def closed(self, fact: facts.CallbackClosed) -> None:
        row = self._row(fact.callback_id)
        if "closed_at" not in row or (fact.at, fact.result) < (row["closed_at"], row["result"]):
            row.update(closed_at=fact.at, result=fact.result, closed_by=fact.by, closed_call_id=fact.call_id)

    def statements(self, encode: Callable[[dict[Any, Row]], str]) -> Iterator[tuple[str, str]]:
        """What writes them, each with its rows as JSON."""
        if self.rows:
            yield _CALLBACK, encode(self.rows)
        if self.attempts:
            yield _ATTEMPT, encode(self.attempts)

    def _row(self, callback_id: str) -> Row:
        return self.rows.setdefault(callback_id, {"id": callback_id})


_CALLBACK = """
INSERT INTO callback AS c (id, call_id, queue, number, name, customer_id, asked_at, record, closed_at, result, closed_by,
    closed_call_id)
SELECT id, call_id, queue, number, coalesce(name, ''), customer_id, asked_at, record, closed_at, result, closed_by,
    closed_call_id
FROM json_to_recordset(%s) AS x(id uuid, call_id uuid, queue text, number text, name text, customer_id integer,
    asked_at timestamptz, record jsonb, closed_at timestamptz, result text, closed_by text, closed_call_id uuid)
ORDER BY id
ON CONFLICT (id) DO UPDATE SET
    call_id = coalesce(c.call_id, excluded.call_id), queue = coalesce(c.queue, excluded.queue),
    number = coalesce(c.number, excluded.number), name = CASE WHEN c.asked_at IS NULL THEN excluded.name ELSE c.name END,
    customer_id = coalesce(c.customer_id, excluded.customer_id), asked_at = coalesce(c.asked_at, excluded.asked_at),
    record = coalesce(c.record, excluded.record),
    (closed_at, result, closed_by, closed_call_id) = (SELECT w.closed_at, w.result, w.closed_by, w.closed_call_id
        FROM (VALUES (c.closed_at, c.result, c.closed_by, c.closed_call_id),
            (excluded.closed_at, excluded.result, excluded.closed_by, excluded.closed_call_id))
        AS w(closed_at, result, closed_by, closed_call_id)
        ORDER BY w.closed_at IS NULL, w.closed_at, w.result COLLATE "C" LIMIT 1)"""

_ATTEMPT = """
INSERT INTO callback_attempt (callback_id, call_id, started_at, ended_at, result, agent_id, extension, due_at)
SELECT callback_id, call_id, started_at, ended_at, result, agent_id, extension, due_at
FROM json_to_recordset(%s) AS x(callback_id uuid, call_id uuid, started_at timestamptz, ended_at timestamptz, result text,
    agent_id integer, extension text, due_at timestamptz)
ORDER BY callback_id, call_id
ON CONFLICT DO NOTHING"""
