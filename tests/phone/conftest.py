"""A real FreeSWITCH for the tests of this folder, started once; they are skipped where the machine has none."""

from __future__ import annotations

import importlib.util
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sounds import music
from tests.phone.controller import Engine, Wire, control
from tests.phone.house import House, running_house
from tests.phone.rig import PATIENCE, RunningSwitch, freeswitch_binary, running_freeswitch
from tests.phone.tones import write_tone
from tests.waiting import eventually


@pytest.fixture(scope="session")
def binary() -> str:
    """The FreeSWITCH of this machine."""
    binary = freeswitch_binary()
    if binary is None:
        pytest.skip("no FreeSWITCH here: put one on PATH or name it in POINTSMAN_FREESWITCH")
    if importlib.util.find_spec("baresip") is None:
        pytest.skip("no telephones here: baresip-python is not installed")
    return binary


@pytest.fixture(scope="session")
def freeswitch(binary: str) -> Iterator[RunningSwitch]:
    """The running FreeSWITCH, shared by all tests; `switch` is it for one test. Calls from this machine need no password."""
    folder = Path(tempfile.mkdtemp(prefix="pointsman-phone-"))
    apology = write_tone(folder / "apology.wav", 1500, 1.0)
    with running_freeswitch(
        binary, folder, music=music.SHIPPED, apology=apology, engine_retry_pauses_ms=(0, 300)
    ) as running:
        yield running
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def switch(freeswitch: RunningSwitch) -> Iterator[RunningSwitch]:
    """FreeSWITCH with no call and no phone left over from another test."""
    yield freeswitch
    freeswitch.close_phones()
    freeswitch.api("hupall")


@pytest.fixture
def strict(binary: str, tmp_path: Path) -> Iterator[RunningSwitch]:
    """A FreeSWITCH without trunks: every call needs a password."""
    with running_freeswitch(binary, tmp_path, trunks=()) as running:
        yield running


@pytest.fixture
def engine(switch: RunningSwitch) -> Iterator[Engine]:
    """Somebody who takes the calls."""
    taker = Engine(switch.engine)
    yield taker
    taker.close()


@pytest.fixture
def link(switch: RunningSwitch) -> Iterator[Wire]:
    """The control link."""
    wire = control(switch.control, switch.password)
    yield wire
    wire.close()


@pytest.fixture(scope="session")
def running_in_house(binary: str) -> Iterator[House]:
    """A whole installation on FreeSWITCH; `house` is it for one test."""
    home = Path(tempfile.mkdtemp(prefix="pointsman-house-"))
    # The embedded Postgres runs as somebody else where the tests run as root.
    home.chmod(0o755)
    try:
        with running_house(home, binary) as running:
            yield running
    finally:
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def house(running_in_house: House) -> Iterator[House]:
    """The installation with nobody on duty and nobody on the line, before and after."""
    running_in_house.on_duty()
    yield running_in_house
    running_in_house.switch.close_phones()
    eventually(running_in_house.check_nothing_left, PATIENCE)
