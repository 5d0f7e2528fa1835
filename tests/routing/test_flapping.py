"""Agents who flap, leaders killed again and again, a Redis that stalls; at full size by `python -m tests.routing.flapping`."""

from __future__ import annotations

from pathlib import Path

from tests.routing.flapping import Flapping, Plan


def test_nobody_is_offered_two_calls_or_one_after_logging_out(redis_url: str, tmp_path: Path) -> None:
    plan = Plan(
        agents=60,
        flaps=3.0,
        calls=30.0,
        talk_seconds=0.5,
        calm_seconds=0.5,
        seconds=4.5,
        kill_every=1.2,
        stall_at=3.5,
        stall_seconds=0.5,
    )
    seen = Flapping(redis_url, tmp_path, plan).run()
    assert (seen.doubles, seen.to_logged_out, seen.lost) == ([], [], [])
    assert seen.offers > 60
    assert seen.tenures >= 2
    assert seen.differences == 0
