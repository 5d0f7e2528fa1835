"""Callers and peers that mean harm, or are broken, against running engines: whatever they do, nobody else is harmed."""

from __future__ import annotations

import contextlib
import socket
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import gevent
import pytest

from .damaged import AGENTS, NUMBERS, Damaged

SILENT = 5000
ANSWERED_SECONDS = 2.0
"""By the wall, from ringing to the first prompt of a call that comes while others misbehave."""


@contextmanager
def others_unharmed(damaged: Damaged) -> Iterator[None]:
    """A talk and a call that waits from before go on through the block; one that comes afterwards is served; the engine
    processes are the same at the end, and nothing is left over."""
    before = {engine["id"] for engine in damaged.engines()}
    read = {path: path.stat().st_size for path in (damaged.home / "log").glob("engine-*.log")}
    damaged.on_duty(AGENTS["red"], AGENTS["white"])
    damaged.switch.phone(AGENTS["red"], answer=0.2, talk=None)
    damaged.switch.phone(AGENTS["white"], answer=0.2, talk=2)
    talk = damaged.switch.call(NUMBERS["red"])
    talk.wait_for("talks")
    waiting = damaged.switch.call(NUMBERS["blue"])
    waiting.wait_for("music")
    try:
        yield
        late = damaged.switch.call(NUMBERS["white"])
        late.wait_for("answered", ANSWERED_SECONDS)
        late.wait_for("talks", to=AGENTS["white"])
        late.wait_for("left")
        late.wait_for("ended")
        assert not talk.over
        assert not waiting.over
        talk.hang_up()
        waiting.hang_up()
    finally:
        for channel in damaged.switch.channels():
            damaged.switch.api(f"uuid_kill {channel['uuid']}")
    statuses = [damaged.report(caller).call["status"] for caller in (talk, waiting, late)]
    assert statuses == ["answered", "abandoned_queue", "answered"]
    assert {engine["id"] for engine in damaged.engines()} == before
    damaged.calm(40)
    assert not [path for path, size in read.items() if b"Traceback" in path.read_bytes()[size:]]


@pytest.fixture
def trap(tmp_path: Path) -> Path:
    """A file that nobody may make."""
    return tmp_path / "made"


HOSTILE = [
    "Bob\nUnique-ID: evil\nEvent-Name: CHANNEL_HANGUP",
    "Bob%0AUnique-ID: evil",
    "Bob\r\n\r\napi system touch {trap}\r\n\r\n",
    "Bob\n\nsendmsg\ncall-command: hangup\n\n",
    "${{system touch {trap}}}",
    "${{hupall()}}",
    "$${{base_dir}} #{{1+1}} `touch {trap}` $(touch {trap})",
    "'; DROP TABLE call; --",
    "reload mod_event_socket",
    '{{"kind":"call","id":1}}',
    "ÆØÅ 🎺 \u202e\u0000end",
    "x" * 3000,
]


def test_what_callers_are_called_is_no_command(damaged: Damaged, trap: Path) -> None:
    with others_unharmed(damaged):
        damaged.choose(AGENTS["green"], "ready")
        damaged.see(AGENTS["green"], presence="ready", work="idle")
        damaged.switch.phone(AGENTS["green"], answer=0.2, talk=0.5)
        for hostile in HOSTILE:
            text = hostile.format(trap=trap)
            caller = damaged.switch.call(NUMBERS["green"], name=text, caller=text[:200])
            caller.wait_for("talks", to=AGENTS["green"])
            caller.wait_for("ended")
            report = damaged.report(caller)
            assert (report.call["status"], report.call["called_number"]) == ("answered", NUMBERS["green"])
            # Nothing of that is a number, so nobody's card bears it.
            assert report.call["caller_number"] in ("", "5000") or report.call["caller_number"].isdigit()
    assert not trap.exists()


def test_keys_that_no_telephone_has(damaged: Damaged) -> None:
    with others_unharmed(damaged):
        caller = damaged.switch.call("5000")
        caller.hear("menu_main")
        for keys in ("ABCD", "*#*#*#", "7" * 500):
            caller.press(keys)
        caller.wait_until(caller.now + 20)
        if not caller.over:
            caller.hang_up()
        damaged.report(caller)


def test_thousands_of_connections_that_say_nothing(damaged: Damaged) -> None:
    silent = []
    try:
        with others_unharmed(damaged):
            for _ in range(SILENT):
                silent.append(connected(damaged))
                if len(silent) % 200 == 0:
                    gevent.sleep(0.01)
            late = damaged.switch.call("5000")
            late.wait_for("answered", ANSWERED_SECONDS)
            late.hear("menu_main")
            late.hang_up()
            for each in silent:
                each.close()
    finally:
        for each in silent:
            each.close()


def connected(damaged: Damaged) -> socket.socket:
    return socket.create_connection((damaged.esl.host, damaged.esl.port), timeout=10)


def handover(call_id: str, **more: str) -> bytes:
    """A reply to `connect` as FreeSWITCH gives it."""
    headers = {
        "Event-Name": "CHANNEL_DATA",
        "Unique-ID": call_id,
        "Caller-Caller-ID-Number": "%2B4570123456",
        "Caller-Destination-Number": "5000",
        "Socket-Mode": "async",
        "Control": "full",
    } | more
    lines = "".join(f"{name}: {value}\n" for name, value in headers.items())
    return f"{lines}Content-Type: command/reply\nReply-Text: %2BOK%0A\n\n".encode()


def event(call_id: str, name: str, more: str = "") -> bytes:
    body = f"Event-Name: {name}\nUnique-ID: {call_id}\n{more}\n".encode()
    return b"Content-Length: %d\nContent-Type: text/event-plain\n\n" % len(body) + body


OK = b"Content-Type: command/reply\nReply-Text: +OK\n\n"
Misdeed = Callable[[socket.socket, str], None]


def says(*words: bytes) -> Misdeed:
    def misbehave(sock: socket.socket, call_id: str) -> None:
        for each in words:
            sock.sendall(each.replace(b"UUID", call_id.encode()))

    return misbehave


def a_byte_at_a_time(sock: socket.socket, call_id: str) -> None:
    for byte in handover(call_id)[:40]:
        sock.sendall(bytes([byte]))
        gevent.sleep(0.05)


def an_endless_frame(sock: socket.socket, call_id: str) -> None:
    sock.sendall(handover(call_id) + b"Content-Length: 100000000\nContent-Type: text/event-plain\n\n")
    for _ in range(400):
        sock.sendall(b"x" * 10_000)


def endless_headers(sock: socket.socket, call_id: str) -> None:
    for _ in range(400):
        sock.sendall(b"X-Header: " + b"y" * 10_000)


def gone_at_once(sock: socket.socket, call_id: str) -> None:
    sock.sendall(handover(call_id))
    sock.close()


def reset(sock: socket.socket, call_id: str) -> None:
    sock.sendall(handover(call_id))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    sock.close()


MISDEEDS: dict[str, Misdeed] = {
    "garbage": says(bytes(range(256)) * 40),
    "http": says(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    "no content type": says(handover("UUID"), b"Content-Length: 5\n\nhello"),
    "no colon": says(handover("UUID"), b"what is this\n\n", OK * 20),
    "bad utf-8": says(
        handover("UUID"), event("UUID", "CUSTOM", "Name: ").replace(b"Name: ", b"Name: \xff\xfe"), OK * 20
    ),
    "negative length": says(handover("UUID"), b"Content-Length: -5\nContent-Type: text/event-plain\n\n"),
    "huge length": says(handover("UUID"), b"Content-Length: 99999999999999999999\nContent-Type: text/event-plain\n\n"),
    "short length": says(handover("UUID"), b"Content-Length: 3\nContent-Type: text/event-plain\n\nEvent-Name: X\n\n"),
    "replies that nobody awaits": says(handover("UUID"), OK * 500),
    "refusals": says(handover("UUID"), b"Content-Type: command/reply\nReply-Text: -ERR no\n\n" * 30),
    "unknown events": says(handover("UUID"), OK * 8, *(event("UUID", f"NO_SUCH_{number}") for number in range(300))),
    "another leg's hangup": says(handover("UUID"), OK * 8, event(str(uuid.UUID(int=1)), "CHANNEL_HANGUP")),
    "hung up twice": says(
        handover("UUID"), OK * 4, event("UUID", "CHANNEL_HANGUP") * 2, event("UUID", "CHANNEL_HANGUP_COMPLETE") * 2
    ),
    "no uuid": says(handover("")),
    "a uuid that is none": says(handover("..%2F..%2Fetc")),
    "time travel": says(handover("UUID", variable_pointsman_at="yesterday"), OK * 20),
    "a byte at a time": a_byte_at_a_time,
    "an endless frame": an_endless_frame,
    "endless headers": endless_headers,
    "gone at once": gone_at_once,
    "reset": reset,
}


def test_peers_that_are_broken_or_mean_harm(damaged: Damaged) -> None:
    """All at the same time, each several times; some close, some stay and say nothing more, as half-open connections do."""
    sockets: list[socket.socket] = []

    def meet(misdeed: Misdeed) -> None:
        sock = connected(damaged)
        sockets.append(sock)
        with contextlib.suppress(OSError):
            misdeed(sock, str(uuid.uuid4()))

    with others_unharmed(damaged):
        meetings = [gevent.spawn(meet, misdeed) for misdeed in MISDEEDS.values() for _ in range(4)]
        gevent.joinall(meetings, timeout=30, raise_error=True)
        assert all(meeting.ready() for meeting in meetings)
        late = damaged.switch.call("5000")
        late.wait_for("answered", ANSWERED_SECONDS)
        late.hear("menu_main")
        late.hang_up()
        for sock in sockets:
            sock.close()
