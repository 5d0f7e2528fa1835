"""Takes a call through a flow, node by node.

The interpreter itself does no I/O: what takes time is the phone's, what is kept is the watch's. A flow can neither spin nor
end in silence: each call has a budget of steps, and where nothing follows, the caller is told so and the call is ended.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta

import structlog

from conf.errors import PointsmanError
from dialplan.hours import Calendar
from ivr.flow import PublishedFlow
from ivr.node import ERROR, Node
from ivr.nodes.hang_up import HangUp
from ivr.phone import Gone, Phone
from ivr.visit import LANGUAGE, Checkpoint, Ending, Value, Visit, Watch, outcome_when_gone
from sounds.catalogue import Catalogue

__all__ = ["Checkpoint", "Ending", "Interpreter", "Watch", "outcome_when_gone"]

log = structlog.get_logger(__name__)

STEP_BUDGET = 300
"""Nodes that one call may visit; a patient caller who reads every menu twice comes to some thirty."""

APOLOGY = "technical_fault"
FAULT_CAUSE = "NORMAL_TEMPORARY_FAILURE"
_TICK = timedelta(microseconds=1)


class Interpreter:
    """Runs flows on calls; one serves any number of them at once, for it keeps nothing of a call.

    `now` is the clock that steps are dated by; by default the phone's own, which hours are decided from.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        calendars: Mapping[str, Calendar],
        *,
        step_budget: int = STEP_BUDGET,
        now: Callable[[], datetime] | None = None,
    ) -> None:
        if step_budget < 1:
            raise ValueError("a flow needs a budget of one step at least")
        self._catalogue = catalogue
        self._calendars = calendars
        self._step_budget = step_budget
        self._now = now

    def run(self, flow: PublishedFlow, phone: Phone, watch: Watch, at: Checkpoint | None = None) -> Ending:
        """Take the call through the flow, from its start or from where it stood; returns how the flow ended.

        Raises Gone, after the step was left as `hung_up`, when the caller leaves; `outcome_when_gone` then tells what the
        last checkpoint makes of the call. A node that fails leaves by `error`; where an exit leads nowhere, or the budget is
        used up, the caller hears an apology, the call is hung up and the ending has a `fault`.
        """
        now = self._now or phone.now
        nodes, name, entered = flow.flow.nodes, flow.flow.start, None
        variables: dict[str, Value] = {LANGUAGE: flow.flow.language, **(at.variables if at is not None else {})}
        if at is not None and at.node in nodes:
            name, entered = at.node, at.entered_at
        visit = Visit(
            phone, self._catalogue, self._calendars, variables, lambda: watch.checkpoint(name, dict(variables))
        )
        moment = entered or now()
        steps = 0
        while True:
            node, steps = nodes[name], steps + 1
            if entered is None:
                watch.step_entered(flow.name, flow.version, name, node.type, moment)
            entered = None
            left_by = "lost"
            try:
                visit.save()
                exit_name = self._visit(node, name, visit)
                fault = self._fault(flow, name, exit_name, steps)
                if fault is not None:
                    self._apologise(visit, flow, name, fault)
                left_by = exit_name
            except Gone:
                left_by = "hung_up"
                raise
            finally:
                moment = max(now(), moment + _TICK)
                watch.step_left(left_by, moment)
            follows = flow.ways[name].get(exit_name)
            if fault is not None or follows is None:
                return self._end(visit, name, node, fault)
            name = follows

    def _visit(self, node: Node, name: str, visit: Visit) -> str:
        try:
            return node.run(visit)
        except Gone:
            raise
        except PointsmanError as error:
            log.warning("a node failed", call_id=visit.phone.call_id, node=name, why=str(error))
            return ERROR

    def _fault(self, flow: PublishedFlow, name: str, exit_name: str, steps: int) -> str | None:
        ways = flow.ways[name]
        if exit_name not in ways:
            return f"exit {exit_name!r} of node {name!r} leads nowhere"
        if ways[exit_name] is not None and steps >= self._step_budget:
            return f"the call has made {steps} steps, which is the most"
        return None

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
