"""Versions of a flow: two people at once, what has changed, and the exact round trip."""

from datetime import UTC, datetime

import pytest
from playing import flow_of

from ivr import store
from ivr.difference import Change, difference
from ivr.errors import DraftOutdated, FlowUnknown
from ivr.flow import Flow

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
BYE = {"type": "hang_up", "prompts": ["goodbye"]}


def flow(prompt: str) -> Flow:
    return flow_of({"bye": {"type": "hang_up", "prompts": [prompt]}})


def versions(db):
    return [(line.version, line.author, line.published_at is not None) for line in store.history(db, "test")]


def test_two_who_edit_at_once_are_warned(db):
    begun = store.import_flow(db, flow("goodbye"), author="anna", at=NOW)
    annas = store.save_draft(db, flow("blocked"), author="anna", based_on=begun)
    with pytest.raises(DraftOutdated, match="anna has made version 2"):
        store.save_draft(db, flow("greeting"), author="ben", based_on=begun)
    assert versions(db) == [(2, "anna", False), (1, "anna", True)]
    # Having seen it, Ben saves on top; Anna's draft stays, for it is not his.
    assert store.save_draft(db, flow("greeting"), author="ben", based_on=annas) == 3
    assert versions(db) == [(3, "ben", False), (2, "anna", False), (1, "anna", True)]
    with pytest.raises(DraftOutdated, match="ben"):
        store.save_draft(db, flow("blocked"), author="anna", based_on=annas)


def test_ones_own_drafts_do_not_pile_up(db):
    assert store.save_draft(db, flow("goodbye"), author="anna", based_on=0) == 1
    assert store.save_draft(db, flow("blocked"), author="anna", based_on=1, note="Christmas") == 2
    assert versions(db) == [(2, "anna", False)]
    assert store.history(db, "test")[0].note == "Christmas"
    with pytest.raises(DraftOutdated):
        store.save_draft(db, flow("goodbye"), author="ben", based_on=0)
    assert store.names(db) == ["test"]


def test_publishing_on_top_of_what_somebody_else_published(db):
    store.import_flow(db, flow("goodbye"), author="anna", at=NOW)
    store.save_draft(db, flow("blocked"), author="anna", based_on=1)
    store.import_flow(db, flow("greeting"), author="ben", at=NOW)
    with pytest.raises(DraftOutdated, match="ben"):
        store.publish(db, "test", 2, author="anna", at=NOW, in_force=1)
    assert store.publish(db, "test", 2, author="anna", at=NOW, in_force=3) == 4
    assert store.history(db, "test")[0].note == "as version 2"


def test_a_draft_is_discarded_and_nothing_else(db):
    store.import_flow(db, flow("goodbye"), author="anna", at=NOW)
    store.save_draft(db, flow("blocked"), author="anna", based_on=1)
    store.discard_draft(db, "test", 2)
    for version in (1, 2):
        with pytest.raises(FlowUnknown):
            store.discard_draft(db, "test", version)
    assert versions(db) == [(1, "anna", True)]


def test_what_has_changed():
    before = flow_of(
        {
            "menu": {"type": "menu", "prompts": ["menu_main"], "exits": {"1": "sales", "2": "bye", "no_input": "bye"}},
            "sales": {"type": "queue", "queue": "sales", "exits": {"otherwise": "bye"}},
            "old": {"type": "play", "prompts": ["greeting"], "exits": {"next": "bye"}},
            "bye": BYE,
        },
        layout={"menu": (1, 2)},
    )
    after = flow_of(
        {
            "menu": {"type": "menu", "prompts": ["greeting"], "no_input": {"times": 2},
                     "exits": {"1": "selling", "3": "new", "no_input": "bye"}},
            "selling": {"type": "queue", "queue": "sales", "exits": {"otherwise": "bye"}},
            "new": {"type": "hang_up"},
            "bye": BYE,
        },
        title="Now",
        layout={"menu": (5, 5)},
    )  # fmt: skip
    assert difference(before, after) == [
        Change("changed", "", "title", None, "Now"),
        Change("changed", "menu", "exits.2", "bye", None),
        Change("changed", "menu", "exits.3", None, "new"),
        Change("changed", "menu", "prompts", ["menu_main"], ["greeting"]),
        Change("changed", "menu", "no_input", None, {"times": 2}),
        Change("renamed", "selling", "", "sales", "selling"),
        Change("added", "new", "", None, {"type": "hang_up"}),
        Change("removed", "old", "", before.document()["nodes"]["old"], None),
    ]
    assert difference(before, before) == []


def test_differences_between_versions(db):
    store.import_flow(db, flow("goodbye"), author="anna", at=NOW)
    store.save_draft(db, flow("blocked"), author="anna", based_on=1)
    assert store.compare(db, "test", 1, 2) == [Change("changed", "bye", "prompts", ["goodbye"], ["blocked"])]


def test_yaml_is_the_same_text_after_a_round_trip():
    text = flow_of(
        {
            "a": {"type": "condition", "all_of": [{"variable": "x", "how": "one_of", "value": [1, "1", True, 1.5]}],
                  "exits": {"met": "b", "not_met": "b"}},
            "b": {"type": "http", "method": "POST", "url": "https://shop.example/{x}",
                  "body": {"no": None, "on": "on", "n": "010"},
                  "exits": {"done": "c", "failed": "c", "404": "c"}},
            "c": {"type": "set", "values": {"time": "12:30", "yes": "yes", "n": 7, "f": 7.0, "b": False},
            "exits": {"next": "d"}},
            "d": BYE,
        },
        layout={"a": (0, -20)},
    ).to_yaml()  # fmt: skip
    again = Flow.from_yaml(text)
    assert again.to_yaml() == text
    assert again.nodes["c"].values == {"time": "12:30", "yes": "yes", "n": 7, "f": 7.0, "b": False}
    assert [type(value) for value in again.nodes["a"].all_of[0].value] == [int, str, bool, float]
