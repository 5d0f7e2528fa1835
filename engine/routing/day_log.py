"""The day's log: all that a router was told and what it decided, so that the day can be decided again.

One file a tenure in a folder a day, named after the time it began, its epoch and four random digits, as in
`2026-03-04/100000-000007-3fa9.jsonl.gz`; a tenure ends with its day, so each file begins with all that the router knew and
can be decided by itself. Files, not Postgres, because each decision would be a row nobody queries, and the log must not
depend on it; not the stream in Redis, because that is trimmed, and lacks what the leader itself told the router. The first
line is `{"tenure": {...}}`, every other one `{"e": event, "d": [decisions]}`. A process that dies leaves a file whose last
fraction of a second is missing; what is there reads to its last whole line.
"""

from __future__ import annotations

import secrets
import shutil
import time
import zlib
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec
import structlog

from conf.errors import PointsmanError
from engine.routing.events import Decision, Event, encode

log = structlog.get_logger(__name__)

SUFFIX: Final = ".jsonl.gz"
FORMAT: Final = 1
KEPT_DAYS: Final = 30
FLUSH_SECONDS: Final = 0.5
FLUSH_BYTES: Final = 64 * 1024
_GZIP: Final = 31
"""zlib's word for a gzip file of the largest window."""

READ_BYTES: Final = 1 << 20


class LogBroken(PointsmanError):
    """A file that is no log of a router's day."""


class Tenure(msgspec.Struct, frozen=True, kw_only=True):
    """The first line of a log: what its router was made with."""

    epoch: int
    seed: int
    settled: bool
    began: datetime
    process: str = ""
    format: int = FORMAT


class Told(msgspec.Struct, frozen=True):
    """One line: an event, and what the router decided on it, both as they were written."""

    e: msgspec.Raw
    d: msgspec.Raw


class _First(msgspec.Struct, frozen=True):
    tenure: Tenure


class DayLog:
    """The log of one tenure. A disk that takes nothing more ends the log, never the tenure."""

    def __init__(self, folder: Path, day: date, tenure: Tenure) -> None:
        self.path = (
            folder
            / day.isoformat()
            / (f"{tenure.began.astimezone():%H%M%S}-{tenure.epoch:06d}-{secrets.token_hex(2)}{SUFFIX}")
        )
        self._compress = zlib.compressobj(1, zlib.DEFLATED, _GZIP)
        self._waiting: list[bytes] = []
        self._bytes = 0
        self._flushed_at = time.monotonic()
        self._file = None
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = self.path.open("ab", buffering=0)
        except OSError as error:
            log.error("the day's log cannot be kept", path=str(self.path), error=str(error))
        self._add(encode(_First(tenure)))

    def add(self, event: Event, decisions: list[Decision]) -> None:
        """Write one step down; it stands on the disk half a second later."""
        self._add(b'{"e":' + encode(event) + b',"d":' + encode(decisions) + b"}")

    def flush(self, *, now: bool = False) -> None:
        """Hand what has gathered to the disk if it is time, or `now`."""
        if not self._waiting or not (
            now or self._bytes >= FLUSH_BYTES or time.monotonic() - self._flushed_at >= FLUSH_SECONDS
        ):
            return
        lines, self._waiting, self._bytes = b"".join(self._waiting), [], 0
        self._flushed_at = time.monotonic()
        self._write(self._compress.compress(lines) + self._compress.flush(zlib.Z_SYNC_FLUSH))

    def close(self) -> None:
        """May be called twice."""
        if self._file is not None:
            self.flush(now=True)
            self._write(self._compress.flush(zlib.Z_FINISH))
        if self._file is not None:
            self._file.close()
            self._file = None

    def _add(self, line: bytes) -> None:
        if self._file is not None:
            self._waiting.append(line + b"\n")
            self._bytes += len(line)

    def _write(self, data: bytes) -> None:
        if self._file is None:
            return
        try:
            written = self._file.write(data)
        except OSError as error:
            log.error("the day's log ends here", path=str(self.path), error=str(error))
            written = None
        if written != len(data):
            self._file.close()
            self._file = None


def forget_old(folder: Path, today: date) -> None:
    """Delete the days before the last KEPT_DAYS. Faults are logged."""
    if not folder.is_dir():
        return
    for each in folder.iterdir():
        try:
            if date.fromisoformat(each.name) < today - timedelta(days=KEPT_DAYS):
                shutil.rmtree(each)
        except ValueError:
            continue
        except OSError as error:
            log.warning("an old day's log stays", path=str(each), error=str(error))


def files_of(folder: Path, day: date) -> list[Path]:
    """The logs of a day, in the order in which their tenures began."""
    return sorted((folder / day.isoformat()).glob(f"*{SUFFIX}"), key=lambda path: (path.name.split("-")[1], path.name))


def days(folder: Path) -> list[str]:
    """The days that have logs, the oldest first."""
    return sorted(path.name for path in folder.glob("????-??-??") if any(path.glob(f"*{SUFFIX}")))


def read(path: Path) -> tuple[Tenure, Iterator[Told]]:
    """A log's tenure and its lines. LogBroken where it is none; OSError."""
    lines = _lines(path)
    try:
        first = msgspec.json.decode(next(lines, b""), type=_First)
    except msgspec.MsgspecError as error:
        raise LogBroken(f"{path} is no log of a router's day: {error}") from error
    if first.tenure.format != FORMAT:
        raise LogBroken(f"{path} was written by another Pointsman, in format {first.tenure.format}")
    return first.tenure, _told(path, lines)


def _told(path: Path, lines: Iterator[bytes]) -> Iterator[Told]:
    decode = msgspec.json.Decoder(Told).decode
    for number, line in enumerate(lines, start=2):
        try:
            yield decode(line)
        except msgspec.MsgspecError as error:
            raise LogBroken(f"{path}, line {number}: {error}") from error


def _lines(path: Path) -> Iterator[bytes]:
    """Whole lines, to where the file was cut off."""
    inflate, rest = zlib.decompressobj(_GZIP), b""
    with path.open("rb") as file:
        while data := file.read(READ_BYTES):
            try:
                rest += inflate.decompress(data)
            except zlib.error as error:
                raise LogBroken(f"{path} cannot be unpacked: {error}") from error
            *whole, rest = rest.split(b"\n")
            yield from whole
