"""One socket without a greenlet of its own: the hub calls when bytes come, what cannot be sent at once waits in bounds."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable

import gevent

CHUNK = 65536
MOST_WAITING = 16 << 20
"""Bytes a peer may leave unread before it is cut off, as FreeSWITCH cuts off after 100,000 queued events."""


class Wire:
    """A connected stream socket. `on_data` gets bytes, and `b""` once at the end of the peer's side.

    Both callbacks run in the hub: they must not block.
    """

    def __init__(self, sock: socket.socket, on_data: Callable[[bytes], None]) -> None:
        self._sock = sock
        self._on_data = on_data
        self._waiting = bytearray()
        self._closing = False
        self.closed = False
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._fd = sock.fileno()
        loop = gevent.get_hub().loop
        self._readable = loop.io(self._fd, 1)
        self._writable = loop.io(self._fd, 2)
        self._readable.start(self._read)

    def send(self, data: bytes) -> None:
        if self.closed or self._closing:
            return
        if not self._waiting:
            try:
                sent = os.write(self._fd, data)
            except BlockingIOError:
                sent = 0
            except OSError:
                self._end()
                return
            if sent == len(data):
                return
            data = data[sent:]
        if len(self._waiting) + len(data) > MOST_WAITING:
            self._end()
            return
        if not self._waiting:
            self._writable.start(self._write)
        self._waiting += data

    def close(self) -> None:
        """Send what waits, then close; nothing more is read."""
        if self.closed or self._closing:
            return
        self._closing = True
        self._readable.stop()
        if not self._waiting:
            self._shut()

    def abort(self) -> None:
        """Close at once."""
        self._shut()

    def _read(self) -> None:
        try:
            data = os.read(self._fd, CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if data:
            self._on_data(data)
        else:
            self._end()

    def _write(self) -> None:
        try:
            sent = os.write(self._fd, memoryview(self._waiting)[:CHUNK])
        except BlockingIOError:
            return
        except OSError:
            self._end()
            return
        del self._waiting[:sent]
        if not self._waiting:
            self._writable.stop()
            if self._closing:
                self._shut()

    def _end(self) -> None:
        told = self.closed or self._closing
        self._shut()
        if not told:
            self._on_data(b"")

    def _shut(self) -> None:
        if not self.closed:
            self.closed = True
            for watcher in (self._readable, self._writable):
                watcher.stop()
                watcher.close()
            self._waiting.clear()
            self._sock.close()
