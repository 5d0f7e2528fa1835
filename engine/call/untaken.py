"""Callers who have gone before any engine wrote down that they called: they hung up within milliseconds, or while the process
that FreeSWITCH had just given their call to was dying. Whoever calls is in the records, so they come there too.

FreeSWITCH tells every engine of the end of such a leg (`Control.hear_untaken`). All that hear of it put it into Redis, as any
of them may be the next to die, and the one that holds the router writes it down. An engine may have been about to take the
call, so nothing is written before what it wrote would have come; should it come later still, the two make one record. Where no
engine runs at all nobody hears of the end.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Final
from uuid import UUID

import gevent
import msgspec
import peewee
import structlog

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
from engine.live.outbox import Outbox
from engine.records.facts import CallEnded, PhaseBegan
from engine.records.journal import Journal

LOOK_SECONDS: Final = 1.0
GRACE_SECONDS: Final = 5.0
"""Of the wall, from the end of the leg till it is taken for one that nobody has written down. A process that dies over its
journal has it shipped by another one within 3 s."""

MOST_LAG_SECONDS: Final = 2.0
REPEATED_SECONDS: Final = 30.0
"""What was heard within this time is told to Redis again after that was away, or has lost its memory."""

MOST_REPEATED: Final = 10_000
TURNED_AWAY: Final = CUT_OFF | {"SWITCH_CONGESTION"}
"""Hangup causes of a call that its caller did not end."""

log = structlog.get_logger(__name__)


class Gone(msgspec.Struct, frozen=True):
    """A caller's leg that has ended; `heard` in the wall's Unix seconds."""

    call: Checkpoint
    ended_at: datetime
    cause: str
    heard: float


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Gone).decode


class Untaken:
    """Listens, and writes down."""

    def __init__(
        self,
        *,
        process_id: str,
        db: Database,
        redis: Redis,
        outbox: Outbox,
        switches: Switches,
        journal: Journal,
        clock: Clock,
        configuration: Configuration,
        country: str,
        on_duty: Callable[[], bool],
    ) -> None:
        self._process_id = process_id
        self._db = db
        self._redis = redis
        self._outbox = outbox
        self._switches = switches
        self._journal = journal
        self._clock = clock
        self._configuration = configuration
        self._country = country
        self._on_duty = on_duty
        self._heard: dict[str, Gone] = {}
        self._greenlet: gevent.Greenlet[..., None] | None = None

    def start(self) -> None:
        for name, control in self._switches:
            control.hear_untaken(partial(self.heard, name))
        self._greenlet = gevent.spawn(self._run)

    def stop(self) -> None:
        if self._greenlet is not None:
            self._greenlet.kill()

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
        while len(self._heard) >= MOST_REPEATED:
            del self._heard[next(iter(self._heard))]
        self._heard[call_id] = Gone(call, ended_at, event.get("Hangup-Cause") or "NONE", time.time())
        self._tell(self._heard[call_id])

    def announce_again(self) -> None:
        """Redis may have forgotten; tell it what was heard of late."""
        since = time.time() - REPEATED_SECONDS
        self._heard = {call_id: gone for call_id, gone in self._heard.items() if gone.heard > since}
        for gone in self._heard.values():
            self._tell(gone)

    def _tell(self, gone: Gone) -> None:
        self._outbox.put("HSETNX", keys.UNTAKEN, gone.call.call_id, _encode(gone).decode())

    def _run(self) -> None:
        while True:
            gevent.sleep(LOOK_SECONDS)
            if not self._on_duty():
                continue
            try:
                self.look()
            except (RedisError, OSError, peewee.PeeweeException) as error:
                log.info("calls that nobody took not looked at", error=str(error).strip())

    def look(self) -> None:
        """Forget those that are in the records by now, or will be, and write the others down. redis.RedisError, peewee errors:
        then all of them are looked at again the next time."""
        due = [gone for gone in self._told() if time.time() - gone.heard >= GRACE_SECONDS]
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
            if gone.call.call_id not in known:
                if gone.call.call_id in held or behind:
                    continue
                self._write(gone)
            self._outbox.put("HDEL", keys.UNTAKEN, gone.call.call_id)

    def _told(self) -> list[Gone]:
        found = []
        for call_id, text in self._redis.hgetall(keys.UNTAKEN).items():
            try:
                found.append(_decode(text))
            except msgspec.MsgspecError as error:
                log.error("not understood, passed over", key=keys.UNTAKEN, error=str(error), data=text[:200])
                self._outbox.put("HDEL", keys.UNTAKEN, call_id)
        return found

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
        log.info("call that nobody took", call=call.call_id, caller=call.from_number, cause=gone.cause)


def _instant(microseconds: str | None) -> datetime | None:
    if not microseconds or not microseconds.isdigit() or microseconds == "0":
        return None
    return datetime.fromtimestamp(int(microseconds) / 1_000_000, UTC)
