"""A queue's rules on its page: what is shown is what is stored, and what is wrong is said where it stands."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_company import Company

from admin import queue_form
from engine.records.queues import QueueSettings, RulesInvalid, decode_queue

WAYS = st.sampled_from(
    [
        {"to": "queue", "queue": "support"},
        {"to": "flow", "flow": "main"},
        {"to": "voicemail", "box": "sales"},
        {"to": "extension", "extension": "1001"},
        {"to": "number", "number": "+4532101010"},
        {"to": "callback", "queue": "sales"},
        {"to": "hang_up"},
        {"to": "by_hours", "calendar": "Office", "open": {"to": "hang_up"}, "closed": {"to": "flow", "flow": "main"}},
    ]
)
NAMES = st.sampled_from(["sales", "danish", "night team", "a.b:c"])
SECONDS = st.integers(1, 3000)
EXTENSIONS = st.sampled_from(["1001", "1002", "1003", "1004"])
STEPS = st.one_of(
    st.fixed_dictionaries({"after_seconds": SECONDS, "drop": NAMES}),
    st.fixed_dictionaries({"after_seconds": SECONDS, "skill": NAMES, "level": st.integers(1, 5)}),
    st.fixed_dictionaries({"after_seconds": SECONDS, "group": NAMES}),
)
MEMBER = st.fixed_dictionaries(
    {"extension": EXTENSIONS, "order": st.integers(1, 9), "delay_seconds": st.integers(0, 90)}
)
CONSEQUENCE = st.fixed_dictionaries(
    {
        "then": st.sampled_from(["pause", "wait", "nothing"]),
        "reason": st.sampled_from(["", "no answer"]),
        "after_times": st.integers(1, 9),
        "delay_seconds": st.integers(0, 90),
    }
)
DOCUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "responsible_first_seconds": st.integers(0, 90),
        "vip_boost": st.integers(0, 90),
        "reentry_minutes": st.integers(0, 90),
        "redial_keeps_place": st.booleans(),
        "all_paused_seconds": st.none() | SECONDS,
        "most_expected_wait_seconds": st.none() | SECONDS,
        "nobody_grace_seconds": st.integers(0, 90),
        "problem_agents": st.lists(EXTENSIONS, unique=True),
        "relaxations": st.lists(STEPS, max_size=4),
        "members": st.fixed_dictionaries(
            {
                "groups": st.lists(NAMES, unique=True, max_size=2),
                "agents": st.lists(MEMBER, unique_by=lambda member: member["extension"], max_size=3),
            }
        ),
        "ways_out": st.fixed_dictionaries(
            {"keys": st.dictionaries(st.sampled_from("123*#"), WAYS, max_size=3)},
            optional=dict.fromkeys(queue_form.WAYS, WAYS),
        ),
        "offers": st.dictionaries(st.sampled_from(["no_answer", "busy", "rejected", "unreachable"]), CONSEQUENCE),
        "wrap_up": st.none()
        | st.fixed_dictionaries(
            {"mode": st.sampled_from(["fixed", "chosen", "endless"]), "seconds": st.integers(0, 90)}
        ),
        "whisper": st.lists(st.sampled_from(["queue_whisper", "Call for {queue}"]), max_size=3),
        "announce_caller": st.booleans(),
        "music": st.none() | NAMES,
        "calendar": st.none() | NAMES,
        "comfort": st.fixed_dictionaries({"prompts": st.lists(NAMES, max_size=3), "every_seconds": st.integers(5, 90)}),
        "position": st.fixed_dictionaries(
            {"say": st.booleans(), "only_falling": st.booleans(), "every_seconds": st.none() | st.integers(5, 90)}
        ),
        "expected_wait": st.fixed_dictionaries({"say": st.booleans(), "largest_error": st.just(0.25) | st.just(1.5)}),
        "callback": st.none()
        | st.fixed_dictionaries(
            {"offer_after_seconds": st.none() | SECONDS, "key": st.none() | st.sampled_from("456")},
            optional={"attempts": st.integers(1, 9), "calendar": st.none() | NAMES},
        ),
    },
)


@given(DOCUMENTS)
def test_what_the_form_shows_is_what_it_saves(document: dict[str, Any]) -> None:
    settings = decode_queue(document)
    fields = queue_form.shown("longest_idle", settings)
    assert all(isinstance(value, str) for value in fields.values())
    assert queue_form.typed(fields, settings) == settings
    assert queue_form.typed(queue_form.compact(fields), settings) == settings


def test_gaps_that_taken_away_rows_leave_are_closed() -> None:
    fields = queue_form.shown("longest_idle", QueueSettings()) | {
        "rules.relaxations.3.after_seconds": "20",
        "rules.relaxations.3.what": "drop:danish",
        "rules.relaxations.7.after_seconds": "x",
        "rules.relaxations.7.what": "drop:sales",
        "rules.relaxations.8.after_seconds": " ",
    }
    with pytest.raises(RulesInvalid) as fault:
        queue_form.typed(fields, QueueSettings())
    assert fault.value.field == "rules.relaxations.1.after_seconds"
    assert queue_form.compact(fields)["rules.relaxations.1.after_seconds"] == "x"


QUEUE = {
    "title": "Sales", "priority": "10", "ring_seconds": "15", "longest_wait_seconds": "600", "most_waiting": "100",
    "announce_seconds": "30", "answer_within_seconds": "20", "short_abandon_seconds": "5", "recorded": "1",
    "skill:sales": "1", "strategy": "most_experienced", "rules.relaxations.0.after_seconds": "20",
    "rules.relaxations.0.what": "skill:sales", "rules.relaxations.0.level": "1", "rules.ways_out.timeout": "voicemail:sales",
    "rules.ways_out.keys.0.key": "1", "rules.ways_out.keys.0.to": "callback:sales", "rules.position.say": "1",
}  # fmt: skip


def stored(company: Company, name: str = "sales") -> tuple[str, dict[str, Any]]:
    with company.parts.db.connection_context():
        row = company.parts.db.execute_sql("SELECT strategy, rules FROM queue WHERE name = %s", (name,)).fetchone()
    return row[0], row[1]


def sales(company: Company) -> int:
    with company.parts.db.connection_context():
        return int(company.parts.db.execute_sql("SELECT id FROM queue WHERE name = 'sales'").fetchone()[0])


def test_rules_are_saved_and_shown_again(company: Company, visit: Any) -> None:
    admin, address = visit("admin"), f"/setup/queues/{sales(company)}"
    assert admin.post(address, **QUEUE).status_code == 302
    strategy, rules = stored(company)
    assert strategy == "most_experienced"
    assert rules["relaxations"] == [{"after_seconds": 20, "skill": "sales", "level": 1}]
    assert rules["ways_out"]["keys"] == {"1": {"to": "callback", "queue": "sales"}}
    page = admin.get(address).text
    assert '<option value="voicemail:sales" selected>' in page
    assert 'value="most_experienced" checked' in page


@pytest.mark.parametrize(
    ("wrong", "field", "said"),
    [
        ({"strategy": "best"}, "strategy", "is none of longest_idle"),
        ({"rules.vip_boost": "much"}, "rules.vip_boost", "Must be a whole number."),
        ({"rules.reentry_minutes": "-1"}, "rules.reentry_minutes", "Must be 0 or more."),
        ({"rules.relaxations.0.what": ""}, "rules.relaxations.0.what", "Choose what happens then."),
        ({"rules.relaxations.0.what": "drop:latin"}, "rules.relaxations.0.what", "There is no skill latin."),
        ({"rules.ways_out.timeout": "moon:1"}, "rules.ways_out.timeout", "Choose where it leads."),
        ({"rules.ways_out.keys.0.to": ""}, "rules.ways_out.keys.0.to", "Choose where it leads."),
        ({"rules.members.agents.0.extension": "4711"}, "rules.members.agents.0.extension", "No agent has extension 4711."),
        ({"rules.callback.on": "1", "rules.callback.key": "1"}, "rules.callback.key", "Key 1 is a way out already."),
        ({"rules.expected_wait.largest_error": "900"}, "rules.expected_wait.largest_error", "Must be 1 to 500."),
        ({"rules.calendar": "Moon"}, "rules.calendar", "There is no calendar Moon."),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_saved(
    company: Company, visit: Any, wrong: dict[str, str], field: str, said: str
) -> None:
    admin, before = visit("admin"), stored(company)
    answer = admin.post(f"/setup/queues/{sales(company)}", **(QUEUE | wrong | {"title": "Changed"}))
    assert answer.status_code == 422
    assert said in answer.text
    named = re.search(rf'<a href="#{re.escape(field)}">(.*?)</a>', answer.text)
    assert named
    assert said in html.unescape(named[1])
    assert named[1].startswith(
        ("When nobody", "Limits", "VIP", "Old place", "Who serves", "Callback", "What callers", "`best")
    )
    assert 'value="Changed"' in answer.text, "what was typed is still there"
    assert stored(company) == before


def test_who_serves_a_queue_is_counted_by_its_own_rules(company: Company, visit: Any) -> None:
    def agents() -> int:
        bearer = {"Authorization": f"Bearer {company.token('admin')}"}
        queues = company.app.test_client().get("/api/v1/queues", headers=bearer).json["queues"]
        return next(int(queue["agents"]) for queue in queues if queue["name"] == "sales")

    admin, address = visit("admin"), f"/setup/queues/{sales(company)}"
    admin.post("/setup/groups/new", name="Night team", **{"agent:1003": "1"})
    for more, serve in (
        ({}, 3),
        ({"skill:sales": "=5"}, 1),
        ({"rules.members.agents.0.extension": "1001", "rules.members.agents.1.extension": "1002"}, 1),
        ({"group:Night team": "1"}, 1),
        ({"group:Night team": "1", "rules.members.agents.0.extension": "1001"}, 2),
    ):
        assert admin.post(address, **(QUEUE | more)).status_code == 302
        assert agents() == serve, more


def test_the_api_takes_the_same_document(company: Company) -> None:
    client, bearer = company.app.test_client(), {"Authorization": f"Bearer {company.token('admin')}"}
    queues = client.get("/api/v1/queues", headers=bearer).json["queues"]
    queue = next(queue for queue in queues if queue["name"] == "sales")
    wanted = {name: value for name, value in queue.items() if name not in ("queue_id", "agents")}
    wanted |= {"strategy": "ring_all", "rules": {"vip_boost": 5}, "exact": ["sales"]}
    address = f"/api/v1/queues/{queue['queue_id']}"
    assert client.put(address, json=wanted, headers=bearer).status_code == 200
    assert stored(company) == ("ring_all", {"vip_boost": 5})
    left = {name: value for name, value in wanted.items() if name != "rules"}
    assert client.put(address, json=left, headers=bearer).status_code == 200
    assert stored(company) == ("ring_all", {"vip_boost": 5}), "rules that are not given stay"
    refused = client.put(address, json=wanted | {"rules": {"vip_bost": 5}}, headers=bearer)
    assert refused.status_code == 409
    assert "there is no setting `vip_bost`" in refused.json["detail"].lower()
    queue = next(
        queue for queue in client.get("/api/v1/queues", headers=bearer).json["queues"] if queue["name"] == "sales"
    )
    assert queue["exact"] == ["sales"]
    assert queue["agents"] == 1
