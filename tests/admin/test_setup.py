"""Agents, queues, numbers and hours: changed on pages, published, and refused where they cannot be."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import msgspec
import pytest
import sample_company
from sample_company import Company

from conf.clock import Clock
from engine.live import keys

AGENT = {
    "name": "Gita Rao",
    "extension": "1005",
    "wrap_up_seconds": "20",
    "account": "",
    "skill:sales": "4",
    "new_skill": "Swedish",
    "new_level": "2",
}
QUEUE = {
    "name": "billing", "title": "Billing", "priority": "5", "ring_seconds": "12", "longest_wait_seconds": "300",
    "most_waiting": "50", "announce_seconds": "0", "answer_within_seconds": "30", "short_abandon_seconds": "5",
    "recorded": "1", "skill:english": "3",
}  # fmt: skip
NUMBER = {"number": "32 10 20 30", "name": "Sales line", "calendar": "", "open-to": "queue", "open-queue": "sales"}


def rows(company: Company, statement: str, *values: Any) -> list[Any]:
    with company.parts.db.connection_context():
        return list(company.parts.db.execute_sql(statement, values).fetchall())


def version(company: Company) -> int:
    return int(rows(company, "SELECT version FROM configuration")[0][0])


def test_an_agent_is_added_with_skills_and_published(company: Company, visit: Any) -> None:
    admin, before = visit("admin"), version(company)
    heard = company.parts.redis.pubsub()
    heard.subscribe(keys.LIVE)
    heard.get_message(timeout=20)
    answer = admin.post("/setup/agents/new", **AGENT)
    assert answer.location == "/setup/agents"
    assert "Gita Rao is saved and published" in admin.get("/setup/agents").text
    found = rows(
        company,
        "SELECT a.extension, a.wrap_up_seconds, s.name, k.level, a.sip_password <> '' FROM agent a "
        "JOIN agent_skill k ON k.agent_id = a.id JOIN skill s ON s.id = k.skill_id WHERE a.name = 'Gita Rao' ORDER BY 3",
    )
    assert found == [("1005", 20, "sales", 4, True), ("1005", 20, "swedish", 2, True)]
    assert version(company) == before + 1
    told = heard.get_message(timeout=20)
    assert told
    assert msgspec.json.decode(told["data"]) == {"kind": "configuration", "id": before + 1, "item": None}
    heard.close()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"name": " "}, "Name is missing."),
        ({"extension": "abc"}, "Extension must be 2 to 6 digits."),
        ({"extension": "1001"}, "Extension 1001 belongs to another agent."),
        ({"wrap_up_seconds": "-1"}, "Wrap-up must be 0 or more."),
        ({"wrap_up_seconds": "soon"}, "Wrap-up must be a whole number."),
        ({"account": "anna"}, "The account anna belongs to another agent."),
        ({"account": "ghost"}, "There is no account ghost."),
        ({"new_skill": "x" * 41}, "Skills need names of 1 to 40 characters."),
    ],
)
def test_a_fault_is_said_beside_its_field_and_nothing_typed_is_lost(
    company: Company, visit: Any, changed: dict[str, str], said: str
) -> None:
    before = version(company)
    answer = visit("admin").post("/setup/agents/new", **(AGENT | changed))
    assert answer.status_code == 422
    assert answer.text.count(said) == 2, "in the summary and beside the field"
    kept = AGENT | changed
    assert f'value="{kept["name"]}"' in answer.text
    assert 'value="20"' in answer.text or "wrap_up_seconds" in changed
    assert version(company) == before
    assert rows(company, "SELECT count(*) FROM agent") == [(4,)]


def test_an_agent_changes_and_leaves(company: Company, visit: Any) -> None:
    admin, clara = visit("admin"), company.agents["1003"]
    assert 'value="Clara Jensen"' in admin.get(f"/setup/agents/{clara}").text
    fields = AGENT | {"name": "Clara Berg", "extension": "1013", "account": "clara", "new_skill": ""}
    assert admin.post(f"/setup/agents/{clara}", **fields).status_code == 302
    assert rows(company, "SELECT name, extension FROM agent WHERE id = %s", clara) == [("Clara Berg", "1013")]
    assert len(rows(company, "SELECT 1 FROM agent_skill WHERE agent_id = %s", clara)) == 1
    sample_company.put_agent(company, "1003", "ready", "idle")
    assert admin.post(f"/setup/agents/{clara}/delete").location == f"/setup/agents/{clara}"
    assert "The agent is logged in" in admin.get(f"/setup/agents/{clara}").text
    sample_company.put_agent(company, "1003", "offline", "idle")
    assert admin.post(f"/setup/agents/{clara}/delete").location == "/setup/agents"
    assert rows(company, "SELECT 1 FROM agent WHERE id = %s", clara) == []
    assert admin.get(f"/setup/agents/{clara}").status_code == 404


def test_an_administrator_sees_what_a_phone_signs_in_with_and_can_change_it(company: Company, visit: Any) -> None:
    admin, clara = visit("admin"), company.agents["1003"]
    company.parts.db.connect(reuse_if_open=True)
    company.parts.db.execute_sql("UPDATE agent SET sip_password = '' WHERE id = %s", (clara,))
    company.parts.db.close()
    assert "no phone can sign in" in admin.get(f"/setup/agents/{clara}").text
    answer = admin.post(f"/setup/agents/{clara}/phone-password")
    assert answer.location == f"/setup/agents/{clara}"
    ((password,),) = rows(company, "SELECT sip_password FROM agent WHERE id = %s", clara)
    assert len(password) >= 12
    assert password in admin.get(f"/setup/agents/{clara}").text
    before = version(company)
    admin.post(f"/setup/agents/{clara}/phone-password")
    ((changed,),) = rows(company, "SELECT sip_password FROM agent WHERE id = %s", clara)
    assert changed != password
    assert version(company) == before + 1
    assert admin.post("/setup/agents/999999/phone-password").status_code == 404


def test_a_queue_is_added_changed_and_keeps_its_name(company: Company, visit: Any) -> None:
    admin = visit("admin")
    assert admin.post("/setup/queues/new", **QUEUE).status_code == 302
    (queue_id,) = rows(company, "SELECT id FROM queue WHERE name = 'billing' AND recorded AND announce_seconds = 0")[0]
    page = admin.get("/setup/queues").text
    assert "Billing" in page
    assert (
        admin.post(
            f"/setup/queues/{queue_id}",
            **(QUEUE | {"title": "Accounts", "name": "other", "recorded": ""} | {"skill:english": ""}),
        ).status_code
        == 302
    )
    assert rows(company, "SELECT name, title FROM queue WHERE id = %s", queue_id) == [("billing", "Accounts")]
    assert rows(company, "SELECT 1 FROM queue_skill WHERE queue_id = %s", queue_id) == []
    assert "There is a queue sales already." in admin.post("/setup/queues/new", **(QUEUE | {"name": "sales"})).text
    assert "Name must be 1 to 40 of a-z" in admin.post("/setup/queues/new", **(QUEUE | {"name": "Big Sales"})).text


def test_a_queue_that_is_used_stays(company: Company, visit: Any) -> None:
    admin = visit("admin")
    (sales,) = rows(company, "SELECT id FROM queue WHERE name = 'sales'")[0]
    admin.post(f"/setup/queues/{sales}/delete")
    assert (
        "Queue Sales is not deleted: flow main leads to it. Change that first, under Flows."
        in admin.get("/setup/queues").text
    )
    admin.post("/setup/queues/new", **QUEUE)
    admin.post("/setup/numbers/new", **(NUMBER | {"open-queue": "billing"}))
    (billing,) = rows(company, "SELECT id FROM queue WHERE name = 'billing'")[0]
    admin.post(f"/setup/queues/{billing}/delete")
    assert (
        "number +4532102030 (Sales line) leads to it. Change that first, under Numbers."
        in admin.get("/setup/queues").text
    )
    rows_before = rows(company, "SELECT count(*) FROM queue")
    with company.parts.db.connection_context():
        company.parts.db.execute_sql("DELETE FROM number WHERE name = 'Sales line'")
    call_id = sample_company.put_call(company, "queue", seconds=3, queue="billing")
    admin.post(f"/setup/queues/{billing}/delete")
    assert "Callers are in this queue now" in admin.get("/setup/queues").text
    assert rows(company, "SELECT count(*) FROM queue") == rows_before
    sample_company.end_call(company, call_id)
    assert admin.post(f"/setup/queues/{billing}/delete").location == "/setup/queues"


def test_a_queue_nobody_can_serve_is_marked(company: Company, visit: Any) -> None:
    admin = visit("admin")
    admin.post("/setup/queues/new", **(QUEUE | {"skill:danish": "5", "skill:support": "5"}))
    assert "nobody fits" in admin.get("/setup/queues").text


def test_a_number_is_normalised_and_leads_somewhere(company: Company, visit: Any) -> None:
    admin = visit("admin")
    assert admin.post("/setup/numbers/new", **NUMBER).status_code == 302
    assert rows(company, "SELECT number, destination FROM number WHERE name = 'Sales line'") == [
        ("+4532102030", {"to": "queue", "queue": "sales"})
    ]
    page = admin.get("/setup/numbers").text
    assert "32 10 20 30" in page
    assert "Queue sales" in page
    assert "is there already" in admin.post("/setup/numbers/new", **(NUMBER | {"number": "+45 32102030"})).text


def test_a_number_by_hours_goes_two_ways(company: Company, visit: Any) -> None:
    admin = visit("admin")
    fields = NUMBER | {
        "calendar": "Office",
        "open-to": "extension",
        "open-extension": "1001",
        "closed-to": "voicemail",
        "closed-voicemail": "sales",
    }
    assert admin.post("/setup/numbers/new", **fields).status_code == 302
    (number_id, destination) = rows(company, "SELECT id, destination FROM number WHERE name = 'Sales line'")[0]
    assert destination == {
        "to": "by_hours", "calendar": "Office",
        "open": {"to": "extension", "extension": "1001"}, "closed": {"to": "voicemail", "box": "sales"},
    }  # fmt: skip
    assert "Extension 1001 while Office is open, else Voicemail sales" in admin.get("/setup/numbers").text
    form = admin.get(f"/setup/numbers/{number_id}").text
    assert '<option value="Office" selected>' in form
    assert '<option value="sales" selected>' in form
    assert admin.post(f"/setup/numbers/{number_id}/delete").location == "/setup/numbers"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"number": "hello"}, "cannot be called"),
        ({"open-queue": "nowhere"}, "names the queue nowhere"),
        ({"open-to": "flow", "open-flow": "none"}, "names the flow none"),
        ({"open-to": "moon"}, "Destination is not usable"),
        ({"open-to": "voicemail", "open-voicemail": ""}, "Destination is not usable"),
        ({"calendar": "Moon"}, "names the calendar Moon"),
    ],
)
def test_a_number_that_leads_nowhere_is_refused(
    company: Company, visit: Any, changed: dict[str, str], said: str
) -> None:
    answer = visit("admin").post("/setup/numbers/new", **(NUMBER | {"closed-to": "refuse"} | changed))
    assert answer.status_code == 422
    assert said in answer.text
    assert rows(company, "SELECT count(*) FROM number") == [(2,)]


def test_a_number_whose_destination_makes_no_sense_is_shown_as_out_of_service(company: Company, visit: Any) -> None:
    with company.parts.db.connection_context():
        company.parts.db.execute_sql("""UPDATE number SET destination = '{"to": "moon"}' WHERE number = '5001'""")
    admin = visit("admin")
    assert "Out of service" in admin.get("/setup/numbers").text
    (number_id,) = rows(company, "SELECT id FROM number WHERE number = '5001'")[0]
    assert admin.get(f"/setup/numbers/{number_id}").status_code == 200


@pytest.mark.parametrize(
    ("now", "office", "reception"),
    [
        ("2026-12-02T10:00+01:00", "Open now", "Open now"),
        ("2026-12-02T12:15+01:00", "At lunch", "Open now"),
        ("2026-12-02T20:00+01:00", "Closed", "Open now"),
        ("2026-12-24T10:00+01:00", "Holiday: Christmas Eve", "Holiday: Christmas Eve"),
    ],
)
def test_hours_say_whether_somebody_is_there_now(
    company: Company, visit: Any, monkeypatch: pytest.MonkeyPatch, now: str, office: str, reception: str
) -> None:
    analyst = visit("analyst")
    monkeypatch.setattr(Clock, "now", lambda _: datetime.fromisoformat(now))
    page = analyst.get("/setup/hours").text
    for said in ("09:00–12:00, 12:30–17:00", "Christmas Eve", "Europe/Copenhagen"):
        assert said in page, said
    header = r'<section class="box" aria-label="(\w+)"><header>.*?<span class="badge.*?</svg>(.*?)</span>'
    badges = dict(re.findall(header, page, re.DOTALL))
    assert (badges["Office"], badges["Reception"]) == (office, reception)


def test_a_change_stands_when_redis_is_away(company: Company, visit: Any) -> None:
    admin, before = visit("admin"), version(company)
    pool = company.parts.redis.connection_pool
    port = pool.connection_kwargs["port"]
    pool.connection_kwargs["port"] = 9
    pool.reset()
    assert admin.post("/setup/numbers/new", **NUMBER).status_code == 302
    pool.connection_kwargs["port"] = port
    pool.reset()
    assert version(company) == before + 1
