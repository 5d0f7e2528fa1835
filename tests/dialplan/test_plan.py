"""Where a number leads."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialplan import destinations
from dialplan.destinations import (
    ByHours,
    HangUp,
    Refuse,
    ToCallback,
    ToExtension,
    ToFlow,
    ToNumber,
    ToQueue,
    ToRingGroup,
    ToVoicemail,
)
from dialplan.errors import DestinationInvalid
from dialplan.hours import Calendar, Opening
from dialplan.plan import Number, Plan, decide

ZONE = ZoneInfo("Europe/Copenhagen")
OFFICE = Calendar("Office", ZONE, tuple(Opening(day, 540, 1020) for day in range(5)))
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=ZONE)
NIGHT = datetime(2026, 11, 23, 22, 0, tzinfo=ZONE)
PLAN = Plan(
    "DK",
    {
        "5000": Number("5000", "Main line", ToFlow("main")),
        "+4570101010": Number("+4570101010", "Sales", ByHours("Office", ToQueue("sales"), ToVoicemail("sales"))),
        "5002": Number("5002", "Odd", ByHours("Gone", ToQueue("sales"), Refuse())),
    },
    {"Office": OFFICE},
    frozenset({"1001", "1002"}),
)


@pytest.mark.parametrize(
    ("called", "caller", "now", "destination"),
    [
        ("5000", "+4532101010", NIGHT, ToFlow("main")),
        ("+4570101010", "", NOON, ToQueue("sales")),
        ("70 10 10 10", "", NIGHT, ToVoicemail("sales")),
        ("5002", "", NIGHT, ToQueue("sales")),
        ("1001", "1002", NOON, ToExtension("1001")),
        ("1001", "1001", NOON, Refuse("USER_BUSY")),
        ("1009", "1002", NOON, Refuse("UNALLOCATED_NUMBER")),
        ("evil\r\n", "", NOON, Refuse("UNALLOCATED_NUMBER")),
        ("", "", NOON, Refuse("UNALLOCATED_NUMBER")),
    ],
)
def test_decide(called, caller, now, destination):
    assert decide(PLAN, called, caller, now) == destination


names = st.text(min_size=1, max_size=20)
leaves = st.one_of(
    names.map(ToFlow),
    names.map(ToQueue),
    names.map(ToExtension),
    names.map(ToRingGroup),
    names.map(ToVoicemail),
    names.map(ToNumber),
    names.map(ToCallback),
    st.just(HangUp()),
    st.sampled_from(["USER_BUSY", "CALL_REJECTED"]).map(Refuse),
)
rules = st.recursive(leaves, lambda rule: st.builds(ByHours, names, rule, rule), max_leaves=6)


@given(rules)
def test_what_is_stored_comes_back(rule):
    assert destinations.decode(destinations.encode(rule)) == rule


@pytest.mark.parametrize(
    "value",
    [
        None, [], "flow", {}, {"to": "moon"}, {"to": "flow"}, {"to": "flow", "flow": ""}, {"to": "flow", "flow": 3},
        {"to": "queue", "queue": "sales", "extra": 1}, {"to": "hang_up", "cause": "USER_BUSY"}, {"to": "number"},
        {"to": "refuse", "cause": "no\r\ncause"}, {"to": []},
        {"to": "by_hours", "calendar": "Office", "open": {"to": "flow", "flow": "main"}},
    ],
)  # fmt: skip
def test_what_is_no_destination_is_named(value):
    with pytest.raises(DestinationInvalid):
        destinations.decode(value)


def test_depth_is_bounded():
    value: object = {"to": "flow", "flow": "main"}
    for _ in range(2000):
        value = {"to": "by_hours", "calendar": "Office", "open": value, "closed": {"to": "flow", "flow": "main"}}
    with pytest.raises(DestinationInvalid):
        destinations.decode(value)
