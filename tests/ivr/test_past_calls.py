"""Any past call, made into a test, passes on the flow that it went through."""

from hypothesis import HealthCheck, assume, given, settings
from playing import CALENDARS, CATALOGUE, play
from test_random_flows import BUDGET, OTHER, callers, flows, instants, scripts

from ivr.flow_test import FlowTest, run_test
from ivr.recorded import RecordedStep, made_from


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
@given(flows, scripts, instants, callers)
def test_a_past_call_passes_as_a_test(flow, script, when, caller):
    played = play(flow, script, when=when, budget=BUDGET, others=[OTHER], **caller)
    assume(played.ending is None or played.ending.fault is None)
    steps = [
        RecordedStep(
            step.flow,
            step.version,
            step.node,
            step.node_type,
            step.exit,
            (step.left_at - step.entered_at).total_seconds(),
        )
        for step in played.watch.steps
    ]
    versions = {(flow.name, 3): flow, (OTHER.name, 1): OTHER, (flow.name, 1): flow}
    made = made_from(
        steps, versions, name="past", caller="+4532101010", called="5000", at=played.phone._start,
        end=played.disposition if played.ending is not None else None,
    )  # fmt: skip
    assert FlowTest.parse(made.document()) == made
    tested = run_test(made, flow, catalogue=CATALOGUE, calendars=CALENDARS, flows={OTHER.name: OTHER})
    assert tested.differences == ()
