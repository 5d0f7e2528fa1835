"""A whole installation on a real FreeSWITCH, and telephones that ring it: tests/call/installation.py with other parts."""

from __future__ import annotations

import itertools
import json
import shutil
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
from sounds.catalogue import SHIPPED
from tests.call.conftest import WAYS_OUT
from tests.call.installation import Installation, environment
from tests.call.report import Report
from tests.phone.rig import PATIENCE, RunningSwitch, SipPhone
from tests.phone.tones import WINDOW, loudness_of, seconds_of_tone, write_tone
from tests.post import Post, open_post
from tests.processes import left_running
from tests.switch_keys import lay_keys
from tests.waiting import eventually

SALES, PATIENT, CLOSED, BOX, NIMBLE, WORDY = (str(number) for number in range(5020, 5026))
"""Numbers: straight into queue sales, into one that tells the place, a closed door, a message box, a queue of short rings, and
a menu after a long greeting."""

MUSIC, PLACE, SHUT, BEEP, GREETING, EIGHT = 440.0, 1600.0, 1300.0, 1900.0, 1150.0, 2000.0
"""The tones that stand for the music on hold, a place in the queue, the words of a closed door, the beep, a greeting, the digit
8."""

ASKED = {"menu_main": 1750.0, "enter_number": 2150.0, "confirm_number": 2300.0, "enter_code": 2450.0,
         "callback_confirm": 2600.0, "menu_message": 2750.0, "callback_greeting": 2900.0}  # fmt: skip
"""The questions that a test waits to hear, by the tones that stand for them."""

_PROMPTS = {
    "queue_position": (PLACE, 1.0),
    "closed_hours": (SHUT, 1.0),
    "tone": (BEEP, 0.3),
    "greeting": (GREETING, 3.0),
    "number_8": (EIGHT, 0.3),
}
_WORD = (300.0, 0.1)
"""What all other prompts sound like."""
_MUSIC_SECONDS = 900
"""FreeSWITCH plays nothing for a second whenever it begins the folder anew (mod_local_stream.c, read_stream_thread): the music
is longer than the tests."""


class HouseSwitch(RunningSwitch):
    """The installation's FreeSWITCH, as `Installation` asks it."""

    def channels(self) -> list[dict[str, str]]:
        rows: list[dict[str, str]] = json.loads(self.api("show channels as json")).get("rows", [])
        return rows

    def signed_in(self) -> dict[str, str]:
        """Address and port that each phone has signed in from, by extension."""
        rows: list[dict[str, str]] = json.loads(self.api("show registrations as json")).get("rows", [])
        return {row["reg_user"]: f"{row['network_ip']}:{row['network_port']}" for row in rows}

    def rung_since(self) -> dict[str, int]:
        """The seconds of FreeSWITCH's clock in which the phones that ring, or talk, began to be rung, by extension."""
        legs = [row for row in self.channels() if row["direction"] == "outbound"]
        return {leg["dest"].partition("%")[0]: int(leg["created_epoch"]) for leg in legs}


class OnLine:
    """A caller from outside."""

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

    def see(self, seconds: float = PATIENCE, **shown: object) -> dict[str, Any]:
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
            environment(home)
            | WAYS_OUT
            | post.settings
            | {
                "POINTSMAN_FREESWITCH": binary,
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

    def caller(self, number: str = "", *, hertz: float = 700.0) -> OnLine:
        """A caller from this number, or from one that nobody had before."""
        number = number or f"+4586{next(self._numbers):06d}"
        return OnLine(self, self.switch.outside(number, hertz=hertz), number)

    def ring(self, number: str, *, hertz: float = 700.0, caller_number: str = "") -> OnLine:
        """A caller who has rung that number and was answered."""
        caller = self.caller(caller_number, hertz=hertz)
        caller.phone.call(number)
        caller.phone.wait_for("established")
        return caller

    def at_desk(self, *extensions: str, hertz: float = 1000.0) -> list[SipPhone]:
        """The phones of these agents, signed in; the agents are ready, and all others are not."""
        before = self.switch.signed_in()
        phones = [self.switch.desk(extension, hertz=hertz) for extension in extensions]
        for phone in phones:
            phone.register()

        def known() -> None:
            # FreeSWITCH writes the table of registrations beside them, and by it a phone that dials is known.
            signed_in = self.switch.signed_in()
            assert all(signed_in.get(extension) not in (None, before.get(extension)) for extension in extensions)

        eventually(known, PATIENCE)
        self.on_duty(*extensions)
        return phones

    def comes(self, extension: str, *, hertz: float = 1000.0) -> SipPhone:
        """The phone of an agent who comes to their desk: for them somebody may wait already."""
        phone = self.switch.desk(extension, hertz=hertz)
        phone.register()
        self.choose(extension, "ready")
        return phone

    def told_of(self, caller: OnLine) -> Report:
        """The rows of a call that is over, or about to be, complete and without contradiction."""
        caller.phone.wait_for("closed")
        return self.report(caller)  # type: ignore[arg-type]

    def check_message(self, report: Report, hertz: float, number: str) -> None:
        """A message for the box `sales` was kept, and holds what this caller said, which is this tone, and nothing else."""
        (message,) = report.messages
        assert (message["box"], message["caller_number"]) == ("sales", number)
        file = self.home / "recordings" / message["path"]
        seconds = float(message["seconds"])
        assert abs(seconds - WINDOW * len(loudness_of(file, hertz))) < 2 * WINDOW
        assert seconds_of_tone(file, hertz) > max(1.2, seconds - 0.5)

    def children(self) -> dict[str, int]:
        found = json.loads((self.home / "run" / "children.json").read_text())
        return {name: each["pid"] for name, each in found.items()}


def _furnish_home(home: Path) -> None:
    """Sounds that a test can tell from others, and words that do not take long; and FreeSWITCH's keys."""
    lay_keys(home / "freeswitch")
    (home / "music").mkdir()
    write_tone(home / "music" / "hold.wav", MUSIC, _MUSIC_SECONDS)
    folder = home / "prompts" / "en"
    folder.mkdir(parents=True)
    word = write_tone(folder / "goodbye.wav", *_WORD)
    for shipped in (SHIPPED / "en").glob("*.wav"):
        if shipped.name != word.name:
            shutil.copyfile(word, folder / shipped.name)
    for name, (hertz, seconds) in (_PROMPTS | {name: (hertz, 0.4) for name, hertz in ASKED.items()}).items():
        write_tone(folder / f"{name}.wav", hertz, seconds)


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
    wordy = Flow.parse(
        {
            "name": "wordy",
            "start": "words",
            "nodes": {
                "words": {"type": "play", "prompts": ["greeting"], "exits": {"next": "menu"}},
                "menu": {"type": "menu", "prompts": ["menu_main"], "exits": {"1": "sales", "no_input": "bye"}},
                "sales": {"type": "queue", "queue": "sales", "exits": {"otherwise": "bye"}},
                "bye": {"type": "hang_up", "prompts": ["goodbye"]},
            },
        }
    )
    for flow in (closed, wordy):
        ivr_store.import_flow(db, flow, author="tests", at=datetime.now(UTC))
    with db.connection_context():
        Queue.create(name="patient", title="Patient", announce_seconds=3)
        Queue.create(name="nimble", title="Nimble", ring_seconds=3, announce_seconds=0)
        Agent.update(wrap_up_seconds=0).execute()
        Queue.update(short_abandon_seconds=1).where(Queue.name == "sales").execute()
        db.execute_sql("UPDATE queue SET rules = rules || '{\"nobody_grace_seconds\": 1}' WHERE name = 'sales'")
    for number, destination in {
        SALES: {"to": "queue", "queue": "sales"},
        PATIENT: {"to": "queue", "queue": "patient"},
        CLOSED: {"to": "flow", "flow": "closed"},
        BOX: {"to": "voicemail", "box": "sales"},
        NIMBLE: {"to": "queue", "queue": "nimble"},
        WORDY: {"to": "flow", "flow": "wordy"},
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
            left = left_running(house.home)
    assert code == 0
    assert left == []
