"""Real SIP telephones and a real FreeSWITCH for tests, all on loopback and free ports.

Every telephone is a process of its own (handset.py): the SIP stack can run once in a process, and it has its own event loop.
"""

from __future__ import annotations

import array
import json
import math
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import wave
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conf.settings import Address
from dialplan.freeswitch import DeskPhone, command_line, installed_modules, render

HANDSET = Path(__file__).with_name("handset.py")


class RigError(Exception):
    """A telephone or the switch did not do what it was told, or not in time."""


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port nobody has on loopback, for TCP and UDP alike."""
    while True:
        with closing(socket.socket(socket.AF_INET, kind)) as one:
            one.bind(("127.0.0.1", 0))
            port: int = one.getsockname()[1]
            other = socket.SOCK_DGRAM if kind == socket.SOCK_STREAM else socket.SOCK_STREAM
            with closing(socket.socket(socket.AF_INET, other)) as two:
                try:
                    two.bind(("127.0.0.1", port))
                except OSError:
                    continue
                return port


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
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.extension = extension
        self.hertz = hertz
        self.events: list[dict[str, Any]] = []
        self._told = threading.Condition()
        self._orders = 0
        self._process = subprocess.Popen(
            [
                sys.executable,
                str(HANDSET),
                json.dumps(
                    {
                        "user": extension,
                        "password": password,
                        "server": str(server),
                        "folder": str(folder),
                        "hertz": hertz,
                        "loudness": loudness,
                        "speech": str(speech) if speech else None,
                    }
                ),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        threading.Thread(target=self._listen, daemon=True).start()
        self.wait_for("ready", 15)

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

    def reject(self) -> None:
        """486 Busy Here."""
        self._order("reject")

    def press(self, digits: str) -> None:
        """Keys as RFC 2833 telephone events, 100 ms each."""
        self._order("press", digits)

    def hang_up(self) -> None:
        self._order("hang_up")

    def listen(self, seconds: float) -> None:
        """Wait till so much more was heard in this call."""
        with self._told:
            so_far = max((told["seconds"] for told in self.events if told.get("event") == "heard"), default=0.0)
        self._wait(
            lambda told: told.get("event") == "heard" and told["seconds"] >= so_far + seconds,
            seconds + 5,
            0,
            f"{self.extension}: nothing more heard",
        )

    def heard(self, seconds: float = 10) -> Path:
        """The WAV of what this phone heard in its last call; waits for that call to end."""
        return Path(self.wait_for("closed", seconds)["heard"])

    def wait_for(self, event: str, seconds: float = 10, *, after: int = 0) -> dict[str, Any]:
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
                self._process.wait(5)
            except (RigError, subprocess.TimeoutExpired, OSError):
                self._process.kill()
        self._process.wait(5)
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    def _order(self, order: str, *arguments: Any) -> None:
        self._orders += 1
        number = self._orders
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"order": order, "id": number, "with": arguments}) + "\n")
        self._process.stdin.flush()
        reply = self._wait(lambda told: told.get("id") == number, 12, 0, f"{self.extension}: {order} had no end")
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

    def _open(self, user: str, password: str, hertz: float) -> SipPhone:
        folder = self.folder / "phones" / f"{len(list((self.folder / 'phones').glob('*')))}-{user.lstrip('+')}"
        phone = SipPhone(user, password, server=self.sip, folder=folder, hertz=hertz)
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
    sip = Address(f"127.0.0.1:{free_port(socket.SOCK_DGRAM)}")
    engine: Address = changes.pop("engine", None) or Address(f"127.0.0.1:{free_port()}")
    phones = [DeskPhone(str(1001 + n), f"Agent {n + 1}", f"pass-{n}-{os.urandom(6).hex()}") for n in range(4)]
    password = os.urandom(12).hex()
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
            switch.close_phones()
    finally:
        process.kill()
        process.wait(10)


def _await_control(process: subprocess.Popen[bytes], control: Address, password: str, folder: Path) -> None:
    """Until the event socket takes the password and the SIP profile runs."""
    end = time.monotonic() + 30
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


def ask(control: Address, password: str, line: str, seconds: float = 10) -> str:
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


def loudness_of(path: Path, hertz: float, *, channel: int = 0, window: float = 0.2) -> list[float]:
    """How loud a tone of `hertz` is in each window of a WAV, 0 to 1 of full scale, by Goertzel's filter."""
    with wave.open(str(path), "rb") as file:
        rate, channels = file.getframerate(), file.getnchannels()
        samples = memoryview(file.readframes(file.getnframes())).cast("h")[channel::channels].tolist()
    size = int(rate * window)
    turn = 2 * math.cos(2 * math.pi * hertz / rate)
    levels = []
    for start in range(0, len(samples) - size + 1, size):
        last = before = 0.0
        for sample in samples[start : start + size]:
            last, before = sample + turn * last - before, last
        power = max(0.0, last * last + before * before - turn * last * before)
        levels.append(2 * math.sqrt(power) / size / 32768)
    return levels


def tone(hertz: float, loudness: float, seconds: float = 10.0) -> bytes:
    """A sine, 8 kHz 16-bit mono."""
    wave_form = (int(32767 * loudness * math.sin(2 * math.pi * hertz * n / 8000)) for n in range(int(8000 * seconds)))
    return array.array("h", wave_form).tobytes()


def write_tone(path: Path, hertz: float, seconds: float) -> Path:
    """A WAV of a sine."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(tone(hertz, 0.3, seconds))
    return path


def seconds_of_tone(path: Path, hertz: float, *, channel: int = 0, least: float = 0.05, window: float = 0.2) -> float:
    """For how long the tone is there in the WAV."""
    return window * sum(level >= least for level in loudness_of(path, hertz, channel=channel, window=window))
