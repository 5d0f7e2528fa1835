"""The `socket` application: FreeSWITCH's connection out to the controller of one call."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from gevent import socket

from engine.virtual import encode, names
from engine.virtual.applications import application
from engine.virtual.encode import Command, line
from engine.virtual.listener import Listener
from engine.virtual.session import Reset

if TYPE_CHECKING:
    from engine.virtual.channel import Channel
    from engine.virtual.session import Session
    from engine.virtual.switch import Switch

log = structlog.get_logger(__name__)

CONNECT_TIMEOUT = 20.0
"""Seconds of the wall; FreeSWITCH leaves it to the system (mes:442-487)."""
FIRST_COMMAND = 25.0


class Outbound(Listener):
    """The connection that controls `channel` while its session is parked in the `socket` application."""

    def __init__(
        self, switch: Switch, sock: socket.socket, channel: Channel, session: Session, *, full: bool, asynchronous: bool
    ) -> None:
        self._mute = False
        super().__init__(switch, sock)
        self.channel: Channel = channel
        self.connected = False
        self.parked = False
        self._session = session
        self._first = True
        self._full = full
        self._async = asynchronous
        self._resume = False
        channel.listeners.append(self)
        self._alarm = switch.after(FIRST_COMMAND, self._give_up)

    def _give_up(self) -> None:
        if self._first:
            self.finish()

    @property
    def may_do_all(self) -> bool:
        return self._full

    def obey(self, command: Command) -> None:
        first, self._first = self._first, False
        if first:
            self._alarm.stop()
        word = command.line.lower()
        if first and not word.startswith("connect"):
            self._first_but_not_connect(command)
        elif word.startswith("resume"):
            self._resume = True
            self.channel.set("socket_resume", "true")
            self.reply("+OK")
        elif word.startswith("connect"):
            self._connect()
        elif word.startswith("getvar"):
            name = command.line.partition(" ")[2].strip()
            self.reply((self.channel.get(name) or "") if name else "")
        elif word.startswith("myevents"):
            self.reply(self._my_events(word))
        elif word.startswith("divert_events"):
            self.reply("+OK events diverted" if word.strip().endswith("on") else "+OK events not diverted")
        else:
            super().obey(command)

    def _first_but_not_connect(self, command: Command) -> None:
        """It is obeyed, and its reply is thrown away (mes:2712-2724)."""
        self._mute = True
        try:
            self.obey(command)
        finally:
            self._mute = False

    def reply(self, answer: str) -> None:
        if not self._mute:
            super().reply(answer)

    def _connect(self) -> None:
        """All channel data, url-encoded, without a Content-Length; the profile twice, as `Channel-…` too (mes:2023-2047)."""
        data = self.switch.event_head("CHANNEL_DATA") + self.channel.profile_lines("Channel")
        data += self.channel.lines("CHANNEL_DATA") + "Content-Type: command/reply\n" + line("Reply-Text", "+OK\n")
        mode = "async" if self._async else "static"
        data += f"Socket-Mode: {mode}\nControl: {'full' if self._full else 'single-channel'}\n\n"
        self.wire.send(encode.octets(data))
        self.connected = True
        self._session.notify()

    def _my_events(self, word: str) -> str:
        if self.my_events:
            return "-ERR aready enabled."
        self.my_events = True
        self.events |= names.MY_EVENTS
        if "json" in word:
            self.form = encode.JSON
        self.switch.listens(self)
        return "+OK Events Enabled"

    def lost(self) -> None:
        """With `socket_resume` everything breaks off and the dialplan goes on; else what runs may end first (mes:2819)."""
        self._alarm.stop()
        super().lost()
        session = self._session
        if self.resumes and self.channel.up and session.ready():
            session.divert(Reset())
        if self.parked:
            session.give_up_control()
        else:
            session.notify()

    @property
    def resumes(self) -> bool:
        return self._resume or self.channel.says_yes("socket_resume")


@application("socket")
def socket_application(session: Session, argument: str) -> None:
    """`HOST:PORT[|HOST:PORT…] [async] [full]`: the first that takes the connection controls the call. With none the next
    dialplan action runs. Without `async` the commands are queued here just the same; only the mode told differs."""
    hosts, *flags = argument.split() or [""]
    sock = _connection(session, hosts)
    if sock is None:
        return
    channel = session.channel
    listener = Outbound(session.switch, sock, channel, session, full="full" in flags, asynchronous="async" in flags)
    while session.ready() and not listener.finished and not listener.connected:
        session.idle()
    # Gone between `connect` and here: nobody is left to end the parking (ESL.md, seen on the wire, 2).
    listener.parked = True
    session.park()
    session.parse_messages()
    if isinstance(session.detour, Reset):
        session.detour = None


def _connection(session: Session, hosts: str) -> socket.socket | None:
    for host_port in filter(None, hosts.split("|")):
        host, colon, port = host_port.rpartition(":")
        host, port = (host, port) if colon else (port, "8084")
        session.channel.set("socket_host", host)
        try:
            return socket.create_connection((host, int(port.partition("/")[0])), timeout=CONNECT_TIMEOUT)
        except (OSError, ValueError) as error:
            log.warning("controller not reached", call_id=session.channel.uuid, address=host_port, fault=str(error))
    return None
