"""Shipping: from the journals into Postgres, in batches, as often as it takes.

Each process ships its own journal while it writes it, and takes over the files of processes that have died (those that
nobody holds a lock on). How far a file has come is kept in Postgres in the transaction that ships, so a batch is neither
lost nor, but for harmless repeats, shipped twice. With Postgres away everything waits on disk.
"""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import gevent
import msgspec
import psycopg2
import structlog
from gevent.event import Event

from conf import database
from engine.records.apply import Batch
from engine.records.facts import AnyFact
from engine.records.journal import SUFFIX, Journal

log = structlog.get_logger(__name__)

BATCH_FACTS = 2000
BATCH_BYTES = 512 * 1024
"""How much goes in one transaction. No more than this, since handing the statement over takes 1 ms for 1,000 facts, in which
no call gets its turn."""
TURN_FACTS = 200
"""Facts read at a stretch, half a millisecond; then calls get their turn."""
GATHER_SECONDS = 0.05
"""How long facts gather before a batch is shipped; what the CDR lag is made of when all is well."""
BUSY_FACTS = 400
BUSY_GATHER_SECONDS = 0.2
"""After a batch of so many facts they gather for longer. Under load most of a call's facts then come in one batch, and Postgres
writes its rows once instead of five times."""
ORPHANS_SECONDS = 2.0
"""How often to look for journals whose process has died."""
QUARANTINE = "quarantine"
REFUSALS = frozenset({"22", "23", "54"})
"""SQLSTATE classes in which Postgres refuses what it was given, however often it is asked: data, constraints, limits."""

Line = tuple[int, bytes]
"""Where the line ends in its file, and its text without the line feed."""


class _File:
    """A journal file being read. `ours`: this process writes it still, and holds its lock elsewhere."""

    def __init__(self, path: Path, handle: int, *, ours: bool) -> None:
        self.path = path
        self.handle = handle
        self.ours = ours
        self.position: int | None = None
        """How far it is known to be shipped; None until Postgres has told."""
        self.first_waiting: float | None = None

    def size(self) -> int:
        return os.fstat(self.handle).st_size

    def lines(self, most: int) -> list[Line]:
        """The next complete lines."""
        assert self.position is not None
        data = os.pread(self.handle, BATCH_BYTES, self.position)
        end = data.rfind(b"\n")
        if end < 0 and len(data) == BATCH_BYTES:
            data += os.pread(self.handle, self.size() - self.position - len(data), self.position + len(data))
            end = data.find(b"\n")
        found: list[Line] = []
        at = self.position
        for line in data[: end + 1].split(b"\n")[:-1][:most]:
            at += len(line) + 1
            found.append((at, line))
        return found

    def close(self) -> None:
        os.close(self.handle)

    def discard(self) -> None:
        """Take the file away; its blocks are free when it is closed."""
        self.path.unlink(missing_ok=True)
        self.close()


class Shipper:
    """Ships the journals in `folder` to the database at `url`, `journal` (this process's own, if any) as it grows.

    `start` it, and `stop` it after the journal has been closed. The counts are for metrics and may be read at any time.
    """

    def __init__(
        self, folder: Path, url: str, journal: Journal | None = None, *, gather_seconds: float = GATHER_SECONDS
    ) -> None:
        self.folder = folder
        self.shipped = 0
        """Facts written to Postgres since the start."""
        self.quarantined = 0
        """Lines that no database would take, put aside in `FOLDER/quarantine`."""
        self.last_fault: str | None = None
        """Why Postgres did not take the last batch; None when it did."""
        self._url = url
        self._journal = journal
        self._gather_seconds = gather_seconds
        self._decode = msgspec.json.Decoder(AnyFact).decode
        self._connection: Any = None
        self._files: dict[Path, _File] = {}
        self._looked_at = 0.0
        self._stopping = Event()
        self._greenlet: gevent.Greenlet[..., None] | None = None
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    @property
    def pending_bytes(self) -> int:
        """What is written down and not yet in Postgres."""
        total = 0
        for file in self._files.values():
            with suppress(OSError):
                total += file.size() - (file.position or 0)
        return total

    @property
    def lag_seconds(self) -> float:
        """For how long the oldest fact that this process knows of has waited to be shipped."""
        waiting = [file.first_waiting for file in self._files.values() if file.first_waiting is not None]
        return time.monotonic() - min(waiting) if waiting else 0.0

    def start(self) -> None:
        self._greenlet = gevent.spawn(self._run)

    def stop(self, seconds: float = 5.0) -> bool:
        """Ship what is left, at most so long; whether all of it went. What did not go is on disk for the next process."""
        self._stopping.set()
        if self._journal is not None:
            self._journal.written.set()
        if self._greenlet is not None:
            self._greenlet.join(seconds)
            self._greenlet.kill()
        done = self.pending_bytes == 0
        for file in self._files.values():
            file.close()
        self._files.clear()
        self._disconnect()
        return done

    def ship_all(self, seconds: float = 600.0) -> bool:
        """Ship, in this greenlet, all that can be taken hold of; whether nothing is left. For tests and benchmarks."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not self._round() and self.last_fault is None:
                return self.pending_bytes == 0
            gevent.sleep(0)
        return False

    def _run(self) -> None:
        pause = 0.1
        before = 0
        while True:
            stopping = self._stopping.is_set()
            if self._journal is not None:
                self._journal.written.clear()
            try:
                busy = self._round()
            except Exception as error:  # the top of the greenlet: whatever it is, records go on
                log.exception("records.shipping_fault")
                self._fault(error)
            if self.last_fault is not None:
                gevent.sleep(pause)
                pause = min(2.0, pause * 2)
                continue
            pause = 0.1
            if busy:
                gevent.sleep(0)
                continue
            if stopping:
                return
            if self._journal is not None:
                self._journal.written.wait(ORPHANS_SECONDS)
            else:
                self._stopping.wait(ORPHANS_SECONDS)
            if not self._stopping.is_set():
                many = self.shipped - before >= BUSY_FACTS
                before = self.shipped
                gevent.sleep(BUSY_GATHER_SECONDS if many else self._gather_seconds)

    def _round(self) -> bool:
        """Ship one batch of each file; whether there may be more at once."""
        self._look()
        busy = False
        for file in list(self._files.values()):
            try:
                busy = self._ship_some(file) or busy
            except (psycopg2.Error, database.DatabaseUnreachable, OSError) as error:
                self._fault(error)
                return False
            self.last_fault = None
        return busy

    def _look(self) -> None:
        """Take hold of our own newest file, and from time to time of every file that nobody holds."""
        own = self._journal.path if self._journal is not None else None
        now = time.monotonic()
        if own in self._files and now - self._looked_at < ORPHANS_SECONDS and not self._stopping.is_set():
            return
        self._looked_at = now
        for path in sorted(self.folder.glob(f"[!.]*{SUFFIX}")):
            if path in self._files:
                continue
            try:
                handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
            except FileNotFoundError:
                continue
            held = self._hold(handle)
            if not held and path != own:
                os.close(handle)
                continue
            self._files[path] = _File(path, handle, ours=not held)

    @staticmethod
    def _hold(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _ship_some(self, file: _File) -> bool:
        if file.position is None:
            file.position = self._known_position(file)
        lines = file.lines(BATCH_FACTS)
        if lines:
            if file.first_waiting is None:
                file.first_waiting = time.monotonic()
            self._ship(file, lines)
            more = file.size() > lines[-1][0]
            file.first_waiting = time.monotonic() if more else None
            return more
        if file.ours and self._hold(file.handle):
            file.ours = False  # its writer has gone on to another file, or ended
            return True
        if not file.ours:
            self._finish(file)
        return False

    def _finish(self, file: _File) -> None:
        """Nothing will ever be added: the file has served."""
        assert file.position is not None
        torn = os.pread(file.handle, BATCH_BYTES, file.position)
        if torn:
            self._quarantine(file, torn, "the line was cut short")
        del self._files[file.path]
        # To give 16 MB back takes the file system up to 40 ms, for which no call can wait.
        gevent.get_hub().threadpool.apply(file.discard)
        with self._transaction() as cursor:
            cursor.execute("DELETE FROM journal_offset WHERE file = %s", (file.path.name,))

    def _ship(self, file: _File, lines: list[Line]) -> None:
        """Ship the lines; where Postgres refuses them, halve until the one that it refuses stands alone, and put it aside."""
        batch = Batch()
        refused: list[tuple[bytes, str]] = []
        for number, (_, line) in enumerate(lines):
            if number % TURN_FACTS == TURN_FACTS - 1:
                gevent.sleep(0)
            try:
                batch.add(self._decode(line))
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                refused.append((line, str(error)))
        gevent.sleep(0)
        try:
            with self._transaction() as cursor:
                batch.write(cursor)
                cursor.execute(
                    "INSERT INTO journal_offset (file, position) VALUES (%s, %s) "
                    "ON CONFLICT (file) DO UPDATE SET position = excluded.position, shipped_at = now()",
                    (file.path.name, lines[-1][0]),
                )
        except psycopg2.Error as error:
            if (error.pgcode or "")[:2] not in REFUSALS:
                raise
            if len(lines) > 1:
                middle = len(lines) // 2
                self._ship(file, lines[:middle])
                self._ship(file, lines[middle:])
                return
            refused = [(lines[0][1], " ".join(str(error).split()))]
        else:
            self.shipped += len(lines) - len(refused)
        for line, why in refused:
            self._quarantine(file, line, why)
        file.position = lines[-1][0]

    def _quarantine(self, file: _File, line: bytes, why: str) -> None:
        folder = self.folder / QUARANTINE
        folder.mkdir(mode=0o700, exist_ok=True)
        with (folder / file.path.name).open("ab") as aside:
            aside.write(line + b"\n")
        self.quarantined += 1
        log.error("journal.line_put_aside", file=file.path.name, fault=why, line=line[:200].decode("utf-8", "replace"))

    def _known_position(self, file: _File) -> int:
        with self._transaction() as cursor:
            cursor.execute("SELECT position FROM journal_offset WHERE file = %s", (file.path.name,))
            row = cursor.fetchone()
        return min(int(row[0]), file.size()) if row else 0

    def _transaction(self) -> _Transaction:
        if self._connection is None or self._connection.closed:
            self._connection = database.raw_connection(
                self._url, name="pointsman records", statement_seconds=60, by_key=True
            )
        return _Transaction(self._connection)

    def _fault(self, error: Exception) -> None:
        fault = " ".join(str(error).split())
        if self.last_fault is None:
            log.warning("records.not_shipped", fault=fault)
        self.last_fault = fault
        self._disconnect()

    def _disconnect(self) -> None:
        if self._connection is not None:
            with suppress(psycopg2.Error):
                self._connection.close()
            self._connection = None


class _Transaction:
    """A cursor within a transaction: committed at the end, rolled back on any fault, a killed greenlet's too."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def __enter__(self) -> Any:
        self._cursor = self._connection.cursor()
        return self._cursor

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self._cursor.close()
        if kind is None:
            self._connection.commit()
        elif isinstance(error, psycopg2.Error):
            with suppress(psycopg2.Error):
                self._connection.rollback()
        else:
            # In the middle of a statement the connection can take no more; a new one is made at the next need.
            self._connection.close()
