"""Queues' and agents' rules: what is refused, and that what is stored comes back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conf.database import Database
from engine.records import queue_store as store
from engine.records import queues
from engine.records.queues import AgentSettings, Consequence, Need, QueueSettings, RulesInvalid
from engine.records.strategies import STRATEGIES
from engine.routing.store import load_roster


@pytest.fixture
def house(db: Database) -> Database:
    with db.connection_context():
        db.execute_sql("INSERT INTO queue (name) VALUES ('sales')")
        db.execute_sql(
            "INSERT INTO agent (name, extension) VALUES ('Anna', '1001'), ('Clara', '1003'), ('David', '1004')"
        )
        db.execute_sql("INSERT INTO skill (name) VALUES ('danish')")
    return db


@pytest.mark.parametrize(
    ("document", "field", "words"),
    [
        ({"vip_boost": -1}, "vip_boost", "0 or more"),
        ({"comfort": {"every_seconds": "often"}}, "comfort.every_seconds", "whole number"),
        ({"colour": "red"}, "", "`colour`"),
        ({"relaxations": [{"after_seconds": 30}]}, "relaxations.0", "exactly one"),
        ({"relaxations": [{"after_seconds": 30, "skill": "danish"}]}, "relaxations.0", "belong together"),
        ({"relaxations": [{"after_seconds": 0, "drop": "danish"}]}, "relaxations.0.after_seconds", "1 or more"),
        ({"offers": {"busy": {"then": "shout"}}}, "offers.busy.then", "shout"),
        ({"ways_out": {"timeout": {"to": "moon"}}}, "ways_out.timeout", "`to` is one of"),
        ({"ways_out": {"keys": {"12": {"to": "queue", "queue": "a"}}}}, "ways_out.keys", "one key"),
        ({"members": {"agents": [{"extension": "1001"}, {"extension": "1001"}]}}, "members.agents.1", "twice"),
        (
            {"ways_out": {"keys": {"2": {"to": "queue", "queue": "a"}}}, "callback": {"key": "2"}},
            "callback.key",
            "way out already",
        ),
        ([], "", "an object"),
    ],
)
def test_what_is_wrong_in_a_queues_rules_is_named(document: Any, field: str, words: str) -> None:
    with pytest.raises(RulesInvalid) as refused:
        queues.decode_queue(document)
    assert refused.value.field == field
    assert words in refused.value.message


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.floats(allow_nan=False),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(sorted(QueueSettings.__struct_fields__))
            | st.sampled_from(["agents", "keys", "say", "level"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@given(json)
def test_any_document_is_taken_or_refused_and_what_is_taken_comes_back(document: Any) -> None:
    for decode in (queues.decode_queue, queues.decode_agent):
        try:
            settings = decode(document)
        except RulesInvalid:
            continue
        assert decode(queues.encode(settings)) == settings


def test_needs_are_given_with_or_without_exactness() -> None:
    assert queues.decode_needs({"danish": 3, "legal": {"level": 2, "exact": True}}) == {
        "danish": Need(level=3),
        "legal": Need(level=2, exact=True),
    }
    with pytest.raises(RulesInvalid):
        queues.decode_needs({"danish": 6})


def test_rules_are_stored_and_reach_the_roster(house: Database) -> None:
    db = house
    with db.connection_context(), db.atomic():
        (queue_id,) = db.execute_sql("SELECT id FROM queue WHERE name = 'sales'").fetchone()
        (agent_id,) = db.execute_sql("SELECT id FROM agent WHERE extension = '1001'").fetchone()
        group_id = store.save_group(db, "back", ["1003", "1004"])
        settings = queues.decode_queue(
            {"relaxations": [{"after_seconds": 20, "group": "back"}], "members": {"agents": [{"extension": "1001"}]}}
        )
        store.save_queue_rules(db, queue_id, "round_robin", settings)
        agent = AgentSettings(auto_answer=True, cost_per_minute=0.7)
        store.save_agent_rules(db, agent_id, agent)
        store.save_language_needs(db, "da", {"danish": 3})
        assert store.block_number(db, "45 20 99 88 77", country="DK", note="noise") == "+4520998877"
        with pytest.raises(RulesInvalid, match="queue sales names"):
            store.delete_group(db, group_id)
        with pytest.raises(RulesInvalid, match="no agent has extension 9999"):
            store.save_queue_rules(db, queue_id, "top_down", queues.decode_queue({"problem_agents": ["9999"]}))
        with pytest.raises(RulesInvalid, match="none of"):
            store.save_queue_rules(db, queue_id, "loudest", QueueSettings())
    roster = load_roster(db)
    sales = roster.queue("sales")
    assert sales is not None
    assert (sales.strategy, sales.settings) == ("round_robin", settings)
    anna = roster.agent("1001")
    assert anna is not None
    assert anna.settings == agent
    assert len(roster.groups["back"]) == 2
    assert roster.language_needs["da"] == {"danish": Need(level=3)}


def test_a_broken_row_leaves_the_defaults_in_force(house: Database) -> None:
    db = house
    with db.connection_context():
        db.execute_sql("""UPDATE queue SET rules = '{"vip_boost": "lots"}', strategy = 'gone' WHERE name = 'sales'""")
    sales = load_roster(db).queue("sales")
    assert sales is not None
    assert (sales.strategy, sales.settings) == ("longest_idle", QueueSettings())
    assert sales.settings.offers.busy == Consequence()


def test_every_strategy_says_in_one_sentence_what_it_does() -> None:
    for name, text in STRATEGIES.items():
        assert name == text.name
        assert text.sentence.endswith(".")
        assert text.title
