"""What a flow may ask of a call: the whole of the way from the IVR down to the telephone.

The engine implements `Phone` over the event socket, the simulator implements it in memory. Every method blocks until it is
done and raises `Gone` (whatever subclass the implementation has) as soon as the caller is not there any more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from conf.errors import PointsmanError
from ivr.office import Office


class Gone(PointsmanError):
    """The caller has left; the flow ends here and nothing may be said any more."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """What came of a prompt that asks for digits.

    `digits` holds what was pressed before the terminator (without it), empty where nothing was. `terminator` is the key
    that ended it, or None when the length was reached or the time was up.
    """

    digits: str
    terminator: str | None = None


@dataclass(frozen=True, slots=True)
class QueueRequest:
    """A call's wish to wait in a queue. `priority` is added to the queue's own."""

    queue: str
    priority: int = 0
    skills: Mapping[str, int] = field(default_factory=dict)
    """Further needs of this call: skill name -> least level (1-5), on top of the queue's."""


QueueOutcome = Literal["answered", "timeout", "no_agent", "full", "exit_key", "closed", "callback"]
"""How the wait ended. `answered`: the talk is over too, and the agent has hung up or the call was ended by them. `callback`:
the caller is going to be called back."""


@dataclass(frozen=True, slots=True)
class SentOn:
    """The wait has ended as `outcome` says, and the queue itself says where the call goes then: into `flow`, which the
    interpreter finds among its flows, and not out by an exit of the node."""

    outcome: QueueOutcome
    flow: str


CallbackOutcome = Literal["taken", "known", "declined", "forbidden"]
"""What came of the offer to be called back. `known`: that number is going to be called back already. `forbidden`: there is no
number that may be called."""

RingOutcome = Literal["answered", "busy", "no_answer", "rejected", "unreachable"]
DialOutcome = Literal["answered", "busy", "no_answer", "rejected", "unreachable", "forbidden"]
"""`forbidden`: a number that the settings do not let flows call."""

MessageOutcome = Literal["left", "nothing"]
"""`nothing`: shorter than a message can be, so none was kept."""


class Phone(Protocol):
    """One call as a flow sees it."""

    @property
    def call_id(self) -> str: ...

    @property
    def caller_number(self) -> str: ...

    @property
    def called_number(self) -> str: ...

    @property
    def language(self) -> str:
        """The language prompts are spoken in now, for example `en`."""

    @property
    def customer(self) -> Mapping[str, object] | None:
        """The customer the caller was matched to: id, name, category and so on; None where unknown."""

    @property
    def office(self) -> Office:
        """The house behind the telephone: queues, customers, tickets, web services."""

    def now(self) -> datetime:
        """The instant that hours are decided from."""

    def speak(self, language: str) -> None:
        """What this phone says by itself, such as places in a queue, is said in this language from now on."""

    def play(self, prompts: Sequence[str]) -> None:
        """Speak the prompts one after the other to their end. Each is a file that `sounds` resolved."""

    def gather(
        self,
        prompts: Sequence[str],
        *,
        most: int,
        first_digit_seconds: float,
        next_digit_seconds: float,
        terminators: str = "#",
        secret: bool = False,
    ) -> Gathered:
        """Speak the prompts, listening all the while; the first key stops them. Ends at `most` digits, at a terminator, or
        when no key came within the given seconds after the prompts (or after the key before). What is `secret` is written
        down nowhere on the way."""

    def wait_in_queue(self, request: QueueRequest) -> QueueOutcome | SentOn:
        """Wait in a queue, talk to whoever is given, and come back when that is over."""

    def offer_callback(self, request: QueueRequest, *, number: str = "") -> CallbackOutcome:
        """Ask the caller under which number they want to be called back by a queue, theirs or `number` being proposed, and note
        it down. Comes back when they have said so."""

    def ring(self, extension: str, seconds: float) -> RingOutcome:
        """Ring one extension and talk; comes back when the talk is over or nobody took it."""

    def ring_together(
        self, extensions: Sequence[str], seconds: float, delays: Mapping[str, int] | None = None
    ) -> RingOutcome:
        """Ring several extensions at once, those of `delays` so many seconds later or as soon as no other rings, and talk with
        whoever is first. Where nobody took it, the outcome is
        `no_answer` if any of them rang, else that of the last."""

    def dial(self, number: str, seconds: float) -> DialOutcome:
        """Call a number outside over a trunk and talk; `number` in whatever spelling."""

    def take_message(self, box: str, prompts: Sequence[str], *, most_seconds: float) -> MessageOutcome:
        """Speak the prompts, sound a tone, record until `#`, silence, the limit or the end of the call. A message that
        the caller ends by hanging up is kept, and then Gone is raised."""

    def take_statement(self, prompts: Sequence[str], *, most_seconds: float) -> str | None:
        """As `take_message`, but what is said is kept as a recording of the call, in nobody's box; its id, None where it was
        too short to be kept."""

    def hang_up(self, cause: str = "NORMAL_CLEARING") -> None:
        """End the call. Raises Gone, as nothing can follow."""
