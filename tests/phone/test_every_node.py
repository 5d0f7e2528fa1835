"""The flow with a node of every type, on a real FreeSWITCH with real telephones."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.call.test_every_node import EVERY, furnish, open_shop, sent
from tests.phone.house import ASKED, BEEP, House, OnLine
from tests.waiting import eventually

CALLER = 700.0


@pytest.fixture
def shop(house: House) -> Iterator[dict[str, object]]:
    with open_shop() as shop:
        furnish(house, shop)
        yield shop


def asked(caller: OnLine, prompt: str, so_far: float = 0) -> None:
    """Wait until the caller hears this question, beyond what they heard of it `so_far`."""
    caller.phone.listen_for(ASKED[prompt], so_far + 0.2)


def went(caller: OnLine, *nodes: str) -> None:
    """Wait until these are the call's last nodes."""

    def there() -> None:
        assert caller.see()["ivr_path"][-len(nodes) :] == list(nodes)

    eventually(there)


def test_every_node_on_a_real_switch(house: House, shop: dict[str, object]) -> None:
    first, second = house.at_desk("1003", "1004")
    caller = house.ring(EVERY, hertz=CALLER)
    asked(caller, "enter_number")
    caller.phone.press("123#")
    asked(caller, "confirm_number")
    caller.phone.press("1")
    asked(caller, "enter_code")
    caller.phone.press("471147114711#")
    caller.phone.listen_for(BEEP, 0.2)
    # It hears a tone for a while and is told that this was all.
    caller.phone.listen(1.5)
    caller.phone.press("#")
    asked(caller, "menu_main")
    caller.phone.press("1003")
    first.wait_for("incoming")
    first.answer()
    caller.see(state="talk", extension="1003")
    first.listen_for(CALLER, 0.5)
    first.hang_up()
    caller.see(node="menu", state="ivr")
    # Without the # the menu would wait for the rest of an extension.
    caller.phone.press("6#")
    went(caller, "abroad", "menu")
    caller.phone.press("3#")
    went(caller, "out", "menu")
    first.forget()
    caller.phone.press("2#")
    second.wait_for("incoming")
    first.wait_for("incoming")
    second.answer()
    caller.see(state="talk", extension="1004")
    first.wait_for("closed")
    second.hang_up()
    caller.see(node="menu", state="ivr")
    caller.phone.press("8#")
    asked(caller, "callback_confirm")
    caller.phone.press("*")
    went(caller, "later", "menu")
    codes = caller.phone.heard_of(ASKED["enter_code"])
    caller.phone.press("7#")
    asked(caller, "menu_message")
    caller.phone.press("5")
    asked(caller, "enter_code", codes)
    caller.phone.press("10")
    went(caller, "opinion", "note", "menu")
    beeps = caller.phone.heard_of(BEEP)
    caller.phone.press("5#")
    caller.phone.listen_for(BEEP, beeps + 0.2)
    caller.phone.listen(1.5)
    caller.phone.hang_up()

    assert shop["asked"] == [("/orders/123", "471147114711")]
    report = house.told_of(caller)
    assert [step for step in report.way if step[0] != "menu"] == [
        ("language", "chosen"), ("begin", "next"), ("begun", "next"), ("doors", "open"), ("share", "all"), ("who", "unknown"),
        ("status", "free"), ("number", "collected"), ("code", "collected"), ("right", "met"), ("ask", "done"),
        ("told", "next"),
        ("ticket", "created"), ("look", "open"), ("state", "recorded"), ("aside", "enters"), ("wait", "next"), ("back", "done"),
        ("desk", "answered"), ("abroad", "forbidden"), ("out", "unreachable"), ("group", "answered"), ("later", "declined"),
        ("opinion", "answered"), ("note", "queued"), ("message", "hung_up"),
    ]  # fmt: skip
    assert report.call["status"] == "answered"
    assert len(report.recordings) == 1
    assert len(report.messages) == 1
    answers = house.rows("SELECT score FROM report.survey_answers WHERE call_id = %s ORDER BY 1", caller.call_id)
    assert [row["score"] for row in answers] == [5, 10]
    assert eventually(lambda: sent(house, f"{caller.number} about 123"))
    written = [path for path in house.home.rglob("*") if path.suffix in (".log", ".journal") and path.is_file()]
    assert written
    assert not [path for path in written if b"471147114711" in path.read_bytes()]
