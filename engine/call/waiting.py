"""A call's wait in a queue: music, its place told now and then, offers to agents as the router decides, and the ways out."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

import structlog

from engine.call import recovery, talk
from engine.call.audible import MUSIC, playable
from engine.call.leg import Attempt
from engine.call.mailbox import Bridged, Left, Message, Parted, Rang
from engine.esl.errors import CallGone, EslError
from engine.live import keys
from engine.live.connection import RedisError
from engine.live.screenpop import PopEvent, ScreenPop
from engine.records.facts import QueueResult
from engine.routing.events import (
    CloseOffer,
    EntryAdded,
    EntryLeft,
    MakeOffer,
    OfferAnswered,
    OfferFailed,
    OfferSeen,
    PlaceEntry,
    ReleaseEntry,
    TalkEnded,
    encode,
)
from engine.routing.roster import AgentProfile, QueueRule
from ivr.phone import QueueOutcome, QueueRequest
from sounds import spoken

if TYPE_CHECKING:
    from engine.call.session import Session

DECISION_SECONDS: Final = 0.03
"""How long the router's first word is waited for in silence before the music begins."""

_OUTCOMES: Final[dict[QueueResult, QueueOutcome]] = {
    "timeout": "timeout",
    "no_agent": "no_agent",
    "full": "full",
    "exit_key": "exit_key",
    "after_hours": "closed",
}

log = structlog.get_logger(__name__)


class Waiting:
    """One wait of one call. `run` returns how it ended, after the talk if there was one, and raises CallGone."""

    def __init__(self, session: Session, request: QueueRequest) -> None:
        self._session = session
        self._call = session.call
        self._request = request
        self._rule = session.snapshot.roster.queue(request.queue) or QueueRule(request.queue)
        self._attempt: Attempt | None = None
        self._offer: MakeOffer | None = None
        self._pop: ScreenPop | None = None
        self._waited: float | None = None
        self._music = False
        self._freed = False

    def run(self) -> QueueOutcome:
        call, session = self._call, self._session
        if call.now.state == "talk":
            return self._talk_was_over()
        if call.now.entry_id is None or call.now.queue != self._request.queue:
            call.entered_queue(self._request.queue, self._request.priority, self._request.skills)
        try:
            self._announce_entry()
            # Where an agent is free the offer comes within milliseconds, and the music is then the ringing's.
            first = session.mailbox.get(DECISION_SECONDS)
            outcome = None if first is None else self._handle(first)
            return outcome or self._wait()
        except CallGone:
            if not session.let_go:
                self._caller_left()
            raise

    def _talk_was_over(self) -> QueueOutcome:
        """The call was taken over after its talk, which outlived the process that began it."""
        session, now = self._session, self._call.now
        if now.offer_id is not None and now.agent_id is not None:
            # The router may not have been told of the talk at all, nor of the end of an offer that it may have made since.
            session.tell_router(recovery.answered(now))
            session.tell_router(TalkEnded(at=session.clock.timestamp(), offer_id=now.offer_id, agent_id=now.agent_id))
            self._pop = self._made_pop()
            self._publish("ended")
            self._pop = None
        now.result, now.ended_by = "answered", "agent"
        talk.end_recording(session)
        self._call.talk_over()
        self._call.enter("ivr")
        return "answered"

    def announce_again(self) -> None:
        """Redis may have forgotten; tell it where this call stands."""
        if self._offer is not None and self._call.now.state == "talk":
            self._tell_answered()
        elif self._call.now.entry_id is not None:
            if self._offer is not None:
                self._tell_offered(self._offer)
            self._announce_entry()

    # --- the wait ---

    def _wait(self) -> QueueOutcome:
        session = self._session
        comfort = self._rule.announce_seconds or None
        next_comfort = session.clock.monotonic() + (comfort or 0)
        while True:
            if self._offer is None:
                self._play_music()
            wait = None if comfort is None else session.clock.wall_seconds(next_comfort - session.clock.monotonic())
            message = session.mailbox.get(wait)
            if message is None:
                next_comfort = session.clock.monotonic() + (comfort or 0)
                if self._offer is None:
                    self._say_place()
                continue
            outcome = self._handle(message)
            if outcome is not None:
                return outcome

    def _handle(self, message: Message) -> QueueOutcome | None:
        if isinstance(message, Left):
            raise CallGone(self._session.link.hangup_cause)
        if isinstance(message, PlaceEntry) and message.entry_id == self._call.now.entry_id:
            self._call.placed(message.position)
            if message.position > 1 and self._rule.announce_seconds:
                self._speak(message.position)
        elif isinstance(message, MakeOffer):
            self._ring(message)
        elif isinstance(message, CloseOffer):
            if self._offer is not None and self._offer.offer_id == message.offer_id:
                self._stop_ringing("missed")
            else:
                self._end_foreign_leg(message.offer_id)
        elif isinstance(message, ReleaseEntry) and message.entry_id == self._call.now.entry_id:
            return self._released(message.result)
        elif isinstance(message, Rang) and self._offer is not None and message.leg_id == self._offer.offer_id:
            self._rang(message)
        elif isinstance(message, Bridged) and self._offer is not None and message.leg_id == self._offer.offer_id:
            return self._talk(self._offer)
        elif isinstance(message, Parted):
            # An agent answered in the very moment in which the offer was taken back.
            self._session.link.execute("set", "socket_resume=true")
        return None

    def _play_music(self) -> None:
        """Music from now till the end of the wait; what is said or rung meanwhile nests in it."""
        if not self._music:
            self._music = True
            self._session.link.execute("playback", MUSIC)

    def _say_place(self) -> None:
        entry_id, queue = self._call.now.entry_id, self._call.now.queue
        try:
            place = self._session.around.redis.zrank(keys.queue(queue or ""), entry_id)
        except (RedisError, OSError):
            return
        if place is not None:
            self._speak(place + 1)

    def _speak(self, position: int) -> None:
        """Say the caller's place over the music: an unlocked playback nests inside the one that runs, which then goes on."""
        self._play_music()
        language = self._session.phone.language
        files = self._session.around.catalogue.paths(spoken.position(position, language), language)
        self._session.link.execute("playback", playable(files))

    def _end_foreign_leg(self, leg_id: str) -> None:
        """End what the call's former process may have begun just before it died. It is waited for, so that the same phone is
        not rung again while it still rings."""
        with suppress(EslError):
            self._session.control.api(f"uuid_kill {leg_id}", timeout=talk.API_SECONDS)

    def _released(self, result: QueueResult) -> QueueOutcome:
        self._leave(result)
        self._call.now.queue = None
        self._session.silence()
        self._call.enter("ivr")
        return _OUTCOMES[result]

    def _leave(self, result: QueueResult) -> None:
        self._call.left_queue(result)

    def _caller_left(self) -> None:
        """The caller has gone out of the queue; nothing that was begun may be left over."""
        now = self._call.now
        if now.entry_id is None:
            return
        waited, entry_id = self._waits(), now.entry_id
        ringing = self._offer is not None
        self._stop_ringing("missed")
        short = waited < self._rule.short_abandon_seconds
        self._leave("short_abandon" if short else "abandoned")
        self._session.tell_router(EntryLeft(at=self._session.clock.timestamp(), entry_id=entry_id))
        now.result = "short_abandon" if short else "abandoned_ringing" if ringing else "abandoned_queue"

    def _announce_entry(self) -> None:
        now = self._call.now
        if now.entry_id is None or now.entered_at is None or now.queue is None:
            return
        entered = now.entered_at.timestamp()
        entry = EntryAdded(
            at=self._session.clock.timestamp(),
            entry_id=now.entry_id,
            call_id=now.call_id,
            queue=now.queue,
            owner=self._session.around.process_id,
            entered_at=entered,
            priority=now.priority,
            needs=now.needs,
        )
        self._session.around.outbox.put("HSET", keys.WAITING, now.entry_id, encode(entry).decode())
        self._session.around.outbox.put("ZADD", keys.queue(now.queue), entered, now.entry_id)
        self._session.tell_router(entry)

    # --- offers ---

    def _ring(self, offer: MakeOffer) -> None:
        if offer.entry_id != self._call.now.entry_id:
            self._session.tell_router(
                OfferFailed(at=self._session.clock.timestamp(), offer_id=offer.offer_id, result="caller_left")
            )
            return
        self._stop_ringing("missed")
        session, now = self._session, self._call.now
        self._offer = offer
        agent = AgentProfile(offer.agent_id, offer.agent_name, offer.extension)
        self._call.offered_to(agent, offer.offer_id)
        self._pop = self._made_pop()
        self._publish("offered")
        legs = {offer.offer_id: f"user/{offer.extension}"}
        self._attempt = Attempt(session.link, session.control, legs, session.mailbox.put)
        self._attempt.ring(
            offer.ring_seconds, caller_number=now.from_number, caller_name=now.customer_name or now.caller_name
        )

    def _tell_offered(self, offer: MakeOffer) -> None:
        self._session.around.outbox.put("HSET", keys.OFFERS, offer.offer_id, encode(offer).decode())
        self._session.tell_router(
            OfferSeen(
                at=self._session.clock.timestamp(),
                offer_id=offer.offer_id,
                entry_id=offer.entry_id,
                call_id=offer.call_id,
                queue=offer.queue,
                agent_id=offer.agent_id,
                offered_at=offer.at,
                expires_at=offer.expires_at,
                owner=offer.owner,
            )
        )

    def _made_pop(self) -> ScreenPop:
        session, now = self._session, self._call.now
        match = session.match
        return ScreenPop(
            call_id=now.call_id,
            offer_id=now.offer_id or "",
            direction="OUTGOING" if now.direction == "outbound" else "INCOMING",
            from_number=now.from_number,
            to_number=now.to_number,
            queue=now.queue,
            extension=now.extension or "",
            agent_id=now.agent_id or 0,
            agent_name=now.agent or "",
            customer=match.card,
            candidates=match.candidates,
            ivr_path=tuple(now.ivr_path),
        )

    def _publish(self, event: PopEvent) -> None:
        if self._pop is not None:
            waited = self._waits() if self._waited is None else self._waited
            self._session.around.pops.publish(event, self._pop, at=self._session.clock.now(), waited_seconds=waited)

    def _waits(self) -> float:
        """Seconds since the call came into the queue."""
        entered = self._call.now.entered_at
        return 0.0 if entered is None else (self._session.clock.now() - entered).total_seconds()

    def _stop_ringing(self, event: PopEvent) -> None:
        if self._attempt is not None:
            self._attempt.cancel()
        if self._offer is not None:
            self._publish(event)
            self._call.offered_to(None, None)
        self._attempt = self._offer = self._pop = None

    def _rang(self, rang: Rang) -> None:
        session = self._session
        if self._offer is not None:
            at = session.clock.timestamp()
            session.tell_router(OfferFailed(at=at, offer_id=self._offer.offer_id, result=rang.result))
        # The leg is no more; there is nothing to cancel.
        self._attempt = None
        self._stop_ringing("missed")

    def _talk(self, offer: MakeOffer) -> QueueOutcome:
        session, now = self._session, self._call.now
        self._waited = self._waits()
        self._publish("answered")
        self._tell_answered()
        self._leave("answered")
        now.result = "answered"
        now.ended_by = "caller"
        # The agent's own leg tells of its end 10 to 30 ms before the caller's leg tells of the parting.
        self._freed = False
        session.control.subscribe(offer.offer_id, lambda _: self._free(offer))
        try:
            now.ended_by = talk.talk(session, recorded=self._rule.recorded)
        finally:
            session.control.unsubscribe(offer.offer_id)
            if not session.let_go:
                self._talk_ended(offer)
        self._call.enter("ivr")
        return "answered"

    def _free(self, offer: MakeOffer) -> None:
        """The agent has hung up, or has been: told to the router once, by whichever leg tells it first."""
        if not self._freed:
            self._freed = True
            at = self._session.clock.timestamp()
            self._session.tell_router(TalkEnded(at=at, offer_id=offer.offer_id, agent_id=offer.agent_id))

    def _talk_ended(self, offer: MakeOffer) -> None:
        self._free(offer)
        self._publish("ended")
        self._call.talk_over()
        self._attempt = self._offer = self._pop = None

    def _tell_answered(self) -> None:
        offer = self._offer
        if offer is not None:
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
