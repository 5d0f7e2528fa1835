"""Callbacks: from facts to rows, in whatever order the facts come."""

from __future__ import annotations

import random
import uuid
from datetime import UTC, datetime, timedelta

import pytest

from conf.database import Database
from engine.records.facts import AnyFact, CallbackAsked, CallbackClosed, CallbackTried
from tests.shipped import ship

AT = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)


def history(callback_id: str) -> list[AnyFact]:
    first, second = str(uuid.uuid4()), str(uuid.uuid4())
    return [
        CallbackAsked(
            callback_id=callback_id, call_id=str(uuid.uuid4()), queue="sales", number="+4532101010", at=AT,
            record={"callback_id": callback_id}, name="One House",
        ),
        CallbackTried(
            callback_id=callback_id, call_id=first, started_at=AT + timedelta(60), ended_at=AT + timedelta(61),
            result="no_answer", extension="1001", due_at=AT + timedelta(62),
        ),
        CallbackTried(
            callback_id=callback_id, call_id=second, started_at=AT + timedelta(62), ended_at=AT + timedelta(63),
            result="answered", extension="1002",
        ),
        CallbackClosed(callback_id=callback_id, at=AT + timedelta(63), result="done", call_id=second),
        CallbackClosed(callback_id=callback_id, at=AT + timedelta(64), result="cancelled", by="admin"),
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_facts_make_one_row_and_its_attempts(db: Database, database_url: str, seed: int) -> None:
    callback_id = str(uuid.uuid4())
    told = history(callback_id)
    asked = told[0]
    random.Random(seed).shuffle(told)
    for start in range(0, len(told), 2):
        ship(database_url, *told[start : start + 2])
    ship(database_url, *told)
    ((*found,),) = db.execute_sql(
        "SELECT queue, number, name, state, attempts, last_result, due_at, closed_by FROM report.callbacks"
        " WHERE callback_id = %s",
        (callback_id,),
    ).fetchall()
    assert isinstance(asked, CallbackAsked)
    assert found == ["sales", "+4532101010", "One House", "done", 2, "answered", None, ""]
    attempts = db.execute_sql(
        "SELECT position, result, extension FROM report.callback_attempts WHERE callback_id = %s ORDER BY 1",
        (callback_id,),
    ).fetchall()
    assert attempts == [(1, "no_answer", "1001"), (2, "answered", "1002")]


def test_what_is_owed_says_when_it_is_due(db: Database, database_url: str) -> None:
    callback_id = str(uuid.uuid4())
    ship(database_url, *history(callback_id)[:2])
    ((state, due_at, attempts),) = db.execute_sql(
        "SELECT state, due_at, attempts FROM report.callbacks WHERE callback_id = %s", (callback_id,)
    ).fetchall()
    assert (state, due_at, attempts) == ("owed", AT + timedelta(62), 1)
