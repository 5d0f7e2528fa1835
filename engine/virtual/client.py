"""One event socket connection as its user sees it: commands answered one by one, events in order. Blocking, for one greenlet
(or thread) at a time; what talks to a switch in earnest is `engine.esl`."""

from __future__ import annotations

import json
import socket
import time
from collections import deque
from collections.abc import Callable
from uuid import uuid4

from engine.esl.errors import FrameBroken
from engine.esl.frames import Event, Frame, FrameReader
from engine.virtual.encode import octets
from engine.virtual.errors import VirtualError


class SwitchSilent(VirtualError):
    """The switch did not say what was waited for, or has closed the connection."""


class SwitchRefuses(VirtualError):
    """The switch does not accept the password."""


class Connection:
    """Frames in and out of a connected socket. Every wait has a time-out in the wall's seconds and ends in SwitchSilent."""

    def __init__(self, sock: socket.socket, timeout: float = 10.0) -> None:
        self.timeout = timeout
        self.closed = False
        self.seen: list[Event] = []
        """All events so far, also those that were waited for."""
        self.notices: list[Frame] = []
        self.json: list[dict[str, str]] = []
        """Events that came as JSON."""
        self._sock = sock
        self._reader = FrameReader()
        self._replies: deque[Frame] = deque()
        self._events: deque[Event] = deque()

    @classmethod
    def inbound(cls, host: str, port: int, password: str, timeout: float = 10.0) -> Connection:
        """Connect and authenticate. OSError where nobody listens, SwitchRefuses, SwitchSilent."""
        connection = cls(socket.create_connection((host, port), timeout=timeout), timeout)
        connection.reply()
        answer = connection.send(f"auth {password}").get("Reply-Text") or ""
        if not answer.startswith("+OK"):
            connection.close()
            raise SwitchRefuses("the switch does not accept this password")
        return connection

    def write(self, text: str) -> None:
        self._sock.sendall(octets(text))

    def send(self, *lines: str, body: str | None = None) -> Frame:
        """One command of one or more lines; its reply."""
        return self.send_all((lines, body))[0]

    def send_all(self, *commands: tuple[tuple[str, ...], str | None]) -> list[Frame]:
        """Several commands in one write; their replies."""
        self.write("".join(_command(lines, body) for lines, body in commands))
        return [self.reply() for _ in commands]

    def api(self, line: str) -> str:
        return self.send(f"api {line}").data

    def background(self, line: str, timeout: float | None = None) -> str:
        """`bgapi` with an id of our own; its result. Asks for BACKGROUND_JOB itself. Events that come before it are still to
        be had: those of a leg that the command began come in no order with the command's end."""
        self.send("event plain BACKGROUND_JOB")
        job = str(uuid4())
        self.send(f"bgapi {line}", f"Job-UUID: {job}")

        def ended() -> list[Event]:
            return [event for event in self._events if event.get("Job-UUID") == job and event.name == "BACKGROUND_JOB"]

        self._read_until(lambda: bool(ended()), timeout)
        (found,) = ended()
        self._events.remove(found)
        return found.text

    def execute(
        self, application: str, argument: str = "", *, uuid: str = "", lock: bool = False, loops: int = 1
    ) -> str:
        """`sendmsg execute`; the reply's text."""
        lines = ["sendmsg", "call-command: execute", f"execute-app-name: {application}"]
        lines += [f"event-uuid: {uuid}"] if uuid else []
        lines += ["event-lock: true"] if lock else []
        lines += [f"loops: {loops}"] if loops != 1 else []
        lines += ["content-type: text/plain", f"content-length: {len(octets(argument))}"] if argument else []
        return self.send(*lines, body=argument or None).get("Reply-Text") or ""

    def reply(self, timeout: float | None = None) -> Frame:
        self._read_until(lambda: bool(self._replies), timeout)
        return self._replies.popleft()

    def event(self, name: str, timeout: float | None = None, **wanted: str) -> Event:
        """The next event of that name whose headers are as wanted; others before it are passed over."""
        found: list[Event] = []

        def arrived() -> bool:
            while self._events and not found:
                event = self._events.popleft()
                if event.name == name and all(event.get(key) == value for key, value in wanted.items()):
                    found.append(event)
            return bool(found)

        self._read_until(arrived, timeout)
        return found[0]

    def next_event(self, timeout: float | None = None) -> Event:
        self._read_until(lambda: bool(self._events), timeout)
        return self._events.popleft()

    def until_closed(self, timeout: float | None = None) -> None:
        self._read_until(lambda: self.closed, timeout)

    def json_event(self, timeout: float | None = None, **wanted: str) -> dict[str, str]:
        """The first event as JSON, of all that came, whose headers are as wanted (`_` for `-`)."""
        asked = {name.replace("_", "-"): value for name, value in wanted.items()}

        def found() -> list[dict[str, str]]:
            return [each for each in self.json if asked.items() <= each.items()]

        self._read_until(lambda: bool(found()), timeout)
        return found()[0]

    def listen(self, seconds: float) -> None:
        """Take in whatever comes within that time."""
        end = time.monotonic() + seconds
        while not self.closed and time.monotonic() < end:
            self._read(end - time.monotonic())

    def close(self) -> None:
        self.closed = True
        self._sock.close()

    def _read_until(self, arrived: Callable[[], bool], timeout: float | None) -> None:
        end = time.monotonic() + (self.timeout if timeout is None else timeout)
        while not arrived():
            if self.closed:
                raise SwitchSilent("the connection is closed")
            if time.monotonic() >= end:
                raise SwitchSilent("nothing came within the time")
            self._read(end - time.monotonic())

    def _read(self, seconds: float) -> None:
        self._sock.settimeout(max(0.001, seconds))
        try:
            data = self._sock.recv(65536)
        except TimeoutError:
            return
        except OSError:
            data = b""
        if not data:
            self.closed = True
            return
        try:
            frames = self._reader.feed(data)
        except FrameBroken as error:
            raise SwitchSilent(f"the switch does not speak the event socket: {error}") from error
        for frame in frames:
            self._sort(frame)

    def _sort(self, frame: Frame) -> None:
        if frame.content_type == b"text/event-json":
            self.json.append(json.loads(frame.body))
        elif frame.is_event:
            self._events.append(frame.event)
            self.seen.append(frame.event)
        elif frame.content_type == b"text/disconnect-notice":
            self.notices.append(frame)
        else:
            self._replies.append(frame)


def _command(lines: tuple[str, ...], body: str | None) -> str:
    return "\n".join(lines) + "\n\n" + (body or "")
