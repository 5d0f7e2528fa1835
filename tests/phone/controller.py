"""A controller of a few lines, for what FreeSWITCH and the telephones do without any of our engine."""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote

from conf.settings import Address
from tests.phone.rig import PATIENCE, RigError

Event = dict[str, str]


class Wire:
    """One event-socket connection: replies in their order, events in a list."""

    def __init__(self, sock: socket.socket) -> None:
        self.events: list[Event] = []
        self.replies: queue.Queue[tuple[Event, str]] = queue.Queue()
        self._news = threading.Condition()
        self._socket = sock
        threading.Thread(target=self._read, daemon=True).start()

    def send(self, text: str, seconds: float = PATIENCE) -> tuple[Event, str]:
        self._socket.sendall(text.encode())
        return self.replies.get(timeout=seconds)

    def api(self, line: str) -> str:
        return self.send(f"api {line}\n\n")[1].strip()

    def wait(self, name: str, seconds: float = PATIENCE, *, after: int = 0, **headers: str) -> Event:
        """The first event of that name since index `after` whose headers (`_` for `-`) have these values."""
        return self._until(
            lambda event: (
                event["Event-Name"] == name
                and all(event.get(key.replace("_", "-")) == value for key, value in headers.items())
            ),
            seconds,
            after,
            f"no {name} {headers}",
        )

    def names(self) -> list[str]:
        with self._news:
            return [event["Event-Name"] for event in self.events]

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _until(self, fits: Callable[[Event], bool], seconds: float, after: int, otherwise: str) -> Event:
        end = time.monotonic() + seconds
        with self._news:
            while True:
                for event in self.events[after:]:
                    if fits(event):
                        return event
                left = end - time.monotonic()
                if left <= 0 or not self._news.wait(left):
                    raise RigError(f"{otherwise} in {seconds} s among {[event['Event-Name'] for event in self.events]}")

    def _read(self) -> None:
        with contextlib.suppress(OSError, ValueError), self._socket.makefile("rb") as stream:
            for head, body in _frames(stream):
                kind = head.get("Content-Type")
                if kind == "text/event-plain":
                    with self._news:
                        self.events.append(_event(body))
                        self._news.notify_all()
                elif kind not in ("auth/request", "text/disconnect-notice"):
                    self.replies.put((head, body))


class CallWire(Wire):
    """What FreeSWITCH opened for one call."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock)
        head, _ = self.send("connect\n\n")
        self.data = {name: unquote(value) for name, value in head.items()}
        self.uuid = self.data["Unique-ID"]
        self.send("myevents\n\n")
        self.send("linger 5\n\n")
        self.send("event plain RECORD_STOP PLAYBACK_START PLAYBACK_STOP\n\n")

    def execute(self, application: str, argument: str = "") -> str:
        """Start an application; the Event-UUID to `finished` with."""
        mark = str(uuid.uuid4())
        head = f"sendmsg\ncall-command: execute\nexecute-app-name: {application}\nEvent-UUID: {mark}\n"
        body = f"content-type: text/plain\ncontent-length: {len(argument)}\n\n{argument}" if argument else "\n"
        self.send(head + body)
        return mark

    def finished(self, mark: str, seconds: float = PATIENCE) -> Event:
        return self.wait("CHANNEL_EXECUTE_COMPLETE", seconds, Application_UUID=mark)

    def hang_up(self, cause: str = "NORMAL_CLEARING") -> None:
        self.send(f"sendmsg\ncall-command: hangup\nhangup-cause: {cause}\n\n")


class Engine:
    """Takes the calls FreeSWITCH brings; `next_call` hands them out."""

    def __init__(self, address: Address) -> None:
        self._server = socket.create_server((address.host, address.port))
        self._calls: queue.Queue[socket.socket] = queue.Queue()
        threading.Thread(target=self._accept, daemon=True).start()

    def next_call(self, seconds: float = PATIENCE) -> CallWire:
        try:
            return CallWire(self._calls.get(timeout=seconds))
        except queue.Empty:
            raise RigError(f"FreeSWITCH brought no call within {seconds} s") from None

    def close(self) -> None:
        self._server.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self._calls.put(self._server.accept()[0])


def control(address: Address, password: str) -> Wire:
    """The inbound link, signed in and told of every leg's life."""
    sock = socket.create_connection((address.host, address.port), PATIENCE)
    sock.settimeout(None)
    wire = Wire(sock)
    head, _ = wire.send(f"auth {password}\n\n")
    if head.get("Reply-Text") != "+OK accepted":
        wire.close()
        raise RigError(f"the event socket says {head.get('Reply-Text')}")
    wire.send(
        "event plain CHANNEL_CREATE CHANNEL_ANSWER CHANNEL_BRIDGE CHANNEL_UNBRIDGE CHANNEL_HANGUP"
        " CHANNEL_HANGUP_COMPLETE BACKGROUND_JOB\n\n"
    )
    return wire


def originate(wire: Wire, extension: str, **variables: str) -> tuple[str, str]:
    """Ring a desk phone and park it when it answers: the leg's uuid and the job's, whose end is BACKGROUND_JOB."""
    leg, job = str(uuid.uuid4()), str(uuid.uuid4())
    braces = ",".join(f"{name}={value}" for name, value in {"origination_uuid": leg, **variables}.items())
    wire.send(f"bgapi originate {{{braces}}}user/{extension} &park()\nJob-UUID: {job}\n\n")
    return leg, job


def _frames(stream: Any) -> Iterator[tuple[Event, str]]:
    head: Event = {}
    for line in stream:
        text = line.decode().rstrip("\n")
        if text:
            name, _, value = text.partition(": ")
            head[name] = value
        elif head:
            body = stream.read(int(head.get("Content-Length", 0)))
            yield head, body.decode()
            head = {}


def _event(text: str) -> Event:
    head, _, body = text.partition("\n\n")
    lines = (line.partition(": ") for line in head.split("\n"))
    return {**{name: unquote(value) for name, _, value in lines}, "body": body}
