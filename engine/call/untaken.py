"""Callers who have gone before any engine wrote down that they called: they hung up within milliseconds, or while the process
that FreeSWITCH had just given their call to was dying. Whoever calls is in the records, so they come there too.

FreeSWITCH tells every engine of the end of such a leg (`Control.hear_untaken`). One of them writes it down, the one that holds
the router; the others keep it in mind until it is in Postgres, since that one may be the next to die. An engine may have been
about to take the call, so nothing is written before what it wrote would have come; should it come later still, the two make one
record. Where no engine runs at all nobody hears of the end.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Final
from uuid import UUID

import gevent
import peewee
import structlog
from gevent.event import Event as Signal

from conf.clock import Clock
from conf.database import Database
from engine.call.arrival import introduced
from engine.call.checkpoint import Checkpoint, beginning
from engine.call.configuration import Configuration
from engine.call.switches import Switches
from engine.call.terms import CUT_OFF
from engine.esl.frames import Event
from engine.live import keys
from engine.live.connection import Redis, RedisError
from engine.live.lag import records_are_behind
from engine.records.facts import CallEnded, PhaseBegan
from engine.records.journal import Journal

LOOK_SECONDS: Final = 1.0
GRACE_SECONDS: Final = 5.0
"""Of the wall, from the end of the leg till it is taken for one that nobody has written down. A process that dies over its
journal has it shipped by another one within 3 s."""

MOST_LAG_SECONDS: Final = 2.0
MOST: Final = 10_000
"""How many are kept in mind while they cannot be written down."""

TURNED_AWAY: Final = CUT_OFF | {"SWITCH_CONGESTION"}
"""Hangup causes of a call that its caller did not end."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Gone:
    """A caller's leg that has ended."""

    call: Checkpoint
    ended_at: datetime
    cause: str
    heard: float
    """time.monotonic() at which we learnt it."""


class Untaken:
    """Listens, and writes down. `written` counts the calls that this process has written down."""

    def __init__(
        self,
        *,
        process_id: str,
        db: Database,
        redis: Redis,
        switches: Switches,
        journal: Journal,
        clock: Clock,
        configuration: Configuration,
        country: str,
        on_duty: Callable[[], bool],
        grace_seconds: float = GRACE_SECONDS,
    ) -> None:
        self._process_id = process_id
        self._db = db
        self._redis = redis
        self._switches = switches
        self._journal = journal
        self._clock = clock
        self._configuration = configuration
        self._country = country
        self._on_duty = on_duty
        self._grace = grace_seconds
        self._gone: dict[str, Gone] = {}
        self._some = Signal()
        self._greenlet: gevent.Greenlet[..., None] | None = None
        self.written = 0

    def start(self) -> None:
        for name, control in self._switches:
            control.hear_untaken(partial(self.heard, name))
        self._greenlet = gevent.spawn(self._run)

    def stop(self) -> None:
        """There may be nobody else to write down those that this process knows of."""
        if self._greenlet is not None:
            self._greenlet.kill()
        self._grace = 0.0
        self._try()

    def __len__(self) -> int:
        return len(self._gone)

    def heard(self, switch: str, event: Event) -> None:
        """The end of a leg that no engine had taken, on the node of this name."""
        call_id = event.get("Unique-ID") or ""
        try:
            UUID(call_id)
        except ValueError:
            return
        if event.get("Call-Direction") != "inbound":
            # A phone that we rang ourselves, to give it to the dialplan: nobody called.
            return
        ended_at = _instant(event.get("Event-Date-Timestamp")) or self._clock.now()
        began_at = min(_instant(event.get("Caller-Channel-Created-Time")) or ended_at, ended_at)
        call = introduced(
            self._configuration.snapshot,
            call_id,
            switch,
            event,
            at=began_at,
            owner=self._process_id,
            country=self._country,
            own=event.get("variable_pointsman_extension") or "",
        )
        if len(self._gone) >= MOST:
            log.error("a call without a record is forgotten", call=self._gone.pop(next(iter(self._gone))).call.call_id)
        self._gone[call_id] = Gone(call, ended_at, event.get("Hangup-Cause") or "NONE", time.monotonic())
        self._some.set()

    def _run(self) -> None:
        while True:
            self._some.wait()
            gevent.sleep(LOOK_SECONDS)
            self._try()
            if not self._gone:
                self._some.clear()

    def _try(self) -> None:
        try:
            self.look()
        except (RedisError, OSError, peewee.PeeweeException) as error:
            log.info("calls that nobody took not looked at", calls=len(self._gone), error=str(error).strip())

    def look(self) -> None:
        """Forget those that are in the records by now, or will be, and write the others down. redis.RedisError, peewee errors:
        then all of them are looked at again the next time."""
        due = [gone for gone in self._gone.values() if time.monotonic() - gone.heard >= self._grace]
        if not due:
            return
        ids = [gone.call.call_id for gone in due]
        # A process has the call, or had it and died: its record is begun, and will be closed.
        held = {each for each, text in zip(ids, self._redis.hmget(keys.CALLS, ids), strict=True) if text is not None}
        behind = records_are_behind(self._redis, MOST_LAG_SECONDS)
        with self._db.connection_context():
            query = "SELECT id::text FROM call WHERE id = ANY (%s::uuid[]) AND started_at IS NOT NULL"
            known = {row[0] for row in self._db.execute_sql(query, (ids,)).fetchall()}
        for gone in due:
            call_id = gone.call.call_id
            if call_id in known:
                del self._gone[call_id]
            elif call_id not in held and not behind and self._on_duty():
                self._write(gone)
                del self._gone[call_id]

    def _write(self, gone: Gone) -> None:
        call, turned_away = gone.call, gone.cause in TURNED_AWAY
        self._journal.append(beginning(call))
        self._journal.append(PhaseBegan(call_id=call.call_id, at=call.started_at, phase="ivr"))
        self._journal.append(
            CallEnded(
                call_id=call.call_id,
                at=gone.ended_at,
                status="network" if turned_away else "abandoned_ivr",
                ended_by="system" if turned_away else "caller",
                hangup_cause=gone.cause,
                final=False,
            )
        )
        self.written += 1
        log.info("call that nobody took", call=call.call_id, caller=call.from_number, cause=gone.cause)


def _instant(microseconds: str | None) -> datetime | None:
    if not microseconds or not microseconds.isdigit() or microseconds == "0":
        return None
    return datetime.fromtimestamp(int(microseconds) / 1_000_000, UTC)
