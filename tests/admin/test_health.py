"""Whether the parts answer, and the figures."""

from __future__ import annotations

from typing import Any

import sample_company
from prometheus_client.parser import text_string_to_metric_families
from sample_company import Company

from conf.settings import Settings
from engine.live import keys


def test_all_is_well_when_every_part_answers(company: Company) -> None:
    sample_company.put_engine(company)
    answer = company.app.test_client().get("/healthz")
    assert answer.status_code == 200
    assert answer.json == {
        "status": "ok",
        "database": "ok",
        "redis": "ok",
        "switch": "ok",
        "engines": "ok",
        "router": "ok",
    }


def test_each_part_that_is_missing_is_named(company: Company) -> None:
    client = company.app.test_client()
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json == {
        "status": "failing",
        "database": "ok",
        "redis": "ok",
        "switch": "away",
        "engines": "none answers",
        "router": "none at work",
    }
    sample_company.put_engine(company, switch="reconnecting")
    company.parts.redis.delete(keys.ROUTER_LEASE)
    answer = client.get("/healthz")
    assert answer.json
    assert (answer.status_code, answer.json["switch"], answer.json["router"]) == (503, "reconnecting", "none at work")


def test_with_postgres_and_redis_away_the_pages_say_so_and_come_back(
    company: Company, visit: Any, tmp_path: Any
) -> None:
    away = Settings(
        home=tmp_path,
        database_url="postgresql://nobody:x@127.0.0.1:9/none",
        redis_url="redis://127.0.0.1:9/0",
        timezone="UTC",
    )
    from admin.app import create_app
    from admin.commands import build
    from conf import database

    try:
        client = create_app(build(away)).test_client()
        answer = client.get("/healthz")
        assert answer.json == {
            "status": "failing",
            "database": "away",
            "redis": "away",
            "switch": "unknown",
            "engines": "unknown",
            "router": "unknown",
        }
        assert answer.status_code == 503
        assert client.get("/sign-in").status_code == 200
        api = client.get("/api/v1/me", headers={"Authorization": "Bearer x"})
        assert api.status_code == 503
        assert api.json
        assert len(api.json["reference"]) == 8
    finally:
        database.bind(company.parts.db)


def test_the_live_page_survives_redis_being_away(company: Company, visit: Any, monkeypatch: Any) -> None:
    supervisor = visit("supervisor")
    pool = company.parts.redis.connection_pool
    port = pool.connection_kwargs["port"]
    pool.connection_kwargs["port"] = 9
    pool.reset()
    page = supervisor.get("/live")
    assert page.status_code == 200
    assert "The live state cannot be read" in page.text
    assert supervisor.get("/setup/system").status_code == 200
    refused = supervisor.post(f"/agents/{company.agents['1001']}/presence", presence="ready")
    assert refused.status_code == 503
    pool.connection_kwargs["port"] = port
    pool.reset()
    assert "The live state cannot be read" not in supervisor.get("/live").text


def figures(text: str) -> dict[tuple[str, ...], float]:
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_the_figures_count_what_is_there(company: Company) -> None:
    sample_company.a_moment(company)
    found = figures(company.app.test_client().get("/metrics").text)
    assert found["pointsman_up", "database"] == 1
    assert found["pointsman_calls", "queue"] == 2
    assert found["pointsman_queue_waiting", "support"] == 2
    assert found["pointsman_agents", "pause", "idle"] == 1
    assert found["pointsman_engine_calls", "e1"] == 4
    assert found["pointsman_journal_pending_bytes", "e1"] == 0
    assert found["pointsman_router_epoch_total",] == 3


def test_figures_are_for_this_machine_or_for_a_token(company: Company) -> None:
    client = company.app.test_client()
    elsewhere = {"REMOTE_ADDR": "192.0.2.7"}
    assert client.get("/metrics", environ_overrides=elsewhere).status_code == 401
    assert client.get("/metrics", headers={"X-Forwarded-For": "192.0.2.7"}).status_code == 401
    token = {"Authorization": f"Bearer {company.token('analyst')}"}
    assert client.get("/metrics", environ_overrides=elsewhere, headers=token).status_code == 200


def test_the_system_page_shows_processes_and_what_is_wrong(company: Company, visit: Any) -> None:
    sample_company.put_engine(company, "e7", switch="ok")
    page = visit("admin").get("/setup/system").text
    assert "All parts answer" in page
    assert "e7" in page
    company.parts.redis.delete(keys.process("e7"), keys.ROUTER_LEASE)
    page = visit("admin").get("/setup/system").text
    assert "Something is wrong" in page
    assert "pointsman engine" in page
