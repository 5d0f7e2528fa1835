"""The leg to an agent's phone. It is ours, not the caller's: originated on the control link under a name chosen beforehand, so
that it can be found and ended whatever happens to the process that asked for it."""

from __future__ import annotations

import re
from collections.abc import Callable

import structlog

from conf.clock import Clock
from engine.call.mailbox import CAUSES, Rang
from engine.esl import names
from engine.esl.control import Control
from engine.esl.errors import EslError, OriginateFailed
from engine.esl.frames import Event
from engine.records.facts import OfferResult

log = structlog.get_logger(__name__)

_NOT_SHOWN = re.compile(r"[^\w .+@-]", re.ASCII)
GRACE_SECONDS = 5.0


def shown(text: str) -> str:
    """A foreign name or number as a phone may be shown it: what could mean anything to a switch is left out."""
    return " ".join(_NOT_SHOWN.sub(" ", text).split())[:60]


class AgentLeg:
    """One attempt to get an agent to the phone. `tell` is given `Rang` when it is answered or came to nothing."""

    def __init__(
        self, control: Control, clock: Clock, leg_id: str, extension: str, tell: Callable[[Rang], None]
    ) -> None:
        self.leg_id = leg_id
        self.extension = extension
        self._control = control
        self._clock = clock
        self._tell = tell
        self._over = False
        self._answered = False

    def ring(self, seconds: float, *, caller_number: str, caller_name: str) -> None:
        """Begin to ring for at most `seconds`; comes back at once."""
        number, name = shown(caller_number), shown(caller_name)
        self._control.subscribe(self.leg_id, self._event)
        try:
            self._control.originate_soon(
                self.leg_id,
                f"user/{self.extension}",
                {
                    "originate_timeout": str(max(1, round(seconds))),
                    "ignore_early_media": "true",
                    "origination_caller_id_number": number or "anonymous",
                    "origination_caller_id_name": name or number or "anonymous",
                    "pointsman_leg": "agent",
                },
                "&park()",
                self._came,
                self._clock.wall_seconds(seconds) + GRACE_SECONDS,
            )
        except EslError as error:
            self._came(error)

    def cancel(self) -> None:
        """End the leg, now or as soon as it appears. Never raises."""
        if not self._over:
            self._over = True
            self._kill()

    def _event(self, event: Event) -> None:
        if event.name == names.CHANNEL_ANSWER and not self._over:
            self._answered = True
            self._tell(Rang(self.leg_id, "answered"))

    def _came(self, outcome: str | EslError) -> None:
        """What became of the originate: it was answered, or why not. Runs in gevent's loop."""
        result: OfferResult = "answered"
        if isinstance(outcome, OriginateFailed):
            result = CAUSES.get(outcome.cause, "failed")
        elif isinstance(outcome, EslError):
            log.warning("agent's leg not originated", leg=self.leg_id, extension=self.extension, error=str(outcome))
            result = "failed"
        if self._answered and not self._over:
            # The leg is the talk's by now. Bridged this early, the job may even end as ORIGINATOR_CANCEL.
            return
        if result != "answered":
            self._control.unsubscribe(self.leg_id)
        if self._over or result == "failed":
            # It may have been answered in the very moment in which nobody wanted it any more.
            self._kill()
        self._tell(Rang(self.leg_id, result))

    def _kill(self) -> None:
        self._control.unsubscribe(self.leg_id)
        try:
            self._control.kill(self.leg_id)
        except EslError as error:
            log.info("agent's leg left to the sweeper", leg=self.leg_id, error=str(error))
