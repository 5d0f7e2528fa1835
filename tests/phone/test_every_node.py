"""The flow with a node of every type, on a real FreeSWITCH with real telephones."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.call.installation import eventually
from tests.call.test_every_node import EVERY, furnish, open_shop, sent
from tests.phone.house import House, OnLine


@pytest.fixture
def shop(house: House) -> Iterator[dict[str, object]]:
    with open_shop() as shop:
        furnish(house, shop)
        yield shop


def went(caller: OnLine, *nodes: str) -> None:
    """Wait until these are the call's last nodes."""

    def there() -> None:
        assert caller.see()["ivr_path"][-len(nodes) :] == list(nodes)

    eventually(there)


def test_every_node_on_a_real_switch(house: House, shop: dict[str, object]) -> None:
    first, second = house.at_desk("1003", "1004")
    caller = house.ring(EVERY, hertz=700.0)
    caller.see(node="number")
    caller.phone.listen(1)
    caller.phone.press("123#")
    caller.phone.listen(1)
    caller.phone.press("1")
    caller.see(node="code")
    caller.phone.press("471147114711#")
    caller.see(node="state", seconds=30)
    # It hears a tone for a while and is told that this was all.
    caller.phone.listen(10)
    caller.phone.press("#")
    caller.see(node="menu", seconds=30)
    caller.phone.press("1003")
    first.wait_for("incoming", 20)
    first.answer()
    caller.see(state="talk", extension="1003")
    first.listen(1)
    first.hang_up()
    caller.see(node="menu", state="ivr")
    caller.phone.press("6")
    went(caller, "abroad", "menu")
    caller.phone.press("3")
    went(caller, "out", "menu")
    first.forget()
    caller.phone.press("2")
    second.wait_for("incoming", 20)
    first.wait_for("incoming", 20)
    second.answer()
    caller.see(state="talk", extension="1004")
    first.wait_for("closed", 5)
    second.hang_up()
    caller.see(node="menu", state="ivr")
    caller.phone.press("8")
    caller.see(node="later")
    caller.phone.listen(1)
    caller.phone.press("*")
    went(caller, "later", "menu")
    caller.phone.press("7")
    caller.see(node="opinion")
    caller.phone.listen(1)
    caller.phone.press("5")
    caller.phone.listen(1)
    caller.phone.press("10")
    went(caller, "opinion", "note", "menu")
    caller.phone.press("5")
    caller.see(state="voicemail", seconds=30)
    caller.phone.listen(3)
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
