"""Messages in boxes, as those hear them who ask by phone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from conf.database import Database


@dataclass(frozen=True, slots=True)
class Voicemail:
    """A message; `path` is below the recordings folder."""

    voicemail_id: str
    path: str
    left_at: datetime
    seconds: float
    caller_number: str


class Voicemails:
    """Messages in the database behind `db`. Database errors pass."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def new(self, box: str, most: int = 50) -> list[Voicemail]:
        """Those of a box that nobody has listened to, the oldest first."""
        with self._db.connection_context():
            rows = self._db.execute_sql(
                "SELECT id::text, path, left_at, seconds::float8, caller_number FROM voicemail"
                " WHERE box = %s AND listened_at IS NULL ORDER BY left_at, id LIMIT %s",
                (box, most),
            ).fetchall()
        return [Voicemail(*row) for row in rows]

    def listened(self, voicemail_id: str, agent_id: int, at: datetime) -> None:
        """The agent has heard it; who heard it first stays."""
        with self._db.connection_context():
            self._db.execute_sql(
                "UPDATE voicemail SET listened_at = %s, listened_by = (SELECT account_id FROM agent WHERE id = %s)"
                " WHERE id = %s AND listened_at IS NULL",
                (at, agent_id, voicemail_id),
            )
