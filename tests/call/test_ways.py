"""From destinations to the flows that are made for them: who rings next, and for how long."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from dialplan import destinations, scenarios
from dialplan.destinations import Rule, ToExtension, ToFlow, ToNumber, ToQueue, ToRingGroup, ToVoicemail
from dialplan.errors import DestinationInvalid
from dialplan.plan import Plan
from dialplan.scenarios import Forward, GroupPhone, RingGroup
from engine.call.configuration import Snapshot
from engine.call.ways import NowhereToGo, flow_to
from engine.routing.roster import Roster

NOW = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)


def made(
    destination: Any,
    forwarding: dict[str, tuple[Forward, ...]] | None = None,
    groups: tuple[RingGroup, ...] = (),
) -> dict[str, Any]:
    plan = Plan("DK", forwarding=forwarding or {}, ring_groups={group.name: group for group in groups})
    flow = flow_to(destination, Snapshot(1, plan, {}, Roster(1)), NOW).flow.document()
    return {"start": flow["start"]} | flow["nodes"]


def chain(flow: dict[str, Any]) -> list[tuple[str, Any, Any]]:
    """What is tried one after the other: kind, what, and for how long where that is not the node's own default."""
    found, name = [], flow["start"]
    while name:
        node = flow[name]
        what = (
            node.get("extension")
            or node.get("extensions")
            or node.get("number")
            or node.get("box")
            or node.get("queue")
        )
        found.append((node["type"], what, node.get("seconds")))
        name = node.get("exits", {}).get("otherwise")
    return found


def test_an_extension_rings_and_then_takes_a_message() -> None:
    assert chain(made(ToExtension("1001"))) == [("ring", "1001", None), ("voicemail", "1001", None)]


def test_each_phone_of_a_forwarding_rings_till_the_time_of_the_next() -> None:
    forwards = (
        Forward(15, ToExtension("1002")),
        Forward(25, ToNumber("+4570101010")),
        Forward(55, ToVoicemail("reception")),
    )
    assert chain(made(ToExtension("1001"), {"1001": forwards})) == [
        ("ring", "1001", 15),
        ("ring", "1002", 10),
        ("outside", "+4570101010", None),
        ("voicemail", "reception", None),
    ]


def test_one_that_is_forwarded_at_once_does_not_ring() -> None:
    assert chain(made(ToExtension("1001"), {"1001": (Forward(0, ToExtension("1002")),)})) == [
        ("ring", "1002", None),
        ("voicemail", "1001", None),
    ]


def test_two_who_forward_to_each_other_end_all_the_same() -> None:
    forwarding = {"1001": (Forward(10, ToExtension("1002")),), "1002": (Forward(10, ToExtension("1001")),)}
    tried = chain(made(ToExtension("1001"), forwarding))
    assert [what for kind, what, _ in tried if kind == "ring"] == ["1001", "1002", "1001", "1002", "1001"]
    assert tried[-1][0] == "voicemail"


def test_a_group_rings_together_with_delays_and_then_goes_on() -> None:
    office = RingGroup(
        "office",
        "Office",
        (GroupPhone("1001"), GroupPhone("1002", 5)),
        seconds=12,
        otherwise=ToQueue("sales"),
    )
    flow = made(ToRingGroup("office"), groups=(office,))
    assert chain(flow)[:2] == [("ring_group", ["1001", "1002"], 12), ("queue", "sales", None)]
    assert flow["group"]["delays"] == {"1002": 5}


def test_a_group_without_more_says_that_nobody_is_there() -> None:
    flow = made(ToRingGroup("office"), groups=(RingGroup("office", "", (GroupPhone("1001"),), order="listed"),))
    assert chain(flow)[-1][0] == "hang_up"
    assert "delays" not in flow["group"]


def test_what_is_not_there_is_said() -> None:
    with pytest.raises(NowhereToGo, match="no ring group"):
        made(ToRingGroup("nowhere"))
    with pytest.raises(NowhereToGo, match="not published"):
        made(ToFlow("nowhere"))


extensions = some.sampled_from(["1001", "1002", "1003"])
rules: some.SearchStrategy[Rule] = some.one_of(
    extensions.map(ToExtension),
    some.sampled_from(["office", "night"]).map(ToRingGroup),
    some.just(ToNumber("+4570101010")),
    some.just(ToQueue("sales")),
    some.just(ToVoicemail("1001")),
)
forwards = some.lists(some.builds(Forward, some.integers(0, 300), rules), min_size=1, max_size=3)
groups = some.builds(
    RingGroup,
    some.sampled_from(["office", "night"]),
    some.just("A group"),
    some.lists(
        some.builds(GroupPhone, extensions, some.integers(0, 60)),
        min_size=1,
        max_size=3,
        unique_by=lambda p: p.extension,
    ).map(tuple),
    some.sampled_from(["together", "listed", "shuffled", "longest_idle"]),
    some.integers(1, 300),
    some.integers(1, 10),
    some.none() | rules,
)


@given(rules, some.dictionaries(extensions, forwards), some.lists(groups, unique_by=lambda group: group.name))
def test_whatever_follows_whatever_it_is_a_flow_with_an_end(
    rule: Rule, forwarding: dict[str, list[Forward]], known: list[RingGroup]
) -> None:
    in_order = {
        extension: tuple(sorted(each, key=lambda forward: forward.after_seconds))
        for extension, each in forwarding.items()
    }
    if isinstance(rule, ToRingGroup) and rule.group not in {group.name for group in known}:
        return
    tried = chain(made(rule, in_order, tuple(known)))
    assert tried[-1][0] in ("voicemail", "hang_up")


@given(groups)
def test_a_group_is_what_it_was_when_it_was_stored(group: RingGroup) -> None:
    assert scenarios.decode_group(group.name, group.title, scenarios.encode_group(group)) == group


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ({"phones": []}, "1 to 50 phones"),
        ({"phones": [{"extension": "x"}]}, "extension"),
        ({"phones": [{"extension": "1001"}, {"extension": "1001"}]}, "twice"),
        ({"phones": [{"extension": "1001"}], "order": "any"}, "order"),
        ({"phones": [{"extension": "1001"}], "seconds": 0}, "seconds"),
        ({"phones": [{"extension": "1001"}], "otherwise": {"to": "moon"}}, "moon"),
    ],
)
def test_what_is_no_group_is_said(value: object, fault: str) -> None:
    with pytest.raises(DestinationInvalid, match=fault):
        scenarios.decode_group("office", "", value)


def test_forwarding_is_kept_in_the_order_of_time() -> None:
    stored = [
        {"after_seconds": 20, "to": destinations.encode(ToVoicemail("1001"))},
        {"after_seconds": 10, "to": destinations.encode(ToExtension("1002"))},
    ]
    assert [forward.after_seconds for forward in scenarios.decode_forwarding(stored)] == [10, 20]
    with pytest.raises(DestinationInvalid, match="after_seconds"):
        scenarios.decode_forwarding([{"after_seconds": -1, "to": {"to": "hang_up"}}])
