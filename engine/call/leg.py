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
from typing import Final

import structlog

from engine.call.mailbox import CAUSES, Rang
from engine.esl import commands
from engine.esl.awaited import Execution
from engine.esl.control import OWNER_VARIABLE, Control
from engine.esl.errors import CallGone, EslError
from engine.esl.outbound import CallLink
from engine.records.facts import OfferResult

log = structlog.get_logger(__name__)

_NOT_SHOWN: Final = re.compile(r"[^\w .+@-]", re.ASCII)


def shown(text: str) -> str:
    """A foreign name or number as a phone may be shown it: what could mean anything to a switch is left out."""
    return " ".join(_NOT_SHOWN.sub(" ", text).split())[:60]


class Attempt:
    """One attempt to get somebody to the phone: `legs` (uuid -> endpoint) ring together and the first to answer has the call,
    which CHANNEL_BRIDGE on the caller's leg tells; `tell` is given `Rang` when it came to nothing."""

    def __init__(self, link: CallLink, control: Control, legs: Mapping[str, str], tell: Callable[[Rang], None]) -> None:
        self.legs = legs
        self._link = link
        self._control = control
        self._tell = tell

    @property
    def name(self) -> str:
        """The uuid of the first leg."""
        return next(iter(self.legs))

    def ring(self, seconds: float, *, caller_number: str, caller_name: str) -> None:
        """Begin to ring for at most `seconds`; comes back at once. CallGone."""
        number, name = shown(caller_number), shown(caller_name)
        dialled = commands.dial_string(
            self.legs,
            {
                "originate_timeout": str(max(1, round(seconds))),
                "ignore_early_media": "true",
                "origination_caller_id_number": number or "anonymous",
                "origination_caller_id_name": name or number or "anonymous",
                "pointsman_leg": "agent",
                OWNER_VARIABLE: self._control.owner,
            },
        )
        self._link.execute("bridge", dialled, then=self._done)

    def cancel(self) -> None:
        """End what still rings. Never raises."""
        if self._link.gone:
            return
        for leg_id in self.legs:
            try:
                self._control.kill(leg_id)
            except EslError as error:
                log.info("leg left to the switch", leg=leg_id, error=str(error))

    def _done(self, execution: Execution) -> None:
        """The `bridge` is over: the talk, or the attempt. Runs where the socket is read."""
        result: OfferResult = "failed"
        if execution.event is not None:
            disposition = execution.event.get("variable_originate_disposition") or ""
            if disposition == "SUCCESS":
                return
            result = CAUSES.get(disposition, "failed")
            if result == "failed":
                log.warning("not put through", leg=self.name, cause=disposition)
        elif isinstance(execution.error, CallGone):
            return
        else:
            log.warning("not rung", leg=self.name, error=str(execution.error))
        self._tell(Rang(self.name, result))
