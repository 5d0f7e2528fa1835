"""A house in memory, for flows that are tried without one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ivr.errors import WebFailed
from ivr.office import Answer, Mail, QueueStatus, TicketState, WebAnswer, WebRequest

Card = Mapping[str, object]


def _nobody_answers(request: WebRequest) -> WebAnswer:
    raise WebFailed(f"there is no web service here to ask {request.url}")


@dataclass
class MemoryOffice:
    """An `Office`. `customers` are cards by telephone number, `queues` how each stands; `web` answers requests. Tickets are
    numbered on from the highest one."""

    extensions: Collection[str] = ()
    queues: Mapping[str, QueueStatus] = field(default_factory=dict)
    customers: Mapping[str, Card] = field(default_factory=dict)
    tickets: dict[int, TicketState] = field(default_factory=dict)
    web: Callable[[WebRequest], WebAnswer] = _nobody_answers
    idle: Sequence[str] = ()
    """The extensions that are free, who has been so for longest first."""
    caller: Card | None = None
    """The customer who calls."""
    withheld: bool = False
    blocked: bool = False
    now: Callable[[], datetime] | None = None
    opened: dict[str, int] = field(default_factory=dict)
    """The tickets opened here, by the key they were asked for with."""
    answers: dict[tuple[str, str], Answer] = field(default_factory=dict)
    mail_server: bool = True
    mails: dict[str, Mail] = field(default_factory=dict)

    def is_extension(self, number: str) -> bool:
        return number in self.extensions

    def rested(self, extensions: Sequence[str]) -> list[str]:
        free = [extension for extension in self.idle if extension in extensions]
        return [*free, *(extension for extension in extensions if extension not in free)]

    def queue_status(self, queue: str) -> QueueStatus:
        return self.queues.get(queue, QueueStatus(0, 1, 1))

    def is_blocked(self) -> bool:
        return self.blocked

    def find_customer(self, number: str) -> bool:
        found = self.customers.get(number)
        if found is not None:
            self.caller = found
        return found is not None

    def open_ticket(self, key: str, kind: str, subject: str) -> int | None:  # noqa: ARG002  # subjects are for readers
        if key in self.opened:
            return self.opened[key]
        if self.caller is None and self.withheld:
            return None
        number = max(self.tickets, default=0) + 1
        customer = self.caller.get("id") if self.caller is not None else None
        opened_at = self.now() if self.now is not None else datetime.min
        self.tickets[number] = TicketState(number, customer if isinstance(customer, int) else 0, kind, opened_at)
        self.opened[key] = number
        return number

    def ticket(self, number: int) -> TicketState | None:
        return self.tickets.get(number)

    def keep_answer(self, answer: Answer) -> None:
        self.answers[answer.survey, answer.question] = answer

    def send_mail(self, mail: Mail) -> bool:
        if self.mail_server:
            self.mails.setdefault(mail.key, mail)
        return self.mail_server

    def request(self, request: WebRequest) -> WebAnswer:
        return self.web(request)
