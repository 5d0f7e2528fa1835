"""The demo company with a history and a live moment, for the tests of the admin and of its pages in a browser."""

from __future__ import annotations

import math
import random
import struct
import uuid
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import psycopg2
from flask import Flask
from gevent.pywsgi import WSGIServer

from admin import board
from admin.app import create_app
from admin.commands import build
from admin.parts import Parts
from admin.prompts import shelf
from conf import database
from conf.settings import Settings
from engine.live import keys
from engine.records import demo, facts
from engine.records.apply import Batch

PASSWORD = "correct horse battery"
CALLS = "calls.json"
MENU = {"sales": ("1", "to_sales"), "support": ("2", "to_support"), "reception": ("0", "to_reception")}
AGENTS = {"1001": "Anna Holm", "1002": "Ben Okoro", "1003": "Clara Jensen", "1004": "David Kim"}


@dataclass
class Company:
    """The running parts, the application, and what stands in its history: name -> call id."""

    parts: Parts
    app: Flask
    calls: dict[str, str] = field(default_factory=dict)
    agents: dict[str, int] = field(default_factory=dict)
    """Extension -> agent's id."""

    @property
    def now(self) -> datetime:
        return self.parts.clock.now()

    def token(self, account: str) -> str:
        from engine.records.accounts import Accounts

        return Accounts(self.parts.db).add_token(account, "test", self.now)


def prepare(database_url: str, redis_url: str, home: Path, *, history: bool) -> None:
    """Put the demo company, and a week of calls where wanted, into an empty, migrated database; the sound goes to `home`."""
    settings = _settings(database_url, redis_url, home)
    parts = build(settings)
    demo.load(parts.db, settings, parts.clock.now(), PASSWORD)
    if history:
        made = _company(parts, create_app(parts))
        a_week(made)
        (home / CALLS).write_bytes(msgspec.json.encode(made.calls))
    parts.redis.close()
    parts.db.close_idle()


def copy_database(postgres_url: str, name: str, template: str) -> str:
    """A copy of a database that nobody uses now; its URL."""
    connection = psycopg2.connect(_sibling(postgres_url, "postgres"))
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    connection.close()
    return _sibling(postgres_url, name)


def drop_database(postgres_url: str, name: str) -> None:
    connection = psycopg2.connect(_sibling(postgres_url, "postgres"))
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    connection.close()


def _sibling(url: str, name: str) -> str:
    return url.rpartition("/")[0] + "/" + name


def _settings(database_url: str, redis_url: str, home: Path) -> Settings:
    return Settings(
        home=home, database_url=database_url, redis_url=redis_url, timezone="Europe/Copenhagen", country="DK"
    )


def application(database_url: str, redis_url: str, home: Path) -> tuple[Parts, Flask]:
    """The admin of a prepared company, for one test after the other: see `company`."""
    parts = build(_settings(database_url, redis_url, home))
    return parts, create_app(parts)


def _company(parts: Parts, app: Flask) -> Company:
    with parts.db.connection_context():
        agents = dict(parts.db.execute_sql("SELECT extension, id FROM agent").fetchall())
    named = parts.settings.home / CALLS
    calls = msgspec.json.decode(named.read_bytes(), type=dict[str, str]) if named.exists() else {}
    return Company(parts, app, calls=calls, agents=agents)


@contextmanager
def company(parts: Parts, app: Flask) -> Iterator[Company]:
    """A prepared company with its feed listening; nothing is left over for the next, whose database is a new one."""
    database.bind(parts.db)
    app.extensions[board.EXTENSION] = board.Boards(parts)
    app.extensions[shelf.EXTENSION] = shelf.Shelf(parts)
    made = _company(parts, app)
    parts.feed.start()
    try:
        yield made
    finally:
        parts.feed.stop()
        parts.redis.close()
        if not parts.db.is_closed():
            parts.db.close()
        parts.db.close_idle()


@contextmanager
def serving(made: Company) -> Iterator[str]:
    """The application on a real socket; its address."""
    server = WSGIServer(("127.0.0.1", 0), made.app, log=None, error_log=None)
    server.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        made.parts.feed.stop()
        server.stop(timeout=1)


def tone(path: Path, seconds: float, *, channels: int = 2) -> None:
    """Speech-like sound: two parties that take turns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(channels)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        second = _turns(channels)
        sound.writeframes((second * (int(seconds) // 8 + 1))[: int(seconds * 8000) * channels * 2])


@cache
def _turns(channels: int) -> bytes:
    """Eight seconds of it, over and over."""
    noise, frames = random.Random(7), bytearray()
    for frame in range(8 * 8000):
        at = frame / 8000
        loud = abs(math.sin(at * 4.1)) * (0.4 + 0.6 * abs(math.sin(at * 0.7)))
        value = int(9000 * loud * math.sin(at * 1400) + noise.randint(-250, 250))
        first = at % 4.4 < 2.2
        for channel in range(channels):
            frames += struct.pack("<h", value if (channel == 0) == first else noise.randint(-120, 120))
    return bytes(frames)


class History:
    """Writes calls as the engine would have told them, fact by fact."""

    def __init__(self, made: Company) -> None:
        self._made = made
        self._batch = Batch()

    def write(self) -> None:
        connection = psycopg2.connect(self._made.parts.settings.database_url)
        with connection, connection.cursor() as cursor:
            self._batch.write(cursor)
        connection.close()

    def call(
        self,
        name: str,
        at: datetime,
        caller: str,
        status: str = "answered",
        *,
        queue: str | None = "sales",
        agent: str | None = "1001",
        menu: float = 9.4,
        wait: float = 14.2,
        talk: float = 96.0,
        missed_by: str | None = None,
        record: bool = False,
        message: float = 0.0,
        direction: facts.Direction = "inbound",
    ) -> str:
        """One call. `missed_by` is an agent that was rung first and did not answer."""
        add, call_id = self._batch.add, str(uuid.uuid4())
        self._made.calls[name] = call_id
        key, exit_node = MENU.get(queue or "", ("9", "message"))
        add(
            facts.CallBegan(
                call_id=call_id,
                at=at,
                direction=direction,
                caller_number=caller,
                called_number="5000",
                number_name="Main line",
                switch="virtual",
            )
        )
        add(facts.CallAnswered(call_id=call_id, at=at + timedelta(milliseconds=200)))
        now = at
        add(facts.PhaseBegan(call_id=call_id, at=now, phase="ivr"))
        hours, greeting, menu_at = now, now + timedelta(seconds=0.1), now + timedelta(seconds=menu * 0.45)
        for node, kind, entered, left, out in (
            ("hours", "hours", hours, greeting, "open"),
            ("greeting", "play", greeting, menu_at, "done"),
            ("main_menu", "menu", menu_at, now + timedelta(seconds=menu), key if queue or message else "hung_up"),
        ):
            add(
                facts.StepEntered(
                    call_id=call_id, entered_at=entered, flow="main", flow_version=1, node=node, node_type=kind
                )
            )
            add(facts.StepLeft(call_id=call_id, entered_at=entered, left_at=left, exit=out))
        now += timedelta(seconds=menu)
        agent_id = self._made.agents.get(agent or "")
        if queue:
            add(facts.PhaseBegan(call_id=call_id, at=now, phase="queue", queue=queue))
            entry_id = str(uuid.uuid4())
            add(
                facts.StepEntered(
                    call_id=call_id, entered_at=now, flow="main", flow_version=1, node=exit_node, node_type="queue"
                )
            )
            add(facts.QueueEntered(entry_id=entry_id, call_id=call_id, queue=queue, at=now, position=1))
            entered, now = now, now + timedelta(seconds=wait)
            if missed_by:
                self._offer(
                    call_id,
                    entry_id,
                    queue,
                    missed_by,
                    entered + timedelta(seconds=0.4),
                    now - timedelta(seconds=4),
                    "no_answer",
                )
            if agent:
                self._offer(call_id, entry_id, queue, agent, now - timedelta(seconds=3.2), now, "answered")
            results: dict[str, facts.QueueResult] = {
                "answered": "answered",
                "abandoned_queue": "abandoned",
                "timeout": "timeout",
                "no_agent": "no_agent",
                "short_abandon": "short_abandon",
            }
            add(
                facts.QueueLeft(
                    entry_id=entry_id, call_id=call_id, at=now, result=results.get(status, "failed"), agent_id=agent_id
                )
            )
            if agent and status == "answered":
                add(
                    facts.PhaseBegan(
                        call_id=call_id, at=now, phase="talk", queue=queue, agent_id=agent_id, extension=agent
                    )
                )
                if record:
                    path = f"conversations/{at:%Y/%m/%d}/{call_id}.wav"
                    tone(self._made.parts.recordings / path, talk)
                    add(
                        facts.RecordingMade(
                            recording_id=str(uuid.uuid4()),
                            call_id=call_id,
                            path=path,
                            started_at=now,
                            seconds=talk,
                            queue=queue,
                            agent_id=agent_id,
                        )
                    )
                now += timedelta(seconds=talk)
                add(
                    facts.SideSegment(
                        call_id=call_id,
                        phase="wrap_up",
                        started_at=now,
                        ended_at=now + timedelta(seconds=5),
                        queue=queue,
                        agent_id=agent_id,
                        extension=agent,
                    )
                )
            add(
                facts.StepLeft(
                    call_id=call_id,
                    entered_at=entered,
                    left_at=now,
                    exit="answered" if status == "answered" else "hung_up",
                )
            )
        if message:
            add(facts.PhaseBegan(call_id=call_id, at=now, phase="voicemail"))
            path = f"messages/{at:%Y/%m/%d}/{call_id}.wav"
            tone(self._made.parts.recordings / path, message, channels=1)
            now += timedelta(seconds=message)
            add(
                facts.MessageLeft(
                    voicemail_id=str(uuid.uuid4()),
                    call_id=call_id,
                    box=queue or "reception",
                    path=path,
                    at=now,
                    seconds=message,
                    caller_number=caller,
                )
            )
        ended_by: facts.EndedBy = "agent" if status == "answered" and len(caller) % 2 else "caller"
        add(
            facts.CallEnded(
                call_id=call_id,
                at=now,
                status=status,
                ended_by=ended_by,
                hangup_cause="NORMAL_CLEARING",
                queue=queue,
                agent_id=agent_id if status == "answered" else None,
                extension=agent if status == "answered" else None,
                flow="main",
                flow_version=1,
            )
        )
        return call_id

    def _offer(
        self,
        call_id: str,
        entry_id: str,
        queue: str,
        extension: str,
        at: datetime,
        end: datetime,
        result: facts.OfferResult,
    ) -> None:
        offer_id, agent_id = str(uuid.uuid4()), self._made.agents[extension]
        others = [(other, name) for other, name in AGENTS.items() if other != extension]
        why: dict[str, Any] = {
            "strategy": "longest_idle",
            "call": {
                "waited_seconds": 4.0,
                "priority": 10,
                "vip_boost": 0,
                "head_start_seconds": 600.0,
                "kept_place": False,
            },
            "in_words": f"{AGENTS[extension]} had been idle longest, 4:12, of 2 free agents with {queue} at level 1 or above.",
            "needs": {queue: 1},
            "waited_seconds": 3.2,
            "chosen": {"agent_id": agent_id, "name": AGENTS[extension], "idle_seconds": 252.0},
            "candidates": [
                {"agent_id": agent_id, "name": AGENTS[extension], "idle_seconds": 252.0},
                {"agent_id": self._made.agents[others[0][0]], "name": others[0][1], "idle_seconds": 41.5},
            ],
            "candidates_count": 2,
            "left_out": [
                {
                    "agent_id": self._made.agents[others[1][0]],
                    "name": others[1][1],
                    "reason": f"lacks {queue} at level 1",
                },
                {"agent_id": self._made.agents[others[2][0]], "name": others[2][1], "reason": "is paused (lunch)"},
            ],
            "left_out_count": 2,
        }
        self._batch.add(
            facts.OfferMade(
                offer_id=offer_id,
                call_id=call_id,
                entry_id=entry_id,
                queue=queue,
                agent_id=agent_id,
                extension=extension,
                at=at,
                why=why,
            )
        )
        self._batch.add(facts.OfferEnded(offer_id=offer_id, at=end, result=result))
        self._batch.add(
            facts.SideSegment(
                call_id=call_id,
                phase="offer",
                started_at=at,
                ended_at=end,
                queue=queue,
                agent_id=agent_id,
                extension=extension,
            )
        )


def a_week(made: Company) -> None:
    """Some sixty calls of the last days, named ones among them."""
    history, now = History(made), made.now
    chance = random.Random(11)
    callers = [
        "+4532101010",
        "+4586123456",
        "+46402030 40".replace(" ", ""),
        "+4533112233",
        "+4520112233",
        "+442079460123",
        "",
    ]
    history.call(
        "answered", now - timedelta(minutes=4), "+4532101010", record=True, talk=42.0, missed_by="1003", wait=22.0
    )
    history.call(
        "message", now - timedelta(minutes=11), "+4586123456", "voicemail", queue=None, agent=None, message=12.0
    )
    history.call(
        "abandoned",
        now - timedelta(minutes=19),
        "+4533112233",
        "abandoned_queue",
        queue="support",
        agent=None,
        wait=71.0,
    )
    history.call("menu", now - timedelta(minutes=27), "", "abandoned_ivr", queue=None, agent=None, menu=4.0)
    history.call("ben", now - timedelta(minutes=33), "+46402030", queue="support", agent="1002", talk=184.0)
    for number in range(60):
        at = now - timedelta(minutes=45 + number * 97, seconds=chance.randint(0, 3000))
        caller = chance.choice(callers)
        kind = chance.choices(
            ["answered", "abandoned_queue", "abandoned_ivr", "after_hours", "voicemail", "timeout"], [60, 9, 7, 5, 6, 3]
        )[0]
        queue = chance.choice(["sales", "support", "reception"])
        agent = {"sales": "1001", "support": "1002", "reception": "1004"}[queue]
        if kind == "answered":
            history.call(
                f"c{number}",
                at,
                caller,
                queue=queue,
                agent=agent,
                wait=chance.uniform(3, 60),
                talk=chance.uniform(20, 600),
            )
        elif kind == "voicemail":
            history.call(f"c{number}", at, caller, kind, queue=None, agent=None, message=chance.uniform(5, 9))
        elif kind in ("abandoned_ivr", "after_hours"):
            history.call(f"c{number}", at, caller, kind, queue=None, agent=None, menu=chance.uniform(3, 20))
        else:
            history.call(f"c{number}", at, caller, kind, queue=queue, agent=None, wait=chance.uniform(20, 200))
    history.write()


def stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def put_agent(made: Company, extension: str, presence: str, work: str, *, seconds: float = 60, **more: str) -> None:
    """An agent's state in Redis, told as the router tells it."""
    agent_id = made.agents[extension]
    item = {
        "presence": presence, "work": work, "reason": "", "since": stamp(made.now - timedelta(seconds=seconds)),
        "call_id": "", "offer_id": "", "name": AGENTS[extension], "extension": extension,
    } | more  # fmt: skip
    made.parts.redis.hset(keys.agent(agent_id), mapping=item)
    made.parts.redis.sadd(keys.AGENTS, agent_id)
    tell(made, "agent", str(agent_id), item)


def put_call(made: Company, state: str, *, seconds: float, call_id: str = "", **more: Any) -> str:
    """A live call in Redis, told as its owner tells it."""
    call_id = call_id or str(uuid.uuid4())
    at = made.now - timedelta(seconds=seconds)
    item = {
        "call_id": call_id, "owner": "e1", "state": state, "since": stamp(at), "started_at": stamp(at - timedelta(seconds=10)),
        "direction": "inbound", "from": "", "to": "5000", "number_name": "Main line", "flow": "main", "flow_version": 1,
        "node": "main_menu", "queue": None, "agent_id": None, "agent": None, "extension": None, "customer_id": None,
        "customer_name": None, "customer_category": None, "priority": 0, "entered_at": None,
    } | more  # fmt: skip
    if state in ("queue", "offer") and not item["entered_at"]:
        item["entered_at"] = stamp(at)
    if state == "queue" and item["queue"] and "entry_id" not in item:
        item["entry_id"] = str(uuid.uuid4())
        made.parts.redis.zadd(keys.queue(item["queue"]), {item["entry_id"]: at.timestamp()})
    made.parts.redis.hset(keys.CALLS, call_id, msgspec.json.encode(item).decode())
    tell(made, "call", call_id, item)
    return call_id


def end_call(made: Company, call_id: str) -> None:
    made.parts.redis.hdel(keys.CALLS, call_id)
    tell(made, "call", call_id, None)


def tell(made: Company, kind: str, key: str, item: Any) -> None:
    made.parts.redis.publish(keys.LIVE, msgspec.json.encode({"kind": kind, "id": key, "item": item}).decode())


def put_engine(made: Company, name: str = "e1", *, switch: str = "ok", calls: int = 4) -> None:
    beat = {
        "id": name,
        "kind": "engine",
        "pid": 4211,
        "host": "host-1",
        "calls": calls,
        "started_at": stamp(made.now - timedelta(hours=3)),
        "switch": switch,
        "journal_pending": 0,
    }
    made.parts.redis.set(keys.process(name), "1", px=600_000)
    made.parts.redis.hset(keys.PROCESSES, name, msgspec.json.encode(beat).decode())
    made.parts.redis.set(keys.ROUTER_LEASE, name)
    made.parts.redis.set(keys.ROUTER_EPOCH, 3)


def a_moment(made: Company) -> None:
    """Somebody waits, somebody talks, somebody is at lunch."""
    put_engine(made)
    talk = put_call(
        made,
        "talk",
        seconds=131,
        queue="sales",
        agent_id=made.agents["1001"],
        agent="Anna Holm",
        extension="1001",
        customer_id=1,
        customer_name="Mette Dahl",
        customer_category="vip",
        **{"from": "+4532101010"},
    )
    put_call(
        made,
        "queue",
        seconds=47,
        queue="support",
        customer_name="Jonas Winther",
        customer_category="problem",
        **{"from": "+4586123456"},
    )
    put_call(made, "queue", seconds=8, queue="support", **{"from": "+442079460123"})
    put_call(made, "ivr", seconds=5, **{"from": "+4533112233"})
    put_agent(made, "1001", "ready", "talking", seconds=131, call_id=talk)
    put_agent(made, "1002", "pause", "idle", seconds=900, reason="lunch")
    put_agent(made, "1003", "ready", "idle", seconds=260)
    put_agent(made, "1004", "offline", "idle", seconds=4000)


def pop(
    made: Company,
    event: str,
    extension: str = "1001",
    *,
    waited: float = 7.0,
    call_id: str = "",
    customer: bool = True,
    outgoing: bool = False,
) -> str:
    """Publish a screen pop as the engine does."""
    from engine.records.customers import Customers

    call_id = call_id or str(uuid.uuid4())
    match = Customers(made.parts.db, "DK").find("+4532101010")
    number = "+4532101010" if customer else "+4570707070"
    told = {
        "event": event,
        "call_id": call_id,
        "offer_id": str(uuid.uuid4()),
        "at": stamp(made.now),
        "direction": "OUTGOING" if outgoing else "INCOMING",
        "from": extension if outgoing else number,
        "to": number if outgoing else "5000",
        "queue": "sales",
        "waited_seconds": waited,
        "extension": extension,
        "agent": {"id": made.agents[extension], "name": AGENTS[extension]},
        "customer": match.card if customer else None,
        "candidates": [],
        "ivr_path": ["hours", "greeting", "main_menu"],
    }
    data = msgspec.json.encode(told).decode()
    made.parts.redis.xadd(keys.SCREENPOP_STREAM, {"data": data})
    made.parts.redis.publish(keys.screenpop(extension), data)
    return call_id


def told_to_router(made: Company) -> list[dict[str, Any]]:
    """The events that the router was told, in their order."""
    return [msgspec.json.decode(fields["data"]) for _, fields in made.parts.redis.xrange(keys.ROUTER_EVENTS)]
