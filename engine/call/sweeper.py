"""What is true on the switch against what we believe, every few seconds: differences are mended, counted and shown.

FreeSWITCH knows which calls exist. A call of a dead process is looked after here until another process has it or it is gone,
and a record that nobody would close any more is closed. One process does this at a time: the one that holds the router.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

import gevent
import msgspec
import peewee
import structlog

from conf.clock import Clock
from conf.database import Database
from engine.call import recovery
from engine.call.call import STATEMENT, Checkpoint
from engine.call.media import SHORTEST_MESSAGE_SECONDS, Media
from engine.call.registry import Registry
from engine.call.switches import Switches
from engine.esl.control import Control
from engine.esl.errors import EslError
from engine.live import keys
from engine.live.connection import Redis, RedisError
from engine.live.outbox import Outbox
from engine.records.facts import CallEnded, MessageLeft, QueueLeft, RecordingMade, StepLeft
from engine.records.journal import Journal
from engine.routing.events import EntryLeft, Event, TalkEnded, encode

SWEEP_SECONDS: Final = 1.0
UNKNOWN_AGE: Final = timedelta(seconds=20)
"""How old an open record must be before it is closed because nobody knows its call; a young one may be on its way."""

LOST_AGE: Final = timedelta(seconds=10)
GONE_SHOWN: Final = timedelta(minutes=5)
API_SECONDS: Final = 5.0
CONTEXT: Final = "public"

log = structlog.get_logger(__name__)


class Sweeper:
    """Compares and mends. `mended` counts by kind what was put right since this process began."""

    def __init__(
        self,
        *,
        db: Database,
        redis: Redis,
        switches: Switches,
        journal: Journal,
        outbox: Outbox,
        clock: Clock,
        media: Media,
        registry: Registry,
        on_duty: Callable[[], bool],
    ) -> None:
        self._db = db
        self._redis = redis
        self._switches = switches
        self._journal = journal
        self._outbox = outbox
        self._clock = clock
        self._media = media
        self._registry = registry
        self._on_duty = on_duty
        self._greenlet: gevent.Greenlet[..., None] | None = None
        self._missed: Counter[str] = Counter()
        self.mended: Counter[str] = Counter()

    def start(self) -> None:
        self._greenlet = gevent.spawn(self._run)

    def stop(self) -> None:
        if self._greenlet is not None:
            self._greenlet.kill()

    def _run(self) -> None:
        while True:
            gevent.sleep(SWEEP_SECONDS)
            if not self._on_duty():
                self._missed.clear()
                continue
            try:
                self.sweep()
            except (EslError, RedisError, OSError, peewee.PeeweeException) as error:
                # Without one of the three nothing can be compared; the next sweep comes soon.
                log.info("not swept", error=str(error).strip())

    def sweep(self) -> None:
        """One comparison. redis.RedisError and peewee errors when one side cannot be asked; a node that cannot be asked is
        left out, with its calls."""
        checkpoints = recovery.decoded(self._redis.hvals(keys.CALLS))
        live: dict[str, Control] = {}
        silent = set()
        for name, control in self._switches:
            try:
                live |= {channel["uuid"]: control for channel in control.channels()}
            except EslError as error:
                log.info("node not asked", node=name, error=str(error))
                silent.add(name)
        self._close_lost(checkpoint for checkpoint in checkpoints if checkpoint.switch in silent)
        owners = {checkpoint.owner for checkpoint in checkpoints}
        alive = {owner for owner in owners if self._redis.exists(keys.process(owner))}
        for checkpoint in checkpoints:
            if checkpoint.call_id in self._registry or checkpoint.switch in silent:
                continue
            if checkpoint.call_id in live:
                self._missed.pop(checkpoint.call_id, None)
                if checkpoint.owner not in alive:
                    self._look_after(checkpoint, live)
            elif self._twice(checkpoint.call_id):
                self._close(checkpoint)
        self._forget_processes(owners)
        if silent:
            return
        known = {checkpoint.call_id for checkpoint in checkpoints}
        self._free_agents(known | live.keys())
        self._close_unknown(known | live.keys())

    def _close_lost(self, checkpoints: Iterable[Checkpoint]) -> None:
        """The switch does not answer and the links of these calls broke a while ago: it has died, and they with it."""
        for checkpoint in checkpoints:
            if checkpoint.lost_at is not None and self._clock.now() - checkpoint.lost_at > LOST_AGE:
                self._close(checkpoint)

    def _twice(self, what: str) -> bool:
        """Whether this was found in two sweeps running; what was found once may be changing this very moment."""
        self._missed[what] += 1
        return self._missed[what] >= 2

    def _mend(self, kind: str, **what: object) -> None:
        self.mended[kind] += 1
        log.warning("mended", kind=kind, **what)

    # --- calls of dead processes ---

    def _look_after(self, checkpoint: Checkpoint, live: Mapping[str, Control]) -> None:
        """The call is up and its process is dead. FreeSWITCH itself brings it to another process, at once or after the talk; a
        leg that is found without anybody twice is sent through the dialplan again."""
        call_id = checkpoint.call_id
        control = live[call_id]
        if checkpoint.state == "talk" and checkpoint.offer_id in live:
            return
        if self._twice("stranded " + call_id):
            self._missed.pop("stranded " + call_id)
            control.api(f"uuid_setvar {call_id} pointsman_recovering true", timeout=API_SECONDS)
            control.api(f"uuid_transfer {call_id} {checkpoint.to_number} XML {CONTEXT}", timeout=API_SECONDS)
            self._mend("call without a process", call=call_id)

    def _close(self, checkpoint: Checkpoint) -> None:
        """The call is gone and its process died, or lost its link, before it could say so."""
        lost = checkpoint.lost_at is not None
        now = checkpoint.lost_at or self._clock.now()
        self._missed.pop(checkpoint.call_id, None)
        self._keep_message(checkpoint)
        if checkpoint.step_entered_at is not None:
            self._journal.append(
                StepLeft(call_id=checkpoint.call_id, entered_at=checkpoint.step_entered_at, left_at=now, exit="lost")
            )
        if checkpoint.entry_id is not None:
            self._journal.append(
                QueueLeft(entry_id=checkpoint.entry_id, call_id=checkpoint.call_id, at=now, result="abandoned")
            )
            self._outbox.put("HDEL", keys.WAITING, checkpoint.entry_id)
            self._outbox.put("ZREM", keys.queue(checkpoint.queue or ""), checkpoint.entry_id)
            self._tell(EntryLeft(at=now.timestamp(), entry_id=checkpoint.entry_id))
        self._journal.append(
            CallEnded(
                call_id=checkpoint.call_id,
                at=now,
                status=recovery.status_of(checkpoint),
                ended_by=checkpoint.ended_by or ("system" if lost else "caller"),
                hangup_cause="NETWORK_OUT_OF_ORDER" if lost else "NONE",
                queue=checkpoint.last_queue,
                agent_id=checkpoint.agent_id,
                extension=checkpoint.extension,
                flow=checkpoint.flow,
                flow_version=checkpoint.flow_version,
                final=False,
            )
        )
        self._outbox.put("HDEL", keys.CALLS, checkpoint.call_id)
        self._outbox.put("PUBLISH", keys.LIVE, f'{{"kind":"call","id":"{checkpoint.call_id}","item":null}}')
        self._mend("record left open", call=checkpoint.call_id)

    def _keep_message(self, checkpoint: Checkpoint) -> None:
        message = checkpoint.message
        if message is None:
            return
        most = (self._clock.now() - message.began).total_seconds()
        seconds = self._media.seconds(message.path, most=most)
        if seconds >= SHORTEST_MESSAGE_SECONDS and message.box == STATEMENT:
            self._journal.append(
                RecordingMade(
                    recording_id=message.voicemail_id,
                    call_id=checkpoint.call_id,
                    path=message.path,
                    started_at=message.began,
                    seconds=seconds,
                    queue=checkpoint.last_queue,
                    agent_id=checkpoint.agent_id,
                )
            )
        elif seconds >= SHORTEST_MESSAGE_SECONDS:
            checkpoint.result = "voicemail"
            self._journal.append(
                MessageLeft(
                    voicemail_id=message.voicemail_id,
                    call_id=checkpoint.call_id,
                    box=message.box,
                    path=message.path,
                    at=message.began,
                    seconds=seconds,
                    caller_number=checkpoint.from_number,
                )
            )

    # --- agents and records that nobody frees ---

    def _forget_processes(self, owners: set[str]) -> None:
        """A process that is gone is shown as gone for a while, and for as long as a call of its is to be looked after."""
        for process_id, beat in self._redis.hgetall(keys.PROCESSES).items():
            told = datetime.fromisoformat(msgspec.json.decode(beat)["at"])
            if process_id not in owners and self._clock.now() - told > GONE_SHOWN:
                self._redis.hdel(keys.PROCESSES, process_id)

    def _free_agents(self, known: set[str]) -> None:
        agents = sorted(self._redis.smembers(keys.AGENTS))
        pipe = self._redis.pipeline(transaction=False)
        for agent_id in agents:
            pipe.hmget(keys.agent(int(agent_id)), "work", "call_id", "offer_id")
        for agent_id, (work, call_id, offer_id) in zip(agents, pipe.execute(), strict=True):
            if work != "talking" or call_id in known:
                continue
            if self._twice(f"agent {agent_id} {offer_id}"):
                self._missed.pop(f"agent {agent_id} {offer_id}")
                self._tell(TalkEnded(at=self._clock.timestamp(), offer_id=offer_id, agent_id=int(agent_id)))
                self._mend("agent in a talk that is over", agent=agent_id, call=call_id)

    def _close_unknown(self, known: set[str]) -> None:
        now = self._clock.now()
        with self._db.connection_context():
            rows = self._db.execute_sql(
                "SELECT id::text FROM call WHERE ended_at IS NULL AND started_at < %s ORDER BY started_at LIMIT 500",
                (now - UNKNOWN_AGE,),
            ).fetchall()
        for (call_id,) in rows:
            if call_id in known or call_id in self._registry:
                continue
            if self._twice("record " + call_id):
                self._missed.pop("record " + call_id)
                self._journal.append(
                    CallEnded(
                        call_id=call_id,
                        at=now,
                        status="network",
                        ended_by="system",
                        hangup_cause="NETWORK_OUT_OF_ORDER",
                        final=False,
                    )
                )
                self._mend("record of a call nobody knows", call=call_id)

    def _tell(self, event: Event) -> None:
        self._outbox.put(
            "XADD", keys.ROUTER_EVENTS, "MAXLEN", "~", keys.ROUTER_EVENTS_KEPT, "*", "data", encode(event).decode()
        )
