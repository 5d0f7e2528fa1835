"""The schema: brought up to date by one process at a time, however many start at once."""

from __future__ import annotations

from pathlib import Path

import psycopg2
from playhouse.migrations import Runner

from conf import database
from conf.errors import PointsmanError

FOLDER = Path(__file__).with_name("migrations")
LOCK = 0x506F696E
"""The advisory lock's number, of no meaning but its own."""
LOCK_SECONDS = 120


class MigrationBroken(PointsmanError):
    """The schema cannot be brought up to date; what had been applied before stays, the failed step has left nothing."""


class SchemaNewer(PointsmanError):
    """The database was migrated by a newer Pointsman than this one."""


def migrate(url: str) -> list[str]:
    """Apply what is missing, each migration in a transaction of its own; the names of those applied, in order."""
    holder = database.raw_connection(url, name="pointsman migrate", statement_seconds=LOCK_SECONDS)
    try:
        holder.autocommit = True
        with holder.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
        db = database.connect(url, size=2, name="pointsman migrate", statement_seconds=3600)
        try:
            with db.connection_context():
                runner = Runner(db, str(FOLDER))
                known = {path.stem for path in FOLDER.glob("[0-9]*.py")}
                newer = sorted(set(runner.applied()) - known)
                if newer:
                    raise SchemaNewer(
                        f"the database has the migration {newer[-1]}, which this Pointsman does not know; install the newer one"
                    )
                return [str(name) for name in runner.up()]
        finally:
            db.close_all()
    except psycopg2.Error as error:
        raise MigrationBroken(f"the schema cannot be brought up to date: {' '.join(str(error).split())}") from error
    finally:
        holder.close()


def pending(url: str) -> list[str]:
    """The migrations that `migrate` would apply now."""
    db = database.connect(url, size=1, name="pointsman migrate")
    try:
        with db.connection_context():
            return sorted({path.stem for path in FOLDER.glob("[0-9]*.py")} - set(Runner(db, str(FOLDER)).applied()))
    finally:
        db.close_all()
