"""The centres in one installation on the virtual switch: several copies of each, all open at the same time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import gevent
from call.callers import Caller
from faults.damaged import Damaged

from dialplan import store
from dialplan.destinations import ToQueue
from engine.records.tables import Agent, AgentSkill, Queue, QueueSkill, Skill
from tests.routing.ideal import Guest
from tests.waiting import eventually

from .centres import Centre

FIRST_NUMBER, FIRST_EXTENSION, FIRST_CALLER = 6001, 7001, 20_000_000
SIGN_SECONDS = 30.0
"""Seconds of the wall within which a caller hears music or an agent."""
LAST_SECONDS = 600.0
"""Seconds of the wall after which a call has lasted too long."""


@dataclass
class Visit:
    """A guest, and their call."""

    guest: Guest
    caller: Caller | None = None

    @property
    def call_id(self) -> str:
        assert self.caller is not None
        return self.caller.call_id


@dataclass
class Copy:
    """One of the copies of a centre, with agents and queues of its own."""

    centre: Centre
    number: int
    extensions: list[str] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)

    def queue(self, name: str) -> str:
        """What this copy's queue is called."""
        return f"{name}_{self.number}"


class Run:
    def __init__(self, damaged: Damaged, centres: Sequence[Centre], copies: int) -> None:
        self._damaged = damaged
        self.copies = [Copy(centre, number) for centre in centres for number in range(1, copies * centre.times + 1)]
        self._numbers: dict[str, str] = {}
        self._callers: list[Caller] = []
        self._cut_off: list[Caller] = []

    def furnish(self) -> None:
        """Have all copies with everybody at their desks."""
        damaged = self._damaged
        names = [copy.queue(stream.queue) for copy in self.copies for stream in copy.centre.streams]
        self._numbers = {name: str(FIRST_NUMBER + place) for place, name in enumerate(names)}
        extensions: Iterator[str] = map(str, range(FIRST_EXTENSION, FIRST_EXTENSION + 1_000))
        with damaged.setting_up() as db:
            with db.connection_context(), db.atomic():
                skills = {name: _queue(name) for name in names}
                for copy in self.copies:
                    for queues in copy.centre.staff:
                        extension = next(extensions)
                        copy.extensions.append(extension)
                        agent = Agent.create(name=f"Agent {extension}", extension=extension, wrap_up_seconds=0)
                        for name in queues:
                            AgentSkill.create(agent=agent, skill=skills[copy.queue(name)], level=3)
            for name, number in self._numbers.items():
                store.save_number(db, number, name, ToQueue(name), country="DK")
        everybody = [extension for copy in self.copies for extension in copy.extensions]
        for extension in everybody:
            # Callers end their talks, as each of them has their own length.
            damaged.switch.phone(extension, answer=0, talk=None)
        damaged.on_duty(*everybody)

    def calls(self, seconds: float, seed: int, said: Callable[[str], None]) -> None:
        """Let callers come for so many seconds of the clock, and all of them be over."""
        for copy in self.copies:
            guests = copy.centre.guests(seconds, f"{seed}/{copy.number}")
            copy.visits = [Visit(guest) for guest in guests]
        coming = sorted(
            (
                (visit.guest.comes, copy.queue(visit.guest.queue), visit)
                for copy in self.copies
                for visit in copy.visits
            ),
            key=lambda each: each[0],
        )
        said(f"{len(coming):,} callers will come, {len(coming) / self._damaged.wall(seconds):.0f} a second of the wall")
        clock, began, lives = self._damaged.clock, self._damaged.clock.monotonic(), list[gevent.Greenlet]()
        try:
            for comes, queue, visit in coming:
                clock.sleep(began + comes - clock.monotonic())
                lives.append(gevent.spawn(self._life, self._numbers[queue], visit, FIRST_CALLER + len(lives)))
            gevent.joinall(lives, timeout=LAST_SECONDS, raise_error=True)
        finally:
            gevent.killall(lives)

    def _life(self, number: str, visit: Visit, caller_id: int) -> None:
        """One caller's: they ring, wait as long as they will, talk as long as they have to, and hang up."""
        guest = visit.guest
        caller = visit.caller = self._damaged.switch.call(number, caller=f"+45{caller_id}")
        self._callers.append(caller)
        told = caller.first_of("music", "talks", "ended", seconds=SIGN_SECONDS)
        if told is not None and told["kind"] == "music":
            # From here on it is waiting, and not the time that connecting takes.
            told = caller.first_of("talks", "ended", seconds=min(self._damaged.wall(guest.patience), LAST_SECONDS))
        if told is not None and told["kind"] == "talks":
            self._damaged.clock.sleep(guest.talk)
        if caller.over:
            self._cut_off.append(caller)
        else:
            caller.hang_up()

    def cut_off(self) -> list[Any]:
        """What befell the callers whose call was ended by others than themselves; there should be none."""
        return [caller.story for caller in self._cut_off]

    def unwritten(self) -> list[Any]:
        """What befell the callers who have no complete row in report.calls when all is at rest; there should be none."""
        self._damaged.calm(60)

        def missing() -> list[Caller]:
            rows = self._damaged.rows("SELECT call_id::text AS id FROM report.calls WHERE ended_at IS NOT NULL")
            known = {row["id"] for row in rows}
            return [caller for caller in self._callers if caller.call_id not in known]

        def none() -> None:
            assert missing() == []

        with suppress(AssertionError):
            eventually(none, 10)
        return [caller.story for caller in missing()]


def _queue(name: str) -> Skill:
    """A queue of this name in which one may wait for ever, and the skill that it needs."""
    skill: Skill = Skill.create(name=name)
    queue = Queue.create(
        name=name,
        title=name,
        announce_seconds=0,
        longest_wait_seconds=86_400,
        most_waiting=10_000,
        ring_seconds=120,
        recorded=False,
    )
    QueueSkill.create(queue=queue, skill=skill, level=1)
    return skill
