"""The embedded servers: passwords asked for, data kept through kill -9, what a crash leaves behind is dealt with."""

import json
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import gevent
import psycopg2
import pytest
import redis as redis_client

from conf import embedded
from conf.children import Child, ChildSpec, started_at


def query(url: str, statement: str) -> list[tuple[object, ...]]:
    connection = psycopg2.connect(url, connect_timeout=5)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


@pytest.fixture
def home() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="pointsman-test-"))
    path.chmod(0o755)
    yield path
    data = path / "postgres"
    if data.is_symlink():
        shutil.rmtree(data.readlink(), ignore_errors=True)
    shutil.rmtree(path, ignore_errors=True)


def start(server: embedded.Postgres | embedded.Redis) -> Child:
    server.prepare()
    child = Child(server.spec, server.home / "server.log")
    server.wait_ready(child)
    return child


def test_a_wrong_password_is_refused_by_both(database_url: str, redis_url: str) -> None:
    assert query(database_url, "SELECT count(*) FROM report.calls") == [(0,)]
    with pytest.raises(psycopg2.OperationalError, match="password"):
        query(database_url.replace(":", ":x", 2).replace("x//", "//"), "SELECT 1")
    with pytest.raises(redis_client.AuthenticationError):
        redis_client.Redis.from_url(redis_url.replace("redis://:", "redis://:x"), protocol=2).ping()


def test_postgres_keeps_what_was_committed_through_kill_9_and_a_foreign_process_with_its_number(home: Path) -> None:
    child = start(embedded.Postgres(home))
    server = embedded.Postgres(home)
    query_url = embedded_url(server)
    query(query_url, "CREATE TABLE kept (n int)")
    query(query_url, "INSERT INTO kept VALUES (7)")
    child.kill()
    lock = (home / "postgres").resolve() / "postmaster.pid"
    lines = lock.read_text().splitlines()
    lock.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")  # the number has passed on to a living process
    again = embedded.Postgres(home)
    child = start(again)
    try:
        assert again.url == query_url, "the port and the password are remembered"
        assert query(query_url, "SELECT n FROM kept") == [(7,)]
    finally:
        child.stop()
    assert child.exit_code == 0


def test_another_server_on_its_port_is_not_taken_for_it(postgres: embedded.Postgres, home: Path) -> None:
    server = embedded.Postgres(home)
    (home / "secrets").mkdir(mode=0o700)
    shutil.copy(postgres.home / "secrets" / "postgres", home / "secrets" / "postgres")
    server.prepare()
    server.port = postgres.port  # taken between the choice and the start, by one with the same password
    child = Child(server.spec, home / "server.log")
    with pytest.raises(embedded.EmbeddedBroken, match="ended at once"):
        server.wait_ready(child)
    idle = Child(ChildSpec("idle", ("sleep", "60")), home / "idle.log")
    try:
        with pytest.raises(embedded.EmbeddedBroken, match=f"the server there serves {postgres.data.resolve()}"):
            server.wait_ready(idle, 0.2)
    finally:
        idle.kill()


def embedded_url(server: embedded.Postgres) -> str:
    port = json.loads((server.home / "ports.json").read_text())["postgres"]
    return f"postgresql://pointsman:{(server.home / 'secrets' / 'postgres').read_text().strip()}@127.0.0.1:{port}/pointsman"


def test_a_first_start_cut_short_is_begun_again(home: Path) -> None:
    server = embedded.Postgres(home)
    (home / "postgres" / "making").mkdir(parents=True)
    (home / "postgres" / "base").mkdir()
    if os.geteuid() == 0:
        shutil.chown(home / "postgres", "nobody")
    child = start(server)
    try:
        assert query(server.url, "SELECT 1") == [(1,)]
    finally:
        child.stop()


def test_foreign_files_are_never_written_over(home: Path) -> None:
    (home / "postgres").mkdir()
    (home / "postgres" / "thesis.txt").write_text("ours")
    if os.geteuid() == 0:
        shutil.chown(home / "postgres", "nobody")
    with pytest.raises(embedded.EmbeddedBroken, match="no Postgres data"):
        embedded.Postgres(home).prepare()
    assert (home / "postgres" / "thesis.txt").read_text() == "ours"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has a home that Postgres cannot enter")
def test_root_with_a_home_closed_to_others_gets_its_database_elsewhere(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = home / "closed"
    closed.mkdir(mode=0o700)
    place = home / "lib"
    monkeypatch.setattr("conf.embedded.postgres.ROOT_PLACE", place)
    server = embedded.Postgres(closed / "var")
    child = start(server)
    try:
        assert query(server.url, "SELECT 1") == [(1,)]
        assert server.data.parent == place
        assert closed.stat().st_mode & 0o077 == 0, "the closed folder stays closed"
    finally:
        child.stop()


def test_redis_keeps_its_keys_through_kill_9(home: Path) -> None:
    server = embedded.Redis(home)
    child = start(server)
    client = redis_client.Redis.from_url(server.url, protocol=2, decode_responses=True)
    client.set("kept", "7")
    child.kill()
    child = start(server)
    try:
        assert client.get("kept") == "7"
    finally:
        client.close()
        child.stop()
    assert child.exit_code == 0


def test_a_child_ends_with_its_parent(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    parent = os.fork()
    if parent == 0:
        os.close(reader)
        child = Child(ChildSpec("sleeper", ("/bin/sleep", "600")), tmp_path / "sleeper.log")
        os.write(writer, str(child.pid).encode())
        os.kill(os.getpid(), signal.SIGKILL)
    os.close(writer)
    pid = int(os.read(reader, 32))
    os.close(reader)
    os.waitpid(parent, 0)
    for _ in range(500):
        if started_at(pid) is None:
            break
        gevent.sleep(0.01)
    assert started_at(pid) is None
