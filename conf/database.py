"""The connection to Postgres and the base of all tables.

Import this only after gevent has patched the world (conf.cli does it in its first lines): otherwise all greenlets share
one connection. Each greenlet works inside `with db.connection_context():`, or its place in the pool is never given back.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn
from urllib.parse import urlsplit

import gevent
import peewee
import psycopg2
from playhouse.pool import MaxConnectionsExceeded, PooledPostgresqlDatabase

from conf.errors import PointsmanError

STATEMENT_SECONDS = 30
"""No statement of a page or an engine runs longer: a gevent time-out alone would leave it running in the server."""

CONNECT_SECONDS = 5

_BY_KEY = " -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off"


class DatabaseUnreachable(PointsmanError):
    """No connection can be made with the database URL that is set; the message names the fault and the mend."""


class Database(PooledPostgresqlDatabase):  # type: ignore[misc]  # the pool comes without types
    """A pool of connections; built by `connect`, handed on through constructor arguments."""

    def connect(self, reuse_if_open: bool = False) -> bool:
        """peewee.OperationalError also when no connection has become free in time."""
        try:
            return bool(super().connect(reuse_if_open))
        except MaxConnectionsExceeded as error:
            raise peewee.OperationalError("all connections to the database are in use") from error


_bound = peewee.DatabaseProxy()
"""What the tables of this process speak to. Peewee keeps a model's database on the model, so it is set once, by `bind`."""


class Table(peewee.Model):
    """The base of every table. `bind` at the composition root gives all of them their database."""

    class Meta:
        database = _bound
        legacy_table_names = False
        only_save_dirty = True


def connect(
    url: str, *, size: int = 20, name: str = "pointsman", statement_seconds: float = STATEMENT_SECONDS
) -> Database:
    """A pool of at most `size` connections to `url`, each opened when first needed; `name` is shown in pg_stat_activity.

    A greenlet waits up to 10 s for a free connection. Every connection speaks UTC.
    """
    return Database(
        url,
        max_connections=size,
        stale_timeout=300,
        timeout=10,
        connect_timeout=CONNECT_SECONDS,
        application_name=name,
        options=f"-c statement_timeout={int(statement_seconds * 1000)} -c timezone=UTC",
        keepalives_idle=10,
        keepalives_interval=5,
        keepalives_count=3,
    )


def bind(db: Database) -> None:
    """Give every table of this process this database; tables imported later are bound as well."""
    _bound.initialize(db)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """peewee.OperationalError when this block has not come to its end after `seconds`: a server that was stopped, or whose
    machine went down, refuses nothing. Its connection is given up."""
    limit = gevent.Timeout(seconds)
    try:
        with limit:
            yield
    except gevent.Timeout as late:
        if late is not limit:
            raise
        raise peewee.OperationalError(f"the database did not answer within {seconds:g} s") from None


def raw_connection(
    url: str, *, name: str = "pointsman", statement_seconds: float = STATEMENT_SECONDS, by_key: bool = False
) -> Any:
    """One plain psycopg2 connection outside the pool, for work that holds its own. DatabaseUnreachable when there is none.

    `by_key` is for work all of whose rows are found by their keys: no table is then read through nor hashed, whatever the
    server's statistics say of it, which may be of a time when it was empty.
    """
    planning = _BY_KEY if by_key else ""
    try:
        return psycopg2.connect(
            url,
            connect_timeout=CONNECT_SECONDS,
            application_name=name,
            options=f"-c statement_timeout={int(statement_seconds * 1000)} -c timezone=UTC{planning}",
            keepalives_idle=10,
            keepalives_interval=5,
            keepalives_count=3,
        )
    except (psycopg2.OperationalError, psycopg2.ProgrammingError) as error:
        raise_unreachable(url, error)


def raise_unreachable(url: str, error: Exception) -> NoReturn:
    """Raise DatabaseUnreachable in one line that names the fault without showing the password in the URL."""
    try:
        parts = urlsplit(url)
        name = parts.path.lstrip("/") or "(none named)"
        place = f"{parts.hostname or 'the local socket'}:{parts.port or 5432}, database {name}"
    except ValueError:
        place = "an address that is no URL"
    said = " ".join(str(error).split()).removeprefix("connection to server at ")
    raise DatabaseUnreachable(
        f"the database at {place} cannot be used: {said}. "
        "Check POINTSMAN_DATABASE_URL (postgresql://USER:PASSWORD@HOST:PORT/DATABASE), or unset it for the embedded one"
    ) from error


def check(url: str) -> tuple[int, ...]:
    """The server's version, for example (18, 6). DatabaseUnreachable when it cannot be used, also when older than 15."""
    connection = raw_connection(url)
    try:
        number = int(connection.server_version)
    finally:
        connection.close()
    version = (number // 10000, number % 10000)
    if version < (15,):
        raise_unreachable(url, PointsmanError(f"it is PostgreSQL {version[0]}.{version[1]}, and 15 or newer is needed"))
    return version
