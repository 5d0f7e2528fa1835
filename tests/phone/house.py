"""A whole installation on a real FreeSWITCH, and telephones that ring it: tests/call/installation.py with other parts."""

from __future__ import annotations

import itertools
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from conf.settings import Address
from dialplan import destinations, documents
from dialplan import store as dialplan_store
from engine.freeswitch import desk_phones
from engine.records.tables import Agent, Queue
from ivr import store as ivr_store
from ivr.flow import Flow
from tests.call.conftest import WAYS_OUT
from tests.call.installation import Installation, environment, eventually
from tests.call.report import Report
from tests.phone.rig import RunningSwitch, SipPhone, free_port, write_tone
from tests.post import Post, open_post

SALES, PATIENT, CLOSED, BOX, NIMBLE = (str(number) for number in range(5020, 5025))
"""Numbers: straight into queue sales, into one that tells the place, a closed door, a message box, a queue of short rings."""

MUSIC, PLACE, SHUT, BEEP, EIGHT = 440.0, 1600.0, 1300.0, 1900.0, 2300.0
"""The tones that stand for the music on hold, a place in the queue, the words of a closed door, the beep, and the digit 8."""

_PROMPTS = {"queue_position": (PLACE, 1.0), "closed_hours": (SHUT, 1.0), "tone": (BEEP, 0.3), "number_8": (EIGHT, 0.3)}
_BRIEF = (
    "menu_main", "voicemail_greeting", "voicemail_sales", "queue_no_agent", "voicemail_saved", "goodbye",
    "callback_number", "callback_confirm", "callback_taken", "callback_agent", "callback_greeting", "callback_accept",
    "callback_not_reached",
)  # fmt: skip


class HouseSwitch(RunningSwitch):
    """The installation's FreeSWITCH, as `Installation` asks it."""

    def channels(self) -> list[dict[str, str]]:
        rows: list[dict[str, str]] = json.loads(self.api("show channels as json")).get("rows", [])
        return rows

    def close(self) -> None:
        self.close_phones()


class OnLine:
    """A caller from outside with a number that nobody had before."""

    def __init__(self, house: House, phone: Any, number: str) -> None:
        self.phone = phone
        self.number = number
        self._house = house
        self._call_id = ""

    @property
    def story(self) -> Any:
        return self.phone.events

    @property
    def over(self) -> bool:
        return any(told.get("event") == "closed" for told in self.phone.events)

    @property
    def call_id(self) -> str:
        """The call's id, from the board while it is live, from the report when it is over."""
        if not self._call_id:
            live = [call for call in self._house.board.snapshot()["calls"] if call["from"] == self.number]
            self._call_id = live[0]["call_id"] if live else eventually(self._reported)
        return self._call_id

    def _reported(self) -> str:
        rows = self._house.rows("SELECT call_id::text FROM report.calls WHERE caller_number = %s", self.number)
        assert len(rows) == 1, f"{len(rows)} rows of the call from {self.number}"
        return str(rows[0]["call_id"])

    def see(self, seconds: float = 20, **shown: object) -> dict[str, Any]:
        """Wait until the board shows the call so, for example `node="menu"`."""

        def there() -> dict[str, Any]:
            calls = [call for call in self._house.board.snapshot()["calls"] if call["from"] == self.number]
            assert calls, f"no call from {self.number}"
            assert {name: calls[0].get(name) for name in shown} == shown
            return calls[0]

        return eventually(there, seconds)


class House(Installation):
    """A running `pointsman up` on FreeSWITCH with two engine processes, and everybody's telephones."""

    switch: HouseSwitch

    def __init__(self, home: Path, binary: str, post: Post) -> None:
        _furnish_home(home)
        settings = (
            environment(home, free_port)
            | WAYS_OUT
            | post.settings
            | {
                "POINTSMAN_FREESWITCH": binary,
                "POINTSMAN_SIP": f"127.0.0.1:{free_port(socket.SOCK_DGRAM)}",
            }
        )
        self.settings, self.post = settings, post
        super().__init__(settings)
        self._numbers = itertools.count(1)
        with self.setting_up() as db:
            _furnish(db)

    def _switch(self, found: dict[str, Any]) -> HouseSwitch:
        return HouseSwitch(
            control=Address(found["control"]),
            password=found["password"],
            sip=Address(found["sip"]),
            engine=Address(found["esl"]),
            folder=self.home,
            phones=desk_phones(found["database_url"]),
            pid=0,
        )

    def caller(self, *, hertz: float = 700.0) -> OnLine:
        number = f"+4586{next(self._numbers):06d}"
        return OnLine(self, self.switch.outside(number, hertz=hertz), number)

    def ring(self, number: str, *, hertz: float = 700.0) -> OnLine:
        """A caller who has rung that number and was answered."""
        caller = self.caller(hertz=hertz)
        caller.phone.call(number)
        caller.phone.wait_for("established", 20)
        return caller

    def at_desk(self, *extensions: str, hertz: float = 1000.0) -> list[SipPhone]:
        """The phones of these agents, signed in; the agents are ready, and all others are not."""
        phones = [self.switch.desk(extension, hertz=hertz) for extension in extensions]
        for phone in phones:
            phone.register()
        self.on_duty(*extensions)
        return phones

    def told_of(self, caller: OnLine) -> Report:
        """The rows of a call that is over, complete and without contradiction."""
        caller.phone.wait_for("closed", 20)
        return self.report(caller)  # type: ignore[arg-type]

    def children(self) -> dict[str, int]:
        found = json.loads((self.home / "run" / "children.json").read_text())
        return {name: each["pid"] for name, each in found.items()}


def _furnish_home(home: Path) -> None:
    """Sounds that a test can tell from others, and words that do not take long."""
    (home / "music").mkdir()
    write_tone(home / "music" / "hold.wav", MUSIC, 8.0)
    folder = home / "prompts" / "en"
    folder.mkdir(parents=True)
    for name, (hertz, seconds) in _PROMPTS.items():
        write_tone(folder / f"{name}.wav", hertz, seconds)
    for name in _BRIEF:
        write_tone(folder / f"{name}.wav", 300, 0.5)


def _furnish(db: Any) -> None:
    """What these tests need beside the demo company; its doors are open, whatever day it is."""
    calendars = documents.read(
        """
calendars:
  - name: Reception
    weekly:
      mon-sun: ["00:00-24:00"]
  - name: Never
"""
    )
    dialplan_store.import_calendars(db, calendars, zone=ZoneInfo("Europe/Copenhagen"), years=range(2020, 2021))
    closed = Flow.parse(
        {
            "name": "closed",
            "start": "doors",
            "nodes": {
                "doors": {"type": "hours", "calendar": "Never", "exits": {"open": "bye", "closed": "words"}},
                "words": {"type": "play", "prompts": ["closed_hours"], "exits": {"next": "bye"}},
                "bye": {"type": "hang_up", "prompts": ["goodbye"]},
            },
        }
    )
    ivr_store.import_flow(db, closed, author="tests", at=datetime.now(UTC))
    with db.connection_context():
        Queue.create(name="patient", title="Patient", announce_seconds=5)
        Queue.create(name="nimble", title="Nimble", ring_seconds=3, announce_seconds=0)
        Agent.update(wrap_up_seconds=1).execute()
    for number, destination in {
        SALES: {"to": "queue", "queue": "sales"},
        PATIENT: {"to": "queue", "queue": "patient"},
        CLOSED: {"to": "flow", "flow": "closed"},
        BOX: {"to": "voicemail", "box": "sales"},
        NIMBLE: {"to": "queue", "queue": "nimble"},
    }.items():
        dialplan_store.save_number(db, number, f"Number {number}", destinations.decode(destination), country="DK")


@contextmanager
def running_house(home: Path, binary: str) -> Iterator[House]:
    """The installation, until the block ends; then everything has ended in order and nothing is left running."""
    with open_post() as post:
        house = House(home, binary, post)
        try:
            yield house
        finally:
            code = house.end()
            left = house.left_running()
    assert code == 0
    assert left == []
