"""email: have an e-mail sent."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field, model_validator

from ivr.errors import NodeFailed
from ivr.node import Exit, Form, Node, Reference, Use, node_type
from ivr.office import Mail
from ivr.shown import shown_as
from ivr.values import Template, foreign, names_in
from ivr.visit import Visit

MOST_RECIPIENTS: Final = 10
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?=.{1,255}$)[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+")


@node_type
class Email(Node):
    """Has an e-mail sent to the addresses in `to`, commas between, with `subject` and `body`, in all of which variables may
    stand. The call does not wait for it: it is written down and sent by the engine in the background.

    Leaves by `queued`; by `refused` where e-mails are not set up here or an address is none, which leads where `queued` does if
    nowhere of its own. A call that comes by twice sends one e-mail.
    """

    form: ClassVar[Form] = Form(
        "Send an e-mail",
        "Sends an e-mail, such as a note to the team about who called and what they keyed in.",
        "note",
        "mail",
    )

    own_exits: ClassVar[tuple[Exit, ...]] = (
        Exit("queued", title="On its way"),
        Exit("refused", falls_to="queued", title="Cannot be sent"),
    )

    type: Literal["email"]
    to: Template = Field(min_length=1, title="To", description="Addresses, with commas between.")
    subject: Template = Field(min_length=1, title="Subject")
    body: Annotated[str, shown_as("long_template")] = Field(
        min_length=1, max_length=5000, title="Text", description="Names in braces are filled in."
    )

    @model_validator(mode="after")
    def _sendable(self) -> Email:
        if not names_in(self.to):
            addresses(self.to)
        if "\n" in self.subject or "\r" in self.subject:
            raise ValueError("a subject is one line")
        return self

    def references(self) -> Iterator[Reference]:
        yield Reference("mail", "")

    def uses(self) -> Iterator[Use]:
        for text in (self.to, self.subject, self.body):
            yield from (Use(name, "in the e-mail") for name in names_in(text))

    def run(self, visit: Visit) -> str:
        try:
            recipients = addresses(visit.fill(self.to, foreign))
        except (ValueError, NodeFailed):
            return "refused"
        mail = Mail(visit.node, recipients, visit.fill(self.subject, foreign), visit.fill(self.body, foreign))
        return "queued" if visit.phone.office.send_mail(mail) else "refused"


def addresses(text: str) -> tuple[str, ...]:
    """The addresses in a text with commas between. ValueError where one is none, or where there are too many."""
    found = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    for address in found:
        if not _ADDRESS.fullmatch(address):
            raise ValueError(f"{address[:60]!r} is no e-mail address")
    if not found or len(found) > MOST_RECIPIENTS:
        raise ValueError(f"an e-mail goes to 1 to {MOST_RECIPIENTS} addresses, not to {len(found)}")
    return found
