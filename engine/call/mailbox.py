"""What a call that waits or talks is told, from whichever side, in the order in which it came."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gevent.queue import Empty, SimpleQueue

from engine.records.facts import OfferResult
from engine.routing.events import CloseOffer, MakeOffer, PlaceEntry, ReleaseEntry


@dataclass(frozen=True, slots=True)
class Rang:
    """The attempt whose first leg is `leg_id` came to nothing."""

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


Message = MakeOffer | CloseOffer | ReleaseEntry | PlaceEntry | Rang | Pressed | Bridged | Parted | Left

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
}
"""What a hangup cause of an agent's leg says about the offer; any other cause is `failed`, for which no agent is paused."""


class Mailbox:
    """A queue of messages for one call. Putting never blocks, so readers of sockets may put."""

    __slots__ = ("_queue",)

    def __init__(self) -> None:
        self._queue: SimpleQueue[Message] = SimpleQueue()

    def put(self, message: Message) -> None:
        self._queue.put(message)

    def get(self, wall_seconds: float | None) -> Message | None:
        """The next message; None when none came within `wall_seconds`."""
        try:
            return self._queue.get(timeout=None if wall_seconds is None else max(0.001, wall_seconds))
        except Empty:
            return None
