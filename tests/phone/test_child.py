"""FreeSWITCH as the supervisor runs it."""

from __future__ import annotations

import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from conf.children import Child
from conf.settings import Settings
from engine.freeswitch import FreeSwitch, FreeSwitchBroken, FreeSwitchMissing, api, external, find
from tests.phone.rig import SipPhone
from tests.ports import free_port
from tests.switch_keys import lay_keys


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    with closing(psycopg2.connect(database_url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO agent (name, extension, sip_password) VALUES ('Anna', '1001', 'a secret'), ('Ben', '1002', '')"
        )
    return Settings(
        home=tmp_path,
        database_url=database_url,
        control=f"127.0.0.1:{free_port()}",
        sip=f"127.0.0.1:{free_port()}",
        esl=f"127.0.0.1:{free_port()}",
    )


def test_it_starts_with_the_agents_phones_and_ends_in_order(binary: str, settings: Settings, tmp_path: Path) -> None:
    switch = FreeSwitch(settings, Path(binary), "of our own")
    lay_keys(settings.home / "freeswitch")
    switch.prepare()
    child = Child(switch.spec, tmp_path / "switch.log")
    try:
        switch.wait_ready(child)
        assert api(settings.control, "of our own", "module_exists mod_local_stream", 30) == "true"
        phone = SipPhone("1001", "a secret", server=settings.sip, folder=tmp_path / "phone")
        with closing(phone):
            phone.register()
        assert api(settings.control, "of our own", "user_exists id 1002 pointsman", 30) == "false"
        with pytest.raises(ConnectionRefusedError):
            api(settings.control, "another", "status", 30)
        with pytest.raises(FreeSwitchBroken, match="POINTSMAN_CONTROL"):
            FreeSwitch(settings, Path(binary), "x").prepare()
    finally:
        child.stop()
    assert child.exit_code == 0
    assert not [path for path in Path.cwd().iterdir() if path.suffix == ".db"]


def test_an_address_in_use_is_named(settings: Settings) -> None:
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as taken:
        taken.bind((settings.sip.host, settings.sip.port))
        with pytest.raises(FreeSwitchBroken, match=f"POINTSMAN_SIP: {settings.sip}"):
            FreeSwitch(settings, Path("/bin/true"), "x").prepare()


def test_one_that_ends_at_once_is_noticed(settings: Settings, tmp_path: Path) -> None:
    switch = FreeSwitch(settings, Path("/bin/false"), "of our own")
    switch.prepare()
    with pytest.raises(FreeSwitchBroken, match="ended at once"):
        switch.wait_ready(Child(switch.spec, tmp_path / "switch.log"), 30)


def test_what_the_setting_means() -> None:
    assert find("virtual") is None
    assert external("virtual") is None
    assert find("127.0.0.1:8021") is None
    assert external("127.0.0.1:8021") == "127.0.0.1:8021"
    assert find("/bin/sh") == Path("/bin/sh")
    with pytest.raises(FreeSwitchMissing, match="HOST:PORT"):
        find("/nowhere/freeswitch")


def test_the_command_renders_for_a_freeswitch_run_elsewhere(settings: Settings, tmp_path: Path) -> None:
    assert settings.database_url is not None
    done = subprocess.run(
        [sys.executable, "-m", "conf.cli", "freeswitch", "render", str(tmp_path / "etc")],
        env={
            "PATH": "/usr/bin:/bin",
            "POINTSMAN_HOME": str(tmp_path / "home"),
            "POINTSMAN_DATABASE_URL": settings.database_url,
            "POINTSMAN_REDIS_URL": "redis://127.0.0.1:1/0",
            "POINTSMAN_FREESWITCH_PASSWORD": "of our own",
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    written = (tmp_path / "etc" / "freeswitch.xml").read_text()
    assert 'value="of our own"' in written
    assert '<user id="1001">' in written
    assert '<user id="1002">' not in written
