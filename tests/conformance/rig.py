"""A switch under test with a controller on its outbound side and a connection on its inbound side."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from dialplan.freeswitch import command_line
from engine.virtual.client import Connection
from tests.ports import free_port
from tests.switch_keys import lay_keys

from .plans import PASSWORD, freeswitch_xml, numbers


def freeswitch_binary() -> str | None:
    """The FreeSWITCH to test against: POINTSMAN_FREESWITCH where it names a binary, else one on the PATH."""
    named = os.environ.get("POINTSMAN_FREESWITCH", "")
    if "/" in named and os.access(named, os.X_OK):
        return named
    return shutil.which("freeswitch")


PATIENCE = 40.0
"""How long, in seconds, is waited for what a switch is sure to do: also on a machine that has much else to do."""


def lasts(least: float, most: float, what: Callable[[], object]) -> None:
    """Whether `what` takes so many seconds. A busy machine can only make it longer, so where it was too long it is done again,
    and has to be in time once."""
    took = []
    while len(took) < 5:
        began = time.monotonic()
        what()
        took.append(time.monotonic() - began)
        assert took[-1] > least, took
        if took[-1] < most:
            return
    raise AssertionError(f"it takes {min(took):.2f} s, expected less than {most} s")


class Rig:
    """`kind` is `virtual` or `freeswitch`. The switch runs as a process of its own below `folder`."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind = kind
        self.folder = folder
        self.server = socket.create_server(("127.0.0.1", 0), backlog=50)
        self.engine_port = self.server.getsockname()[1]
        self.control_port = free_port()
        self._open: list[Connection] = []
        self._log = (folder / "output.log").open("wb")
        # A port that is bound without listening refuses whoever calls, and nobody else gets it.
        self._nobody = socket.socket()
        self._nobody.bind(("127.0.0.1", 0))
        self._process = self._start(self._nobody.getsockname()[1])

    def _start(self, nobody: int) -> subprocess.Popen[bytes]:
        if self.kind == "virtual":
            ports = [str(port) for port in (self.control_port, self.engine_port, nobody)]
            command = [sys.executable, "-m", "conformance.virtual_switch", *ports]
        else:
            binary = freeswitch_binary()
            assert binary is not None
            lay_keys(self.folder)
            configuration = self.folder / "conf"
            configuration.mkdir(parents=True, exist_ok=True)
            text = freeswitch_xml(self.control_port, numbers(self.engine_port, nobody))
            (configuration / "freeswitch.xml").write_text(text)
            command = command_line(binary, self.folder)
        tests = Path(__file__).parents[1]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tests.parent), str(tests)])}
        quiet = subprocess.DEVNULL
        return subprocess.Popen(command, cwd=tests, env=environment, stdin=quiet, stdout=self._log, stderr=self._log)

    def wait_ready(self, seconds: float = 2 * PATIENCE) -> None:
        end = time.monotonic() + seconds
        while True:
            try:
                connection = self.inbound()
                if "is ready" in connection.api("status"):
                    break
            except OSError:
                if time.monotonic() > end or self._process.poll() is not None:
                    raise
            time.sleep(0.05)
        self.close_all()

    def stop(self) -> None:
        self.close_all()
        self.server.close()
        self._nobody.close()
        self._process.kill()
        self._process.wait(10)
        self._log.close()

    def inbound(self) -> Connection:
        connection = Connection.inbound("127.0.0.1", self.control_port, PASSWORD, PATIENCE)
        self._open.append(connection)
        return connection

    def accept(self, timeout: float = PATIENCE) -> Connection:
        """The next connection the switch makes to the controller."""
        self.server.settimeout(timeout)
        sock, _ = self.server.accept()
        connection = Connection(sock, PATIENCE)
        self._open.append(connection)
        return connection

    def no_connection(self, seconds: float) -> bool:
        """Whether the switch makes none within that time."""
        try:
            self.accept(seconds)
        except TimeoutError:
            return True
        return False

    def close_all(self) -> None:
        for connection in self._open:
            connection.close()
        self._open.clear()

    def clean(self) -> None:
        """End whatever a test has left. What still lingers is nobody's business: tests know their calls by uuid."""
        self.inbound().api("hupall")
        self.close_all()
        self.server.settimeout(0.0)
        try:
            while True:
                self.server.accept()[0].close()
        except OSError:
            pass

    def ring(self, number: str, does: str = "park()", **variables: str) -> str:
        """A caller's call to `number` comes in; the caller's uuid. It is a leg at the far end of a loopback that waits, or
        does something else."""
        uuid = str(uuid4())
        given = {
            "origination_uuid": uuid,
            "loopback_bowout": "false",
            "loopback_bowout_on_execute": "false",
        } | variables
        text = ",".join(f"{name}={value}" for name, value in given.items())
        connection = self.inbound()
        connection.send(f"bgapi originate {{{text}}}loopback/{number}/default/XML &{does}")
        return uuid

    def take(
        self, number: str, *, answer: bool = True, linger: str = "linger 1", does: str = "park()"
    ) -> tuple[str, Connection, str]:
        """A call on the controller: the caller's uuid, the connection, the controlled channel's uuid."""
        caller = self.ring(number, does)
        call, uuid = self.take_over(linger)
        if answer:
            call.execute("answer", uuid="answer")
            call.event("CHANNEL_EXECUTE_COMPLETE", **{"Application-UUID": "answer"})
        return caller, call, uuid

    def take_over(self, linger: str = "linger 1") -> tuple[Connection, str]:
        call = self.accept()
        data = call.send("connect")
        assert call.send("myevents").get("Reply-Text") == "+OK Events Enabled"
        if linger:
            call.send(linger)
        return call, data.get("Unique-ID") or ""
