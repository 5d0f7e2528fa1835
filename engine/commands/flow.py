"""`pointsman flow`: flows as YAML files, for review and version control; their versions and their tests."""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from conf import database, installation, settings
from conf.clock import Clock
from conf.database import Database
from conf.installation import NotRunning
from conf.settings import Settings
from dialplan import documents
from engine.live import connection
from engine.live.connection import RedisError
from engine.live.requests import tell_configuration_changed
from engine.records.publish import raise_version
from engine.records.steps import flow_test_of
from engine.records.surroundings import surroundings
from ivr import store
from ivr.check import Surroundings, check, is_fit
from ivr.errors import FlowUnfit, FlowUnknown
from ivr.flow import Flow
from ivr.publishing import judge
from sounds.catalogue import Catalogue

_FILES = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.group()
def flow() -> None:
    """Call flows as YAML: check, test, import, export, compare."""


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
            found = installation.complete(found)
            around = _around(_connect(found), found)
        except NotRunning:
            click.echo("no installation runs here, so queues, calendars and extensions were not checked", err=True)
    flows = [store.read_file(path) for path in files]
    if around.flows is not None:
        around = replace(around, flows={**around.flows, **{each.name: each for each in flows}})
    fit = [_report(path, each, around) for path, each in zip(files, flows, strict=True)]
    sys.exit(0 if all(fit) else 1)


@flow.command("test")
@click.argument("names", nargs=-1)
@click.option("--version", type=int, default=None, help="Of one flow: this version, by default the one in force.")
@click.option(
    "--file", "file", type=_FILES, default=None, help="Try a flow in a file by the tests kept under its name."
)
@click.option("--json", "as_json", is_flag=True, help="One object a line.")
def test_flows(names: Sequence[str], version: int | None, file: Path | None, as_json: bool) -> None:
    """Try flows by the tests kept with them, all flows in force without NAMES. Exit code 1 where one fails."""
    found = installation.complete(settings.load())
    db = _connect(found)
    around = _around(db, found)
    if file is not None:
        flows = [store.read_file(file)]
    elif names:
        flows = [store.export_flow(db, name, version) for name in names]
    else:
        flows = list((around.flows or {}).values())
    passed = [_try(db, each, around, tell_all=True, as_json=as_json) for each in flows]
    sys.exit(0 if all(passed) else 1)


@flow.command("test-from-call")
@click.argument("call_id")
@click.option("--name", required=True, help="What the test is to be called.")
@click.option("--author", default=None, help="Whose work it is; by default your own user name.")
def test_from_call(call_id: str, name: str, author: str | None) -> None:
    """Make a test of the way a past call took and keep it with its flow; numbers are masked."""
    found = installation.complete(settings.load())
    db = _connect(found)
    began_in, made = flow_test_of(db, call_id, name)
    store.save_test(db, began_in, made, author=author or getpass.getuser())
    click.echo(documents.write(made.document()), nl=False)


@flow.command("history")
@click.argument("name")
def show_history(name: str) -> None:
    """List a flow's versions, the newest first."""
    for line in store.history(_connect(installation.complete(settings.load())), name):
        state = f"published {line.published_at:%Y-%m-%d %H:%M:%S}" if line.published_at else "draft"
        click.echo(f"{line.version:4}  {state:29}  {line.author}  {line.note}".rstrip())


@flow.command("diff")
@click.argument("name")
@click.argument("before", type=int)
@click.argument("after", type=int)
def show_difference(name: str, before: int, after: int) -> None:
    """Tell what differs between two versions of a flow."""
    changes = store.compare(_connect(installation.complete(settings.load())), name, before, after)
    for change in changes:
        place = ".".join(part for part in (change.node, change.field) if part)
        values = "" if change.what != "changed" else f": {change.before!r} -> {change.after!r}"
        click.echo(f"{change.what:8} {place}{values}")
    if not changes:
        click.echo("nothing has changed")


@flow.command("import")
@click.argument("files", nargs=-1, required=True, type=_FILES)
@click.option("--draft", is_flag=True, help="Keep them as new versions that no call takes yet.")
@click.option("--author", default=None, help="Whose work it is, for the history; by default your own user name.")
@click.option("--despite-tests", is_flag=True, help="Also where tests of theirs fail.")
def import_files(files: Sequence[Path], draft: bool, author: str | None, despite_tests: bool) -> None:
    """Store flows and put them in force.

    They are for calls that begin from now on; none is taken where one of them is unfit or fails a test
    that is to keep it back."""
    found = installation.complete(settings.load())
    db = _connect(found)
    author = author or getpass.getuser()
    flows = [store.read_file(path) for path in files]
    if draft:
        for each in flows:
            click.echo(f"{each.name}: version {store.save_draft(db, each, author=author)} kept as a draft")
        return
    around = _around(db, found, flows)
    fit = [_report(path, each, around) for path, each in zip(files, flows, strict=True)]
    if not all(fit):
        raise FlowUnfit("nothing was imported; mend what is listed above, or keep it with --draft")
    passed = [despite_tests or _try(db, each, around) for each in flows]
    if not all(passed):
        raise FlowUnfit(
            "nothing was imported; tests fail as listed above; mend the flow or the test, or add --despite-tests"
        )
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


def _try(db: Database, found: Flow, around: Surroundings, *, tell_all: bool = False, as_json: bool = False) -> bool:
    """Whether the flow passes those of its tests that are to keep it back; what fails is told."""
    try:
        tests = store.load_tests(db, found.name)
    except FlowUnknown:
        return True
    verdict = judge(found, tests, around)
    for call in verdict.tested:
        if as_json:
            told = {"flow": found.name, "test": call.test.name, "passed": call.passed, "differences": call.differences}
            click.echo(json.dumps(told | {"path": call.path, "prompts": call.prompts, "end": call.end}))
        elif tell_all or not call.passed:
            state = "passed" if call.passed else "failed" if call.test.blocks else "failed (does not block)"
            click.echo(
                f"{found.name}: {call.test.name}: {state}" + "".join(f"\n    {each}" for each in call.differences)
            )
    return not verdict.failed


def _prompts_alone(found: Settings) -> Surroundings:
    return Surroundings(catalogue=Catalogue.of_home(found.home))


def _around(db: Database, found: Settings, flows: Sequence[Flow] = ()) -> Surroundings:
    return surroundings(db, found, Catalogue.of_home(found.home), flows)
