"""The report on surveys."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from typing import Any

import pytest
from sample_company import Company

from engine.records.apply import Batch
from engine.records.facts import SurveyAnswered

WORDS = {"1": "not at all", "3": "so so", "5": "very"}
GIVEN = [("5", "1001"), ("3", "1001"), ("5", "1002"), ("1", None)]


@pytest.fixture
def answered(history: Company) -> Company:
    """Four calls that were asked whether they are satisfied, and of three of them whether they were helped; one long ago."""
    batch = Batch()
    calls = list(history.calls.values())

    def told(number: int, question: str, answer: str, extension: str | None, days: int = 0) -> None:
        batch.add(
            SurveyAnswered(
                call_id=calls[number],
                at=history.now - timedelta(days=days, seconds=60 - number + (1 if question == "satisfied" else 0)),
                survey="after-call",
                question=question,
                asked="Satisfied?" if question == "satisfied" else "Helped?",
                answer=answer,
                words=WORDS.get(answer, ""),
                agent_id=history.agents[extension] if extension else None,
            )
        )

    for number, (keys, extension) in enumerate(GIVEN):
        told(number, "satisfied", keys, extension)
        if number:
            told(number, "solved", "1", extension)
    told(9, "satisfied", "1", "1003", days=20)
    connection = history.parts.db.connection()
    with connection, connection.cursor() as cursor:
        batch.write(cursor)
    return history


def test_the_report_counts_and_averages(answered: Company, visit: Any) -> None:
    analyst = visit("analyst")
    page = analyst.get("/reports/surveys").text
    said = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", page))
    assert "4 callers answered after-call in the last 7 days" in said
    assert "“Satisfied?”: 3.5 on average" in said
    assert said.index("Satisfied?") < said.index("Helped?")
    rows = list(csv.DictReader(io.StringIO(analyst.get("/reports/surveys/export?format=csv").text)))
    satisfied = [row for row in rows if row["question"] == "satisfied"]
    assert [(row["answer"], row["words"], row["answers"]) for row in satisfied if row["answer"]] == [
        ("1", "not at all", "1"), ("3", "so so", "1"), ("5", "very", "2"),
    ]  # fmt: skip
    assert [(row["agent"], row["answers"], row["mean"]) for row in satisfied if row["agent"]] == [
        ("Ben Okoro", "1", "5.000"), ("Anna Holm", "2", "4.000"), ("nobody", "1", "1.000"),
    ]  # fmt: skip
    longer = analyst.get("/reports/surveys?period=30d&survey=after-call").text
    assert "5 callers answered" in longer


def test_the_call_s_page_lists_its_answers(answered: Company, visit: Any) -> None:
    page = visit("analyst").get(f"/calls/{list(answered.calls.values())[1]}").text
    assert "Satisfied?" in page
    assert "so so" in page
    assert "about Anna Holm" in page


def test_without_answers_it_says_what_a_survey_is(history: Company, visit: Any) -> None:
    assert "Put a survey into a flow" in visit("analyst").get("/reports/surveys").text


def test_nothing_in_the_period(answered: Company, visit: Any) -> None:
    page = visit("analyst").get("/reports/surveys?period=dates&from=2001-01-01&to=2001-01-02").text
    assert "Nobody answered a survey from 1 January 2001 to 2 January 2001" in page
    page = visit("analyst").get("/reports/surveys?period=dates&from=2001-01-01&to=2001-01-01").text
    assert "Nobody answered a survey on 1 January 2001" in page
    assert visit("analyst").get("/reports/surveys?period=ever").status_code == 400


def test_the_api_says_the_same(answered: Company) -> None:
    headers = {"Authorization": f"Bearer {answered.token('analyst')}"}
    found = answered.app.test_client().get("/api/v1/reports/surveys", headers=headers).json
    assert found
    assert [(each["question"], each["answers"], each["mean"]) for each in found["questions"]] == [
        ("satisfied", 4, 3.5),
        ("solved", 3, 1.0),
    ]
