"""What every call of a process is decided by: one immutable snapshot of what is set up, swapped when a new one is published.

A live call keeps the snapshot it began with. While Postgres is away the last snapshot stays in force.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

import gevent
import peewee
import structlog
from gevent.event import Event

from conf.database import Database
from conf.errors import PointsmanError
from dialplan import store as dialplan_store
from dialplan.hours import Open, status
from dialplan.plan import Plan
from engine.live import keys
from engine.live.connection import Redis, RedisError
from engine.records import queue_store
from engine.records.queue_store import PauseReason
from engine.routing import store as routing_store
from engine.routing.plans import PlanBook
from engine.routing.roster import Roster
from ivr import store as ivr_store
from ivr.flow import PublishedFlow
from ivr.neighbours import leading_to_secrets

CHECK_SECONDS = 2.0
"""How late a published version is found where its announcement was not heard."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Snapshot:
    """One published version of all that is set up."""

    version: int
    plan: Plan
    flows: Mapping[str, PublishedFlow]
    roster: Roster
    pause_reasons: tuple[PauseReason, ...] = ()
    blocked: Mapping[str, datetime | None] = field(default_factory=dict)
    """Number -> till when its calls are not taken; None: for good."""

    def is_blocked(self, number: str, at: datetime) -> bool:
        if number not in self.blocked:
            return False
        until = self.blocked[number]
        return until is None or at < until

    @cached_property
    def secretive(self) -> frozenset[str]:
        """The flows in which, or in those they lead to, callers key in secrets."""
        return leading_to_secrets({name: published.flow for name, published in self.flows.items()})

    @cached_property
    def plans(self) -> PlanBook:
        """Who may take which calls; made when it is first asked for."""
        return PlanBook.of(self.roster)


class Configuration:
    """Keeps the newest snapshot at hand."""

    def __init__(self, db: Database, announcements: Redis, *, zone: str, country: str) -> None:
        """`announcements` is a client of its own, to listen with (`engine.live.connection.blocking`)."""
        self._db = db
        self._announcements = announcements
        self._zone = zone
        self._country = country
        self._stale = Event()
        self._greenlets: list[gevent.Greenlet[..., None]] = []
        self.snapshot = self._load()

    def start(self) -> None:
        self._greenlets = [gevent.spawn(self._watch), gevent.spawn(self._listen)]

    def stop(self) -> None:
        gevent.killall(self._greenlets)

    def is_open(self, calendar: str, at: datetime) -> bool | None:
        """Whether the calendar is open at the instant; None where there is none of that name."""
        found = self.snapshot.plan.calendars.get(calendar)
        return None if found is None else isinstance(status(found, at), Open)

    def flow(self, name: str, version: int) -> PublishedFlow | None:
        """An earlier version of a flow, for a call that began with it; None where it cannot be had."""
        try:
            return PublishedFlow(version, ivr_store.export_flow(self._db, name, version))
        except (peewee.PeeweeException, PointsmanError) as error:
            log.warning("flow not read", flow=name, version=version, error=str(error).strip())
            return None

    def _load(self) -> Snapshot:
        roster = routing_store.load_roster(self._db)
        return Snapshot(
            version=roster.version,
            plan=dialplan_store.load(self._db, zone=self._zone, country=self._country),
            flows=ivr_store.load(self._db),
            roster=roster,
            pause_reasons=self._pause_reasons(),
            blocked=self._blocked(),
        )

    def _blocked(self) -> dict[str, datetime | None]:
        with self._db.connection_context():
            return {each.number: each.until for each in queue_store.blocked_numbers(self._db)}

    def _pause_reasons(self) -> tuple[PauseReason, ...]:
        with self._db.connection_context():
            return tuple(queue_store.pause_reasons(self._db))

    def _listen(self) -> None:
        while True:
            channel = self._announcements.pubsub(ignore_subscribe_messages=True)
            try:
                channel.subscribe(keys.CONFIGURATION)
                for _ in channel.listen():
                    self._stale.set()
            except (RedisError, OSError) as error:
                # What is published meanwhile is found all the same, only later.
                log.info("announcements not heard", error=str(error))
            finally:
                channel.close()
            gevent.sleep(CHECK_SECONDS)

    def _watch(self) -> None:
        while True:
            self._stale.wait(CHECK_SECONDS)
            self._stale.clear()
            try:
                with self._db.connection_context():
                    (version,) = self._db.execute_sql("SELECT version FROM configuration").fetchone()
                if version != self.snapshot.version:
                    self.snapshot = self._load()
                    log.info("configuration in force", version=self.snapshot.version)
            except peewee.PeeweeException as error:
                log.warning("configuration not read, the last one stays", error=str(error).strip())
