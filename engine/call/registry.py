"""The calls that this process owns, and the way decisions of the router reach them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from engine.live import keys
from engine.live.list_reader import ListReader
from engine.live.outbox import Outbox
from engine.routing.events import (
    CloseOffer,
    EntryLeft,
    MakeOffer,
    OfferFailed,
    PlaceEntry,
    ReleaseEntry,
    TakenOver,
)
from engine.routing.telling import tell_router

if TYPE_CHECKING:
    from engine.call.callbacks import Callbacks
    from engine.call.session import Session

MOST_REMEMBERED = 1000
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
        self, process_id: str, *, redis_url: str, registry: Registry, outbox: Outbox, callbacks: Callbacks
    ) -> None:
        self._registry = registry
        self._outbox = outbox
        self._callbacks = callbacks
        self._reader = ListReader(redis_url, keys.inbox(process_id), lambda text: self._hand_over(_decode(text)))

    def start(self) -> None:
        self._reader.start()

    def stop(self) -> None:
        self._reader.stop()

    def _hand_over(self, decision: MakeOffer | CloseOffer | ReleaseEntry | PlaceEntry | TakenOver) -> None:
        session = self._registry.find(decision.call_id)
        if isinstance(decision, TakenOver):
            if session is not None:
                session.step_aside()
        elif session is not None:
            session.mailbox.put(decision)
        elif self._callbacks.deliver(decision):
            return
        elif isinstance(decision, MakeOffer) and not self._registry.was_let_go(decision.call_id):
            # Nobody waits here under that name, whatever Redis remembers; without this it would be offered for ever.
            tell_router(self._outbox, EntryLeft(at=decision.at, entry_id=decision.entry_id))
            failed = OfferFailed(at=decision.at, offer_id=decision.offer_id, result="caller_left")
            tell_router(self._outbox, failed)
            self._outbox.put("HDEL", keys.WAITING, decision.entry_id)
            self._outbox.put("ZREM", keys.queue(decision.queue), decision.entry_id)
