"""Keys that nobody has asked for yet."""

from __future__ import annotations

from typing import Any

from engine.call.keypad import Keypad
from ivr.flow import Flow
from ivr.neighbours import leading_to_secrets


def press(keypad: Keypad, keys: str) -> None:
    for key in keys:
        keypad.pressed({"DTMF-Digit": key})  # type: ignore[arg-type]  # an event as far as it is read


def test_what_may_be_a_secret_is_told_to_nobody() -> None:
    told: list[str] = []
    link: Any = None
    keypad = Keypad(link, told.append)
    press(keypad, "1")
    keypad.secretive = True
    press(keypad, "4711")
    assert told == ["1"]
    assert keypad.take() == "14711"
    assert told == ["1", ""]


def test_what_was_typed_ahead_is_forgotten_with_what_it_was_meant_for() -> None:
    told: list[str] = []
    link: Any = None
    keypad = Keypad(link, told.append)
    press(keypad, "12")
    keypad.forget()
    assert keypad.take() == ""
    assert told == ["1", "12", ""]


def test_which_flows_come_to_a_secret() -> None:
    def flow(name: str, node: dict[str, Any]) -> Flow:
        return Flow.parse({"name": name, "start": "a", "nodes": {"a": node}})

    code = {"type": "collect", "variable": "code", "prompts": ["enter_code"], "secret": True}
    flows = [
        flow("code", code), flow("calls", {"type": "sub_flow", "flow": "code"}),
        flow("goes", {"type": "go_to", "flow": "calls"}),
        flow("open", {"type": "go_to", "flow": "other"}), flow("other", {"type": "hang_up"}),
    ]  # fmt: skip
    assert leading_to_secrets({each.name: each for each in flows}) == {"code", "calls", "goes"}
