"""Tickets that calls open, and what callers may hear of theirs."""

from __future__ import annotations

from datetime import datetime

from conf.database import Database
from dialplan import numbers
from engine.records.apply import REGISTERING
from ivr.office import TicketState


class Tickets:
    """Tickets in the database behind `db`; numbers without a country code are `country`'s. Database errors pass."""

    def __init__(self, db: Database, country: str) -> None:
        self._db = db
        self._country = country

    def open(
        self,
        call_id: str,
        key: str,
        *,
        kind: str,
        subject: str,
        at: datetime,
        customer_id: int | None,
        number: str,
        name: str = "",
    ) -> tuple[int, int] | None:
        """Open a ticket for a call, or find the one that it has opened with the same `key`; its number, and whose it is.

        Where the customer is not known, it is theirs whose number the caller's is; nobody's number registers its caller as a
        customer called `name`. None where that cannot be: the number is withheld, internal, or several customers'.
        """
        with self._db.connection_context(), self._db.atomic():
            found = self._db.execute_sql(
                "SELECT id, customer_id FROM ticket WHERE opened_by_call = %s AND opened_by_key = %s", (call_id, key)
            ).fetchone()
            if found is None:
                owner = customer_id if customer_id is not None else self._owner(call_id, number, name, at)
                if owner is None:
                    return None
                found = self._db.execute_sql(
                    "INSERT INTO ticket (customer_id, kind, subject, opened_at, opened_by_call, opened_by_key)"
                    " VALUES (%s, %s, %s, %s, %s, %s) RETURNING id, customer_id",
                    (owner, kind, subject, at, call_id, key),
                ).fetchone()
            return int(found[0]), int(found[1])

    def state(self, number: int) -> TicketState | None:
        """A ticket by its number; None where there is none."""
        with self._db.connection_context():
            found = self._db.execute_sql(
                "SELECT id, customer_id, kind, opened_at, closed_at FROM ticket WHERE id = %s", (number,)
            ).fetchone()
        return None if found is None else TicketState(*found)

    def _owner(self, call_id: str, number: str, name: str, at: datetime) -> int | None:
        wanted = numbers.normalise(number, self._country)
        if not wanted.startswith("+"):
            return None
        # The shipping of journals registers unknown callers too, and theirs is the same lock.
        self._db.execute_sql("SELECT pg_advisory_xact_lock(%s)", (REGISTERING,))
        owners = self._db.execute_sql(
            "SELECT customer_id FROM customer_number WHERE number = %s LIMIT 2", (wanted,)
        ).fetchall()
        if owners:
            return int(owners[0][0]) if len(owners) == 1 else None
        shown = name[:200] if any(sign.isalpha() for sign in name) else ""
        (customer_id,) = self._db.execute_sql(
            "INSERT INTO customer (name, registered_by_call, created_at) VALUES (%s, %s, %s) RETURNING id",
            (shown, call_id, at),
        ).fetchone()
        self._db.execute_sql("INSERT INTO customer_number (customer_id, number) VALUES (%s, %s)", (customer_id, wanted))
        return int(customer_id)
