"""The live page: what it shows, that it moves by itself, and who may choose whose presence."""

from __future__ import annotations

import http.client
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import gevent
import msgspec
import pytest
import sample_company
from sample_company import AGENTS, Company

from admin.board import moment
from engine.live import keys
from tests.waiting import until


def said(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


class Stream:
    """A browser's stream, read event by event."""

    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self._answer = answer

    def next(self, name: str, seconds: float = 30.0, holding: str = "") -> str:
        """The data of the next event of that name that holds the text."""
        event, lines = "", list[str]()
        with gevent.Timeout(seconds, AssertionError(f"no {name} with {holding!r} came")):
            while True:
                line = self._answer.readline().decode().rstrip("\n")
                if line.startswith("event: "):
                    event = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    lines.append(line.removeprefix("data: "))
                elif not line:
                    data = "\n".join(lines)
                    if event == name and holding in data:
                        return data
                    event, lines = "", []


@contextmanager
def stream(company: Company, visitor: Any, address: str) -> Iterator[Stream]:
    cookies = "; ".join(f"{cookie.key}={cookie.value}" for cookie in visitor.client._cookies.values())
    with sample_company.serving(company) as base:
        place = urlsplit(base)
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=10)
        connection.request("GET", address, headers={"Cookie": cookies})
        answer = connection.getresponse()
        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        yield Stream(answer)
        connection.close()


def test_the_board_says_who_waits_who_talks_and_what_agents_do(company: Company, visit: Any) -> None:
    sample_company.a_moment(company)
    page = said(visit("supervisor").get("/live").text)
    for words in (
        "2 waiting", "1 in talk", "1 in menus", "1 ready", "1 paused", "1 offline", "Jonas Winther Problem", "+44 20 7946 0123",
        "with Anna Holm", "Pause: Lunch", "at main_menu", "1 of 2 ready",
    ):  # fmt: skip
        assert words in page, words


def test_who_waits_longest_is_first(company: Company, visit: Any) -> None:
    sample_company.put_engine(company)
    for seconds, number in ((10, "+4532000001"), (50, "+4532000002"), (30, "+4532000003")):
        sample_company.put_call(company, "queue", seconds=seconds, queue="sales", **{"from": number})
    page = visit("admin").get("/live").text
    assert page.index("32 00 00 02") < page.index("32 00 00 03") < page.index("32 00 00 01")


def test_an_agent_does_not_see_who_calls_the_others(company: Company, visit: Any) -> None:
    sample_company.a_moment(company)
    anna, ben = visit("anna").get("/live").text, visit("ben").get("/live").text
    assert "Mette Dahl" in anna
    assert "Mette Dahl" not in ben
    for page in (anna, ben):
        assert "Jonas Winther" not in page
        assert "86 12 34 56" not in page
        assert "2 waiting" in said(page)


def test_callers_whom_nobody_can_help_raise_an_alarm(company: Company, visit: Any) -> None:
    sample_company.put_engine(company)
    sample_company.put_call(company, "queue", seconds=5, queue="support")
    assert "nobody is logged in" in visit("admin").get("/live").text
    sample_company.put_agent(company, "1002", "ready", "idle")
    assert "nobody is logged in" not in visit("admin").get("/live").text


def test_without_an_engine_or_with_nobody_there_the_page_says_what_to_do(company: Company, visit: Any) -> None:
    page = visit("admin").get("/live").text
    assert "No engine process answers" in page
    assert "Nobody is calling" in page


def test_the_board_moves_by_itself(company: Company, visit: Any) -> None:
    sample_company.put_engine(company)
    sample_company.put_agent(company, "1001", "ready", "idle")
    with stream(company, visit("supervisor"), "/stream?board=1") as live:
        live.next("board", holding="Nobody is calling")
        call_id = sample_company.put_call(company, "queue", seconds=1, queue="sales", **{"from": "+4532101010"})
        assert "32 10 10 10" in live.next("board", holding=call_id)
        sample_company.put_agent(company, "1001", "ready", "talking")
        live.next("board", holding="In talk")
        sample_company.end_call(company, call_id)
        live.next("board", holding="Nobody is calling")


def test_a_thousand_changes_are_a_few_pictures(company: Company, visit: Any) -> None:
    sample_company.put_engine(company)
    with stream(company, visit("supervisor"), "/stream?board=1") as live:
        live.next("board")
        for _ in range(1000):
            sample_company.tell(company, "call", "x", None)
        call_id = sample_company.put_call(company, "talk", seconds=1, agent="Ben Okoro")
        live.next("board", seconds=3, holding=call_id)
        assert company.parts.feed.listeners == 1


def test_a_browser_that_has_gone_is_forgotten(company: Company, visit: Any) -> None:
    visitor = visit("supervisor")
    sample_company.put_engine(company)
    cookies = "; ".join(f"{cookie.key}={cookie.value}" for cookie in visitor.client._cookies.values())
    with sample_company.serving(company) as base:
        place = urlsplit(base)
        for _ in range(3):
            connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=10)
            connection.request("GET", "/stream?board=1", headers={"Cookie": cookies})
            Stream(connection.getresponse()).next("board")
            connection.close()
        for _ in range(300):
            sample_company.put_call(company, "ivr", seconds=1)
            gevent.sleep(0.1)
            if not company.parts.feed.listeners:
                break
        assert company.parts.feed.listeners == 0


def test_the_feed_comes_back_after_redis_was_away(company: Company, visit: Any) -> None:
    sample_company.put_engine(company)
    with stream(company, visit("supervisor"), "/stream?board=1") as live:
        live.next("board")
        until(lambda: company.parts.feed.connected)
        company.parts.redis.client_kill_filter(_type="pubsub")
        until(lambda: not company.parts.feed.connected or len(company.parts.redis.client_list("pubsub")) == 1)
        until(lambda: company.parts.feed.connected)
        call_id = sample_company.put_call(company, "talk", seconds=1, agent="Ben Okoro")
        live.next("board", holding=call_id)


def test_a_pop_reaches_the_agent_it_is_for_and_nobody_else(company: Company, visit: Any) -> None:
    with stream(company, visit("anna"), "/stream") as live:
        live.next("state")
        until(lambda: company.parts.feed.connected)
        sample_company.pop(company, "offered", "1002")
        sample_company.pop(company, "offered", "1001")
        card = live.next("pop")
        for words in (
            "Nordlys Shipping",
            "INCOMING",
            "Ringing",
            "VIP",
            "Copenhagen",
            "32 10 10 10",
            "1001 · Anna Holm",
            "Debt 1,250.00",
            "Delivery times in December",
            "hours › greeting › main_menu",
        ):
            assert words in card, words
        assert "Sales" in card
        sample_company.pop(company, "offered", "1001", outgoing=True, customer=False)
        card = live.next("pop")
        assert "OUTGOING" in card
        assert card.count("70 70 70 70") == 2, "who is called, at the top and below, not the own extension"


def test_a_browser_that_comes_late_gets_the_card_of_the_call_that_rings(company: Company, visit: Any) -> None:
    call_id = sample_company.pop(company, "offered")
    with stream(company, visit("anna"), "/stream") as live:
        assert call_id in live.next("pop")


def test_a_call_that_is_over_does_not_pop_up_again(company: Company, visit: Any) -> None:
    call_id = sample_company.pop(company, "offered")
    sample_company.pop(company, "ended", call_id=call_id)
    with stream(company, visit("anna"), "/stream") as live:
        live.next("state")
        later = sample_company.pop(company, "offered", customer=False)
        card = live.next("pop")
        assert later in card
        assert "Unknown caller" in card
        assert "70 70 70 70" in card


def wanted(company: Company) -> list[dict[str, Any]]:
    entries = company.parts.redis.xrange(keys.ROUTER_EVENTS)
    return [msgspec.json.decode(fields["data"]) for _, fields in entries]


def test_presence_is_asked_of_the_router(company: Company, visit: Any) -> None:
    ben = company.agents["1002"]
    assert visit("ben").post(f"/agents/{ben}/presence", presence="pause", reason="lunch").status_code == 204
    assert visit("supervisor").post(f"/agents/{ben}/presence", presence="ready", reason="ignored").status_code == 204
    first, second = wanted(company)
    assert (first["event"], first["agent_id"], first["presence"], first["reason"], first["by"]) == (
        "PresenceWanted",
        ben,
        "pause",
        "lunch",
        "ben",
    )
    assert (second["presence"], second["reason"], second["by"]) == ("ready", None, "supervisor")


@pytest.mark.parametrize(
    ("name", "presence", "status"), [("anna", "ready", 403), ("analyst", "ready", 403), ("ben", "asleep", 400)]
)
def test_presence_that_is_not_ones_to_choose_is_refused(
    company: Company, visit: Any, name: str, presence: str, status: int
) -> None:
    assert visit(name).post(f"/agents/{company.agents['1002']}/presence", presence=presence).status_code == status
    assert wanted(company) == []


def test_instants_are_read_in_both_spellings() -> None:
    there = datetime(2026, 3, 4, 9, 15, tzinfo=UTC)
    assert moment("2026-03-04T09:15:00Z") == there
    assert moment(there.timestamp()) == there
    assert moment(str(there.timestamp())) == there
    assert moment("") is None
    assert moment(None) is None


def test_every_agent_of_the_company_is_on_the_board(company: Company, visit: Any) -> None:
    page = visit("admin").get("/live").text
    assert all(name in page for name in AGENTS.values())


def test_the_board_alone_is_a_piece_of_the_page(company: Company, visit: Any) -> None:
    piece = visit("admin").get("/live/board").text
    assert "<html" not in piece
    assert "Agents" in piece
