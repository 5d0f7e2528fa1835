"""Ringing an agent for a callback: nobody is on the line yet, so their phone is rung from the control link and, once it is
picked up, led into the dialplan, which brings it to a session as any call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import gevent
import msgspec
import structlog
from gevent.event import Event

from conf.clock import Clock
from engine.call.leg import auto_answer, shown
from engine.call.mailbox import CAUSES
from engine.esl.control import Control
from engine.esl.errors import EslError, OriginateFailed
from engine.live.callbacks import Callback
from engine.live.screenpop import PopEvent, ScreenPop, ScreenPops
from engine.records.customers import Match
from engine.records.facts import OfferResult
from engine.records.lookups import Lookups
from engine.routing.events import MakeOffer

DIALLED: Final = "callback XML phones"
"""Where the agent's leg is sent when it was picked up. The dialplan takes any number; this one says in its log what it was."""

LOOKUP_SECONDS: Final = 0.5
FORGOTTEN_SECONDS: Final = 2.0
"""How long the switch may take to forget a leg that rang for the same attempt before."""

GRACE_SECONDS: Final = 10.0

log = structlog.get_logger(__name__)


def pop_of(callback: Callback, offer: MakeOffer, match: Match) -> ScreenPop:
    """What the agent's browser is told of a callback."""
    return ScreenPop(
        call_id=offer.call_id,
        offer_id=offer.offer_id,
        direction="OUTGOING",
        from_number=offer.extension,
        to_number=callback.number,
        queue=callback.queue,
        extension=offer.extension,
        agent_id=offer.agent_id,
        agent_name=offer.agent_name,
        customer=match.card,
        candidates=match.candidates,
        ivr_path=(),
    )


def kept(offer: MakeOffer) -> dict[str, object]:
    """An offer as a callback's record keeps it; its reasons are written down elsewhere."""
    data: dict[str, object] = msgspec.to_builtins(msgspec.structs.replace(offer, why={}))
    return data


def offer_of(callback: Callback) -> MakeOffer | None:
    return None if callback.offer is None else msgspec.convert(callback.offer, MakeOffer)


class Ring:
    """One agent's phone for one offer. `done` is told the result where nobody picked up, and None where somebody did."""

    def __init__(
        self,
        callback: Callback,
        offer: MakeOffer,
        *,
        control: Control,
        clock: Clock,
        pops: ScreenPops,
        lookups: Lookups,
        done: Callable[[MakeOffer, OfferResult | None], None],
    ) -> None:
        self.offer = offer
        self._callback = callback
        self._control = control
        self._clock = clock
        self._pops = pops
        self._lookups = lookups
        self._done = done
        self._pop: ScreenPop | None = None
        self._stopped = False
        self._greenlet = gevent.spawn(self._run)

    def stop(self) -> None:
        """The router has ended the offer."""
        self._stopped = True
        try:
            self._control.kill(self.offer.call_id)
        except EslError as error:
            log.info("leg left to the switch", leg=self.offer.call_id, error=str(error))

    def publish(self, event: PopEvent) -> None:
        if self._pop is not None:
            now = self._clock.now()
            waited = (now - self._callback.asked_at).total_seconds()
            self._pops.publish(event, self._pop, at=now, waited_seconds=waited)

    def _run(self) -> None:
        result: OfferResult | None = "failed"
        try:
            self._pop = pop_of(self._callback, self.offer, self._match())
            self.publish("offered")
            self._await_forgotten()
            if not self._stopped:
                self._originate()
                result = None
        except OriginateFailed as failed:
            result = CAUSES.get(failed.cause, "failed")
        except EslError as error:
            log.warning("agent not rung for a callback", callback=self._callback.callback_id, error=str(error))
        if result is not None:
            self.publish("missed")
        self._done(self.offer, result)

    def _originate(self) -> None:
        callback, offer = self._callback, self.offer
        number, name = shown(callback.number), shown(callback.name)
        variables = {
            "originate_timeout": str(max(1, offer.ring_seconds)),
            "ignore_early_media": "true",
            "origination_caller_id_number": number,
            "origination_caller_id_name": name or number,
            "pointsman_leg": "callback",
            "pointsman_callback": callback.callback_id,
            **(auto_answer() if offer.auto_answer else {}),
        }
        self._control.originate(
            offer.call_id,
            f"user/{offer.extension}",
            variables,
            DIALLED,
            timeout=self._clock.wall_seconds(offer.ring_seconds) + GRACE_SECONDS,
        )

    def _match(self) -> Match:
        found: list[Match] = []
        told = Event()

        def answer(match: Match) -> None:
            found.append(match)
            told.set()

        self._lookups.ask(self._callback.number, answer)
        told.wait(LOOKUP_SECONDS)
        return found[0] if found else Match()

    def _await_forgotten(self) -> None:
        """Another agent may have been rung under the same name a moment ago, and a name is given once at a time."""
        deadline = gevent.get_hub().loop.now() + FORGOTTEN_SECONDS
        while self._control.api(f"uuid_exists {self.offer.call_id}").strip() == "true":
            if gevent.get_hub().loop.now() > deadline:
                raise OriginateFailed("DESTINATION_OUT_OF_ORDER")
            gevent.sleep(0.02)
