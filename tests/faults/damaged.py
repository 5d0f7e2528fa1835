"""An installation whose parts are killed, stopped and emptied, and what its callers must notice of that: nothing."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psutil
import psycopg2
import redis as redis_client
from call.callers import Caller, Switchboard
from call.installation import Installation
from call.report import Report, Row

from conf.database import Database
from conf.settings import Address
from dialplan import destinations, store
from engine.live import keys
from engine.records.tables import Agent, AgentSkill, Queue, QueueSkill, Skill
from ivr.flow import Flow
from tests.waiting import eventually

AT = "2026-03-04T10:00"
SPEED = 10
WRAP_UP = 4

QUEUES = ("blue", "green", "red", "white")
"""Queues of one agent each, so that one call's fate does not hang on another's."""
NUMBERS = dict(zip(QUEUES, ("5020", "5021", "5022", "5023"), strict=True))
AGENTS = dict(zip(QUEUES, ("2001", "2002", "2003", "2004"), strict=True))
"""The extension of each queue's agent."""
BOX, CODE = "5030", "5031"
"""Numbers: a message box; a flow that asks for four keys."""

ASKING = Flow.parse(
    {
        "name": "code",
        "start": "code",
        "nodes": {
            "code": {
                "type": "menu",
                "prompts": ["menu_main"],
                "wait_seconds": 30,
                "between_seconds": 30,
                "exits": {"1234": "right", "no_input": "wrong"},
            },
            "right": {"type": "hang_up", "prompts": ["voicemail_saved"]},
            "wrong": {"type": "hang_up", "prompts": ["menu_no_match"]},
        },
    }
)


def furnish(db: Database, installation: Installation) -> None:
    installation.publish(db, ASKING)
    with db.connection_context():
        Agent.update(wrap_up_seconds=WRAP_UP).execute()
        for number, name in enumerate(QUEUES, start=1):
            skill = Skill.create(name=name)
            queue = Queue.create(name=name, title=name.title(), ring_seconds=120, announce_seconds=0)
            QueueSkill.create(queue=queue, skill=skill, level=1)
            agent = Agent.create(name=f"Agent {number}", extension=AGENTS[name], wrap_up_seconds=WRAP_UP)
            AgentSkill.create(agent=agent, skill=skill, level=1)
    wanted = {NUMBERS[name]: {"to": "queue", "queue": name} for name in QUEUES}
    wanted |= {BOX: {"to": "voicemail", "box": "sales"}, CODE: {"to": "flow", "flow": "code"}}
    for number, destination in wanted.items():
        store.save_number(db, number, f"Number {number}", destinations.decode(destination), country="DK")


class Damaged(Installation):
    """A running `pointsman up` with the means to break it."""

    def furnish(self) -> None:
        with self.setting_up() as db:
            furnish(db, self)
        for extension in AGENTS.values():
            self.switch.phone(extension, answer=1, talk=5)

    # --- who is who ---

    def children(self) -> dict[str, int]:
        """The process id of each part as it runs now."""
        found = json.loads((self.home / "run" / "children.json").read_text())
        return {name: int(each["pid"]) for name, each in found.items()}

    def pid_of_engine(self, process_id: str) -> int:
        return next(int(each["pid"]) for each in self.board.snapshot()["processes"] if each["id"] == process_id)

    def leader(self) -> str:
        """The process that holds the router."""

        def held() -> str:
            leader = self.board.snapshot()["router"]["leader"]
            assert leader
            return str(leader)

        return eventually(held)

    def kept_of(self, caller: Caller) -> dict[str, Any]:
        """The call as Redis knows it."""
        text = self.redis.hget(keys.CALLS, caller.call_id)
        assert text is not None, "the call is not known"
        found: dict[str, Any] = json.loads(text)
        return found

    def owner(self, caller: Caller) -> str:
        """The id of the process that has the call."""
        return str(eventually(lambda: self.kept_of(caller)["owner"]))

    def owner_in_queue(self, caller: Caller) -> str | None:
        """The id of the process that the router takes to have the call; None where it waits in no queue."""
        entries = map(json.loads, self.redis.hvals(keys.WAITING))
        return next((str(entry["owner"]) for entry in entries if entry["call_id"] == caller.call_id), None)

    def call_at(self, process_id: str, number: str, **plan: object) -> Caller:
        """A call that this process has. Which one gets it is the kernel's choice, so others are made and given up."""
        for _ in range(40):
            caller = self.switch.call(number, **plan)
            if self.owner(caller) == process_id:
                return caller
            caller.hang_up()
        raise AssertionError(f"no call came to {process_id}")

    def both_alive(self, count: int = 2) -> list[str]:
        """The ids of the engine processes, as soon as there are `count`."""

        def alive() -> list[str]:
            found = [engine["id"] for engine in self.engines()]
            assert len(found) == count, found
            return found

        return eventually(alive, 40)

    def unaccepted(self) -> int:
        """Connections that calls have opened to an engine which has not accepted them yet."""
        opened = (psutil.CONN_ESTABLISHED, psutil.CONN_CLOSE_WAIT)
        return sum(
            each.laddr.port == self.esl.port and each.status in opened and each.pid is None
            for each in psutil.net_connections("tcp")
        )

    # --- damage ---

    def send(self, signum: signal.Signals, *pids: int) -> float:
        """Send the signal to these processes; when that was, in the wall's monotonic seconds."""
        for pid in pids:
            os.kill(pid, signum)
        return time.monotonic()

    def kill(self, *process_ids: str) -> float:
        """kill -9 these engine processes."""
        return self.send(signal.SIGKILL, *map(self.pid_of_engine, process_ids))

    @contextmanager
    def stopped(self, *names: str) -> Iterator[None]:
        """Within the block these parts do nothing, as a machine that swaps or a paused container does."""
        pids = [
            each.pid
            for name in names
            for each in (psutil.Process(self.children()[name]), *psutil.Process(self.children()[name]).children(True))
        ]
        self.send(signal.SIGSTOP, *pids)
        try:
            yield
        finally:
            self.send(signal.SIGCONT, *pids)

    def killed(self, name: str) -> None:
        """kill -9 a part with all it has started, and wait until it runs again."""
        pid = self.children()[name]
        found = psutil.Process(pid)
        for each in (found, *found.children(recursive=True)):
            os.kill(each.pid, signal.SIGKILL)

        def again() -> None:
            assert self.children()[name] != pid

        eventually(again)

    def agents_are_known(self) -> None:
        """Wait until the board shows all agents again."""

        def shown() -> None:
            assert len(self.agents()) == self.value("SELECT count(*) FROM agent")

        eventually(shown)

    def redis_answers(self) -> None:
        def answers() -> None:
            try:
                self.redis.ping()
            except redis_client.RedisError as error:
                raise AssertionError(str(error)) from error

        eventually(answers, 30)

    def new_switchboard(self) -> None:
        """After the switch was started again: nobody of before is on the line, and its phones behave as at first."""
        self.switch.close()
        found = json.loads((self.home / "run" / "installation.json").read_text())
        control = Address(found["control"])

        def answers() -> Switchboard:
            try:
                return Switchboard(control.host, control.port, found["password"], self.clock)
            except Exception as error:
                raise AssertionError(str(error)) from error

        self.switch = eventually(answers, 30)
        for extension in AGENTS.values():
            self.switch.phone(extension, answer=1, talk=5)

    def _hear_pops(self, client: redis_client.Redis) -> None:
        # Redis is killed here.
        with suppress(redis_client.RedisError):
            super()._hear_pops(client)

    def let_go(self) -> None:
        """Close all that is open to an installation that is no more."""
        self._listener.kill()
        self.switch.close()
        self._connection.close()
        self.redis.close()

    def rows(self, query: str, *arguments: object) -> list[Row]:
        try:
            return super().rows(query, *arguments)
        except psycopg2.Error as error:
            if error.pgcode is not None and not error.pgcode.startswith("57"):
                raise
            self._connect_again()
            return super().rows(query, *arguments)

    def _connect_again(self) -> None:
        def connected() -> Any:
            try:
                return psycopg2.connect(self.database_url)
            except psycopg2.Error as error:
                raise AssertionError(str(error)) from error

        self._connection = eventually(connected, 30)
        self._connection.autocommit = True

    # --- what must be true ---

    def wall(self, seconds: float) -> float:
        """Seconds of the wall for seconds of the installation's clock."""
        return self.clock.wall_seconds(seconds)

    def calm(self, seconds: float = 30) -> None:
        """Wait until nobody is on the line and nothing is left over."""

        def at_rest() -> None:
            try:
                self.check_nothing_left()
            except redis_client.RedisError as error:
                raise AssertionError(str(error)) from error

        eventually(at_rest, seconds)

    def every_call_has_one_row(self, callers: list[Caller], seconds: float = 30) -> list[Report]:
        return [self.report(caller, seconds) for caller in callers]

    def offers_overlap(self) -> list[Row]:
        """Pairs of offers or talks of one agent at one time, of different calls; there must be none."""
        return self.rows(
            """
            WITH busy AS (
                SELECT agent_id, call_id, 'offer ' || id AS what, offered_at AS from_, ended_at AS till FROM offer
                    WHERE offered_at IS NOT NULL
                UNION ALL
                SELECT agent_id, call_id, 'talk ' || call_id, began_at, ended_at FROM segment
                    WHERE kind = 'talk' AND agent_id IS NOT NULL
            )
            SELECT a.agent_id, a.what, b.what AS other, a.from_, a.till, b.from_ AS other_from, b.till AS other_till
            FROM busy a JOIN busy b ON a.agent_id = b.agent_id AND a.what < b.what AND a.call_id <> b.call_id
            WHERE tstzrange(a.from_ + interval '200 ms', greatest(a.till, a.from_ + interval '200 ms'))
               && tstzrange(b.from_ + interval '200 ms', greatest(b.till, b.from_ + interval '200 ms'))
            """
        )


def since(caller: Caller, at: float) -> list[dict[str, Any]]:
    """What the caller noticed after the clock's second `at` of their call."""
    return [told for told in caller.story if told["at"] > at]


def gap(damaged: Damaged, caller: Caller, at: float) -> float:
    """Seconds of the wall from `at` to the next thing the caller hears."""
    heard = next(told["at"] for told in since(caller, at) if told["kind"] in ("hears", "music", "tone", "talks"))
    return damaged.wall(heard - at)
