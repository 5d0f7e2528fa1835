"""Reports on flows: the answer, the chart, the table, the path of each call, and their files."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook
from sample_company import Company

from admin import ivr_chart, periods, sheets
from admin.periods import FilterUnusable
from engine.records.ivr_statistics import Period, Span

ZONE = ZoneInfo("Europe/Copenhagen")
NOW = datetime(2026, 3, 4, 14, 30, tzinfo=ZONE)


def counted(company: Company) -> dict[str, int]:
    """Node -> entries, of all steps there are."""
    with company.parts.db.connection_context():
        rows = company.parts.db.execute_sql(
            "SELECT s.node, count(*) FROM ivr_step s JOIN call c ON c.id = s.call_id WHERE c.ended_at IS NOT NULL GROUP BY 1"
        ).fetchall()
    return dict(rows)


@pytest.fixture
def analyst(history: Company, visit: Any) -> Any:
    return visit("analyst")


def table(page: str) -> dict[str, str]:
    """Step -> its row's text, of the statistics."""
    body = page[page.index('class="list ivr-steps"') :]
    rows = re.findall(r"<tr><td><b>(.*?)</b>(.*?)</tr>", body, re.S)
    return {name: re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", rest)) for name, rest in rows}


def test_the_statistics_answer_first_and_count_right(history: Company, analyst: Any) -> None:
    page = analyst.get("/reports/ivr?period=365d").text
    assert re.search(r'id="answer">\d+ calls from \d+ numbers? came through the flows in the last 12 months', page)
    assert page.index('id="answer"') < page.index('id="h-chart"') < page.index('id="h-steps"')
    rows = table(page)
    expected = counted(history)
    assert set(rows) == set(expected)
    for node, text in rows.items():
        assert str(expected[node]) in text.split()
    assert 'title="Entries that were the call' in page


def test_a_figure_leads_to_its_calls(history: Company, analyst: Any) -> None:
    page = analyst.get("/reports/ivr?period=365d").text
    links = re.findall(r'href="(/reports/ivr-record\?[^"]+)"[^>]*>([\d,]+)<', page)
    assert links
    for address, figure in links[:12]:
        record = analyst.get(address.replace("&amp;", "&")).text
        sought = re.search(r"node=(\w+)", address)
        assert sought
        assert 'class="sought"' in record
        hits = re.search(r'id="hits">([\d,]+) calls?<', record)
        assert hits
        # A call may have come by more than once.
        assert 0 < int(hits[1]) <= int(figure)


def test_filters_stand_in_the_address_and_come_back(analyst: Any) -> None:
    answer = analyst.get("/reports/ivr?go=1&period=30d&flow=main&from=&to=")
    assert answer.status_code == 302
    assert answer.location == "/reports/ivr?period=30d&flow=main"
    assert "came through flow main" in analyst.get(answer.location).text
    answer = analyst.get("/reports/ivr-record?go=1&period=7d&number=&least=2.5&most=&flow=main&node=menu")
    assert answer.location == "/reports/ivr-record?least=2.5&flow=main&node=menu"


@pytest.mark.parametrize(
    "address",
    [
        "/reports/ivr?period=ever", "/reports/ivr?period=dates&from=yesterday", "/reports/ivr-record?least=x",
        "/reports/ivr-record?after=there", "/reports/ivr-record?after=2026-03-04T10:00:00_x", "/reports/ivr/export?format=pdf",
        "/reports/ivr?period=dates&from=2026-03-04&to=2026-03-01", "/reports/ivr-record?most=-1",
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_named(analyst: Any, address: str) -> None:
    answer = analyst.get(address)
    assert answer.status_code == 400
    assert re.search(r"(period|from|to|least|most|after|format): ", answer.text)


def test_nothing_there_says_what_to_do(analyst: Any) -> None:
    for address in ("/reports/ivr", "/reports/ivr-record"):
        page = analyst.get(f"{address}?period=dates&from=2001-01-01&to=2001-01-02").text
        assert "Last 12 months" in page
    assert "Take away one of the filters" in analyst.get("/reports/ivr-record?period=365d&number=+4599999999").text


def test_the_record_shows_paths_and_finds_numbers(history: Company, analyst: Any) -> None:
    page = analyst.get("/reports/ivr-record?period=365d").text
    assert page.count('class="path"') > 5
    found = analyst.get("/reports/ivr-record?period=365d&number=86+12+34+56").text
    hits = re.search(r'id="hits">([\d,]+) calls?<', found)
    assert hits
    assert 0 < int(hits[1]) < 1000
    numbers = set(re.findall(r'href="tel:([^"]+)"', found))
    assert numbers == {"+4586123456"}


def test_pages_of_the_record_meet_without_a_gap(history: Company, analyst: Any) -> None:
    seen: list[str] = []
    address = "/reports/ivr-record?period=365d"
    while address:
        page = analyst.get(address).text
        seen += re.findall(r'data-open="/calls/([0-9a-f-]+)"', page)
        following = re.search(r'rel="next" href="([^"]+)"', page)
        address = following[1].replace("&amp;", "&") if following else ""
    assert len(seen) == len(set(seen))
    with history.parts.db.connection_context():
        (calls,) = history.parts.db.execute_sql(
            "SELECT count(DISTINCT c.id) FROM call c JOIN ivr_step s ON s.call_id = c.id WHERE c.ended_at IS NOT NULL"
        ).fetchone()
    assert len(seen) == calls


def test_what_is_shown_comes_as_files(history: Company, analyst: Any) -> None:
    expected = counted(history)
    address = "/reports/ivr/export?period=365d&format="
    lines = list(csv.DictReader(io.StringIO(analyst.get(address + "csv").text)))
    assert {row["node"]: int(row["entries"]) for row in lines if not row["exit"]} == expected
    for node in expected:
        ways = [int(row["entries"]) for row in lines if row["node"] == node and row["exit"]]
        assert sum(ways) == expected[node]
    rows = json.loads(analyst.get(address + "json").text)
    assert {row["node"]: row["entries"] for row in rows if row["exit"] is None} == expected
    book = CalamineWorkbook.from_filelike(io.BytesIO(analyst.get(address + "xlsx").data))
    sheet = book.get_sheet_by_index(0).to_python()
    assert sheet[0][:3] == ["flow", "node", "title"]
    assert len(sheet) == len(rows) + 1


def test_the_record_comes_as_files(history: Company, analyst: Any) -> None:
    address = "/reports/ivr-record/export?period=365d&node=greeting&format="
    answer = analyst.get(address + "csv")
    assert "attachment" in answer.headers["Content-Disposition"]
    lines = list(csv.DictReader(io.StringIO(answer.text)))
    assert lines
    assert all(".greeting (" in row["path"] for row in lines)
    rows = json.loads(analyst.get(address + "json").text)
    assert [row["channel"] for row in rows] == [row["channel"] for row in lines]
    assert all(row["time"].endswith("+00:00") for row in rows)


def test_the_api_says_the_same(history: Company) -> None:
    client = history.app.test_client()
    headers = {"Authorization": f"Bearer {history.token('analyst')}"}
    found = client.get("/api/v1/reports/ivr?period=365d", headers=headers).json
    assert found
    assert {node["figures"]["node"]: node["figures"]["entries"] for node in found["nodes"]} == counted(history)
    assert sum(span["calls"] for span in found["spans"]) == found["whole"]["calls"]
    record = client.get("/api/v1/reports/ivr-record?period=365d&limit=2", headers=headers).json
    assert record
    assert len(record["calls"]) == 2
    assert record["calls"][0]["steps"][0]["seconds"] >= 0
    query = {"period": "365d", "limit": 2, "after": record["after"]}
    after = client.get("/api/v1/reports/ivr-record", query_string=query, headers=headers)
    assert {call["call_id"] for call in after.json["calls"]}.isdisjoint(call["call_id"] for call in record["calls"])
    assert client.get("/api/v1/reports/ivr?period=ever", headers=headers).status_code == 400
    agent = {"Authorization": f"Bearer {history.token('anna')}"}
    assert client.get("/api/v1/reports/ivr", headers=agent).status_code == 403


@pytest.mark.parametrize(
    ("args", "since", "until"),
    [
        ({"period": "today"}, "2026-03-04 00:00", None), ({"period": "yesterday"}, "2026-03-03 00:00", "2026-03-04 00:00"),
        ({}, "2026-02-26 00:00", None), ({"period": "30d"}, "2026-02-03 00:00", None),
        ({"period": "dates", "from": "2026-01-05", "to": "2026-01-05"}, "2026-01-05 00:00", "2026-01-06 00:00"),
        ({"period": "dates", "from": "2026-03-01"}, "2026-03-01 00:00", "2026-03-05 00:00"),
    ],
)  # fmt: skip
def test_periods(args: dict[str, str], since: str, until: str | None) -> None:
    found = periods.read(args).of(NOW, ZONE)
    assert f"{found.since:%Y-%m-%d %H:%M}" == since
    assert found.until == NOW if until is None else f"{found.until:%Y-%m-%d %H:%M}" == until


@given(st.dates(), st.dates())
def test_any_two_days_are_a_period_or_refused(first: Any, last: Any) -> None:
    try:
        chosen = periods.read({"period": "dates", "from": first.isoformat(), "to": last.isoformat()})
    except FilterUnusable:
        return
    found = chosen.of(NOW, ZONE)
    assert found.since < found.until
    assert found.before.until <= found.since
    assert chosen.words(NOW, ZONE)


def test_the_week_before_ends_at_the_same_hour() -> None:
    week = periods.Chosen("7d").of(NOW, ZONE)
    assert week.before.since == datetime(2026, 2, 19, tzinfo=ZONE)
    assert week.before.until == NOW - timedelta(days=7)


spans = st.lists(st.tuples(st.integers(0, 10_000), st.floats(0, 1)), min_size=1, max_size=60)


@given(spans, spans)
def test_a_chart_is_to_scale_and_within_its_frame(now: Any, before: Any) -> None:
    since = datetime(2026, 3, 1, tzinfo=UTC)

    def made(rows: Any) -> list[Span]:
        return [Span(since + timedelta(days=day), calls, int(calls * part)) for day, (calls, part) in enumerate(rows)]

    shown, earlier = made(now), made(before)
    chart = ivr_chart.draw(shown, earlier, Period(since, since + timedelta(days=len(shown))))
    assert len(chart.columns) == len(shown)
    for column, span in zip(chart.columns, shown, strict=True):
        assert 0 <= column.hung_up <= column.height <= chart.height
        assert 0 <= column.left <= column.left + column.width <= 100.001
        assert (column.height == 0) == (span.calls == 0)
    heights = [(span.calls, column.height) for span, column in zip(shown, chart.columns, strict=True) if span.calls]
    for (calls, height), (more, taller) in pairwise(heights):
        assert abs(height * more - taller * calls) < 1e-6 * max(1.0, height * more)
    assert 1 <= sum(bool(column.label) for column in chart.columns) <= ivr_chart.MOST_LABELS
    assert all(0 <= piece.y1 <= chart.height for piece in chart.before)


def test_a_sheet_writes_no_formula() -> None:
    rows = [("=1+1", -2.5, None, True, datetime(2026, 3, 4, 12, 0, tzinfo=UTC))]
    text = b"".join(sheets.send("csv", "x", ["a", "b", "c", "d", "e"], rows, ZONE).iter_encoded()).decode()
    assert text.splitlines() == ["a,b,c,d,e", "'=1+1,-2.500,,True,2026-03-04 13:00:00+01:00"]
    assert json.loads(b"".join(sheets.send("json", "x", ["a"], [], ZONE).iter_encoded())) == []
    book = b"".join(sheets.send("xlsx", "x", ["a", "b", "c", "d", "e"], rows, ZONE).iter_encoded())
    (_, row) = CalamineWorkbook.from_filelike(io.BytesIO(book)).get_sheet_by_index(0).to_python()
    assert row == ["=1+1", -2.5, "", True, datetime(2026, 3, 4, 13, 0)]
