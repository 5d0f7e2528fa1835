"""Callbacks on their pages and by the API: who is owed a call, what became of it, calling now and giving up."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sample_company import Company

from engine.live import keys
from engine.records.facts import AnyFact, CallbackAsked, CallbackClosed, CallbackTried
from tests.shipped import ship

OWED, DONE = str(uuid.UUID(int=0xCA11)), str(uuid.UUID(int=0xD0E))
FIRST, SECOND = str(uuid.UUID(int=0xF1)), str(uuid.UUID(int=0xF2))


def told(company: Company) -> list[AnyFact]:
    def asked(callback_id: str, number: str, minutes: int) -> CallbackAsked:
        return CallbackAsked(
            callback_id=callback_id, call_id=str(uuid.uuid4()), queue="sales", number=number,
            at=company.now - timedelta(minutes=minutes), record={}, name="One House",
        )  # fmt: skip

    began = company.now - timedelta(minutes=30)
    return [
        asked(OWED, "+4532101010", 20),
        asked(DONE, "+4570101010", 40),
        CallbackTried(
            callback_id=DONE, call_id=FIRST, started_at=began, ended_at=began + timedelta(seconds=30), result="busy",
            extension="1001", due_at=began + timedelta(minutes=5),
        ),
        CallbackTried(
            callback_id=DONE, call_id=SECOND, started_at=began + timedelta(minutes=5),
            ended_at=began + timedelta(minutes=6), result="answered", extension="1002",
        ),
        CallbackClosed(callback_id=DONE, at=began + timedelta(minutes=6), result="done", call_id=SECOND),
    ]  # fmt: skip


@pytest.fixture
def owing(company: Company) -> Iterator[Company]:
    ship(company.parts.settings.database_url, *told(company))
    yield company
    company.parts.redis.delete(keys.CALLBACKS, keys.CALLBACK_WISHES)


def wishes(company: Company) -> dict[str, dict[str, str]]:
    return {key: json.loads(text) for key, text in company.parts.redis.hgetall(keys.CALLBACK_WISHES).items()}


def test_nobody_is_owed_a_call(company: Company, visit: Any) -> None:
    page = visit("supervisor").get("/callbacks").text
    assert "Nobody is owed a call" in page


def test_the_lists_and_one_callback(owing: Company, visit: Any) -> None:
    supervisor = visit("supervisor")
    page = supervisor.get("/callbacks").text
    assert "1 owed" in page
    assert "32 10 10 10" in page
    assert "70 10 10 10" not in page
    assert "when it is their turn" in page
    over = supervisor.get("/callbacks?state=done").text
    assert "70 10 10 10" in over
    assert "Call now" not in over
    one = supervisor.get(f"/callbacks/{DONE}").text
    for said in ("Busy", "Reached", "1001", f"/calls/{SECOND}"):
        assert said in one
    assert supervisor.get(f"/callbacks/{uuid.uuid4()}").status_code == 404
    assert supervisor.get("/callbacks?state=moon").status_code == 400
    assert visit("anna").get("/callbacks").status_code == 403


def test_a_supervisor_has_it_tried_now_or_gives_it_up(owing: Company, visit: Any) -> None:
    supervisor = visit("supervisor")
    done = supervisor.post(f"/callbacks/{OWED}/now", back="/callbacks?state=owed")
    assert (done.status_code, done.headers["Location"]) == (302, "/callbacks?state=owed")
    assert wishes(owing)[OWED]["what"] == "now"
    assert "is tried as soon as an agent is free" in supervisor.get("/callbacks").text
    elsewhere = supervisor.post(f"/callbacks/{OWED}/cancel", back="https://elsewhere.example/")
    assert elsewhere.headers["Location"] == "/callbacks"
    assert wishes(owing)[OWED]["what"] == "cancel"
    supervisor.post(f"/callbacks/{DONE}/cancel")
    assert "The callback is over: reached." in supervisor.get("/callbacks").text
    assert visit("analyst").post(f"/callbacks/{OWED}/cancel").status_code == 403


def test_one_that_is_being_called_is_let_alone(owing: Company, visit: Any) -> None:
    owing.parts.redis.hset(keys.CALLBACKS, OWED, json.dumps({"state": "calling", "offer": {"extension": "1003"}}))
    page = visit("supervisor").get("/callbacks").text
    assert "Being called" in page
    assert "by 1003" in page
    assert "Call now" not in page
    bearer = {"Authorization": f"Bearer {owing.token('supervisor')}"}
    refused = owing.app.test_client().post(f"/api/v1/callbacks/{OWED}/cancel", headers=bearer)
    assert (refused.status_code, refused.json["detail"]) == (409, "The customer is being called this moment.")


def test_the_api_does_the_same(owing: Company) -> None:
    client, bearer = owing.app.test_client(), {"Authorization": f"Bearer {owing.token('supervisor')}"}
    found = client.get("/api/v1/callbacks?state=owed", headers=bearer).json
    assert [each["callback_id"] for each in found["callbacks"]] == [OWED]
    assert found["counts"] == {"owed": 1, "done": 1, "failed": 0, "cancelled": 0}
    one = client.get(f"/api/v1/callbacks/{DONE}", headers=bearer).json
    assert [each["result"] for each in one["attempts"]] == ["busy", "answered"]
    assert client.post(f"/api/v1/callbacks/{OWED}/now", headers=bearer).status_code == 202
    assert wishes(owing)[OWED]["what"] == "now"
    assert client.get("/api/v1/callbacks?state=moon", headers=bearer).status_code == 400
    agent = {"Authorization": f"Bearer {owing.token('anna')}"}
    assert client.get("/api/v1/callbacks", headers=agent).status_code == 403
