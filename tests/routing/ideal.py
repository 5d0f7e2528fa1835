"""A centre as theory has it, by simpy and without any of the code under test: nothing takes time but talking and waiting."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import simpy


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody who calls: when they come, how long their talk takes and how long they would wait for it, in seconds."""

    queue: str
    comes: float
    talk: float
    patience: float = math.inf


@dataclass(frozen=True, slots=True)
class Fate:
    """What came of a guest. `wait` ends where an agent is theirs, or with their patience."""

    waited: bool
    wait: float
    gave_up: bool


def ideal(staff: Sequence[tuple[str, ...]], guests: Sequence[Guest]) -> list[Fate]:
    """What comes of each of the guests, who are in the order of coming. `staff`: the queues that each agent serves, from the
    one idle longest at the beginning. The agent idle longest takes a call, and a free agent takes the call that came first of
    those they may have."""
    fates: list[Fate] = [Fate(False, 0.0, False)] * len(guests)
    if not guests:
        return fates
    env = simpy.Environment(guests[0].comes)
    desk = simpy.FilterStore(env)
    desk.items = list(enumerate(staff))

    def call(number: int, guest: Guest) -> Iterator[Any]:
        wanted = desk.get(lambda agent: guest.queue in agent[1])
        waits = not wanted.triggered
        result = yield wanted | env.timeout(guest.patience)
        fates[number] = Fate(waits, env.now - guest.comes, wanted not in result)
        if wanted not in result:
            wanted.cancel()
            return
        yield env.timeout(guest.talk)
        yield desk.put(wanted.value)

    def coming() -> Iterator[Any]:
        for number, guest in enumerate(guests):
            if guest.comes > env.now:
                yield env.timeout(guest.comes - env.now)
            env.process(call(number, guest))

    env.process(coming())
    env.run()
    return fates
