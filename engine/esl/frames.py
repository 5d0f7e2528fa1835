"""Bytes into frames: the reading half of the event socket, without any I/O.

A frame is a block of `Name: value` lines, an empty line, and as many bytes of body as its Content-Length says. An event's
own headers are the body of a `text/event-plain` frame, and may be followed by a body again. Bytes are kept as they came; a
header is looked for and decoded only when somebody asks for it, since a call's frames carry 150 headers each and four of
them are ever read.

Values of events, and of the reply to `connect`, are url-encoded (switch_event.c, switch_event_serialize); those of every
other reply are raw. Lines are parted first and each value decoded by itself, so that what a caller says of himself can
never become a header.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import unquote_to_bytes

from engine.esl import names
from engine.esl.errors import FrameBroken

HEAD_LIMIT: Final = 256 * 1024
"""Bytes of one header block; the largest in ordinary life, the reply to `connect`, has 5 KB and its variables on top."""

BODY_LIMIT: Final = 16 * 1024 * 1024

_NEEDS_LENGTH: Final = frozenset(
    {names.API_RESPONSE, names.EVENT_PLAIN, names.EVENT_JSON, names.EVENT_XML, names.LOG_DATA, names.RUDE_REJECTION}
)
_ENCODED: Final = b"Event-Name: "
_NAME_AT: Final = len(_ENCODED)
_REFUSALS: Final = (b"-ERR", b"-USAGE")
_INNER_LENGTH: Final = b"\nContent-Length: "

_LENGTH: Final = b"Content-Length: "
_LENGTH_AT: Final = len(_LENGTH)
_DIGITS: Final = 10
_THEN_EVENT: Final = b"\nContent-Type: " + names.EVENT_PLAIN + b"\n\n"
"""An event's frame begins with its length and then says nothing but this (mod_event_socket.c:1449)."""


def raw_header(block: bytes, name: bytes) -> bytes | None:
    """The value of the first header called `name` in `block` as it stands there, None where there is none.

    Names are taken as FreeSWITCH spells them, so case matters.
    """
    if block.startswith(name) and block[len(name) : len(name) + 2] == b": ":
        start = len(name) + 2
    else:
        start = block.find(b"\n" + name + b": ")
        if start < 0:
            return None
        start += len(name) + 3
    end = block.find(b"\n", start)
    return block[start:] if end < 0 else block[start:end]


def decoded(value: bytes, *, quoted: bool) -> str:
    """A header's value as text: no line end or blank at its edges, bytes that are not UTF-8 replaced.

    An empty value stands on the wire as `_undef_` (switch_event.c:1603).
    """
    if quoted:
        if value == b"_undef_":
            return ""
        if b"%" in value:
            value = unquote_to_bytes(value)
    return value.decode("utf-8", "replace").strip()


def _all_headers(block: bytes, *, quoted: bool) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in block.split(b"\n"):
        name, colon, value = line.partition(b": ")
        if colon:
            found.setdefault(name.decode("utf-8", "replace"), decoded(value, quoted=quoted))
    return found


class Event:
    """One event: `head` holds its header lines as they came, `body` what followed them (mostly nothing)."""

    __slots__ = ("body", "head", "name")

    def __init__(self, head: bytes, body: bytes = b"") -> None:
        self.head = head
        self.body = body
        # Its own first line, always; whoever sends it elsewhere is served too.
        name = head[_NAME_AT : head.find(b"\n", _NAME_AT)] if head.startswith(_ENCODED) else b""
        self.name = names.KNOWN.get(name) or decoded(raw_header(head, b"Event-Name") or b"", quoted=True)
        """For example CHANNEL_ANSWER."""

    def get(self, name: str, default: str | None = None) -> str | None:
        """The header's value, decoded; `default` where the event has no such header."""
        value = raw_header(self.head, name.encode())
        return default if value is None else decoded(value, quoted=True)

    def headers(self) -> dict[str, str]:
        """Every header, decoded. Costs as much as all the single ones together; `get` is the way where few are wanted."""
        return _all_headers(self.head, quoted=True)

    @property
    def text(self) -> str:
        """The body as text, for example what a background job wrote."""
        return self.body.decode("utf-8", "replace")

    def __repr__(self) -> str:
        return f"<Event {self.name} of {self.get('Unique-ID')}>"


class Frame:
    """One frame: `content_type`, the header lines in `head`, and `body`, all as they came."""

    __slots__ = ("body", "content_type", "head")

    def __init__(self, content_type: bytes, head: bytes, body: bytes = b"") -> None:
        self.content_type = content_type
        self.head = head
        self.body = body

    @property
    def quoted(self) -> bool:
        """Whether this frame's own headers are url-encoded: of the replies only the one to `connect` is, and only it
        begins with the name of an event (mod_event_socket.c:2023-2047)."""
        return self.head.startswith(_ENCODED)

    def get(self, name: str, default: str | None = None) -> str | None:
        """The value of one of this frame's own headers (for an event's see `event`); `default` where it has none."""
        value = raw_header(self.head, name.encode())
        return default if value is None else decoded(value, quoted=self.quoted)

    def headers(self) -> dict[str, str]:
        """Every header of this frame's own, decoded."""
        return _all_headers(self.head, quoted=self.quoted)

    @property
    def is_event(self) -> bool:
        return self.content_type == names.EVENT_PLAIN

    @property
    def event(self) -> Event:
        """The event in a `text/event-plain` frame. FrameBroken where this is none, or its inner length is wrong."""
        if self.content_type != names.EVENT_PLAIN:
            raise FrameBroken(f"a {self.content_type.decode('ascii', 'replace')} frame holds no event")
        body = self.body
        # Few events have a body, and those tell its length in their last header; to look for the length is a tenth of the
        # work of looking for the empty line, since every line of the 6 KB ends as that one begins.
        if body.rfind(_INNER_LENGTH) < 0 and not body.startswith(_LENGTH):
            return Event(body)
        end = body.find(b"\n\n")
        if end < 0 or end + 2 == len(body):
            return Event(body)
        head = body[:end]
        length = _length(raw_header(head, b"Content-Length"), len(body) - end - 2)
        return Event(head, body[end + 2 : end + 2 + (length or 0)])

    @property
    def data(self) -> str:
        """What a reply says, by greenswitch's name for it: the body of an `api/response`, the Reply-Text of another."""
        if self.content_type == names.API_RESPONSE:
            return self.body.decode("utf-8", "replace")
        return self.get("Reply-Text") or ""

    @property
    def refused(self) -> bool:
        """Whether this is a reply that begins with -ERR or -USAGE."""
        if self.content_type == names.API_RESPONSE:
            return self.body.startswith(_REFUSALS)
        return (raw_header(self.head, b"Reply-Text") or b"").startswith(_REFUSALS)

    def __repr__(self) -> str:
        return f"<Frame {self.content_type.decode('ascii', 'replace')} {len(self.head)}+{len(self.body)} bytes>"


def _length(value: bytes | None, limit: int) -> int | None:
    if value is None:
        return None
    value = value.strip()
    if not value.isdigit() or len(value) > 10:
        raise FrameBroken(f"Content-Length is {value[:40]!r}, no number of bytes")
    length = int(value)
    if length > limit:
        raise FrameBroken(f"Content-Length is {length}, more than the {limit} bytes there may be")
    return length


class FrameReader:
    """Turns a stream of bytes, cut anywhere, into frames.

    `limit` bounds a body, HEAD_LIMIT a header block. After bytes that cannot be read `broken` is set for good: the frames
    before them are still handed out, and then every call raises it.
    """

    __slots__ = ("_body_at", "_content_type", "_frame_end", "_pending", "_searched", "broken", "limit")

    def __init__(self, limit: int = BODY_LIMIT) -> None:
        self.limit = limit
        self.broken: FrameBroken | None = None
        self._pending: bytearray | None = None
        # How far the pending bytes have been searched for the end of a header block; or, once that was found, where the
        # body begins and ends. So one byte at a time costs no more than all at once.
        self._searched = 0
        self._body_at = 0
        self._frame_end = 0
        self._content_type = b""

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that `data` completes. FrameBroken where the stream cannot be read and no frame came before that."""
        if self.broken is not None:
            raise self.broken
        buffer: bytes | bytearray
        if self._pending is None:
            buffer = data
        else:
            self._pending += data
            buffer = self._pending
            if len(buffer) < self._frame_end:
                return []
        frames: list[Frame] = []
        try:
            position = self._take(buffer, frames)
        except FrameBroken as error:
            self.broken = error
            self._pending = None
            if not frames:
                raise
            return frames
        if position == len(buffer):
            self._pending = None
        elif position or self._pending is None:
            self._pending = bytearray(buffer[position:])
        return frames

    def _take(self, buffer: bytes | bytearray, frames: list[Frame]) -> int:
        """Append the complete frames of `buffer`; where the first incomplete one begins."""
        position, size = 0, len(buffer)
        while position < size:
            if self._frame_end == 0:
                if buffer.startswith(_LENGTH, position):
                    # The one head that comes again and again, taken by its look; whatever differs goes the long way.
                    line = buffer.find(b"\n", position + _LENGTH_AT, position + _LENGTH_AT + _DIGITS)
                    if buffer.startswith(_THEN_EVENT, line):
                        digits = buffer[position + _LENGTH_AT : line]
                        after = line + len(_THEN_EVENT)
                        end = after + (int(digits) if digits.isdigit() else 0)
                        if after < end <= min(size, after + self.limit):
                            head = bytes(buffer[position : after - 2])
                            frames.append(Frame(names.EVENT_PLAIN, head, bytes(buffer[after:end])))
                            position = end
                            self._searched = 0
                            continue
                while position < size and buffer[position] == 10:
                    position += 1
                    self._searched = 0
                end = buffer.find(b"\n\n", position + max(0, self._searched - 1))
                if (size if end < 0 else end) - position > HEAD_LIMIT:
                    raise FrameBroken(f"a header block exceeds {HEAD_LIMIT} bytes")
                if end < 0:
                    self._searched = size - position
                    return position
                head = bytes(buffer[position:end])
                content_type = raw_header(head, b"Content-Type")
                if content_type is None:
                    raise FrameBroken("a header block has no Content-Type")
                length = _length(raw_header(head, b"Content-Length"), self.limit)
                if length is None and content_type in _NEEDS_LENGTH:
                    raise FrameBroken(f"a {content_type.decode()} frame has no Content-Length")
                self._searched = 0
                if not length:
                    frames.append(Frame(content_type, head))
                    position = end + 2
                    continue
                self._content_type = content_type
                self._body_at = end + 2 - position
                self._frame_end = self._body_at + length
            if size - position < self._frame_end:
                return position
            body_at, frame_end = position + self._body_at, position + self._frame_end
            head = bytes(buffer[position : body_at - 2])
            frames.append(Frame(self._content_type, head, bytes(buffer[body_at:frame_end])))
            position = frame_end
            self._frame_end = 0
        return position

    def eof(self) -> None:
        """Say that no more bytes come. FrameBroken in the middle of a frame, or after bytes that could not be read."""
        if self.broken is not None:
            raise self.broken
        if self._pending is not None:
            self.broken = FrameBroken(f"the stream ended in the middle of a frame, {len(self._pending)} bytes into it")
            raise self.broken
