"""How terms, numbers, lengths and times are written."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import get_args
from zoneinfo import ZoneInfo

import pytest

from admin import words
from engine.records import facts

ZONE = ZoneInfo("Europe/Copenhagen")
NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("marks", "terms"),
    [
        (words.STATUSES, facts.Disposition),
        (words.DIRECTIONS, facts.Direction),
        (words.OFFER_RESULTS, facts.OfferResult),
        (words.QUEUE_RESULTS, facts.QueueResult),
        (words.ENDED_BY, facts.EndedBy),
    ],
)
def test_every_term_of_the_records_has_its_word(marks: dict[str, object], terms: object) -> None:
    assert set(marks) == set(get_args(terms))
    assert set(words.SEGMENTS) == set(get_args(facts.Phase)) | set(get_args(facts.SidePhase))


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "0:00"), (65, "1:05"), (59.5, "1:00"), (3723, "1:02:03"), (None, "–"), (-3, "0:00")]
)
def test_lengths(seconds: float | None, said: str) -> None:
    assert words.length(seconds) == said


@pytest.mark.parametrize(
    ("passed", "said"),
    [
        (timedelta(seconds=20), "now"),
        (timedelta(minutes=2), "2 min"),
        (timedelta(hours=3), "3 h"),
        (timedelta(hours=10), "03:00"),
        (timedelta(hours=20), "yesterday 17:00"),
        (timedelta(days=10), "22 Feb 13:00"),
        (timedelta(days=100), "24 Nov 2025 13:00"),
    ],
)
def test_times_are_relative_where_they_are_fresh(passed: timedelta, said: str) -> None:
    assert words.ago(NOW - passed, NOW, ZONE) == said


def test_times_to_come_say_their_day() -> None:
    said = [words.when(NOW + timedelta(hours=hours), NOW, ZONE) for hours in (2, 20, 50)]
    assert said == ["15:00", "tomorrow 09:00", "6 Mar 15:00"]


def test_days_have_names() -> None:
    assert words.day_name(date(2026, 3, 3), date(2026, 3, 4)) == "Yesterday"
    assert words.day_name(date(2025, 3, 3), date(2026, 3, 4)) == "Monday 3 March 2025"


@pytest.mark.parametrize(
    ("presence", "work", "reason", "said", "tone"),
    [
        ("ready", "idle", None, "Ready", "good"),
        ("pause", "idle", "lunch", "Pause: Lunch", "wait"),
        ("pause", "idle", "no_answer", "Pause: did not answer", "wait"),
        ("pause", "talking", "lunch", "In talk, then pause", "talk"),
        ("ready", "wrap_up", None, "Wrap-up", "wait"),
        ("offline", "idle", None, "Offline", "away"),
        (None, None, None, "Offline", "away"),
    ],
)
def test_an_agents_state_is_one_word_and_one_colour(
    presence: str | None, work: str | None, reason: str | None, said: str, tone: str
) -> None:
    mark = words.agent_mark(presence, work, reason, {"lunch": "Lunch"})
    assert (mark.word, mark.tone) == (said, tone)


def test_a_term_nobody_foresaw_is_shown_as_it_is() -> None:
    assert words.mark(words.STATUSES, "eaten_by_bears").word == "Eaten by bears"
