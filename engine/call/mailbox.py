"""What a call that waits or talks is told, from whichever side, in the order in which it came."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import gevent
from gevent.hub import Waiter

from engine.records.facts import OfferResult
from engine.routing.events import CloseOffer, MakeOffer, PlaceEntry, ReleaseEntry


@dataclass(frozen=True, slots=True)
class Rang:
    """The attempt whose first leg is `leg_id` came to nothing."""

    leg_id: str
    result: OfferResult


@dataclass(frozen=True, slots=True)
class Silent:
    """Of several legs that ring, or were to, `leg_id` does not any more; others may."""

    leg_id: str
    result: OfferResult


@dataclass(frozen=True, slots=True)
class Pressed:
    digit: str


@dataclass(frozen=True, slots=True)
class Bridged:
    """The caller and the leg `leg_id` hear each other."""

    leg_id: str


@dataclass(frozen=True, slots=True)
class Parted:
    """The other leg has gone and the caller is still there."""


@dataclass(frozen=True, slots=True)
class Left:
    """The caller has gone."""


Message = MakeOffer | CloseOffer | ReleaseEntry | PlaceEntry | Rang | Silent | Pressed | Bridged | Parted | Left

CAUSES: Final[dict[str, OfferResult]] = {
    "NO_ANSWER": "no_answer",
    "ALLOTTED_TIMEOUT": "no_answer",
    "NO_USER_RESPONSE": "unreachable",
    "PROGRESS_TIMEOUT": "unreachable",
    "USER_BUSY": "busy",
    "CALL_REJECTED": "rejected",
    "USER_NOT_REGISTERED": "unreachable",
    "SUBSCRIBER_ABSENT": "unreachable",
    "UNALLOCATED_NUMBER": "unreachable",
    "NO_ROUTE_DESTINATION": "unreachable",
    "DESTINATION_OUT_OF_ORDER": "unreachable",
    "RECOVERY_ON_TIMER_EXPIRE": "unreachable",
    "NETWORK_OUT_OF_ORDER": "unreachable",
    "ORIGINATOR_CANCEL": "caller_left",
    "LOSE_RACE": "taken",
}
"""What a hangup cause of an agent's leg says about the offer; any other cause is `failed`, for which no agent is paused."""


class Mailbox:
    """A queue of messages for one call and its one reader. Putting never blocks, so readers of sockets may put.

    gevent's own queues would do, but for their weight: two deques and a Timeout are 5 KB of each call that waits.
    """

    __slots__ = ("_messages", "_reader")

    def __init__(self) -> None:
        self._messages: list[Message] = []
        self._reader: Any = None

    def put(self, message: Message) -> None:
        self._messages.append(message)
        reader, self._reader = self._reader, None
        if reader is not None:
            gevent.get_hub().loop.run_callback(reader.switch, None)

    def get(self, wall_seconds: float | None) -> Message | None:
        """The next message; None when none came within `wall_seconds`."""
        if not self._messages:
            self._wait(wall_seconds)
        return self._messages.pop(0) if self._messages else None

    def _wait(self, wall_seconds: float | None) -> None:
        reader = self._reader = Waiter()
        timer = None
        try:
            if wall_seconds is not None:
                timer = gevent.get_hub().loop.timer(max(0.001, wall_seconds))
                timer.start(reader.switch, None)
            reader.get()
        finally:
            self._reader = None
            if timer is not None:
                timer.close()
