"""What both kinds of event socket connection share: the commands, the events they want, the frames they get."""

from __future__ import annotations

import re
import socket
from typing import TYPE_CHECKING
from uuid import uuid4

import gevent

from engine.virtual import encode, names
from engine.virtual.encode import Command, CommandReader
from engine.virtual.errors import CommandBroken
from engine.virtual.wire import Wire

if TYPE_CHECKING:
    from engine.virtual.channel import Channel
    from engine.virtual.events import Event
    from engine.virtual.switch import Switch


class Listener:
    """A connection of a controller. It needs no greenlet but while a command blocks it."""

    def __init__(self, switch: Switch, sock: socket.socket) -> None:
        self.switch = switch
        self.events: set[str] = set()
        self.subclasses: set[str] = set()
        self.form = encode.PLAIN
        self.filters: list[tuple[str, str]] = []
        self.my_events = False
        self.listening = False
        """Whether events were ever asked for and not given up by `noevents` (mes: LFLAG_EVENTS)."""
        self.finished = False
        self.channel: Channel | None = None
        """The channel this connection controls."""
        self._lingers: int | None = None
        self._notified = False
        self._reader = CommandReader()
        self._pending: list[Command] = []
        self._busy = False
        self.wire = Wire(sock, self._received)

    # --- events ------------------------------------------------------------------------------------------------------

    def wants(self, event_name: str, subclass: str | None) -> bool:
        if "ALL" in self.events:
            return True
        return event_name in self.events and (event_name != "CUSTOM" or subclass is None or subclass in self.subclasses)

    def deliver(self, event: Event) -> None:
        if self.filters and not self._passes(event):
            return
        if self.my_events and self.channel is not None and self.channel.uuid not in (event.uuid, event.owner):
            return
        self.wire.send(event.frame(self.form))

    def _passes(self, event: Event) -> bool:
        """FreeSWITCH's filter rules (mes: event_handler): any match lets through, a match of `-…` stops."""
        send = False
        for name, wanted in self.filters:
            value = event.get(name)
            if value is None:
                continue
            positive = not wanted.startswith("-")
            if send and positive:
                continue
            compared = wanted.lstrip("+- ")
            if wanted.startswith("/"):
                matches = re.search(compared.strip("/"), value) is not None
            else:
                matches = value.lower() == compared.lower()
            if matches and not positive:
                return False
            send = send or matches
        return send

    # --- commands ----------------------------------------------------------------------------------------------------

    def _received(self, data: bytes) -> None:
        if not data:
            self.finish()
            return
        try:
            self._pending += self._reader.feed(data)
        except CommandBroken:
            self.finish()
            return
        self._work()

    def _work(self) -> None:
        while self._pending and not self._busy and not self.finished:
            self.obey(self._pending.pop(0))

    def reply(self, answer: str) -> None:
        self.wire.send(encode.reply(answer or "-ERR command not found"))

    def obey(self, command: Command) -> None:
        """One command, matched by how it begins as FreeSWITCH does (mes: parse_command)."""
        word = command.line.lower()
        if word.startswith(("exit", "...")):
            self.reply("+OK bye")
            self.finish()
        elif word.startswith("filter "):
            self.reply(self._filter(command.line[7:].strip()))
        elif word.startswith("sendmsg"):
            self.reply(self._send_message(command))
        elif not self.may_do_all:
            self.reply("")
        elif word.startswith("sendevent"):
            self.reply(self._send_event(command))
        elif word.startswith("api "):
            self._api(command.line[4:])
        elif word.startswith("bgapi "):
            self._background(command)
        elif word.startswith("log"):
            self.reply("+OK log level  [7]")
        elif word.startswith("nolog"):
            self.reply("+OK no longer logging")
        elif word.startswith("linger"):
            self.reply(self._linger(command.line[6:]))
        elif word.startswith("nolinger"):
            self.reply(self._no_linger())
        elif word.startswith("event"):
            self.reply(self._subscribe(command.line))
        elif word.startswith("nixevent"):
            self.reply(self._nix(command.line))
        elif word.startswith("noevents"):
            self.reply(self._no_events())
        else:
            self.reply("")

    @property
    def may_do_all(self) -> bool:
        return True

    def _filter(self, rest: str) -> str:
        name, _, value = rest.partition(" ")
        if name.lower() == "delete" and value:
            name, _, value = value.partition(" ")
            keep = [] if name.lower() == "all" else [each for each in self.filters if each[0].lower() != name.lower()]
            if value:
                keep = [each for each in self.filters if (each[0].lower(), each[1]) != (name.lower(), value)]
            self.filters = keep
            return f"+OK filter deleted. [{name}][{value}]"
        if not value:
            return "-ERR invalid syntax"
        if name.lower() == "add":
            name, _, value = value.partition(" ")
        self.filters.append((name, value))
        return f"+OK filter added. [{name}]=[{value}]"

    def _subscribe(self, line: str) -> str:
        found, custom = False, False
        for position, word in enumerate(line.split(" ")[1:]):
            if position == 0 and word.lower() in ("plain", "json", "xml"):
                self.form = encode.JSON if word.lower() == "json" else encode.PLAIN
            elif custom:
                self.subclasses.add(word)
            elif word.upper() in names.EVENTS:
                found = True
                self.events.add(word.upper())
                custom = word.upper() == "CUSTOM"
        if not found:
            return "-ERR no keywords supplied"
        self.switch.listens(self)
        return f"+OK event listener enabled {self.form}"

    def _nix(self, line: str) -> str:
        found, custom = False, False
        for word in line.split(" ")[1:]:
            if custom:
                self.subclasses.discard(word)
            elif word.upper() in names.EVENTS:
                found = True
                if word.upper() == "CUSTOM":
                    custom = True
                elif word.upper() == "ALL":
                    self.events.clear()
                else:
                    if "ALL" in self.events:
                        self.events = set(names.EVENTS - {"ALL"})
                    self.events.discard(word.upper())
        return "+OK events nixed" if found else "-ERR no keywords supplied"

    def _no_events(self) -> str:
        if not self.listening:
            return "-ERR not listening for events"
        self.listening = False
        self.events.clear()
        self.subclasses.clear()
        return "+OK no longer listening for events"

    def _send_message(self, command: Command) -> str:
        uuid = command.line[7:].strip() or command.get("session-id") or ""
        channel = self.switch.channels.get(uuid) if uuid else self.channel
        if channel is None:
            return f"-ERR invalid session id [{uuid}]"
        session = self.switch.session_of(channel)
        return "+OK" if session.send(command) else "-ERR memory error"

    def _send_event(self, command: Command) -> str:
        uuid = str(uuid4())
        name = command.line[9:].strip().upper()
        content = {"Command": command.line} | _capitals(command.headers) | {"Event-UUID": uuid}
        subclass = command.get("event-subclass")
        self.switch.fire(
            name if name in names.EVENTS else "CUSTOM", headers=content, subclass=subclass, body=command.body
        )
        return f"+OK {uuid}"

    def _linger(self, rest: str) -> str:
        if self.channel is None:
            return "-ERR not controlling a session"
        found = re.match(r" \s*(\d+)", rest)
        self._lingers = int(found[1]) if found else -1
        return "+OK will linger" if self._lingers < 0 else f"+OK will linger {self._lingers} seconds"

    def _no_linger(self) -> str:
        if self.channel is None:
            return "-ERR not controlling a session"
        self._lingers = None
        return "+OK will not linger"

    def _api(self, line: str) -> None:
        if self.switch.api.blocks(line):
            self._busy = True
            gevent.spawn(self._api_blocking, line)
        else:
            self.wire.send(encode.api_response(self.switch.api.run(line)))

    def _api_blocking(self, line: str) -> None:
        """A command that takes time holds this connection's further commands back, as it does in FreeSWITCH."""
        try:
            self.wire.send(encode.api_response(self.switch.api.run(line)))
        finally:
            self._busy = False
            self._work()

    def _background(self, command: Command) -> None:
        job = command.get("job-uuid") or str(uuid4())
        owner = self.channel.uuid if self.channel is not None else None
        self.wire.send(encode.job_reply(job))
        self.switch.background(command.line[6:], job, owner)

    # --- the end -----------------------------------------------------------------------------------------------------

    def channel_down(self) -> None:
        """The controlled channel has ended and all its events are out: close, or linger as was asked."""
        if self.finished or self._notified or self.channel is None:
            return
        self._notified = True
        if self._lingers is None:
            self.finish()
            return
        notice = encode.disconnect_notice(self.channel.uuid, channel_name=self.channel.name, linger=self._lingers)
        self.wire.send(notice)
        if self._lingers >= 0:
            # FreeSWITCH compares whole seconds, so the time given is the least it stays (mes: linger_timeout).
            self.switch.after(self._lingers + 0.5, self.finish)

    def finish(self) -> None:
        """The connection's end, from whichever side."""
        if self.finished:
            return
        self.finished = True
        self.wire.send(encode.disconnect_notice(self.channel.uuid if self.channel is not None else None))
        self.wire.close()
        self.switch.forget(self)
        self.lost()

    def lost(self) -> None:
        """What the end means to the channel."""
        if self.channel is not None and self in self.channel.listeners:
            self.channel.listeners.remove(self)
            self.channel.let_go()


def _capitals(headers: dict[str, str]) -> dict[str, str]:
    return {"-".join(part.capitalize() for part in name.split("-")): value for name, value in headers.items()}
