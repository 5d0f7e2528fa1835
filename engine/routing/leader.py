"""One router at a time: the process that holds the lease reads the router's events, decides, and writes what follows.

Every engine process runs a `Leader`; all but one wait for the lease. A tenure begins with what Redis knows (agents, offers that
stand, calls that wait) and goes on from the first event whose consequences were not written yet, so a leader that dies
loses nobody's place. What it writes carries its epoch and is refused once there is a later one. A tenure ends with its day at
the latest, so that each day's log can be decided again by itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import gevent
import msgspec
import structlog

from conf.clock import Clock
from engine.live import keys
from engine.live.connection import RedisError
from engine.live.wire import Wire
from engine.records.journal import Journal
from engine.routing import day_log
from engine.routing.claims import LEASE_SECONDS, Claims, TenureLost
from engine.routing.day_log import DayLog, Tenure
from engine.routing.events import (
    ClaimLost,
    CloseOffer,
    DayBegan,
    Decision,
    Event,
    HoursChanged,
    MakeOffer,
    RosterPublished,
    Settled,
    TimePassed,
    decode_event,
)
from engine.routing.keeping import Keeper
from engine.routing.restoring import Presences, mapping, restore
from engine.routing.roster import Roster
from engine.routing.router import Router

READ_AT_MOST = 500
BUSY_SECONDS = 0.003
BUSY_EVENTS = 8
GATHER_SECONDS = 0.001
LONGEST_READ_SECONDS = 0.4
"""Also how often the lease is renewed when nothing happens; well within the lease."""

HOURS_SECONDS = 0.25
"""How often calendars are looked at, on the wall's clock."""

SETTLE_SECONDS = 1.5
"""How long after Redis has lost its memory nothing is decided: all processes notice within their heartbeat and tell again
what they have in hand."""

RETURN_SECONDS = 0.6
"""How long after Redis was away nothing is decided: all processes notice that it is back (engine.live.outbox) and tell of those
who came meanwhile, and whoever is told of late would be overtaken."""

SLOW_SECONDS = 0.5
"""An answer that takes longer is one of a Redis that was away."""

_BEGIN = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[2], ARGV[2])
return 1"""
"""A new epoch, if the lease is still held: whoever got it meanwhile may have been given the same number, where Postgres was
not to be asked."""

_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end"

log = structlog.get_logger(__name__)

Hours = Callable[[str, datetime], bool | None]
"""Whether a calendar is open at an instant; None where there is no such calendar."""


@dataclass(slots=True)
class _Held:
    """What a tenure keeps at hand."""

    epoch: int
    router: Router
    log: DayLog
    day: date
    version: int = 0
    open: dict[str, bool] = field(default_factory=dict)
    looked_at: float = 0.0

    def step(self, event: Event) -> list[Decision]:
        """Let the router decide, and write it into the day's log."""
        if isinstance(event, TimePassed):
            due = self.router.next_due
            if due is None or due > event.at:
                return []
        decisions = self.router.step(event)
        self.log.add(event, decisions)
        return decisions


class Leader:
    """Holds the router whenever it can.

    `roster` gives the roster in force, `hours` says which calendars are open, `presences` reads Postgres (it may raise when
    that is away; the day's figures from the given instant on), `next_epoch(least)` returns a number above `least` and above
    all it ever returned, kept in Postgres. The day's log goes to `folder`; days are those of `zone`.
    """

    def __init__(
        self,
        process_id: str,
        *,
        wire: Wire,
        journal: Journal,
        clock: Clock,
        roster: Callable[[], Roster],
        hours: Hours,
        presences: Callable[[datetime], Presences],
        next_epoch: Callable[[int], int],
        folder: Path,
        zone: ZoneInfo,
    ) -> None:
        self._process_id = process_id
        self._wire = wire
        self._keeper = Keeper(journal)
        self._clock = clock
        self._roster = roster
        self._hours = hours
        self._presences = presences
        self._next_epoch = next_epoch
        self._folder = folder
        self._zone = zone
        self._greenlet: gevent.Greenlet[..., None] | None = None
        self._away = False
        self._returned_at = 0.0
        self.router: Router | None = None
        """The router while this process holds it."""

    def start(self) -> None:
        self._greenlet = gevent.spawn(self._run)

    def stop(self) -> None:
        """Give the router up at once, for the next one not to wait for the lease to run out."""
        if self._greenlet is not None:
            self._greenlet.kill()
        try:
            self._wire.ask("EVAL", _RELEASE, 1, keys.ROUTER_LEASE, self._process_id)
        except (RedisError, OSError):
            log.info("the router's lease is left to run out")

    def _run(self) -> None:
        while True:
            try:
                if self._is_vacant():
                    self._hold()
            except TenureLost as lost:
                log.warning("router given up", reason=str(lost))
            except (RedisError, OSError) as error:
                self._away = True
                if self.router is not None:
                    log.warning("router given up", reason=str(error))
            except Exception:
                # A fault in one tenure must not leave the installation without a router.
                log.exception("router failed")
            finally:
                self.router = None
            gevent.sleep(0.2)

    def _is_vacant(self) -> bool:
        """Whether nobody held the router, and this process does now."""
        asked = time.monotonic()
        lease = int(LEASE_SECONDS * 1000)
        vacant = bool(self._wire.ask("SET", keys.ROUTER_LEASE, self._process_id, "NX", "PX", lease))
        if self._away or time.monotonic() - asked > SLOW_SECONDS:
            self._away, self._returned_at = False, time.time()
        return vacant

    def _hold(self) -> None:
        """One tenure. Returns when its day is over; TenureLost, redis.RedisError."""
        wire = self._wire
        epoch = self._next_epoch(int(wire.ask("GET", keys.ROUTER_EPOCH) or 0))
        if not wire.ask("EVAL", _BEGIN, 2, keys.ROUTER_LEASE, keys.ROUTER_EPOCH, self._process_id, epoch):
            raise TenureLost("the lease ran out before the tenure began")
        claims = Claims(wire, self._process_id, epoch)
        cursor = wire.ask("GET", keys.ROUTER_CURSOR) or "0-0"
        settles_at = max(self._remembers_since() + SETTLE_SECONDS, self._returned_at + RETURN_SECONDS)
        settled = time.time() >= settles_at
        held = self._begin(epoch, settled=settled)
        try:
            decisions = self._restored(held)
            self.router = held.router
            self._write(held, claims, decisions, cursor)
            self._lead(held, claims, cursor, None if settled else settles_at)
        finally:
            held.log.close()
        wire.ask("DEL", keys.ROUTER_LEASE)

    def _lead(self, held: _Held, claims: Claims, cursor: str, settles_at: float | None) -> None:
        router, read_at = held.router, 0.0
        while True:
            wait = LONGEST_READ_SECONDS
            if router.next_due is not None:
                wait = min(wait, self._clock.wall_seconds(max(0.001, router.next_due - self._clock.timestamp())))
            read = self._wire.ask(
                "XREAD", "COUNT", READ_AT_MOST, "BLOCK", max(1, int(wait * 1000)), "STREAMS", keys.ROUTER_EVENTS, cursor
            )
            read_before, read_at = read_at, time.monotonic()
            busy = bool(read) and read_at - read_before < BUSY_SECONDS and len(read[0][1]) < BUSY_EVENTS
            decisions: list[Decision] = []
            for entry_id, fields in read[0][1] if read else ():
                cursor = entry_id
                event = self._decode(mapping(fields))
                if event is not None:
                    decisions += held.step(event)
            now = self._clock.timestamp()
            roster = self._roster()
            if roster.version != held.version:
                held.version = roster.version
                decisions += held.step(RosterPublished(at=now, roster=roster))
                held.looked_at = 0.0
            decisions += self._hours_passed(held, roster, now)
            decisions += held.step(TimePassed(at=now))
            if settles_at is not None and time.time() >= settles_at:
                settles_at = None
                decisions += held.step(Settled(at=now))
            self._write(held, claims, decisions, cursor)
            held.log.flush()
            if self._today() != held.day:
                log.info("the router begins a new day", day=str(self._today()))
                return
            if busy:
                # Under load many small batches cost more than the millisecond in which the next one grows.
                gevent.sleep(GATHER_SECONDS)

    def _today(self) -> date:
        return self._clock.now().astimezone(self._zone).date()

    def _hours_passed(self, held: _Held, roster: Roster, now: float) -> list[Decision]:
        """Tell the router of calendars that have opened or closed."""
        if time.monotonic() - held.looked_at < HOURS_SECONDS:
            return []
        held.looked_at = time.monotonic()
        decisions: list[Decision] = []
        for name in sorted({rule.settings.calendar for rule in roster.queues if rule.settings.calendar is not None}):
            # A calendar that is not there keeps nobody out.
            is_open = self._hours(name, self._clock.now()) is not False
            if held.open.get(name, True) != is_open:
                held.open[name] = is_open
                decisions += held.step(HoursChanged(at=now, calendar=name, open=is_open))
        return decisions

    def _decode(self, fields: Mapping[str, str]) -> Event | None:
        try:
            event: Event = decode_event(fields.get("data", ""))
        except msgspec.MsgspecError as error:
            log.error("router event not understood, passed over", error=str(error), data=str(fields)[:200])
            return None
        return event

    def _write(self, held: _Held, claims: Claims, decisions: list[Decision], cursor: str) -> None:
        never_made: set[str] = set()
        while self.router is not None:
            lost = dict(claims.write(decisions, cursor, never_made=never_made))
            never_made.update(lost)
            for decision in decisions:
                # No phone rang for an offer that could not be made, so nothing is told of its end either.
                if not (isinstance(decision, MakeOffer | CloseOffer) and decision.offer_id in never_made):
                    self._keeper.keep(decision)
            if not lost:
                return
            decisions = []
            for offer_id, missing in lost.items():
                decisions += held.step(
                    ClaimLost(at=self._clock.timestamp(), offer_id=offer_id, entry_gone=missing == "call")
                )

    # --- a new tenure ---

    def _remembers_since(self) -> float:
        """When Redis's memory began, on this machine's clock, and never in the future."""
        now = time.time()
        self._wire.ask("SET", keys.MEMORY, f"{now:.3f}", "NX")
        return min(now, float(self._wire.ask("GET", keys.MEMORY)))

    def _begin(self, epoch: int, *, settled: bool) -> _Held:
        today, began = self._today(), self._clock.now()
        day_log.forget_old(self._folder, today)
        tenure = Tenure(epoch=epoch, seed=epoch, settled=settled, began=began, process=self._process_id)
        return _Held(epoch, Router(seed=epoch, settled=settled), DayLog(self._folder, today, tenure), today)

    def _restored(self, held: _Held) -> list[Decision]:
        """The router as Redis tells of it, and what is to be written at once."""
        began, now, roster = time.monotonic(), self._clock.timestamp(), self._roster()
        held.version = roster.version
        midnight = datetime.combine(held.day, datetime.min.time(), self._zone)
        decisions = self._hours_passed(held, roster, now)
        decisions += restore(
            self._wire,
            held.step,
            held.router,
            roster,
            now,
            presences=lambda: self._presences(midnight),
            keep=self._keeper.keep,
        )
        if self._wire.ask("GET", keys.ROUTER_DAY) != held.day.isoformat():
            decisions += held.step(DayBegan(at=now))
            self._wire.ask("SET", keys.ROUTER_DAY, held.day.isoformat())
        log.info(
            "router taken",
            epoch=held.epoch,
            waiting=len(held.router.entries),
            agents=len(held.router.agents),
            settled=held.router.state.settled,
            seconds=round(time.monotonic() - began, 3),
        )
        return decisions
