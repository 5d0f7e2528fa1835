"""Callers who wait, put elsewhere by a supervisor: what the router is told, and what is refused."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
import sample_company
from sample_company import Company

from engine.live import keys


def waiting(company: Company, queue: str, *, rank: float, number: str) -> str:
    entry_id = str(uuid.uuid4())
    sample_company.put_call(company, "queue", seconds=20, queue=queue, entry_id=entry_id, **{"from": number})
    company.parts.redis.zadd(keys.queue(queue), {entry_id: rank})
    return entry_id


@pytest.fixture
def three(company: Company) -> list[str]:
    sample_company.a_moment(company)
    return [
        waiting(company, "sales", rank=30, number="+4532000001"),
        waiting(company, "sales", rank=10, number="+4532000002"),
        waiting(company, "support", rank=20, number="+4532000003"),
    ]


def test_callers_stand_in_the_order_in_which_they_are_served(company: Company, visit: Any, three: list[str]) -> None:
    page = visit("supervisor").get("/live").text
    assert page.index("32 00 00 02") < page.index("32 00 00 01") < page.index("32 00 00 03")
    assert "Sales, place 2" in page


def test_what_a_supervisor_wants_is_told_to_the_router(company: Company, visit: Any, three: list[str]) -> None:
    supervisor = visit("supervisor")
    supervisor.get("/live")
    assert supervisor.post(f"/live/entries/{three[0]}/place", before=three[1]).status_code == 204
    assert supervisor.post(f"/live/entries/{three[0]}/queue", queue="support").status_code == 204
    clara = company.agents["1003"]
    assert supervisor.post(f"/live/entries/{three[1]}/agent", agent_id=str(clara)).status_code == 204
    assert "for Clara Jensen" in supervisor.get("/live/board").text, "though she rings only once she is free"
    said = [
        {name: value for name, value in event.items() if name != "at"}
        for event in sample_company.told_to_router(company)
    ]
    assert said == [
        {"event": "EntryReordered", "entry_id": three[0], "before": three[1], "by": "supervisor"},
        {"event": "EntryMoved", "entry_id": three[0], "queue": "support", "by": "supervisor"},
        {"event": "EntryAssigned", "entry_id": three[1], "agent_id": clara, "by": "supervisor"},
    ]


def test_what_cannot_be_is_refused_with_a_word(company: Company, visit: Any, three: list[str]) -> None:
    supervisor = visit("supervisor")
    supervisor.get("/live")
    david, gone = company.agents["1004"], uuid.uuid4()
    for address, fields, said in (
        (f"/live/entries/{three[0]}/queue", {"queue": "sales"}, "in that queue already"),
        (f"/live/entries/{three[0]}/queue", {"queue": "moon"}, "There is no queue moon"),
        (f"/live/entries/{three[0]}/agent", {"agent_id": str(david)}, "not logged in"),
        (f"/live/entries/{three[0]}/place", {"before": three[2]}, "different queues"),
        (f"/live/entries/{gone}/queue", {"queue": "support"}, "does not wait any more"),
    ):
        answer = supervisor.post(address, **fields)
        assert (answer.status_code, answer.mimetype) == (409, "text/plain")
        assert said in answer.text
    assert supervisor.post(f"/live/entries/{three[0]}/agent", agent_id="x").status_code == 400
    assert sample_company.told_to_router(company) == []


def test_who_may_not_move_callers_does_not(company: Company, visit: Any, three: list[str]) -> None:
    for name in ("anna", "analyst"):
        visitor = visit(name)
        assert "data-entry" not in visitor.get("/live").text
        assert visitor.post(f"/live/entries/{three[0]}/queue", queue="support").status_code == 403
    client, bearer = company.app.test_client(), {"Authorization": f"Bearer {company.token('supervisor')}"}
    address = f"/api/v1/live/entries/{three[0]}"
    assert client.put(f"{address}/queue", json={"queue": "support"}, headers=bearer).status_code == 204
    refused = client.put(f"{address}/place", json={"before": three[2]}, headers=bearer)
    assert (refused.status_code, "different queues" in refused.json["detail"]) == (409, True)
