"""A call's wait in a queue: music, its place told now and then, offers to agents as the router decides, and the ways out."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import structlog

from engine.call import recovery, talk
from engine.call.announcer import Announcer
from engine.call.callback_asking import Asking
from engine.call.callback_wish import CallbackWish
from engine.call.mailbox import Bridged, Left, Message, Parted, Pressed, Rang, Silent
from engine.call.offering import Offering
from engine.esl.errors import CallGone, EslError
from engine.live import keys
from engine.records.facts import QueueResult
from engine.routing.events import (
    CloseOffer,
    EntryAdded,
    EntryLeft,
    MakeOffer,
    PlaceEntry,
    ReleaseEntry,
    TalkEnded,
    encode,
)
from engine.routing.roster import QueueRule
from engine.routing.wishes import Wishes, wishes
from ivr.callback_dialogue import Done
from ivr.phone import QueueOutcome, QueueRequest

if TYPE_CHECKING:
    from engine.call.session import Session

DECISION_SECONDS: Final = 0.008
"""How long the router's first word is waited for in silence before the music begins."""

BATCH_SECONDS: Final = 0.03
"""How long after one offer of several that ring together the next one is waited for."""

_OUTCOMES: Final[dict[QueueResult, QueueOutcome]] = {
    "timeout": "timeout",
    "no_agent": "no_agent",
    "all_paused": "no_agent",
    "full": "full",
    "overflow": "full",
    "exit_key": "exit_key",
    "after_hours": "closed",
    "callback": "callback",
}
"""The exits of the flow's node by which a call leaves that the queue's own settings do not send elsewhere."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a wait ended. `to` is the destination that the queue's settings name for it, `moved_to` the queue in which a call
    waits on that somebody moved."""

    outcome: QueueOutcome
    to: Mapping[str, object] | None = None
    moved_to: str | None = None


ANSWERED: Final = Outcome("answered")

log = structlog.get_logger(__name__)


class Waiting:
    """One wait of one call. `run` returns how it ended, after the talk if there was one, and raises CallGone."""

    def __init__(self, session: Session, request: QueueRequest) -> None:
        self._session = session
        self._call = session.call
        self._request = request
        self._rule = session.snapshot.roster.queue(request.queue) or QueueRule(request.queue)
        self._offering = Offering(session, self._rule)
        self._announcer = Announcer(session, self._rule, anew=session.call.now.entry_id is None)
        self._asking: Asking | None = None
        self._entry: EntryAdded | None = None
        self._placed = False

    def run(self) -> Outcome:
        call, session = self._call, self._session
        if call.now.state == "talk":
            return self._talk_was_over()
        if call.now.entry_id is None or call.now.queue != self._request.queue:
            call.entered_queue(self._request.queue, self._request.priority, self._wishes())
        try:
            self._announcer.begin()
            self._announce_entry()
            # Where an agent is free the offer comes within milliseconds, and the music is then the ringing's.
            outcome = self._next(DECISION_SECONDS) or self._wait()
        except CallGone:
            if not session.let_go:
                self._caller_left()
            raise
        self._announcer.over()
        return outcome

    def _talk_was_over(self) -> Outcome:
        """The call was taken over after its talk, which outlived the process that began it."""
        session, now = self._session, self._call.now
        self._call.parted()
        if now.offer_id is not None and now.agent_id is not None:
            # The router may not have been told of the talk at all, nor of the end of an offer that it may have made since.
            session.tell_router(recovery.answered(now))
            session.tell_router(TalkEnded(at=session.clock.timestamp(), offer_id=now.offer_id, agent_id=now.agent_id))
            self._offering.talk_was_over()
        now.result, now.ended_by = "answered", "agent"
        talk.end_recording(session)
        self._call.talk_over()
        return ANSWERED

    def announce_again(self) -> None:
        """Redis may have forgotten; tell it where this call stands."""
        self._offering.announce_again()
        if self._call.now.entry_id is not None:
            self._announce_entry()

    # --- the wait ---

    def _wait(self) -> Outcome:
        session, announcer = self._session, self._announcer
        while True:
            ringing = self._offering.ringing
            if not ringing:
                announcer.play_music()
            asking = self._asking
            if ringing:
                message = session.mailbox.get(None)
            else:
                message = session.mailbox.get(announcer.wall_seconds() if asking is None else asking.wall_seconds)
            if message is not None:
                outcome = self._handle(message)
            elif asking is not None:
                outcome = self._asked(asking, asking.silence())
            else:
                announcer.speak()
                continue
            if outcome is not None:
                return outcome
            message = None  # half a KB, which would be kept until the next one comes

    def _next(self, seconds: float) -> Outcome | None:
        """What the message means that comes within this time, if any does."""
        message = self._session.mailbox.get(seconds)
        return None if message is None else self._handle(message)

    def _handle(self, message: Message) -> Outcome | None:
        if isinstance(message, Left):
            raise CallGone(self._session.link.hangup_cause)
        if isinstance(message, PlaceEntry) and message.entry_id == self._call.now.entry_id:
            self._placed = True
            self._call.placed(message.position, message.expected)
            if not self._offering.ringing and self._asking is None:
                self._announcer.placed(message.position, message.expected)
        elif isinstance(message, MakeOffer):
            if not self._placed and message.entry_id == self._call.now.entry_id:
                # Offered at once, it was next.
                self._placed = True
                self._call.placed(1)
            self._asking = None
            self._offering.ring(self._batch(message))
        elif isinstance(message, CloseOffer):
            if not self._offering.take_back(message.offer_id):
                self._end_foreign_leg(message.offer_id)
        elif isinstance(message, ReleaseEntry) and message.entry_id == self._call.now.entry_id:
            return self._released(message)
        elif isinstance(message, Pressed):
            return self._pressed(message.digit)
        elif isinstance(message, Silent):
            self._offering.silent(message)
        elif isinstance(message, Rang):
            self._offering.rang(message)
        elif isinstance(message, Bridged) and self._offering.is_of(message.leg_id):
            self._offering.talk(message.leg_id)
            return ANSWERED
        elif isinstance(message, Parted):
            # An agent answered in the very moment in which the offer was taken back.
            self._session.link.execute("set", "socket_resume=true")
        return None

    def _batch(self, first: MakeOffer) -> list[MakeOffer]:
        """An offer with those that are to ring beside it, which come right behind it."""
        offers, mailbox = [first], self._session.mailbox
        others: list[Message] = []
        while len(offers) < first.together and (message := mailbox.get(BATCH_SECONDS)) is not None:
            if isinstance(message, MakeOffer) and message.batch == first.batch:
                offers.append(message)
            else:
                others.append(message)
        for message in others:
            mailbox.put(message)
        return offers

    def _end_foreign_leg(self, leg_id: str) -> None:
        """End what the call's former process may have begun just before it died. It is waited for, so that the same phone is
        not rung again while it still rings."""
        with suppress(EslError):
            self._session.control.api(f"uuid_kill {leg_id}", timeout=talk.API_SECONDS)

    def _pressed(self, key: str) -> Outcome | None:
        """A key, also while a phone rings. One that leads nowhere does nothing."""
        if self._call.now.entry_id is None:
            return None
        if self._asking is not None:
            return self._asked(self._asking, self._asking.key(key))
        way = self._rule.settings.ways_out.keys.get(key)
        if way is not None:
            self._withdraw()
            return self._out("exit_key", way)
        if key == self._announcer.callback_key and not self._offering.ringing:
            self._ask_for_callback()
        return None

    def _ask_for_callback(self) -> None:
        wish = CallbackWish(self._session, self._request.queue, entry=self._entry)
        if wish.possible:
            self._asking = Asking(self._session, self._announcer, wish)
        else:
            self._announcer.say(["callback_impossible"])

    def _asked(self, asking: Asking, done: Done | None) -> Outcome | None:
        """What comes of it where the dialogue is over with that: who wants to be called back waits no more."""
        if done is None:
            return None
        self._asking = None
        if done.end != "taken":
            self._announcer.say(["callback_impossible" if done.end == "forbidden" else "callback_declined"])
            return None
        self._withdraw()
        outcome = asking.wish.made(done)
        left = self._out("callback", None)
        phone = self._session.phone
        phone.play(
            [str(path) for path in self._session.around.catalogue.paths([f"callback_{outcome}"], phone.language)]
        )
        return left

    def _withdraw(self) -> None:
        """The call waits no more by its own will; whoever is rung for it is rung no more."""
        entry_id = self._call.now.entry_id or ""
        self._offering.stop("missed")
        self._session.tell_router(EntryLeft(at=self._session.clock.timestamp(), entry_id=entry_id))

    def _released(self, release: ReleaseEntry) -> Outcome:
        if release.result == "moved" and release.queue is not None:
            self._leave("moved")
            if release.place_at is not None:
                self._call.now.place_at = release.place_at
            # The music of the other queue may be another.
            self._session.silence()
            return Outcome("timeout", moved_to=release.queue)
        ways = self._rule.settings.ways_out
        return self._out(release.result, getattr(ways, release.result, None))

    def _out(self, result: QueueResult, way: Mapping[str, object] | None) -> Outcome:
        self._leave(result)
        self._call.now.queue = None
        self._session.silence()
        self._call.enter("ivr")
        return Outcome(_OUTCOMES.get(result, "no_agent"), way)

    def _leave(self, result: QueueResult) -> None:
        self._call.left_queue(result)

    def _caller_left(self) -> None:
        """The caller has gone out of the queue; nothing that was begun may be left over."""
        now = self._call.now
        if now.entry_id is None:
            return
        entry_id = now.entry_id
        waited = 0.0 if now.entered_at is None else (self._session.clock.now() - now.entered_at).total_seconds()
        ringing = self._offering.ringing
        self._offering.stop("missed")
        short = waited < self._rule.short_abandon_seconds
        self._leave("short_abandon" if short else "abandoned")
        self._session.tell_router(EntryLeft(at=self._session.clock.timestamp(), entry_id=entry_id))
        now.result = "short_abandon" if short else "abandoned_ringing" if ringing else "abandoned_queue"

    def _wishes(self) -> Wishes:
        session = self._session
        return wishes(
            session.snapshot.roster,
            self._request.skills,
            card=session.match.card,
            number=self._call.now.to_number,
            language=session.phone.language,
        )

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
            needs=now.wishes.needs,
            exact=now.wishes.exact,
            place_at=now.place_at,
            caller=now.from_number,
            customer_id=now.customer_id,
            category=now.customer_category or "",
            responsible=now.wishes.responsible,
            last_agent=now.wishes.last_agent,
        )
        self._entry = entry
        self._session.around.outbox.put("HSET", keys.WAITING, now.entry_id, encode(entry).decode())
        self._session.around.outbox.put("ZADD", keys.queue(now.queue), "NX", entered, now.entry_id)
        self._session.tell_router(entry)
