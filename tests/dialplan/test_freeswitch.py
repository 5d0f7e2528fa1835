"""The configuration as FreeSWITCH's XML reader would see it."""

from __future__ import annotations

import stat
import tempfile
import xml.etree.ElementTree as ET
from hashlib import md5
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from conf.settings import Address
from dialplan.freeswitch import DeskPhone, SwitchConfigurationInvalid, command_line, render


def written(folder: Path, **changes: Any) -> ET.Element:
    wanted: dict[str, Any] = {
        "control": Address("127.0.0.1:8021"),
        "control_password": "of our own",
        "sip": Address("127.0.0.1:5060"),
        "engines": [Address("127.0.0.1:8084")],
        **changes,
    }
    return ET.parse(render(folder, **wanted)).getroot()


def settings_of(root: ET.Element, name: str) -> dict[str, str]:
    found = root.findall(f".//configuration[@name='{name}']//param")
    return {param.attrib["name"]: param.attrib["value"] for param in found}


@given(name=some.text(), password=some.text(min_size=1))
def test_whatever_a_phone_is_called_the_file_holds_it_as_data(name: str, password: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = written(Path(folder), phones=[DeskPhone("1001", name, password)])
    user = root.find(".//user")
    assert user is not None
    digest = md5(f"1001:pointsman:{password}".encode(errors="surrogatepass"), usedforsecurity=False).hexdigest()
    assert {param.attrib["name"]: param.attrib["value"] for param in user.iter("param")} == {
        "a1-hash": digest,
        "dial-string": "sofia/internal/1001%pointsman",
    }
    assert "${" not in "".join(variable.attrib["value"] for variable in user.iter("variable"))


def test_only_its_owner_reads_it(tmp_path: Path) -> None:
    written(tmp_path / "made")
    assert stat.S_IMODE((tmp_path / "made" / "freeswitch.xml").stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "made").iterdir()] == ["freeswitch.xml"]


def test_every_call_must_sign_in_where_there_is_no_trunk(tmp_path: Path) -> None:
    closed = settings_of(written(tmp_path, trunks=()), "sofia.conf")
    assert closed["auth-calls"] == "true"
    assert "apply-inbound-acl" not in closed
    root = written(tmp_path, trunks=("192.0.2.7",))
    assert settings_of(root, "sofia.conf")["apply-inbound-acl"] == "trunks:public"
    nodes = root.findall(".//list[@name='trunks']/node")
    assert [node.attrib for node in nodes] == [{"type": "allow", "cidr": "192.0.2.7/32"}]


def test_a_call_is_offered_to_all_engines_and_again_before_the_apology(tmp_path: Path) -> None:
    root = written(
        tmp_path,
        engines=[Address("0.0.0.0:8084"), Address("192.0.2.1:8084")],
        engine_retry_pauses_ms=(0, 500),
        apology=Path("/sorry.wav"),
    )
    for context in ("public", "phones"):
        actions = root.findall(f".//context[@name='{context}']//action")
        steps = [(action.attrib["application"], action.attrib.get("data")) for action in actions]
        engine = [("set", "socket_resume=true"), ("socket", "127.0.0.1:8084|192.0.2.1:8084 async full")]
        again = [("set", "pointsman_recovering=true"), *engine]
        assert steps[:10] == [("set", "pointsman_taken=false"), *engine, *again, ("sleep", "500"), *again]
        assert steps[10:] == [
            ("answer", None),
            ("sleep", "500"),
            ("playback", "/sorry.wav"),
            ("hangup", "NORMAL_TEMPORARY_FAILURE"),
        ]


def test_a_call_outlives_more_engines_than_will_die_in_its_time(tmp_path: Path) -> None:
    steps = [action.attrib["application"] for action in written(tmp_path).findall(".//context[@name='public']//action")]
    assert steps[: steps.index("sleep")].count("socket") > 16
    assert steps.count("socket") - steps[: steps.index("sleep")].count("socket") == 6


def test_music_is_streamed_where_there_is_some(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    for folder in (None, empty):
        root = written(tmp_path, music=folder)
        assert root.find(".//configuration[@name='local_stream.conf']") is None
        assert root.find(".//load[@module='mod_local_stream']") is None
    (empty / "a.wav").touch()
    assert written(tmp_path, music=empty).find(".//directory[@name='music']") is not None
    streams = written(tmp_path, music={"music": empty, "music-jazz": empty}).findall(".//directory[@path]")
    assert [stream.attrib["name"] for stream in streams if stream.attrib["name"].startswith("music")] == [
        "music",
        "music-jazz",
    ]


def test_only_modules_that_are_there_are_loaded(tmp_path: Path) -> None:
    needed = {"mod_commands", "mod_dptools", "mod_dialplan_xml", "mod_event_socket", "mod_sofia", "mod_sndfile"}
    root = written(tmp_path, available=needed)
    assert {module.attrib["module"] for module in root.iter("load")} == needed
    with pytest.raises(SwitchConfigurationInvalid, match="mod_sofia"):
        written(tmp_path, available=needed - {"mod_sofia"})


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"control_password": "ClueCon"}, "password"),
        ({"control_password": ""}, "password"),
        ({"control_password": "a\nb"}, "characters"),
        ({"control_password": "$${hostname}"}, "characters"),
        ({"engines": []}, "engine"),
        ({"phones": [DeskPhone("10/01", "", "x")]}, "extension"),
        ({"phones": [DeskPhone("1001", "", "")]}, "password"),
        ({"trunks": ["everybody"]}, "192.0.2.0/24"),
        ({"rtp_ports": (20000, 10000)}, "RTP"),
        ({"log_level": "chatty"}, "log level"),
        ({"sip": Address("[::1]:5060")}, "POINTSMAN_SIP"),
    ],
)
def test_what_cannot_be_configured_is_named(tmp_path: Path, changes: dict[str, Any], fault: str) -> None:
    with pytest.raises(SwitchConfigurationInvalid, match=fault):
        written(tmp_path, **changes)
    assert not list(tmp_path.iterdir())


def test_everything_freeswitch_writes_stays_in_its_folder(tmp_path: Path) -> None:
    command = command_line("/bin/freeswitch", tmp_path)
    assert command[:4] == ["/bin/freeswitch", "-nf", "-nc", "-np"]
    folders = {command[at + 1] for at, word in enumerate(command) if word.startswith("-") and word not in command[:6]}
    assert all(Path(folder).parent == tmp_path for folder in folders)
    assert {"-conf", "-log", "-db", "-run"} < set(command)
    assert "-mod" not in command
