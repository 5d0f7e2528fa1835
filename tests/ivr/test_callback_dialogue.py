"""Settling under which number somebody is called back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ivr.callback_dialogue import Ask, Dialogue, Done
from sounds.catalogue import SHIPPED, Catalogue

AUDIBLE = frozenset(Catalogue([SHIPPED]).names("en"))
OWN = "+4532101010"


def may_call(number: str) -> str | None:
    digits = number.removeprefix("+45")
    return f"+45{digits}" if len(digits) == 8 and digits.isdigit() else None


def press(dialogue: Dialogue, keys: str) -> Ask | Done:
    said: Ask | Done = dialogue.begin()
    for key in keys:
        assert isinstance(said, Ask)
        said = dialogue.key(key)
    return said


def test_the_own_number_is_confirmed_by_one_key() -> None:
    dialogue = Dialogue(OWN, "en", may_call)
    assert dialogue.begin().prompts[:4] == ("callback_number", "plus", "number_4", "number_5")
    assert dialogue.key("1") == Done("taken", OWN)


def test_another_number_is_read_back_before_it_counts() -> None:
    dialogue = Dialogue(OWN, "en", may_call)
    asked = press(dialogue, "270101010#")
    assert isinstance(asked, Ask)
    assert asked.prompts[0] == "callback_number"
    assert dialogue.key("1") == Done("taken", "+4570101010")


def test_a_withheld_number_is_asked_for() -> None:
    dialogue = Dialogue("", "en", may_call)
    assert dialogue.begin().prompts == ("callback_enter",)
    assert press(Dialogue("", "en", may_call), "70101010#1") == Done("taken", "+4570101010")


def test_star_goes_back_and_out() -> None:
    assert press(Dialogue(OWN, "en", may_call), "*") == Done("declined")
    back = press(Dialogue(OWN, "en", may_call), "2123*")
    assert isinstance(back, Ask)
    assert back.prompts[0] == "callback_number"
    assert press(Dialogue("", "en", may_call), "12*") == Done("declined")


def test_a_number_that_cannot_be_called_is_asked_for_three_times() -> None:
    dialogue = Dialogue("", "en", may_call)
    asked = press(dialogue, "123#")
    assert isinstance(asked, Ask)
    assert asked.prompts == ("callback_impossible", "callback_enter")
    assert press(Dialogue("", "en", may_call), "1#2#3#") == Done("forbidden")


def test_silence_ends_what_was_typed_and_then_the_dialogue() -> None:
    dialogue = Dialogue(OWN, "en", may_call)
    press(dialogue, "270101010")
    asked = dialogue.silence()
    assert isinstance(asked, Ask)
    assert "number_7" in asked.prompts
    assert isinstance(dialogue.silence(), Ask)
    assert dialogue.silence() == Done("declined")


@given(st.sampled_from(["", OWN, "nonsense"]), st.lists(st.sampled_from([*"0123456789*#", None]), max_size=60))
def test_whatever_is_pressed_it_ends_only_where_it_may(number: str, happened: list[str | None]) -> None:
    dialogue = Dialogue(number, "en", may_call)
    said: Ask | Done = dialogue.begin()
    for key in happened:
        assert isinstance(said, Ask)
        assert set(said.prompts) <= AUDIBLE
        assert said.seconds > 0
        said = dialogue.silence() if key is None else dialogue.key(key)
        if isinstance(said, Done):
            break
    if isinstance(said, Done) and said.end == "taken":
        assert may_call(said.number) == said.number
    else:
        assert not isinstance(said, Done) or said.number == ""
