"""The calls that this process owns, and the way decisions of the router reach them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import gevent
import msgspec
import structlog

from engine.live import keys
from engine.live.connection import RedisError
from engine.live.outbox import Outbox
from engine.live.wire import Wire
from engine.routing.events import (
    CloseOffer,
    EntryLeft,
    Event,
    MakeOffer,
    OfferFailed,
    PlaceEntry,
    ReleaseEntry,
    TakenOver,
    encode,
)

if TYPE_CHECKING:
    from engine.call.callbacks import Callbacks
    from engine.call.session import Session

log = structlog.get_logger(__name__)

READ_SECONDS = 5
_READ_AT_MOST = 200
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
        self, process_id: str, *, wire: Wire, registry: Registry, outbox: Outbox, callbacks: Callbacks
    ) -> None:
        self._key = keys.inbox(process_id)
        self._wire = wire
        self._registry = registry
        self._outbox = outbox
        self._callbacks = callbacks
        self._greenlet: gevent.Greenlet[..., None] | None = None

    def start(self) -> None:
        self._greenlet = gevent.spawn(self._run)

    def stop(self) -> None:
        if self._greenlet is not None:
            self._greenlet.kill()

    def _run(self) -> None:
        while True:
            try:
                read = self._wire.ask("BLMPOP", READ_SECONDS, 1, self._key, "LEFT", "COUNT", _READ_AT_MOST)
            except (RedisError, OSError) as error:
                log.warning("inbox not read", error=str(error))
                gevent.sleep(0.2)
                continue
            for text in read[1] if read else ():
                try:
                    self._hand_over(_decode(text))
                except msgspec.MsgspecError as error:
                    log.error("decision not understood, passed over", error=str(error), data=text[:200])

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
            self._tell(EntryLeft(at=decision.at, entry_id=decision.entry_id))
            self._tell(OfferFailed(at=decision.at, offer_id=decision.offer_id, result="caller_left"))
            self._outbox.put("HDEL", keys.WAITING, decision.entry_id)
            self._outbox.put("ZREM", keys.queue(decision.queue), decision.entry_id)

    def _tell(self, event: Event) -> None:
        self._outbox.put(
            "XADD", keys.ROUTER_EVENTS, "MAXLEN", "~", keys.ROUTER_EVENTS_KEPT, "*", "data", encode(event).decode()
        )
