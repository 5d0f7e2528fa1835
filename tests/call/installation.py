"""A whole installation on the virtual switch, as tests use it: from outside, by what callers, agents and analysts see."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import gevent
import psutil
import psycopg2
import redis as redis_client
from psycopg2.extras import RealDictCursor

from conf import database
from conf.clock import Clock
from conf.settings import Address
from engine.live import connection, keys
from engine.live.board import Board
from engine.live.requests import tell_configuration_changed, want_presence
from engine.records.facts import Presence
from engine.records.publish import raise_version
from ivr import store as ivr_store
from ivr.flow import Flow
from tests.ports import free_port
from tests.post import Post
from tests.waiting import LONG_SECONDS, eventually

from .callers import Caller, Switchboard
from .report import Report, Row

READY_SECONDS = 60
_CIRCLES = " objects have held each other in circles"
T = TypeVar("T")


def one(rows: Sequence[T]) -> T:
    """The only row there is; AssertionError for any other number of them."""
    assert len(rows) == 1, rows
    return rows[0]


class Installation:
    """A running `pointsman up`."""

    post: Post
    """Where its e-mails go, for those that send any."""

    def __init__(self, environment: dict[str, str], *arguments: str) -> None:
        self.home = Path(environment["POINTSMAN_HOME"])
        self.process = subprocess.Popen(
            [sys.executable, "-m", "conf.cli", "up", *arguments],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=(self.home / "up.err").open("w"),
            text=True,
        )
        self.ready = self._await_ready()
        found = json.loads((self.home / "run" / "installation.json").read_text())
        self.database_url: str = found["database_url"]
        self.clock = Clock.parse(found["clock"])
        self.esl = Address(found["esl"])
        self.switch = self._switch(found)
        self.redis: Any = connection.commands(found["redis_url"])
        self.board = Board(self.redis)
        self._connection = psycopg2.connect(self.database_url)
        self._connection.autocommit = True
        self._pops: list[dict[str, Any]] = []
        self._listener = gevent.spawn(self._hear_pops, connection.blocking(found["redis_url"]))

    def _await_ready(self) -> str:
        assert self.process.stdout is not None
        line = ""
        try:
            with gevent.Timeout(READY_SECONDS, AssertionError("not ready in time")):
                line = self.process.stdout.readline().strip()
        finally:
            if not line:
                self.process.kill()
        assert line.startswith("ready "), (self.home / "up.err").read_text()
        return line

    def _switch(self, found: dict[str, Any]) -> Any:
        """What callers ring at, and what is asked for the calls it has."""
        control = Address(found["control"])
        return Switchboard(control.host, control.port, found["password"], self.clock)

    def end(self) -> int:
        """SIGTERM, as a service manager does it; the exit code."""
        self._listener.kill()
        self.switch.close()
        self._connection.close()
        self.redis.close()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)

    def complaints(self) -> list[str]:
        """What the engines logged as a fault."""
        logs = (path.read_text() for path in (self.home / "log").glob("engine-*.log"))
        return [line for text in logs for line in text.splitlines() if "level=error" in line or "Traceback" in line]

    # --- the database ---

    def rows(self, query: str, *arguments: object) -> list[Row]:
        with self._connection.cursor(cursor_factory=RealDictCursor) as cursor:
            cursor.execute(query, arguments)
            return [dict(row) for row in cursor.fetchall()]

    def value(self, query: str, *arguments: object) -> Any:
        (row,) = self.rows(query, *arguments)
        (value,) = row.values()
        return value

    @contextmanager
    def setting_up(self) -> Iterator[database.Database]:
        """Change what is set up within this block; at its end it is published, and in force when the block is left."""
        db = database.connect(self.database_url, size=2, name="tests")
        database.bind(db)
        try:
            yield db
            with db.connection_context():
                version = raise_version(db)
        finally:
            db.close_all()
        tell_configuration_changed(self.redis, version)

        def in_force() -> None:
            engines = [process for process in self.board.snapshot()["processes"] if process["alive"]]
            assert engines
            assert all(engine["configuration"] >= version for engine in engines)

        eventually(in_force)

    def publish(self, db: database.Database, flow: Flow) -> int:
        """The version the flow has from the end of the block of `setting_up`."""
        return ivr_store.import_flow(db, flow, author="tests", at=self.clock.now())

    def report(self, caller: Caller, seconds: float = LONG_SECONDS, *, forgotten: Collection[str] = ()) -> Report:
        """The call's rows, complete: also those that another process writes when the caller has long gone, such as an
        offer's end, which is the router's to tell, unless it is one of the `forgotten`."""
        assert caller.over

        def complete() -> Report:
            report = self.rows_of(caller)
            report.check(forgotten)
            return report

        return eventually(complete, seconds)

    def rows_of(self, caller: Caller) -> Report:
        call_id = caller.call_id
        calls = self.rows("SELECT * FROM report.calls WHERE call_id = %s", call_id)
        assert len(calls) == 1, f"{len(calls)} rows for {caller.story}"
        of = {
            "segments": "SELECT * FROM report.segments WHERE call_id = %s ORDER BY position",
            "steps": "SELECT * FROM report.ivr_steps WHERE call_id = %s ORDER BY position",
            "entries": "SELECT * FROM report.queue_entries WHERE call_id = %s ORDER BY entered_at",
            "offers": "SELECT * FROM report.offers WHERE call_id = %s ORDER BY offered_at",
            "recordings": "SELECT * FROM recording WHERE call_id = %s",
            "messages": "SELECT * FROM voicemail WHERE call_id = %s",
        }
        return Report(calls[0], **{name: self.rows(query, call_id) for name, query in of.items()})

    def states(self, extension: str, since: datetime) -> list[tuple[str, str, str | None]]:
        """Presence, work state and reason of an agent, each time they changed since then."""
        rows = self.rows(
            "SELECT presence, work_state, reason FROM report.agent_states WHERE extension = %s AND since >= %s"
            " ORDER BY since",
            extension,
            since,
        )
        return [(row["presence"], row["work_state"], row["reason"]) for row in rows]

    # --- agents ---

    def agents(self) -> dict[str, dict[str, Any]]:
        """All agents as the board shows them, by extension."""
        return {agent["extension"]: agent for agent in self.board.snapshot()["agents"]}

    def choose(self, extension: str, presence: Presence, reason: str | None = None) -> None:
        """The agent asks for a presence, as by a button on their page."""
        self._want(self.agents()[extension], presence, reason)

    def _want(self, agent: dict[str, Any], presence: Presence, reason: str | None = None) -> None:
        want_presence(self.redis, int(agent["agent_id"]), presence, reason=reason, by="tests", at=self.clock.now())

    def see(self, extension: str, seconds: float = LONG_SECONDS, **state: str | None) -> None:
        """Wait until the board shows the agent so."""

        def shown() -> None:
            agent = self.agents().get(extension)
            assert agent is not None, f"the board does not show {extension}"
            assert {name: agent[name] for name in state} == state

        eventually(shown, seconds)

    def on_duty(self, *extensions: str, otherwise: Presence = "pause") -> None:
        """These agents are ready and all others are not; true when this returns."""
        chosen: set[str] = set()

        def there() -> None:
            # Who is taken off the list meanwhile is on no duty.
            agents = self.agents()
            assert set(extensions) <= set(agents), f"the board shows {sorted(agents)}"
            for extension, agent in agents.items():
                presence: Presence = "ready" if extension in extensions else otherwise
                if (agent["presence"], agent["reason"]) != (presence, None) and extension not in chosen:
                    self._want(agent, presence)
                    chosen.add(extension)
            shown = {name: (each["presence"], each["reason"], each["work"]) for name, each in agents.items()}
            assert shown == {name: ("ready" if name in extensions else otherwise, None, "idle") for name in agents}

        eventually(there)

    # --- screen pops ---

    def pops(self, caller: Caller) -> list[dict[str, Any]]:
        """The screen pops of a call so far, each with the channel it was heard on."""
        return [pop for pop in self._pops if pop["call_id"] == caller.call_id]

    def popped(self, caller: Caller, *wanted: tuple[str, str]) -> list[dict[str, Any]]:
        """Wait until these screen pops of the call, event and extension of each, were heard and no others."""

        def heard() -> list[dict[str, Any]]:
            pops = self.pops(caller)
            assert [(pop["event"], pop["heard_on"].removeprefix("screenpop:")) for pop in pops] == list(wanted)
            return pops

        return eventually(heard)

    def _hear_pops(self, client: redis_client.Redis) -> None:
        channel = client.pubsub(ignore_subscribe_messages=True)
        channel.psubscribe(keys.screenpop("*"))
        try:
            for message in channel.listen():
                self._pops.append(json.loads(message["data"]) | {"heard_on": message["channel"]})
        finally:
            channel.close()
            client.close()

    # --- what may be left over ---

    def engines(self) -> list[dict[str, Any]]:
        return [process for process in self.board.snapshot()["processes"] if process["alive"]]

    def sockets(self) -> int:
        """Connections that calls hold to the engines."""
        return sum(
            each.laddr.port == self.esl.port and each.status == psutil.CONN_ESTABLISHED
            for engine in self.engines()
            for each in psutil.Process(engine["pid"]).net_connections("tcp")
        )

    def greenlets(self) -> Counter[str]:
        """What runs in the engines, greenlets by the function they run, as the engines themselves tell when they are asked."""
        found: Counter[str] = Counter()
        for text in self._told():
            found.update(re.findall(r"<Greenlet [^:]*: (?:<bound method |<function )?([^ (]+)", text))
        return found

    def circles(self) -> int:
        """How many objects the engines have left to Python's collector so far."""
        return sum(int(text.split(_CIRCLES)[0].split()[-1]) for text in self._told())

    def _told(self) -> Iterator[str]:
        """What each engine writes to its log when it is asked."""
        for engine in self.engines():
            log = self.home / "log" / f"{engine['name']}.log"
            start = log.stat().st_size
            os.kill(engine["pid"], signal.SIGUSR1)

            def told(log: Path = log, start: int = start) -> str:
                text = log.read_bytes()[start:].decode()
                assert _CIRCLES in text
                return text

            yield eventually(told)

    def check_nothing_left(self) -> None:
        """Nobody is on the line, nothing is remembered of anybody, and every agent is free for the next call."""
        assert self.switch.channels() == []
        for key in (keys.CALLS, keys.WAITING, keys.OFFERS):
            assert self.redis.hgetall(key) == {}, key
        assert self.redis.keys(keys.queue("*")) == []
        busy = {name: agent for name, agent in self.agents().items() if agent["work"] != "idle" or agent["call_id"]}
        assert busy == {}
        assert self.sockets() == 0
        # A callback that was offered and never came to a call has a row without a beginning, which its offers hang on.
        assert self.value("SELECT count(*) FROM call WHERE started_at IS NOT NULL AND ended_at IS NULL") == 0


def environment(home: Path) -> dict[str, str]:
    """For an installation of its own, apart from all others on this machine."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("POINTSMAN_")}
    addresses = {f"POINTSMAN_{name}": f"127.0.0.1:{free_port()}" for name in ("HTTP", "ESL", "CONTROL", "SIP")}
    return (
        plain
        | addresses
        | {
            "POINTSMAN_HOME": str(home),
            "POINTSMAN_FREESWITCH": "virtual",
            "POINTSMAN_ENGINES": "2",
            "POINTSMAN_ADMIN_PASSWORD": "of our own",
            "POINTSMAN_TIMEZONE": "Europe/Copenhagen",
        }
    )
