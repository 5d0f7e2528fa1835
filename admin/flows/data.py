"""The flows' data: the same views below /api/v1/flows, with tokens, and below /data/flows, for the pages' own scripts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from datetime import timedelta
from functools import wraps
from typing import Any, TypeVar

from flask import Response, abort, jsonify, make_response
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.tag import Tag

from admin.access import Right, accepts, needs, viewer
from admin.api.blueprints import conflict
from admin.api.shapes import FaultOut, answer
from admin.flows import choices, work
from admin.flows.shapes import (
    ChangeOut,
    CheckIn,
    DaysQuery,
    DifferenceOut,
    DifferenceQuery,
    DocumentIn,
    DocumentsIn,
    DraftIn,
    FlowLine,
    FlowPath,
    FlowsOut,
    HeadOut,
    HistoryLine,
    HistoryOut,
    ImportIn,
    LayoutOut,
    NewFlowIn,
    ProblemOut,
    PublishIn,
    RollBackIn,
    SavedOut,
    TestedOut,
    VerdictOut,
    VersionDocumentOut,
    VersionOut,
    VersionPath,
    WorkOut,
)
from admin.flows.words import in_words
from admin.forms import Refused
from admin.parts import parts
from dialplan import documents
from engine.records.ivr_statistics import node_figures
from ivr import drafts, forms, store
from ivr.check import Problem
from ivr.difference import document_changes
from ivr.drafts import Work
from ivr.errors import DraftOutdated, FlowInvalid, FlowTaken, FlowTestInvalid, FlowUnfit, FlowUnknown, FlowUsed
from ivr.flow_test import TestedCall
from ivr.templates import templates

LARGEST = 8_000_000
"""Bytes of a request with a flow in it."""
DATA = "/data/"
FLOWS = Tag(name="Flows")
_FAULTS: dict[Any, Any] = {401: FaultOut, 403: FaultOut, 404: FaultOut, 409: FaultOut}
View = TypeVar("View", bound=Callable[..., Response])

flows_api = APIBlueprint(
    "api_flows", __name__, url_prefix="/api/v1", abp_security=[{"token": []}], abp_responses=_FAULTS
)
flows_data = APIBlueprint("flows_data", __name__, url_prefix="/data", doc_ui=False)


def view(method: str, rule: str, summary: str, right: Right, **about: Any) -> Callable[[View], View]:
    """Declare a view below both addresses, with one check of rights and one way of telling faults."""

    def declare(function: View) -> View:
        told = accepts(LARGEST)(needs(right)(_telling(function)))
        for blueprint in (flows_api, flows_data):
            getattr(blueprint, method)(rule, summary=summary, tags=[FLOWS], **about)(told)
        return told

    return declare


def _telling(function: View) -> View:
    @wraps(function)
    def told(*given: Any, **named: Any) -> Response:
        try:
            return function(*given, **named)
        except FlowUnknown as error:
            abort(make_response(jsonify(error="Not here", detail=str(error)), 404))
        except (FlowInvalid, FlowTestInvalid) as error:
            abort(400, str(error))
        except DraftOutdated as error:
            abort(make_response(jsonify(error="Somebody was quicker", detail=str(error), outdated=True), 409))
        except Refused as error:
            conflict(error)
        except (FlowTaken, FlowUsed, FlowUnfit) as error:
            abort(409, str(error))

    return told  # type: ignore[return-value]


def problems_out(problems: Iterable[Problem]) -> list[ProblemOut]:
    return [ProblemOut.model_validate({**asdict(problem)}) for problem in problems]


def tested_out(tested: Iterable[TestedCall]) -> list[TestedOut]:
    return [
        TestedOut(
            name=each.test.name,
            passed=each.passed,
            blocks=each.test.blocks,
            differences=each.differences,
            path=each.path,
            prompts=each.prompts,
            end=each.end,
        )
        for each in tested
    ]


def head(found: Work) -> dict[str, Any]:
    return {name: getattr(found, name) for name in HeadOut.model_fields}


@view("get", "/flows", "All flows", Right.SEE_SETUP, responses={200: FlowsOut})
def list_flows() -> Response:
    return answer(FlowsOut(flows=lines()))


def lines() -> Sequence[FlowLine]:
    """The list, each with how many problems its newest version has."""
    here, house, found = parts(), work.around(parts()), []
    for each in drafts.summaries(here.db):
        problems = work.look(work.document_of(here, each.name), house).problems
        serious = sum(problem.serious for problem in problems)
        found.append(FlowLine(**asdict(each), problems=len(problems), serious=serious))
    return found


@view("post", "/flows", "Begin a flow from a template", Right.CHANGE_SETUP, responses={201: HeadOut})
def new_flow(body: NewFlowIn) -> Response:
    made = work.new(parts(), viewer().name, name=body.name, title=body.title, key=body.template)
    return answer(HeadOut(**head(made)), 201)


@view("post", "/flow-imports", "Import a flow from YAML as a draft", Right.CHANGE_SETUP, responses={201: HeadOut})
def import_flow(body: ImportIn) -> Response:
    made = work.bring_in(parts(), viewer().name, work.from_yaml(body.yaml, body.name))
    return answer(HeadOut(**head(made)), 201)


@view("get", "/flow-templates", "What a new flow may begin with", Right.SEE_SETUP)
def list_templates() -> Response:
    return jsonify(templates=[{"key": t.key, "title": t.title, "help": t.help} for t in templates()])


@view("get", "/flow-nodes", "All node types with their forms, and what nodes may name", Right.SEE_SETUP)
def node_types() -> Response:
    return jsonify(**editing())


def editing() -> dict[str, Any]:
    """What an editor needs beside a flow: the types with their forms, and what nodes may name."""
    return {
        "types": {name: {**asdict(form), "new": forms.new_node(name)} for name, form in forms.node_forms().items()},
        "groups": [{"id": key, "title": title} for key, title in forms.GROUPS.items()],
        "says": {name: asdict(form) for name, form in forms.say_forms().items()},
        "choices": choices.all_choices(parts()),
    }


@view("get", "/flows/<name>", "A flow's newest version with its problems", Right.SEE_SETUP, responses={200: WorkOut})
def one_flow(path: FlowPath) -> Response:
    return answer(opened(path.name))


def opened(name: str) -> WorkOut:
    """The newest version as an editor opens it. FlowUnknown."""
    here = parts()
    found = drafts.newest(here.db, name)
    looked = work.look(found.document, work.around(here))
    document = work.placed(found.document)
    return WorkOut(**head(found), document=document, problems=problems_out(looked.problems), exits=looked.exits)


@view("get", "/flows/<name>/head", "Which version is the newest, and whose", Right.SEE_SETUP, responses={200: HeadOut})
def flow_head(path: FlowPath) -> Response:
    return answer(HeadOut(**head(drafts.newest(parts().db, path.name))))


@view("put", "/flows/<name>/draft", "Keep a draft", Right.CHANGE_SETUP, responses={200: SavedOut})
def save_draft(path: FlowPath, body: DraftIn) -> Response:
    here = parts()
    if body.document.get("name") != path.name:
        raise FlowInvalid("name: a draft keeps the flow's name")
    kept = drafts.save(
        here.db, body.document, author=viewer().name, revision=body.revision, at=here.clock.now(), apart=body.apart
    )
    looked = work.look(kept.document, work.around(here))
    return answer(SavedOut(**head(kept), problems=problems_out(looked.problems), exits=looked.exits))


@view("post", "/flow-looks", "Check a document without keeping it", Right.SEE_SETUP)
def look_at(body: DocumentIn) -> Response:
    looked = work.look(drafts.shaped(body.document), work.around(parts()))
    return jsonify(problems=[p.model_dump() for p in problems_out(looked.problems)], exits=looked.exits)


@view("post", "/flow-layouts", "Lay out a document's nodes", Right.SEE_SETUP, responses={200: LayoutOut})
def lay_out(body: DocumentIn) -> Response:
    return answer(LayoutOut(layout=work.laid_out(drafts.shaped(body.document))))


@view(
    "post",
    "/flows/<name>/check",
    "Check a version, by default the newest, and run the flow's tests on it",
    Right.SEE_SETUP,
    responses={200: VerdictOut},
)
def check_flow(path: FlowPath, body: CheckIn) -> Response:
    here = parts()
    verdict = work.tried(here, path.name, work.document_of(here, path.name, body.version))
    return answer(
        VerdictOut(fit=verdict.fit, problems=problems_out(verdict.problems), tested=tested_out(verdict.tested))
    )


@view("post", "/flows/<name>/publish", "Put the draft in force", Right.CHANGE_SETUP, responses={200: VersionOut})
def publish_flow(path: FlowPath, body: PublishIn) -> Response:
    version = work.publish(
        parts(), viewer().name, path.name, revision=body.revision, in_force=body.in_force, note=body.note.strip()
    )
    return answer(VersionOut(version=version))


@view(
    "post",
    "/flows/<name>/roll-back",
    "Put an earlier version in force",
    Right.CHANGE_SETUP,
    responses={200: VersionOut},
)
def roll_back(path: FlowPath, body: RollBackIn) -> Response:
    version = work.roll_back(parts(), viewer().name, path.name, version=body.version, in_force=body.in_force)
    return answer(VersionOut(version=version))


@view("get", "/flows/<name>/history", "All versions, the newest first", Right.SEE_SETUP, responses={200: HistoryOut})
def flow_history(path: FlowPath) -> Response:
    return answer(HistoryOut(versions=history(path.name)))


def history(name: str) -> list[HistoryLine]:
    found = store.history(parts().db, name)
    in_force = next((each.version for each in found if each.published_at is not None), 0)
    return [
        HistoryLine(
            **asdict(each),
            state="draft" if each.published_at is None else "in force" if each.version == in_force else "published",
        )
        for each in found
    ]


@view(
    "get", "/flows/<name>/versions/<int:version>", "One version", Right.SEE_SETUP, responses={200: VersionDocumentOut}
)
def one_version(path: VersionPath) -> Response:
    document = work.document_of(parts(), path.name, path.version)
    looked = work.look(document, work.around(parts()))
    return answer(VersionDocumentOut(version=path.version, document=work.placed(document), exits=looked.exits))


@view("get", "/flows/<name>/versions/<int:version>/yaml", "One version as YAML", Right.SEE_SETUP)
def version_yaml(path: VersionPath) -> Response:
    document = work.document_of(parts(), path.name, path.version)
    return Response(
        documents.write(work.normal(document)),
        mimetype="application/yaml",
        headers={"Content-Disposition": f'attachment; filename="{path.name}-{path.version}.yaml"'},
    )


@view(
    "post",
    "/flows/<name>/versions/<int:version>/edit",
    "Begin a draft equal to a version",
    Right.CHANGE_SETUP,
    responses={200: HeadOut},
)
def edit_version(path: VersionPath) -> Response:
    return answer(HeadOut(**head(work.go_on_with(parts(), viewer().name, path.name, version=path.version))))


@view("delete", "/flows/<name>/versions/<int:version>", "Throw a draft away", Right.CHANGE_SETUP)
def discard_version(path: VersionPath) -> Response:
    work.discard(parts(), path.name, path.version)
    return Response(status=204)


@view("delete", "/flows/<name>", "Delete a flow that nothing leads to", Right.CHANGE_SETUP)
def delete_flow(path: FlowPath) -> Response:
    work.delete(parts(), path.name)
    return Response(status=204)


@view(
    "get",
    "/flows/<name>/difference",
    "What differs between two versions",
    Right.SEE_SETUP,
    responses={200: DifferenceOut},
)
def difference(path: FlowPath, query: DifferenceQuery) -> Response:
    here = parts()
    before, after = (work.document_of(here, path.name, number) for number in (query.before, query.after))
    return answer(told_difference(before, after))


@view(
    "post", "/flow-differences", "What differs between two documents", Right.SEE_SETUP, responses={200: DifferenceOut}
)
def document_difference(body: DocumentsIn) -> Response:
    return answer(told_difference(drafts.shaped(body.before), drafts.shaped(body.after)))


def told_difference(before: dict[str, Any], after: dict[str, Any]) -> DifferenceOut:
    old, new = work.normal(before), work.normal(after)
    changes = document_changes(old, new)
    return DifferenceOut(changes=[ChangeOut(**asdict(each), words=in_words(each, old, new)) for each in changes])


@view("get", "/flows/<name>/statistics", "Visits of nodes and exits in the last days", Right.SEE_SETUP)
def statistics(path: FlowPath, query: DaysQuery) -> Response:
    here, until = parts(), parts().clock.now()
    drafts.newest(here.db, path.name)
    found = node_figures(here.db, path.name, until - timedelta(days=query.days), until)
    nodes = {
        name: {**asdict(figures), "first": figures.first, "later": figures.later, "exits": dict(figures.counts)}
        for name, figures in found.items()
    }
    return jsonify(days=query.days, nodes=nodes)
