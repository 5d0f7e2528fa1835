"""A virtual switch in this process, its clock twenty times as fast as the wall, and a connection to it."""

from __future__ import annotations

import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from conf.clock import Clock
from engine.virtual.client import Connection
from engine.virtual.phones import Manner
from engine.virtual.switch import Switch

PASSWORD = "virtual"
FACTOR = 20.0

MakeSwitch = Callable[..., Switch]


@pytest.fixture
def make_switch() -> Iterator[MakeSwitch]:
    """Starts switches; keyword arguments are `Switch`'s."""
    started: list[Switch] = []

    def make(**arguments: object) -> Switch:
        given: dict[str, object] = {
            "dialplan": [("answer", ""), ("park", "")],
            "password": PASSWORD,
            "clock": Clock.starting(None, FACTOR),
            "phones": {"1001": Manner(), "1002": Manner(busy=True)},
        }
        switch = Switch(**(given | arguments))  # type: ignore[arg-type]
        switch.start()
        started.append(switch)
        return switch

    yield make
    for switch in started:
        switch.stop()


@pytest.fixture
def connect() -> Iterator[Callable[[Switch], Connection]]:
    opened: list[Connection] = []

    def open_to(switch: Switch) -> Connection:
        opened.append(Connection.inbound("127.0.0.1", switch.port, PASSWORD))
        return opened[-1]

    yield open_to
    for connection in opened:
        connection.close()


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    """A folder with two prompts of one second and what they say."""
    for name in ("welcome", "menu"):
        with wave.open(str(tmp_path / f"{name}.wav"), "wb") as sound:
            sound.setnchannels(1)
            sound.setsampwidth(2)
            sound.setframerate(8000)
            sound.writeframes(bytes(2 * 8000))
    (tmp_path / "prompts.yaml").write_text("welcome: Good morning, and welcome.\nmenu: Press 1 for sales.\n")
    return tmp_path
