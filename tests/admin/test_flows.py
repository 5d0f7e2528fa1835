"""Flows by the API and by their pages: drafts, versions, tests, walks, and who may do what."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from sample_company import Company

from ivr import drafts, store
from ivr.flow import Flow


class Api:
    """The API with a token, and what it answers."""

    def __init__(self, company: Company, account: str = "admin") -> None:
        self._client = company.app.test_client()
        self._headers = {"Authorization": f"Bearer {company.token(account)}"}

    def ask(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        answer = self._client.open(f"/api/v1{path}", method=method, json=body, headers=self._headers)
        assert answer.status_code == status, answer.text
        return answer.get_json(silent=True) if answer.data else None


@pytest.fixture
def api(company: Company) -> Api:
    return Api(company)


def changed(api: Api, name: str = "main", title: str = "Changed") -> dict[str, Any]:
    """A draft with another title."""
    work = api.ask("GET", f"/flows/{name}")
    document = work["document"] | {"title": title}
    saved: dict[str, Any] = api.ask("PUT", f"/flows/{name}/draft", {"document": document, "revision": work["revision"]})
    return saved


def test_a_draft_is_saved_in_place_published_and_rolled_back(company: Company, api: Api) -> None:
    saved = changed(api)
    assert (saved["version"], saved["published"], saved["in_force"]) == (2, False, 1)
    again = changed(api, title="Changed again")
    assert (again["version"], again["revision"] > saved["revision"]) == (2, True)
    assert store.load(company.parts.db)["main"].version == 1
    body = {"revision": again["revision"], "in_force": 1, "note": "why not"}
    assert api.ask("POST", "/flows/main/publish", body) == {"version": 2}
    assert store.load(company.parts.db)["main"].flow.title == "Changed again"
    assert api.ask("POST", "/flows/main/publish", body, 409)["detail"].startswith("Nothing has changed")
    assert api.ask("POST", "/flows/main/roll-back", {"version": 1, "in_force": 2}) == {"version": 3}
    assert store.load(company.parts.db)["main"].flow.title == "Main line"
    lines = api.ask("GET", "/flows/main/history")["versions"]
    assert [(line["version"], line["state"], line["author"], line["note"]) for line in lines] == [
        (3, "in force", "admin", "as version 1"),
        (2, "published", "admin", "why not"),
        (1, "published", "demo", ""),
    ]
    changes = api.ask("GET", "/flows/main/difference?before=1&after=2")["changes"]
    assert [change["words"] for change in changes] == ["The title was “Main line” and is now “Changed again”."]


def test_nobody_overwrites_what_they_have_not_seen(company: Company, api: Api) -> None:
    work = api.ask("GET", "/flows/main")
    saved = changed(api, title="First")
    body = {"document": work["document"], "revision": work["revision"]}
    refused = api.ask("PUT", "/flows/main/draft", body, 409)
    assert refused["outdated"]
    assert "admin has saved version 2" in refused["detail"]
    late = {"revision": work["revision"], "in_force": 1}
    assert "meanwhile" in api.ask("POST", "/flows/main/publish", late, 409)["detail"]
    theirs = drafts.save(
        company.parts.db, work["document"], author="supervisor", revision=saved["revision"], at=company.now
    )
    assert theirs.version == 3, "another author's draft is a version of its own"
    titles = [api.ask("GET", f"/flows/main/versions/{number}")["document"]["title"] for number in (2, 3)]
    assert titles == ["First", "Main line"]
    api.ask("DELETE", "/flows/main/versions/3", status=204)
    assert api.ask("GET", "/flows/main/head")["version"] == 2
    api.ask("POST", "/flows/main/versions/1/edit", {})
    assert api.ask("GET", "/flows/main")["document"]["title"] == "Main line"


def test_half_made_flows_are_kept_and_told_what_they_lack(api: Api) -> None:
    made = api.ask("POST", "/flows", {"name": "fresh", "title": "Fresh", "template": "menu"}, 201)
    work = api.ask("GET", "/flows/fresh")
    faults = {(problem["node"], problem["fault"]) for problem in work["problems"] if problem["field"]}
    assert ("first_queue", "Queue is missing") in faults
    document = work["document"]
    assert set(document["layout"]) == set(document["nodes"])
    document["nodes"]["menu"]["exits"]["5"] = ""
    document["nodes"]["menu"]["prompts"] = ["menu_main"]
    saved = api.ask("PUT", "/flows/fresh/draft", {"document": document, "revision": made["revision"]})
    assert {"node": "menu", "exit": "5", "fault": "exit '5' leads nowhere"}.items() <= next(
        problem for problem in saved["problems"] if problem["exit"] == "5"
    ).items()
    assert "5" in [way["name"] for way in saved["exits"]["menu"]]
    refused = api.ask("POST", "/flows/fresh/publish", {"revision": saved["revision"], "in_force": 0}, 409)
    assert "first_queue: Queue is missing" in refused["detail"]
    api.ask("POST", "/flows", {"name": "fresh"}, 409)


@pytest.mark.parametrize(
    "document",
    [
        {"name": "main", "nodes": {"a": {"type": "play\u0000"}}},
        {"name": "main", "nodes": {"a": {"type": "play", "prompts": ["\ud800"]}}},
        {"name": "main", "nodes": {"A b": {"type": "play"}}},
        {"name": "main", "nodes": {"a": {"type": "play", "exits": {"next": 5}}}},
        {"name": "main", "nodes": {"a": {"title": "no type"}}},
        {"name": "main", "nodes": [], "layout": {"a": ["x", 1]}},
        {"name": "main", "nodes": {}, "more": 1},
        {"name": "main", "nodes": {"a": {"type": "play", "title": "x" * 5_000_000}}},
        {"name": "office", "nodes": {}},
        [],
    ],
)
def test_what_is_no_draft_is_refused_with_its_fault(api: Api, document: Any) -> None:
    work = api.ask("GET", "/flows/main")
    client, headers = api._client, api._headers
    body = json.dumps({"document": document, "revision": work["revision"]})
    answer = client.put("/api/v1/flows/main/draft", data=body, headers=headers, content_type="application/json")
    assert answer.status_code in (400, 422), answer.text
    assert api.ask("GET", "/flows/main/head")["revision"] == work["revision"]


def test_a_flow_in_use_is_not_deleted(company: Company, api: Api) -> None:
    assert "number 5000" in api.ask("DELETE", "/flows/main", status=409)["detail"]
    api.ask("POST", "/flows", {"name": "helper", "template": "notice"}, 201)
    caller = {"type": "sub_flow", "flow": "helper"}
    drafts.create(
        company.parts.db,
        {"name": "outer", "start": "one", "nodes": {"one": caller}},
        author="admin",
        at=company.now,
    )
    assert "flow outer" in api.ask("DELETE", "/flows/helper", status=409)["detail"]
    api.ask("DELETE", "/flows/outer", status=204)
    api.ask("DELETE", "/flows/helper", status=204)
    api.ask("GET", "/flows/helper", status=404)
    assert "helper" not in [flow["name"] for flow in api.ask("GET", "/flows")["flows"]]


def test_yaml_goes_out_and_comes_in_exactly(company: Company, api: Api, visit: Any) -> None:
    text = api._client.get("/api/v1/flows/main/versions/1/yaml", headers=api._headers).text
    before = store.export_flow(company.parts.db, "main")
    assert Flow.from_yaml(text) == before
    made = api.ask("POST", "/flow-imports", {"yaml": text, "name": "copy"}, 201)
    assert (made["version"], made["published"]) == (1, False)
    assert store.export_flow(company.parts.db, "copy").document() == before.document() | {"name": "copy"}
    assert "no flow" in api.ask("POST", "/flow-imports", {"yaml": "[1]"}, 400)["detail"]
    api.ask("POST", "/flows", {"name": "half", "template": "hours"}, 201)
    half = api._client.get("/api/v1/flows/half/versions/1/yaml", headers=api._headers).text
    api.ask("POST", "/flow-imports", {"yaml": half, "name": "other_half"}, 201)
    one, other = (drafts.newest(company.parts.db, name).document for name in ("half", "other_half"))
    assert one["nodes"] == other["nodes"]
    visitor = visit("admin")
    visitor.get("/setup/flows")
    answer = visitor.post("/setup/flows/import", file=(io.BytesIO(text.encode()), "main.yaml"))
    assert answer.location == "/setup/flows/main"
    assert [line.version for line in store.history(company.parts.db, "main")] == [2, 1]


def test_tests_block_a_version_and_come_from_calls(history: Company) -> None:
    api = Api(history)
    made = api.ask("POST", "/tests-from-calls", {"call_id": history.calls["answered"], "name": "as they did"}, 201)
    assert made["flow"] == "main"
    assert made["test"]["caller"].endswith("0" * 6)
    again = {"call_id": history.calls["answered"], "name": "as they did"}
    assert "already" in api.ask("POST", "/tests-from-calls", again, 409)["detail"]
    api.ask("DELETE", "/flows/main/tests/as they did", status=204)
    test = {"name": "sales/1", "at": "2026-03-04T10:00:00+01:00", "keys": ["1"], "expect": {"end": "answered"}}
    api.ask("PUT", "/flows/main/tests/sales/1", test)
    (result,) = api.ask("POST", "/flows/main/run-tests", {})["tested"]
    assert result["passed"], result
    api.ask("PUT", "/flows/main/tests/sales/1", test | {"expect": {"path": result["path"]}})
    work = api.ask("GET", "/flows/main")
    work["document"]["nodes"]["menu"]["exits"]["1"] = "opening_hours"
    saved = api.ask("PUT", "/flows/main/draft", {"document": work["document"], "revision": work["revision"]})
    verdict = api.ask("POST", "/flows/main/check", {})
    assert (verdict["fit"], [each["passed"] for each in verdict["tested"]]) == (False, [False])
    refused = api.ask("POST", "/flows/main/publish", {"revision": saved["revision"], "in_force": 1}, 409)
    assert "test 'sales/1'" in refused["detail"]
    api.ask("PUT", "/flows/main/tests/bad", {"name": "bad"}, 422)


def test_what_blocks_publishing_a_version_blocks_rolling_back_to_it(company: Company, api: Api) -> None:
    body = {"revision": changed(api)["revision"], "in_force": 1}
    assert api.ask("POST", "/flows/main/publish", body) == {"version": 2}
    test = {"name": "nobody", "at": "2026-03-04T10:00:00+01:00", "expect": {"path": ["nowhere"]}, "blocks": True}
    api.ask("PUT", "/flows/main/tests/nobody", test)
    verdict = api.ask("POST", "/flows/main/check", {"version": 1})
    assert (verdict["fit"], [each["passed"] for each in verdict["tested"]]) == (False, [False])
    back = {"version": 1, "in_force": 2}
    assert "test 'nobody'" in api.ask("POST", "/flows/main/roll-back", back, 409)["detail"]
    assert store.load(company.parts.db)["main"].version == 2
    api.ask("PUT", "/flows/main/tests/nobody", test | {"blocks": False})
    assert api.ask("POST", "/flows/main/roll-back", back) == {"version": 3}
    api.ask("POST", "/flows/main/check", {"version": 9}, 404)


def test_a_test_is_made_on_a_calls_page(history: Company, visit: Any) -> None:
    visitor, call_id = visit("admin"), history.calls["answered"]
    assert "Make a flow test" in visitor.get(f"/calls/{call_id}").text
    answer = visitor.post(f"/setup/flows/from-call/{call_id}", name="As Mette did")
    assert answer.location == "/setup/flows/main?panel=tests"
    (test,) = store.load_tests(history.parts.db, "main")
    assert (test.name, test.caller[-6:]) == ("As Mette did", "000000")
    assert visitor.post(f"/setup/flows/from-call/{call_id}", name="").location == f"/calls/{call_id}"
    assert "Make a flow test" not in visit("supervisor").get(f"/calls/{call_id}").text


def test_a_call_that_is_asked_for_waits_for_an_engine(company: Company, api: Api) -> None:
    told = api.ask("GET", "/flows/main/calling")
    assert [number["number"] for number in told["numbers"]] == ["5000"]
    assert api.ask("POST", "/trial-calls", {"number": "4711"}, 409)["detail"] == "number: 4711 is no number of ours."
    assert "whose phone" in api.ask("POST", "/trial-calls", {"number": "5000"}, 409)["detail"]
    asked = api.ask("POST", "/trial-calls", {"number": "5000", "extension": "1001"})
    standing = api.ask("GET", f"/trial-calls/{asked['call_id']}")
    assert (standing["state"], standing["path"]) == ("asked", [])
    waiting = company.parts.redis.lrange("trials", 0, -1)
    assert len(waiting) == 1
    assert json.loads(waiting[0])["extension"] == "1001"


def test_a_walk_goes_at_any_time_and_takes_steps_back(api: Api) -> None:
    christmas = {"at": "2026-12-25T10:00:00+01:00", "moves": []}
    told = api.ask("POST", "/flows/main/walk", christmas)
    assert [step["node"] for step in told["path"]] == ["doors", "holiday", "closed_menu"]
    assert told["wants"] == "key"
    weekday = {"at": "2026-03-04T10:00:00+01:00", "caller": "+4532101010"}
    moves = [{"do": "press", "keys": "1"}]
    told = api.ask("POST", "/flows/main/walk", weekday | {"moves": moves})
    assert (told["wants"], told["about"]) == ("queue", "sales")
    told = api.ask("POST", "/flows/main/walk", weekday | {"moves": [*moves, {"do": "decide", "choice": "timeout"}]})
    assert told["decided"] == ["main.sales"]
    assert any(heard["sound"].startswith("/data/flow-sounds/en/") for heard in told["heard"])
    stale = api.ask("POST", "/flows/main/walk", weekday | {"moves": [{"do": "decide", "choice": "timeout"}]})
    assert (stale["moves"], stale["wants"]) == (0, "key")
    refused = api.ask("POST", "/flows/main/walk", weekday | {"variables": {"call_id": "x"}}, 409)
    assert "call_id" in refused["detail"]
    led = api.ask("POST", "/number-walks", {"number": "5001", "at": "2026-03-04T03:00:00+01:00"})
    assert led["leads"] == "Flow office"
    assert led["path"][0]["flow"] == "office"
    sound = api._client.get("/api/v1/flow-sounds/en/menu_main", headers=api._headers)
    assert sound.mimetype == "audio/wav"
    assert api._client.get("/api/v1/flow-sounds/en/none", headers=api._headers).status_code == 404


def test_who_may_only_look_changes_nothing(company: Company) -> None:
    looks = Api(company, "supervisor")
    assert looks.ask("GET", "/flows/main")["in_force"] == 1
    looks.ask("POST", "/flows/main/walk", {})
    looks.ask("POST", "/flows/main/check", {})
    for method, path in (
        ("POST", "/flows"), ("PUT", "/flows/main/draft"), ("POST", "/flows/main/publish"), ("DELETE", "/flows/main"),
        ("POST", "/flows/main/roll-back"), ("PUT", "/flows/main/tests/x"), ("POST", "/trial-calls"),
        ("DELETE", "/flows/main/versions/1"), ("POST", "/flow-imports"), ("POST", "/tests-from-calls"),
    ):  # fmt: skip
        looks.ask(method, path, {}, 403)
    Api(company, "anna").ask("GET", "/flows", status=403)
    assert company.app.test_client().get("/data/flows").status_code == 401


def test_the_scripts_of_pages_ask_with_the_session_and_its_token(company: Company, visit: Any) -> None:
    visitor = visit("admin")
    assert visitor.client.get("/data/flows/main/head").get_json()["version"] == 1
    refused = visitor.client.post("/data/flows/main/roll-back", json={"version": 1, "in_force": 1})
    assert refused.status_code == 400, "without the page's token"
    page = visitor.get("/setup/flows/main").text
    assert "</script>" not in page.split('id="flow-data">')[1].split("</script>")[0]


def test_everything_that_pages_do_is_in_the_description_of_the_api(company: Company) -> None:
    told = company.app.test_client().get("/openapi/openapi.json").get_json()["paths"]
    shared = {
        rule.rule.removeprefix("/data") for rule in company.app.url_map.iter_rules() if rule.rule.startswith("/data/")
    }
    described = {path.removeprefix("/api/v1") for path in told}
    plain = {
        rule.replace("<int:", "{").replace("<uuid:", "{").replace("<path:", "{").replace("<", "{").replace(">", "}")
        for rule in shared
    }
    assert plain <= described
