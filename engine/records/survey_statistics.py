"""What callers answered in surveys, question by question, and about whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from conf.database import Database
from engine.records.ivr_statistics import Period


@dataclass(frozen=True, slots=True)
class AnswerCount:
    """How often a question was answered by these keys, and what they mean."""

    answer: str
    words: str
    count: int


@dataclass(frozen=True, slots=True)
class AgentScore:
    """The answers of callers who had talked with an agent; empty for those who had talked with nobody. `mean` is that of the
    keys as numbers."""

    agent: str
    answers: int
    mean: float


@dataclass(frozen=True, slots=True)
class QuestionFigures:
    """A question of a survey as it was asked last: by how many calls it was answered, the mean of the keys as numbers, each
    answer by its keys, and the agents by their mean."""

    survey: str
    question: str
    asked: str
    answers: int
    mean: float
    counts: Sequence[AnswerCount]
    agents: Sequence[AgentScore]


def survey_figures(db: Database, period: Period, survey: str = "") -> list[QuestionFigures]:
    """The questions answered within the period, of one survey or of all, in the order in which they are asked. Database errors
    pass."""
    where = "s.answered_at >= %s AND s.answered_at < %s"
    values: list[Any] = [period.since, period.until]
    if survey:
        where, values = f"{where} AND s.survey = %s", [*values, survey]
    with db.connection_context():
        questions, counts, agents = (
            db.execute_sql(statement.format(where=where), values).fetchall()
            for statement in (_QUESTIONS, _COUNTS, _AGENTS)
        )

    def of(rows: Sequence[Any], key: tuple[str, str]) -> list[Any]:
        return [row[2:] for row in rows if (row[0], row[1]) == key]

    found = []
    for name, question, asked, answers, mean in questions:
        key = (name, question)
        shares = sorted(
            (AnswerCount(*row) for row in of(counts, key)), key=lambda each: (len(each.answer), each.answer)
        )
        scores = sorted((AgentScore(*row) for row in of(agents, key)), key=lambda each: (-each.mean, each.agent))
        found.append(QuestionFigures(name, question, asked, answers, mean, tuple(shares), tuple(scores)))
    return found


def surveys_seen(db: Database) -> list[str]:
    """The names of all surveys that anybody has answered. Database errors pass."""
    with db.connection_context():
        rows = db.execute_sql("SELECT DISTINCT survey FROM survey_answer ORDER BY 1").fetchall()
    return [name for (name,) in rows]


_QUESTIONS: Final = """
SELECT s.survey, s.question, (array_agg(s.asked ORDER BY s.answered_at DESC))[1], count(*)::integer,
    avg(s.answer::integer)::float8
FROM survey_answer s LEFT JOIN call c ON c.id = s.call_id WHERE {where} AND s.answer ~ '^[0-9]+$'
GROUP BY 1, 2 ORDER BY 1, avg(s.answered_at - c.started_at) NULLS LAST, 2"""

_COUNTS: Final = """
SELECT s.survey, s.question, s.answer, (array_agg(s.words ORDER BY s.answered_at DESC))[1], count(*)::integer
FROM survey_answer s WHERE {where} AND s.answer ~ '^[0-9]+$' GROUP BY 1, 2, 3"""

_AGENTS: Final = """
SELECT s.survey, s.question, coalesce(a.name, ''), count(*)::integer, avg(s.answer::integer)::float8
FROM survey_answer s LEFT JOIN agent a ON a.id = s.agent_id WHERE {where} AND s.answer ~ '^[0-9]+$' GROUP BY 1, 2, 3"""
