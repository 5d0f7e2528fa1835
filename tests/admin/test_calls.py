"""The calls list: what is filtered, in which order, page by page, and the export of exactly that."""

from __future__ import annotations

import csv
import io
import re
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_company import Company, History

from admin.calls import COLUMN_KEYS, safe_cell
from admin.periods import FilterUnusable
from admin.search import CallSearch, Filters, bounds, read_filters

ZONE = ZoneInfo("Europe/Copenhagen")


def ids(text: str) -> list[str]:
    return re.findall(r'data-open="/calls/([0-9a-f-]{36})"', text)


def search(company: Company, **wanted: Any) -> list[str]:
    found = CallSearch(company.parts.db, ZONE).find(
        Filters(**{"period": "all"} | wanted), now=company.now, only_agent=None, limit=500
    )
    assert found.hits == len(found.calls)
    return [str(call.call_id) for call in found.calls]


def test_the_newest_call_is_first_with_what_matters(history: Company, visit: Any) -> None:
    page = visit("admin").get("/calls?period=all").text
    assert ids(page)[0] == history.calls["answered"]
    first = page[page.index(history.calls["answered"]) :].partition("</tr>")[0]
    for said in (
        "Answered",
        "32 10 10 10",
        "Nordlys Shipping",
        "VIP",
        "Sales",
        "Anna Holm",
        "0:22",
        "0:42",
        "not listened to yet",
    ):
        assert said in first
    assert "65 calls" in re.sub(r"\s+", " ", page)


@pytest.mark.parametrize("said", ["+4532101010", "32 10 10 10", "004532101010", "32-10-10", "nordlys", "Mette"])
def test_a_caller_is_found_in_any_spelling(history: Company, said: str) -> None:
    found = search(history, q=said)
    assert history.calls["answered"] in found
    assert history.calls["ben"] not in found


@pytest.mark.parametrize("said", ["%", "_", "\\", "'; DROP TABLE call; --", "(((", "+"])
def test_what_is_searched_for_is_taken_as_it_is_written(history: Company, said: str) -> None:
    assert search(history, q=said) == []


def test_filters_narrow_and_go_together(history: Company) -> None:
    assert history.calls["abandoned"] in search(history, status="missed")
    assert history.calls["answered"] not in search(history, status="missed")
    assert search(history, status="missed", queue="support", q="33112233")[0] == history.calls["abandoned"]
    assert set(search(history, agent=history.agents["1002"])) < set(search(history, queue="support"))
    assert search(history, direction="outbound") == []


def test_a_chip_takes_one_filter_away_and_leaves_the_others(history: Company, visit: Any) -> None:
    page = visit("admin").get("/calls?period=all&status=answered&queue=sales&q=4532").text
    chips = dict(re.findall(r'<a href="(/calls\?[^"]+)" aria-label="Take away (\w+):', page))
    away = {name: parse_qs(urlsplit(address.replace("&amp;", "&")).query) for address, name in chips.items()}
    assert away["Status"] == {"period": ["all"], "q": ["4532"], "queue": ["sales"]}
    assert set(away) == {"Search", "Status", "Queue"}


def test_the_form_writes_an_address_without_what_is_empty(history: Company, visit: Any) -> None:
    usual = "&".join(
        f"columns={key}"
        for key in COLUMN_KEYS
        if key not in ("category", "extension", "ivr", "ring", "hold", "wrap_up", "total", "ended_by")
    )
    answer = visit("admin").get(
        f"/calls?go=1&period=today&q=&direction=&status=answered&queue=&agent=&from=&to=&sort=-started&{usual}"
    )
    assert answer.location == "/calls?period=today&status=answered"


def test_pages_by_key_show_every_call_once_in_order(history: Company) -> None:
    finder = CallSearch(history.parts.db, ZONE)
    for sort, descending in (("started", True), ("started", False), ("talk", True), ("wait", False), ("total", True)):
        whole = search(history, sort=sort, descending=descending)
        seen: list[str] = []
        filters = Filters(period="all", sort=sort, descending=descending)
        pages = []
        while True:
            found = finder.find(filters, now=history.now, only_agent=None, limit=7)
            pages.append([str(call.call_id) for call in found.calls])
            seen += pages[-1]
            if not found.after:
                break
            filters = Filters(period="all", sort=sort, descending=descending, after=found.after)
        assert seen == whole
        back = finder.find(
            Filters(period="all", sort=sort, descending=descending, before=found.before),
            now=history.now,
            only_agent=None,
            limit=7,
        )
        assert [str(call.call_id) for call in back.calls] == pages[-2]
        assert back.after


def test_the_first_page_has_no_page_before_it(history: Company) -> None:
    finder = CallSearch(history.parts.db, ZONE)
    first = finder.find(Filters(period="all"), now=history.now, only_agent=None, limit=7)
    second = finder.find(Filters(period="all", after=first.after), now=history.now, only_agent=None, limit=7)
    again = finder.find(Filters(period="all", before=second.before), now=history.now, only_agent=None, limit=7)
    assert again.calls == first.calls
    assert not again.before
    assert not first.before


@pytest.mark.parametrize(
    "query",
    [
        "period=never",
        "sort=name",
        "period=dates&from=yesterday",
        "agent=x",
        "after=nonsense",
        "after=WyJ4IiwgInkiXQ",
        "before=e30",
        "agent=99999999999",
    ],
)
def test_an_address_that_cannot_be_read_says_so(history: Company, visit: Any, query: str) -> None:
    assert visit("admin").get(f"/calls?{query}").status_code == 400


def test_the_export_is_what_the_list_shows(history: Company, visit: Any) -> None:
    admin, query = visit("admin"), "period=all&status=answered&sort=-talk&columns=started,from,talk,agent"
    answer = admin.get(f"/calls/export.csv?{query}")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert list(rows[0]) == ["Time", "From", "Agent", "Talk (s)", "Call"]
    assert [row["Call"] for row in rows] == search(history, status="answered", sort="talk")
    talk = [float(row["Talk (s)"]) for row in rows]
    assert talk == sorted(talk, reverse=True)
    assert "+4532101010" in {row["From"] for row in rows}


def test_no_cell_is_a_formula() -> None:
    assert safe_cell("=HYPERLINK(1)") == "'=HYPERLINK(1)"
    assert safe_cell("@SUM(A1)") == "'@SUM(A1)"
    assert safe_cell("+1+2") == "'+1+2"
    assert safe_cell("+4532101010") == "+4532101010"
    assert safe_cell("Sales") == "Sales"


def test_what_a_caller_calls_himself_is_shown_not_run(company: Company, visit: Any) -> None:
    history = History(company)
    call_id = history.call("x", company.now - timedelta(minutes=5), "+4570101010")
    history.write()
    with company.parts.db.connection_context():
        company.parts.db.execute_sql(
            "UPDATE call SET caller_name = '<script>alert(1)</script>', customer_id = NULL WHERE id = %s", (call_id,)
        )
    admin = visit("admin")
    for address in ("/calls", f"/calls/{call_id}"):
        assert "<script>alert" not in admin.get(address).text
        assert "&lt;script&gt;alert" in admin.get(address).text


def test_an_empty_list_says_what_it_is_for(company: Company, visit: Any) -> None:
    assert "pointsman call 5000" in visit("admin").get("/calls?period=all").text
    assert "No call fits these filters" in visit("admin").get("/calls?period=all&q=123&queue=sales").text


def test_days_are_those_of_the_zone_also_when_the_clock_changes() -> None:
    change = datetime(2026, 3, 29, 12, tzinfo=UTC)  # summer time began this morning
    since, until = bounds(Filters(period="today"), change, ZONE)
    assert (since and since.astimezone(UTC), until) == (datetime(2026, 3, 28, 23, tzinfo=UTC), None)
    since, until = bounds(Filters(period="dates", since=date(2026, 3, 29), until=date(2026, 3, 29)), change, ZONE)
    assert since
    assert until
    assert (until.astimezone(UTC) - since.astimezone(UTC)).total_seconds() == 23 * 3600


@given(
    st.builds(
        Filters,
        period=st.sampled_from(["today", "7d", "30d", "all"]),
        q=st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), max_size=20),
        status=st.sampled_from(["", "missed", "answered"]),
        agent=st.none() | st.integers(1, 10**6),
        sort=st.sampled_from(["started", "talk", "wait", "total"]),
        descending=st.booleans(),
        columns=st.just(()) | st.just(("started", "from")),
    )
)
def test_an_address_holds_the_filters(filters: Filters) -> None:
    query = {name: values[0] for name, values in parse_qs(filters.query()).items()}
    assert read_filters(query, COLUMN_KEYS) == filters


def test_a_number_that_is_none_is_refused() -> None:
    with pytest.raises(FilterUnusable, match="agent"):
        read_filters({"agent": "²"}, COLUMN_KEYS)


def test_a_day_that_no_call_can_have_is_refused() -> None:
    with pytest.raises(FilterUnusable, match="to: '9999-12-31' is a day of no call"):
        read_filters({"period": "dates", "to": "9999-12-31"}, COLUMN_KEYS)


def test_a_number_in_the_names_place_is_no_name(company: Company, visit: Any) -> None:
    history = History(company)
    call_id = history.call("x", company.now - timedelta(minutes=5), "+4570101010")
    history.write()
    with company.parts.db.connection_context():
        company.parts.db.execute_sql("UPDATE call SET caller_name = '+4570101010' WHERE id = %s", (call_id,))
    found = CallSearch(company.parts.db, ZONE).find(Filters(period="all"), now=company.now, only_agent=None)
    assert found.calls[0].caller_name == ""
    assert "<h1>70 10 10 10</h1>" in visit("admin").get(f"/calls/{call_id}").text
