"""The control link, against a peer that is there, is not, comes back, or is dead without saying so."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import gevent
import greenswitch.esl
import pytest

from engine.esl.control import Channel, Control
from engine.esl.errors import (
    AuthRejected,
    CommandRejected,
    ControlLost,
    EslError,
    LinkClosed,
    OriginateFailed,
    ReplyTimeout,
    UnsafeText,
)
from engine.esl.frames import Event

from .peer import Peer


class Switch:
    """A listener that a Control connects to; `peer` is the connection it has now."""

    def __init__(self, password: str = "secret") -> None:
        self.password = password
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.address = self.listening.getsockname()
        self.lines: list[str] = []

    def accept(self, core: str = "core-1") -> Peer:
        """Take one connection through authentication and subscription, to its first ping."""
        sock, _ = self.listening.accept()
        peer = Peer(sock)
        peer.send(b"Content-Type: auth/request\n\n")
        if peer.command().line != f"auth {self.password}":
            peer.reply("-ERR invalid")
            peer.notice()
            peer.close()
            return peer
        peer.reply("+OK accepted")
        self.lines = []
        while not (line := peer.command().line).startswith("api"):
            self.lines.append(line)
            peer.reply()
        assert line == "api global_getvar core_uuid"
        peer.response(core)
        return peer


@contextmanager
def controlled(**options: Any) -> Iterator[tuple[Control, Peer, Switch]]:
    switch = Switch()
    control = Control(switch.address, "secret", **options)
    accepting = gevent.spawn(switch.accept)
    control.start()
    try:
        peer = accepting.get(timeout=5)
        assert control.wait_connected(5)
        yield control, peer, switch
    finally:
        stopping = gevent.spawn(control.stop, 0.05)
        stopping.join(10)
        switch.listening.close()


def test_it_authenticates_and_asks_for_its_own_legs_only() -> None:
    with controlled(owner="engine-7") as (control, _, switch):
        assert control.core_uuid == "core-1"
        assert switch.lines == [
            "filter Event-Name BACKGROUND_JOB",
            "filter variable_pointsman_owner engine-7",
            "filter variable_pointsman_taken false",
            "event plain BACKGROUND_JOB CHANNEL_HANGUP",
        ]
        assert isinstance(control, greenswitch.esl.InboundESL)


def test_a_job_ends_by_its_own_uuid() -> None:
    with controlled() as (control, peer, _):
        one, two = gevent.spawn(control.bgapi, "status", 5), gevent.spawn(control.bgapi, "version", 5)
        first, second = peer.command(), peer.command()
        peer.reply("+OK")
        peer.reply("+OK")
        peer.event("BACKGROUND_JOB", uuid=None, Job_UUID="somebody elses", body="theirs")
        peer.event("BACKGROUND_JOB", uuid=None, Job_UUID=second.headers["job-uuid"], body="1.11\n\nUnique-ID: x")
        peer.event("BACKGROUND_JOB", uuid=None, Job_UUID=first.headers["job-uuid"], body="+OK up")
        assert one.get(timeout=5) == "+OK up"
        assert two.get(timeout=5) == "1.11\n\nUnique-ID: x"
        refused = gevent.spawn(control.bgapi, "nonsense", 5)
        job = peer.command().headers["job-uuid"]
        peer.reply("+OK")
        peer.event("BACKGROUND_JOB", uuid=None, Job_UUID=job, body="-ERR nonsense Command not found!\n")
        with pytest.raises(CommandRejected):
            refused.get(timeout=5)
        assert not control._jobs.waiting


def test_jobs_accepted_in_another_order_end_the_connection_which_is_made_again() -> None:
    with controlled() as (control, peer, switch):
        asking = [gevent.spawn(control.bgapi, "status", 5), gevent.spawn(control.bgapi, "version", 5)]
        jobs = [peer.command().headers["job-uuid"] for _ in asking]
        for job in reversed(jobs):
            peer.send(f"Content-Type: command/reply\nReply-Text: +OK Job-UUID: {job}\nJob-UUID: {job}\n\n".encode())
        for each in asking:
            with pytest.raises(ControlLost):
                each.get(timeout=5)
        assert peer.is_closed()
        again = gevent.spawn(switch.accept, "core-1").get(timeout=5)
        assert control.wait_connected(5)
        ready = gevent.spawn(control.bgapi, "status", 5)
        job = again.command().headers["job-uuid"]
        again.send(f"Content-Type: command/reply\nReply-Text: +OK Job-UUID: {job}\nJob-UUID: {job}\n\n".encode())
        again.event("BACKGROUND_JOB", uuid=None, Job_UUID=job, body="+OK up")
        assert ready.get(timeout=5) == "+OK up"


def test_the_end_of_a_leg_that_no_engine_took_is_told() -> None:
    with controlled(owner="engine-7") as (control, peer, _):
        heard: list[str | None] = []
        control.hear_untaken(lambda event: heard.append(event.get("Unique-ID")))
        peer.event("CHANNEL_HANGUP", uuid="taken", variable_pointsman_taken="true")
        peer.event("CHANNEL_HANGUP", uuid="ours", variable_pointsman_owner="engine-7")
        peer.event("CHANNEL_ANSWER", uuid="lives", variable_pointsman_taken="false")
        peer.event("CHANNEL_HANGUP", uuid="nobody's", variable_pointsman_taken="false")
        asking = gevent.spawn(control.api, "status")
        peer.command()
        peer.response("UP")
        assert asking.get(timeout=5) == "UP"
        assert heard == ["nobody's"]


def test_a_job_that_never_ends_times_out() -> None:
    with controlled() as (control, peer, _):
        waiting = gevent.spawn(control.bgapi, "status", 0.1)
        peer.command()
        peer.reply("+OK")
        with pytest.raises(ReplyTimeout):
            waiting.get(timeout=5)
        assert not control._jobs.waiting


def test_a_leg_is_called_and_its_events_reach_its_subscriber() -> None:
    with controlled(owner="engine-7") as (control, peer, _):
        heard: list[Event] = []
        control.subscribe("leg-1", heard.append)
        calling = gevent.spawn(
            control.originate, "leg-1", "user/1001", {"origination_caller_id_name": "Ann B"}, timeout=5
        )
        command = peer.command()
        assert command.line == (
            "bgapi originate {origination_uuid=leg-1,pointsman_owner=engine-7,"
            "origination_caller_id_name='Ann B'}user/1001 &park()"
        )
        peer.reply("+OK")
        peer.event("CHANNEL_PROGRESS", uuid="leg-1")
        peer.event("CHANNEL_ANSWER", uuid="another")
        peer.event("CHANNEL_ANSWER", uuid="leg-1")
        peer.event("BACKGROUND_JOB", uuid=None, Job_UUID=command.headers["job-uuid"], body="+OK leg-1\n")
        assert calling.get(timeout=5) == "leg-1"
        assert [event.name for event in heard] == ["CHANNEL_PROGRESS", "CHANNEL_ANSWER"]
        control.unsubscribe("leg-1")
        peer.event("CHANNEL_HANGUP", uuid="leg-1")
        asking = gevent.spawn(control.api, "status")
        peer.command()
        peer.response("UP")
        assert asking.get(timeout=5) == "UP"
        assert len(heard) == 2


def test_a_leg_that_does_not_come_about_says_why() -> None:
    with controlled() as (control, peer, _):
        calling = gevent.spawn(control.originate, "leg-1", "user/1001", timeout=5)
        job = peer.command().headers["job-uuid"]
        peer.reply("+OK")
        peer.event("BACKGROUND_JOB", uuid=None, Job_UUID=job, body="-ERR USER_BUSY\n")
        with pytest.raises(OriginateFailed) as failed:
            calling.get(timeout=5)
        assert failed.value.cause == "USER_BUSY"


def test_a_leg_that_is_never_told_about_is_killed() -> None:
    with controlled() as (control, peer, _):
        calling = gevent.spawn(control.originate, "leg-1", "user/1001", timeout=0.1)
        peer.command()
        peer.reply("+OK")
        assert peer.command().line == "bgapi uuid_kill leg-1 ALLOTTED_TIMEOUT"
        with pytest.raises(ReplyTimeout):
            calling.get(timeout=5)


def test_a_leg_that_cannot_be_asked_for_leaves_nothing_waiting() -> None:
    with controlled() as (control, peer, _):
        calling = gevent.spawn(control.originate, "leg-1", "user/1001", timeout=5)
        peer.command()
        peer.reply("-ERR not now")
        with pytest.raises(OriginateFailed):
            calling.get(timeout=5)
        with pytest.raises(UnsafeText):
            control.originate("leg-1", "user/1001 ${x}")
        killed = gevent.spawn(control.bgapi, "version", 5)
        peer.command()
        killed.kill()
        assert not control._jobs.waiting
        assert control.connected


def test_the_switch_is_made_to_tell_at_once_of_legs_that_are_listened_to() -> None:
    with controlled() as (control, peer, _):
        heard: list[Event] = []
        for leg in ("leg-1", "leg-2"):
            control.subscribe(leg, heard.append)
        for _ in range(3):
            assert peer.received(1) == b"\n"
        control.unsubscribe("leg-1")
        assert peer.received(1) == b"\n", "there is another one"
        control.unsubscribe("leg-2")
        asking = gevent.spawn(control.api, "status")
        assert peer.command().line == "api status"
        peer.response("UP")
        assert asking.get(timeout=5) == "UP"
        assert peer.silent(0.05)


def test_what_breaks_ends_all_waits_and_comes_back() -> None:
    with controlled() as (control, peer, switch):
        waits = [
            gevent.spawn(control.bgapi, "status", 30),
            gevent.spawn(control.originate, "leg-1", "user/1", timeout=30),
        ]
        for _ in waits:
            peer.command()
            peer.reply("+OK")
        waits.append(gevent.spawn(control.api, "status", 30))
        peer.command()
        accepting = gevent.spawn(switch.accept, "core-2")
        peer.close()
        for wait in waits:
            with pytest.raises(ControlLost):
                wait.get(timeout=5)
        again = accepting.get(timeout=5)
        assert control.wait_connected(5)
        assert control.core_uuid == "core-2", "FreeSWITCH itself was started anew, and this tells it"
        asking = gevent.spawn(control.api, "status")
        again.command()
        again.response("UP")
        assert asking.get(timeout=5) == "UP"


def test_a_peer_that_is_dead_without_saying_so_is_found_by_the_heartbeat() -> None:
    with controlled(heartbeat=0.1) as (control, peer, switch):
        assert peer.command().line == "api global_getvar core_uuid"
        peer.response("core-1")
        waiting = gevent.spawn(control.bgapi, "status", 30)
        again = gevent.spawn(switch.accept)
        with pytest.raises(ControlLost):
            waiting.get(timeout=5)  # as the next ping is not answered
        again.get(timeout=5)
        assert control.wait_connected(5)


def test_without_a_connection_every_command_says_so_at_once() -> None:
    control = Control(("127.0.0.1", 1), "secret")
    for attempt in (
        lambda: control.api("status"),
        lambda: control.bgapi("status", 5),
        lambda: control.originate("leg", "user/1"),
        lambda: control.kill("leg"),
        lambda: control.channels(),
        lambda: control.connect(1),
    ):
        with pytest.raises(LinkClosed):
            attempt()
    assert not control._jobs.waiting


def test_a_wrong_password_and_a_wrong_address_are_named() -> None:
    switch = Switch("another")
    control = Control(switch.address, "secret")
    accepting = gevent.spawn(switch.accept)
    with pytest.raises(AuthRejected, match="password") as rejected:
        control.connect(5)
    assert isinstance(rejected.value, ValueError), "as greenswitch's own"
    accepting.join(5)

    def reject() -> None:
        sock, _ = switch.listening.accept()
        sock.sendall(b"Content-Type: text/rude-rejection\nContent-Length: 24\n\nAccess Denied, go away.\n")
        sock.close()

    rejecting = gevent.spawn(reject)
    with pytest.raises(AuthRejected, match="Access Denied"):
        control.connect(5)
    rejecting.join(5)
    assert not control.connected
    switch.listening.close()


def test_a_peer_that_never_asks_for_a_password_is_given_up() -> None:
    switch = Switch()
    control = Control(switch.address, "secret")
    with pytest.raises(ReplyTimeout):
        control.connect(0.1)
    switch.listening.close()


def test_channels_are_told_as_rows() -> None:
    with controlled() as (control, peer, _):
        row = '{"uuid":"a","direction":"inbound","name":"x","callstate":"ACTIVE"}'
        for body, told in (
            (f'{{"row_count":1,"rows":[{row}]}}', [Channel("a", direction="inbound", callstate="ACTIVE")]),
            ('{"row_count":0}', []),
        ):
            asking = gevent.spawn(control.channels)
            command = peer.command()
            assert command.line == "bgapi show channels as json"
            peer.reply("+OK")
            peer.event("BACKGROUND_JOB", uuid=None, Job_UUID=command.headers["job-uuid"], body=body)
            assert asking.get(timeout=5) == told
        for body in ("garbage", '{"rows":[{"uuid":7}]}', "[]"):
            asking = gevent.spawn(control.channels)
            command = peer.command()
            peer.reply("+OK")
            peer.event("BACKGROUND_JOB", uuid=None, Job_UUID=command.headers["job-uuid"], body=body)
            with pytest.raises(EslError, match="cannot be read"):
                asking.get(timeout=5)


def test_events_reach_the_handlers_of_their_name() -> None:
    heard: list[Event] = []
    with controlled(events=frozenset({"HEARTBEAT"})) as (control, peer, switch):
        assert switch.lines[-1] == "event plain BACKGROUND_JOB HEARTBEAT"
        control.register_handle("HEARTBEAT", heard.append)
        peer.event("HEARTBEAT", uuid=None, Up_Time="1")
        asking = gevent.spawn(control.api, "status")
        peer.command()
        peer.response("UP")
        asking.get(timeout=5)
        assert [event.get("Up-Time") for event in heard] == ["1"]
        control.unregister_handle("HEARTBEAT", heard.append)
        with pytest.raises(ValueError, match="no such handler"):
            control.unregister_handle("HEARTBEAT", heard.append)


def test_stopping_leaves_and_stays_away() -> None:
    with controlled() as (control, peer, switch):
        stopping = gevent.spawn(control.stop, 2)
        assert peer.command().line == "exit"
        peer.reply("+OK bye")
        peer.notice()
        stopping.get(timeout=5)
        assert not control.connected
        switch.listening.settimeout(0.2)
        with pytest.raises(TimeoutError):
            switch.listening.accept()
