"""The whole line on real parts: telephones, FreeSWITCH, an engine process, Postgres and Redis; from ring to report."""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import redis as redis_client
from psycopg2.extras import RealDictCursor

from conf import database
from conf.children import Child, ChildSpec
from conf.settings import Settings
from dialplan import destinations, store
from engine.freeswitch import FreeSwitch, desk_phones
from engine.records import demo
from tests.phone.rig import RigError, RunningSwitch, SipPhone, free_port, seconds_of_tone

CALLER, AGENT = 700.0, 1000.0
NUMBER = "+4532101010"
"""Mette Dahl's, a customer of the demo company."""

STRAIGHT = "5009"
"""A number that leads into the queue without a menu."""


@dataclass
class Company:
    """The demo company with Anna (1001) alone at her desk."""

    switch: RunningSwitch
    settings: Settings
    redis: redis_client.Redis

    def rows(self, query: str, *arguments: object) -> list[dict[str, Any]]:
        assert self.settings.database_url is not None
        with closing(psycopg2.connect(self.settings.database_url)) as connection:
            cursor = connection.cursor(cursor_factory=RealDictCursor)
            cursor.execute(query, arguments)
            return [dict(row) for row in cursor.fetchall()]

    def report(self, seconds: float = 10) -> dict[str, Any]:
        """The one row of the call, once it is shipped."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = self.rows("SELECT * FROM report.calls")
            if found:
                assert len(found) == 1
                return found[0]
            time.sleep(0.05)
        raise RigError(f"no call was reported within {seconds} s")

    def wait_idle(self, seconds: float = 10) -> None:
        """Till FreeSWITCH has no channel left; one with `linger` stays a while after its end."""
        end = time.monotonic() + seconds
        while not self.switch.api("show channels count").startswith("0 "):
            if time.monotonic() > end:
                raise RigError(f"channels are left over: {self.switch.api('show channels')}")
            time.sleep(0.05)


@pytest.fixture
def company(binary: str, database_url: str, db: database.Database, redis_url: str, tmp_path: Path) -> Iterator[Company]:
    settings = Settings(
        home=tmp_path,
        database_url=database_url,
        redis_url=redis_url,
        control=f"127.0.0.1:{free_port()}",
        sip=f"127.0.0.1:{free_port(socket.SOCK_DGRAM)}",
        esl=f"127.0.0.1:{free_port()}",
        timezone="Europe/Copenhagen",
    )
    demo.load(db, settings, datetime.now(UTC), "demo")
    straight = destinations.decode({"to": "queue", "queue": "sales"})
    store.save_number(db, STRAIGHT, "Sales", straight, country=settings.country)
    with db.connection_context():
        db.execute_sql("UPDATE agent SET presence = 'offline' WHERE extension <> '1001'")
    password = "of our own"
    freeswitch = FreeSwitch(settings, Path(binary), password)
    freeswitch.prepare()
    children = [Child(freeswitch.spec, tmp_path / "switch.log")]
    redis = redis_client.Redis.from_url(redis_url, decode_responses=True, protocol=2)
    try:
        freeswitch.wait_ready(children[0])
        children.append(Child(_engine(settings, password), tmp_path / "engine.log"))
        switch = RunningSwitch(
            settings.control, password, settings.sip, settings.esl, tmp_path, desk_phones(database_url), children[0].pid
        )
        _await_engine(switch, children[1])
        try:
            yield Company(switch, settings, redis)
        finally:
            switch.close_phones()
    finally:
        for child in reversed(children[1:]):
            child.stop()
        children[0].kill()
        redis.close()


def _engine(settings: Settings, password: str) -> ChildSpec:
    assert settings.database_url is not None
    assert settings.redis_url is not None
    return ChildSpec(
        name="engine",
        argv=(sys.executable, "-m", "conf.cli", "engine"),
        environment={
            **{name: value for name, value in os.environ.items() if not name.startswith("POINTSMAN_")},
            "POINTSMAN_HOME": str(settings.home),
            "POINTSMAN_DATABASE_URL": settings.database_url,
            "POINTSMAN_REDIS_URL": settings.redis_url,
            "POINTSMAN_CONTROL": settings.control,
            "POINTSMAN_ESL": settings.esl,
            "POINTSMAN_FREESWITCH_PASSWORD": password,
            "POINTSMAN_TIMEZONE": settings.timezone,
        },
        folder=Path(__file__).parent.parent.parent,
    )


def _await_engine(switch: RunningSwitch, child: Child) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        if child.exit_code is not None:
            raise RigError(f"the engine ended: {child.last_words(20)}")
        if "engine ready" in child.log.read_text() and "router taken" in child.log.read_text():
            return
        time.sleep(0.05)
    raise RigError(f"the engine is not ready: {child.last_words(20)}")


def rung(caller: SipPhone, agent: SipPhone) -> None:
    """Press 1 in the menu till the agent's phone rings."""
    for _ in range(10):
        caller.press("1")
        try:
            agent.wait_for("incoming", 3)
        except RigError:
            continue
        return
    raise RigError(f"no phone rang; the caller was told {caller.events[-3:]}")


def test_a_caller_is_put_through_recorded_and_reported(company: Company) -> None:
    pops = company.redis.pubsub()
    pops.subscribe("screenpop:1001")
    agent = company.switch.desk("1001", hertz=AGENT)
    agent.register()
    caller = company.switch.outside(NUMBER, hertz=CALLER)
    caller.call("5000")
    caller.wait_for("established")
    caller.listen(1)
    rung(caller, agent)
    agent.answer()
    agent.wait_for("established")
    agent.listen(2)
    agent.hang_up()
    heard = caller.heard(20)

    assert seconds_of_tone(agent.heard(), CALLER) > 1
    assert seconds_of_tone(heard, AGENT) > 1

    call = company.report()
    assert (call["status"], call["agent"], call["extension"], call["queue"]) == (
        "answered",
        "Anna Holm",
        "1001",
        "sales",
    )
    assert (call["caller_number"], call["customer_name"], call["ended_by"]) == (NUMBER, "Mette Dahl", "agent")
    assert float(call["talk_seconds"]) == pytest.approx(2, abs=1)
    parts = company.rows("SELECT kind, seconds FROM report.segments WHERE leg = 'caller'")
    assert {part["kind"] for part in parts} >= {"ivr", "queue", "talk"}
    assert float(sum(part["seconds"] for part in parts)) == pytest.approx(float(call["total_seconds"]), abs=0.01)

    (recording,) = company.rows("SELECT path, seconds FROM recording")
    file = company.settings.home / "recordings" / recording["path"]
    assert float(recording["seconds"]) == pytest.approx(2, abs=1)
    assert seconds_of_tone(file, CALLER, channel=0) > 1
    assert seconds_of_tone(file, AGENT, channel=1) > 1
    assert seconds_of_tone(file, AGENT, channel=0) == 0

    events = []
    while message := pops.get_message(timeout=0.5):
        if message["type"] == "message":
            events.append(json.loads(message["data"]))
    assert [event["event"] for event in events] == ["offered", "answered", "ended"]
    assert events[0]["customer"]["name"] == "Mette Dahl"
    company.wait_idle()


def test_a_caller_who_hangs_up_in_the_menu_is_one_who_left_there(company: Company) -> None:
    caller = company.switch.outside("+4586000000")
    caller.call("5000")
    caller.wait_for("established")
    caller.listen(0.5)
    caller.hang_up()
    call = company.report()
    assert (call["status"], call["ended_by"], call["agent"]) == ("abandoned_ivr", "caller", None)


def test_a_caller_who_hangs_up_while_it_rings_silences_the_phone(company: Company) -> None:
    agent = company.switch.desk("1001")
    agent.register()
    caller = company.switch.outside("+4586000000")
    caller.call(STRAIGHT)
    caller.wait_for("established")
    agent.wait_for("incoming")
    caller.hang_up()
    agent.wait_for("closed", 3)
    # Which of the two depends on how long the waiting was, and that on the phone.
    assert company.report()["status"] in ("abandoned_ringing", "short_abandon")
    company.wait_idle()


def test_a_caller_who_hangs_up_in_the_talk_frees_the_agent(company: Company) -> None:
    agent = company.switch.desk("1001")
    agent.register()
    caller = company.switch.outside(NUMBER)
    caller.call(STRAIGHT)
    caller.wait_for("established")
    agent.wait_for("incoming")
    agent.answer()
    agent.wait_for("established")
    agent.listen(1)
    caller.hang_up()
    agent.wait_for("closed", 3)
    call = company.report()
    assert (call["status"], call["ended_by"]) == ("answered", "caller")
    assert len(company.rows("SELECT 1 FROM recording")) == 1
