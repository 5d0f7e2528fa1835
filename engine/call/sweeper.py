"""What is true on the switch against what we believe, every second: differences are mended, counted and shown.

FreeSWITCH knows which calls exist. A call of a dead process is looked after here until another process has it or it is gone,
and a record that nobody would close any more is closed. One process does this at a time: the one that holds the router.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import gevent
import msgspec
import peewee
import structlog

from conf.clock import Clock
from conf.database import Database, within
from engine.call import recovery
from engine.call.arrival import RINGING
from engine.call.call import Call
from engine.call.checkpoint import Checkpoint
from engine.call.closing import Closing
from engine.call.media import Media
from engine.call.phones import PhoneWatch
from engine.call.registry import Registry
from engine.call.switches import Switches
from engine.esl.control import Channel, Control
from engine.esl.errors import CommandRejected, EslError
from engine.live import callbacks, keys
from engine.live.connection import Redis, RedisError
from engine.live.lag import records_are_behind
from engine.live.notices import Notices
from engine.live.outbox import Outbox
from engine.live.understood import understood
from engine.records.journal import Journal
from engine.routing.events import EntryAdded, TalkEnded
from engine.routing.telling import forget_entry

SWEEP_SECONDS: Final = 1.0
PHONES_EVERY: Final = 2
"""After so many sweeps the phones that are signed in are looked at too."""

UNKNOWN_AGE: Final = timedelta(seconds=20)
"""How old an open record must be before it is closed because nobody knows its call; a young one may be on its way."""

STRANGE_AGE: Final = timedelta(seconds=3)
"""How old a caller's leg must be that no process has told of before it is taken for stranded."""

MOST_LAG_SECONDS: Final = 5.0
"""How long facts may wait in a journal before nothing is concluded from records that Postgres does not have."""

LOST_AGE: Final = timedelta(seconds=10)
GONE_SHOWN: Final = timedelta(minutes=5)
API_SECONDS: Final = 5.0
TALKING: Final = frozenset({"ACTIVE", "HELD"})
"""The Channel-Call-State of a leg that was answered."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Leg:
    """A channel as its node tells of it."""

    control: Control
    channel: Channel

    @property
    def created(self) -> datetime:
        return datetime.fromtimestamp(int(self.channel.created_epoch or 0), UTC)


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
        phones: PhoneWatch,
    ) -> None:
        self._db = db
        self._redis = redis
        self._switches = switches
        self._journal = journal
        self._outbox = outbox
        self._clock = clock
        self._registry = registry
        self._on_duty = on_duty
        self._phones = phones
        self._notices = Notices(outbox)
        self._closing = Closing(journal=journal, outbox=outbox, clock=clock, media=media)
        self._greenlet: gevent.Greenlet[..., None] | None = None
        self._found: set[str] = set()
        self._found_before: set[str] = set()
        self.mended: Counter[str] = Counter()

    def start(self) -> None:
        self._greenlet = gevent.spawn(self._run)

    def stop(self) -> None:
        if self._greenlet is not None:
            self._greenlet.kill()

    def _run(self) -> None:
        sweeps = 0
        while True:
            gevent.sleep(SWEEP_SECONDS)
            self._found_before, self._found = self._found, set()
            if not self._on_duty():
                continue
            try:
                self.sweep()
                sweeps += 1
                if sweeps % PHONES_EVERY == 0:
                    self.mended.update(["phone that vanished"] * len(self._phones.look()))
            except (EslError, RedisError, OSError, peewee.PeeweeException) as error:
                # Without one of the three nothing can be compared; the next sweep comes soon.
                log.info("not swept", error=str(error).strip())

    def sweep(self) -> None:
        """One comparison. redis.RedisError and peewee errors when one side cannot be asked; a node that cannot be asked is
        left out, with its calls."""
        checkpoints = recovery.decoded(self._redis.hvals(keys.CALLS))
        waiting = self._redis.hvals(keys.WAITING)
        live: dict[str, Leg] = {}
        silent = set()
        for name, control in self._switches:
            try:
                live |= {channel.uuid: Leg(control, channel) for channel in control.channels()}
            except EslError as error:
                log.info("node not asked", node=name, error=str(error))
                silent.add(name)
        self._close_lost(checkpoint for checkpoint in checkpoints if checkpoint.switch in silent)
        owners = {checkpoint.owner for checkpoint in checkpoints}
        alive = {owner for owner in owners if self._redis.exists(keys.process(owner))}
        for checkpoint in checkpoints:
            if checkpoint.call_id in self._registry or checkpoint.switch in silent:
                continue
            # A process that lives has a call unless its link to it broke.
            deserted = checkpoint.owner not in alive or checkpoint.lost_at is not None
            if checkpoint.call_id in live:
                if deserted:
                    self._look_after(checkpoint, live)
            elif deserted or self._twice("call " + checkpoint.call_id):
                self._close(checkpoint, live)
        self._forget_processes(owners)
        known = {checkpoint.call_id: checkpoint for checkpoint in checkpoints}
        self._forget_entries(waiting, known)
        if silent:
            return
        self._bring_back(known, live)
        self._free_agents(known.keys() | live.keys())
        self._close_unknown(known.keys() | live.keys())

    def _close_lost(self, checkpoints: Iterable[Checkpoint]) -> None:
        """The switch does not answer and the links of these calls broke a while ago: it has died, and they with it."""
        for checkpoint in checkpoints:
            if checkpoint.lost_at is not None and self._clock.now() - checkpoint.lost_at > LOST_AGE:
                self._close(checkpoint, {})

    def _twice(self, what: str) -> bool:
        """Whether this was found in two sweeps running; what was found once may be changing this very moment."""
        self._found.add(what)
        return what in self._found_before

    def _mend(self, kind: str, **what: object) -> None:
        self.mended[kind] += 1
        log.warning("mended", kind=kind, **what)

    # --- calls without a process ---

    def _look_after(self, checkpoint: Checkpoint, live: Mapping[str, Leg]) -> None:
        """The call is up and nobody has it. FreeSWITCH itself brings it to another process, at once or after the talk; a leg
        that is found without anybody twice is sent through the dialplan again."""
        joined = self._joined(checkpoint, live)
        if joined:
            if checkpoint.state in RINGING and not self._believe_talk(checkpoint, joined, live[checkpoint.call_id]):
                return
            if checkpoint.last_queue is not None:
                self._closing.tell(recovery.answered(checkpoint))
        elif checkpoint.message is not None and live[checkpoint.call_id].channel.application == "record":
            # The caller speaks on, and comes to another process after it; sent round now they would be hung up.
            return
        elif self._twice("stranded " + checkpoint.call_id):
            self._send_round(live[checkpoint.call_id])
            self._mend("call without a process", call=checkpoint.call_id)

    def _joined(self, checkpoint: Checkpoint, live: Mapping[str, Leg]) -> str:
        """The agent's leg that this caller talks with; empty for none. One that was answered may still be told who calls."""
        for leg_id in (checkpoint.offer_id or "", *checkpoint.beside):
            leg = live.get(leg_id)
            if leg is None or leg.channel.callstate not in TALKING:
                continue
            try:
                line = f"uuid_getvar {checkpoint.call_id} bridge_uuid"
                if leg.control.api(line, timeout=API_SECONDS).strip() == leg_id:
                    return leg_id
            except CommandRejected as error:
                log.info("gone meanwhile", call=checkpoint.call_id, error=str(error))
        return ""

    def _believe_talk(self, checkpoint: Checkpoint, leg_id: str, caller: Leg) -> bool:
        """Its process died in the moment in which the agent answered, before it could say so. False where the switch does not
        tell since when they talk."""
        try:
            told = caller.control.api(f"uuid_dump {checkpoint.call_id} json", timeout=API_SECONDS)
            since = recovery.bridged_at_of_dump(told)
        except (CommandRejected, msgspec.MsgspecError) as error:
            log.info("gone meanwhile", call=checkpoint.call_id, error=str(error))
            return False
        call = Call(checkpoint, journal=self._journal, outbox=self._outbox, notices=self._notices, clock=self._clock)
        call.talk_found(leg_id, since)
        self._mend("talk that nobody had told of", call=checkpoint.call_id)
        return True

    def _bring_back(self, known: Mapping[str, Checkpoint], live: Mapping[str, Leg]) -> None:
        """Callers whom an engine accepted and died before it knew more of them wait in silence for ever
        (mod_event_socket.c:538)."""
        for call_id, leg in live.items():
            if leg.channel.direction != "inbound" or call_id in known or call_id in self._registry:
                continue
            if self._clock.now() - leg.created < STRANGE_AGE or not self._twice("stranded " + call_id):
                continue
            try:
                ours = leg.control.api(f"uuid_getvar {call_id} socket_resume", timeout=API_SECONDS).strip() == "true"
            except CommandRejected:
                continue
            if ours:
                self._send_round(leg)
                self._mend("caller whom nobody had told of", call=call_id)

    @staticmethod
    def _send_round(leg: Leg) -> None:
        """Through the dialplan once more, and so to a process that lives."""
        call_id, number, context = leg.channel.uuid, leg.channel.dest, leg.channel.context or "public"
        try:
            leg.control.api(f"uuid_setvar {call_id} pointsman_recovering true", timeout=API_SECONDS)
            leg.control.api(f"uuid_transfer {call_id} {number} XML {context}", timeout=API_SECONDS)
        except CommandRejected as error:
            log.info("gone meanwhile", call=call_id, error=str(error))

    def _close(self, checkpoint: Checkpoint, live: Mapping[str, Leg]) -> None:
        """The call is gone and its process died, or lost its link, before it could say so."""
        self._closing.close(checkpoint)
        for leg_id in (checkpoint.offer_id or "", *checkpoint.beside):
            offered = live.get(leg_id)
            if offered is not None:
                offered.control.kill(leg_id)
        self._mend("record left open", call=checkpoint.call_id)

    # --- entries, agents and records that nobody frees ---

    def _forget_entries(self, waiting: Iterable[str], known: Mapping[str, Checkpoint]) -> None:
        """A process that died may have told the router of an entry, but nobody else; and a Redis that was killed may know
        entries again that were over."""
        owed = {callback["entry_id"] for callback in callbacks.live(self._redis).values()}
        for entry in understood(waiting, EntryAdded):
            if entry.entry_id in owed:
                continue
            checkpoint = known.get(entry.call_id)
            if checkpoint is not None and checkpoint.entry_id == entry.entry_id:
                continue
            session = self._registry.find(entry.call_id)
            waits = session is not None and session.call.now.entry_id == entry.entry_id
            if not waits and self._twice("entry " + entry.entry_id):
                forget_entry(self._outbox, entry.entry_id, entry.queue, self._clock.timestamp())
                self._mend("entry of nobody", entry=entry.entry_id, call=entry.call_id)

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
                self._closing.tell(TalkEnded(at=self._clock.timestamp(), offer_id=offer_id, agent_id=int(agent_id)))
                self._mend("agent in a talk that is over", agent=agent_id, call=call_id)

    def _close_unknown(self, known: set[str]) -> None:
        now = self._clock.now()
        if records_are_behind(self._redis, MOST_LAG_SECONDS):
            # Its end may be written down and on its way; and what is added now would be shipped after all that.
            return
        with within(API_SECONDS), self._db.connection_context():
            rows = self._db.execute_sql(
                "SELECT id::text FROM call WHERE ended_at IS NULL AND started_at < %s ORDER BY started_at LIMIT 500",
                (now - UNKNOWN_AGE,),
            ).fetchall()
        for (call_id,) in rows:
            if call_id in known or call_id in self._registry:
                continue
            if self._twice("record " + call_id):
                self._closing.close_unknown(call_id)
                self._mend("record of a call nobody knows", call=call_id)
