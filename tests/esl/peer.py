"""FreeSWITCH's end of an event socket, played by a test over loopback: it says what the test tells it, right or wrong."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import quote

import gevent

from engine.esl.outbound import CallLink

UUID = "4a8c3435-637d-4be3-bd4e-83b17591fdd7"


@dataclass
class Command:
    line: str
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""


class Peer:
    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.sock.settimeout(10)
        self._buffer = b""

    # what it hears

    def _until(self, size: int) -> None:
        while len(self._buffer) < size:
            data = self.sock.recv(65536)
            if not data:
                raise EOFError
            self._buffer += data

    def received(self, size: int) -> bytes:
        """The next so many bytes."""
        self._until(size)
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        return data

    def silent(self, seconds: float) -> bool:
        """Whether nothing more comes within that time."""
        self.sock.settimeout(seconds)
        try:
            self._until(1)
        except TimeoutError:
            pass
        finally:
            self.sock.settimeout(10)
        return not self._buffer

    def command(self) -> Command:
        # As FreeSWITCH does: line ends before a command are nothing.
        self._until(1)
        while self._buffer[0] == 10:
            self._buffer = self._buffer.lstrip(b"\n")
            self._until(1)
        while b"\n\n" not in self._buffer:
            self._until(len(self._buffer) + 1)
        head, _, self._buffer = self._buffer.partition(b"\n\n")
        line, *rest = head.decode().split("\n")
        headers = {name.lower(): value for name, _, value in (one.partition(": ") for one in rest)}
        length = int(headers.get("content-length", 0))
        self._until(length)
        body, self._buffer = self._buffer[:length].decode(), self._buffer[length:]
        return Command(line, headers, body)

    def is_closed(self) -> bool:
        """Whether the other end has closed, reading what it said before that."""
        try:
            while self.sock.recv(65536):
                pass
        except ConnectionError:
            pass
        except TimeoutError:
            return False
        return True

    # what it says

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def reply(self, text: str = "+OK") -> None:
        self.send(f"Content-Type: command/reply\nReply-Text: {text}\n\n".encode())

    def response(self, text: str) -> None:
        body = text.encode()
        self.send(b"Content-Type: api/response\nContent-Length: %d\n\n%s" % (len(body), body))

    def event(self, name: str, uuid: str | None = UUID, body: str = "", **headers: str) -> None:
        lines = {"Event-Name": name, **({} if uuid is None else {"Unique-ID": uuid})}
        lines |= {
            key if key.startswith("variable_") else key.replace("_", "-"): value for key, value in headers.items()
        }
        if body:
            lines["Content-Length"] = str(len(body.encode()))
        plain = "".join(f"{key}: {quote(value)}\n" for key, value in lines.items()) + "\n" + body
        data = plain.encode()
        self.send(b"Content-Length: %d\nContent-Type: text/event-plain\n\n%s" % (len(data), data))

    def complete(self, command: Command, response: str = "", **headers: str) -> None:
        self.event(
            "CHANNEL_EXECUTE_COMPLETE",
            Application=command.headers["execute-app-name"],
            Application_UUID=command.headers["event-uuid"],
            Application_Response=response or "_none_",
            **headers,
        )

    def notice(self, disposition: str = "disconnect") -> None:
        body = (
            b"" if disposition == "linger" else b"Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n"
        )
        head = f"Content-Type: text/disconnect-notice\nControlled-Session-UUID: {UUID}\nContent-Disposition: {disposition}\n"
        self.send(head.encode() + b"Content-Length: %d\n\n%s" % (len(body), body))

    def channel_data(self, **more: str) -> None:
        lines = {
            "Event-Name": "CHANNEL_DATA",
            "Unique-ID": UUID,
            "Caller-Caller-ID-Name": "Test Caller",
            "Caller-Destination-Number": "5000",
            "variable_uuid": UUID,
            "Content-Type": "command/reply",
            "Reply-Text": "+OK\n",
            "Socket-Mode": "async",
            "Control": "full",
        } | {key.replace("__", "-"): value for key, value in more.items()}
        self.send(("".join(f"{key}: {quote(value, '/')}\n" for key, value in lines.items()) + "\n").encode())

    def take_call(self, **more: str) -> list[str]:
        """Hear `connect` and what comes with it, answer all; the lines."""
        lines = [self.command().line]
        self.channel_data(**more)
        while not lines[-1].startswith("event plain"):
            lines.append(self.command().line)
            self.reply()
        return lines

    def close(self) -> None:
        self.sock.close()


def sockets() -> tuple[socket.socket, socket.socket]:
    """Two ends of one TCP connection over loopback: ours, and FreeSWITCH's."""
    listening = socket.create_server(("127.0.0.1", 0))
    theirs = socket.create_connection(listening.getsockname())
    ours, _ = listening.accept()
    listening.close()
    return ours, theirs


@contextmanager
def calling(connected: bool = True, **more: str) -> Iterator[tuple[CallLink, Peer]]:
    """A call's link and the peer at its other end; connected, with the usual events asked for, unless told not to."""
    ours, theirs = sockets()
    link, peer = CallLink(("127.0.0.1", 0), ours), Peer(theirs)
    try:
        if connected:
            taking = gevent.spawn(peer.take_call, **more)
            link.connect(5)
            taking.get(timeout=5)
        yield link, peer
    finally:
        link.close()
        peer.close()
