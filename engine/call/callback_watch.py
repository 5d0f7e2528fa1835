"""Callbacks that nobody looks after: those of processes that died, those whose call was lost, those that Redis has forgotten;
and what Redis knows of callbacks that are no more. The process that holds the router finds them and looks after them itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import msgspec
import peewee
import structlog

from conf.clock import Clock
from conf.database import Database, within
from engine.call.switches import Switches
from engine.live import keys
from engine.live.callbacks import Callback
from engine.live.connection import Redis

if TYPE_CHECKING:
    from engine.call.callbacks import Callbacks

RESTORE_LOOKS: Final = 5
"""A callback that was missing from Redis at so many looks is brought back out of Postgres; all processes have told again by
then what they look after."""

LOOKS_APART: Final = 10
"""How many looks pass from one comparison with Postgres to the next, where nothing is missing."""

MOST_OPEN: Final = 1000
"""So many that are open are compared with Postgres."""

ANSWER_SECONDS: Final = 5.0

RELEASED_AFTER: Final = timedelta(minutes=1)
"""How long a callback rests whose turn came to nothing by no fault of the customer's."""

log = structlog.get_logger(__name__)

_FORGET: Final = """
redis.call('HDEL', KEYS[1], ARGV[1])
if redis.call('HGET', KEYS[2], ARGV[2]) == ARGV[1] then redis.call('HDEL', KEYS[2], ARGV[2]) end"""


def forget(redis: Redis, callback_id: str, number: str) -> None:
    """Redis is to know nothing of this callback any more, nor that `number` is owed one, if it is this one. RedisError."""
    redis.eval(_FORGET, 2, keys.CALLBACKS, keys.CALLBACK_NUMBERS, callback_id, number)


class CallbackWatch:
    """`look_after` once a second. redis.RedisError and peewee errors as they come."""

    def __init__(self, *, redis: Redis, db: Database, switches: Switches, clock: Clock) -> None:
        self._redis = redis
        self._db = db
        self._switches = switches
        self._clock = clock
        self._deserted: set[str] = set()
        self._missed: dict[str, int] = {}
        self._stray: dict[str, str] = {}
        self._looks = 0

    def look_after(self, callbacks: Callbacks, known: Mapping[str, Callback]) -> None:
        """`known` is what Redis has of all."""
        owners = {callback.owner for callback in known.values()}
        alive = {owner for owner in owners if self._redis.exists(keys.process(owner))}
        deserted = {
            callback.callback_id
            for callback in known.values()
            if (callback.owner not in alive and not callbacks.has(callback.callback_id)) or callback.state == "calling"
            if not self._is_up(callback)
        }
        # What was found once may be changing this very moment.
        found = deserted & self._deserted
        closed = self._closed(found)
        for callback_id in found:
            if callback_id in closed:
                self._forget(known[callback_id])
            else:
                self._take_over(callbacks, known[callback_id])
        self._deserted = deserted - self._deserted
        self._restore(callbacks, known)

    def _is_up(self, callback: Callback) -> bool:
        """Whether the call of its attempt lives; whoever has that has the callback."""
        return callback.state == "calling" and bool(self._redis.hexists(keys.CALLS, callback.attempt_id))

    def _take_over(self, callbacks: Callbacks, callback: Callback) -> None:
        log.warning("callback taken over", callback=callback.callback_id, state=callback.state, from_=callback.owner)
        if callback.offer is not None:
            # Its agent's phone may still ring, or ring on for nobody.
            self._switches.named(callback.switch).kill(callback.attempt_id)
        resting = callback.due_at if callback.state == "owed" else self._clock.now() + RELEASED_AFTER
        callbacks.adopt(callback, resting)

    def _closed(self, callback_ids: Collection[str]) -> frozenset[str]:
        """Those of these that are over, though a Redis that was killed remembers them as they were; none where Postgres is
        not to be asked."""
        if not callback_ids:
            return frozenset()
        try:
            with within(ANSWER_SECONDS), self._db.connection_context():
                rows = self._db.execute_sql(
                    "SELECT id::text FROM callback WHERE id = ANY (%s::uuid[]) AND closed_at IS NOT NULL",
                    (list(callback_ids),),
                ).fetchall()
        except peewee.PeeweeException as error:
            log.warning("callbacks believed as redis has them", error=str(error).strip())
            return frozenset()
        return frozenset(callback_id for (callback_id,) in rows)

    def _forget(self, callback: Callback) -> None:
        log.warning("callback that was over forgotten", callback=callback.callback_id)
        forget(self._redis, callback.callback_id, callback.number)

    def _free_numbers(self, known: Mapping[str, Callback], opened: Collection[str]) -> None:
        """Numbers that are owed no callback: the process that took the wish died over it, and whoever asks again would be told
        that it is known. One that was found once may be changing this very moment."""
        numbers = self._redis.hgetall(keys.CALLBACK_NUMBERS)
        stray = {number: name for number, name in numbers.items() if name not in known and name not in opened}
        for number, callback_id in stray.items():
            if self._stray.get(number) == callback_id:
                log.warning("number that is owed nothing set free", callback=callback_id)
                forget(self._redis, callback_id, number)
        self._stray = stray

    def _restore(self, callbacks: Callbacks, known: Mapping[str, Callback]) -> None:
        self._looks += 1
        if not self._missed and self._looks % LOOKS_APART != 1:
            return
        with self._db.connection_context():
            rows = self._db.execute_sql(
                "SELECT c.id::text, c.record, r.attempts, r.due_at FROM callback c JOIN report.callbacks r"
                " ON r.callback_id = c.id WHERE c.closed_at IS NULL AND c.record IS NOT NULL ORDER BY c.asked_at LIMIT %s",
                (MOST_OPEN,),
            ).fetchall()
        if len(rows) < MOST_OPEN:
            self._free_numbers(known, {callback_id for callback_id, *_ in rows})
        missing = {callback_id: row for callback_id, *row in rows if callback_id not in known}
        self._missed = {callback_id: self._missed.get(callback_id, 0) + 1 for callback_id in missing}
        for callback_id, looks in self._missed.items():
            if looks < RESTORE_LOOKS or self._redis.exists(keys.callback_closed(callback_id)):
                continue
            record, attempts, due_at = missing[callback_id]
            callback = msgspec.convert(record, Callback)
            callback.attempts, callback.entry_id = attempts, None
            log.warning("callback brought back", callback=callback_id)
            self._redis.hsetnx(keys.CALLBACK_NUMBERS, callback.number, callback_id)
            if self._redis.hget(keys.CALLBACK_NUMBERS, callback.number) == callback_id:
                callbacks.adopt(callback, due_at)
            else:
                callbacks.close(callback, "cancelled", by="the number is owed another one")
