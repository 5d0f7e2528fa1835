"""What is whispered, as texts to speak and the place where the wait is told."""

from __future__ import annotations

import pytest

from engine.call.whisper import WAITED, pieces

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
