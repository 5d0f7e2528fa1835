"""Who is calling: a customer by their number, with all that a screen pop shows, in one round trip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from conf.database import Database
from dialplan import numbers

Card = dict[str, Any]
"""A customer as CONTRACT's screen pops show one: id, name, company, category, note, place, photo_url (None where there is no
photo), numbers (normalised), open_tickets [{id, kind, subject, opened_at}], open_orders [{id, stage, responsible, debt,
opened_at}], debt (of the open orders, a number), last_calls [{call_id, at, direction, status, agent, agent_id, queue,
seconds}], newest first, responsible_agent_id, responsible (the name), needs (see engine.records.queues.decode_needs). Times
are ISO 8601 in UTC with Z."""

# Every waiting call has a card: msgspec keeps the names of its fields once, where psycopg2's own decoder has them in each.
_decode = msgspec.json.Decoder(dict[str, Any]).decode

MOST_CANDIDATES = 10
LAST_CALLS = 5


@dataclass(frozen=True, slots=True)
class Match:
    """What a number says of a caller: `card` where it is one customer's, `candidates` where it fits several."""

    card: Card | None = None
    candidates: list[Card] = field(default_factory=list)

    @property
    def customer_id(self) -> int | None:
        return None if self.card is None else int(self.card["id"])


class Customers:
    """Customers in the database behind `db`; numbers without a country code are `country`'s."""

    def __init__(self, db: Database, country: str) -> None:
        self._db = db
        self._country = country

    def find(self, number: str) -> Match:
        """The customer of a number in whatever spelling. Nobody for a withheld or internal one. Database errors pass."""
        wanted = numbers.normalise(number, self._country)
        if not wanted:
            return Match()
        cards = self._cards(
            "SELECT customer_id FROM customer_number WHERE number = %s ORDER BY customer_id LIMIT %s",
            wanted,
            MOST_CANDIDATES,
        )
        if len(cards) == 1:
            return Match(card=cards[0])
        return Match(candidates=cards)

    def card(self, customer_id: int) -> Card | None:
        """One customer's card; None where there is no such customer."""
        cards = self._cards("SELECT %s::integer", customer_id)
        return cards[0] if cards else None

    def is_blocked(self, number: str) -> bool:
        """Whether a normalised number is blocked now. Database errors pass."""
        with self._db.connection_context():
            found = self._db.execute_sql(
                "SELECT EXISTS (SELECT FROM blocked_number WHERE number = %s AND (until IS NULL OR until > now()))",
                (number,),
            ).fetchone()
        return bool(found[0])

    def _cards(self, ids: str, *arguments: object) -> list[Card]:
        with self._db.connection_context():
            cursor = self._db.execute_sql(_CARDS.format(ids=ids, calls=LAST_CALLS), arguments)
            return [_decode(text) for (text,) in cursor.fetchall()]


def find_many(cursor: Any, numbers: Sequence[str]) -> dict[str, Match]:
    """The customers of several normalised numbers, in two short round trips on a psycopg2 cursor; one without is left out."""
    cursor.execute(
        "SELECT n.number, n.customer_id FROM customer_number n WHERE n.number = ANY(%s) ORDER BY 1, 2", (list(numbers),)
    )
    owners: dict[str, list[int]] = {}
    for number, customer_id in cursor.fetchall():
        owners.setdefault(number, []).append(customer_id)
    if not owners:
        return {}
    ids = sorted({customer_id for known in owners.values() for customer_id in known[:MOST_CANDIDATES]})
    cursor.execute(_CARDS.format(ids="SELECT unnest(%s)", calls=LAST_CALLS), (ids,))
    cards = {card["id"]: card for (text,) in cursor.fetchall() for card in [_decode(text)]}
    found = {}
    for number, known in owners.items():
        of_number = [cards[customer_id] for customer_id in known[:MOST_CANDIDATES] if customer_id in cards]
        found[number] = Match(card=of_number[0]) if len(of_number) == 1 else Match(candidates=of_number)
    return found


_INSTANT = "to_char({0} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"
_CARDS = f"""
SELECT json_build_object(
    'id', k.id, 'name', k.name, 'company', k.company, 'category', k.category, 'note', k.note, 'place', k.place,
    'photo_url', CASE WHEN k.photo_path IS NOT NULL THEN '/customers/' || k.id || '/photo' END,
    'numbers', coalesce((SELECT json_agg(n.number ORDER BY n.number) FROM customer_number n WHERE n.customer_id = k.id), '[]'),
    'open_tickets', coalesce((
        SELECT json_agg(json_build_object('id', t.id, 'kind', t.kind, 'subject', t.subject,
            'opened_at', {_INSTANT.format("t.opened_at")}) ORDER BY t.opened_at DESC, t.id)
        FROM ticket t WHERE t.customer_id = k.id AND t.closed_at IS NULL), '[]'),
    'open_orders', coalesce((
        SELECT json_agg(json_build_object('id', o.id, 'stage', o.stage, 'responsible', o.responsible, 'debt', o.debt::float8,
            'opened_at', {_INSTANT.format("o.opened_at")}) ORDER BY o.opened_at DESC, o.id)
        FROM customer_order o WHERE o.customer_id = k.id AND o.closed_at IS NULL), '[]'),
    'debt', coalesce((
        SELECT sum(o.debt) FROM customer_order o WHERE o.customer_id = k.id AND o.closed_at IS NULL), 0)::float8,
    'last_calls', coalesce((
        SELECT json_agg(json_build_object('call_id', c.id, 'at', {_INSTANT.format("c.started_at")}, 'direction', c.direction,
            'status', c.status, 'agent', a.name, 'agent_id', c.agent_id, 'queue', c.queue,
            'seconds', round(extract(epoch FROM c.ended_at - c.started_at), 3)::float8) ORDER BY c.started_at DESC)
        FROM (SELECT * FROM call WHERE customer_id = k.id AND ended_at IS NOT NULL
              ORDER BY started_at DESC LIMIT {{calls}}) c LEFT JOIN agent a ON a.id = c.agent_id), '[]'),
    'responsible_agent_id', k.responsible_agent_id,
    'responsible', (SELECT r.name FROM agent r WHERE r.id = k.responsible_agent_id),
    'needs', k.needs
)::text
FROM customer k WHERE k.id IN ({{ids}}) ORDER BY k.id"""  # noqa: S608
