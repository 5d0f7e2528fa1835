"""What callers did in flows: figures of nodes and exits, calls over time, and the path of each call."""

from __future__ import annotations

import math
import statistics as plain
import uuid
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conf.database import Database
from engine.records.facts import AnyFact, CallBegan, CallEnded, StepEntered, StepLeft
from engine.records.ivr_paths import PathSearch, all_paths, find_paths
from engine.records.ivr_statistics import Period, flow_figures, flows_seen, node_figures, statistics
from tests.shipped import ship

AT = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)
DAY = Period(AT - timedelta(hours=9), AT + timedelta(hours=15))


@dataclass
class Made:
    call_id: str
    caller: str
    steps: list[tuple[str, str, float]]
    """Node, exit and seconds."""

    def facts(self, at: datetime) -> list[AnyFact]:
        began = CallBegan(
            call_id=self.call_id, at=at, direction="inbound", caller_number=self.caller, called_number="5000",
            number_name="Main",
        )  # fmt: skip
        found: list[AnyFact] = [began]
        entered = at
        for node, way, seconds in self.steps:
            left = entered + timedelta(seconds=seconds)
            found.append(
                StepEntered(
                    call_id=self.call_id, entered_at=entered, flow="main", flow_version=2, node=node, node_type="menu"
                )
            )
            found.append(StepLeft(call_id=self.call_id, entered_at=entered, left_at=left, exit=way))
            entered = left
        ended = CallEnded(call_id=self.call_id, at=entered, status="self_service", ended_by="caller", hangup_cause="X")
        return [*found, ended]


def made(caller: str, *steps: tuple[str, str, float]) -> Made:
    return Made(str(uuid.uuid4()), caller, list(steps))


def keep(url: str, calls: dict[datetime, Made] | list[tuple[datetime, Made]]) -> None:
    told = calls.items() if isinstance(calls, dict) else calls
    ship(url, *(fact for at, call in told for fact in call.facts(at)))


@pytest.fixture
def day(database_url: str) -> list[tuple[datetime, Made]]:
    """Four calls of a day: two of one number, one withheld, one of the evening."""
    calls = [
        (AT, made("+4511111111", ("menu", "1", 4.0), ("hours", "open", 1.0), ("menu", "hung_up", 6.0))),
        (AT + timedelta(minutes=5), made("+4511111111", ("menu", "1", 2.0), ("hours", "closed", 1.0))),
        (AT + timedelta(hours=1), made("", ("menu", "hung_up", 8.0))),
        (AT + timedelta(hours=10), made("+4522222222", ("menu", "2", 10.0), ("other", "next", 3.0))),
    ]
    keep(database_url, calls)
    return calls


def test_figures_of_a_node(db: Database, day: object) -> None:
    menu = node_figures(db, "main", DAY.since, DAY.until)["menu"]
    assert (menu.entries, menu.calls, menu.callers) == (5, 4, 3)
    assert (menu.first, menu.later) == (4, 1)
    assert (menu.mean, menu.p50, menu.p95) == (6.0, 6.0, pytest.approx(9.6))
    assert menu.hung_up == 2
    assert menu.counts == {"1": 2, "hung_up": 2, "2": 1}
    assert (menu.exits[0].exit, menu.exits[0].callers, menu.exits[0].p50) == ("1", 1, 3.0)


def test_only_calls_that_began_in_the_period_count_and_with_all_their_steps(db: Database, day: object) -> None:
    short = Period(AT, AT + timedelta(seconds=1))
    (hours, menu) = sorted(statistics(db, short), key=lambda each: each.node)
    assert (menu.entries, menu.first, hours.entries) == (2, 1, 1)
    assert statistics(db, Period(AT - timedelta(days=2), AT - timedelta(days=1))) == []
    assert statistics(db, DAY, "no_such_flow") == []
    assert flows_seen(db, DAY) == ["main"]


def test_figures_of_a_flow_and_over_time(db: Database, day: object) -> None:
    figures, spans = flow_figures(db, DAY, "main")
    assert (figures.calls, figures.callers, figures.hung_up) == (4, 3, 2)
    assert (figures.mean, figures.p50) == (pytest.approx(35 / 4), 9.5)
    assert len(spans) == 24
    assert {span.at.hour: (span.calls, span.hung_up) for span in spans if span.calls} == {
        9: (2, 1),
        10: (1, 1),
        19: (1, 0),
    }
    assert flow_figures(db, DAY.before)[0].calls == 0


@pytest.mark.parametrize(("month", "days", "last"), [(3, 31, 23), (10, 31, 25)])
def test_days_are_days_also_where_the_clock_changes(db: Database, month: int, days: int, last: int) -> None:
    zone = ZoneInfo("Europe/Copenhagen")
    since = datetime(2026, month, 1, tzinfo=zone)
    _, spans = flow_figures(db, Period(since, datetime(2026, month + 1, 1, tzinfo=zone), zone))
    assert [span.at.astimezone(zone).day for span in spans] == list(range(1, days + 1))
    assert {span.at.astimezone(zone).hour for span in spans} == {0}
    changes = datetime(2026, month, 29 if month == 3 else 25, tzinfo=zone)
    _, hours = flow_figures(db, Period(changes, changes + timedelta(days=1), zone))
    assert len(hours) == last


def test_the_path_of_each_call(db: Database, database_url: str, day: list[tuple[datetime, Made]]) -> None:
    found = find_paths(db, PathSearch(DAY), limit=3)
    assert (found.hits, len(found.calls)) == (4, 3)
    assert [str(call.call_id) for call in found.calls] == [call.call_id for _, call in reversed(day)][:3]
    rest = find_paths(db, PathSearch(DAY), limit=3, after=found.after)
    (first,) = rest.calls
    assert rest.after is None
    assert [(step.node, step.exit, step.seconds) for step in first.steps] == day[0][1].steps
    assert (first.seconds, first.channel, first.caller_number) == (11.0, day[0][1].call_id, "+4511111111")
    assert first.steps[1].entered_at == AT + timedelta(seconds=4)
    assert [call.call_id for call in all_paths(database_url, PathSearch(DAY))] == [
        call.call_id for call in (*found.calls, first)
    ]


@pytest.mark.parametrize(
    ("search", "which"),
    [
        ({"number": "11 11 11 11"}, {0, 1}), ({"number": "0045 22222222"}, {3}), ({"number": "abc"}, set()),
        ({"called": "5000"}, {0, 1, 2, 3}), ({"called": "6000"}, set()), ({"least": 10}, {0, 3}), ({"most": 3}, {1}),
        ({"least": 5, "most": 12}, {0, 2}), ({"node": "hours"}, {0, 1}), ({"node": "hours", "exit": "closed"}, {1}),
        ({"flow": "main", "node": "menu", "exit": "hung_up"}, {0, 2}), ({"flow": "other"}, set()),
    ],
)  # fmt: skip
def test_looking_for_calls(
    db: Database, day: list[tuple[datetime, Made]], search: dict[str, Any], which: set[int]
) -> None:
    found = find_paths(db, PathSearch(DAY, **search))
    assert {str(call.call_id) for call in found.calls} == {day[number][1].call_id for number in which}
    assert found.hits == len(which)


def test_a_figure_opens_into_the_very_calls_behind_it(db: Database, day: object) -> None:
    for node in statistics(db, DAY):
        assert find_paths(db, PathSearch(DAY, flow=node.flow, node=node.node)).hits == node.calls
        for way in node.exits:
            calls = find_paths(db, PathSearch(DAY, flow=node.flow, node=node.node, exit=way.exit)).calls
            visits = [step for call in calls for step in call.steps if (step.node, step.exit) == (node.node, way.exit)]
            assert len(visits) == way.count


steps = st.tuples(st.sampled_from("abc"), st.sampled_from(["next", "1"]), st.integers(1, 90).map(float))
drawn = st.lists(
    st.tuples(
        st.integers(0, 86_399), st.sampled_from(["", "+451", "+452", "+453"]), st.lists(steps, min_size=1, max_size=6)
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(drawn)
def test_the_figures_are_those_counted_by_hand(db: Database, database_url: str, drawn: Any) -> None:
    db.execute_sql("TRUNCATE call, ivr_step, segment")
    calls = [(DAY.since + timedelta(seconds=at), made(caller, *way)) for at, caller, way in drawn]
    keep(database_url, calls)
    visits = [(call, node, way, seconds) for _, call in calls for node, way, seconds in call.steps]
    found = node_figures(db, "main", DAY.since, DAY.until)
    assert set(found) == {node for _, node, _, _ in visits}
    for name, figures in found.items():
        here = [(call, way, seconds) for call, node, way, seconds in visits if node == name]
        assert figures.entries == len(here)
        assert figures.calls == figures.first == len({call.call_id for call, _, _ in here})
        assert figures.callers == len({call.caller or call.call_id for call, _, _ in here})
        assert figures.p50 == pytest.approx(plain.median(seconds for _, _, seconds in here))
        assert figures.counts == Counter(way for _, way, _ in here)
    whole, spans = flow_figures(db, DAY)
    assert sum(span.calls for span in spans) == len(calls) == whole.calls
    assert math.isclose(
        sum(call.seconds for call in find_paths(db, PathSearch(DAY)).calls), sum(seconds for *_, seconds in visits)
    )


def test_a_period_of_steps_is_cut_by_an_index(db: Database, day: object) -> None:
    with db.connection_context():
        db.execute_sql("SET enable_seqscan = off")
        plan = "\n".join(
            row[0]
            for row in db.execute_sql(
                "EXPLAIN SELECT * FROM report.ivr_steps WHERE entered_at >= %s AND entered_at < %s",
                (DAY.since, DAY.until),
            ).fetchall()
        )
        db.execute_sql("RESET enable_seqscan")
    assert "WindowAgg" not in plan
    assert "ivr_step_entered" in plan
    rows = db.execute_sql(
        "SELECT position, node FROM report.ivr_steps WHERE entered_at >= %s ORDER BY entered_at LIMIT 3", (AT,)
    )
    assert rows.fetchall() == [(1, "menu"), (2, "hours"), (3, "menu")]
