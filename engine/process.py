"""One engine process: everything it is made of, built once and joined by constructor arguments."""

from __future__ import annotations

import os
import secrets
import socket
import time
from datetime import datetime

import gevent
import msgspec
import peewee
import structlog

from conf import database
from conf.clock import Clock
from conf.errors import PointsmanError
from conf.settings import Settings
from engine.call.callbacks import Callbacks
from engine.call.configuration import Configuration
from engine.call.media import Media
from engine.call.office import House
from engine.call.phones import PhoneWatch
from engine.call.prompt_recording import Requests
from engine.call.recovery import Checkpoints
from engine.call.registry import Inbox, Registry
from engine.call.session import Session
from engine.call.surroundings import Surroundings
from engine.call.sweeper import Sweeper
from engine.call.switches import Switches
from engine.call.terms import EVENTS, LINGER_SECONDS
from engine.call.trials import Trials
from engine.call.trunk import Trunk
from engine.call.untaken import Untaken
from engine.esl.outbound import CallLink
from engine.esl.server import OutboundServer
from engine.live import connection, keys
from engine.live.board import Board
from engine.live.notices import Notices
from engine.live.outbox import Outbox
from engine.live.screenpop import ScreenPops
from engine.live.wire import Wire
from engine.records.customers import Customers
from engine.records.journal import Journal
from engine.records.lookups import Lookups
from engine.records.mailing import Mailing, MailServer
from engine.records.shipping import Shipper
from engine.records.tickets import Tickets
from engine.records.voicemails import Voicemails
from engine.routing import store
from engine.routing.leader import Leader
from ivr.web import WebClient
from sounds.catalogue import Catalogue
from sounds.library import Library
from sounds.speech import Speech

HEARTBEAT_SECONDS = 0.5
HEARTBEAT_LASTS_MS = 1500
OVERSLEPT_SECONDS = 2.0
"""A process that did nothing for so long was taken for dead, and others are about to take its calls, or have."""

DRAIN_SECONDS = 5.0

EPOCH_SECONDS = 0.7
"""How long Postgres is asked for a new epoch; well within the router's lease."""

log = structlog.get_logger(__name__)


class SettingMissing(PointsmanError):
    """A part is run alone without saying where the others are."""


class EngineProcess:
    """An engine process. `name` is what people call it (engine-1); its id is unlike that of every process before it."""

    def __init__(self, settings: Settings, name: str) -> None:
        if settings.database_url is None or settings.redis_url is None:
            raise SettingMissing("set POINTSMAN_DATABASE_URL and POINTSMAN_REDIS_URL, or run `pointsman up`")
        self.name = name
        self.id = f"{name}-{os.getpid()}-{secrets.token_hex(3)}"
        self._settings = settings
        self._clock = Clock.parse(settings.clock)
        self._started_at = self._clock.now()
        self._db = database.connect(settings.database_url, size=10, name=f"pointsman {name}")
        database.bind(self._db)
        self._redis = connection.commands(settings.redis_url)
        self._registry = Registry()
        self._outbox = Outbox(Wire(settings.redis_url), on_return=self._announce_again)
        self._journal = Journal(settings.home / "journal", self.id)
        self._shipper = Shipper(settings.home / "journal", settings.database_url, self._journal)
        self._configuration = Configuration(
            self._db, connection.blocking(settings.redis_url), zone=settings.timezone, country=settings.country
        )
        password = settings.freeswitch_password
        self._switches = Switches(
            (settings.control, *settings.switches), "" if password is None else password.get_secret_value()
        )
        self._requests = Requests(settings.redis_url, self._redis, self._switches)
        self._leader = Leader(
            self.id,
            wire=Wire(settings.redis_url),
            journal=self._journal,
            clock=self._clock,
            roster=lambda: self._configuration.snapshot.roster,
            hours=self._configuration.is_open,
            presences=lambda since: store.load_presences(self._db, since),
            next_epoch=self._next_epoch,
            folder=settings.home / "routing",
            zone=settings.zone,
        )
        self._trials = Trials(settings.redis_url, switches=self._switches, outbox=self._outbox)
        self._lookups = Lookups(settings.database_url)
        pops = ScreenPops(self._outbox)
        self._callbacks = Callbacks(
            process_id=self.id,
            clock=self._clock,
            redis=self._redis,
            outbox=self._outbox,
            journal=self._journal,
            configuration=self._configuration,
            switches=self._switches,
            pops=pops,
            lookups=self._lookups,
            db=self._db,
            on_duty=lambda: self._leader.router is not None,
        )
        self._inbox = Inbox(
            self.id,
            redis_url=settings.redis_url,
            redis=self._redis,
            registry=self._registry,
            outbox=self._outbox,
            callbacks=self._callbacks,
        )
        self._mailing = Mailing(self._db, MailServer.of(settings), self._clock)
        media = Media(settings.home / "recordings")
        self._around = Surroundings(
            process_id=self.id,
            home=settings.home,
            clock=self._clock,
            configuration=self._configuration,
            journal=self._journal,
            outbox=self._outbox,
            notices=Notices(self._outbox),
            redis=self._redis,
            checkpoints=Checkpoints(self._redis),
            pops=pops,
            lookups=self._lookups,
            switches=self._switches,
            registry=self._registry,
            catalogue=Catalogue.of_home(settings.home),
            media=media,
            house=House(
                customers=Customers(self._db, settings.country),
                tickets=Tickets(self._db, settings.country),
                web=WebClient(settings.web_allowed),
                trunk=Trunk(
                    settings.trunk,
                    settings.outside_allowed,
                    country=settings.country,
                    caller_number=settings.trunk_number,
                ),
                speech=Speech(settings.home / "speech"),
                voicemails=Voicemails(self._db),
                prompts=Library(self._db, settings.home),
                sends_mail=self._mailing.set_up,
            ),
            callbacks=self._callbacks,
            country=settings.country,
        )
        self._sweeper = Sweeper(
            db=self._db,
            redis=self._redis,
            switches=self._switches,
            journal=self._journal,
            outbox=self._outbox,
            clock=self._clock,
            media=media,
            registry=self._registry,
            on_duty=lambda: self._leader.router is not None,
            phones=PhoneWatch(switches=self._switches, redis=self._redis, outbox=self._outbox, clock=self._clock),
        )
        self._untaken = Untaken(
            process_id=self.id,
            db=self._db,
            redis=self._redis,
            outbox=self._outbox,
            switches=self._switches,
            journal=self._journal,
            clock=self._clock,
            configuration=self._configuration,
            country=settings.country,
            on_duty=lambda: self._leader.router is not None,
        )
        self._server = OutboundServer(
            (settings.esl.host, settings.esl.port), self._handle, events=EVENTS, linger_seconds=LINGER_SECONDS
        )
        self._heart: gevent.Greenlet[..., None] | None = None

    def start(self) -> None:
        """Take part: from the end of this on calls may come."""
        self._shipper.start()
        self._outbox.start()
        self._lookups.start()
        self._configuration.start()
        self._untaken.start()
        self._switches.start()
        self._inbox.start()
        self._trials.start()
        self._requests.start()
        self._leader.start()
        self._sweeper.start()
        self._callbacks.start()
        self._mailing.start()
        self._heart = gevent.spawn(self._beat)
        self._server.start()
        log.info("engine ready", process=self.id, esl=self._settings.esl)

    def stop(self) -> None:
        """Take no more calls, let those that run end for a while, hand the rest over to another process, or end them where
        there is none, and leave nothing unwritten."""
        self._server.stop_accepting()
        self._trials.stop()
        self._untaken.stop()
        self._leader.stop()
        self._sweeper.stop()
        self._callbacks.stop()
        deadline = time.monotonic() + DRAIN_SECONDS
        while len(self._registry) and time.monotonic() < deadline:
            gevent.sleep(0.05)
        others = self._others()
        log.info("calls left", count=len(self._registry), others=others)
        for session in self._registry:
            if others:
                session.hand_over()
            else:
                session.end_now()
        self._server.stop(DRAIN_SECONDS)
        if self._heart is not None:
            self._heart.kill()
        self._outbox.put("DEL", keys.process(self.id))
        self._outbox.put("HDEL", keys.PROCESSES, self.id)
        self._inbox.stop()
        self._requests.stop()
        self._lookups.stop()
        self._mailing.stop()
        self._configuration.stop()
        self._switches.stop()
        self._outbox.stop(2.0)
        self._journal.close()
        self._shipper.stop(5.0)
        self._db.close_idle()
        log.info("engine ended", process=self.id)

    def _announce_again(self) -> None:
        """Redis may have forgotten; tell it what this process has in hand."""
        ours = [session.call.call_id for session in self._registry]
        for call_id, owner in self._around.checkpoints.taken_from(self.id, ours).items():
            session = self._registry.find(call_id)
            # That it was taken from there may not be known to Redis yet.
            if session is not None and owner != session.former_owner:
                session.step_aside()
        self._registry.announce_again()
        self._callbacks.announce_again()
        self._untaken.announce_again()

    def _handle(self, link: CallLink) -> None:
        Session(self._around, link).run()

    def _others(self) -> int:
        """How many other engine processes are alive."""
        try:
            processes = Board(self._redis).snapshot()["processes"]
        except (connection.RedisError, OSError):
            return 0
        return sum(process["alive"] and process["id"] != self.id for process in processes)

    def _next_epoch(self, least: int) -> int:
        try:
            with database.within(EPOCH_SECONDS):
                return store.next_epoch(self._db, least)
        except peewee.PeeweeException as error:
            # Postgres guards against a Redis that lost its memory; both away at once is for Redis alone to bridge.
            log.warning("the epoch is Redis's word alone", error=str(error).strip())
            return least + 1

    def _beat(self) -> None:
        beaten = time.monotonic()
        while True:
            slept, beaten = time.monotonic() - beaten, time.monotonic()
            if slept > OVERSLEPT_SECONDS:
                self._let_go(slept)
            self._outbox.put("SET", keys.process(self.id), "1", "PX", HEARTBEAT_LASTS_MS)
            self._outbox.put(
                "HSET", keys.PROCESSES, self.id, msgspec.json.encode(self._state(self._clock.now())).decode()
            )
            gevent.sleep(HEARTBEAT_SECONDS)

    def _let_go(self, slept: float) -> None:
        """This process was stopped, or starved. What its calls waited for has run out without being missed, so none of them
        is gone on with here; FreeSWITCH brings those that nobody has yet to whoever is quick."""
        log.error("overslept, calls let go", seconds=round(slept, 1), calls=len(self._registry))
        for session in self._registry:
            session.step_aside()

    def _state(self, now: datetime) -> dict[str, object]:
        return {
            "id": self.id,
            "name": self.name,
            "kind": "engine",
            "pid": os.getpid(),
            "host": socket.gethostname(),
            "started_at": self._started_at,
            "at": now,
            "calls": len(self._registry),
            "configuration": self._configuration.snapshot.version,
            "switch": "ok" if self._switches.connected else "away",
            "journal_pending": self._shipper.pending_bytes,
            "journal_lag_seconds": round(self._shipper.lag_seconds, 3),
            "redis_pending": len(self._outbox),
            "router": self._leader.router is not None,
            "mended": self._sweeper.mended,
        }
