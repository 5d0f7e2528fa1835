"""What can be done with flows, for pages and the API alike: kept, looked at, published, rolled back, compared, deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, cast

from flask import current_app

from admin.forms import Refused
from admin.leading import in_words, leads_to
from admin.parts import Parts
from admin.prompts.shelf import EXTENSION, Shelf
from admin.publishing import change
from dialplan import documents
from dialplan.destinations import ToFlow
from dialplan.errors import DocumentInvalid
from engine.records.surroundings import surroundings
from ivr import drafts, forms, store
from ivr.check import UNREACHED, Problem, Surroundings, check_document, is_fit
from ivr.drafts import Work
from ivr.errors import DraftOutdated, FlowInvalid, FlowUnknown, FlowUsed
from ivr.flow import Flow
from ivr.layout import arrange
from ivr.node import ERROR
from ivr.publishing import Verdict, judge
from ivr.tables import FlowRow, FlowVersionRow
from ivr.templates import template
from sounds.catalogue import Catalogue


@dataclass(frozen=True, slots=True)
class Looked:
    """What there is to say about a document: its problems, and the exits of nodes whose exits depend on what they hold."""

    problems: Sequence[Problem]
    exits: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)

    @property
    def fit(self) -> bool:
        return is_fit(self.problems)


def catalogue() -> Catalogue:
    """The prompts of this installation; one for all requests, for it remembers what it has seen."""
    return cast(Shelf, current_app.extensions[EXTENSION]).catalogue


def around(parts: Parts) -> Surroundings:
    """What there is for a flow to name."""
    return surroundings(parts.db, parts.settings, catalogue())


def look(document: Mapping[str, Any], house: Surroundings) -> Looked:
    """Check a draft, and tell which exits its nodes have."""
    flow, problems = check_document(document, house)
    if flow is None:
        problems = [*problems, *_of_the_rest(document, house, {problem.node for problem in problems})]
    kinds = forms.node_forms()
    exits = {
        name: [asdict(way) for way in forms.exits_of(node)]
        for name, node in document.get("nodes", {}).items()
        if node["type"] not in kinds or kinds[node["type"]].exits_depend
    }
    return Looked(problems, exits)


def _of_the_rest(document: Mapping[str, Any], house: Surroundings, unfinished: set[str]) -> list[Problem]:
    """What is wrong with the nodes that are finished, where others are not."""
    nodes = {name: node for name, node in document.get("nodes", {}).items() if name not in unfinished}
    if not nodes:
        return []
    flow, found = check_document({**document, "nodes": nodes, "layout": {}}, house)
    if flow is None:
        return []
    rest = document.get("nodes", {})
    return [
        problem
        for problem in found
        if not (problem.exit and nodes.get(problem.node, {}).get("exits", {}).get(problem.exit) in rest)
        and problem.fault != UNREACHED
        and (problem.node or document.get("start") in nodes)
    ]


def placed(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with a place for every node; where few have one, all are laid out."""
    nodes, layout = document.get("nodes", {}), document.get("layout", {})
    missing = [name for name in nodes if name not in layout]
    if not missing:
        return dict(document)
    made = laid_out(document)
    if len(missing) * 2 > len(nodes):
        return {**document, "layout": made}
    low = max(down for _, down in layout.values()) + 160
    rest = {name: (60 + 240 * number, low) for number, name in enumerate(missing)}
    return {**document, "layout": {**layout, **rest}}


def laid_out(document: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    """A place for every node, with room for the exits that the canvas shows: those that lead somewhere or have to, and those
    where a call may end."""
    rows = {}
    for name, node in document.get("nodes", {}).items():
        exits = node.get("exits", {})
        rows[name] = sum(
            bool(exits.get(way.name)) or way.must or (way.ends and way.name != ERROR) for way in forms.exits_of(node)
        )
    return arrange(document, rows)


def from_yaml(text: str, name: str = "") -> dict[str, Any]:
    """The draft that a YAML document describes, half-made ones too; under another name where one is given. FlowInvalid."""
    try:
        content = documents.read(text)
    except DocumentInvalid as error:
        raise FlowInvalid(str(error)) from error
    if not isinstance(content, Mapping):
        raise FlowInvalid("the file holds no flow: it begins with `name:` and has `start:` and `nodes:`")
    try:
        # Keys of menus are numbers to YAML.
        content = Flow.parse({**content, **({"name": name} if name else {})}).document()
    except FlowInvalid:
        content = {**content, **({"name": name} if name else {})}
    return drafts.shaped(content)


def new(parts: Parts, author: str, *, name: str, title: str, key: str) -> Work:
    """A new flow from a template. FlowTaken, FlowInvalid, FlowUnknown for the template."""
    document = {**template(key).document, "name": name, "title": title}
    return drafts.create(parts.db, placed(document), author=author, at=parts.clock.now())


def bring_in(parts: Parts, author: str, document: Mapping[str, Any]) -> Work:
    """An imported document as a draft: of a new flow, or on top of the one of its name, whose other versions stay."""
    with parts.db.connection_context(), parts.db.atomic():
        try:
            last = drafts.newest(parts.db, document["name"])
        except FlowUnknown:
            return drafts.create(parts.db, document, author=author, at=parts.clock.now())
        return drafts.save(parts.db, document, author=author, revision=last.revision, at=parts.clock.now(), apart=True)


def document_of(parts: Parts, name: str, version: int | None = None) -> dict[str, Any]:
    """The document of a version as it is stored, by default of the newest. FlowUnknown."""
    if version is None:
        return dict(drafts.newest(parts.db, name).document)
    row = (
        FlowVersionRow.select()
        .join(FlowRow, on=(FlowRow.id == FlowVersionRow.flow_id))
        .where(FlowRow.name == name, FlowVersionRow.version == version)
        .first()
    )
    if row is None:
        raise FlowUnknown(f"flow {name!r} has no version {version}")
    return dict(row.document)


def tried(parts: Parts, name: str, document: Mapping[str, Any]) -> Verdict:
    """The check and the tests of a document. Tests need a flow that can be read; without one there are problems alone."""
    house = around(parts)
    flow, problems = check_document(document, house)
    if flow is None:
        return Verdict(tuple(problems), ())
    return judge(flow, store.load_tests(parts.db, name), house)


def publish(parts: Parts, author: str, name: str, *, revision: int, in_force: int, note: str) -> int:
    """Put the newest draft in force; returns its version. DraftOutdated, FlowUnfit with all that keeps it back,
    FlowUnknown, Refused."""
    work = drafts.newest(parts.db, name)
    if work.revision != revision:
        raise DraftOutdated(f"{work.author or 'somebody'} has saved flow {name!r} meanwhile; look at that first")
    if work.published:
        raise Refused("", f"Nothing has changed: version {work.version} is in force as it is.")
    verdict = tried(parts, name, work.document)
    verdict.require_fit()
    flow = Flow.parse(work.document)
    if work.author != author:
        note = f"{note} (published by {author})" if note else f"published by {author}"
    with parts.db.connection_context(), change(parts):
        kept = (
            FlowVersionRow.update(document=flow.document(), note=note[:500])
            .where(FlowVersionRow.revision == revision, FlowVersionRow.published_at.is_null())
            .execute()
        )
        if not kept:
            raise DraftOutdated(f"flow {name!r} was saved or published meanwhile; look at that first")
        return store.publish(parts.db, name, work.version, author=author, at=parts.clock.now(), in_force=in_force)


def roll_back(parts: Parts, author: str, name: str, *, version: int, in_force: int) -> int:
    """Put an earlier version in force again, under a new number; returns that. FlowUnfit with all that keeps it back, as in
    `publish`: what it names may be gone by now, and tests may have come since. DraftOutdated, FlowUnknown, FlowInvalid."""
    tried(parts, name, document_of(parts, name, version)).require_fit()
    with parts.db.connection_context(), change(parts):
        return store.publish(parts.db, name, version, author=author, at=parts.clock.now(), in_force=in_force)


def go_on_with(parts: Parts, author: str, name: str, *, version: int) -> Work:
    """Begin a draft that is equal to an earlier version, on top of the newest."""
    document = document_of(parts, name, version)
    last = drafts.newest(parts.db, name)
    return drafts.save(parts.db, document, author=author, revision=last.revision, at=parts.clock.now(), apart=True)


def discard(parts: Parts, name: str, version: int) -> None:
    """Throw a draft away. FlowUnknown; Refused where it is all there is of the flow."""
    if len(store.history(parts.db, name)) == 1:
        raise Refused("", "This draft is all there is of the flow; delete the flow instead.")
    store.discard_draft(parts.db, name, version)


def normal(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document as a flow would write it, as far as it can be read: what is as by default left out."""
    try:
        return Flow.parse(document).document()
    except FlowInvalid:
        pass
    nodes = {}
    for name, node in document.get("nodes", {}).items():
        try:
            alone = Flow.parse({"name": "one", "start": name, "nodes": {name: node}})
            nodes[name] = alone.document()["nodes"][name]
        except FlowInvalid:
            nodes[name] = node
    own = {key: value for key, value in document.items() if key in ("name", "start") or value not in ("", "en", {})}
    return {**own, "nodes": nodes}


def delete(parts: Parts, name: str) -> None:
    """Delete a flow. FlowUsed while anything leads to it; FlowUnknown."""
    with parts.db.connection_context(), change(parts):
        drafts.newest(parts.db, name)
        led = leads_to(parts.db, ToFlow(name))
        if led:
            raise FlowUsed(f"Flow {name} is not deleted: {in_words(led)}")
        drafts.remove(parts.db, name)
