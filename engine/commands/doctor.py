"""`pointsman doctor`: a check of everything, with the mend for each fault."""

from __future__ import annotations

import os
import resource
import shutil
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import psycopg2

from conf import database, embedded, installation, migrate
from conf.errors import PointsmanError
from conf.probes import check_free, check_redis, health
from conf.settings import Address, Settings, load
from dialplan.freeswitch import installed_modules, render
from engine import freeswitch
from engine.records.journal import SUFFIX
from engine.records.mailing import MailServer, mails_unsent
from engine.records.shipping import QUARANTINE
from sounds.catalogue import Catalogue

LEAST_DISK_BYTES = 2 * 1024**3
LEAST_FILES = 4096
MAIL_SECONDS = 5.0
JOURNAL_BYTES = 64 * 1024**2
"""More than this waiting to be shipped means that the database takes nothing."""


class Unwell(PointsmanError):
    """Something is wrong; the message says what and what to do."""


@click.command()
def doctor() -> int:
    """Check everything and name the mend for each fault.

    Settings, home folder, limits, database, Redis, switch, sounds, records, e-mail, and that all of it answers. Exit code 1
    where something is wrong.
    """
    try:
        settings = load()
    except PointsmanError as fault:
        _tell("settings", str(fault), well=False)
        return 1
    _tell("settings", f"home {settings.home}, zone {settings.timezone}", well=True)
    faults = 0
    for name, check in _checks(settings):
        try:
            _tell(name, check(), well=True)
        except PointsmanError as fault:
            faults += 1
            _tell(name, str(fault), well=False)
    click.echo(f"{faults} fault{'' if faults == 1 else 's'} found" if faults else "all is well")
    return 1 if faults else 0


def _tell(name: str, text: str, *, well: bool) -> None:
    click.echo(f"{'ok   ' if well else 'FAULT'} {name}: {text}")


def _checks(settings: Settings) -> Iterator[tuple[str, Callable[[], str]]]:
    try:
        running: installation.Installation | None = installation.read(settings.home)
    except installation.NotRunning:
        running = None
    yield "python", _python
    yield "home folder", lambda: _home(settings.home)
    yield "open files", _files
    url = settings.database_url or (running.database_url if running else None)
    yield "database", lambda: _database(url)
    redis_url = settings.redis_url or (running.redis_url if running else None)
    yield "redis", lambda: _redis(redis_url)
    yield "switch", lambda: _switch(settings)
    yield "sounds", lambda: _sounds(settings)
    yield "records", lambda: _records(settings.home)
    yield "e-mail", lambda: _mail(settings, url)
    if running is not None:
        yield "installation", lambda: _answers(running.http)
    elif settings.database_url and settings.redis_url and _taken(settings.http):
        # The parts run by themselves, under systemd or in containers.
        yield "installation", lambda: _answers(settings.http)
    else:
        yield "addresses", lambda: _addresses(settings)


def _python() -> str:
    if not (3, 11) <= sys.version_info[:2] < (3, 14):
        raise Unwell(f"Python {sys.version.split()[0]}; 3.11 to 3.13 are needed")
    return sys.version.split()[0]


def _home(home: Path) -> str:
    place = home
    while not place.exists():
        place = place.parent
    if not os.access(place, os.W_OK | os.X_OK):
        raise Unwell(f"{place} may not be written to; change its owner, or set POINTSMAN_HOME to another folder")
    free = shutil.disk_usage(place).free
    if free < LEAST_DISK_BYTES:
        raise Unwell(f"{free // 1024**2} MB are free on the disk of {place}; records and recordings need at least 2 GB")
    return f"{home}, {free // 1024**3} GB free" + ("" if home.exists() else ", made at the first start")


def _files() -> str:
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if limit != resource.RLIM_INFINITY and limit < LEAST_FILES:
        raise Unwell(f"at most {limit} files may be open, one a call and more; raise it with ulimit -Hn {LEAST_FILES}")
    return "no limit" if limit == resource.RLIM_INFINITY else f"at most {limit}"


def _database(url: str | None) -> str:
    if url is None:
        postgres = embedded.postgres_programs()
        return f"embedded ({postgres}), not running"
    version = ".".join(str(part) for part in database.check(url))
    waiting = migrate.pending(url)
    if waiting:
        raise Unwell(f"PostgreSQL {version}, and the schema lacks {', '.join(waiting)}; run `pointsman migrate`")
    return f"PostgreSQL {version}, schema up to date"


def _redis(url: str | None) -> str:
    if url is None:
        return f"embedded ({embedded.redis_program()}), not running"
    return f"answers, version {check_redis(url)}"


def _switch(settings: Settings) -> str:
    outside = freeswitch.external(settings.freeswitch)
    if outside is not None:
        return f"FreeSWITCH at {outside}, run by somebody else"
    binary = freeswitch.find(settings.freeswitch)
    if binary is None:
        asked = settings.freeswitch == "virtual"
        return "virtual, as POINTSMAN_FREESWITCH says" if asked else "virtual, for no freeswitch is on PATH"
    modules = installed_modules(binary)
    if modules is None:
        return f"FreeSWITCH {binary}; its modules were not found, so they are not checked"
    with tempfile.TemporaryDirectory() as folder:  # refused where a module is missing
        render(
            Path(folder),
            control=settings.control,
            control_password="checked",  # noqa: S106
            sip=settings.sip,
            engines=[settings.esl],
            available=modules,
        )
    return f"FreeSWITCH {binary}, {len(modules)} modules"


def _sounds(settings: Settings) -> str:
    names = Catalogue.of_home(settings.home).names("en")
    if not names:
        raise Unwell("there are no prompts in English; install Pointsman again")
    return f"{len(names)} prompts in English"


def _records(home: Path) -> str:
    folder = home / "journal"
    aside = list((folder / QUARANTINE).glob("*")) if (folder / QUARANTINE).exists() else []
    if aside:
        raise Unwell(
            f"{len(aside)} file(s) in {folder / QUARANTINE} hold facts that the database refused; "
            "look in the engines' logs for why, then move them away"
        )
    waiting = sum(path.stat().st_size for path in folder.glob(f"*{SUFFIX}")) if folder.exists() else 0
    if waiting > JOURNAL_BYTES:
        raise Unwell(
            f"{waiting // 1024**2} MB of records wait in {folder}; look in the engines' logs for why they are not shipped"
        )
    return f"{waiting // 1024} KB in the journals"


def _mail(settings: Settings, url: str | None) -> str:
    server = MailServer.of(settings)
    if server is None:
        return "not set up, so flows send none; set POINTSMAN_SMTP_SERVER and POINTSMAN_SMTP_FROM"
    try:
        socket.create_connection((server.host, server.port), MAIL_SECONDS).close()
    except OSError as error:
        raise Unwell(f"{settings.smtp_server} does not answer: {error}; mend POINTSMAN_SMTP_SERVER") from error
    if url is None:
        return f"{settings.smtp_server} answers"
    try:
        waiting, given_up, fault = mails_unsent(url)
    except (psycopg2.Error, database.DatabaseUnreachable) as error:
        raise Unwell(
            "what waits to be sent cannot be read; mend the database first, or run pointsman migrate"
        ) from error
    if given_up:
        raise Unwell(f"{given_up} e-mails were given up, the last one because: {fault}; see the table outgoing_mail")
    return f"{settings.smtp_server} answers, {waiting} e-mails wait"


def _taken(address: Address) -> bool:
    try:
        check_free(address, "POINTSMAN_HTTP")
    except PointsmanError:
        return True
    return False


def _addresses(settings: Settings) -> str:
    check_free(settings.http, "POINTSMAN_HTTP")
    check_free(settings.esl, "POINTSMAN_ESL")
    check_free(settings.control, "POINTSMAN_CONTROL")
    return f"{settings.http}, {settings.esl} and {settings.control} are free; nothing runs yet, start it with `pointsman up`"


def _answers(http: str) -> str:
    healthy, said = health(http)
    if not healthy:
        raise Unwell(f"{said}; look into the logs in the home folder's log/")
    return f"answers on {http}"
