"""The inbound event socket: a controller connects and shows its password."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

import structlog
from gevent import socket
from gevent.server import StreamServer

from engine.virtual import encode, names
from engine.virtual.encode import Command
from engine.virtual.listener import Listener

if TYPE_CHECKING:
    from engine.virtual.switch import Switch

log = structlog.get_logger(__name__)


class Inbound(Listener):
    """A connection from a controller."""

    def __init__(self, switch: Switch, sock: socket.socket, password: str) -> None:
        self._password = password
        self._authenticated = False
        super().__init__(switch, sock)
        self.wire.send(b"Content-Type: auth/request\n\n")

    def obey(self, command: Command) -> None:
        word = command.line.lower()
        if not self._authenticated and not word.startswith("exit"):
            self._authenticate(command.line)
        elif word.startswith("myevents "):
            self.reply(self._my_events(command.line[9:].split()))
        else:
            super().obey(command)

    def _authenticate(self, line: str) -> None:
        """Anything but `auth` is refused and the connection stays; a wrong password ends it (ESL.md, on the wire, 11)."""
        if not line.lower().startswith("auth "):
            self.reply("")
        elif hmac.compare_digest(encode.octets(line[5:].strip("\r")), encode.octets(self._password)):
            self._authenticated = True
            self.reply("+OK accepted")
        else:
            self.reply("-ERR invalid")
            self.finish()

    def _my_events(self, arguments: list[str]) -> str:
        """Binds this connection to a channel; one nobody knows is taken too."""
        if self.my_events:
            return "-ERR aready enabled."
        channel = self.switch.channels.get(arguments[0]) if arguments else None
        if channel is None and len(arguments) > 1:
            return "-ERR invalid uuid"
        self.my_events = True
        self.events |= names.MY_EVENTS
        if "json" in (each.lower() for each in arguments[1:]):
            self.form = encode.JSON
        if channel is not None:
            self.channel = channel
            channel.listeners.append(self)
            self.switch.listens(self)
        return "+OK Events Enabled"


class Door:
    """Listens for controllers."""

    def __init__(self, switch: Switch, address: tuple[str, int], password: str) -> None:
        self._switch = switch
        self._password = password
        self._server = StreamServer(address, self._accepted, backlog=256)
        self.connections: set[Inbound] = set()

    @property
    def port(self) -> int:
        return int(self._server.server_port or 0)

    def start(self) -> None:
        """OSError where the address cannot be had."""
        self._server.start()

    def stop(self) -> None:
        self._server.stop(timeout=0)

    def _accepted(self, sock: socket.socket, _address: object) -> None:
        # The server closes what it accepted once this returns, so the wire gets a descriptor of its own.
        own = sock.dup()
        self.connections = {each for each in self.connections if not each.finished}
        self.connections.add(Inbound(self._switch, own, self._password))
