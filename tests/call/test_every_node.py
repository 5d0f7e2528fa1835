"""One flow with a node of every type, gone through on the switch by callers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from gevent.pywsgi import WSGIServer

from dialplan import destinations, store
from ivr.flow import Flow
from ivr.node import node_types
from tests.waiting import eventually

from .installation import Installation

EVERY = "5030"
ENDS = Flow.parse({"name": "every_end", "start": "bye", "nodes": {"bye": {"type": "hang_up", "prompts": ["goodbye"]}}})
ASIDE = Flow.parse(
    {
        "name": "every_aside",
        "start": "wait",
        "nodes": {
            "wait": {"type": "play", "prompts": ["please_wait"], "exits": {"next": "back"}},
            "back": {"type": "return", "result": "heard"},
        },
    }
)


def every(service: str) -> Flow:
    """A flow that asks this web service."""
    return Flow.parse(
        {
            "name": "every",
            "start": "language",
            "nodes": {
                "language": {
                    "type": "language",
                    "choices": [{"language": "en-GB", "key": "1", "prompts": ["language_choice"]}],
                    "exits": {"chosen": "begin"},
                },
                "begin": {"type": "set", "values": {"about": "an order"}, "exits": {"next": "begun"}},
                "begun": {"type": "milestone", "name": "Begun", "exits": {"next": "doors"}},
                "doors": {"type": "hours", "calendar": "Reception", "exits": {"open": "share", "closed": "ends"}},
                "share": {"type": "split", "shares": {"all": 100}, "exits": {"all": "who"}},
                "who": {"type": "customer", "asks": "category", "exits": {"known": "status", "unknown": "status"}},
                "status": {
                    "type": "queue_status",
                    "queue": "sales",
                    "exits": {"waiting": "number", "unstaffed": "ends"},
                },
                "number": {
                    "type": "collect",
                    "variable": "order",
                    "prompts": ["enter_number"],
                    "least": 3,
                    "most": 5,
                    "confirm": {"before": ["you_entered"], "after": ["confirm_number"]},
                    "exits": {"collected": "code", "no_input": "ends"},
                },
                "code": {
                    "type": "collect",
                    "variable": "code",
                    "prompts": ["enter_code"],
                    "secret": True,
                    "exits": {"collected": "right", "no_input": "ends"},
                },
                "right": {
                    "type": "condition",
                    "all_of": [
                        {"variable": "code", "value": "471147114711"},
                        {"variable": "queue_staffed", "how": "more", "value": 0},
                    ],
                    "exits": {"met": "ask", "not_met": "ends"},
                },
                "ask": {
                    "type": "http",
                    "url": f"{service}/orders/{{order}}",
                    "headers": {"X-Code": "{code}"},
                    "results": {"amount": "order.amount"},
                    "exits": {"done": "told", "failed": "ends"},
                },
                "told": {
                    "type": "say",
                    "say": "money",
                    "value": "{amount}",
                    "currency": "EUR",
                    "before": ["your_balance"],
                    "exits": {"next": "ticket", "unsayable": "ends"},
                },
                "ticket": {
                    "type": "create_ticket",
                    "subject": "About {about} {order}",
                    "exits": {"created": "look", "unknown": "ends"},
                },
                "look": {"type": "ticket_state", "exits": {"open": "state", "closed": "ends", "not_found": "ends"}},
                "state": {
                    "type": "record",
                    "prompts": ["statement"],
                    "exits": {"recorded": "aside", "nothing": "ends"},
                },
                "aside": {"type": "sub_flow", "flow": "every_aside", "exits": {"heard": "menu", "returned": "ends"}},
                "menu": {
                    "type": "menu",
                    "prompts": ["menu_main"],
                    "direct_dial": 4,
                    "back": True,
                    "exits": {
                        "2": "group", "3": "out", "4": "sales", "5": "message", "6": "abroad", "extension": "desk",
                        "back": "begun", "no_input": "ends", "7": "opinion", "8": "later",
                    },
                },
                "desk": {"type": "ring", "extension": "{extension}", "exits": {"answered": "menu", "otherwise": "ends"}},
                "group": {
                    "type": "ring_group",
                    "extensions": ["1003", "1004"],
                    "order": "together",
                    "exits": {"answered": "menu", "otherwise": "turns"},
                },
                "turns": {
                    "type": "ring_group",
                    "extensions": ["1003", "1004", "1002"],
                    "order": "longest_idle",
                    "seconds": 4,
                    "exits": {"answered": "menu", "otherwise": "ends"},
                },
                "out": {"type": "outside", "number": "70 70 70 70", "exits": {"answered": "menu", "otherwise": "menu"}},
                "abroad": {"type": "outside", "number": "+46701740605", "exits": {"answered": "ends", "otherwise": "menu"}},
                "sales": {"type": "queue", "queue": "sales", "exits": {"answered": "menu", "otherwise": "ends"}},
                "message": {"type": "voicemail", "box": "sales", "exits": {"left": "ends", "nothing": "ends"}},
                "later": {
                    "type": "callback", "queue": "sales",
                    "exits": {"taken": "ends", "declined": "menu", "otherwise": "ends"},
                },
                "opinion": {
                    "type": "survey",
                    "survey": "every",
                    "prompts": ["please_wait"],
                    "questions": [
                        {
                            "name": "served", "words": "Were you well served?", "prompts": ["menu_message"],
                            "answers": {"1": "no", "5": "very well"},
                        },
                        {
                            "name": "again", "words": "Again?", "prompts": ["enter_code"],
                            "answers": {"0": "never", "10": "surely"},
                        },
                    ],
                    "exits": {"answered": "note", "partly": "ends"},
                },
                "note": {
                    "type": "email",
                    "to": "team@example.org",
                    "subject": "{caller_number} about {order}",
                    "body": "Served: {served}\nAgain: {again}",
                    "exits": {"queued": "menu", "refused": "ends"},
                },
                "ends": {"type": "go_to", "flow": "every_end"},
            },
        }
    )  # fmt: skip


@contextmanager
def open_shop() -> Iterator[dict[str, object]]:
    """A web service that knows one order; its `url`, and what it was `asked`."""
    asked: list[tuple[str, str]] = []

    def answer(environ: dict[str, str], start: object) -> list[bytes]:
        asked.append((environ["PATH_INFO"], environ.get("HTTP_X_CODE", "")))
        start("200 OK", [("Content-Type", "application/json")])  # type: ignore[operator]
        return [json.dumps({"order": {"amount": 12.5}}).encode()]

    server = WSGIServer(("127.0.0.1", 0), answer, log=None, error_log=None)
    server.start()
    yield {"url": f"http://127.0.0.1:{server.server_port}", "asked": asked}
    server.stop(0.1)


def furnish(installation: Installation, shop: dict[str, object]) -> None:
    """Put the flow in force."""
    with installation.setting_up() as db:
        for flow in (ENDS, ASIDE, every(str(shop["url"]))):
            installation.publish(db, flow)
        store.save_number(db, EVERY, "Every", destinations.decode({"to": "flow", "flow": "every"}), country="DK")


@pytest.fixture
def shop() -> Iterator[dict[str, object]]:
    with open_shop() as shop:
        yield shop


@pytest.fixture
def house(installation: Installation, shop: dict[str, object]) -> Installation:
    furnish(installation, shop)
    return installation


def test_the_flow_has_every_type() -> None:
    used = {node.type for flow in (ENDS, ASIDE, every("http://127.0.0.1")) for node in flow.nodes.values()}
    assert used == set(node_types())


def test_every_node_on_the_way_to_a_colleague(house: Installation, shop: dict[str, object]) -> None:
    caller = house.switch.call(EVERY, caller="+4527101112", speaks=4)
    caller.hear("enter_number")
    caller.press("123#")
    caller.hear("you_entered")
    caller.hear("number_3")
    caller.hear("confirm_number")
    caller.press("1")
    caller.hear("enter_code")
    caller.press("471147114711#")
    for prompt in ("your_balance", "number_12", "euros", "and", "number_50", "cents", "statement"):
        caller.hear(prompt)
    caller.wait_for("recorded")
    caller.hear("please_wait")
    caller.hear("menu_main")
    caller.press("1003")
    caller.wait_for("talks", to="1003")
    caller.hear("menu_main")
    caller.press("3")
    caller.wait_for("talks", to="+4570707070")
    caller.hear("menu_main")
    caller.press("6")
    caller.hear("menu_main")
    caller.press("4")
    caller.wait_for("talks")
    caller.hear("menu_main")
    caller.press("8")
    caller.hear("callback_confirm")
    caller.press("*")
    caller.hear("menu_main")
    caller.press("7")
    caller.hear("menu_message")
    caller.press("5")
    caller.hear("enter_code")
    caller.press("10")
    caller.hear("menu_main")
    caller.press("5")
    caller.hear("goodbye")
    assert caller.wait_for("ended")["by"] == "switch"

    assert shop["asked"] == [("/orders/123", "471147114711")]
    report = house.report(caller)
    assert [step for step in report.way if step[0] not in ("menu", "ends", "bye")] == [
        ("language", "chosen"), ("begin", "next"), ("begun", "next"), ("doors", "open"), ("share", "all"), ("who", "unknown"),
        ("status", "free"), ("number", "collected"), ("code", "collected"), ("right", "met"), ("ask", "done"), ("told", "next"),
        ("ticket", "created"), ("look", "open"), ("state", "recorded"), ("aside", "enters"), ("wait", "next"), ("back", "done"),
        ("desk", "answered"), ("out", "answered"), ("abroad", "forbidden"), ("sales", "answered"), ("later", "declined"),
        ("opinion", "answered"), ("note", "queued"),
        ("message", "left"),
    ]  # fmt: skip
    assert [way for node, way in report.way if node == "menu"] == ["extension", "3", "6", "4", "8", "7", "5"]
    assert report.call["status"] == "answered"
    (ticket,) = house.rows("SELECT * FROM ticket WHERE opened_by_call = %s", caller.call_id)
    assert ticket["subject"] == "About an order 123"
    assert report.call["customer_id"] == ticket["customer_id"]
    assert len(report.recordings) == 2
    assert len(report.messages) == 1
    answers = house.rows("SELECT * FROM report.survey_answers WHERE call_id = %s ORDER BY answered_at", caller.call_id)
    assert [(row["question"], row["score"], row["words"]) for row in answers] == [
        ("served", 5, "very well"),
        ("again", 10, "surely"),
    ]
    assert {(row["queue"], row["extension"]) for row in answers} == {("sales", report.call["extension"])}
    (mail,) = eventually(lambda: sent(house, "+4527101112 about 123"))
    assert mail["To"] == "team@example.org"
    assert mail.get_content().split() == ["Served:", "5", "Again:", "10"]
    # What was keyed in as a secret is in no record, no checkpoint and no log.
    written = [path for folder in ("journal", "log") for path in (house.home / folder).rglob("*") if path.is_file()]
    assert written
    assert not [path for path in written if b"471147114711" in path.read_bytes()]


def sent(house: Installation, subject: str) -> list[Any]:
    """The e-mails of this subject that have arrived."""
    found = [mail for mail in house.post.taken() if mail["Subject"] == subject]
    assert found
    return found


def ready(house: Installation) -> object:
    """A caller who has come to the menu."""
    caller = house.switch.call(EVERY, speaks=4)
    caller.hear("enter_number")
    caller.press("123#")
    caller.hear("confirm_number")
    caller.press("1")
    caller.hear("enter_code")
    caller.press("471147114711#")
    caller.hear("menu_main")
    return caller


def test_the_first_of_a_group_to_answer_has_the_call(house: Installation) -> None:
    house.switch.phone("1003", answer=4, talk=3)
    house.switch.phone("1004", answer=1, talk=3)
    caller = ready(house)
    caller.press("2")
    caller.wait_for("talks", to="1004")
    caller.hear("menu_main")
    caller.hang_up()
    report = house.report(caller)
    assert ("group", "answered") in report.way
    assert report.call["extension"] == "1004"


def test_a_group_is_rung_in_turn_until_somebody_answers(house: Installation) -> None:
    house.switch.phone("1003", busy=True)
    house.switch.phone("1004", busy=True)
    caller = ready(house)
    caller.press("2")
    caller.wait_for("talks", to="1002")
    caller.hear("menu_main")
    caller.hang_up()
    assert [step for step in house.report(caller).way if step[0] in ("group", "turns")] == [
        ("group", "busy"),
        ("turns", "answered"),
    ]


def test_star_leads_back_and_a_wrong_code_out(house: Installation) -> None:
    caller = ready(house)
    caller.press("*")
    caller.hear("enter_number")
    caller.press("123#")
    caller.hear("confirm_number")
    caller.press("1")
    caller.hear("enter_code")
    caller.press("1234#")
    caller.hear("goodbye")
    caller.wait_for("ended")
    report = house.report(caller)
    assert ("menu", "back") in report.way
    assert report.way[-3:] == [("right", "not_met"), ("ends", "enters"), ("bye", "done")]
