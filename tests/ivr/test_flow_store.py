"""Flows in Postgres: versions, what is in force, and going back."""

from datetime import UTC, datetime

import pytest
from playing import DEMO, flow_of

from ivr import store
from ivr.errors import FlowInvalid, FlowUnknown
from ivr.flow import Flow

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def flow(prompt: str) -> Flow:
    return flow_of({"bye": {"type": "hang_up", "prompts": [prompt]}})


def put(db, prompt: str) -> int:
    return store.import_flow(db, flow(prompt), author="anna", at=NOW)


def test_the_demo_flows_come_back_as_they_were(db):
    files = sorted((DEMO / "flows").glob("*.yaml"))
    assert store.import_flows(db, files, author="demo", at=NOW) == ["main", "office"]
    loaded = store.load(db)
    assert {name: published.flow for name, published in loaded.items()} == {
        file.stem: store.read_file(file) for file in files
    }
    assert {published.version for published in loaded.values()} == {1}
    assert store.export_flow(db, "main") == store.read_file(DEMO / "flows" / "main.yaml")


def test_each_change_is_a_version_and_no_change_is_none(db):
    assert [put(db, "goodbye"), put(db, "goodbye"), put(db, "blocked"), put(db, "goodbye")] == [1, 1, 2, 3]
    assert store.load(db)["test"].version == 3
    history = store.history(db, "test")
    assert [(line.version, line.author, line.published_at) for line in history] == [(n, "anna", NOW) for n in (3, 2, 1)]


def test_a_draft_is_taken_by_no_call_until_it_is_published(db):
    put(db, "goodbye")
    draft = store.save_draft(db, flow("blocked"), author="ben")
    assert store.load(db)["test"].version == 1
    assert store.export_flow(db, "test") == flow("goodbye")
    assert store.export_flow(db, "test", draft) == flow("blocked")
    assert store.publish(db, "test", draft, author="ben", at=NOW) == 2
    assert store.load(db)["test"].flow == flow("blocked")


def test_a_first_draft_alone_is_in_force_nowhere(db):
    store.save_draft(db, flow("goodbye"), author="ben")
    assert store.load(db) == {}
    assert store.export_flow(db, "test") == flow("goodbye")


def test_going_back_adds_to_the_history(db):
    put(db, "goodbye")
    put(db, "blocked")
    assert store.publish(db, "test", 1, author="ben", at=NOW) == 3
    assert store.load(db)["test"].flow == flow("goodbye")
    assert [line.author for line in store.history(db, "test")] == ["ben", "anna", "anna"]
    assert store.publish(db, "test", 3, author="ben", at=NOW) == 3


def test_one_broken_flow_leaves_the_others_running(db):
    put(db, "goodbye")
    db.execute_sql("INSERT INTO flow (name) VALUES ('odd')")
    db.execute_sql(
        """INSERT INTO flow_version (flow_id, version, document, published_at)
           SELECT id, 1, '{"nodes": {}}', now() FROM flow WHERE name = 'odd'"""
    )
    assert set(store.load(db)) == {"test"}
    with pytest.raises(FlowInvalid):
        store.export_flow(db, "odd")


def test_a_file_with_a_fault_is_named_and_nothing_is_stored(db, tmp_path):
    bad = tmp_path / "bad.yaml"
    bad.write_text("name: bad\nstart: a\nnodes: {a: {type: warp}}\n")
    with pytest.raises(FlowInvalid, match=r"bad\.yaml.*warp"):
        store.import_flows(db, [DEMO / "flows" / "main.yaml", bad], author="demo", at=NOW)
    bad.write_bytes(b"\xff\xfe")
    with pytest.raises(FlowInvalid, match=r"bad\.yaml"):
        store.read_file(bad)
    assert store.load(db) == {}


def test_what_is_not_there(db):
    put(db, "goodbye")
    for missing in (
        lambda: store.export_flow(db, "gone"),
        lambda: store.export_flow(db, "test", 9),
        lambda: store.history(db, "gone"),
        lambda: store.publish(db, "test", 9, author="", at=NOW),
    ):
        with pytest.raises(FlowUnknown):
            missing()
    with pytest.raises(FlowUnknown):
        store.publish(db, "gone", 1, author="", at=NOW)
    assert set(store.load(db)) == {"test"}
