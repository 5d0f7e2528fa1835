"""Publishing configuration: one number rises, and every process swaps to a new snapshot between calls."""

from __future__ import annotations

from conf.database import Database


def raise_version(db: Database) -> int:
    """Raise the configuration's version within the caller's transaction, if any; the new one.

    Tell the processes with engine.live.requests.tell_configuration_changed once that is committed.
    """
    cursor = db.execute_sql("UPDATE configuration SET version = version + 1 RETURNING version")
    return int(cursor.fetchone()[0])
