"""The journal: each process writes down what happened before anything else is done with it.

One JSON line a fact, in `FOLDER/<process>-<timestamp>-<random>.jsonl`. `append` hands the line to the operating system at
once, so it survives the death of the process; a greenlet forces it to disk in groups, so it survives the death of the
machine a few hundredths of a second later. The writer holds a lock (flock) on its file: a file that nobody holds is an
orphan, which any shipper may take over.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import time
from pathlib import Path

import gevent
import msgspec
import structlog
from gevent.event import Event
from gevent.lock import RLock

from conf.errors import PointsmanError
from engine.records.facts import Fact

log = structlog.get_logger(__name__)

SUFFIX = ".jsonl"
ROTATE_BYTES = 16 * 1024 * 1024
SYNC_SECONDS = 0.02
"""How long lines gather before one fsync serves them all; with the fsync itself this stays below 50 ms."""
BACKLOG_BYTES = 256 * 1024 * 1024
"""What may wait in memory while the disk takes nothing."""


class JournalClosed(PointsmanError):
    """A fact was appended after the journal had been closed."""


class JournalFull(PointsmanError):
    """The disk has taken nothing for so long that no more facts fit into memory."""


def encoder() -> msgspec.json.Encoder:
    """How a fact becomes a line: times as ISO 8601 in UTC, the class's name in `fact`."""
    return msgspec.json.Encoder()


class Journal:
    """The journal of one process. `process_id` (letters, digits, `-`) becomes part of its files' names.

    `written` is set at each append, for the shipper of the same process to wake on.
    """

    def __init__(
        self, folder: Path, process_id: str, *, rotate_bytes: int = ROTATE_BYTES, sync_seconds: float = SYNC_SECONDS
    ) -> None:
        self.folder = folder
        self.process_id = process_id
        self.written = Event()
        self.facts = 0
        """How many were appended since the start."""
        self._rotate_bytes = rotate_bytes
        self._sync_seconds = sync_seconds
        self._encode = encoder().encode
        self._backlog = bytearray()
        self._dirty = Event()
        self._closed = False
        self._turn = RLock()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._open()
        self._syncer = gevent.spawn(self._sync_for_ever)

    @property
    def path(self) -> Path:
        """The file that is written to now."""
        return self._path

    def append(self, fact: Fact) -> None:
        """Write the fact down. Never waits for a database, nor for the disk to turn. JournalFull, JournalClosed."""
        if self._closed:
            raise JournalClosed("the journal is closed")
        line = self._encode(fact) + b"\n"
        if self._backlog:
            if len(self._backlog) + len(line) > BACKLOG_BYTES:
                raise JournalFull(
                    f"the disk under {self.folder} takes nothing and {BACKLOG_BYTES} bytes wait in memory"
                )
            self._backlog += line
        else:
            self._write(line)
        self.facts += 1
        self._dirty.set()
        self.written.set()

    def sync(self) -> None:
        """Force all that was appended to disk, waiting for it in the hub's thread pool."""
        with self._turn:
            if self._backlog:
                waiting, self._backlog = bytes(self._backlog), bytearray()
                self._write(waiting)
            gevent.get_hub().threadpool.apply(os.fdatasync, (self._handle,))
            if self._size >= self._rotate_bytes and not self._backlog:
                self._rotate()

    def close(self) -> None:
        """Force everything to disk and let the file go, for a shipper to finish with. May be called twice."""
        if self._closed:
            return
        self._closed = True
        with self._turn:
            # Not in the middle of its fsync: the thread that does it would hold the file, and its lock, beyond the close.
            self._syncer.kill()
        try:
            self.sync()
        finally:
            os.close(self._handle)
            self.written.set()

    def _open(self) -> None:
        stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime())
        name = f"{self.process_id}-{stamp}-{secrets.token_hex(4)}"
        # Locked before it bears its name, so that no shipper ever takes it for an orphan.
        hidden = self.folder / f".{name}.new"
        self._handle = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._path = self.folder / (name + SUFFIX)
        hidden.rename(self._path)
        self._size = 0

    def _rotate(self) -> None:
        old = self._handle
        self._open()
        os.close(old)

    def _write(self, data: bytes) -> None:
        try:
            done = os.write(self._handle, data)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EINTR, errno.EAGAIN):
                raise
            done = 0
            log.error(
                "journal.disk_refuses",
                path=str(self._path),
                error=error.strerror,
                waiting=len(data) + len(self._backlog),
            )
        self._size += done
        if done < len(data):
            self._backlog += data[done:]

    def _sync_for_ever(self) -> None:
        while True:
            self._dirty.wait()
            gevent.sleep(self._sync_seconds)
            self._dirty.clear()
            try:
                self.sync()
            except OSError as error:
                log.error("journal.sync_failed", path=str(self._path), error=error.strerror)
                gevent.sleep(0.5)
            if self._backlog:
                gevent.sleep(0.5)
                self._dirty.set()
