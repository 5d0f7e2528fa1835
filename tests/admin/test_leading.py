"""What calls are led to stays: who leads there is named with the page on which that is changed, in every way there is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from sample_company import Company

from ivr import drafts, store
from ivr.flow import Flow

Ask = Callable[..., Any]
OFFICE = {"name": "office", "title": "Office", "phones": [{"extension": "1001"}]}
NIGHT = {"name": "night_team", "title": "Night", "phones": [{"extension": "1002"}]}
BILLING = {
    "name": "billing",
    "title": "Billing",
    "rules": {"ways_out": {"timeout": {"to": "voicemail", "box": "billing"}}},
}


@pytest.fixture
def ask(company: Company) -> Ask:
    """The API: method, address and body; what it answers, and how."""
    client, bearer = company.app.test_client(), {"Authorization": f"Bearer {company.token('admin')}"}

    def asked(method: str, address: str, body: object = None, status: int = 200) -> Any:
        answer = client.open(f"/api/v1{address}", method=method, json=body, headers=bearer)
        assert answer.status_code == status, answer.text
        return answer.json if answer.data else None

    return asked


def queue(ask: Ask, name: str) -> dict[str, Any]:
    return next(each for each in ask("GET", "/queues")["queues"] if each["name"] == name)


def way_out(ask: Ask, name: str, way: Mapping[str, str], status: int = 200) -> Any:
    """Change a queue so that callers who wait too long go there."""
    kept = queue(ask, name)
    wanted = {key: value for key, value in kept.items() if key not in ("queue_id", "agents")}
    wanted["rules"] = {"ways_out": {"timeout": way}}
    return ask("PUT", f"/queues/{kept['queue_id']}", wanted, status)


@pytest.mark.parametrize(
    ("way", "missing"),
    [
        ({"to": "ring_group", "group": "office"}, "the ring group office"),
        ({"to": "voicemail", "box": "1999"}, "the box 1999"),
        ({"to": "flow", "flow": "nights"}, "the flow nights"),
        ({"to": "queue", "queue": "moon"}, "the queue moon"),
        ({"to": "extension", "extension": "1999"}, "extension 1999"),
        (
            {"to": "by_hours", "calendar": "Moon", "open": {"to": "hang_up"}, "closed": {"to": "hang_up"}},
            "the calendar Moon",
        ),
    ],
)
def test_a_queues_way_out_leads_to_what_is_there(ask: Ask, way: dict[str, str], missing: str) -> None:
    before = queue(ask, "sales")
    refused = way_out(ask, "sales", way, 409)["detail"]
    assert refused == f"rules.ways_out.timeout: Way out names {missing}, which is not there."
    made = BILLING | {"rules": {"ways_out": {"keys": {"5": way}}}}
    assert "rules.ways_out.keys.5" in ask("POST", "/queues", made, 409)["detail"]
    assert queue(ask, "sales") == before
    assert "billing" not in [each["name"] for each in ask("GET", "/queues")["queues"]]


def test_a_way_out_that_leads_nowhere_is_told_beside_its_row(ask: Ask, visit: Any) -> None:
    fields = {
        "title": "Sales", "priority": "0", "ring_seconds": "15", "longest_wait_seconds": "600", "most_waiting": "100",
        "announce_seconds": "30", "answer_within_seconds": "20", "short_abandon_seconds": "5", "strategy": "longest_idle",
        "rules.ways_out.keys.0.key": "1", "rules.ways_out.keys.0.to": "hang_up",
        "rules.ways_out.keys.1.key": "2", "rules.ways_out.keys.1.to": "ring_group:office",
    }  # fmt: skip
    answer = visit("admin").post(f"/setup/queues/{queue(ask, 'sales')['queue_id']}", **fields)
    assert answer.status_code == 422
    said = "Limits and ways out, row 2: Way out names the ring group office, which is not there."
    assert f'<a href="#rules.ways_out.keys.1.to">{said}</a>' in answer.text


def test_a_new_queue_may_send_callers_to_its_own_box_and_goes_with_it(ask: Ask) -> None:
    made = ask("POST", "/queues", BILLING, 201)
    ask("DELETE", f"/queues/{made['id']}", status=204)


def lead(ask: Ask, company: Company, *ways: dict[str, str]) -> list[str]:
    """Make a number, one that goes by hours, a queue, a ring group and an extension's forwarding lead to these in turn; their
    addresses."""
    number, by_hours, out, otherwise, forward = ways
    rule = {"to": "by_hours", "calendar": "Reception", "open": {"to": "hang_up"}, "closed": by_hours}
    ben = {"name": "Ben Okoro", "extension": "1002", "rules": {"forwarding": [{"after_seconds": 15, "to": forward}]}}
    way_out(ask, "reception", out)
    ask("PUT", f"/agents/{company.agents['1002']}", ben)
    made = [
        ("/numbers", {"number": "5076", "name": "Door", "destination": number}),
        ("/numbers", {"number": "5077", "destination": rule}),
        ("/ring-groups", NIGHT | {"otherwise": otherwise}),
    ]
    return [f"{address}/{ask('POST', address, body, 201)['id']}" for address, body in made]


ALL = "number 5076 (Door), number 5077, queue Reception, ring group Night"
UNDER = "Change these first, under Numbers, Queues, Ring groups"


def half_made(company: Company, **node: Any) -> None:
    """A draft of one node, which cannot be published as it is."""
    nodes = {"one": {**node, "exits": {}}}
    drafts.create(company.parts.db, {"name": "half", "start": "one", "nodes": nodes}, author="admin", at=company.now)


def test_a_queue_that_is_led_to_is_not_deleted(company: Company, ask: Ask) -> None:
    address = f"/queues/{ask('POST', '/queues', BILLING, 201)['id']}"
    to, back, box = (
        {"to": "queue", "queue": "billing"},
        {"to": "callback", "queue": "billing"},
        {"to": "voicemail", "box": "billing"},
    )
    made = lead(ask, company, to, box, back, to, box)
    half_made(company, type="voicemail", box="billing")
    said = "Queue Billing is not deleted: "
    whole = f"{ALL}, the forwarding of Ben Okoro and flow half (a draft) lead to it. {UNDER}, Agents and Flows."
    assert ask("DELETE", address, status=409)["detail"] == said + whole
    for each in made:
        ask("DELETE", each, status=204)
    ask("DELETE", "/flows/half", status=204)
    way_out(ask, "reception", {"to": "hang_up"})
    last = "the forwarding of Ben Okoro leads to it. Change that first, under Agents."
    assert ask("DELETE", address, status=409)["detail"] == said + last
    ask("PUT", f"/agents/{company.agents['1002']}", {"name": "Ben Okoro", "extension": "1002", "rules": {}})
    ask("DELETE", address, status=204)


def test_a_name_that_is_like_another_keeps_nothing(company: Company, ask: Ask) -> None:
    one = ask("POST", "/queues", BILLING | {"name": "night_team"}, 409)
    assert "the box billing" in one["detail"]
    made = ask("POST", "/queues", {"name": "night_team"}, 201)
    other = ask("POST", "/queues", {"name": "night-team"}, 201)
    rule = {"to": "queue", "queue": "night-team"}
    ask("POST", "/numbers", {"number": "5077", "destination": rule}, 201)
    half_made(company, type="queue", queue="night-team")
    ask("DELETE", f"/queues/{made['id']}", status=204)
    ask("DELETE", f"/queues/{other['id']}", status=409)


def test_a_ring_group_that_is_led_to_is_neither_deleted_nor_renamed(company: Company, ask: Ask) -> None:
    address = f"/ring-groups/{ask('POST', '/ring-groups', OFFICE, 201)['id']}"
    lead(ask, company, *[{"to": "ring_group", "group": "office"}] * 5)
    who = f"{ALL} and the forwarding of Ben Okoro lead to it. {UNDER} and Agents."
    assert ask("DELETE", address, status=409)["detail"] == f"Ring group Office is not deleted: {who}"
    assert ask("PUT", address, OFFICE | {"name": "desk"}, 409)["detail"] == f"name: Name office stays: {who}"
    ask("PUT", address, OFFICE | {"title": "The office"})


def test_a_flow_that_is_led_to_is_not_deleted(company: Company, ask: Ask) -> None:
    nights = Flow.parse({"name": "nights", "start": "one", "nodes": {"one": {"type": "hang_up"}}})
    store.import_flow(company.parts.db, nights, author="admin", at=company.now)
    lead(ask, company, *[{"to": "flow", "flow": "nights"}] * 5)
    half_made(company, type="go_to", flow="nights")
    who = f"{ALL}, the forwarding of Ben Okoro and flow half (a draft) lead to it. {UNDER}, Agents and Flows."
    assert ask("DELETE", "/flows/nights", status=409)["detail"] == f"Flow nights is not deleted: {who}"


def test_an_agent_whom_calls_are_led_to_is_not_deleted_and_keeps_the_extension(company: Company, ask: Ask) -> None:
    address = f"/agents/{company.agents['1003']}"
    clara = {"name": "Clara Jensen", "extension": "1003"}
    own = {"forwarding": [{"after_seconds": 20, "to": {"to": "voicemail", "box": "1003"}}]}
    ask("PUT", address, clara | {"rules": own})
    to, box = {"to": "extension", "extension": "1003"}, {"to": "voicemail", "box": "1003"}
    lead(ask, company, to, box, to, box, to)
    half_made(company, type="ring_group", extensions=["1001", "1003"])
    who = f"{ALL}, the forwarding of Ben Okoro and flow half (a draft) lead to it. {UNDER}, Agents and Flows."
    assert ask("DELETE", address, status=409)["detail"] == f"Clara Jensen (1003) is not deleted: {who}"
    moved = ask("PUT", address, clara | {"extension": "1013"}, 409)["detail"]
    assert moved == f"extension: Extension 1003 stays: {who}"
    ask("PUT", address, clara | {"wrap_up_seconds": 9})


def test_an_agent_of_ring_groups_and_queues_stays_in_them(company: Company, ask: Ask) -> None:
    address, clara = f"/agents/{company.agents['1003']}", {"name": "Clara Jensen", "extension": "1003"}
    own = {"forwarding": [{"after_seconds": 20, "to": {"to": "voicemail", "box": "1003"}}]}
    ask("PUT", address, clara | {"rules": own})
    group = ask("POST", "/ring-groups", OFFICE | {"phones": [{"extension": "1003"}]}, 201)
    ask("POST", "/queues", {"name": "vip", "rules": {"members": {"agents": [{"extension": "1003"}]}}}, 201)
    who = "queue vip and ring group Office lead to it. Change these first, under Queues and Ring groups."
    assert ask("DELETE", address, status=409)["detail"] == f"Clara Jensen (1003) is not deleted: {who}"
    ask("DELETE", f"/ring-groups/{group['id']}", status=204)
    ask("DELETE", f"/queues/{queue(ask, 'vip')['queue_id']}", status=204)
    ask("DELETE", address, status=204)
