"""`pointsman up`: everything in one go, and its end in order."""

from __future__ import annotations

import os
import resource
import secrets
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import gevent
from gevent.event import Event

from conf import database, embedded, installation, logs
from conf.children import ChildSpec
from conf.clock import Clock
from conf.errors import PointsmanError
from conf.migrate import migrate
from conf.probes import check_free, check_redis, health, page
from conf.settings import Settings, load
from conf.supervisor import Supervisor
from engine import freeswitch
from engine.records import demo

READY_SECONDS = 60.0
MOST_FILES = 65536
DRAIN_SECONDS = 20.0
"""How long an engine may take to hand its calls on and ship its journal."""


class StartFailed(PointsmanError):
    """Something does not answer or is in the way; the message says what and what to do."""


@click.command()
@click.option(
    "--at", "at", metavar="ISO", help="Let the installation's clock begin at this date and time (virtual switch only)."
)
@click.option(
    "--speed",
    type=click.FloatRange(min=0.01, max=1000),
    default=1.0,
    help="How fast its clock runs (virtual switch only).",
)
def up(at: str | None, speed: float) -> None:
    """Start everything: database, Redis, switch, engines, admin. Ctrl-C ends it in order.

    Embedded Postgres and Redis are used unless POINTSMAN_DATABASE_URL and POINTSMAN_REDIS_URL name others; FreeSWITCH where
    it is installed, else the virtual switch. When all of it answers, one line beginning with `ready` is printed.
    """
    settings = load()
    logs.configure(settings.log_level)
    kind = switch_kind(settings)
    clock = _clock(settings, at, speed, kind)
    os.umask(0o077)
    _raise_file_limit()
    installation.folder(settings.home)
    Installing(settings, kind, clock).run()


def switch_kind(settings: Settings) -> installation.SwitchKind:
    """Which switch these settings mean: `auto` is FreeSWITCH where it is installed. FreeSwitchMissing."""
    binary = freeswitch.find(settings.freeswitch)
    return "virtual" if binary is None and freeswitch.external(settings.freeswitch) is None else "freeswitch"


def _raise_file_limit() -> None:
    """Every call is a socket or two, and what a login shell allows is soon used up: take what we may have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _clock(settings: Settings, at: str | None, speed: float, kind: installation.SwitchKind) -> Clock:
    if at is None and speed == 1.0:
        return Clock.parse(settings.clock)
    if kind != "virtual":
        raise StartFailed(
            "--at and --speed need the virtual switch, as FreeSWITCH lives by the wall's clock; "
            "set POINTSMAN_FREESWITCH=virtual"
        )
    if at is None:
        return Clock.starting(None, speed)
    try:
        begin = datetime.fromisoformat(at)
    except ValueError as error:
        raise StartFailed(f"--at {at!r} is no date and time; write it as 2026-12-25T03:00") from error
    return Clock.starting(begin if begin.tzinfo else begin.replace(tzinfo=settings.zone), speed)


class Installing:
    """One run of an installation, from the first look at its ports to the end of its last child."""

    def __init__(self, settings: Settings, kind: installation.SwitchKind, clock: Clock) -> None:
        self._settings = settings
        self._kind = kind
        self._clock = clock
        self._children: Supervisor | None = None
        self._stop = Event()
        self._signals = 0

    def run(self) -> None:
        """Come up, stay up, go down. PointsmanError where it cannot come up; then nothing is left running."""
        handlers = [
            gevent.signal_handler(number, self._told_to_end)
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
        ]
        starting = gevent.spawn(self._try_to_start)
        try:
            either: list[Any] = [starting, self._stop]
            gevent.wait(either, count=1)
            if not starting.ready():
                starting.kill()
                return
            fault = starting.get()
            if fault is not None:
                raise fault
            self._stop.wait()
        finally:
            self._shut_down()
            for handler in handlers:
                handler.cancel()

    def _try_to_start(self) -> PointsmanError | None:
        """What went wrong, handed on as a value: gevent prints the trace of whatever a greenlet raises."""
        try:
            self._start()
        except PointsmanError as fault:
            return fault
        except OSError as error:
            place = f"{error.filename}: " if error.filename else ""
            return StartFailed(f"{place}{error.strerror or error}")
        return None

    def _told_to_end(self) -> None:
        self._signals += 1
        self._stop.set()
        if self._signals > 1 and self._children is not None:
            self._children.kill()

    def _say(self, text: str) -> None:
        click.echo(f"pointsman: {text}", err=True)
        with (installation.folder(self._settings.home, "log") / "up.log").open("a", encoding="utf-8") as file:
            file.write(f"{datetime.now(UTC).isoformat(timespec='milliseconds')} {text}\n")

    def _start(self) -> None:
        settings = self._settings
        self._children = children = Supervisor(settings.home, self._say)
        self._check_ports()
        database_url = settings.database_url or self._start_postgres(children)
        redis_url = settings.redis_url or self._start_redis(children)
        database.check(database_url)
        check_redis(redis_url)
        applied = migrate(database_url)
        if applied:
            self._say(f"schema brought up to date ({', '.join(applied)})")
        self._load_demo(database_url)
        password = settings.freeswitch_password.get_secret_value() if settings.freeswitch_password else ""
        outside = freeswitch.external(settings.freeswitch)
        if outside and not password:
            raise StartFailed(f"POINTSMAN_FREESWITCH_PASSWORD is not set; the event socket of {outside} asks for it")
        found = installation.Installation(
            pid=os.getpid(),
            database_url=database_url,
            redis_url=redis_url,
            http=settings.http,
            esl=settings.esl,
            control=outside or settings.control,
            password=password or installation.secret(settings.home, "switch"),
            switch=self._kind,
            sip=settings.sip if self._kind == "freeswitch" and not outside else None,
            clock=str(self._clock) if self._clock != Clock() else None,
            timezone=self._settings.timezone,
        )
        installation.write(settings.home, found)
        environment = self._environment(found)
        if not outside:
            self._start_switch(children, found, environment)
        for number in range(1, settings.engines + 1):
            children.start(_part("engine", f"engine-{number}", environment, DRAIN_SECONDS))
        children.start(_part("admin", "admin", environment, 10))
        self._wait_ready(children, found)
        line = f"ready admin={page(settings.http)} esl={settings.esl} switch={self._kind}"
        click.echo(line + (f" sip={found.sip}" if found.sip else ""))
        sys.stdout.flush()

    def _check_ports(self) -> None:
        wanted = [(self._settings.http, "POINTSMAN_HTTP"), (self._settings.esl, "POINTSMAN_ESL")]
        if self._kind == "virtual" or not freeswitch.external(self._settings.freeswitch):
            wanted.append((self._settings.control, "POINTSMAN_CONTROL"))
        if len({address for address, _ in wanted}) < len(wanted):
            raise StartFailed(
                "two of POINTSMAN_HTTP, POINTSMAN_ESL and POINTSMAN_CONTROL are the same address; give each its own"
            )
        for address, name in wanted:
            check_free(address, name)

    def _start_postgres(self, children: Supervisor) -> str:
        self._say("starting the embedded Postgres")
        postgres = embedded.Postgres(self._settings.home)
        postgres.prepare()
        child = children.start(postgres.spec, before=postgres.clear_stale_lock)
        postgres.wait_ready(child)
        return postgres.url

    def _start_redis(self, children: Supervisor) -> str:
        server = embedded.Redis(self._settings.home)
        server.prepare()
        child = children.start(server.spec)
        server.wait_ready(child)
        return server.url

    def _start_switch(
        self, children: Supervisor, found: installation.Installation, environment: dict[str, str]
    ) -> None:
        binary = freeswitch.find(self._settings.freeswitch)
        if binary is None:
            children.start(_part("switch", "switch", environment, 5))
            return
        self._say(f"starting FreeSWITCH ({binary})")
        settings = self._settings.model_copy(update={"database_url": found.database_url})
        switch = freeswitch.FreeSwitch(settings, binary, found.password)
        switch.prepare()
        child = children.start(switch.spec, before=switch.configure)
        switch.wait_ready(child)
        gevent.spawn(switch.keep_phones, self._stop)

    def _load_demo(self, database_url: str) -> None:
        db = database.connect(database_url, size=2, name="pointsman up")
        database.bind(db)
        try:
            if not demo.is_empty(db):
                return
            chosen = self._settings.admin_password
            password = chosen.get_secret_value() if chosen else secrets.token_urlsafe(9)
            names = demo.load(db, self._settings, self._clock.now(), password)
            self._say("the demo company is set up")
            if chosen is None:
                # On the terminal alone: a password does not belong in a log.
                click.echo(
                    f"pointsman: sign in as {names[0]} with the password {password}   (shown this once)", err=True
                )
                click.echo(
                    f"pointsman: {', '.join(names[1:])} have the same password until they are given another", err=True
                )
        finally:
            db.close_all()

    def _environment(self, found: installation.Installation) -> dict[str, str]:
        settings = self._settings
        environment = {
            "POINTSMAN_HOME": str(settings.home),
            "POINTSMAN_DATABASE_URL": found.database_url,
            "POINTSMAN_REDIS_URL": found.redis_url,
            "POINTSMAN_HTTP": found.http,
            "POINTSMAN_ESL": found.esl,
            "POINTSMAN_CONTROL": found.control,
            "POINTSMAN_FREESWITCH": found.switch if found.switch == "virtual" else settings.freeswitch,
            "POINTSMAN_FREESWITCH_PASSWORD": found.password,
            "POINTSMAN_SIP": settings.sip,
            "POINTSMAN_ENGINES": str(settings.engines),
            "POINTSMAN_TIMEZONE": settings.timezone,
            "POINTSMAN_COUNTRY": settings.country,
            "POINTSMAN_LOG_LEVEL": settings.log_level,
        }
        if found.clock:
            environment["POINTSMAN_CLOCK"] = found.clock
        if found.switch == "virtual" and not settings.trunk:
            # Numbers outside are the virtual switch's own there, and cost nothing: customers can be called back.
            environment |= {"POINTSMAN_TRUNK": "virtual/{number}", "POINTSMAN_OUTSIDE_PREFIXES": "+"}
        return environment

    def _wait_ready(self, children: Supervisor, found: installation.Installation) -> None:
        deadline = time.monotonic() + READY_SECONDS
        said = "nothing answers"
        while time.monotonic() < deadline:
            children.check()
            healthy, said = health(found.http)
            if healthy:
                children.hold()
                return
            gevent.sleep(0.1)
        raise StartFailed(
            f"not ready after {READY_SECONDS:.0f} s: {said}; see the logs in {self._settings.home / 'log'}"
        )

    def _shut_down(self) -> None:
        children = self._children
        if children is None:
            return
        installation.forget(self._settings.home)
        running = children.names()
        engines = [name for name in running if name.startswith("engine-")]
        if running and self._stop.is_set():
            self._say("ending")
        # Whoever needs a part is ended before it: pages, engines (which hand on their calls and ship), switch, stores.
        for group in (["admin"], engines, ["switch"], ["redis"], ["postgres"]):
            children.stop(*group)
        children.close()


def _part(command: str, name: str, environment: dict[str, str], stop_seconds: float) -> ChildSpec:
    return ChildSpec(
        name=name,
        argv=(sys.executable, "-m", "conf.cli", command),
        environment={**environment, "POINTSMAN_PROCESS": name, "PYTHONUNBUFFERED": "1"},
        folder=Path(__file__).parent.parent.parent,
        stop_seconds=stop_seconds,
    )
