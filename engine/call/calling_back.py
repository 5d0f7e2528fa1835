"""Calling a customer back: the agent has picked up and holds the line, and the customer is called for them.

The leg of this call is the agent's. The customer's leg bears the offer's name, as an agent's does in other calls, so the talk
is found under it by whoever takes the call over.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

import gevent
import structlog

from conf.errors import PointsmanError
from engine.call import talk
from engine.call.audible import RINGING, playable
from engine.call.callback_ring import offer_of, pop_of
from engine.call.leg import Attempt, Ringing
from engine.call.mailbox import Bridged, Left, Rang
from engine.call.phone import EslPhone
from engine.call.trunk import NumberForbidden
from engine.esl.errors import CallGone
from engine.live import keys
from engine.live.callbacks import Callback
from engine.live.screenpop import PopEvent
from engine.records.facts import CallbackResult
from engine.records.queues import CallbackRules
from engine.routing.events import MakeOffer, OfferAnswered, TalkEnded
from engine.routing.roster import QueueRule

if TYPE_CHECKING:
    from engine.call.session import Session

RING_SECONDS: Final = 35
ACCEPT_KEY: Final = "1"
NEWS_SECONDS: Final = 0.3
"""How long the end of the customer's leg may be told after that of the attempt, by another connection."""

PROMPT_LANGUAGE: Final = "en"
"""What agents are told in."""

log = structlog.get_logger(__name__)


class CallingBack:
    """One attempt for one callback. `run` ends with the call: always by CallGone."""

    def __init__(self, session: Session, callback: Callback, offer: MakeOffer) -> None:
        self._session = session
        self._callback = callback
        self._offer = offer
        rule = session.snapshot.roster.queue(callback.queue)
        self._rule = rule or QueueRule(callback.queue)
        self._rules = self._rule.settings.callback or CallbackRules()
        self._result: CallbackResult = "agent_left"
        self._was_answered = gevent.event.Event()
        self._picked_up = False
        self._freed = False

    def run(self, *, anew: bool) -> None:
        """Tell the agent, call the customer, and let them talk. `anew` is False where another process has begun it."""
        session, now = self._session, self._session.call.now
        session.phone = EslPhone(session, session.link, language=PROMPT_LANGUAGE, catalogue=session.around.catalogue)
        now.result, now.ended_by = "abandoned_ringing", "agent"
        self._tell_answered()
        try:
            if anew:
                self._say("callback_agent")
            self._result = self._reach()
            if self._result == "answered":
                self._talk()
            else:
                self._publish("missed")
                now.ended_by = "system"
                self._say("callback_not_reached")
            # Their phone is free for another call only then.
            session.hang_up()
        finally:
            if not session.let_go:
                self._over()

    def was_over(self) -> None:
        """The call was taken over after the talk, which outlived the process that began it."""
        session, now = self._session, self._session.call.now
        now.result, now.ended_by = "answered", "caller"
        self._result = "answered"
        try:
            talk.end_recording(session)
            session.hang_up()
        finally:
            if not session.let_go:
                self._over()

    # --- the customer ---

    def _reach(self) -> CallbackResult:
        """Ring the customer, and say who calls; `answered` when they are joined with the agent. CallGone where the agent
        leaves before."""
        session = self._session
        try:
            endpoint, shown = self._endpoint()
        except NumberForbidden as error:
            log.warning("not called back", callback=self._callback.callback_id, why=str(error))
            return "forbidden"
        leg_id = self._offer.offer_id
        session.link.execute("set", f"transfer_ringback={RINGING}")
        session.control.subscribe(leg_id, self._leg_ended)
        attempt = Attempt(session.link, session.control, {leg_id: Ringing(endpoint)}, session.mailbox.put)
        attempt.ring(
            RING_SECONDS,
            caller_number=shown,
            caller_name="",
            whisper=self._greeting(),
            confirm_key=ACCEPT_KEY if self._rules.confirmed else "",
        )
        try:
            return self._outcome(attempt)
        finally:
            session.control.unsubscribe(leg_id)

    def _outcome(self, attempt: Attempt) -> CallbackResult:
        mailbox = self._session.mailbox
        while True:
            message = mailbox.get(None)
            if isinstance(message, Left):
                raise CallGone(self._session.link.hangup_cause)
            if isinstance(message, Bridged) and message.leg_id == attempt.name:
                return "answered"
            if isinstance(message, Rang) and message.leg_id == attempt.name:
                return self._judged(message)

    def _judged(self, rang: Rang) -> CallbackResult:
        self._session.call.now.result = "no_answer"
        self._was_answered.wait(NEWS_SECONDS)
        if self._picked_up and rang.result != "rejected":
            return "machine"
        if rang.result in ("no_answer", "busy", "rejected", "unreachable"):
            self._session.call.now.result = rang.result
            return rang.result
        self._session.call.now.result = "unreachable"
        return "failed"

    def _leg_ended(self, event: object) -> None:
        """The customer's leg is gone. Runs where the control link is read."""
        answered = getattr(event, "get", lambda _: None)("Caller-Channel-Answered-Time") or "0"
        self._picked_up = answered.isdigit() and answered != "0"
        self._was_answered.set()

    def _endpoint(self) -> tuple[str, str]:
        """How the customer is reached, and which number they are shown."""
        session, number = self._session, self._callback.number
        shown = self._callback.called or session.call.now.from_number
        if number in session.snapshot.plan.extensions:
            return f"user/{number}", shown
        endpoint = session.around.house.trunk.endpoint(number)
        return endpoint.dial_string, endpoint.caller_number or shown

    def _greeting(self) -> str:
        """What the customer hears before the agent."""
        wanted = ["callback_greeting", *(["callback_accept"] if self._rules.confirmed else [])]
        catalogue = self._session.around.catalogue
        found = []
        for name in wanted:
            with suppress(PointsmanError):
                found.append(catalogue.find(name, self._callback.language).path)
        return playable(found) if found else ""

    def _talk(self) -> None:
        session, now = self._session, self._session.call.now
        now.result = "answered"
        session.call.answered()
        self._publish("answered")
        self._close()
        now.ended_by = "agent"
        # The agent hangs up: CallGone. The customer does: this goes on.
        talk.talk(session, recorded=self._recorded)
        now.ended_by = "caller"

    @property
    def _recorded(self) -> bool:
        profile = self._session.snapshot.roster.agent(self._offer.extension)
        own = None if profile is None else profile.settings.recorded
        return self._rule.recorded if own is None else own

    # --- what others are told ---

    def _say(self, prompt: str) -> None:
        with suppress(PointsmanError):
            found = self._session.around.catalogue.find(prompt, PROMPT_LANGUAGE)
            self._session.phone.play([str(found.path)])

    def _tell_answered(self) -> None:
        session, offer = self._session, self._offer
        session.around.outbox.put("HDEL", keys.WAITING, offer.entry_id)
        session.around.outbox.put("ZREM", keys.queue(offer.queue), offer.entry_id)
        session.tell_router(
            OfferAnswered(
                at=session.clock.timestamp(),
                offer_id=offer.offer_id,
                entry_id=offer.entry_id,
                call_id=offer.call_id,
                queue=offer.queue,
                agent_id=offer.agent_id,
            )
        )

    announce_again = _tell_answered

    def _close(self) -> None:
        """What came of the attempt is written down, once."""
        if not self._callback_closed:
            self._callback_closed = True
            self._session.around.callbacks.tried(
                self._callback,
                self._result,
                started_at=self._session.call.now.started_at,
                agent_id=self._offer.agent_id,
                extension=self._offer.extension,
            )

    _callback_closed = False

    def _over(self) -> None:
        session, offer = self._session, self._offer
        if self._result == "answered":
            self._publish("ended")
        self._close()
        session.tell_router(TalkEnded(at=session.clock.timestamp(), offer_id=offer.offer_id, agent_id=offer.agent_id))

    def _publish(self, event: PopEvent) -> None:
        session = self._session
        pop = pop_of(self._callback, self._offer, session.match)
        now = session.clock.now()
        waited = (now - self._callback.asked_at).total_seconds()
        session.around.pops.publish(event, pop, at=now, waited_seconds=waited)


def call_back(session: Session, *, anew: bool) -> None:
    """The whole of a call that calls a customer back; always ends by CallGone."""
    now = session.call.now
    callback = session.around.callbacks.take(now.callback_id or "", now.call_id)
    offer = None if callback is None else offer_of(callback)
    if (
        now.state == "talk"
        and now.offer_id is not None
        and now.agent_id is not None
        and (callback is None or offer is None)
    ):
        # The talk is over; that the customer was reached is written down already.
        now.result, now.ended_by = "answered", "caller"
        try:
            talk.end_recording(session)
            session.hang_up()
        finally:
            if not session.let_go:
                at = session.clock.timestamp()
                session.tell_router(TalkEnded(at=at, offer_id=now.offer_id, agent_id=now.agent_id))
    if callback is None or offer is None:
        now.result = now.result or "abandoned_ringing"
        session.hang_up()
        return
    calling = CallingBack(session, callback, offer)
    session.calling_back = calling
    if now.state == "talk":
        calling.was_over()
    calling.run(anew=anew)
