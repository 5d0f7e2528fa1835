"""Tests of flows: kept, run, and made from past calls."""

from __future__ import annotations

from flask import Response, jsonify

from admin.access import Right, viewer
from admin.api.shapes import answer
from admin.flows import work
from admin.flows.data import tested_out, view
from admin.flows.shapes import FlowPath, FromCallIn, FromCallOut, TestPath, TestsOut, TestsRunIn
from admin.forms import Refused
from admin.parts import Parts, parts
from conf.errors import PointsmanError
from engine.records.steps import CallUnknown, flow_test_of
from ivr import drafts, store
from ivr.errors import FlowTestInvalid
from ivr.flow import Flow
from ivr.flow_test import FlowTest
from ivr.publishing import judge


@view("get", "/flows/<name>/tests", "A flow's tests", Right.SEE_SETUP, responses={200: TestsOut})
def list_tests(path: FlowPath) -> Response:
    return answer(TestsOut(tests=[test.document() for test in store.load_tests(parts().db, path.name)]))


@view("put", "/flows/<name>/tests/<path:test>", "Keep a test", Right.CHANGE_SETUP)
def save_test(path: TestPath, body: FlowTest) -> Response:
    if body.name != path.test:
        raise FlowTestInvalid("name: a test is kept under the name in its address")
    store.save_test(parts().db, path.name, body, author=viewer().name)
    return jsonify(body.document())


@view("delete", "/flows/<name>/tests/<path:test>", "Throw a test away", Right.CHANGE_SETUP)
def delete_test(path: TestPath) -> Response:
    store.delete_test(parts().db, path.name, path.test)
    return Response(status=204)


@view("post", "/flows/<name>/run-tests", "Try a version by the flow's tests", Right.SEE_SETUP)
def run_tests(path: FlowPath, body: TestsRunIn) -> Response:
    here = parts()
    work_now = drafts.newest(here.db, path.name)
    version = body.version or work_now.version
    document = work_now.document if version == work_now.version else work.document_of(here, path.name, version)
    verdict = judge(Flow.parse(document), store.load_tests(here.db, path.name), work.around(here))
    return jsonify(version=version, tested=[each.model_dump() for each in tested_out(verdict.tested)])


@view(
    "post",
    "/tests-from-calls",
    "Make a test of a past call and keep it with its flow",
    Right.CHANGE_SETUP,
    responses={201: FromCallOut},
)
def from_call(body: FromCallIn) -> Response:
    here, name = parts(), body.name.strip()
    flow = keep_of_call(here, body.call_id, name, viewer().name)
    kept = next(test for test in store.load_tests(here.db, flow) if test.name == name)
    return answer(FromCallOut(flow=flow, test=kept.document()), 201)


def keep_of_call(parts: Parts, call_id: str, name: str, author: str) -> str:
    """Keep a test of the way a call took; the flow it is kept with. Refused where there is none, or the name is taken."""
    if not name:
        raise Refused("name", "Name is missing.")
    flow, test = of_call(parts, call_id, name)
    if any(each.name == test.name for each in store.load_tests(parts.db, flow)):
        raise Refused("name", f"Flow {flow} has a test of this name already.")
    store.save_test(parts.db, flow, test, author=author)
    return flow


def of_call(parts: Parts, call_id: str, name: str) -> tuple[str, FlowTest]:
    """The flow that a call began in, and the test of the way it took, with numbers masked. Refused where it took none."""
    try:
        return flow_test_of(parts.db, call_id, name)
    except CallUnknown as error:
        raise Refused("call_id", "This call went through no flow, or is not over yet.") from error
    except PointsmanError as error:
        raise Refused("call_id", f"The flow that this call took is not there any more: {error}.") from error
