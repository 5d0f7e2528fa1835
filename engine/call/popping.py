"""What the browsers of those are told whose phones ring for a call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from engine.live.screenpop import PopEvent, ScreenPop
from engine.routing.roster import AgentProfile

if TYPE_CHECKING:
    from engine.call.session import Session


class Popping:
    """The screen pops of one attempt: leg's uuid -> whose phone it rings."""

    def __init__(self, session: Session, agents: Mapping[str, AgentProfile]) -> None:
        self._session = session
        self._waited: float | None = None
        self._pops = {leg_id: self._made(leg_id, agent) for leg_id, agent in agents.items() if agent.agent_id}

    def tell(self, event: PopEvent, *, only: str | None = None) -> None:
        """Tell all of them, or `only` one; from `ended` and `missed` on they are told nothing more, and from `answered` on the
        others are told nothing but that they missed it."""
        told = [only] if only is not None else list(self._pops)
        for leg_id in told:
            pop = self._pops.get(leg_id)
            if pop is not None:
                now, pops = self._session.clock.now(), self._session.around.pops
                pops.publish(event, pop, at=now, waited_seconds=self._seconds())
                if event in ("ended", "missed"):
                    del self._pops[leg_id]
        if event == "answered":
            self._waited = self._seconds()
            for leg_id in [leg_id for leg_id in self._pops if leg_id not in told]:
                self.tell("missed", only=leg_id)

    def _seconds(self) -> float:
        """Since the call came into the queue it waits in."""
        entered = self._session.call.now.entered_at
        if self._waited is not None:
            return self._waited
        return 0.0 if entered is None else (self._session.clock.now() - entered).total_seconds()

    def _made(self, leg_id: str, agent: AgentProfile) -> ScreenPop:
        session, now = self._session, self._session.call.now
        match = session.match
        return ScreenPop(
            call_id=now.call_id,
            offer_id=leg_id,
            direction="OUTGOING" if now.direction == "outbound" else "INCOMING",
            from_number=now.from_number,
            to_number=now.to_number,
            queue=now.queue,
            extension=agent.extension,
            agent_id=agent.agent_id,
            agent_name=agent.name,
            customer=match.card,
            candidates=match.candidates,
            ivr_path=tuple(now.ivr_path),
        )
