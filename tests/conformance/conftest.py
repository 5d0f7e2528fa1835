"""Both switches, each started once; a test runs against the virtual one and, where there is one, against a FreeSWITCH."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from .rig import Rig, freeswitch_binary


@pytest.fixture(scope="session", params=["virtual", "freeswitch"])
def _rig(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    if request.param == "freeswitch" and freeswitch_binary() is None:
        pytest.skip("no freeswitch on the PATH and POINTSMAN_FREESWITCH names none")
    rig = Rig(request.param, Path(tmp_path_factory.mktemp(request.param)))
    try:
        rig.wait_ready()
        yield rig
    finally:
        rig.stop()


@pytest.fixture
def rig(_rig: Rig) -> Iterator[Rig]:
    yield _rig
    _rig.clean()
