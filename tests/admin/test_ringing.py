"""The desk's notices and the work after calls, ring groups, pause reasons, and how agents' phones are set up."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import sample_company
from sample_company import Company

from engine.live import keys


def said(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


def later(company: Company, seconds: float) -> str:
    return sample_company.stamp(company.now + timedelta(seconds=seconds))


NOTICES = {
    "no_answer": "your phone was not picked up",
    "busy": "your phone was busy",
    "rejected": "your phone declined a call",
    "unreachable": "could not be reached",
    "phone_gone": "your phone has signed out",
}


def test_who_was_paused_is_told_why_and_comes_back_by_one_click(company: Company, visit: Any) -> None:
    visitor = visit("anna")
    for reason, words in NOTICES.items():
        sample_company.put_agent(company, "1001", "pause", "idle", reason=reason)
        page = visitor.get("/desk").text
        assert words in said(page)
        assert re.search(
            r'hx-post="/agents/\d+/presence" hx-vals=\'\{"presence":"ready"\}\'[^>]*>.*?I am back', page, re.S
        )


def test_a_pause_of_ones_own_is_no_notice(company: Company, visit: Any) -> None:
    sample_company.put_agent(company, "1001", "pause", "idle", reason="lunch")
    page = said(visit("anna").get("/desk").text)
    assert "You are paused" not in page
    assert "Pause: Lunch" in page


def test_the_work_after_a_call_is_shown_and_can_be_ended_or_made_longer(company: Company, visit: Any) -> None:
    anna = company.agents["1001"]
    sample_company.put_agent(company, "1001", "ready", "wrap_up", wrap_until=later(company, 40))
    visitor = visit("anna")
    page = visitor.get("/desk").text
    assert "30 s more" in page
    assert 'data-until="' in page
    assert visitor.post(f"/agents/{anna}/wrap-up", wanted="more", seconds="30").status_code == 204
    assert visitor.post(f"/agents/{anna}/wrap-up", wanted="end").status_code == 204
    first, second = sample_company.told_to_router(company)
    assert (first["event"], first["agent_id"], first["seconds"], first["by"]) == ("WrapUpExtended", anna, 30, "anna")
    assert (second["event"], second["agent_id"]) == ("WrapUpEnded", anna)


def test_a_supervisor_ends_the_work_after_a_call_from_the_board(company: Company, visit: Any) -> None:
    anna, ben = company.agents["1001"], company.agents["1002"]
    sample_company.put_agent(company, "1001", "ready", "wrap_up", wrap_until=later(company, 40))
    sample_company.put_agent(company, "1002", "ready", "talking", wanted="pause", wanted_reason="lunch")
    supervisor = visit("supervisor")
    board = supervisor.get("/live/board").text
    assert re.search(
        rf"/agents/{anna}/wrap-up[^>]*more[^>]*>.*?30 s more.*?/agents/{anna}/wrap-up[^>]*end", board, re.S
    )
    assert re.search(rf"/agents/{ben}/wrap-up[^>]*>.*?30 s more to write up", board, re.S)
    assert "then Pause: Lunch" in said(board)
    assert f"/agents/{anna}/wrap-up" not in visit("analyst").get("/live/board").text
    assert supervisor.post(f"/agents/{anna}/wrap-up", wanted="end").status_code == 204
    (told,) = sample_company.told_to_router(company)
    assert (told["event"], told["agent_id"], told["by"]) == ("WrapUpEnded", anna, "supervisor")


def test_the_work_after_a_call_is_ones_own(company: Company, visit: Any) -> None:
    address = f"/agents/{company.agents['1001']}/wrap-up"
    for name, wanted, status in (("ben", "end", 403), ("analyst", "end", 403), ("anna", "sleep", 400)):
        assert visit(name).post(address, wanted=wanted).status_code == status
    assert sample_company.told_to_router(company) == []


def test_what_comes_after_the_call_is_shown(company: Company, visit: Any) -> None:
    sample_company.put_agent(company, "1001", "ready", "talking", wanted="pause", wanted_reason="lunch")
    page = said(visit("anna").get("/desk").text)
    assert "After this call Pause: Lunch." in page
    assert "Stay ready" in page


def test_a_phone_that_is_not_signed_in_is_told(company: Company, visit: Any) -> None:
    sample_company.put_agent(company, "1001", "ready", "idle")
    assert "not signed in" not in said(visit("anna").get("/desk").text), "nothing is known of phones yet"
    company.parts.redis.hset(keys.PHONES, "1002", "127.0.0.1:5080")
    assert "Your phone is not signed in." in said(visit("anna").get("/desk").text)
    assert "1001 no phone signed in" in said(visit("admin").get("/setup/agents").text)


GROUP = {
    "title": "Office",
    "name": "office",
    "order": "together",
    "seconds": "15",
    "rounds": "1",
    "phones.0.extension": "1001",
    "phones.1.extension": "1002",
    "phones.1.delay_seconds": "5",
    "phones.2.extension": "",
    "otherwise": "voicemail:sales",
}


def test_a_ring_group_is_made_shown_changed_and_deleted(company: Company, visit: Any) -> None:
    visitor = visit("admin")
    assert visitor.post("/setup/ring-groups/new", **GROUP).status_code == 302
    page = said(visitor.get("/setup/ring-groups").text)
    assert "Office Anna Holm , Ben Okoro after 5 s All at once" in page
    assert "Voicemail sales" in page
    (row,) = company.parts.db.execute_sql("SELECT id, document FROM ring_group").fetchall()
    assert row[1]["phones"] == [{"extension": "1001", "delay_seconds": 0}, {"extension": "1002", "delay_seconds": 5}]
    assert 'value="voicemail:sales" selected' in visitor.get(f"/setup/ring-groups/{row[0]}").text
    number = {"number": "5077", "name": "Office", "open-to": "ring_group", "open-ring_group": "office"}
    assert visitor.post("/setup/numbers/new", **number).status_code == 302
    assert visitor.post(f"/setup/ring-groups/{row[0]}/delete").status_code == 302
    assert "Ring group Office is not deleted: number 5077 (Office) leads to it." in said(
        visitor.get("/setup/ring-groups").text
    )
    assert visitor.post(f"/setup/ring-groups/{row[0]}", **(GROUP | {"name": "desk"})).status_code == 422
    company.parts.db.execute_sql("DELETE FROM number WHERE number = '5077'")
    visitor.post(f"/setup/ring-groups/{row[0]}/delete")
    assert company.parts.db.execute_sql("SELECT count(*) FROM ring_group").fetchone()[0] == 0


NO_GROUPS: list[tuple[dict[str, str], str]] = [
    ({"phones.0.extension": "", "phones.1.extension": ""}, "Phones must not be empty."),
    ({"order": "upwards"}, "Who rings next is none of the choices."),
    ({"phones.1.extension": "1001"}, "An extension stands twice in the group."),
    ({"phones.1.extension": "1999"}, "Extension 1999 is nobody&#39;s."),
    ({"name": "Office"}, "Name must be made of small letters"),
    ({"seconds": "0"}, "Ring time must be 1 or more."),
    ({"otherwise": "ring_group:office"}, "The group leads to itself"),
    ({"otherwise": "queue:nowhere"}, "names the queue nowhere"),
]


def test_what_is_no_ring_group_is_said(company: Company, visit: Any) -> None:
    visitor = visit("admin")
    for change, words in NO_GROUPS:
        answer = visitor.post("/setup/ring-groups/new", **(GROUP | change))
        assert answer.status_code == 422
        assert words in answer.text
        assert 'value="Office"' in answer.text, "what was typed is still there"
    assert company.parts.db.execute_sql("SELECT count(*) FROM ring_group").fetchone()[0] == 0


def test_ring_groups_are_in_the_api_with_the_same_checks(company: Company) -> None:
    client, headers = company.app.test_client(), {"Authorization": f"Bearer {company.token('admin')}"}
    body = {"name": "office", "phones": [{"extension": "1001"}], "order": "listed", "otherwise": {"to": "hang_up"}}
    made = client.post("/api/v1/ring-groups", json=body, headers=headers)
    assert made.status_code == 201
    (group,) = client.get("/api/v1/ring-groups", headers=headers).json["ring_groups"]
    assert (group["name"], group["document"]["order"], group["document"]["otherwise"]) == (
        "office",
        "listed",
        {"to": "hang_up"},
    )
    assert client.post("/api/v1/ring-groups", json=body, headers=headers).status_code == 409
    assert client.delete(f"/api/v1/ring-groups/{made.json['id']}", headers=headers).status_code == 204
    analyst = {"Authorization": f"Bearer {company.token('analyst')}"}
    assert client.post("/api/v1/ring-groups", json=body, headers=analyst).status_code == 403


def test_reasons_for_a_pause_are_kept_in_order_and_offered_at_the_desk(company: Company, visit: Any) -> None:
    visitor = visit("admin")
    fields = {
        "name.0": "lunch", "title.0": "Lunch", "place.0": "2", "name.1": "break", "title.1": "Short break", "place.1": "1",
        "paid.1": "1", "name.2": "", "title.2": "Fire drill", "place.2": "3", "paid.2": "1", "title.3": "", "place.3": "4",
    }  # fmt: skip
    assert visitor.post("/setup/pause-reasons", **fields).status_code == 302
    rows = company.parts.db.execute_sql("SELECT name, title, paid FROM pause_reason ORDER BY position").fetchall()
    assert rows == [("break", "Short break", True), ("lunch", "Lunch", False), ("fire_drill", "Fire drill", True)]
    sample_company.put_agent(company, "1001", "ready", "idle")
    desk = said(visit("anna").get("/desk").text)
    assert "Pause: Short break" in desk
    assert "Pause: Fire drill" in desk
    assert "Pause: Training" not in desk


def test_a_reason_that_stands_twice_is_refused(company: Company, visit: Any) -> None:
    fields = {"title.0": "Lunch", "place.0": "1", "title.1": "Lunch", "place.1": "2"}
    assert visit("admin").post("/setup/pause-reasons", **fields).status_code == 422
    client, headers = company.app.test_client(), {"Authorization": f"Bearer {company.token('admin')}"}
    reasons = [{"title": "Lunch", "paid": False}, {"title": "Lunch"}]
    assert client.put("/api/v1/pause-reasons", json={"reasons": reasons}, headers=headers).status_code == 409
    assert client.put("/api/v1/pause-reasons", json={"reasons": reasons[:1]}, headers=headers).status_code == 204
    assert client.get("/api/v1/pause-reasons", headers=headers).json["reasons"] == [
        {"name": "lunch", "title": "Lunch", "paid": False}
    ]


AGENT = {"name": "Anna Holm", "extension": "1001", "wrap_up_seconds": "5", "account": "anna"}


def test_an_agents_phone_is_set_up_and_shown_again(company: Company, visit: Any) -> None:
    visitor, anna = visit("admin"), company.agents["1001"]
    fields = AGENT | {
        "auto_answer": "1", "wrap_up": "endless", "recorded": "no", "cost_per_minute": "0.45",
        "forwarding.0.after_seconds": "15", "forwarding.0.to": "extension:1002",
        "forwarding.1.after_seconds": "30", "forwarding.1.to": "number:+4570101010", "forwarding.2.to": "",
    }  # fmt: skip
    assert visitor.post(f"/setup/agents/{anna}", **fields).status_code == 302
    ((rules,),) = company.parts.db.execute_sql("SELECT rules FROM agent WHERE id = %s", (anna,)).fetchall()
    assert rules == {
        "auto_answer": True,
        "cost_per_minute": 0.45,
        "wrap_up": "endless",
        "recorded": False,
        "forwarding": [
            {"after_seconds": 15, "to": {"to": "extension", "extension": "1002"}},
            {"after_seconds": 30, "to": {"to": "number", "number": "+4570101010"}},
        ],
    }
    page = visitor.get(f"/setup/agents/{anna}").text
    assert 'name="auto_answer" value="1" checked' in page
    assert 'value="extension:1002" selected' in page
    assert 'value="number:+4570101010" selected' in page


NO_PHONES: list[tuple[dict[str, str], str]] = [
    ({"forwarding.0.after_seconds": "500", "forwarding.0.to": "extension:1002"}, "Must be 300 or less."),
    ({"forwarding.0.to": "extension:1999"}, "names extension 1999"),
    ({"cost_per_minute": "much"}, "Must be a number."),
]


def test_what_a_phone_cannot_be_set_up_with_is_said(company: Company, visit: Any) -> None:
    visitor = visit("admin")
    for change, words in NO_PHONES:
        answer = visitor.post(f"/setup/agents/{company.agents['1001']}", **(AGENT | change))
        assert answer.status_code == 422
        assert words in answer.text


def test_the_api_leaves_rules_alone_that_it_is_not_told(company: Company) -> None:
    client, headers = company.app.test_client(), {"Authorization": f"Bearer {company.token('admin')}"}
    anna = company.agents["1001"]
    body = {"name": "Anna Holm", "extension": "1001", "account": "anna", "rules": {"auto_answer": True}}
    assert client.put(f"/api/v1/agents/{anna}", json=body, headers=headers).status_code == 200
    del body["rules"]
    assert client.put(f"/api/v1/agents/{anna}", json=body, headers=headers).status_code == 200
    agents = client.get("/api/v1/agents", headers=headers).json["agents"]
    assert next(each for each in agents if each["extension"] == "1001")["rules"] == {"auto_answer": True}
