"""Where calls are taken: caps, refusals, silence, faults and the drain."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import gevent
import pytest
from gevent.event import Event as Signal

from engine.esl.errors import CallGone
from engine.esl.outbound import CallLink
from engine.esl.server import OutboundServer
from tests.waiting import until

from .peer import UUID, Peer


@contextmanager
def serving(handle: Callable[[CallLink], None], **options: Any) -> Iterator[OutboundServer]:
    server = OutboundServer(("127.0.0.1", 0), handle, **options)
    server.start()
    try:
        yield server
    finally:
        server.stop(0)


@contextmanager
def dialling(server: OutboundServer) -> Iterator[Peer]:
    peer = Peer(socket.create_connection(server.address))
    try:
        yield peer
    finally:
        peer.close()


def stay(call: CallLink) -> None:
    call.execute("playback", "music.wav").wait(30)


def is_refused(address: tuple[str, int]) -> bool:
    """Whether nobody listens there any more."""
    try:
        socket.create_connection(address).close()
    except ConnectionRefusedError:
        return True
    return False


def wait_until_empty(server: OutboundServer) -> None:
    assert server._empty.wait(5)
    assert server.connections == 0


def test_a_call_is_handled_and_left_in_order() -> None:
    handled: list[str | None] = []
    with serving(lambda call: handled.append(call.header("Caller-Caller-ID-Name"))) as server, dialling(server) as peer:
        assert peer.take_call()[0] == "connect"
        assert peer.command().line == "exit"
        peer.reply("+OK bye")
        peer.notice()
        assert peer.is_closed()
        assert handled == ["Test Caller"]
        wait_until_empty(server)


def test_a_handler_that_hung_up_hears_the_last_events() -> None:
    heard: list[str] = []

    def handle(call: CallLink) -> None:
        call.on("*", lambda event: heard.append(event.name))
        call.hangup("USER_BUSY")

    with serving(handle) as server, dialling(server) as peer:
        peer.take_call()
        assert peer.command().line == f"api uuid_kill {UUID} USER_BUSY"
        peer.response("+OK\n")
        peer.event("CHANNEL_HANGUP", Hangup_Cause="USER_BUSY")
        peer.event("CHANNEL_HANGUP_COMPLETE", Hangup_Cause="USER_BUSY")
        peer.notice("linger")
        assert peer.command().line == "exit"
        peer.notice()
        assert peer.is_closed()
        assert heard == ["CHANNEL_HANGUP", "CHANNEL_HANGUP_COMPLETE"]


def test_a_fault_in_the_handler_hangs_the_call_up() -> None:
    def handle(call: CallLink) -> None:
        raise RuntimeError("a handler's own fault")

    with serving(handle) as server, dialling(server) as peer:
        peer.take_call()
        assert peer.command().line == f"api uuid_kill {UUID} NORMAL_TEMPORARY_FAILURE"
        peer.response("+OK\n")
        peer.notice()
        assert peer.is_closed()
        wait_until_empty(server)
        with dialling(server) as next_:
            assert next_.take_call()[0] == "connect"


def test_a_call_over_the_cap_is_hung_up_before_the_close() -> None:
    with serving(stay, most=1) as server, dialling(server) as first, dialling(server) as second:
        first.take_call()
        first.command()
        assert second.command().line == "connect"
        second.channel_data()
        refusal = second.command()
        assert (refusal.line, refusal.headers["call-command"]) == ("sendmsg", "hangup")
        assert refusal.headers["hangup-cause"] == "SWITCH_CONGESTION"
        second.reply()
        second.notice()
        assert second.is_closed()
        assert (server.connections, server.refused) == (1, 1)
        first.notice()
        wait_until_empty(server)
        with dialling(server) as third:
            third.take_call()
            assert third.command().body == "music.wav"


def test_a_connection_that_says_nothing_is_dropped() -> None:
    with serving(stay, connect_seconds=0.1) as server, dialling(server) as peer:
        assert peer.command().line == "connect"
        assert peer.is_closed()
        wait_until_empty(server)


@pytest.mark.parametrize(
    "words", [b"GET / HTTP/1.1\r\n\r\n\n\n", b"\x00" * 300_000, b"Content-Type: command/reply\n\n"]
)
def test_a_connection_that_talks_nonsense_is_dropped(words: bytes) -> None:
    with serving(stay) as server, dialling(server) as peer:
        with suppress(ConnectionError):
            peer.send(words)
        assert peer.is_closed()
        wait_until_empty(server)


def test_only_allowed_peers_are_listened_to() -> None:
    with serving(stay, allowed=["10.0.0.0/8"]) as server, dialling(server) as peer:
        assert peer.is_closed()
    with serving(stay, allowed=["10.0.0.0/8", "127.0.0.0/8"]) as server, dialling(server) as peer:
        assert peer.command().line == "connect"


def test_many_calls_come_at_once() -> None:
    done = Signal()
    count = 0

    def handle(call: CallLink) -> None:
        nonlocal count
        count += 1
        if count == 200:
            done.set()
        stay(call)

    def dial(server: OutboundServer) -> None:
        with dialling(server) as peer:
            peer.take_call()
            peer.command()
            peer.notice()
            assert peer.is_closed()

    with serving(handle) as server:
        dials = [gevent.spawn(dial, server) for _ in range(200)]
        assert done.wait(10)
        for one in dials:
            one.get(timeout=10)
        wait_until_empty(server)


def test_two_processes_can_listen_on_one_port() -> None:
    with serving(stay) as server:
        other = OutboundServer(server.address, stay)
        other.start()
        other.stop(0)


def test_the_drain_lets_calls_end_and_takes_no_more() -> None:
    with serving(stay) as server, dialling(server) as peer:
        peer.take_call()
        command = peer.command()
        stopping = gevent.spawn(server.stop, 10)
        until(lambda: is_refused(server.address))
        assert not stopping.ready()
        peer.complete(command)
        assert peer.command().line == "exit"
        peer.notice()
        assert stopping.get(timeout=5) is True


def test_calls_that_do_not_end_are_closed_but_not_hung_up() -> None:
    gone: list[CallGone] = []

    def handle(call: CallLink) -> None:
        try:
            stay(call)
        except CallGone as error:
            gone.append(error)
            raise

    with serving(handle) as server, dialling(server) as peer:
        peer.take_call()
        assert peer.command().body == "music.wav"
        assert server.stop(0.05) is False
        with pytest.raises(EOFError):
            peer.command()
        assert len(gone) == 1
        assert gone[0].cause is None
        wait_until_empty(server)
