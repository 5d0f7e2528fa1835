"""The flows that one call goes through: the one it came by, those that one calls, and those it is sent on to."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from conf.errors import PointsmanError
from dialplan.plan import decide
from engine.call.checkpoint import Checkpoint
from engine.call.phone import EslPhone
from engine.call.ways import flow_to, leads_to
from ivr.errors import FlowUnknown
from ivr.flow import PublishedFlow
from ivr.interpreter import Interpreter
from ivr.visit import Checkpoint as FlowCheckpoint

if TYPE_CHECKING:
    from engine.call.session import Session


class CallFlows:
    """The call of `session`; `sent` is the flow that a queue has sent it on to."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.sent: PublishedFlow | None = None

    def of(self, checkpoint: Checkpoint) -> PublishedFlow:
        """The very version the call began with; where it cannot be had, the one that its number has now."""
        session = self._session
        if checkpoint.sent_to is not None:
            with suppress(PointsmanError):
                self.sent = leads_to(checkpoint.sent_to, session.snapshot, session.now())
                if (self.sent.flow.name, self.sent.version) == (checkpoint.flow, checkpoint.flow_version):
                    return self.sent
        flow = session.snapshot.flows.get(checkpoint.flow or "")
        if flow is not None and flow.version == checkpoint.flow_version:
            return flow
        if checkpoint.flow and checkpoint.flow_version:
            earlier = session.around.configuration.flow(checkpoint.flow, checkpoint.flow_version)
            if earlier is not None:
                return earlier
        destination = decide(session.snapshot.plan, checkpoint.to_number, checkpoint.from_number, session.now())
        return flow_to(destination, session.snapshot, session.now())

    def follow(self, flow: PublishedFlow, at: FlowCheckpoint | None = None) -> None:
        """Lead the call through the flow to its end. CallGone."""
        session = self._session
        session.phone = EslPhone(session, session.link, language=flow.flow.language, catalogue=session.around.catalogue)
        session.keypad.secretive = flow.name in session.snapshot.secretive
        interpreter = Interpreter(
            session.around.catalogue,
            session.snapshot.plan.calendars,
            now=session.call.instant,
            flows=self._other,
            speech=session.around.house.speech.file,
        )
        ending = interpreter.run(flow, session.phone, session, at)
        if session.call.now.result is None:
            session.call.now.result = ending.disposition
        if not ending.hung_up:
            session.hang_up()

    def _other(self, name: str, version: int | None) -> PublishedFlow:
        """A flow that another one calls, as it was published when the call began, or in the version a checkpoint names."""
        if self.sent is not None and self.sent.flow.name == name and version in (None, self.sent.version):
            return self.sent
        flow = self._session.snapshot.flows.get(name)
        if flow is None or version not in (None, flow.version):
            flow = None if version is None else self._session.around.configuration.flow(name, version)
        if flow is None:
            raise FlowUnknown(f"flow {name!r} is not published")
        return flow
