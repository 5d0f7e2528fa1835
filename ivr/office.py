"""What a flow may ask of the rest of the house: who works, who is known, which tickets there are, what a web service says.

As with `ivr.phone`, the engine implements it for real and the simulator in memory. Whatever cannot be told raises a
PointsmanError, which leads the node to its error exit; a caller who leaves meanwhile raises `ivr.phone.Gone`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class QueueStatus:
    """How a queue stands now."""

    waiting: int
    """Calls in it that nobody talks to yet."""
    staffed: int
    """People who may take its calls and are there, busy ones included."""
    free: int
    """Those of them who could take a call this moment."""
    wait_seconds: float | None = None
    """How long a call that entered now would be expected to wait; None where that cannot be told honestly."""


@dataclass(frozen=True, slots=True)
class TicketState:
    """A ticket as its customer may hear of it."""

    number: int
    customer_id: int
    kind: str
    opened_at: datetime
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A question of a survey, in words in `asked`, and the keys it was answered with, in words in `words`."""

    survey: str
    question: str
    asked: str
    answer: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class Mail:
    """An e-mail: `recipients` are addresses, `subject` a single line."""

    key: str
    recipients: tuple[str, ...]
    subject: str
    body: str


@dataclass(frozen=True, slots=True)
class WebRequest:
    """One request of a web service. `body` is JSON content, None for none. `seconds` is the longest that one try may take."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: object = None
    seconds: float = 5.0
    tries: int = 1


@dataclass(frozen=True, slots=True)
class WebAnswer:
    """What came back: the status, and the content where it is JSON; None for no body and for any other kind."""

    status: int
    content: object = None


class Office(Protocol):
    """The house as one call's flow sees it."""

    def is_extension(self, number: str) -> bool:
        """Whether somebody has this extension."""

    def rested(self, extensions: Sequence[str]) -> list[str]:
        """Those of the extensions whose people are there and idle, who has been so for longest first; then all others, in
        the order given."""

    def queue_status(self, queue: str) -> QueueStatus:
        """How a queue stands now."""

    def is_blocked(self) -> bool:
        """Whether the caller's number is blocked."""

    def find_customer(self, number: str) -> bool:
        """Take the call to be of the customer with this telephone number, in whatever spelling. False, and all as it was,
        where it is nobody's or several customers'."""

    def open_ticket(self, key: str, kind: str, subject: str) -> int | None:
        """Open a ticket for the caller, who becomes a customer by it if they were not; its number. None where the caller's
        number is withheld or several customers'. Asked again with the same `key` by the same call, it gives the ticket that
        was opened then."""

    def ticket(self, number: int) -> TicketState | None:
        """The ticket of this number; None where there is none."""

    def keep_answer(self, answer: Answer) -> None:
        """Write down what the caller has answered in a survey; the last answer to a question of a call counts."""

    def send_mail(self, mail: Mail) -> bool:
        """Have an e-mail sent, later and by others; False where no e-mail is sent from here. Asked again with the same `key`
        by the same call, it is sent once."""

    def request(self, request: WebRequest) -> WebAnswer:
        """Ask a web service. WebFailed where no answer came or none that may be used."""
