"""Where nodes are put when nobody has placed them."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ivr.flow import Flow
from ivr.layout import ACROSS, GAP, HEAD, ROW, arrange
from ivr.templates import templates

NAMES = st.sampled_from([f"n{number}" for number in range(14)])
FLOWS = st.dictionaries(
    NAMES, st.dictionaries(st.sampled_from(["1", "2", "3", "next"]), NAMES, max_size=4), min_size=1, max_size=14
)


@given(FLOWS)
def test_every_node_has_a_place_of_its_own(leads: dict[str, dict[str, str]]) -> None:
    document = {
        "start": next(iter(leads)),
        "nodes": {name: {"type": "menu", "exits": to} for name, to in leads.items()},
    }
    places = arrange(document)
    assert set(places) == set(leads)
    assert min(down for _, down in places.values()) == 0
    by_layer: dict[int, list[str]] = {}
    for name, (across, _) in places.items():
        assert across % ACROSS == 0
        by_layer.setdefault(across, []).append(name)
    for names in by_layer.values():
        names.sort(key=lambda name: places[name][1])
        for above, below in pairwise(names):
            bottom = places[above][1] + HEAD + ROW * max(1, len(leads[above]))
            assert places[below][1] >= bottom + GAP - 4
    assert arrange(document) == places, "the same each time"


def test_what_follows_stands_to_the_right() -> None:
    document = {
        "start": "a",
        "nodes": {"a": {"exits": {"1": "b", "2": "c"}}, "b": {"exits": {"next": "c"}}, "c": {"exits": {"next": "a"}}},
    }
    across = {name: place[0] for name, place in arrange(document).items()}
    assert across["a"] < across["b"] < across["c"]


def test_a_flow_keeps_its_layout_and_templates_have_room() -> None:
    for template in templates():
        document: dict[str, Any] = {**template.document, "name": "one"}
        assert document["start"] in document["nodes"]
        assert set(arrange(document)) == set(document["nodes"])
    flow = Flow.parse({"name": "one", "start": "a", "nodes": {"a": {"type": "hang_up"}}, "layout": {"a": [-40, 12]}})
    assert Flow.from_yaml(flow.to_yaml()) == flow
