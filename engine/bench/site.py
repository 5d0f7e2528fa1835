"""A throw-away installation for measuring: its own Postgres and Redis, a company of agents, and one engine process."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from zoneinfo import ZoneInfo

import gevent
import psycopg2.extras
import redis

import conf
from conf import database, embedded
from conf.children import Child, ChildSpec
from conf.errors import PointsmanError
from conf.migrate import migrate
from dialplan import destinations, documents
from dialplan import store as dialplan_store
from engine.live import keys
from engine.records.publish import raise_version
from ivr import store as ivr_store

NUMBER: Final = "7000"
FLOW: Final = Path(__file__).with_name("flow.yaml")
CALENDARS: Final = Path(conf.__file__).with_name("demo") / "calendars.yaml"
COUNTRY: Final = "DK"
CALLERS: Final = 20_000
"""How many different numbers ring; every other one is a customer's."""

FIRST_CALLER: Final = 20_000_000
NICE: Final = 5
READY_SECONDS: Final = 30.0
_EVENT: Final = re.compile(r"""level=(?:warning|error|critical) event=(?:"([^"]*)"|(\S+))""")
DRAIN_SECONDS: Final = 20.0


class SiteBroken(PointsmanError):
    """The throw-away installation does not come up; the message has the last words of the part that failed."""


@dataclass(frozen=True, slots=True)
class Company:
    """Who answers. Agents of `sales` have the extensions from 2001 on, those of `busy` from 6001 on; they are ready and need
    no time after a call. `held` has one agent, who is paused, so that its callers wait and are not turned away."""

    sales: int = 200
    busy: int = 20


def caller(number: int) -> str:
    """The number that the caller of that index shows, 0 to CALLERS - 1."""
    return f"+45{FIRST_CALLER + number}"


class Site:
    """Use as a context: everything runs inside and nothing is left outside.

    `engine` is the engine's process, listening for calls on `esl` and speaking to a switch on `control`, which the caller
    provides (a free port by default). `cores` names the processor that the engine is held to and the one for all others;
    None leaves it to the system.
    """

    def __init__(
        self,
        company: Company,
        *,
        password: str,
        control: tuple[str, int] | None = None,
        cores: tuple[int, int] | None = None,
    ) -> None:
        self.company = company
        self.control = control or ("127.0.0.1", embedded.free_port())
        self.password = password
        self.cores = cores
        self.esl = ("127.0.0.1", embedded.free_port())
        # Postgres refuses to run as root, and whoever it runs as must be able to pass through.
        self.home = Path(tempfile.mkdtemp(prefix="pointsman-bench-"))
        self.home.chmod(0o711)
        self.database_url = self.redis_url = ""
        self.children: dict[str, Child] = {}

    def __enter__(self) -> Self:
        try:
            self._start_stores()
            self._set_up()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        for name in ("engine", "redis", "postgres"):
            child = self.children.pop(name, None)
            if child is not None:
                child.stop()
        shutil.rmtree(self.home, ignore_errors=True)

    @property
    def engine(self) -> Child:
        return self.children["engine"]

    @property
    def redis(self) -> redis.Redis:
        return redis.Redis.from_url(self.redis_url, protocol=2, decode_responses=True)

    def environment(self) -> dict[str, str]:
        """What an engine process of this installation is told."""
        return {
            "POINTSMAN_HOME": str(self.home),
            "POINTSMAN_DATABASE_URL": self.database_url,
            "POINTSMAN_REDIS_URL": self.redis_url,
            "POINTSMAN_ESL": "{}:{}".format(*self.esl),
            "POINTSMAN_CONTROL": "{}:{}".format(*self.control),
            "POINTSMAN_FREESWITCH_PASSWORD": self.password,
            "POINTSMAN_COUNTRY": COUNTRY,
            "POINTSMAN_TIMEZONE": "UTC",
            "POINTSMAN_LOG_LEVEL": "warning",
            "POINTSMAN_PROCESS": "engine-bench",
            "PYTHONUNBUFFERED": "1",
        }

    def start_engine(self) -> Child:
        """Start the engine; back when it is ready for calls and its router knows every agent. SiteBroken."""
        child = self._start(
            ChildSpec(
                name="engine",
                argv=(sys.executable, "-m", "conf.cli", "engine"),
                environment=self.environment(),
                folder=Path(conf.__file__).parent.parent,
                stop_seconds=DRAIN_SECONDS,
            ),
            0,
        )
        self.wait_ready()
        return child

    def wait_ready(self) -> None:
        """Wait until the engine's router knows every agent and its link to the switch is up. SiteBroken."""
        wanted = self.company.sales + self.company.busy + 1
        deadline = time.monotonic() + READY_SECONDS
        client = self.redis
        while int(client.scard(keys.AGENTS)) < wanted or not any(
            '"switch":"ok"' in beat for beat in client.hvals(keys.PROCESSES)
        ):
            if self.engine.exit_code is not None or time.monotonic() > deadline:
                raise SiteBroken(f"the engine does not come up: {self.engine.last_words(8)}")
            gevent.sleep(0.05)

    def complaints(self) -> dict[str, int]:
        """What the engine has logged so far, warnings and worse: the event, and how often."""
        text = (self.home / "engine.log").read_text(encoding="utf-8", errors="replace")
        return dict(Counter(found[1] or found[2] for found in _EVENT.finditer(text)))

    # --- parts ---

    def _start(self, spec: ChildSpec, core: int) -> Child:
        child = self.children[spec.name] = Child(spec, self.home / f"{spec.name}.log")
        if self.cores is not None:
            pin(child.pid, self.cores[core])
        return child

    def _start_stores(self) -> None:
        postgres = embedded.Postgres(self.home)
        postgres.prepare()
        child = self._start(postgres.spec, 1)
        # Records are not waited for. On the processor that they share the generator goes first, or what it times is its own
        # waiting for Postgres.
        os.setpriority(os.PRIO_PROCESS, child.pid, NICE)
        postgres.wait_ready(child)
        server = embedded.Redis(self.home)
        server.prepare()
        server.wait_ready(self._start(server.spec, 1))
        self.database_url, self.redis_url = postgres.url, server.url

    def _set_up(self) -> None:
        migrate(self.database_url)
        now = datetime.now(ZoneInfo("UTC"))
        db = database.connect(self.database_url, size=2, name="pointsman bench")
        database.bind(db)
        try:
            calendars = documents.read(CALENDARS.read_text(encoding="utf-8"))
            always = {"name": "Always", "weekly": {"mon-sun": ["00:00-24:00"]}}
            dialplan_store.import_calendars(
                db,
                {"calendars": [*calendars["calendars"], always]},
                zone=ZoneInfo("UTC"),
                years=range(now.year - 1, now.year + 2),
            )
            ivr_store.import_flows(db, [FLOW], author="bench", at=now)
            dialplan_store.save_number(db, NUMBER, "Load", destinations.ToFlow("bench"), country=COUNTRY)
            self._staff()
            with db.connection_context():
                raise_version(db)
        finally:
            db.close_all()

    def _staff(self) -> None:
        connection = psycopg2.connect(self.database_url)
        with connection, connection.cursor() as cursor:
            for name in ("sales", "busy", "held"):
                cursor.execute("INSERT INTO skill (name) VALUES (%s) RETURNING id", (name,))
                ((skill,),) = cursor.fetchall()
                cursor.execute(
                    "INSERT INTO queue (name, title, longest_wait_seconds, most_waiting) "
                    "VALUES (%s, %s, 86400, 100000) RETURNING id",
                    (name, name.title()),
                )
                ((queue,),) = cursor.fetchall()
                cursor.execute("INSERT INTO queue_skill (queue_id, skill_id, level) VALUES (%s, %s, 1)", (queue, skill))
                first, count, presence = self._team(name)
                cursor.execute(
                    "WITH made AS (INSERT INTO agent (name, extension, presence, wrap_up_seconds) "
                    "SELECT 'Agent ' || e, e::text, %s, 0 FROM generate_series(%s, %s) e RETURNING id) "
                    "INSERT INTO agent_skill (agent_id, skill_id, level) SELECT id, %s, 3 FROM made",
                    (presence, first, first + count - 1, skill),
                )
            cursor.execute(
                "WITH made AS (INSERT INTO customer (name, company, category) "
                "SELECT 'Customer ' || n, 'Company ' || n, CASE WHEN n %% 20 = 0 THEN 'vip' ELSE 'average' END "
                "FROM generate_series(0, %s, 2) n RETURNING id, name) "
                "INSERT INTO customer_number (customer_id, number) "
                "SELECT id, '+45' || (%s + substr(name, 10)::int) FROM made",
                (CALLERS - 1, FIRST_CALLER),
            )
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
        connection.close()

    def _team(self, queue: str) -> tuple[int, int, str]:
        """First extension, number of agents and their presence."""
        teams = {"sales": (2001, self.company.sales, "ready"), "busy": (6001, self.company.busy, "ready")}
        return teams.get(queue, (9001, 1, "pause"))


def pin(pid: int, core: int) -> None:
    """Hold a process, with all its threads and children to come, to one processor."""
    os.sched_setaffinity(pid, {core})


def password() -> str:
    return secrets.token_urlsafe(12)
