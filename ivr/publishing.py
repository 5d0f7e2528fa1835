"""Whether a version of a flow may go into force: what its check finds and what becomes of its tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ivr.check import Problem, Surroundings, check, is_fit
from ivr.errors import FlowUnfit
from ivr.flow import Flow
from ivr.flow_test import FlowTest, TestedCall, run_tests


@dataclass(frozen=True, slots=True)
class Verdict:
    """Everything there is to say about a version before it is published."""

    problems: tuple[Problem, ...]
    tested: tuple[TestedCall, ...]

    @property
    def failed(self) -> tuple[TestedCall, ...]:
        """The tests that failed and are to keep it back."""
        return tuple(call for call in self.tested if call.test.blocks and not call.passed)

    @property
    def fit(self) -> bool:
        """Whether it may be published."""
        return is_fit(self.problems) and not self.failed

    def require_fit(self) -> None:
        """FlowUnfit, naming all that keeps it back, where it may not be published."""
        faults = [f"{problem.node or 'the flow'}: {problem.fault}" for problem in self.problems if problem.serious]
        faults += [f"test {call.test.name!r}: {'; '.join(call.differences)}" for call in self.failed]
        if faults:
            raise FlowUnfit("; ".join(faults))


def judge(flow: Flow, tests: Sequence[FlowTest], around: Surroundings) -> Verdict:
    """Check a flow and, where it can be run at all, try its tests."""
    problems = tuple(check(flow, around))
    runnable = flow.start in flow.nodes and around.catalogue is not None
    if not runnable or around.catalogue is None:
        return Verdict(problems, ())
    tested = run_tests(
        tests,
        flow,
        catalogue=around.catalogue,
        calendars=around.calendars or {},
        flows=around.flows,
        extensions=around.extensions or (),
    )
    return Verdict(problems, tuple(tested))
