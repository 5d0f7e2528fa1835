"""The calls that this process owns, and the way decisions of the router reach them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec
import structlog

from engine.live import keys
from engine.live.connection import Redis, RedisError
from engine.live.list_reader import ListReader
from engine.live.outbox import Outbox
from engine.live.understood import understood
from engine.routing.events import (
    CloseOffer,
    MakeOffer,
    OfferFailed,
    PlaceEntry,
    ReleaseEntry,
    TakenOver,
)
from engine.routing.telling import forget_entry, tell_router

if TYPE_CHECKING:
    from engine.call.callbacks import Callbacks
    from engine.call.session import Session

MOST_REMEMBERED = 1000
MOST_OFFERS = 10_000
"""More than one process makes in the time that an offer stands."""

log = structlog.get_logger(__name__)
_decode = msgspec.json.Decoder(MakeOffer | CloseOffer | ReleaseEntry | PlaceEntry | TakenOver).decode


class Registry:
    """Who is here. A call is entered while its session runs."""

    def __init__(self) -> None:
        self._sessions: dict[str, Session] = {}
        self._let_go: dict[str, None] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    def __iter__(self) -> Iterator[Session]:
        return iter(list(self._sessions.values()))

    def __contains__(self, call_id: str) -> bool:
        return call_id in self._sessions

    def enter(self, session: Session) -> None:
        """One that was here under the same name is on a socket that FreeSWITCH has opened another one beside."""
        former = self._sessions.get(session.call.call_id)
        self._sessions[session.call.call_id] = session
        if former is not None:
            former.step_aside()

    def leave(self, session: Session) -> None:
        if self._sessions.get(session.call.call_id) is session:
            del self._sessions[session.call.call_id]
            if session.let_go:
                self._let_go[session.call.call_id] = None
                while len(self._let_go) > MOST_REMEMBERED:
                    del self._let_go[next(iter(self._let_go))]

    def was_let_go(self, call_id: str) -> bool:
        """Whether the call was here and is now another process's, or lost; no word on it is due from here."""
        return call_id in self._let_go

    def find(self, call_id: str) -> Session | None:
        return self._sessions.get(call_id)

    def announce_again(self) -> None:
        """Redis has been away: let every call tell it again where it stands."""
        for session in self:
            session.announce_again()


class Inbox:
    """Reads what the router decided for this process's calls and hands it to them."""

    def __init__(
        self,
        process_id: str,
        *,
        redis_url: str,
        redis: Redis,
        registry: Registry,
        outbox: Outbox,
        callbacks: Callbacks,
    ) -> None:
        self._registry = registry
        self._outbox = outbox
        self._callbacks = callbacks
        self._process_id = process_id
        self._redis = redis
        self._offers: dict[str, None] = {}
        """Those that were handed over, the oldest first."""
        self._reader = ListReader(
            redis_url,
            keys.inbox(process_id),
            lambda text: self._hand_over(_decode(text)),
            on_return=self._find_lost,
        )

    def start(self) -> None:
        self._reader.start()

    def stop(self) -> None:
        self._reader.stop()

    def _find_lost(self) -> None:
        """What was taken off the list for a connection that had broken reached nobody: of an offer neither its agent nor its
        caller would hear before it runs out."""
        try:
            offers = self._redis.hvals(keys.OFFERS)
        except (RedisError, OSError) as error:
            log.warning("offers not looked at", error=str(error))
            return
        for offer in understood(offers, MakeOffer):
            if offer.owner == self._process_id:
                self._hand_over(offer)

    def _handed(self, offer_id: str) -> bool:
        """Whether this offer was handed over before; it is from now on."""
        if offer_id in self._offers:
            return True
        self._offers[offer_id] = None
        if len(self._offers) > MOST_OFFERS:
            del self._offers[next(iter(self._offers))]
        return False

    def _hand_over(self, decision: MakeOffer | CloseOffer | ReleaseEntry | PlaceEntry | TakenOver) -> None:
        session = self._registry.find(decision.call_id)
        if isinstance(decision, MakeOffer) and self._handed(decision.offer_id):
            return
        if isinstance(decision, TakenOver):
            if session is not None:
                session.step_aside()
        elif session is not None:
            session.mailbox.put(decision)
        elif self._callbacks.deliver(decision):
            return
        elif isinstance(decision, MakeOffer) and not self._registry.was_let_go(decision.call_id):
            # Nobody waits here under that name, whatever Redis remembers; without this it would be offered for ever.
            forget_entry(self._outbox, decision.entry_id, decision.queue, decision.at)
            failed = OfferFailed(at=decision.at, offer_id=decision.offer_id, result="caller_left")
            tell_router(self._outbox, failed)
