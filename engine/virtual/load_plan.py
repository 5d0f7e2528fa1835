"""What a load is, and what came of it: the terms between the load generator's process and the one that runs it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec


class LoadPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Calls that arrive by chance, `rate` a second on average for `seconds`, whether the engine keeps up or not.

    Each caller hears a prompt for `prompt_seconds`, presses a key `press_seconds` into the menu and waits. An agent who is rung
    answers after `answer_seconds`; of those who talk one half is parted by the agent after `talk_seconds`, the other half
    by the caller. A caller not served within `patience` seconds gives up, and the call counts as failed.
    """

    rate: float = 100.0
    seconds: float = 30.0
    seed: int = 1
    key: str = "1"
    other_key: str = ""
    """What a share of the callers, `other_share`, press instead."""
    other_share: float = 0.0
    number: str = "7000"
    first_caller: int = 20_000_000
    callers: int = 20_000
    prompt_seconds: float = 0.3
    press_seconds: float = 0.5
    answer_seconds: float = 0.0
    talk_seconds: float = 0.4
    patience: float = 60.0
    warm_seconds: float = 3.0
    """How long the load runs before anything is timed."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """One line to the generator. `what`: `load` runs `plan` and tells its Outcome; `hold` brings `calls` into the queue behind
    `plan.key` at `plan.rate` a second and tells when all wait there; `release` has those hang up; `quit`."""

    what: str
    plan: LoadPlan = LoadPlan()
    calls: int = 0


class Spread(msgspec.Struct, frozen=True):
    """How long something took, in milliseconds."""

    count: int
    p50: float
    p99: float
    p999: float
    most: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Spread:
        """All zero where nothing was timed."""
        if not seconds:
            return cls(0, 0.0, 0.0, 0.0, 0.0)
        ordered = sorted(seconds)

        def at(share: float) -> float:
            return round(ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)] * 1000, 3)

        return cls(len(ordered), at(0.5), at(0.99), at(0.999), round(ordered[-1] * 1000, 3))


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What a load came to. Shares are of one processor."""

    offered: int
    served: int
    failed: dict[str, int]
    """Why, and how often."""
    seconds: float
    """From the first intended start to the end of the last call."""
    arrival_seconds: float
    most_at_once: int
    times: dict[str, Spread]
    """`start` (intended start -> the engine's first command), `answer` (intended start -> the call is answered), `digit`
    (key -> next command), `through` (key -> the command that rings and bridges an agent who was free), `free` (an agent
    becomes free while calls wait -> that command for the next call), `answered` (an agent answers -> the command that
    follows), `lag` (the generator's own: how late it did what was due)."""
    generator_cpu: float
    generator_ms_a_call: float
    rung_twice: int
    """Agents rung for one call while they had another: must be 0."""
    calls: list[str] = []
    """Ids of the calls that the engine took, each of which must have one record."""
