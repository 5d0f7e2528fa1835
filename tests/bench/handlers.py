"""What a user would write without Pointsman: bare handlers for the same traffic, with no queue, no records, no screen pops.

`python tests/bench/handlers.py greenswitch|lazy PORT` serves calls on 127.0.0.1:PORT until it is killed.
"""

from __future__ import annotations

import sys

if sys.argv[1:2] == ["greenswitch"]:
    from gevent import monkey

    monkey.patch_all()

import logging
import resource
from typing import Any

import gevent
from gevent.pool import Pool
from gevent.server import StreamServer

WAIT = "3"
"""The key of those who want to wait; everybody else is bridged."""


class Greeter:
    """As greenswitch's own documentation has it: the application gets the session and speaks in straight lines."""

    def __init__(self, session: Any) -> None:
        self.session = session

    def run(self) -> None:
        from greenswitch.esl import NotConnectedError, OutboundSessionHasGoneAway

        session = self.session
        try:
            session.myevents()
            session.linger(5)
            session.call_command("answer", block=True)
            session.playback("welcome.wav")
            digit = session.play_and_get_digits(
                1, 1, 1, 5000, "none", "menu.wav", "silence", "choice", r"\\d", 3000, "none"
            )
            if digit == WAIT:
                session.playback("local_stream://music")
            else:
                session.bridge("user/2001", block=True)
                session.hangup()
        except (OutboundSessionHasGoneAway, NotConnectedError):
            pass


def serve_greenswitch(port: int) -> None:
    from greenswitch import OutboundESLServer

    OutboundESLServer("127.0.0.1", port, application=Greeter, max_connections=100_000).listen()


class Lazy:
    """The least that gevent can do: bytes are kept, and of a completion only the word that it has come is looked for."""

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        self._data = b""

    def _until(self, sign: bytes) -> bytes:
        while True:
            at = self._data.find(sign)
            if at >= 0:
                seen, self._data = self._data[:at], self._data[at + len(sign) :]
                return seen
            # What may still be the beginning of the sign stays.
            self._data = self._data[-4096:] if len(self._data) > 65536 else self._data
            more = self._sock.recv(32768)
            if not more:
                raise ConnectionResetError("the call has gone")
            self._data += more

    def _run(self, application: bytes, argument: bytes, number: int) -> None:
        uuid = b"00000000-0000-4000-8000-%012d" % number
        self._sock.sendall(
            b"sendmsg\ncall-command: execute\nexecute-app-name: %b\nEvent-UUID: %b\nevent-lock: true\n"
            b"content-type: text/plain\ncontent-length: %d\n\n%b" % (application, uuid, len(argument), argument)
        )
        self._until(b"Application-UUID: " + uuid)

    def run(self) -> None:
        try:
            self._sock.sendall(
                b"connect\n\nlinger 5\n\nmyevents\n\nnixevent CHANNEL_ANSWER CHANNEL_CREATE CHANNEL_EXECUTE CHANNEL_PARK\n\n"
            )
            self._run(b"answer", b"", 1)
            self._run(b"playback", b"welcome.wav", 2)
            self._until_choice()
            self._sock.sendall(b"sendmsg\ncall-command: hangup\nhangup-cause: NORMAL_CLEARING\n\n")
            self._until(b"Content-Disposition: linger")
            self._sock.sendall(b"exit\n\n")
            self._until(b"Content-Disposition: disconnect")
        except OSError:
            pass
        finally:
            self._sock.close()

    def _until_choice(self) -> None:
        uuid = b"00000000-0000-4000-8000-000000000003"
        argument = b"1 1 menu.wav choice 5000 none 3000"
        self._sock.sendall(
            b"sendmsg\ncall-command: execute\nexecute-app-name: read\nEvent-UUID: %b\nevent-lock: true\n"
            b"content-type: text/plain\ncontent-length: %d\n\n%b" % (uuid, len(argument), argument)
        )
        seen = self._until(b"Application-UUID: " + uuid)
        if b"variable_choice: 3\n" in seen:
            self._run(b"playback", b"local_stream://music", 4)
        else:
            self._run(b"bridge", b"user/2001", 4)


def serve_lazily(port: int) -> None:
    listener = StreamServer(("127.0.0.1", port), lambda sock, _: Lazy(sock).run(), backlog=1024, spawn=Pool(100_000))
    listener.serve_forever()


def main() -> None:
    logging.disable(logging.INFO)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    kind, port = sys.argv[1], int(sys.argv[2])
    try:
        {"greenswitch": serve_greenswitch, "lazy": serve_lazily}[kind](port)
    except KeyboardInterrupt:
        gevent.sleep(0)


if __name__ == "__main__":
    main()
