"""Flows in and out of the database: drafts, published versions, and going back to an earlier one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import peewee
import structlog
from peewee import fn

from conf.database import Database
from ivr.difference import Change, difference
from ivr.errors import DraftOutdated, FlowInvalid, FlowTestInvalid, FlowUnknown
from ivr.flow import Flow, PublishedFlow
from ivr.flow_test import FlowTest
from ivr.tables import FlowRow, FlowTestRow, FlowVersionRow

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Version:
    """One line of a flow's history; a draft has no `published_at`. `note` is why it was made, in its author's words."""

    version: int
    author: str
    published_at: datetime | None
    saved_at: datetime | None = None
    note: str = ""


def load(db: Database) -> dict[str, PublishedFlow]:
    """Every flow's version in force, by name. One that is broken is left out and logged, so that the others run."""
    found = {}
    with db.connection_context():
        names = {row.id: row.name for row in FlowRow.select()}
        rows = list(
            FlowVersionRow.select()
            .where(FlowVersionRow.published_at.is_null(False))
            .order_by(FlowVersionRow.flow_id, FlowVersionRow.version.desc())
            .distinct(FlowVersionRow.flow_id)
        )
    for row in rows:
        try:
            found[names[row.flow_id]] = PublishedFlow(row.version, Flow.parse(row.document))
        except FlowInvalid as error:
            log.error("a flow is out of service", flow=names[row.flow_id], version=row.version, why=str(error))
    return found


def export_flow(db: Database, name: str, version: int | None = None) -> Flow:
    """A version of a flow, by default the one in force, or the newest draft where none is. FlowUnknown, FlowInvalid."""
    with db.connection_context():
        rows = _versions(name)
        if version is not None:
            chosen = [row for row in rows if row.version == version]
        else:
            chosen = [row for row in rows if row.published_at is not None] or rows
    if not chosen:
        raise FlowUnknown(f"flow {name!r} has no version {version}")
    return Flow.parse(chosen[0].document)


def history(db: Database, name: str) -> list[Version]:
    """All versions of a flow, the newest first. FlowUnknown where there is no such flow."""
    with db.connection_context():
        return [Version(row.version, row.author, row.published_at, row.saved_at, row.note) for row in _versions(name)]


def names(db: Database) -> list[str]:
    """The names of all flows, drafts' too, sorted."""
    with db.connection_context():
        return sorted(row.name for row in FlowRow.select())


def save_draft(db: Database, flow: Flow, *, author: str, based_on: int | None = None, note: str = "") -> int:
    """Keep a flow as a new version that no call takes yet; returns its number.

    `based_on` is the version the author began with, 0 for a new flow. DraftOutdated where there is a newer one by now: nothing
    is kept then, and the author decides what to do about both. A draft of the same author's that the new one is based on goes.
    Without `based_on` nothing is asked and nothing goes.
    """
    with db.connection_context(), db.atomic():
        _lock(flow.name)
        rows = _versions(flow.name)
        if based_on is not None and (rows[0].version if rows else 0) != based_on:
            raise DraftOutdated(_told(flow.name, rows, based_on))
        version = _add(flow, author, None, note)
        if based_on and rows[0].published_at is None and rows[0].author == author:
            FlowVersionRow.delete().where(FlowVersionRow.id == rows[0].id).execute()
        return version


def discard_draft(db: Database, name: str, version: int) -> None:
    """Throw a draft away. FlowUnknown where there is no such draft."""
    with db.connection_context(), db.atomic():
        flow_id = _lock(name)
        gone = (
            FlowVersionRow.delete()
            .where(
                FlowVersionRow.flow_id == flow_id,
                FlowVersionRow.version == version,
                FlowVersionRow.published_at.is_null(),
            )
            .execute()
        )
        if not gone:
            raise FlowUnknown(f"flow {name!r} has no draft {version}")


def compare(db: Database, name: str, before: int, after: int) -> list[Change]:
    """What has changed from one version to another. FlowUnknown, FlowInvalid."""
    return difference(export_flow(db, name, before), export_flow(db, name, after))


def publish(db: Database, name: str, version: int, *, author: str, at: datetime, in_force: int | None = None) -> int:
    """Put a version in force for calls that begin from now on; returns the number it is in force under.

    A draft newer than what is in force is published as it is. Anything else, an older version above all, is published again
    under a new number, so that history is only ever added to: that is how to roll back. `in_force` is the version the author
    believes to be in force, 0 for none; DraftOutdated where another one is. Raise the configuration's version in the same
    transaction. FlowUnknown, FlowInvalid.
    """
    with db.connection_context(), db.atomic():
        _lock(name)
        rows = _versions(name)
        chosen = next((row for row in rows if row.version == version), None)
        if chosen is None:
            raise FlowUnknown(f"flow {name!r} has no version {version}")
        published = [row for row in rows if row.published_at is not None]
        newest = published[0].version if published else 0
        if in_force is not None and in_force != newest:
            raise DraftOutdated(_told(name, published, in_force))
        flow = Flow.parse(chosen.document)
        PublishedFlow(version, flow)
        if version > newest:
            FlowVersionRow.update(published_at=at).where(FlowVersionRow.id == chosen.id).execute()
            return version
        return newest if version == newest else _add(flow, author, at, f"as version {version}")


def import_flow(db: Database, flow: Flow, *, author: str, at: datetime) -> int:
    """Store and publish a flow; returns the number it is in force under, which stays what it was where nothing changed."""
    PublishedFlow(1, flow)
    with db.connection_context(), db.atomic():
        _lock(flow.name)
        in_force = next((row for row in _versions(flow.name) if row.published_at is not None), None)
        if in_force is not None and in_force.document == flow.document():
            return int(in_force.version)
        return _add(flow, author, at)


def import_flows(db: Database, files: Iterable[Path], *, author: str, at: datetime) -> list[str]:
    """Publish the flows of YAML files, all or none; returns their names. FlowInvalid names the file."""
    flows = [read_file(path) for path in files]
    with db.connection_context(), db.atomic():
        for flow in flows:
            import_flow(db, flow, author=author, at=at)
    return [flow.name for flow in flows]


def read_file(path: Path) -> Flow:
    """The flow in a YAML file. FlowInvalid, naming the file, also where it cannot be read."""
    try:
        return Flow.from_yaml(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, FlowInvalid) as error:
        raise FlowInvalid(f"{path}: {error}") from error


def _lock(name: str) -> int:
    """The id of a flow, made where it is new; nobody else adds versions to it until this transaction is over."""
    FlowRow.insert(name=name).on_conflict_ignore().execute()
    return int(FlowRow.select().where(FlowRow.name == name).for_update().get().id)


def save_test(db: Database, flow: str, test: FlowTest, *, author: str) -> None:
    """Keep a test with its flow, in the place of the one that had its name. FlowUnknown."""
    with db.connection_context(), db.atomic():
        FlowTestRow.insert(flow_id=_id(flow), name=test.name, document=test.document(), author=author).on_conflict(
            conflict_target=[FlowTestRow.flow_id, FlowTestRow.name],
            update={"document": test.document(), "author": author, "saved_at": peewee.SQL("now()")},
        ).execute()


def load_tests(db: Database, flow: str) -> list[FlowTest]:
    """A flow's tests by name; one that cannot be read any more is left out and logged. FlowUnknown."""
    found = []
    with db.connection_context():
        rows = list(FlowTestRow.select().where(FlowTestRow.flow_id == _id(flow)).order_by(FlowTestRow.name))
    for row in rows:
        try:
            found.append(FlowTest.parse(row.document))
        except FlowTestInvalid as error:
            log.error("a test was passed over", flow=flow, test=row.name, why=str(error))
    return found


def delete_test(db: Database, flow: str, name: str) -> None:
    """Throw a test away. FlowUnknown where there is none of this name."""
    with db.connection_context():
        gone = FlowTestRow.delete().where(FlowTestRow.flow_id == _id(flow), FlowTestRow.name == name).execute()
    if not gone:
        raise FlowUnknown(f"flow {flow!r} has no test {name!r}")


def _id(name: str) -> int:
    flow = FlowRow.get_or_none(FlowRow.name == name)
    if flow is None:
        raise FlowUnknown(f"there is no flow {name!r}")
    return int(flow.id)


def _told(name: str, rows: list[FlowVersionRow], expected: int) -> str:
    if not rows:
        return f"flow {name!r} has no version {expected}"
    newest = rows[0]
    made = f"{newest.author or 'somebody'} has made version {newest.version} of flow {name!r}"
    when = f"at {newest.saved_at:%Y-%m-%d %H:%M}"
    return f"{made} {when}, and this is based on version {expected}; compare the two, then save again on top of it"


def _add(flow: Flow, author: str, at: datetime | None, note: str = "") -> int:
    flow_id = _lock(flow.name)
    newest = FlowVersionRow.select(fn.MAX(FlowVersionRow.version)).where(FlowVersionRow.flow_id == flow_id).scalar()
    version = int(newest or 0) + 1
    FlowVersionRow.insert(
        flow_id=flow_id, version=version, document=flow.document(), author=author, published_at=at, note=note
    ).execute()
    return version


def _versions(name: str) -> list[FlowVersionRow]:
    """The newest first. FlowUnknown where nothing was ever kept under this name."""
    rows = FlowVersionRow.select().where(FlowVersionRow.flow_id == _id(name))
    return list(rows.order_by(FlowVersionRow.version.desc()))
