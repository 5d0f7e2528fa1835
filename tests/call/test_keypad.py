"""Keys that nobody has asked for yet."""

from __future__ import annotations

from typing import Any

import pytest

from engine.call.keypad import Keypad
from engine.call.phone import EslPhone
from ivr.flow import Flow
from ivr.neighbours import leading_to_secrets
from ivr.phone import Gathered
from sounds.catalogue import Catalogue


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


class Reads:
    """A call's link on which `read` has this result, while these keys are told."""

    def __init__(self, keys: str, digits: str, terminator: str = "") -> None:
        self.keypad = Keypad(self, lambda _: None)  # type: ignore[arg-type]
        self.clock = self
        self._keys = keys
        self._done = {"variable_pointsman_digits": digits, "variable_read_terminator_used": terminator}

    def execute(self, *_: object, **__: object) -> Reads:
        return self

    def wall_seconds(self, seconds: float) -> float:
        return seconds

    def wait(self, _: float) -> dict[str, str]:
        press(self.keypad, self._keys)
        return self._done


@pytest.mark.parametrize(
    ("keys", "digits", "terminator", "gathered"),
    [
        ("123#", "123", "#", Gathered("123", "#")),
        ("123#", "23", "#", Gathered("123", "#")),
        ("123#", "", "#", Gathered("123", "#")),
        ("1234", "234", "", Gathered("1234")),
        ("6", "", "", Gathered("6")),
        ("6#", "", "", Gathered("6", "#")),
        ("12", "12", "", Gathered("12")),
        ("", "", "", Gathered("")),
        ("#", "", "#", Gathered("", "#")),
        ("123", "12", "", Gathered("12")),
    ],
)
def test_keys_pressed_just_before_they_are_read_are_not_lost(
    keys: str, digits: str, terminator: str, gathered: Gathered
) -> None:
    """What is heard before a question swallows the keys that come before FreeSWITCH has begun to read."""
    link: Any = Reads(keys, digits, terminator)
    phone = EslPhone(link, link, language="en", catalogue=Catalogue([]))
    assert phone.gather((), most=4, first_digit_seconds=5, next_digit_seconds=3) == gathered


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
