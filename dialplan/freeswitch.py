"""The configuration of the FreeSWITCH that stands under an installation, and how that FreeSWITCH is started.

Everything it reads is one file, `freeswitch.xml`, written from the templates in conf/freeswitch. Nothing of FreeSWITCH's own
sample configuration takes part, so no sample password, extension or open port does either.
"""

from __future__ import annotations

import hashlib
import ipaddress
import os
import re
import resource
import socket
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from conf.errors import PointsmanError
from conf.installation import write_private
from conf.settings import Address

FILE_NAME = "freeswitch.xml"
DOMAIN = "pointsman"
"""The SIP domain and digest realm of every installation: phones sign in as EXTENSION, whatever address they use."""

LOOPBACK = ("127.0.0.0/8",)

CODECS = ("PCMU", "PCMA")

MEDIA_TIMEOUT_SECONDS = 120
"""How long nothing is heard of a peer's audio before its call is hung up."""

RETRY_PAUSES_MS = (*(0,) * 16, 500, 1000, 2000, 3000, 5000, 5000)
"""Milliseconds before each further try to reach an engine. Every death of an engine costs each of its calls one try, and where
none runs those without a pause are over at once; the others bridge the time in which one is started again."""

_NEEDED = (
    "mod_commands",
    "mod_dptools",
    "mod_dialplan_xml",
    "mod_event_socket",
    "mod_sofia",
    "mod_sndfile",
)
_HELPFUL = ("mod_logfile", "mod_tone_stream", "mod_loopback", "mod_native_file")
_FOLDERS = (
    "log",
    "db",
    "run",
    "certs",
    "storage",
    "recordings",
    "cache",
    "temp",
    "sounds",
    "scripts",
    "grammar",
    "htdocs",
)
_LEVELS = ("debug", "info", "notice", "warning", "err", "crit", "alert")


class SwitchConfigurationInvalid(PointsmanError):
    """Something that cannot be written into FreeSWITCH's configuration; the message names it."""


@dataclass(frozen=True, slots=True)
class DeskPhone:
    """An agent's telephone: what it signs in with, and the name that others see."""

    extension: str
    name: str
    password: str

    @property
    def digest(self) -> str:
        """The half of RFC 2617's digest that holds the password: MD5 of user, realm and password."""
        return hashlib.md5(f"{self.extension}:{DOMAIN}:{self.password}".encode(), usedforsecurity=False).hexdigest()

    @property
    def endpoint(self) -> str:
        """The dial string of whatever this phone is registered from. `%` asks the registrations; no API is expanded."""
        return f"sofia/internal/{self.extension}%{DOMAIN}"


def render(
    folder: Path,
    *,
    control: Address,
    control_password: str,
    sip: Address,
    engines: Sequence[Address],
    phones: Sequence[DeskPhone] = (),
    trunks: Sequence[str] = LOOPBACK,
    control_networks: Sequence[str] = (*LOOPBACK, "::1/128"),
    music: Path | Mapping[str, Path] | None = None,
    apology: Path | None = None,
    available: Collection[str] | None = None,
    rtp_ports: tuple[int, int] = (16384, 32766),
    sessions_per_second: int | None = None,
    registration_seconds: int = 300,
    engine_retry_pauses_ms: Sequence[int] = RETRY_PAUSES_MS,
    log_level: str = "warning",
) -> Path:
    """Write `freeswitch.xml` into `folder` (made where it is missing), readable by its owner alone, and return its path.

    `trunks` are the networks whose calls are taken without a password (a carrier's, or this machine's own); all other calls
    must sign in as one of `phones`. `engines` are tried in their order. `music` is a folder of WAV files, streamed as
    `local_stream://music`, or several such folders by the names of their streams; `apology` is what a caller hears where no
    engine comes. `available` names the modules this FreeSWITCH has, None where that is not known: then the helpful ones are
    asked for, and FreeSWITCH goes on without those it does not find. How many calls it takes, at once and (unless given) a
    second, is what the machine carries. Raises SwitchConfigurationInvalid.
    """
    if not control_password or control_password == "ClueCon":  # noqa: S105
        raise SwitchConfigurationInvalid("the event socket needs a password of its own, not the one everybody knows")
    if not engines:
        raise SwitchConfigurationInvalid("no engine's address is given, so no call could be handled")
    cores = os.cpu_count() or 1
    folders = {"music": music} if isinstance(music, Path) else dict(music or {})
    # A stream of nothing keeps the module from loading.
    folders = {name: path for name, path in folders.items() if any(path.glob("*.wav"))}
    values = {
        "domain": DOMAIN,
        "control": control,
        "control_password": control_password,
        "control_networks": _networks(control_networks),
        "sip_port": sip.port,
        "sip_host": _sip_host(sip.host),
        "engines": "|".join(_reachable(engine) for engine in engines),
        "phones": [_checked(phone) for phone in phones],
        "trunks": _networks(trunks),
        "music": folders,
        "apology": apology,
        "modules": _modules(available, bool(folders)),
        "rtp_ports": _even(rtp_ports),
        "max_sessions": _session_limit(),
        "sessions_per_second": sessions_per_second or 100 * cores,
        "registration_seconds": registration_seconds,
        "media_timeout": MEDIA_TIMEOUT_SECONDS * 1000,
        "codecs": ",".join(CODECS),
        "pauses": engine_retry_pauses_ms,
        "log_level": _level(log_level),
        "log_levels": ",".join(_LEVELS[_LEVELS.index(_level(log_level)) :]),
    }
    for value in (control_password, *folders, *folders.values(), apology, folder):
        _plain(str(value))
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent.parent / "conf" / "freeswitch"),
        undefined=StrictUndefined,
        autoescape=True,
    )
    text = templates.get_template(f"{FILE_NAME}.j2").render(values)
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / FILE_NAME
    write_private(target, text)
    return target


def command_line(binary: Path | str, folder: Path) -> list[str]:
    """The command that runs FreeSWITCH in the foreground with everything it writes below `folder`; makes the folders.

    Its `freeswitch.xml` is in `folder/conf`. No `-mod`: the modules are those of the binary's own installation. Never with
    real-time priority, which would starve the engines on the same cores; no port mapping and no timer calibration at start.
    """
    folder = folder.absolute()
    command = [str(binary), "-nf", "-nc", "-np", "-nonat", "-nocal", "-conf", str(folder / "conf")]
    for name in _FOLDERS:
        (folder / name).mkdir(parents=True, exist_ok=True)
        command += [f"-{name}", str(folder / name)]
    return command


def module_folder(binary: Path | str) -> Path | None:
    """Where the modules of this FreeSWITCH lie, judged from where its binary lies; None where that cannot be told."""
    real = Path(binary).resolve()
    prefix = real.parent.parent
    for place in (prefix / "lib" / "freeswitch" / "mod", prefix / "mod", *prefix.glob("lib/*/freeswitch/mod")):
        if place.is_dir():
            return place
    return None


def installed_modules(binary: Path | str) -> frozenset[str] | None:
    """The names of the modules this FreeSWITCH has, for `render`; None where its folder is not found."""
    folder = module_folder(binary)
    return None if folder is None else frozenset(path.stem for path in folder.glob("mod_*.so"))


def _modules(available: Collection[str] | None, music: bool) -> list[dict[str, object]]:
    wanted = [(name, True) for name in _NEEDED] + [(name, False) for name in _HELPFUL]
    if music:
        # This module refuses to load with nothing to stream.
        wanted.append(("mod_local_stream", False))
    if available is not None:
        missing = sorted(set(_NEEDED) - set(available))
        if missing:
            raise SwitchConfigurationInvalid(
                f"this FreeSWITCH lacks {', '.join(missing)}; install these modules for it"
            )
    return [{"name": name, "needed": needed} for name, needed in wanted if available is None or name in available]


def _session_limit() -> int:
    """As many legs as files may be open at eight a leg, and memory suffices at two megabytes a leg; 100 to 10,000."""
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    by_files = 10_000 if files == resource.RLIM_INFINITY else files // 8
    return max(100, min(10_000, by_files, memory // 2 // (2 << 20)))


def _even(ports: tuple[int, int]) -> tuple[int, int]:
    """RTP takes even ports; FreeSWITCH warns of odd ends and rounds them (switch_core_port_allocator.c:78)."""
    first, last = ports[0] + ports[0] % 2, ports[1] - ports[1] % 2
    if not 1024 <= first < last <= 65534:
        raise SwitchConfigurationInvalid(f"RTP ports {ports[0]}-{ports[1]} are not a range within 1024-65535")
    return first, last


def _sip_host(host: str) -> str:
    """What SIP and RTP are bound to: an address, as FreeSWITCH takes no names here, and no wildcard for audio."""
    if host in ("0.0.0.0", "*"):
        return "$${local_ip_v4}"
    try:
        return str(ipaddress.IPv4Address(socket.gethostbyname(host)))
    except (OSError, ValueError) as error:
        raise SwitchConfigurationInvalid(f"{host!r} is no IPv4 address for SIP; set POINTSMAN_SIP to one") from error


def _reachable(engine: Address) -> str:
    """Where FreeSWITCH finds an engine that listens there; an engine on every address is found on this machine."""
    return f"127.0.0.1:{engine.port}" if engine.host in ("0.0.0.0", "*") else str(engine)


def _networks(networks: Sequence[str]) -> list[str]:
    try:
        return [str(ipaddress.ip_network(network, strict=False)) for network in networks]
    except ValueError as error:
        raise SwitchConfigurationInvalid(f"{error}; write a network as 192.0.2.0/24") from error


def _level(level: str) -> str:
    level = "err" if level == "error" else level
    if level not in _LEVELS:
        raise SwitchConfigurationInvalid(f"{level!r} is no log level of FreeSWITCH's; it has {', '.join(_LEVELS)}")
    return level


def _checked(phone: DeskPhone) -> DeskPhone:
    if not re.fullmatch(r"[0-9A-Za-z]{1,20}", phone.extension):
        raise SwitchConfigurationInvalid(f"extension {phone.extension!r} is not made of digits and letters alone")
    if not phone.password:
        raise SwitchConfigurationInvalid(f"extension {phone.extension} has no password, so anybody could be it")
    # A name is shown, never needed: what FreeSWITCH would take for an instruction is left out of it.
    return DeskPhone(phone.extension, re.sub(r"[\x00-\x1f$]", "", phone.name), phone.password)


def _plain(text: str) -> None:
    """Refuse what FreeSWITCH's preprocessor or its line reader would act on."""
    if "$${" in text or re.search(r"[\x00-\x1f]", text):
        raise SwitchConfigurationInvalid(f"{text!r} holds characters that FreeSWITCH would not read as they stand")
