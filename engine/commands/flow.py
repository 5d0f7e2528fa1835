"""`pointsman flow`: flows as YAML files, for review and version control."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from conf import database, installation, settings
from conf.clock import Clock
from conf.database import Database
from conf.errors import PointsmanError
from conf.installation import NotRunning
from conf.settings import Settings
from dialplan import store as dialplan_store
from engine.live import connection
from engine.live.connection import RedisError
from engine.live.requests import tell_configuration_changed
from engine.records.publish import raise_version
from engine.records.tables import Agent, Queue
from ivr import store
from ivr.check import Surroundings, check, is_fit
from ivr.flow import Flow
from sounds.catalogue import Catalogue

_FILES = click.Path(path_type=Path, dir_okay=False, exists=True)


class FlowUnfit(PointsmanError):
    """A flow that would fail its callers is not published."""


@click.group()
def flow() -> None:
    """Check, import and export call flows as YAML files."""


@flow.command("check")
@click.argument("files", nargs=-1, required=True, type=_FILES)
@click.option("--offline", is_flag=True, help="Look at the files and prompts alone, not at what the installation has.")
def check_files(files: Sequence[Path], offline: bool) -> None:
    """Tell what is wrong with each flow. Exit code 1 where one may not be published.

    With an installation running in the home folder, or its database and Redis set, the names of queues, calendars and
    extensions are checked too.
    """
    found = settings.load()
    around = _prompts_alone(found)
    if not offline:
        try:
            around = _surroundings(_connect(installation.complete(found)), found)
        except NotRunning:
            click.echo("no installation runs here, so queues, calendars and extensions were not checked", err=True)
    fit = [_report(path, store.read_file(path), around) for path in files]
    sys.exit(0 if all(fit) else 1)


@flow.command("import")
@click.argument("files", nargs=-1, required=True, type=_FILES)
@click.option("--draft", is_flag=True, help="Keep them as new versions that no call takes yet.")
@click.option("--author", default=None, help="Whose work it is, for the history; by default your own user name.")
def import_files(files: Sequence[Path], draft: bool, author: str | None) -> None:
    """Store flows and put them in force for calls that begin from now on; none of them where one is unfit."""
    found = installation.complete(settings.load())
    db = _connect(found)
    author = author or getpass.getuser()
    flows = [store.read_file(path) for path in files]
    if draft:
        for each in flows:
            click.echo(f"{each.name}: version {store.save_draft(db, each, author=author)} kept as a draft")
        return
    around = _surroundings(db, found)
    fit = [_report(path, each, around) for path, each in zip(files, flows, strict=True)]
    if not all(fit):
        raise FlowUnfit("nothing was imported; mend what is listed above, or keep it with --draft")
    at = Clock.parse(found.clock).now()
    with db.connection_context(), db.atomic():
        for each in flows:
            click.echo(f"{each.name}: version {store.import_flow(db, each, author=author, at=at)} is in force")
        version = raise_version(db)
    try:
        tell_configuration_changed(connection.commands(str(found.redis_url)), version)
    except RedisError:
        click.echo("Redis does not answer; the engines will find out within seconds by themselves", err=True)


@flow.command("export")
@click.argument("name")
@click.option("--version", type=int, default=None, help="An earlier version or a draft; by default the one in force.")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), default=None, help="A file to write.")
def export_file(name: str, version: int | None, output: Path | None) -> None:
    """Write a flow as YAML."""
    text = store.export_flow(_connect(installation.complete(settings.load())), name, version).to_yaml()
    if output is None:
        click.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8")


def _report(path: Path, found: Flow, around: Surroundings) -> bool:
    problems = check(found, around)
    for problem in problems:
        place = f"{path}: {problem.node}" if problem.node else str(path)
        click.echo(f"{place}: {'' if problem.serious else 'note: '}{problem.fault}; {problem.mend}")
    if not problems:
        click.echo(f"{path}: flow {found.name!r} is in order")
    return is_fit(problems)


def _connect(found: Settings) -> Database:
    db = database.connect(str(found.database_url), size=2, name="pointsman flow")
    database.check(str(found.database_url))
    database.bind(db)
    return db


def _prompts_alone(found: Settings) -> Surroundings:
    return Surroundings(catalogue=Catalogue.of_home(found.home))


def _surroundings(db: Database, found: Settings) -> Surroundings:
    with db.connection_context():
        return Surroundings(
            catalogue=Catalogue.of_home(found.home),
            calendars=dialplan_store.load_calendars(db, zone=found.timezone),
            queues={queue.name for queue in Queue.select()},
            extensions={agent.extension for agent in Agent.select()},
        )
