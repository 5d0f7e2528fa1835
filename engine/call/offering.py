"""A waiting call's offers: the agents' phones that ring for it, what their browsers are told, and the talk with who answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from engine.call import talk
from engine.call.leg import Attempt, Ringing
from engine.call.mailbox import Rang, Silent
from engine.call.popping import Popping
from engine.call.whisper import prepare, whisper
from engine.live import keys
from engine.live.screenpop import PopEvent
from engine.records.facts import OfferResult
from engine.routing.events import MakeOffer, OfferAnswered, OfferFailed, TalkEnded, encode
from engine.routing.roster import AgentProfile, QueueRule
from engine.routing.telling import forget_entry

if TYPE_CHECKING:
    from engine.call.session import Session


class Offering:
    """The offers of one call in one queue. There is at most one attempt at a time; the offers of a batch ring together."""

    def __init__(self, session: Session, rule: QueueRule) -> None:
        self._session = session
        self._call = session.call
        self._rule = rule
        self._attempt: Attempt | None = None
        self._offers: dict[str, MakeOffer] = {}
        self._talking: MakeOffer | None = None
        self._pops = Popping(session, {})
        self._freed = False
        prepare(session, rule)

    @property
    def ringing(self) -> bool:
        """Whether any phone rings for this call."""
        return bool(self._offers)

    def is_of(self, leg_id: str) -> bool:
        return leg_id in self._offers

    # --- ringing ---

    def ring(self, offers: Sequence[MakeOffer]) -> None:
        """Ring these agents together; what rang before ends. CallGone."""
        session, now = self._session, self._call.now
        mine = [offer for offer in offers if offer.entry_id == now.entry_id]
        for offer in offers:
            if offer not in mine:
                # Redis remembers an entry that was over; it would be offered for ever.
                forget_entry(session.around.outbox, offer.entry_id, offer.queue, session.clock.timestamp())
                self._failed(offer.offer_id, "caller_left")
        if not mine:
            return
        first = mine[0]
        if first.batch and any(offer.batch == first.batch for offer in self._offers.values()):
            # They come too late for those that ring already; the router finds these agents something else.
            for offer in mine:
                self._failed(offer.offer_id, "failed")
            return
        self.stop("missed")
        self._offers = {offer.offer_id: offer for offer in mine}
        self._show()
        self._pops = Popping(session, {offer.offer_id: _agent(offer) for offer in mine})
        self._pops.tell("offered")
        legs = {
            offer.offer_id: Ringing(
                f"user/{offer.extension}", auto_answer=offer.auto_answer, seconds=self._own(offer, mine)
            )
            for offer in mine
        }
        words = whisper(session, first)
        self._attempt = Attempt(session.link, session.control, legs, session.mailbox.put)
        self._attempt.ring(
            max(offer.ring_seconds for offer in mine),
            caller_number=now.from_number,
            caller_name=now.customer_name or now.caller_name,
            whisper=words,
        )

    @staticmethod
    def _own(offer: MakeOffer, together: Sequence[MakeOffer]) -> int | None:
        """The time of a phone that rings shorter than others beside it."""
        return offer.ring_seconds if offer.ring_seconds < max(each.ring_seconds for each in together) else None

    def take_back(self, offer_id: str) -> bool:
        """The router has ended this offer; False where it is none of these."""
        if offer_id not in self._offers:
            return False
        if len(self._offers) == 1:
            self.stop("missed")
        else:
            if self._attempt is not None:
                self._attempt.end(offer_id)
            self._forget(offer_id)
        return True

    def stop(self, event: PopEvent) -> None:
        """Nobody is to ring any more; the browsers are told `event`."""
        if self._attempt is not None:
            self._attempt.cancel()
        if self._offers:
            self._pops.tell(event)
            self._call.offered_to(None, None)
        self._attempt = None
        self._offers = {}

    def silent(self, news: Silent) -> None:
        """One of several phones rings no more; its result is the router's to judge."""
        if news.leg_id in self._offers and len(self._offers) > 1:
            self._failed(news.leg_id, news.result)
            self._forget(news.leg_id)

    def rang(self, news: Rang) -> None:
        """The attempt came to nothing."""
        if self._attempt is None or news.leg_id != self._attempt.name:
            return
        for offer_id in self._offers:
            self._failed(offer_id, news.result)
        # The legs are no more; there is nothing to cancel.
        self._attempt = None
        self.stop("missed")

    def _forget(self, offer_id: str) -> None:
        self._pops.tell("missed", only=offer_id)
        del self._offers[offer_id]
        self._show()

    def _show(self) -> None:
        """On the board the first of those that ring stands for all."""
        agents = {offer_id: _agent(offer) for offer_id, offer in self._offers.items()}
        first = next(iter(agents))
        self._call.offered_to(agents.pop(first), first, beside=agents)

    def _failed(self, offer_id: str, result: OfferResult) -> None:
        at = self._session.clock.timestamp()
        self._session.tell_router(OfferFailed(at=at, offer_id=offer_id, result=result))

    # --- the talk ---

    def talk(self, offer_id: str) -> None:
        """The talk with the agent of this offer, who is joined with the caller already. Returns when the agent has hung up;
        CallGone when it was the caller."""
        session, now = self._session, self._call.now
        offer = self._offers.pop(offer_id)
        self._pops.tell("answered", only=offer_id)
        # The others ring no more since the answer; the router knows by it too.
        self._offers = {}
        self._talking = offer
        self._call.offered_to(_agent(offer), offer_id)
        self._tell_answered(offer)
        self._call.left_queue("answered")
        now.result, now.ended_by = "answered", "caller"
        session.around.callbacks.reached(now.from_number, now.call_id)
        # The agent's own leg tells of its end 10 to 30 ms before the caller's leg tells of the parting.
        self._freed = False
        session.control.subscribe(offer_id, lambda _: self._free(offer))
        try:
            now.ended_by = talk.talk(session, recorded=self._recorded(offer))
        finally:
            session.control.unsubscribe(offer_id)
            if not session.let_go:
                self._talk_ended(offer)
        self._call.talk_over()

    def talk_was_over(self) -> None:
        """The call was taken over after its talk, which outlived the process that began it; the browser is told."""
        now = self._call.now
        agent = AgentProfile(now.agent_id or 0, now.agent or "", now.extension or "")
        Popping(self._session, {now.offer_id or "": agent}).tell("ended")

    def _recorded(self, offer: MakeOffer) -> bool:
        """As the agent's own setting says, else the queue's."""
        profile = self._session.snapshot.roster.agent(offer.extension)
        own = None if profile is None else profile.settings.recorded
        return self._rule.recorded if own is None else own

    def _free(self, offer: MakeOffer) -> None:
        """The agent has hung up, or has been: told to the router once, by whichever leg tells it first."""
        if not self._freed:
            self._freed = True
            if not self._session.gone.is_set():
                self._call.parted()
            at = self._session.clock.timestamp()
            dropped = self._session.cut_off
            self._session.tell_router(
                TalkEnded(at=at, offer_id=offer.offer_id, agent_id=offer.agent_id, dropped=dropped)
            )

    def _talk_ended(self, offer: MakeOffer) -> None:
        self._free(offer)
        self._pops.tell("ended")
        self._attempt = self._talking = None

    # --- what others are told ---

    def announce_again(self) -> None:
        """Redis may have forgotten; tell it where these offers stand."""
        if self._talking is not None:
            self._tell_answered(self._talking)
        for offer in self._offers.values():
            self._tell_offered(offer)

    def _tell_offered(self, offer: MakeOffer) -> None:
        self._session.around.outbox.put("HSET", keys.OFFERS, offer.offer_id, encode(offer).decode())
        self._session.tell_router(offer.seen(self._session.clock.timestamp()))

    def _tell_answered(self, offer: MakeOffer) -> None:
        self._session.tell_router(
            OfferAnswered(
                at=self._session.clock.timestamp(),
                offer_id=offer.offer_id,
                entry_id=offer.entry_id,
                call_id=offer.call_id,
                queue=offer.queue,
                agent_id=offer.agent_id,
            )
        )


def _agent(offer: MakeOffer) -> AgentProfile:
    return AgentProfile(offer.agent_id, offer.agent_name, offer.extension)
