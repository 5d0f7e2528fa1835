"""Recording a prompt by telephone: what the admin asks for, and what becomes of it.

A ticket is one permission to record one prompt, under a number that is dialled behind dialplan.feature_codes.PROMPT_CODE.
It runs out by itself.
"""

from __future__ import annotations

import secrets
from typing import Final, Literal

import msgspec

from engine.live import keys
from engine.live.connection import Redis

LASTS_SECONDS: Final = 900
NUMBER_DIGITS: Final = 6
_TRIES: Final = 20

TicketState = Literal["waiting", "ringing", "recording", "saved", "failed"]


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """`said` is what went wrong, or empty; `version` and `seconds` are of what was saved."""

    number: str
    name: str
    language: str
    author: str
    state: TicketState = "waiting"
    said: str = ""
    version: int = 0
    seconds: float = 0.0


class RingAndDial(msgspec.Struct, frozen=True, kw_only=True, tag="ring_and_dial"):
    """Ring a desk phone and, once it is picked up, dial `number` for it."""

    extension: str
    number: str
    shown: str
    """The caller's name on its display."""


def open_ticket(redis: Redis, name: str, language: str, author: str) -> Ticket:
    """A new ticket under a number that nobody can guess. Raises redis.RedisError when Redis is away."""
    for _ in range(_TRIES):
        number = str(secrets.randbelow(9 * 10 ** (NUMBER_DIGITS - 1)) + 10 ** (NUMBER_DIGITS - 1))
        ticket = Ticket(number=number, name=name, language=language, author=author)
        if redis.set(keys.prompt_ticket(number), msgspec.json.encode(ticket), nx=True, ex=LASTS_SECONDS):
            return ticket
    raise RuntimeError("no number was free in twenty tries")


def find_ticket(redis: Redis, number: str) -> Ticket | None:
    """The ticket of this number, None where there is none or it has run out."""
    if not (number.isascii() and number.isdigit() and len(number) == NUMBER_DIGITS):
        return None
    found = redis.get(keys.prompt_ticket(number))
    return None if found is None else msgspec.json.decode(found, type=Ticket)


def tell(redis: Redis, ticket: Ticket) -> None:
    """Put a ticket's new state where whoever waits for it looks. One that has run out stays so."""
    redis.set(keys.prompt_ticket(ticket.number), msgspec.json.encode(ticket), xx=True, keepttl=True)


def ask_ring(redis: Redis, request: RingAndDial) -> None:
    """Ask any engine process to ring a phone."""
    redis.rpush(keys.REQUESTS, msgspec.json.encode(request))
    redis.expire(keys.REQUESTS, 60)
