"""The callbacks that this process looks after: who is owed one, when each has its turn, and what comes of it.

A callback waits in the router as any call does, at the place it had when the caller hung up, only that nobody is on the line.
When an agent is offered it, their phone is rung (engine.call.callback_turns) and led into the dialplan; the session that
gets it there calls the customer (engine.call.calling_back). Redis has the record, Postgres what happened; the process that
holds the router looks after the callbacks of those that died, and finds in Postgres what Redis has forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final, Literal

import gevent
import msgspec
import peewee
import structlog
from gevent.event import Event

from conf.clock import Clock
from conf.database import Database
from dialplan import hours
from engine.call.callback_turns import CallbackTurns
from engine.call.callback_watch import RELEASED_AFTER, CallbackWatch, forget
from engine.call.configuration import Configuration
from engine.call.switches import Switches
from engine.esl.errors import EslError
from engine.live import keys
from engine.live.callbacks import Callback, decode, encode
from engine.live.connection import Redis, RedisError
from engine.live.outbox import Outbox
from engine.live.screenpop import ScreenPops
from engine.live.understood import understood
from engine.live.wire import Command
from engine.records.facts import CallbackAsked, CallbackClosed, CallbackResult, CallbackTried
from engine.records.journal import Journal
from engine.records.lookups import Lookups
from engine.records.queues import CallbackRules
from engine.routing.events import CloseOffer, MakeOffer, PlaceEntry, ReleaseEntry

TICK_SECONDS: Final = 1.0
CLOSED_SECONDS: Final = 3600

Decided = MakeOffer | CloseOffer | ReleaseEntry | PlaceEntry

log = structlog.get_logger(__name__)


class Callbacks:
    """What one process does for callbacks. Methods may be called from any greenlet and never raise but where they say so."""

    def __init__(
        self,
        *,
        process_id: str,
        clock: Clock,
        redis: Redis,
        outbox: Outbox,
        journal: Journal,
        configuration: Configuration,
        switches: Switches,
        pops: ScreenPops,
        lookups: Lookups,
        db: Database,
        on_duty: Callable[[], bool],
    ) -> None:
        self._process_id = process_id
        self._clock = clock
        self._redis = redis
        self._outbox = outbox
        self._journal = journal
        self._configuration = configuration
        self._on_duty = on_duty
        self._mine: dict[str, Callback] = {}
        self._numbers: dict[str, str] = {}
        self._turns = CallbackTurns(
            process_id=process_id,
            clock=clock,
            outbox=outbox,
            switches=switches,
            pops=pops,
            lookups=lookups,
            mine=self._mine,
            keep=self._keep,
        )
        self._watch = CallbackWatch(redis=redis, db=db, switches=switches, clock=clock)
        self._over: set[str] = set()
        self._wanted = Event()
        self._greenlet: gevent.Greenlet[..., None] | None = None

    def start(self) -> None:
        self._greenlet = gevent.spawn(self._run)

    def stop(self) -> None:
        """Another process looks after what is owed from now on."""
        if self._greenlet is not None:
            self._greenlet.kill()

    # --- asked for, tried, over ---

    def ask(self, callback: Callback) -> Literal["taken", "known"]:
        """Somebody wants to be called back. `known` where that number is owed a callback already, and nothing is changed."""
        try:
            fresh = bool(self._redis.hsetnx(keys.CALLBACK_NUMBERS, callback.number, callback.callback_id))
        except (RedisError, OSError):
            fresh = callback.number not in self._numbers
        if not fresh:
            return "known"
        callback.owner = self._process_id
        self._numbers[callback.number] = callback.callback_id
        self._journal.append(
            CallbackAsked(
                callback_id=callback.callback_id,
                call_id=callback.call_id,
                queue=callback.queue,
                number=callback.number,
                at=callback.asked_at,
                record=msgspec.to_builtins(callback),
                name=callback.name,
                customer_id=callback.customer_id,
            )
        )
        self._keep(callback)
        self._wanted.set()
        return "taken"

    def take(self, callback_id: str, leg_id: str) -> Callback | None:
        """An agent has picked up for this callback on the leg `leg_id`, and this process has the call: the record, which is
        this process's from now on. None where the leg is none of its attempts."""
        try:
            text = self._redis.hget(keys.CALLBACKS, callback_id)
            callback = None if text is None else decode(text)
        except (RedisError, OSError, msgspec.MsgspecError):
            callback = self._mine.get(callback_id)
        if callback is None or callback.attempt_id != leg_id:
            return None
        callback.owner, callback.state = self._process_id, "calling"
        self._keep(callback)
        return callback

    def tried(
        self,
        callback: Callback,
        result: CallbackResult,
        *,
        started_at: datetime,
        agent_id: int | None,
        extension: str | None,
    ) -> None:
        """An attempt is over, or the customer was reached. There is another turn after a while, unless there were enough."""
        now = self._clock.now()
        rules = self._rules(callback)
        callback.attempts += 1
        last = result == "answered" or callback.attempts >= rules.attempts
        due_at = None if last else now + timedelta(seconds=rules.gap_seconds)
        self._journal.append(
            CallbackTried(
                callback_id=callback.callback_id,
                call_id=callback.attempt_id,
                started_at=started_at,
                ended_at=now,
                result=result,
                agent_id=agent_id,
                extension=extension,
                due_at=due_at,
            )
        )
        log.info("callback tried", callback=callback.callback_id, result=result, attempts=callback.attempts)
        if due_at is None:
            self.close(callback, "done" if result == "answered" else "failed", call_id=callback.attempt_id)
        else:
            self._turns.rest(callback, due_at)

    def reached(self, number: str, call_id: str) -> None:
        """The customer of this number has been talked to in another call; they need not be called any more. What was asked
        for at another process less than a second ago is not known here yet, and is called all the same."""
        callback_id = self._numbers.get(number)
        callback = self._mine.get(callback_id or "")
        if callback_id is None or (callback is not None and callback.state == "calling"):
            return
        if callback is not None:
            self.close(callback, "done", by="customer reached in another call", call_id=call_id)
            return
        wish = msgspec.json.encode({"what": "reached", "by": call_id}).decode()
        self._outbox.put("HSET", keys.CALLBACK_WISHES, callback_id, wish)

    def close(
        self,
        callback: Callback,
        result: Literal["done", "failed", "cancelled"],
        *,
        by: str = "",
        call_id: str | None = None,
    ) -> None:
        """It is owed no more."""
        callback_id = callback.callback_id
        self._turns.withdraw(callback)
        self._mine.pop(callback_id, None)
        self._numbers.pop(callback.number, None)
        at = self._clock.now()
        reached_in = call_id if result == "done" else None
        self._journal.append(CallbackClosed(callback_id=callback_id, at=at, result=result, by=by, call_id=reached_in))
        self._outbox.put("SET", keys.callback_closed(callback_id), "1", "EX", CLOSED_SECONDS)
        self._outbox.put("HDEL", keys.CALLBACKS, callback_id)
        self._outbox.put("HDEL", keys.CALLBACK_NUMBERS, callback.number)
        self._outbox.put("HDEL", keys.CALLBACK_WISHES, callback_id)

    def adopt(self, callback: Callback, due_at: datetime) -> None:
        """Look after a callback from now on that nobody does; its next turn is not before `due_at`."""
        self._turns.leave(callback)
        callback.owner = self._process_id
        self._turns.rest(callback, due_at)
        self._wanted.set()

    def has(self, callback_id: str) -> bool:
        """Whether this process looks after it."""
        return callback_id in self._mine

    # --- the router ---

    def deliver(self, decision: Decided) -> bool:
        """A decision for a call that no session has; False where it is of no callback of this process's."""
        callback = next((each for each in self._mine.values() if each.attempt_id == decision.call_id), None)
        if callback is None:
            return False
        if isinstance(decision, MakeOffer):
            self._turns.offered(callback, decision)
        elif isinstance(decision, CloseOffer):
            self._turns.offer_closed(callback, decision.offer_id)
        elif isinstance(decision, ReleaseEntry) and decision.entry_id == callback.entry_id:
            callback.entry_id = None
            if decision.queue is not None:
                callback.queue = decision.queue
                self._keep(callback)
                self._wanted.set()
            else:
                self._turns.rest(callback, self._clock.now() + RELEASED_AFTER)
        return True

    def announce_again(self) -> None:
        """Redis may have forgotten; tell it what is owed."""
        for callback in list(self._mine.values()):
            self._keep_later(callback)
            self._outbox.put("HSET", keys.CALLBACK_NUMBERS, callback.number, callback.callback_id)
            if callback.state == "owed" and callback.entry_id is not None:
                self._turns.announce(callback)

    # --- every second ---

    def _run(self) -> None:
        while True:
            self._wanted.wait(TICK_SECONDS)
            self._wanted.clear()
            try:
                self._tick()
            except (RedisError, OSError, EslError, peewee.PeeweeException) as error:
                log.info("callbacks not looked after", error=str(error).strip())

    def _tick(self) -> None:
        held = dict(self._mine)
        pipe = self._redis.pipeline(transaction=False)
        pipe.hgetall(keys.CALLBACKS)
        pipe.hgetall(keys.CALLBACK_WISHES)
        waiting = [each.entry_id for each in self._mine.values() if each.entry_id is not None and each.offer is None]
        pipe.hmget(keys.WAITING, ["", *waiting])
        texts, wishes, entries = pipe.execute()
        known = {callback.callback_id: callback for callback in understood(texts.values(), Callback)}
        self._numbers = {callback.number: callback_id for callback_id, callback in known.items()}
        for callback_id, wish in wishes.items():
            self._grant(callback_id, wish, known)
        for callback in list(self._mine.values()):
            told = known.get(callback.callback_id)
            if told is not None and told.owner != self._process_id and held.get(callback.callback_id) is callback:
                # Another process has taken it; what is here since Redis was asked is newer.
                del self._mine[callback.callback_id]
            elif callback.state == "owed":
                self._turn(callback)
        self._forget_over(known)
        self._turns.announce_lost({entry for entry, text in zip(waiting, entries[1:], strict=True) if text is None})
        if self._on_duty():
            self._watch.look_after(self, known)

    def _forget_over(self, known: Mapping[str, Callback]) -> None:
        """Redis was killed and has what this process had closed: nobody is to be called for it again."""
        over = {each.callback_id for each in known.values() if each.owner == self._process_id} - self._mine.keys()
        for callback_id in over & self._over:
            log.warning("callback that was over forgotten", callback=callback_id)
            forget(self._redis, callback_id, known[callback_id].number)
        self._over = over

    def _turn(self, callback: Callback) -> None:
        """Whether it is to wait in the router now."""
        if self._configuration.snapshot.roster.queue(callback.queue) is None:
            self.close(callback, "failed", by="its queue is not there any more")
            return
        is_open = callback.at_once or self._open(callback)
        if callback.entry_id is None and callback.due_at <= self._clock.now() and is_open:
            self._turns.begin(callback)
        elif callback.entry_id is not None and callback.offer is None and not is_open:
            self._turns.withdraw(callback)
            self._keep(callback)

    def _grant(self, callback_id: str, text: str, known: Mapping[str, Callback]) -> None:
        """What somebody asked of a callback."""
        callback = self._mine.get(callback_id)
        if callback is None:
            if callback_id not in known and self._on_duty():
                self._outbox.put("HDEL", keys.CALLBACK_WISHES, callback_id)
            return
        self._outbox.put("HDEL", keys.CALLBACK_WISHES, callback_id)
        wish: dict[str, str] = msgspec.json.decode(text)
        if callback.state == "calling":
            return
        if wish["what"] == "cancel":
            self.close(callback, "cancelled", by=wish["by"])
        elif wish["what"] == "reached":
            self.close(callback, "done", by="customer reached in another call", call_id=wish["by"])
        elif callback.offer is None:
            self._turns.withdraw(callback)
            callback.at_once, callback.due_at = True, self._clock.now()
            self._keep(callback)
            self._wanted.set()

    # ---

    def _keep(self, callback: Callback) -> None:
        self._mine[callback.callback_id] = callback
        try:
            self._redis.hset(keys.CALLBACKS, callback.callback_id, encode(callback).decode())
        except (RedisError, OSError):
            self._keep_later(callback)

    def _keep_later(self, callback: Callback) -> None:
        """As it is when Redis is back, which may be newer than now; nothing, if it is another process's by then."""

        def command() -> Command:
            if self._mine.get(callback.callback_id) is not callback:
                return ("PING",)
            return ("HSET", keys.CALLBACKS, callback.callback_id, encode(callback).decode())

        self._outbox.put_latest(callback.callback_id, command)

    def _rules(self, callback: Callback) -> CallbackRules:
        rule = self._configuration.snapshot.roster.queue(callback.queue)
        return (None if rule is None else rule.settings.callback) or CallbackRules()

    def _open(self, callback: Callback) -> bool:
        name = self._rules(callback).calendar
        calendar = self._configuration.snapshot.plan.calendars.get(name) if name else None
        return calendar is None or isinstance(hours.status(calendar, self._clock.now()), hours.Open)
