"""One socket to FreeSWITCH: commands out, replies back in their order, everything else to whoever listens.

A link has no greenlet of its own: gevent's loop calls it when bytes have come, once for each RECEIVE_BYTES, so that no link
keeps the others waiting. A greenlet that reads would cost 10 KB a call for its stacks, and two switches a read. What the
link calls (`on_frame`, `on_close`, the replies' own methods) therefore runs in the loop and must not block; where it tries
to, gevent raises BlockingSwitchOutError. Writing never blocks, so commands may be sent from there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

import gevent
import structlog
from gevent.event import AsyncResult, Event
from gevent.socket import socket, wait_write

from engine.esl import names
from engine.esl.errors import EslError, FrameBroken, LinkBusy, LinkClosed, ReplyTimeout
from engine.esl.frames import BODY_LIMIT, Frame, FrameReader

RECEIVE_BYTES: Final = 32 * 1024
UNSENT_LIMIT: Final = 1024 * 1024
UNANSWERED_LIMIT: Final = 1024
STUCK_SECONDS: Final = 10.0
"""How long a peer may take no byte of what is to be sent before the link is given up."""

_API: Final = b"api "
"""What the only commands begin with whose replies have a type of their own (mod_event_socket.c, read_packet)."""

log = structlog.get_logger(__name__)


class Answerable(Protocol):
    """What waits for the reply to one command. Both methods are called by the link, one of them, once; neither may block."""

    def answered(self, frame: Frame) -> None: ...

    def lost(self, error: EslError) -> None: ...


class Reply:
    """The reply to one command, to be waited for by one greenlet."""

    __slots__ = ("_arrival",)

    def __init__(self) -> None:
        self._arrival: AsyncResult[Frame | EslError] = AsyncResult()

    def answered(self, frame: Frame) -> None:
        self._arrival.set(frame)

    def lost(self, error: EslError) -> None:
        self._arrival.set(error)

    def wait(self, timeout: float) -> Frame:
        """The reply. ReplyTimeout after `timeout` seconds, LinkClosed when the link ended before it came."""
        try:
            found = self._arrival.get(timeout=timeout)
        except gevent.Timeout:
            found = None
        if found is None:
            raise ReplyTimeout(f"no reply within {timeout:g} s")
        if isinstance(found, EslError):
            # A new one each time: one that is kept here would hold all that whoever waits had in hand, in a circle that only
            # a full collection finds.
            raise type(found)(*found.args)
        return found


class _Unheard:
    """Waits for a reply that nobody wants to know."""

    __slots__ = ()

    def answered(self, frame: Frame) -> None:
        if frame.refused:
            log.warning("command_refused", reply=frame.data.strip())

    def lost(self, error: EslError) -> None:
        pass


UNHEARD: Final = _Unheard()


def _nothing(_: object) -> None:
    pass


class Link:
    """A connected socket. `start` begins to read.

    `on_frame` gets each frame that is no reply, `on_close` the reason once the link has ended, after everything that
    waited for a reply has been told. `closed` says whether it has.
    """

    __slots__ = (
        "_apis",
        "_ended",
        "_reader",
        "_sock",
        "_unsent",
        "_waiting",
        "_watcher",
        "closed",
        "on_close",
        "on_frame",
        "reason",
    )

    def __init__(
        self,
        sock: socket,
        on_frame: Callable[[Frame], None],
        on_close: Callable[[LinkClosed], None] = _nothing,
        *,
        limit: int = BODY_LIMIT,
    ) -> None:
        self.on_frame = on_frame
        self.on_close = on_close
        self.closed = False
        self.reason: LinkClosed | None = None
        self._sock = sock
        self._reader = FrameReader(limit)
        self._watcher: Any = None
        # A list, as a deque weighs 600 bytes and few replies are ever waited for at once.
        self._waiting: list[Answerable] = []
        # A bit for each of those, the first one's the lowest: whether it waits for what an API says.
        self._apis = 0
        self._unsent: bytearray | None = None
        self._ended: Event | None = None

    def start(self) -> None:
        """Begin to read, in the loop of the calling thread."""
        self._sock.setblocking(False)
        self._watcher = gevent.get_hub().loop.io(self._sock.fileno(), 1)
        self._watcher.start(self._readable)

    def post(self, data: bytes, reply: Answerable = UNHEARD) -> None:
        """Send one command and go on; `reply` is told what comes back. LinkClosed, or LinkBusy when the bounds are reached:
        then nothing was sent."""
        self.post_all(data, (reply,))

    def post_all(self, data: bytes, replies: Sequence[Answerable]) -> None:
        """`post` for several commands in one packet, no API's; `replies` are told in their order."""
        if self.closed:
            raise LinkClosed(str(self.reason or "the link is closed"))
        if len(self._waiting) + len(replies) > UNANSWERED_LIMIT:
            raise LinkBusy(f"{UNANSWERED_LIMIT} commands are unanswered on this link")
        if self._unsent is not None and len(self._unsent) + len(data) > UNSENT_LIMIT:
            raise LinkBusy(f"FreeSWITCH has left {len(self._unsent)} bytes unread on this link")
        if data.startswith(_API):
            self._apis |= 1 << len(self._waiting)
        self._waiting += replies
        self._write(data)

    def send(self, data: bytes, timeout: float) -> Frame:
        """Send one command and wait for its reply, whatever that says. LinkClosed, LinkBusy, or ReplyTimeout after
        `timeout` seconds; a late reply keeps its place in the order and is dropped."""
        reply = Reply()
        self.post(data, reply)
        return reply.wait(timeout)

    def wake(self, data: bytes) -> None:
        """Send bytes that FreeSWITCH does not reply to, unless others are still to be sent or the link has ended."""
        if not self.closed and self._unsent is None:
            self._write(data)

    def _write(self, data: bytes) -> None:
        if self._unsent is not None:
            self._unsent += data
            return
        try:
            sent = self._sock.send(data)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            self.close(f"FreeSWITCH cannot be written to: {error}")
            return
        if sent < len(data):
            self._unsent = bytearray(data[sent:])
            gevent.spawn_raw(self._write_rest)

    def _write_rest(self) -> None:
        try:
            while self._unsent and not self.closed:
                wait_write(
                    self._sock.fileno(), STUCK_SECONDS, TimeoutError(f"nothing was read for {STUCK_SECONDS:g} s")
                )
                if not self.closed:
                    del self._unsent[: self._sock.send(bytes(self._unsent[:65536]))]
            self._unsent = None
        except BlockingIOError:
            gevent.spawn_raw(self._write_rest)
        except OSError as error:
            self.close(f"FreeSWITCH cannot be written to: {error}")

    def _readable(self) -> None:
        try:
            data = self._sock.recv(RECEIVE_BYTES)
            if not data:
                self._reader.eof()
                self.close("FreeSWITCH closed the link")
                return
            for frame in self._reader.feed(data):
                self._take(frame)
            if self._reader.broken is not None:
                self._broke(self._reader.broken)
        except BlockingIOError:
            return
        except FrameBroken as error:
            self._broke(error)
        except OSError as error:
            self.close(f"the link to FreeSWITCH broke: {error}")

    def _broke(self, error: object) -> None:
        log.warning("peer_not_understood", fault=str(error))
        self.close(f"the link to FreeSWITCH broke: {error}")

    def _take(self, frame: Frame) -> None:
        content_type = frame.content_type
        if content_type in (names.COMMAND_REPLY, names.API_RESPONSE):
            self._take_reply(frame)
            return
        try:
            self.on_frame(frame)
        except FrameBroken:
            raise
        except Exception:  # a listener's fault must not end the reading
            log.exception("frame_listener_failed", frame=repr(frame))

    def _take_reply(self, frame: Frame) -> None:
        """Replies bear no name, so that they are in the order of their commands is all there is to go by. Once it is seen to be
        broken nothing that this peer says can be believed any more."""
        if not self._waiting:
            raise FrameBroken("a reply came that no command is waiting for")
        to_api = frame.content_type == names.API_RESPONSE
        # An API that a socket may not use is refused as any other command is (mod_event_socket.c:2236).
        if to_api != bool(self._apis & 1) and (to_api or not frame.refused):
            raise FrameBroken("a reply came out of its turn")
        self._apis >>= 1
        self._waiting.pop(0).answered(frame)

    def close(self, reason: str = "the link was closed") -> None:
        """End the link: the socket is closed, everything that waits is told LinkClosed, then `on_close` is called. Once."""
        if self.closed:
            return
        self.closed = True
        error = self.reason = LinkClosed(reason)
        if self._watcher is not None:
            # Before the socket: its number may be another one's at once.
            self._watcher.stop()
            self._watcher.close()
            self._watcher = None
        self._sock.close()
        while self._waiting:
            self._waiting.pop(0).lost(error)
        on_close = self.on_close
        # The listeners mostly hold this link in turn; without the circle both are freed at once.
        self.on_frame = self.on_close = _nothing
        if self._ended is not None:
            self._ended.set()
        on_close(error)

    def wait_closed(self, timeout: float) -> bool:
        """Whether the link has ended, waiting up to `timeout` seconds for it."""
        if not self.closed:
            if self._ended is None:
                self._ended = Event()
            self._ended.wait(timeout)
        return self.closed
