"""What the router's written decisions mean for the records."""

from __future__ import annotations

from engine.records.facts import AgentStateBegan, OfferEnded, OfferMade, SideSegment
from engine.records.journal import Journal
from engine.routing.claims import instant
from engine.routing.events import CloseOffer, CloseWrapUp, Decision, MakeOffer, SetAgent


class Keeper:
    """Journals decisions. Told of one twice, it does no harm."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._told: dict[int, tuple[str, str, str | None, float]] = {}

    def keep(self, decision: Decision) -> None:
        if isinstance(decision, MakeOffer):
            self._journal.append(
                OfferMade(
                    offer_id=decision.offer_id,
                    call_id=decision.call_id,
                    entry_id=decision.entry_id,
                    queue=decision.queue,
                    agent_id=decision.agent_id,
                    extension=decision.extension,
                    at=instant(decision.at),
                    why=decision.why,
                )
            )
        elif isinstance(decision, CloseOffer):
            self._offer_ended(decision)
        elif isinstance(decision, SetAgent):
            self._state_began(decision)
        elif isinstance(decision, CloseWrapUp):
            self._journal.append(
                SideSegment(
                    call_id=decision.call_id,
                    phase="wrap_up",
                    started_at=instant(decision.started_at),
                    ended_at=instant(decision.at),
                    queue=decision.queue,
                    agent_id=decision.agent_id,
                    extension=decision.extension,
                )
            )

    def _state_began(self, decision: SetAgent) -> None:
        state = (decision.presence, decision.work, decision.reason, decision.since)
        if self._told.get(decision.agent_id) == state:
            return
        self._told[decision.agent_id] = state
        self._journal.append(
            AgentStateBegan(
                agent_id=decision.agent_id,
                at=instant(decision.since),
                presence=decision.presence,
                work_state=decision.work,
                reason=decision.reason,
                call_id=decision.call_id,
            )
        )

    def _offer_ended(self, decision: CloseOffer) -> None:
        self._journal.append(OfferEnded(offer_id=decision.offer_id, at=instant(decision.at), result=decision.result))
        self._journal.append(
            SideSegment(
                call_id=decision.call_id,
                phase="offer",
                started_at=instant(decision.offered_at),
                ended_at=instant(decision.at),
                queue=decision.queue,
                agent_id=decision.agent_id,
                extension=decision.extension,
            )
        )
