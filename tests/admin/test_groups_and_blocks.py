"""Groups of agents and blocked numbers, on their pages and by the API."""

from __future__ import annotations

import re
from typing import Any

from sample_company import Company


def rules_of_sales(company: Company, rules: str) -> None:
    with company.parts.db.connection_context():
        company.parts.db.execute_sql("UPDATE queue SET rules = %s::jsonb WHERE name = 'sales'", (rules,))


def test_a_group_comes_changes_and_goes(company: Company, visit: Any) -> None:
    admin = visit("admin")
    assert "No groups yet" in admin.get("/setup/groups").text
    assert (
        admin.post("/setup/groups/new", name="Night team", **{"agent:1001": "1", "agent:1004": "1"}).status_code == 302
    )
    page = admin.get("/setup/groups").text
    assert re.search(r"Anna Holm,\s+David Kim", page)
    (group,) = re.findall(r"/setup/groups/(\d+)\"", page)[:1]
    again = admin.post("/setup/groups/new", name="Night team")
    assert again.status_code == 422
    assert "There is a group Night team already." in again.text
    rules_of_sales(company, '{"members": {"groups": ["Night team"]}}')
    renamed = admin.post(f"/setup/groups/{group}", name="Day team")
    assert (renamed.status_code, "Queue sales names the group" in renamed.text) == (422, True)
    admin.post(f"/setup/groups/{group}/delete")
    assert "Queue sales names the group; change the queue first." in admin.get("/setup/groups").text
    rules_of_sales(company, "{}")
    assert admin.post(f"/setup/groups/{group}", name="Day team", **{"agent:1002": "1"}).status_code == 302
    assert "Ben Okoro" in admin.get("/setup/groups").text
    admin.post(f"/setup/groups/{group}/delete")
    assert "No groups yet" in admin.get("/setup/groups").text
    assert visit("supervisor").post("/setup/groups/new", name="x").status_code == 403


def test_a_number_is_blocked_and_taken_again(company: Company, visit: Any) -> None:
    admin = visit("admin")
    assert "No number is blocked" in admin.get("/setup/blocked").text
    assert admin.post("/setup/blocked", number="32 10 20 99", note="Rings at night", until="").status_code == 302
    page = admin.get("/setup/blocked").text
    assert "Rings at night" in page
    assert "for good" in page
    admin.post("/setup/blocked", number="32 10 20 98", until="2031-01-31")
    assert "Fri 31 Jan 2031" in admin.get("/setup/blocked").text, "the last day, as it was typed"
    zero = admin.post("/setup/groups/new", name="Night\0team")
    assert (zero.status_code, "Nothing was changed." in zero.text) == (400, True)
    assert admin.get(f"/setup/groups/{10**30}").status_code in (400, 404)
    for wrong, said in (
        ({"number": "hello"}, "Number cannot be read"),
        ({"number": "32102099", "until": "2001-01-01"}, "Until is over already"),
        ({"number": "32102099", "until": "soon"}, "Until must be a date such as 2026-12-24."),
        ({"number": ""}, "Number is missing"),
    ):
        answer = admin.post("/setup/blocked", **wrong)
        assert answer.status_code == 422
        assert said in answer.text
    admin.post("/setup/blocked/take", number="+4532102099")
    assert "+4532102099 may call again." in admin.get("/setup/blocked").text
    assert visit("supervisor").post("/setup/blocked", number="32102099").status_code == 403


def test_the_api_does_the_same(company: Company) -> None:
    client, bearer = company.app.test_client(), {"Authorization": f"Bearer {company.token('admin')}"}
    made = client.post("/api/v1/groups", json={"name": "Night team", "extensions": ["1003"]}, headers=bearer)
    assert made.status_code == 201
    (group,) = client.get("/api/v1/groups", headers=bearer).json["groups"]
    assert group == {"group_id": made.json["id"], "name": "Night team", "extensions": ["1003"]}
    refused = client.post("/api/v1/groups", json={"name": "Other", "extensions": ["9999"]}, headers=bearer)
    assert (refused.status_code, "9999" in refused.json["detail"]) == (409, True)
    assert client.delete(f"/api/v1/groups/{group['group_id']}", headers=bearer).status_code == 204
    assert client.post("/api/v1/blocked-numbers", json={"number": "32102099"}, headers=bearer).json == {
        "number": "+4532102099"
    }
    assert client.delete("/api/v1/blocked-numbers/+4532102099", headers=bearer).status_code == 204
    assert client.delete("/api/v1/blocked-numbers/+4532102099", headers=bearer).status_code == 404
    silent = client.post("/api/v1/queues/who", json={"queue": "moon"}, headers=bearer)
    assert (silent.status_code, "no queue moon" in silent.json["detail"]) == (409, True)
