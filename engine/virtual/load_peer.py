"""One socket of the load generator's: commands in, frames out, without a greenlet or a thread of its own."""

from __future__ import annotations

import select
import socket
from abc import ABC, abstractmethod
from typing import Any, Final

CHUNK: Final = 65536
IN: Final = select.EPOLLIN
OUT: Final = select.EPOLLOUT


class Poller:
    """Whose sockets are watched, all by one epoll."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._peers: dict[int, Any] = {}

    def watch(self, handle: int, peer: Any) -> None:
        """Have `peer.ready(events)` called from `poll` whenever there is something to read."""
        self._peers[handle] = peer
        self._epoll.register(handle, IN)

    def watch_for(self, handle: int, events: int) -> None:
        self._epoll.modify(handle, events)

    def forget(self, handle: int) -> None:
        if self._peers.pop(handle, None) is not None:
            self._epoll.unregister(handle)

    def poll(self, seconds: float) -> None:
        """Wait for at most `seconds` and serve whoever is ready."""
        peers = self._peers
        for handle, events in self._epoll.poll(max(0.0, seconds), 256):
            peer = peers.get(handle)
            if peer is not None:
                peer.ready(events)


class Peer(ABC):
    """A connected socket on which a controller sends its commands."""

    __slots__ = ("_buffer", "_poller", "_sock", "_unsent", "closed")

    def __init__(self, poller: Poller, sock: socket.socket) -> None:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._poller = poller
        self._sock = sock
        self._buffer = b""
        self._unsent = b""
        self.closed = False
        poller.watch(sock.fileno(), self)

    @abstractmethod
    def command(self, head: bytes, body: bytes, answers: list[bytes]) -> None:
        """One command. What is put into `answers` goes out with the answers to all commands that came with it."""

    @abstractmethod
    def lost(self) -> None:
        """The controller has closed its side, or cannot be written to. The socket is closed by then."""

    def ready(self, events: int) -> None:
        if events & OUT and self._unsent:
            data, self._unsent = self._unsent, b""
            self._poller.watch_for(self._sock.fileno(), IN)
            self.send(data)
        if events & ~OUT and not self.closed:
            try:
                data = self._sock.recv(CHUNK)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if data:
                self._take(data)
            else:
                self._break()

    def _take(self, data: bytes) -> None:
        if self._buffer:
            data = self._buffer + data
        at = 0
        answers: list[bytes] = []
        while True:
            # As FreeSWITCH does: line ends before a command are nothing (mod_event_socket.c:1252).
            while data.startswith(b"\n", at):
                at += 1
            end = data.find(b"\n\n", at)
            if end < 0:
                break
            head, end, body = data[at:end], end + 2, b""
            if head.startswith(b"sendmsg"):
                place = head.find(b"\ncontent-length: ")
                if place >= 0:
                    length = int(head[place + 17 :].partition(b"\n")[0])
                    if len(data) < end + length:
                        break
                    body = data[end : end + length]
                    end += length
            at = end
            self.command(head, body, answers)
            if self.closed:
                return
        self._buffer = data[at:]
        if answers:
            self.send(b"".join(answers))

    def send(self, data: bytes) -> None:
        if self.closed:
            return
        if self._unsent:
            self._unsent += data
            return
        try:
            sent = self._sock.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._break()
            return
        if sent < len(data):
            self._unsent = data[sent:]
            self._poller.watch_for(self._sock.fileno(), IN | OUT)

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self._poller.forget(self._sock.fileno())
            self._sock.close()

    def _break(self) -> None:
        if not self.closed:
            self.close()
            self.lost()
