"""Takes a call through a flow, node by node.

The interpreter itself does no I/O: what takes time is the phone's, what is kept is the watch's. A flow can neither spin nor
end in silence: each call has a budget of steps, and where nothing follows, the caller is told so and the call is ended.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from conf.errors import PointsmanError
from dialplan.hours import Calendar
from ivr.errors import FlowUnknown, NodeFailed
from ivr.flow import PublishedFlow
from ivr.node import ERROR, Node
from ivr.nodes.hang_up import HangUp
from ivr.nodes.sub_flow import RETURNED
from ivr.phone import Gone, Phone
from ivr.visit import LANGUAGE, LOST, STACK, Checkpoint, Ending, Speech, Value, Visit, Watch, outcome_when_gone
from sounds.catalogue import Catalogue

__all__ = ["Checkpoint", "Ending", "Interpreter", "Watch", "outcome_when_gone"]

log = structlog.get_logger(__name__)

STEP_BUDGET = 300
"""Nodes that one call may visit; a patient caller who reads every menu twice comes to some thirty."""

MOST_FRAMES = 8
APOLOGY = "technical_fault"
FAULT_CAUSE = "NORMAL_TEMPORARY_FAILURE"
_TICK = timedelta(microseconds=1)


Flows = Callable[[str, int | None], PublishedFlow]
"""Gives a flow by its name, in the version given or the one in force for this call. FlowUnknown where there is none."""
StandIn = Callable[[Node, Visit], str | None]
"""Says in a node's place by which exit it is left; None to let the node itself run."""


def no_other_flows(name: str, version: int | None) -> PublishedFlow:  # noqa: ARG001  # as Flows has it
    """The `Flows` of a flow that stands alone."""
    raise FlowUnknown(f"flow {name!r} is not published")


@dataclass(slots=True)
class _Frame:
    """A node that has called a flow and waits for it to end. `flow` is looked up when it is needed."""

    name: str
    version: int
    node: str
    flow: PublishedFlow | None = None

    def __str__(self) -> str:
        return f"{self.name} {self.version} {self.node}"


class Interpreter:
    """Runs flows on calls; one serves any number of them at once, for it keeps nothing of a call.

    `now` is the clock that steps are dated by; by default the phone's own, which hours are decided from. `flows` is where
    sub-flows are found, `speech` what speaks texts. `stand_in` is asked before each node, for tests and simulations.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        calendars: Mapping[str, Calendar],
        *,
        step_budget: int = STEP_BUDGET,
        now: Callable[[], datetime] | None = None,
        flows: Flows = no_other_flows,
        speech: Speech | None = None,
        stand_in: StandIn | None = None,
    ) -> None:
        if step_budget < 1:
            raise ValueError("a flow needs a budget of one step at least")
        self._catalogue = catalogue
        self._calendars = calendars
        self._step_budget = step_budget
        self._now = now
        self._flows = flows
        self._speech = speech
        self._stand_in = stand_in

    def run(self, flow: PublishedFlow, phone: Phone, watch: Watch, at: Checkpoint | None = None) -> Ending:
        """Take the call through the flow, from its start or from where it stood, and through those it calls; returns how it
        ended. A checkpoint is of the flow whose step was entered last, which is the one to be given here.

        Raises Gone, after the step was left as `hung_up`, when the caller leaves; `outcome_when_gone` then tells what the
        last checkpoint makes of the call. A node that fails leaves by `error`; where an exit leads nowhere, or the budget is
        used up, the caller hears an apology, the call is hung up and the ending has a `fault`.
        """
        now = self._now or phone.now
        nodes, name, entered = flow.flow.nodes, flow.flow.start, None
        variables: dict[str, Value] = {LANGUAGE: flow.flow.language, **(at.variables if at is not None else {})}
        if at is not None and at.node in nodes:
            name, entered = at.node, at.entered_at
        else:
            variables.pop(STACK, None)
        frames = _frames(variables)
        visit = Visit(
            phone,
            self._catalogue,
            self._calendars,
            variables,
            lambda: watch.checkpoint(name, dict(variables)),
            self._speech,
        )
        phone.speak(visit.language)
        moment = entered or now()
        steps = 0
        while True:
            node, steps = nodes[name], steps + 1
            visit.arrive(f"{flow.name}.{name}")
            if entered is None:
                watch.step_entered(flow.name, flow.version, name, node.type, moment)
            entered = None
            left_by = LOST
            try:
                visit.save()
                exit_name, fault = self._visit(node, visit, len(frames)), None
                try:
                    onward = self._onward(flow, name, exit_name, visit, frames, steps)
                except _GaveUp as given_up:
                    onward, fault = None, str(given_up)
                    self._apologise(visit, flow, name, fault)
                left_by = exit_name
            except Gone:
                left_by = "hung_up"
                raise
            finally:
                moment = max(now(), moment + _TICK)
                watch.step_left(left_by, moment)
            if onward is None:
                return self._end(visit, name, node, fault)
            flow, name = onward
            nodes = flow.flow.nodes

    def _visit(self, node: Node, visit: Visit, depth: int) -> str:
        try:
            if self._stand_in is not None:
                exit_name = self._stand_in(node, visit)
                if exit_name is not None:
                    return exit_name
            exit_name = node.run(visit)
            if visit.enters is not None:
                self._flows(visit.enters[0], None)
                if visit.enters[1] and depth >= MOST_FRAMES:
                    raise NodeFailed(f"flows may call one another {MOST_FRAMES} deep, and this one is one more")
        except Gone:
            raise
        except PointsmanError as error:
            log.warning("a node failed", call_id=visit.phone.call_id, node=visit.node, why=str(error))
            visit.enters = visit.goes_to = None
            return ERROR
        return exit_name

    def _onward(
        self, flow: PublishedFlow, name: str, exit_name: str, visit: Visit, frames: list[_Frame], steps: int
    ) -> tuple[PublishedFlow, str] | None:
        """Where the call goes from here; None where the flow ends as it should. _GaveUp where it cannot go on."""
        onward = self._next(flow, name, exit_name, visit, frames)
        if onward is not None and steps >= self._step_budget:
            raise _GaveUp(f"the call has made {steps} steps, which is the most")
        return onward

    def _next(
        self, flow: PublishedFlow, name: str, exit_name: str, visit: Visit, frames: list[_Frame]
    ) -> tuple[PublishedFlow, str] | None:
        if visit.enters is not None:
            called, comes_back = visit.enters
            if comes_back:
                frames.append(_Frame(flow.name, flow.version, name, flow))
                _keep(frames, visit.variables)
            entered = self._flows(called, None)
            return entered, entered.flow.start
        if visit.goes_to is not None and visit.goes_to in flow.flow.nodes:
            return flow, visit.goes_to
        ways = flow.ways[name]
        if exit_name not in ways:
            raise _GaveUp(f"exit {exit_name!r} of node {name!r} leads nowhere")
        follows = ways[exit_name]
        if follows is not None:
            return flow, follows
        if frames and not isinstance(flow.flow.nodes[name], HangUp):
            return self._back(visit, frames)
        return None

    def _back(self, visit: Visit, frames: list[_Frame]) -> tuple[PublishedFlow, str] | None:
        """Where the call goes on when a sub-flow has ended, in the nearest of the flows around it that goes on at all."""
        result, onward = visit.result or RETURNED, None
        while frames and onward is None:
            frame = frames.pop()
            try:
                outer = frame.flow or self._flows(frame.name, frame.version)
            except PointsmanError as error:
                raise _GaveUp(f"flow {frame.name!r} cannot be gone back to: {error}") from error
            ways = outer.ways.get(frame.node, {})
            target = ways.get(result, ways.get(RETURNED))
            onward = None if target is None else (outer, target)
            result = RETURNED
        _keep(frames, visit.variables)
        return onward

    def _apologise(self, visit: Visit, flow: PublishedFlow, name: str, fault: str) -> None:
        log.error(
            "a flow gave up", call_id=visit.phone.call_id, flow=flow.name, version=flow.version, node=name, why=fault
        )
        # Whatever goes wrong now, the caller having left included, the call ends all the same.
        with suppress(PointsmanError):
            visit.play([APOLOGY])

    def _end(self, visit: Visit, name: str, node: Node, fault: str | None) -> Ending:
        hung_up = fault is not None or isinstance(node, HangUp)
        if hung_up:
            with suppress(Gone):
                visit.phone.hang_up(node.cause if isinstance(node, HangUp) else FAULT_CAUSE)
        if fault is not None:
            visit.mark("network")
        return Ending(visit.outcome or "self_service", name, node.type, hung_up, fault)


class _GaveUp(PointsmanError):
    """The flow cannot go on."""


def _frames(variables: Mapping[str, Value]) -> list[_Frame]:
    """The nodes that wait for the flow to end, as a checkpoint has them."""
    frames = []
    for line in str(variables.get(STACK, "")).split(";")[:MOST_FRAMES]:
        name, _, rest = line.partition(" ")
        version, _, node = rest.partition(" ")
        if version.isdigit():
            frames.append(_Frame(name, int(version), node))
    return frames


def _keep(frames: list[_Frame], variables: dict[str, Value]) -> None:
    variables.pop(STACK, None)
    if frames:
        variables[STACK] = ";".join(map(str, frames))
