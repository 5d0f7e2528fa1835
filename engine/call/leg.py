"""Getting an agent, or a number outside, to the phone.

It is rung by `bridge` on the caller's own leg: FreeSWITCH then joins the two in the moment of the answer, without a round trip
to us (40 ms against 60 by originate and uuid_bridge, which moreover lost one call in a hundred: switch_ivr_bridge.c,
uuid_bridge_on_soft_execute), cancels the phone by itself when the caller goes, and after the talk the caller is where they
were, on the same socket. The caller keeps hearing the queue's music, as `transfer_ringback`. The leg bears a name that we
chose, for an offer the offer's, so it can be found and ended from anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

import structlog

from engine.call.mailbox import CAUSES, Rang, Silent
from engine.esl import commands
from engine.esl.awaited import Execution
from engine.esl.control import OWNER_VARIABLE, Control
from engine.esl.errors import CallGone, EslError
from engine.esl.frames import Event
from engine.esl.outbound import CallLink
from engine.records.facts import OfferResult
from engine.routing.offering import WHISPER_SECONDS

log = structlog.get_logger(__name__)

_NOT_SHOWN: Final = re.compile(r"[^\w .+@-]", re.ASCII)


def shown(text: str) -> str:
    """A foreign name or number as a phone may be shown it: what could mean anything to a switch is left out."""
    return " ".join(_NOT_SHOWN.sub(" ", text).split())[:60]


@dataclass(frozen=True, slots=True)
class Ringing:
    """One phone of an attempt: its `endpoint`, and of its own how many seconds after the others it begins to ring, and for
    how long it does (None: as long as the attempt lasts). Where no phone rings any more the next one begins at once."""

    endpoint: str
    delay_seconds: int = 0
    seconds: int | None = None
    auto_answer: bool = False


class Attempt:
    """One attempt to get somebody to the phone: `legs` (uuid -> phone) ring together, each after its delay, and the first to
    answer has the call, which CHANNEL_BRIDGE on the caller's leg tells. `tell` is given `Silent` for each of several that
    rings no more, and `Rang` when all of it came to nothing."""

    def __init__(
        self, link: CallLink, control: Control, legs: Mapping[str, Ringing], tell: Callable[[Rang | Silent], None]
    ) -> None:
        self.legs = legs
        self._link = link
        self._control = control
        self._tell = tell
        self._whispers = False
        self._watched = tuple(legs) if len(legs) > 1 else ()

    @property
    def name(self) -> str:
        """The uuid of the first leg."""
        return next(iter(self.legs))

    def ring(
        self, seconds: float, *, caller_number: str, caller_name: str, whisper: str = "", confirm_key: str = ""
    ) -> None:
        """Begin to ring for at most `seconds`; comes back at once. Who answers hears `whisper` (as `playback` takes it)
        first, while the caller goes on hearing what they hear; with `confirm_key` they hear it till they press that key, and
        who does not is taken not to have answered. CallGone."""
        number, name = shown(caller_number), shown(caller_name)
        rings = max(1, round(seconds))
        values = {
            "originate_timeout": str(rings),
            "ignore_early_media": "true",
            "origination_caller_id_number": number or "anonymous",
            "origination_caller_id_name": name or number or "anonymous",
            "pointsman_leg": "agent",
            OWNER_VARIABLE: self._control.owner,
        }
        if whisper:
            # The originate's own limit counts what is said after the answer, that of the leg does not
            # (switch_ivr_originate.c:801, :3371).
            self._whispers = True
            values |= {
                "originate_timeout": str(rings + WHISPER_SECONDS),
                "leg_timeout": str(rings),
                "group_confirm_key": confirm_key or "exec",
                "group_confirm_file": whisper if confirm_key else f"playback {whisper}",
                "group_confirm_timeout": str(WHISPER_SECONDS),
            }
        for leg_id in self._watched:
            self._control.subscribe(leg_id, partial(self._leg_ended, leg_id))
        legs = {leg_id: (each.endpoint, _leg_variables(each)) for leg_id, each in self.legs.items()}
        try:
            self._link.execute("bridge", commands.dial_string(legs, values), then=self._done)
        except EslError:
            self._forget()
            raise

    def cancel(self) -> None:
        """End what still rings. Never raises."""
        self._forget()
        if self._link.gone:
            return
        for leg_id in self.legs:
            self.end(leg_id)

    def end(self, leg_id: str) -> None:
        """End one leg alone. Never raises."""
        try:
            self._control.kill(leg_id)
        except EslError as error:
            log.info("leg left to the switch", leg=leg_id, error=str(error))

    def _forget(self) -> None:
        for leg_id in self._watched:
            self._control.unsubscribe(leg_id)
        self._watched = ()

    def _leg_ended(self, leg_id: str, event: Event) -> None:
        """One of several rings no more. Runs where the control link is read."""
        result = self._result(event.get("Hangup-Cause") or "")
        if result not in ("caller_left", "taken"):
            self._tell(Silent(leg_id, result))

    def _result(self, cause: str) -> OfferResult:
        if cause == "NORMAL_CLEARING" and self._whispers:
            # They picked up, heard who calls and hung up.
            return "rejected"
        return CAUSES.get(cause, "failed")

    def _done(self, execution: Execution) -> None:
        """The `bridge` is over: the talk, or the attempt. Runs where the socket is read."""
        self._forget()
        result: OfferResult = "failed"
        if execution.event is not None:
            disposition = execution.event.get("variable_originate_disposition") or ""
            if disposition == "SUCCESS":
                return
            result = self._result(disposition)
            if result == "failed":
                log.warning("not put through", leg=self.name, cause=disposition)
        elif isinstance(execution.error, CallGone):
            return
        else:
            log.warning("not rung", leg=self.name, error=str(execution.error))
        self._tell(Rang(self.name, result))


def auto_answer() -> dict[str, str]:
    """Variables of a leg whose phone is to pick up by itself, in the words of as many makers as possible: `Call-Info` with
    answer-after=0 and a `talk` notice (mod_sofia.c:5160, sofia.c:7563), and `Alert-Info`."""
    return {"sip_auto_answer": "true", "alert_info": "info=alert-autoanswer"}


def _leg_variables(ringing: Ringing) -> dict[str, str]:
    values = auto_answer() if ringing.auto_answer else {}
    if ringing.delay_seconds:
        values["leg_delay_start"] = str(ringing.delay_seconds)
    if ringing.seconds is not None:
        values["leg_timeout"] = str(ringing.seconds)
    return values
