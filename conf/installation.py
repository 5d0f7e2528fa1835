"""A running installation as its own commands find it, and the secrets it keeps.

`pointsman up` writes `HOME/run/installation.json` when all parts have their addresses and takes it away when it ends;
`pointsman call`, `doctor`, `export` and the like read it, so that they need no settings of their own.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from pydantic import SecretStr

from conf.errors import PointsmanError
from conf.settings import Address, Settings

SwitchKind = Literal["virtual", "freeswitch"]


class NotRunning(PointsmanError):
    """No installation runs in this home folder."""


class HomeUnusable(PointsmanError):
    """The home folder cannot be made or written to."""


@dataclass(frozen=True, slots=True)
class Installation:
    """Where the parts of a running installation answer. `pid` is the supervisor's; `clock` is what conf.clock parses."""

    pid: int
    database_url: str
    redis_url: str
    http: str
    esl: str
    control: str
    password: str
    """Of the switch's event socket."""
    switch: SwitchKind
    sip: str | None = None
    clock: str | None = None
    timezone: str | None = None


def folder(home: Path, *parts: str) -> Path:
    """`HOME/parts…`, made where it is missing, for our own eyes only. HomeUnusable names the fault."""
    path = home.joinpath(*parts)
    try:
        home.mkdir(parents=True, exist_ok=True)
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise HomeUnusable(
            f"the folder {path} cannot be made: {error.strerror}. Set POINTSMAN_HOME to a folder that you may write to"
        ) from error
    return path


def write_private(path: Path, text: str) -> None:
    """Put `text` in the file as a whole or not at all, readable by its owner alone (0600). OSError as usual."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise


def secret(home: Path, name: str) -> str:
    """The installation's own random secret of that name, made at its first use and kept in `HOME/secrets` (0600)."""
    path = folder(home, "secrets") / name
    try:
        return path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        made = secrets.token_urlsafe(32)
        part = path.with_name(f".{name}.{secrets.token_hex(4)}")
        write_private(part, made + "\n")
        try:
            path.hardlink_to(part)
        except FileExistsError:
            return path.read_text(encoding="utf-8").strip()
        finally:
            part.unlink(missing_ok=True)
        return made
    except OSError as error:
        raise HomeUnusable(
            f"{path} cannot be read: {error.strerror}. Run this as the user who owns the home folder"
        ) from error


def _file(home: Path) -> Path:
    return home / "run" / "installation.json"


def write(home: Path, installation: Installation) -> None:
    folder(home, "run")
    write_private(_file(home), json.dumps(asdict(installation), indent=1) + "\n")


def forget(home: Path) -> None:
    """Nothing runs here any more."""
    _file(home).unlink(missing_ok=True)


def read(home: Path) -> Installation:
    """The installation that runs in `home`. NotRunning when none does, also when the file outlived its supervisor."""
    path = _file(home)
    mend = "start it with `pointsman up`, or set POINTSMAN_HOME to where it runs"
    try:
        found = Installation(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise NotRunning(f"nothing runs in {home}; {mend}") from None
    except PermissionError as error:
        raise NotRunning(f"{path} cannot be read; run this as the user who started Pointsman") from error
    except (OSError, ValueError, TypeError) as error:
        raise NotRunning(f"{path} cannot be understood ({error}); {mend}") from error
    try:
        os.kill(found.pid, 0)
    except ProcessLookupError:
        raise NotRunning(f"nothing runs in {home} any more; {mend}") from None
    except PermissionError:
        pass  # it is there, and another user's
    return found


def complete(settings: Settings) -> Settings:
    """The settings with what is not set taken from the installation running in their home. NotRunning where that is needed.

    Addresses are always the running installation's unless both URLs are set, which is how one part alone is run. A zone that is
    not set is the running installation's too, not that of the shell.
    """
    if settings.database_url and settings.redis_url:
        return settings
    found = read(settings.home)
    return settings.model_copy(
        update={
            "database_url": settings.database_url or found.database_url,
            "redis_url": settings.redis_url or found.redis_url,
            "http": Address(found.http),
            "esl": Address(found.esl),
            "control": Address(found.control),
            "freeswitch_password": settings.freeswitch_password or SecretStr(found.password),
            "clock": settings.clock or found.clock,
            "timezone": settings.timezone
            if "timezone" in settings.model_fields_set
            else found.timezone or settings.timezone,
        }
    )
