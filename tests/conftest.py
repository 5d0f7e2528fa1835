"""What tests of several packages share: real servers, started once, each test in a database of its own."""

from gevent import monkey

monkey.patch_all()

from psycogreen.gevent import patch_psycopg  # noqa: E402

patch_psycopg()

import shutil  # noqa: E402
import tempfile  # noqa: E402
import uuid  # noqa: E402
from collections.abc import Iterator  # noqa: E402
from dataclasses import replace  # noqa: E402
from pathlib import Path  # noqa: E402

import argon2  # noqa: E402
import psycopg2  # noqa: E402
import pytest  # noqa: E402
import redis as redis_client  # noqa: E402
from hypothesis import HealthCheck, settings  # noqa: E402

from conf import database, embedded  # noqa: E402
from conf.children import Child  # noqa: E402
from conf.migrate import migrate  # noqa: E402

# How long an example takes says more of what else the machine does than of what is tested.
settings.register_profile("ours", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("ours")

FORGETFUL = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
"""For a Postgres whose data nobody wants after a crash: what it writes need not reach the disk, which most tests wait for."""


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords() -> Iterator[None]:
    """Passwords that take no time to hash, within this process; nobody tries to guess them here."""
    with pytest.MonkeyPatch.context() as patch:
        cheapest = argon2.profiles.CHEAPEST
        patch.setattr(argon2, "PasswordHasher", lambda: _PasswordHasher.from_parameters(cheapest))
        yield


_PasswordHasher = argon2.PasswordHasher


@pytest.fixture(scope="session")
def servers_home() -> Iterator[Path]:
    """A folder that also an unprivileged Postgres may pass through, unlike pytest's own."""
    home = Path(tempfile.mkdtemp(prefix="pointsman-test-"))
    home.chmod(0o711)
    yield home
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(servers_home: Path) -> Iterator[embedded.Postgres]:
    """A running embedded Postgres; `.url` is its database, empty. For a migrated one of your own see `database_url`."""
    server = embedded.Postgres(servers_home)
    server.prepare()
    told = tuple(part for setting in FORGETFUL for part in ("-c", setting))
    child = Child(replace(server.spec, argv=server.spec.argv + told), servers_home / "postgres.log")
    try:
        server.wait_ready(child)
        yield server
    finally:
        child.stop()


@pytest.fixture(scope="session")
def redis(servers_home: Path) -> Iterator[embedded.Redis]:
    """A running embedded Redis; `.url` is its address. For a client on an empty one see `redis_url`."""
    server = embedded.Redis(servers_home)
    server.prepare()
    child = Child(server.spec, servers_home / "redis.log")
    try:
        server.wait_ready(child)
        yield server
    finally:
        child.stop()


@pytest.fixture(scope="session")
def migrated_template(postgres: embedded.Postgres) -> str:
    """The name of a migrated database that others are copied from, which takes a tenth of a second."""
    name = "migrated"
    _administer(postgres, f'CREATE DATABASE "{name}"')
    migrate(_sibling(postgres, name))
    return name


@pytest.fixture
def database_url(postgres: embedded.Postgres, migrated_template: str) -> Iterator[str]:
    """The URL of a migrated, otherwise empty database that is this test's alone."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    _administer(postgres, f'CREATE DATABASE "{name}" TEMPLATE "{migrated_template}"')
    yield _sibling(postgres, name)
    _administer(postgres, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def db(database_url: str) -> Iterator[database.Database]:
    """The same database as a pool, with all tables bound to it."""
    pool = database.connect(database_url, size=10, name="tests")
    database.bind(pool)
    yield pool
    pool.close_all()


@pytest.fixture
def redis_url(redis: embedded.Redis) -> str:
    """The address of a Redis that is empty now. Tests that use it run one after the other."""
    client = redis_client.Redis.from_url(redis.url, protocol=2)
    client.flushall()
    client.close()
    return redis.url


def _sibling(postgres: embedded.Postgres, name: str) -> str:
    return postgres.url.rpartition("/")[0] + "/" + name


def _administer(postgres: embedded.Postgres, statement: str) -> None:
    connection = psycopg2.connect(_sibling(postgres, "postgres"))
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
    finally:
        connection.close()
