"""What is whispered, as texts to speak and the place where the wait is told."""

from __future__ import annotations

import pytest

from engine.call.whisper import WAITED, pieces, who
from sounds.errors import SynthesisFailed

VALUES = {"queue": "Sales", "category": "V I P", "customer": "Nordlys", "number": "4532101010"}


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("Sales", ["Sales"]),
        ("{queue}, {category}, waited {waited}", ["Sales, V I P, waited", WAITED]),
        ("{waited}", [WAITED]),
        ("waited {waited} in {queue}", ["waited", WAITED, "in Sales"]),
        ("{nothing}", []),
        ("{queue}, {nothing}, {customer}", ["Sales, Nordlys"]),
        ("  {queue} ,  ", ["Sales"]),
        ("", []),
    ],
)
def test_a_part_becomes_texts(part: str, said: list[str]) -> None:
    assert pieces(part, VALUES) == said


def test_who_is_not_known_leaves_no_gap() -> None:
    assert pieces("{queue}, {category}, {customer}", {"queue": "Sales"}) == ["Sales"]


def test_a_name_that_cannot_be_spoken_gives_way_to_the_number() -> None:
    def mute(text: str) -> str:
        raise SynthesisFailed(f"nothing here says {text}")

    assert who(VALUES, speak=lambda name: f"{name}.wav", spell=list) == ["Nordlys.wav"]
    assert who(VALUES, speak=mute, spell=list) == list("4532101010")
    assert who(VALUES | {"customer": ""}, speak=mute, spell=list) == list("4532101010")
