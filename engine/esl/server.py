"""Where FreeSWITCH hands its calls over: the listening side of the outbound socket."""

from __future__ import annotations

import ipaddress
import socket as sockets
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import gevent
import structlog
from gevent.event import Event as Signal
from gevent.server import StreamServer
from gevent.socket import socket

from engine.esl import names
from engine.esl.errors import CallGone, EslError
from engine.esl.outbound import CONNECT_SECONDS, LINGER_SECONDS, CallLink

BACKLOG: Final = 1024
MOST_CALLS: Final = 10_000
LOOPBACK: Final = ("127.0.0.0/8", "::1/128")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

log = structlog.get_logger(__name__)


def listener(address: tuple[str, int], *, reuse_port: bool = True, backlog: int = BACKLOG) -> sockets.socket:
    """A listening socket whose connections find out by themselves, within 20 s, when their peer's machine has died.

    Linux hands these options on to each accepted connection, so they cost nothing a call. With `reuse_port` several
    processes listen on one address and the kernel spreads the calls over them. OSError where the address cannot be had.
    """
    family = sockets.AF_INET6 if ":" in address[0] else sockets.AF_INET
    listening = sockets.socket(family, sockets.SOCK_STREAM)
    try:
        listening.setsockopt(sockets.SOL_SOCKET, sockets.SO_REUSEADDR, 1)
        if reuse_port:
            listening.setsockopt(sockets.SOL_SOCKET, sockets.SO_REUSEPORT, 1)
        prepare(listening)
        listening.bind(address)
        listening.listen(backlog)
        listening.setblocking(False)
    except OSError:
        listening.close()
        raise
    return listening


def prepare(sock: Any) -> None:
    """Send each command at once, and notice a dead peer: FreeSWITCH's own 30 s keepalive takes minutes."""
    sock.setsockopt(sockets.IPPROTO_TCP, sockets.TCP_NODELAY, 1)
    sock.setsockopt(sockets.SOL_SOCKET, sockets.SO_KEEPALIVE, 1)
    sock.setsockopt(sockets.IPPROTO_TCP, sockets.TCP_KEEPIDLE, 10)
    sock.setsockopt(sockets.IPPROTO_TCP, sockets.TCP_KEEPINTVL, 5)
    sock.setsockopt(sockets.IPPROTO_TCP, sockets.TCP_KEEPCNT, 2)
    sock.setsockopt(sockets.IPPROTO_TCP, sockets.TCP_USER_TIMEOUT, 20_000)


class _Acceptor(StreamServer):
    """gevent's server, told by the kernel of each connection, without polling. `_serve` closes what it was given, so gevent's
    own frames, 1 KB of each call's memory, are not needed round it."""

    def __init__(self, listening: sockets.socket, serve: Callable[[socket, tuple[str, int]], None]) -> None:
        super().__init__(listening, serve)
        self._serve = serve

    def do_handle(self, sock: socket, address: tuple[str, int]) -> None:
        gevent.spawn(self._serve, sock, address)

    def accept_waiting(self) -> None:
        """Take what the kernel has accepted already; closing the socket would reset it, and the call hang in the air."""
        while self.started and (accepted := self.do_read()):
            self.do_handle(*accepted)


class OutboundServer:
    """Accepts FreeSWITCH's connections and runs `handle(call)` for each, in a greenlet of its own.

    The call is connected by then and its `events` asked for. When `handle` returns or raises CallGone the link is left in
    order; when it raises anything else that is logged with the call's uuid and the call is hung up. Connections from
    outside `allowed` are closed unread, those that do not answer `connect` within `connect_seconds` dropped, and calls
    beyond `most` turned away with `refusal`.
    """

    def __init__(
        self,
        address: tuple[str, int],
        handle: Callable[[CallLink], None],
        allowed: Sequence[str | Network] = LOOPBACK,
        *,
        reuse_port: bool = True,
        backlog: int = BACKLOG,
        most: int = MOST_CALLS,
        refusal: str = "SWITCH_CONGESTION",
        connect_seconds: float = CONNECT_SECONDS,
        linger_seconds: int = LINGER_SECONDS,
        events: Iterable[str] = names.CALL_EVENTS,
    ) -> None:
        self.address = address
        self.refused = 0
        """Calls turned away because of `most`."""
        self.connections = 0
        """Calls that are being handled, or are still saying their last."""
        self._handle = handle
        self._allowed = tuple(ipaddress.ip_network(network) for network in allowed)
        self._reuse_port = reuse_port
        self._backlog = backlog
        self._most = most
        self._refusal = refusal
        self._connect_seconds = connect_seconds
        self._linger_seconds = linger_seconds
        self._events = frozenset(events)
        self._acceptor: _Acceptor | None = None
        self._serving: dict[CallLink, Any] = {}
        self._empty = Signal()
        self._empty.set()

    def start(self) -> None:
        """Listen. `address` then holds the port that was bound. OSError where the address cannot be had."""
        listening = listener(self.address, reuse_port=self._reuse_port, backlog=self._backlog)
        self.address = listening.getsockname()[:2]
        self._acceptor = _Acceptor(listening, self._serve)
        self._acceptor.start()

    def stop_accepting(self) -> None:
        """Take no more calls: FreeSWITCH finds the port closed and goes to the next address in its `socket` action."""
        acceptor, self._acceptor = self._acceptor, None
        if acceptor is not None:
            acceptor.accept_waiting()
            acceptor.close()

    def stop(self, timeout: float) -> bool:
        """Take no more calls, wait up to `timeout` seconds for those there are, then close their links, not hanging them
        up, so that with `socket_resume` another process takes them. Whether all had ended by themselves."""
        self.stop_accepting()
        if self._empty.wait(timeout):
            return True
        left = dict(self._serving)
        for call in left:
            call.close()
        gevent.joinall(list(left.values()), timeout=1.0)
        gevent.killall([greenlet for greenlet in left.values() if not greenlet.dead], timeout=1.0)
        return False

    def _is_allowed(self, host: str) -> bool:
        try:
            peer = ipaddress.ip_address(host.partition("%")[0])
        except ValueError:
            return False
        if isinstance(peer, ipaddress.IPv6Address) and peer.ipv4_mapped is not None:
            peer = peer.ipv4_mapped
        return any(peer in network for network in self._allowed)

    def _serve(self, sock: socket, address: tuple[str, int]) -> None:
        if not self._is_allowed(address[0]):
            log.warning("peer_not_allowed", peer=address[0])
            sock.close()
            return
        call = CallLink(address, sock)
        self._serving[call] = gevent.getcurrent()
        self._empty.clear()
        try:
            if self.connections >= self._most:
                self.refused += 1
                log.warning("call_refused", most=self._most, cause=self._refusal)
                call.refuse(self._refusal, self._connect_seconds)
            else:
                self.connections += 1
                try:
                    try:
                        call.connect(self._connect_seconds, events=self._events, linger=self._linger_seconds)
                    except CallGone:
                        # One that has gone already, but is known by its data, is a call like any other to its handler.
                        if call.session_data is None:
                            raise
                    self._run(call)
                finally:
                    self.connections -= 1
        except CallGone:
            log.info("call_gone_at_once", call=call.uuid, peer=address[0])
        except EslError as error:
            log.warning("connection_useless", peer=address[0], fault=str(error))
        finally:
            call.close()
            del self._serving[call]
            if not self._serving:
                self._empty.set()

    def _run(self, call: CallLink) -> None:
        try:
            self._handle(call)
        except CallGone:
            pass
        except Exception:  # whatever a handler does, its caller must not be left in silence
            log.exception("handler_failed", call=call.uuid)
            try:
                call.hangup("NORMAL_TEMPORARY_FAILURE")
            except EslError as error:
                log.warning("hangup_failed", call=call.uuid, fault=str(error))
        call.stop(self._linger_seconds + 2.0)
