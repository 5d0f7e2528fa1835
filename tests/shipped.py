"""Facts into rows, without a journal."""

from __future__ import annotations

import psycopg2

from engine.records.apply import Batch
from engine.records.facts import AnyFact


def ship(url: str, *facts: AnyFact) -> None:
    """Write what the facts tell into the database's rows, in one batch."""
    batch = Batch()
    for fact in facts:
        batch.add(fact)
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        batch.write(cursor)
    connection.close()
