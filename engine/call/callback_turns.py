"""The turns of callbacks: each waits in the router as any call does, and the phone of an agent who is offered it rings."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Final

import msgspec
import structlog

from conf.clock import Clock
from engine.call.callback_ring import Ring, kept
from engine.call.switches import Switches
from engine.live import keys
from engine.live.callbacks import Callback
from engine.live.outbox import Outbox
from engine.live.screenpop import ScreenPops
from engine.records.facts import OfferResult
from engine.records.lookups import Lookups
from engine.routing.events import EntryAdded, EntryLeft, MakeOffer, OfferFailed, encode
from engine.routing.telling import tell_router

FAR_AHEAD: Final = timedelta(days=365)
"""The place of one that somebody asked to be tried now: before everybody's."""

log = structlog.get_logger(__name__)


class CallbackTurns:
    """What one process tells the router of callbacks, and does as the router decides. Methods may be called from any greenlet
    and never raise."""

    def __init__(
        self,
        *,
        process_id: str,
        clock: Clock,
        outbox: Outbox,
        switches: Switches,
        pops: ScreenPops,
        lookups: Lookups,
        mine: Mapping[str, Callback],
        keep: Callable[[Callback], None],
    ) -> None:
        """`mine` are those that the process looks after, by their ids; `keep` writes down what has become of one."""
        self._process_id = process_id
        self._clock = clock
        self._outbox = outbox
        self._switches = switches
        self._pops = pops
        self._lookups = lookups
        self._mine = mine
        self._keep = keep
        self._rings: dict[str, Ring] = {}
        self._lost: set[str] = set()

    def begin(self, callback: Callback) -> None:
        """Let it wait in the router from now on."""
        callback.entry_id = str(uuid.uuid4())
        callback.attempt_id = callback.attempt_id or str(uuid.uuid4())
        self._keep(callback)
        self.announce(callback)

    def announce(self, callback: Callback) -> None:
        """Tell the router that it waits."""
        entry: EntryAdded = msgspec.convert(callback.entry, EntryAdded)
        place_at = entry.place_at or entry.entered_at
        if callback.at_once:
            place_at -= FAR_AHEAD.total_seconds()
        entry = msgspec.structs.replace(
            entry,
            at=self._clock.timestamp(),
            entry_id=callback.entry_id or "",
            call_id=callback.attempt_id,
            queue=callback.queue,
            owner=self._process_id,
            kind="callback",
            place_at=place_at,
        )
        self._outbox.put("HSET", keys.WAITING, entry.entry_id, encode(entry).decode())
        tell_router(self._outbox, entry)

    def announce_lost(self, lost: Collection[str]) -> None:
        """`lost` are entries that Redis knows nothing of. Those that should wait, and were lost at the last look too, are told
        again; what was found once may be changing this very moment."""
        again, self._lost = self._lost.intersection(lost), set(lost)
        for callback in list(self._mine.values()):
            if callback.state == "owed" and callback.offer is None and callback.entry_id in again:
                log.warning("callback announced again", callback=callback.callback_id)
                self._keep(callback)
                self.announce(callback)

    def withdraw(self, callback: Callback) -> None:
        """It waits no more; a phone that rings for it stops."""
        ring = self._rings.get(callback.callback_id)
        if ring is not None:
            ring.stop()
        self.leave(callback, answered=callback.state != "owed")

    def leave(self, callback: Callback, *, answered: bool = False) -> None:
        """Its place in the queue is gone. Where it was `answered` the router knows."""
        if callback.entry_id is not None:
            self._outbox.put("HDEL", keys.WAITING, callback.entry_id)
            self._outbox.put("ZREM", keys.queue(callback.queue), callback.entry_id)
            if not answered:
                tell_router(self._outbox, EntryLeft(at=self._clock.timestamp(), entry_id=callback.entry_id))
        callback.entry_id = None

    def rest(self, callback: Callback, due_at: datetime) -> None:
        """Its next turn is not before that."""
        callback.state, callback.due_at = "owed", due_at
        callback.entry_id = callback.offer = callback.tried_at = None
        callback.at_once = False
        callback.attempt_id = str(uuid.uuid4())
        self._keep(callback)

    def offered(self, callback: Callback, offer: MakeOffer) -> None:
        """The router has chosen an agent for it."""
        if offer.entry_id != callback.entry_id or callback.state != "owed":
            self._failed(offer, "caller_left")
            return
        callback.offer, callback.tried_at = kept(offer), callback.tried_at or offer.at
        self._keep(callback)
        self._rings[callback.callback_id] = Ring(
            callback,
            offer,
            control=self._switches.named(callback.switch),
            clock=self._clock,
            pops=self._pops,
            lookups=self._lookups,
            done=lambda offer, result: self._rang(callback, offer, result),
        )

    def offer_closed(self, callback: Callback, offer_id: str) -> None:
        """The router has ended an offer."""
        ring = self._rings.get(callback.callback_id)
        if ring is not None and ring.offer.offer_id == offer_id:
            ring.stop()

    def _rang(self, callback: Callback, offer: MakeOffer, result: OfferResult | None) -> None:
        """The agent's phone was picked up (None), or was not."""
        ring = self._rings.get(callback.callback_id)
        if ring is not None and ring.offer.offer_id == offer.offer_id:
            del self._rings[callback.callback_id]
        if result is None:
            return
        if callback.state == "owed" and self._mine.get(callback.callback_id) is callback:
            callback.offer = None
            self._keep(callback)
        self._failed(offer, result)

    def _failed(self, offer: MakeOffer, result: OfferResult) -> None:
        at = self._clock.timestamp()
        tell_router(self._outbox, OfferFailed(at=at, offer_id=offer.offer_id, result=result))
