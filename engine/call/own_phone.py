"""The desk phone that a call comes from: while its agent is on it, no call of a queue is to be offered to them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog

from engine.call.trunk import NumberForbidden
from engine.routing.events import Event, TalkBegan, TalkEnded
from engine.routing.roster import AgentProfile

if TYPE_CHECKING:
    from engine.call.session import Session

log = structlog.get_logger(__name__)


class OwnPhone:
    """`extension` is whose phone it is, as the switch says, which asked for its password; empty for a call from outside,
    whatever number that shows."""

    def __init__(self, session: Session, extension: str) -> None:
        self.extension = extension
        self._session = session
        self._busy = False
        self._due: list[Event] = []

    @property
    def agent(self) -> AgentProfile | None:
        """Whose phone it is; None where it is nobody's."""
        return self._session.snapshot.roster.agent(self.extension) if self.extension else None

    def may_call(self, number: str) -> bool:
        """Whether a desk phone calls this number outside, and the settings let it."""
        if not self.extension:
            return False
        try:
            self._session.around.house.trunk.endpoint(number)
        except NumberForbidden as error:
            log.info("not called", call=self._session.call.call_id, why=str(error))
            return False
        return True

    def begin(self) -> None:
        """From now on the agent is on the phone."""
        self._busy = self.agent is not None
        self.announce_again()

    @contextmanager
    def on_the_phone(self) -> Iterator[None]:
        """The agent is on the phone within this block, in a call that would not count as such by itself."""
        self.begin()
        try:
            yield
        finally:
            if not self._session.let_go:
                self._tell_ended()

    def announce_again(self) -> None:
        """Redis may have forgotten; tell it."""
        agent = self.agent
        if self._busy and agent is not None:
            call_id = self._session.call.call_id
            at = self._session.clock.timestamp()
            self._session.tell_router(TalkBegan(at=at, offer_id=call_id, call_id=call_id, agent_id=agent.agent_id))

    def afterwards(self, event: Event) -> None:
        """Tell the router this as soon as the phone is free."""
        self._due.append(event)

    def end(self) -> None:
        """The phone is free."""
        self._tell_ended()
        for event in self._due:
            self._session.tell_router(event)
        self._due = []

    def _tell_ended(self) -> None:
        agent = self.agent
        if self._busy and agent is not None:
            self._busy = False
            at = self._session.clock.timestamp()
            self._session.tell_router(TalkEnded(at=at, offer_id=self._session.call.call_id, agent_id=agent.agent_id))
