"""Recording a prompt by telephone: a number to dial, or a phone that rings."""

from __future__ import annotations

import msgspec

from admin.access import Viewer
from admin.forms import Refused
from admin.parts import Parts
from admin.prompts import saving
from admin.prompts.shelf import shelf
from dialplan.feature_codes import PROMPT_CODE
from engine.live import prompt_recording
from engine.live.prompt_recording import RingAndDial, Ticket


def extensions(parts: Parts) -> list[tuple[str, str]]:
    """The desk phones there are, with whose they are."""
    rows = parts.db.execute_sql("SELECT extension, name FROM agent ORDER BY extension").fetchall()
    return [(str(extension), str(name)) for extension, name in rows]


def begin(parts: Parts, who: Viewer, name: str, language: str, extension: str = "") -> Ticket:
    """A ticket for recording the prompt; the phone `extension` rings for it where one is given. Refused for a name that is none
    and for a phone that is not ours."""
    saving.named(name, language)
    if extension and extension not in dict(extensions(parts)):
        raise Refused("extension", f"There is no extension {extension}.")
    ticket = prompt_recording.open_ticket(parts.redis, name, language, who.name)
    if extension:
        ticket = msgspec.structs.replace(ticket, state="ringing")
        prompt_recording.tell(parts.redis, ticket)
        request = RingAndDial(extension=extension, number=f"{PROMPT_CODE}{ticket.number}", shown="Record a prompt")
        prompt_recording.ask_ring(parts.redis, request)
    return ticket


def find(parts: Parts, number: str) -> Ticket | None:
    """How far a recording has come; None where its number has run out."""
    found = prompt_recording.find_ticket(parts.redis, number)
    if found is not None and found.state == "saved":
        shelf().catalogue.forget()
    return found
