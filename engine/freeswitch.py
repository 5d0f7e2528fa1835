"""The FreeSWITCH of an installation: found, configured from what the database knows, and run as a child.

Used like conf.embedded's servers: `prepare`, run `spec` (with `configure` before each further run), then `wait_ready`.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import gevent
import psycopg2
import structlog
from gevent.event import Event

from conf import installation
from conf.children import Child, ChildSpec
from conf.database import raw_connection
from conf.errors import PointsmanError
from conf.settings import Address, Settings
from dialplan.freeswitch import LOOPBACK, DeskPhone, command_line, installed_modules, render
from sounds import music
from sounds.catalogue import DEFAULT_LANGUAGE, Catalogue
from sounds.errors import PromptMissing

APOLOGY = "technical_fault"
"""The prompt for a caller whom no engine takes."""

PHONES_SECONDS = 2.0
"""How late a new agent can sign in with their phone."""

log = structlog.get_logger(__name__)

_PLACES = ("/usr/local/freeswitch/bin/freeswitch", "/usr/bin/freeswitch")
_EXTERNAL = re.compile(r"[^/:]+:\d{1,5}")


class FreeSwitchMissing(PointsmanError):
    """FreeSWITCH is named in the settings, but there is none."""


class FreeSwitchBroken(PointsmanError):
    """FreeSWITCH cannot be started or does not answer; the message says why and what to do."""


def find(setting: str) -> Path | None:
    """The binary to run for a POINTSMAN_FREESWITCH; None for `virtual`, for one that runs already, and for `auto` where
    none is installed. FreeSwitchMissing where a path is named that is no program."""
    if setting == "virtual" or external(setting) is not None:
        return None
    if setting == "auto":
        found = shutil.which("freeswitch") or next((place for place in _PLACES if os.access(place, os.X_OK)), None)
        return None if found is None else Path(found)
    named = shutil.which(str(Path(setting).expanduser()))
    if named is None:
        raise FreeSwitchMissing(
            f"POINTSMAN_FREESWITCH: {setting!r} is no program that can be run; name FreeSWITCH's binary, HOST:PORT, or virtual"
        )
    return Path(named)


def external(setting: str) -> Address | None:
    """The event socket of a FreeSWITCH that runs already, where the setting names one."""
    return Address(setting) if _EXTERNAL.fullmatch(setting) else None


def desk_phones(database_url: str) -> list[DeskPhone]:
    """The agents' phones, by extension. An agent without a password has none, as nobody could sign in with it."""
    with closing(raw_connection(database_url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT extension, name, sip_password FROM agent WHERE sip_password <> '' ORDER BY extension")
        return [DeskPhone(*row) for row in cursor.fetchall()]


def write_configuration(folder: Path, settings: Settings, password: str, *, binary: Path | None = None) -> Path:
    """Render this installation's `freeswitch.xml` into `folder`, with the phones that are in the database of the settings.

    `binary` lets modules it lacks be left out. DatabaseUnreachable, SwitchConfigurationInvalid.
    """
    if settings.database_url is None:
        raise FreeSwitchBroken("POINTSMAN_DATABASE_URL is not set, so the agents' phones are not known")
    try:
        apology = Catalogue.of_home(settings.home).find(APOLOGY, DEFAULT_LANGUAGE).path
    except PromptMissing:
        apology = None
    private = [f"{address.host}/32" for address in (settings.control, settings.esl) if _is_private(address.host)]
    return render(
        folder,
        control=settings.control,
        control_password=password,
        control_networks=(*LOOPBACK, "::1/128", *private),
        sip=settings.sip,
        engines=[settings.esl],
        phones=desk_phones(settings.database_url),
        trunks=settings.trunk_networks,
        music=music.streams(settings.home),
        apology=apology,
        available=None if binary is None else installed_modules(binary),
    )


class FreeSwitch:
    """The FreeSWITCH that one home folder runs. `settings` with the database's URL; `password` is its event socket's."""

    def __init__(self, settings: Settings, binary: Path, password: str) -> None:
        self.settings = settings
        self.binary = binary
        self.password = password
        self.folder = installation.folder(settings.home, "freeswitch")
        self._streams: dict[str, Path] = {}

    def prepare(self) -> None:
        """See that its addresses are free and write its configuration. FreeSwitchBroken names an address that is not."""
        _check_free("POINTSMAN_CONTROL", self.settings.control, (socket.SOCK_STREAM,))
        _check_free("POINTSMAN_SIP", self.settings.sip, (socket.SOCK_DGRAM, socket.SOCK_STREAM))
        self.configure()

    def configure(self) -> None:
        """Write its configuration with the phones and the music of now; before each further run, and before `reloadxml`."""
        self._streams = dict(music.streams(self.settings.home))
        write_configuration(self.folder / "conf", self.settings, self.password, binary=self.binary)

    def keep_phones(self, stop: Event) -> None:
        """Till `stop` is set: tell the running FreeSWITCH whenever agents' phones or the streams of music have changed.
        Blocks."""
        told: tuple[list[DeskPhone], dict[str, Path]] | None = None
        while not stop.wait(PHONES_SECONDS):
            try:
                phones, streams = desk_phones(str(self.settings.database_url)), music.streams(self.settings.home)
                if (phones, streams) != told:
                    self._tell(streams)
                    told = phones, streams
                    log.info("phones told to FreeSWITCH", count=len(phones), streams=len(streams))
            except (PointsmanError, OSError, psycopg2.Error) as error:
                # Postgres or FreeSWITCH is away; what is missing is told when both are back.
                log.warning("phones not told to FreeSWITCH", error=str(error).strip())

    def _tell(self, streams: Mapping[str, Path]) -> None:
        """A stream that runs is not begun again: whoever listens to it would hear nothing from then on."""
        before = self._streams
        try:
            self.configure()
            api(self.settings.control, self.password, "reloadxml", 10)
            for name, change in _stream_changes(before, streams):
                api(self.settings.control, self.password, f"local_stream {change} {name}", 10)
        except BaseException:
            self._streams = before
            raise

    @property
    def spec(self) -> ChildSpec:
        return ChildSpec(
            name="switch",
            argv=tuple(command_line(self.binary, self.folder)),
            folder=self.folder,
            # It ends in four to six seconds, and takes its time for calls that are up.
            stop_seconds=15,
        )

    def wait_ready(self, child: Child, seconds: float = 60) -> None:
        """Wait till the event socket takes our password and SIP is answered. FreeSwitchBroken otherwise."""
        log = self.folder / "log" / "freeswitch.log"
        end = time.monotonic() + seconds
        fault = "its event socket does not answer"
        while time.monotonic() < end:
            if child.exit_code is not None:
                raise FreeSwitchBroken(f"FreeSWITCH ended at once: {child.last_words() or f'see {log}'}")
            try:
                if "RUNNING" in api(self.settings.control, self.password, "sofia status", 5):
                    return
                fault = f"it does not serve SIP on {self.settings.sip}"
            except OSError:
                pass
            gevent.sleep(0.1)
        raise FreeSwitchBroken(f"FreeSWITCH is not ready after {seconds:g} s: {fault}; see {log}")


def api(control: Address, password: str, line: str, seconds: float) -> str:
    """One api command over a connection of its own, for moments when no control link is up. ConnectionError where the
    password is refused or the connection breaks, TimeoutError where nothing comes in time."""
    with (
        closing(socket.create_connection((control.host, control.port), seconds)) as wire,
        wire.makefile("rb") as stream,
    ):
        for command in (None, f"auth {password}", f"api {line}"):
            if command is not None:
                wire.sendall(f"{command}\n\n".encode())
            length = 0
            while (header := stream.readline()) != b"\n":
                if not header:
                    raise ConnectionResetError(f"{control} closed the connection")
                if header.startswith(b"Reply-Text: -ERR"):
                    raise ConnectionRefusedError(f"{control} refuses the password")
                if header.lower().startswith(b"content-length:"):
                    length = int(header.partition(b":")[2])
            body = stream.read(length)
        return body.decode("utf-8", "replace")


def _stream_changes(before: Mapping[str, Path], now: Mapping[str, Path]) -> Iterator[tuple[str, str]]:
    """The streams that FreeSWITCH must begin, or read from another folder. One that has gone runs on until FreeSWITCH is
    started again, as somebody may be listening to it."""
    for name, folder in now.items():
        if name not in before:
            yield name, "start"
        elif before[name] != folder:
            yield name, "reload"


def _check_free(setting: str, address: Address, kinds: Sequence[socket.SocketKind]) -> None:
    for kind in kinds:
        with socket.socket(socket.AF_INET, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(kind == socket.SOCK_STREAM))
            try:
                probe.bind((address.host, address.port))
            except OSError as error:
                raise FreeSwitchBroken(
                    f"{setting}: {address} cannot be had ({error.strerror}); set another address, or end what uses it"
                ) from error


def _is_private(host: str) -> bool:
    return bool(re.fullmatch(r"\d+(\.\d+){3}", host)) and not host.startswith(("127.", "0."))
