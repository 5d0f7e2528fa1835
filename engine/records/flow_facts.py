"""The rows of what flows note down for callers: answers to surveys, and e-mails that are to be sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Final

import msgspec

from engine.records import facts

Row = dict[str, Any]


class FlowRows:
    """Those of one batch, merged by key."""

    def __init__(self) -> None:
        self.answers: dict[tuple[str, str, str], Row] = {}
        self.mails: dict[str, Row] = {}

    def add_answer(self, fact: facts.SurveyAnswered) -> None:
        key = (fact.call_id, fact.survey, fact.question)
        known: datetime | None = self.answers[key]["answered_at"] if key in self.answers else None
        if known is None or (fact.at, fact.answer) > (known, self.answers[key]["answer"]):
            row = msgspec.structs.asdict(fact)
            row["answered_at"] = row.pop("at")
            self.answers[key] = row

    def add_mail(self, fact: facts.MailWanted) -> None:
        row = msgspec.structs.asdict(fact)
        row["id"], row["asked_at"] = row.pop("mail_id"), row.pop("at")
        self.mails.setdefault(fact.mail_id, row)

    def statements(self, encode: Callable[[dict[Any, Row]], str]) -> Iterator[tuple[str, str]]:
        """Each statement with its argument."""
        if self.answers:
            yield _ANSWER, encode(self.answers)
        if self.mails:
            yield _MAIL, encode(self.mails)


_ANSWER: Final = """
INSERT INTO survey_answer AS s (call_id, survey, question, asked, answer, words, answered_at, queue, agent_id)
SELECT call_id, survey, question, asked, answer, words, answered_at, queue, agent_id
FROM json_to_recordset(%s) AS x(call_id uuid, survey text, question text, asked text, answer text, words text,
    answered_at timestamptz, queue text, agent_id integer)
ORDER BY call_id, survey, question
ON CONFLICT (call_id, survey, question) DO UPDATE SET asked = excluded.asked, answer = excluded.answer, words = excluded.words,
    answered_at = excluded.answered_at, queue = excluded.queue, agent_id = excluded.agent_id
WHERE (excluded.answered_at, excluded.answer COLLATE "C") > (s.answered_at, s.answer COLLATE "C")"""

_MAIL: Final = """
INSERT INTO outgoing_mail (id, call_id, asked_at, recipients, subject, body)
SELECT id, call_id, asked_at, ARRAY(SELECT json_array_elements_text(recipients)), subject, body
FROM json_to_recordset(%s) AS x(id uuid, call_id uuid, asked_at timestamptz, recipients json, subject text, body text)
ON CONFLICT DO NOTHING"""
