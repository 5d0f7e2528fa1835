"""Real SIP telephones and a real FreeSWITCH for tests, all on loopback and free ports.

Every telephone is a process of its own (handset.py): the SIP stack can run once in a process, and it has its own event loop.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conf.settings import Address
from dialplan.freeswitch import DeskPhone, command_line, installed_modules, render
from tests.phone.tones import Ear
from tests.ports import free_port
from tests.switch_keys import lay_keys

HANDSET = Path(__file__).with_name("handset.py")
PATIENCE = 40.0
"""How long, in seconds, is waited for what a phone or the switch is sure to do: also on a machine that has much else to do."""


class RigError(Exception):
    """A telephone or the switch did not do what it was told, or not in time."""


def start_handset() -> subprocess.Popen[str]:
    """A process that waits to be told what telephone it is."""
    pipe = subprocess.PIPE
    return subprocess.Popen([sys.executable, str(HANDSET)], stdin=pipe, stdout=pipe, text=True, bufsize=1)


class Spares:
    """Handsets that are started already, as it takes them a while: while a test waits for something else."""

    MANY = 3

    def __init__(self) -> None:
        self._waiting: list[subprocess.Popen[str]] = []

    def take(self) -> subprocess.Popen[str]:
        self._waiting += [start_handset() for _ in range(self.MANY + 1 - len(self._waiting))]
        return self._waiting.pop(0)

    def close(self) -> None:
        while self._waiting:
            with self._waiting.pop() as handset:
                handset.kill()


class SipPhone:
    """A telephone with an extension and a password, or, without a password, one from outside that never registers.

    It speaks a tone of `hertz` all the while it is in a call (or the WAV `speech`, over and over), and writes what it hears
    to a file. Every method that waits raises RigError when nothing came in time.
    """

    def __init__(
        self,
        extension: str,
        password: str,
        *,
        server: Address,
        folder: Path,
        hertz: float = 700.0,
        loudness: float = 0.3,
        speech: Path | None = None,
        handset: subprocess.Popen[str] | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.extension = extension
        self.hertz = hertz
        self.events: list[dict[str, Any]] = []
        self._told = threading.Condition()
        self._orders = 0
        self._process = handset or start_handset()
        assert self._process.stdin is not None
        wanted = {
            "user": extension,
            "password": password,
            "server": str(server),
            "folder": str(folder),
            "hertz": hertz,
            "loudness": loudness,
            "speech": str(speech) if speech else None,
        }
        self._process.stdin.write(json.dumps(wanted) + "\n")
        self._process.stdin.flush()
        threading.Thread(target=self._listen, daemon=True).start()
        self.wait_for("ready")

    def register(self) -> None:
        """Sign in at the switch; RigError says why that failed, with the SIP status."""
        self._order("register")

    def unregister(self) -> None:
        self._order("unregister")

    def call(self, number: str, headers: dict[str, str] | None = None) -> None:
        """Dial; returns when the INVITE is on its way. `wait_for("established")` is the answer."""
        self._order("call", number, headers or {})

    def answer(self) -> None:
        self._order("answer")

    def answer_next(self) -> None:
        """The next call that comes in is picked up the moment it rings, by the phone itself."""
        self._order("answer_next")

    def reject(self) -> None:
        """486 Busy Here."""
        self._order("reject")

    def press(self, digits: str) -> None:
        """Keys as RFC 2833 telephone events, 100 ms each."""
        self._order("press", digits)

    def hang_up(self) -> None:
        self._order("hang_up")

    def listen(self, seconds: float) -> None:
        """Wait till so much more came from the other side in this call, be it silence: for as long is heard who speaks."""
        began = max((told["seconds"] for told in self._heard_now()), default=0.0)
        self._wait(
            lambda told: told.get("event") == "heard" and told["seconds"] >= began + seconds,
            PATIENCE + seconds,
            len(self.events),
            f"{self.extension}: nothing more heard",
        )

    def listen_for(self, hertz: float, seconds: float) -> None:
        """Wait till a tone was heard for so long in this call, altogether, from its beginning on."""
        ear: Ear | None = None
        end = time.monotonic() + PATIENCE
        while True:
            with self._told:
                so_far = len(self.events)
            ear = ear or self._ear(hertz)
            heard = ear.seconds() if ear is not None else 0.0
            if heard >= seconds:
                return
            with self._told:
                left = end - time.monotonic()
                if left <= 0:
                    raise RigError(f"{self.extension}: {hertz:g} Hz heard for {heard} s instead of {seconds} s")
                if len(self.events) == so_far:
                    self._told.wait(left)

    def heard_of(self, hertz: float) -> float:
        """For how long a tone was heard so far in this call."""
        ear = self._ear(hertz)
        return ear.seconds() if ear is not None else 0.0

    def _ear(self, hertz: float) -> Ear | None:
        heard = self._heard_now()
        return Ear(Path(heard[-1]["file"]), hertz) if heard else None

    def _heard_now(self) -> list[dict[str, Any]]:
        """What was told of this call's sound: nothing of the call before it, which may still be ending."""
        with self._told:
            numbers = [told["call"] for told in self.events if told.get("event") == "begun"]
            heard = [told for told in self.events if told.get("event") == "heard"]
        return [told for told in heard if told["call"] >= max(numbers, default=0)]

    def heard(self, seconds: float = PATIENCE) -> Path:
        """The WAV of what this phone heard in its last call; waits for that call to end."""
        return Path(self.wait_for("closed", seconds)["heard"])

    @property
    def rung(self) -> bool:
        """Whether a call has come in."""
        with self._told:
            return any(told.get("event") == "incoming" for told in self.events)

    def wait_for(self, event: str, seconds: float = PATIENCE, *, after: int = 0) -> dict[str, Any]:
        """The first event of this name since index `after` of `events`."""
        return self._wait(lambda told: told.get("event") == event, seconds, after, f"{self.extension}: no {event}")

    def forget(self) -> None:
        """Take all events so far as seen, before another call with the same phone."""
        with self._told:
            self.events.clear()

    def close(self) -> None:
        if self._process.poll() is None:
            try:
                self._order("quit")
                self._process.wait(PATIENCE)
            except (RigError, subprocess.TimeoutExpired, OSError):
                self._process.kill()
        self._process.wait(PATIENCE)
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    def _order(self, order: str, *arguments: Any) -> None:
        self._orders += 1
        number = self._orders
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"order": order, "id": number, "with": arguments}) + "\n")
        self._process.stdin.flush()
        reply = self._wait(lambda told: told.get("id") == number, PATIENCE, 0, f"{self.extension}: {order} had no end")
        if reply["fault"]:
            raise RigError(f"{self.extension}: {order}: {reply['fault']}")

    def _wait(
        self, fits: Callable[[dict[str, Any]], bool], seconds: float, after: int, otherwise: str
    ) -> dict[str, Any]:
        end = time.monotonic() + seconds
        with self._told:
            while True:
                for told in self.events[after:]:
                    if fits(told):
                        return told
                left = end - time.monotonic()
                if left <= 0 or not self._told.wait(left):
                    raise RigError(f"{otherwise} within {seconds} s; it told {self.events}")

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._told:
                self.events.append(json.loads(line))
                self._told.notify_all()


@dataclass
class RunningSwitch:
    """A FreeSWITCH of this test run, and the makings of phones for it."""

    control: Address
    password: str
    sip: Address
    engine: Address
    folder: Path
    phones: Sequence[DeskPhone]
    pid: int
    opened: list[SipPhone] = field(default_factory=list)
    spares: Spares = field(default_factory=Spares)

    def desk(self, extension: str, *, hertz: float = 1000.0, password: str | None = None) -> SipPhone:
        """The telephone of an extension that the switch knows; not registered yet."""
        known = {phone.extension: phone.password for phone in self.phones}
        return self._open(extension, known.get(extension, "") if password is None else password, hertz)

    def outside(self, number: str, *, hertz: float = 700.0) -> SipPhone:
        """A telephone that has no account here and calls over a trunk."""
        return self._open(number, "", hertz)

    def api(self, line: str) -> str:
        """One api command's answer, stripped."""
        return ask(self.control, self.password, line).strip()

    def close_phones(self) -> None:
        while self.opened:
            self.opened.pop().close()

    def close(self) -> None:
        """No phone is left, nor any to come."""
        self.close_phones()
        self.spares.close()

    def _open(self, user: str, password: str, hertz: float) -> SipPhone:
        folder = self.folder / "phones" / f"{len(list((self.folder / 'phones').glob('*')))}-{user.lstrip('+')}"
        handset = self.spares.take()
        phone = SipPhone(user, password, server=self.sip, folder=folder, hertz=hertz, handset=handset)
        self.opened.append(phone)
        return phone


def freeswitch_binary() -> str | None:
    """The FreeSWITCH that tests run against, None where the machine has none."""
    named = os.environ.get("POINTSMAN_FREESWITCH", "")
    return named if named.startswith("/") else shutil.which("freeswitch")


@contextmanager
def running_freeswitch(binary: str, folder: Path, **changes: Any) -> Iterator[RunningSwitch]:
    """FreeSWITCH with our configuration and four desk phones, until the block ends. `changes` go to `render`.

    It is killed at the end: an orderly end takes it some seconds, and nothing of it is kept."""
    control = Address(f"127.0.0.1:{free_port()}")
    sip = Address(f"127.0.0.1:{free_port()}")
    engine: Address = changes.pop("engine", None) or Address(f"127.0.0.1:{free_port()}")
    phones = [DeskPhone(str(1001 + n), f"Agent {n + 1}", f"pass-{n}-{os.urandom(6).hex()}") for n in range(4)]
    password = os.urandom(12).hex()
    lay_keys(folder)
    render(
        folder / "conf",
        **{
            "control": control,
            "control_password": password,
            "sip": sip,
            "engines": [engine],
            "phones": phones,
            "available": installed_modules(binary),
            "rtp_ports": (40000, 49998),
            "log_level": "debug",
            **changes,
        },
    )
    process = subprocess.Popen(
        command_line(binary, folder), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _await_control(process, control, password, folder)
        switch = RunningSwitch(control, password, sip, engine, folder, phones, process.pid)
        try:
            yield switch
        finally:
            switch.close()
    finally:
        process.kill()
        process.wait(10)


def _await_control(process: subprocess.Popen[bytes], control: Address, password: str, folder: Path) -> None:
    """Until the event socket takes the password and the SIP profile runs."""
    end = time.monotonic() + 2 * PATIENCE
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RigError(f"FreeSWITCH ended with {process.returncode}; see {folder / 'log'}")
        try:
            if "RUNNING" in ask(control, password, "sofia status"):
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise RigError(f"FreeSWITCH did not answer on {control} in time; see {folder / 'log'}")


def ask(control: Address, password: str, line: str, seconds: float = PATIENCE) -> str:
    """One api command over a connection of its own, without any of the code under test."""
    with closing(socket.create_connection((control.host, control.port), seconds)) as wire:
        stream = wire.makefile("rwb")
        for command in ("", f"auth {password}", f"api {line}"):
            if command:
                stream.write(f"{command}\n\n".encode())
                stream.flush()
            length = 0
            while (header := stream.readline()) not in (b"\n", b""):
                if header.lower().startswith(b"content-length:"):
                    length = int(header.split(b":")[1])
            body = stream.read(length)
        return body.decode()
