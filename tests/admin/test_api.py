"""The API: the same calls, the same checks and the same rights as the pages."""

from __future__ import annotations

from typing import Any

import pytest
import sample_company
from sample_company import PASSWORD, Company


class Program:
    """A client with a bearer token."""

    def __init__(self, company: Company, account: str | None) -> None:
        self._client = company.app.test_client()
        self._headers = {"Authorization": f"Bearer {company.token(account)}"} if account else {}

    def __call__(self, method: str, address: str, body: Any = None, **more: Any) -> Any:
        return self._client.open(f"/api/v1{address}", method=method, json=body, headers=self._headers | more)


@pytest.fixture
def program(company: Company) -> Any:
    return lambda account: Program(company, account)


def test_without_a_token_nothing_is_told(company: Company, program: Any, visit: Any) -> None:
    answer = program(None)("GET", "/calls")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.json["error"] == "Not signed in"
    for wrong in ("Bearer x", "Basic YWRtaW46eA==", "Bearer "):
        assert company.app.test_client().get("/api/v1/me", headers={"Authorization": wrong}).status_code == 401
    assert visit("admin").get("/api/v1/me").status_code == 401, "a session's cookie opens no API"


def test_a_token_is_kept_as_its_hash_and_ends_with_its_account(company: Company, program: Any) -> None:
    client = program("clara")
    assert client("GET", "/me").json["extension"] == "1003"
    with company.parts.db.connection_context():
        (kept,) = company.parts.db.execute_sql("SELECT token_hash FROM api_token").fetchone()
        assert len(kept) == 64
        company.parts.db.execute_sql("UPDATE account SET enabled = false WHERE name = 'clara'")
    assert client("GET", "/me").status_code == 401


def test_calls_are_those_of_the_page(history: Company, program: Any) -> None:
    client = program("analyst")
    first = client("GET", "/calls?period=all&limit=20").json
    second = client("GET", f"/calls?period=all&limit=20&after={first['after']}").json
    assert (first["hits"], len(first["calls"]), len(second["calls"])) == (65, 20, 20)
    call = first["calls"][0]
    assert call["call_id"] == history.calls["answered"]
    assert (call["status"], call["talk_seconds"], call["agent"], call["customer_company"]) == (
        "answered",
        42,
        "Anna Holm",
        "Nordlys Shipping",
    )
    assert call["started_at"].endswith("Z")
    assert client("GET", "/calls?period=never").status_code == 400
    assert client("GET", "/calls?limit=0").status_code == 422


def test_an_agents_token_opens_their_own_calls_only(history: Company, program: Any) -> None:
    anna = program("anna")
    assert {call["agent_id"] for call in anna("GET", "/calls?period=all").json["calls"]} == {history.agents["1001"]}
    assert anna("GET", f"/calls/{history.calls['ben']}").status_code == 404
    assert anna("GET", "/agents").status_code == 403


def test_one_call_has_all_its_parts(history: Company, program: Any) -> None:
    found = program("admin")("GET", f"/calls/{history.calls['answered']}").json
    assert [segment["kind"] for segment in found["segments"] if segment["leg"] == "caller"] == ["ivr", "queue", "talk"]
    assert [offer["result"] for offer in found["offers"]] == ["no_answer", "answered"]
    assert found["offers"][1]["why"]["in_words"].startswith("Anna Holm")
    assert len(found["steps"]) == 4
    sound = found["recordings"][0]["id"]
    part = program("admin")("GET", f"/recordings/{sound}/audio", Range="bytes=0-3")
    assert (part.status_code, part.data) == (206, b"RIFF")
    assert program("supervisor")("POST", f"/recordings/{sound}/listened", {"listened": True}).status_code == 204
    assert program("admin")("GET", "/calls?period=all").json["calls"][0]["recording_listened"] is True


def test_messages_and_their_sound(history: Company, program: Any) -> None:
    client = program("supervisor")
    found = client("GET", "/messages?new=true").json
    assert found["hits"] == len(found["messages"])
    newest = found["messages"][0]
    assert newest["call_id"] == history.calls["message"]
    assert client("GET", f"/messages/{newest['voicemail_id']}/audio").data[:4] == b"RIFF"
    assert client("POST", f"/messages/{newest['voicemail_id']}/listened", {}).status_code == 204
    assert client("GET", "/messages?new=true").json["hits"] == found["hits"] - 1


def test_live_is_the_board(company: Company, program: Any) -> None:
    sample_company.a_moment(company)
    seen = program("supervisor")("GET", "/live").json
    assert [row["customer"] for row in seen["waiting"]] == ["Jonas Winther", ""]
    assert {row["name"]: row["presence"] for row in seen["agents"]}["Ben Okoro"] == "pause"
    assert seen["queues"][0]["facts"]["name"] == "sales"
    own = program("ben")("GET", "/live").json
    assert [(row["customer"], row["number"]) for row in own["waiting"] + own["talking"]] == [("", "")] * 3


def test_presence_by_token(company: Company, program: Any) -> None:
    ben = company.agents["1002"]
    assert program("ben")("PUT", f"/agents/{ben}/presence", {"presence": "pause", "reason": "lunch"}).status_code == 204
    assert program("anna")("PUT", f"/agents/{ben}/presence", {"presence": "ready"}).status_code == 403
    assert program("ben")("PUT", f"/agents/{ben}/presence", {"presence": "asleep"}).status_code == 422
    assert company.parts.redis.xlen("router:events") == 1


def test_agents_are_set_up_with_the_checks_of_the_page(company: Company, program: Any) -> None:
    client = program("admin")
    made = client(
        "POST", "/agents", {"name": "Gita Rao", "extension": "1005", "skills": {"Swedish": 3}, "account": None}
    )
    assert made.status_code == 201
    agent_id = made.json["id"]
    assert next(agent for agent in client("GET", "/agents").json["agents"] if agent["agent_id"] == agent_id)[
        "skills"
    ] == {"swedish": 3}
    again = client("POST", "/agents", {"name": "Gita Rao", "extension": "1005"})
    assert (again.status_code, again.json["detail"]) == (409, "extension: Extension 1005 belongs to another agent.")
    assert client("POST", "/agents", {"name": "X", "extension": "1"}).status_code == 422
    assert client("POST", "/agents", {"name": "X", "extension": "1006", "skills": {"sales": 9}}).status_code == 422
    assert client("PUT", f"/agents/{agent_id}", {"name": "Gita Roy", "extension": "1005"}).json == {"id": agent_id}
    assert client("DELETE", f"/agents/{agent_id}").status_code == 204
    assert client("DELETE", f"/agents/{agent_id}").status_code == 404
    assert program("supervisor")("POST", "/agents", {"name": "X", "extension": "1007"}).status_code == 403


def test_queues_and_numbers_too(company: Company, program: Any) -> None:
    client = program("admin")
    queue = client("POST", "/queues", {"name": "billing", "title": "Billing", "skills": {"english": 2}}).json["id"]
    assert client("PUT", f"/queues/{queue}", {"name": "other"}).status_code == 409
    number = client(
        "POST", "/numbers", {"number": "+45 32 10 20 30", "destination": {"to": "queue", "queue": "billing"}}
    )
    assert number.status_code == 201
    assert client("DELETE", f"/queues/{queue}").status_code == 409
    assert (
        client("POST", "/numbers", {"number": "5003", "destination": {"to": "queue", "queue": "moon"}}).status_code
        == 409
    )
    numbers = {row["number"]: row["destination"] for row in client("GET", "/numbers").json["numbers"]}
    assert numbers["+4532102030"] == {"to": "queue", "queue": "billing"}
    assert client("DELETE", f"/numbers/{number.json['id']}").status_code == 204
    assert client("DELETE", f"/queues/{queue}").status_code == 204
    assert {row["name"] for row in client("GET", "/queues").json["queues"]} == {"sales", "support", "reception"}


def test_hours_system_and_own_password(company: Company, program: Any) -> None:
    client = program("supervisor")
    office = next(row for row in client("GET", "/hours").json["calendars"] if row["name"] == "Office")
    assert office["openings"]["Monday"] == "09:00–12:00, 12:30–17:00"
    assert client("GET", "/system").json["states"]["engines"] == "none answers"
    assert client("PUT", "/me/password", {"present": "wrong", "wanted": "a longer horse"}).status_code == 400
    assert client("PUT", "/me/password", {"present": PASSWORD, "wanted": "a longer horse"}).status_code == 204


def test_the_api_describes_itself(company: Company) -> None:
    described = company.app.test_client().get("/openapi/openapi.json").json
    assert described
    paths = described["paths"]
    for path in (
        "/api/v1/calls",
        "/api/v1/calls/{call_id}",
        "/api/v1/live",
        "/api/v1/agents/{agent_id}/presence",
        "/api/v1/numbers",
    ):
        assert path in paths
    assert described["components"]["securitySchemes"]["token"] == {"type": "http", "scheme": "bearer"}
    assert paths["/api/v1/calls"]["get"]["security"] == [{"token": []}]
    assert {item["name"] for item in paths["/api/v1/calls"]["get"]["parameters"]} >= {"from", "to", "after", "limit"}
