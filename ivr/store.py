"""Flows in and out of the database: drafts, published versions, and going back to an earlier one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import structlog
from peewee import fn

from conf.database import Database
from ivr.errors import FlowInvalid, FlowUnknown
from ivr.flow import Flow, PublishedFlow
from ivr.tables import FlowRow, FlowVersionRow

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Version:
    """One line of a flow's history; a draft has no `published_at`."""

    version: int
    author: str
    published_at: datetime | None


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
        return [Version(row.version, row.author, row.published_at) for row in _versions(name)]


def save_draft(db: Database, flow: Flow, *, author: str) -> int:
    """Keep a flow as a new version that no call takes yet; returns its number."""
    with db.connection_context(), db.atomic():
        return _add(flow, author, None)


def publish(db: Database, name: str, version: int, *, author: str, at: datetime) -> int:
    """Put a version in force for calls that begin from now on; returns the number it is in force under.

    A draft newer than what is in force is published as it is. Anything else, an older version above all, is published again
    under a new number, so that history is only ever added to. Raise the configuration's version in the same transaction.
    FlowUnknown, FlowInvalid.
    """
    with db.connection_context(), db.atomic():
        _lock(name)
        rows = _versions(name)
        chosen = next((row for row in rows if row.version == version), None)
        if chosen is None:
            raise FlowUnknown(f"flow {name!r} has no version {version}")
        in_force = next((row.version for row in rows if row.published_at is not None), 0)
        flow = Flow.parse(chosen.document)
        PublishedFlow(version, flow)
        if version > in_force:
            FlowVersionRow.update(published_at=at).where(FlowVersionRow.id == chosen.id).execute()
            return version
        return in_force if version == in_force else _add(flow, author, at)


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


def _add(flow: Flow, author: str, at: datetime | None) -> int:
    flow_id = _lock(flow.name)
    newest = FlowVersionRow.select(fn.MAX(FlowVersionRow.version)).where(FlowVersionRow.flow_id == flow_id).scalar()
    version = int(newest or 0) + 1
    FlowVersionRow.insert(
        flow_id=flow_id, version=version, document=flow.document(), author=author, published_at=at
    ).execute()
    return version


def _versions(name: str) -> list[FlowVersionRow]:
    """The newest first. FlowUnknown where nothing was ever kept under this name."""
    flow = FlowRow.get_or_none(FlowRow.name == name)
    if flow is None:
        raise FlowUnknown(f"there is no flow {name!r}")
    rows = FlowVersionRow.select().where(FlowVersionRow.flow_id == flow.id)
    return list(rows.order_by(FlowVersionRow.version.desc()))
