"""Drafts of flows as an editor keeps them: saved over and over while they are made, half-made ones too.

A draft is a version that is not published. Whoever saves says which revision they have seen last; where there is a newer one,
nothing is kept and `DraftOutdated` tells whose it is. An author's own draft is saved in place; on top of anybody else's, and of
what is published, a new version is begun, so that nobody's work goes under.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from conf.database import Database
from ivr.errors import DraftOutdated, FlowInvalid, FlowTaken, FlowUnknown
from ivr.flow import MOST_NODES
from ivr.node import NodeName
from ivr.tables import FlowRow, FlowVersionRow

LARGEST: Final = 4_000_000
"""Bytes of a draft as JSON; a flow of 2,000 nodes has some 500,000."""

SQL_SUMMARY: Final = """
SELECT f.name, n.version, n.revision, n.author, n.saved_at, n.published_at, n.document->>'title' AS title,
       (SELECT count(*) FROM jsonb_object_keys(n.document->'nodes')) AS nodes, p.version AS in_force,
       p.published_at AS in_force_at, p.author AS in_force_by,
       (SELECT count(*) FROM flow_test t WHERE t.flow_id = f.id) AS tests
FROM flow f
JOIN LATERAL (SELECT * FROM flow_version v WHERE v.flow_id = f.id ORDER BY v.version DESC LIMIT 1) n ON true
LEFT JOIN LATERAL (SELECT * FROM flow_version v WHERE v.flow_id = f.id AND v.published_at IS NOT NULL
                   ORDER BY v.version DESC LIMIT 1) p ON true
ORDER BY f.name"""


class _Draft(BaseModel):
    """As much shape as any tool may count on."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,59}$")
    title: str = Field(default="", max_length=200)
    language: str = Field(default="en", max_length=40)
    start: str = Field(default="", max_length=60)
    nodes: dict[NodeName, dict[str, JsonValue]] = Field(default_factory=dict, max_length=MOST_NODES)
    layout: dict[NodeName, tuple[int, int]] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Work:
    """The newest version of a flow, to be gone on with. `in_force` is the number of the published one, 0 for none."""

    name: str
    version: int
    revision: int
    document: Mapping[str, Any]
    author: str
    saved_at: datetime
    published: bool
    in_force: int


@dataclass(frozen=True, slots=True)
class Summary:
    """One flow in a list of all. `title`, `nodes`, `author` and `saved_at` are of its newest version; `in_force` is 0 where
    none is published, and `changed` tells that the newest is a draft."""

    name: str
    title: str
    nodes: int
    author: str
    saved_at: datetime
    changed: bool
    in_force: int
    in_force_at: datetime | None
    in_force_by: str
    tests: int


def shaped(document: object) -> dict[str, Any]:
    """The document of a draft, plain and bounded. FlowInvalid where it is none: nodes must be objects with a `type`, and what
    they hold must be something that can be stored, but they may be half-made."""
    try:
        draft = _Draft.model_validate(document)
    except ValidationError as error:
        told = (
            "{}: {}".format(".".join(map(str, each["loc"])) or "the draft", each["msg"]) for each in error.errors()[:20]
        )
        raise FlowInvalid("; ".join(told)) from error
    for name, node in draft.nodes.items():
        exits = node.get("exits", {})
        if not isinstance(node.get("type"), str) or len(str(node["type"])) > 60:
            raise FlowInvalid(f"nodes.{name}: a node has a type")
        if not isinstance(exits, dict) or not all(isinstance(target, str) for target in exits.values()):
            raise FlowInvalid(f"nodes.{name}: exits lead to the names of nodes")
    plain = draft.model_dump(mode="json")
    plain["layout"] = {name: place for name, place in plain["layout"].items() if name in plain["nodes"]}
    try:
        written = json.dumps(plain, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError) as error:
        raise FlowInvalid(f"the draft holds something that cannot be stored: {error}") from error
    if b"\\u0000" in written:
        raise FlowInvalid("the draft holds a sign that cannot be stored (NUL)")
    if len(written) > LARGEST:
        raise FlowInvalid(f"the draft has {len(written)} bytes; {LARGEST} is the most")
    return plain


def newest(db: Database, name: str) -> Work:
    """What an editor opens. FlowUnknown."""
    with db.connection_context():
        return _work(name, _rows(name))


def summaries(db: Database) -> list[Summary]:
    """All flows, by name."""
    with db.connection_context():
        cursor = db.execute_sql(SQL_SUMMARY)
        keys = [column[0] for column in cursor.description]
        rows = [dict(zip(keys, row, strict=True)) for row in cursor.fetchall()]
    return [
        Summary(
            name=row["name"],
            title=row["title"] or "",
            nodes=row["nodes"],
            author=row["author"],
            saved_at=row["saved_at"],
            changed=row["published_at"] is None,
            in_force=row["in_force"] or 0,
            in_force_at=row["in_force_at"],
            in_force_by=row["in_force_by"] or "",
            tests=row["tests"],
        )
        for row in rows
    ]


def create(db: Database, document: object, *, author: str, at: datetime) -> Work:
    """Keep a new flow's first draft. FlowTaken where there is one of its name; FlowInvalid."""
    plain = shaped(document)
    name = plain["name"]
    with db.connection_context(), db.atomic():
        made = FlowRow.insert(name=name).on_conflict_ignore().returning(FlowRow.id).execute()
        if not list(made):
            raise FlowTaken(f"there is a flow {name!r} already; choose another name")
        return _begin(name, plain, author, at, None)


def save(db: Database, document: object, *, author: str, revision: int, at: datetime, apart: bool = False) -> Work:
    """Keep a draft whose author has seen `revision` last. DraftOutdated where there is a newer one; FlowUnknown, FlowInvalid.

    `apart` begins a version of its own also on top of the author's own draft, which then stays in the history."""
    plain = shaped(document)
    name = plain["name"]
    with db.connection_context(), db.atomic():
        if FlowRow.select().where(FlowRow.name == name).for_update().first() is None:
            raise FlowUnknown(f"there is no flow {name!r}")
        rows = _rows(name)
        last = rows[0]
        if last.revision != revision:
            raise DraftOutdated(outdated(name, last))
        if last.published_at is not None or last.author != author or apart:
            return _begin(name, plain, author, at, last.version)
        (number,) = db.execute_sql("SELECT nextval('flow_revision')").fetchone()
        FlowVersionRow.update(document=plain, saved_at=at, revision=number).where(
            FlowVersionRow.id == last.id
        ).execute()
        return _work(name, _rows(name))


def outdated(name: str, last: FlowVersionRow) -> str:
    """That somebody was quicker, in words."""
    made = "published" if last.published_at is not None else "saved"
    return (
        f"{last.author or 'somebody'} has {made} version {last.version} of flow {name!r} meanwhile; "
        "look at both, then go on with theirs or save yours on top"
    )


def remove(db: Database, name: str) -> None:
    """Delete a flow with all its versions and tests. Whether anything still leads to it is for the caller to ask.
    FlowUnknown."""
    with db.connection_context():
        if not FlowRow.delete().where(FlowRow.name == name).execute():
            raise FlowUnknown(f"there is no flow {name!r}")


def _begin(name: str, plain: dict[str, Any], author: str, at: datetime, based_on: int | None) -> Work:
    flow_id = FlowRow.get(FlowRow.name == name).id
    last = (
        FlowVersionRow.select().where(FlowVersionRow.flow_id == flow_id).order_by(FlowVersionRow.version.desc()).first()
    )
    FlowVersionRow.insert(
        flow_id=flow_id,
        version=1 if last is None else last.version + 1,
        document=plain,
        author=author,
        saved_at=at,
        based_on=based_on,
    ).execute()
    return _work(name, _rows(name))


def _rows(name: str) -> list[FlowVersionRow]:
    """The newest version, and the one in force where that is another."""
    flow = FlowRow.get_or_none(FlowRow.name == name)
    if flow is None:
        raise FlowUnknown(f"there is no flow {name!r}")
    rows = FlowVersionRow.select().where(FlowVersionRow.flow_id == flow.id).order_by(FlowVersionRow.version.desc())
    last = rows.first()
    if last is None:
        raise FlowUnknown(f"flow {name!r} has no version")
    in_force = rows.where(FlowVersionRow.published_at.is_null(False)).first()
    return [last] if in_force is None or in_force.id == last.id else [last, in_force]


def _work(name: str, rows: list[FlowVersionRow]) -> Work:
    last = rows[0]
    published = next((row.version for row in rows if row.published_at is not None), 0)
    return Work(
        name=name,
        version=last.version,
        revision=last.revision,
        document=last.document,
        author=last.author,
        saved_at=last.saved_at,
        published=last.published_at is not None,
        in_force=published,
    )
