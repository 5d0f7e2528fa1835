"""Bytes of the event socket: what FreeSWITCH writes, and the commands as it reads them. No I/O."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

from engine.virtual.errors import CommandBroken

PLAIN = "plain"
JSON = "json"

_SAFE = "!$'()*,-./_~"
_LINE_END = re.compile(rb"[\r\n]+")
_BLANK_LINE = re.compile(rb"\n\r*\n")
_LONGEST_HEAD = 1 << 20
_LONGEST_BODY = 10 << 20
_REPLY_ROOM = 511
"""A reply is built in 512 bytes, the last of them zero (mes: parse_command's `reply`)."""


def quoted(value: str) -> str:
    """A header's value as event frames carry it."""
    return quote(value, safe=_SAFE, errors="surrogateescape")


def unquoted(value: str) -> str:
    return unquote(value, errors="surrogateescape")


def line(name: str, value: object) -> str:
    """One header line of an event."""
    return f"{name}: {quoted(str(value))}\n"


def text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def octets(value: str) -> bytes:
    return value.encode("utf-8", "surrogateescape")


def reply(answer: str) -> bytes:
    """A command's reply; unlike in events its text stands raw, cut where FreeSWITCH cuts it."""
    return b"Content-Type: command/reply\nReply-Text: " + octets(answer)[:_REPLY_ROOM] + b"\n\n"


def job_reply(job: str) -> bytes:
    return octets(f"Content-Type: command/reply\nReply-Text: +OK Job-UUID: {job}\nJob-UUID: {job}\n\n")


def api_response(body: str) -> bytes:
    """An API's answer. An empty one is told as such (mes: api_exec)."""
    data = octets(body or "-ERR no reply\n")
    return b"Content-Type: api/response\nContent-Length: %d\n\n%b" % (len(data), data)


def event_frame(lines: str, body: str | None, form: str) -> bytes:
    """An event as one frame. `lines` are its url-encoded header lines, each with its newline."""
    if form == JSON:
        payload = octets(json.dumps(_as_mapping(lines, body), ensure_ascii=False))
    elif body is None:
        payload = octets(lines) + b"\n"
    else:
        raw = octets(body)
        payload = octets(lines) + b"Content-Length: %d\n\n%b" % (len(raw), raw)
    return b"Content-Length: %d\nContent-Type: text/event-%b\n\n%b" % (len(payload), form.encode(), payload)


def headers(lines: str) -> dict[str, str]:
    """The headers of an event's lines by name, decoded."""
    return {name: unquoted(value) for name, _, value in (row.partition(": ") for row in lines.split("\n") if row)}


def _as_mapping(lines: str, body: str | None) -> dict[str, str]:
    mapping = headers(lines)
    if body is not None:
        mapping |= {"Content-Length": str(len(octets(body))), "_body": body}
    return mapping


def disconnect_notice(uuid: str | None, *, channel_name: str = "", linger: int | None = None) -> bytes:
    """The notice before the end. With `linger` it is the first of two, and empty; `uuid` is None on an inbound socket."""
    session = f"Controlled-Session-UUID: {uuid}\n" if uuid else ""
    if linger is not None:
        return octets(
            f"Content-Type: text/disconnect-notice\n{session}Content-Disposition: linger\n"
            f"Channel-Name: {channel_name}\nLinger-Time: {linger}\nContent-Length: 0\n\n"
        )
    words = "Disconnected, goodbye.\nSee you at ClueCon! http://www.cluecon.com/\n"
    disposition = "Content-Disposition: disconnect\n" if uuid else ""
    return octets(
        f"Content-Type: text/disconnect-notice\n{session}{disposition}Content-Length: {len(words)}\n\n{words}"
    )


@dataclass(slots=True)
class Command:
    """A command with its headers (names in lower case) and body."""

    line: str
    headers: dict[str, str] = field(default_factory=dict)
    body: str | None = None

    def get(self, name: str) -> str | None:
        return self.headers.get(name)


class CommandReader:
    """Bytes in, commands out, read as FreeSWITCH reads them (mes: read_packet).

    Blank lines before a command are skipped, a blank line ends it, `\r` is ignored at line ends, the first `Content-Length`
    takes that many bytes behind the blank line. CommandBroken on a length that cannot be or a head without end.
    """

    __slots__ = ("_buffer",)

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> list[Command]:
        self._buffer += data
        commands = []
        while (command := self._next()) is not None:
            commands.append(command)
        return commands

    def _next(self) -> Command | None:
        buffer = self._buffer.lstrip(b"\r\n")
        end = _BLANK_LINE.search(buffer)
        if end is None:
            if len(buffer) > _LONGEST_HEAD:
                raise CommandBroken("a command without end")
            self._buffer = buffer
            return None
        first, *rest = _LINE_END.split(buffer[: end.start()])
        command = Command(text(first))
        for row in rest:
            name, colon, value = row.partition(b":")
            if colon:
                command.headers.setdefault(text(name).lower(), text(value.lstrip(b" ")))
        length = self._length(command)
        if len(buffer) < end.end() + length:
            self._buffer = buffer
            return None
        if length:
            command.body = text(buffer[end.end() : end.end() + length])
        self._buffer = buffer[end.end() + length :]
        return command

    @staticmethod
    def _length(command: Command) -> int:
        said = command.get("content-length")
        if said is None:
            return 0
        digits = re.match(r"\s*(-?\d+)", said)
        length = int(digits[1]) if digits else 0
        if not 0 <= length <= _LONGEST_BODY:
            raise CommandBroken(f"a body of {said} bytes")
        return length


def words(argument: str, most: int = 0) -> list[str]:
    """An application's argument cut at blanks, `'…'` holding together and `\\` escaping, as switch_separate_string does.
    With `most`, the last word takes all that is left."""
    found: list[str] = []
    position, length = 0, len(argument)
    while position < length:
        while position < length and argument[position] == " ":
            position += 1
        if position >= length:
            break
        if most and len(found) == most - 1:
            found.append(argument[position:].rstrip(" "))
            break
        word, position = _word(argument, position)
        found.append(word)
    return found


def _word(argument: str, position: int) -> tuple[str, int]:
    letters: list[str] = []
    inside = False
    while position < len(argument):
        letter = argument[position]
        if letter == "\\" and argument[position + 1 : position + 2] in ("'", "\\", " "):
            position += 1
            letters.append(argument[position])
        elif letter == "'":
            inside = not inside
        elif letter == " " and not inside:
            break
        else:
            letters.append(letter)
        position += 1
    return "".join(letters), position
