"""The virtual switch as those use it who stand around it: callers who ring, and desk phones that behave as they are told."""

from __future__ import annotations

import json
import uuid
from typing import Any

import gevent
from gevent.event import Event
from gevent.lock import RLock

from conf.clock import Clock
from engine.virtual.callers import SUBCLASS
from engine.virtual.client import Connection, SwitchSilent
from tests.waiting import LONG_SECONDS

Told = dict[str, Any]
"""What a caller notices or does: `kind`, `at` (the clock's seconds since the call began), and what belongs to the kind."""


class Caller:
    """One caller on the line. `story` is all they noticed and did so far, in order."""

    def __init__(self, switchboard: Switchboard, call_id: str) -> None:
        self.call_id = call_id
        self.story: list[Told] = []
        self._switchboard = switchboard
        self._began = switchboard.clock.monotonic()
        self._seen = 0
        self._told = Event()

    def tell(self, what: Told) -> None:
        self.story.append(what)
        self._told.set()

    def wait_for(self, kind: str, seconds: float = LONG_SECONDS, **what: object) -> Told:
        """The next happening of that kind whose particulars are as wanted, after the one last waited for; `seconds` are
        the wall's."""
        with gevent.Timeout(seconds, AssertionError(f"no {kind} {what or ''} in {self._words()}")):
            while True:
                self._told.clear()
                while self._seen < len(self.story):
                    told = self.story[self._seen]
                    self._seen += 1
                    if told["kind"] == kind and what.items() <= told.items():
                        return told
                self._told.wait()

    def first_of(self, *kinds: str, seconds: float) -> Told | None:
        """The next happening of any of these kinds, after the one last waited for; None when so many seconds of the wall have
        passed without any."""
        with gevent.Timeout(seconds, False):
            while True:
                self._told.clear()
                while self._seen < len(self.story):
                    told = self.story[self._seen]
                    self._seen += 1
                    if told["kind"] in kinds:
                        return told
                self._told.wait()
        return None

    def hear(self, prompt: str) -> Told:
        """Wait until that prompt begins."""
        return self.wait_for("hears", prompt=prompt)

    @property
    def now(self) -> float:
        """The clock's seconds since the call began."""
        return self._switchboard.clock.monotonic() - self._began

    def wait_until(self, at: float) -> None:
        """Let the call go on until it is that old."""
        self._switchboard.clock.sleep(at - self.now)

    def press(self, keys: str) -> None:
        self._switchboard.api(f"virtual_press {self.call_id} {keys}")

    def hang_up(self) -> None:
        """Hang up and learn that the call is over."""
        self._switchboard.api(f"virtual_hangup {self.call_id}")
        self.wait_for("ended")

    @property
    def over(self) -> bool:
        return bool(self.story) and self.story[-1]["kind"] == "ended"

    @property
    def prompts(self) -> list[str]:
        """The prompts heard so far, in order."""
        return [told["prompt"] for told in self.story if told["kind"] == "hears"]

    @property
    def kinds(self) -> list[str]:
        return [told["kind"] for told in self.story]

    def _words(self) -> str:
        return ", ".join(f"{told['at']} {told['kind']} {told.get('prompt', '')}".strip() for told in self.story)


class Switchboard:
    """A connection to the virtual switch for commands and one for what callers tell."""

    def __init__(self, host: str, port: int, password: str, clock: Clock) -> None:
        self.clock = clock
        self._commands = Connection.inbound(host, port, password)
        self._events = Connection.inbound(host, port, password)
        self._events.send(f"event plain CUSTOM {SUBCLASS}")
        self._one_at_a_time = RLock()
        self._callers: dict[str, Caller] = {}
        self._listener = gevent.spawn(self._listen)

    def close(self) -> None:
        self._listener.kill()
        self._events.close()
        self._commands.close()

    def api(self, line: str) -> str:
        with self._one_at_a_time:
            answer = self._commands.api(line)
        assert not answer.startswith("-"), f"{line}: {answer}"
        return answer

    def call(self, number: str, **plan: object) -> Caller:
        """Ring `number`; `plan` as engine.virtual.callers.CallPlan reads it, `caller` for its `from`."""
        if "caller" in plan:
            plan["from"] = plan.pop("caller")
        caller = Caller(self, str(uuid.uuid4()))
        self._callers[caller.call_id] = caller
        self.api(f"virtual_call {json.dumps({'number': number, 'uuid': caller.call_id} | plan)}")
        return caller

    def phone(self, extension: str, **manner: object) -> None:
        """Have a desk phone behave as engine.virtual.phones.Manner says."""
        self.api(f"virtual_phone {extension} {json.dumps(manner)}")

    def channels(self) -> list[dict[str, str]]:
        rows: list[dict[str, str]] = json.loads(self.api("show channels as json")).get("rows", [])
        return rows

    def _listen(self) -> None:
        while True:
            try:
                told = json.loads(self._events.next_event(timeout=60).text)
            except SwitchSilent:
                if self._events.closed:
                    return
                continue
            # Events are for the test to keep, not for the connection.
            self._events.seen.clear()
            caller = self._callers.get(told["call"])
            if caller is not None:
                caller.tell(told)
