"""One router at a time: the process that holds the lease reads the router's events, decides, and writes what follows.

Every engine process runs a `Leader`; all but one wait for the lease. A tenure begins with what Redis knows (agents, offers that
stand, calls that wait) and goes on from the first event whose consequences were not written yet, so a leader that dies
loses nobody's place. What it writes carries its epoch and is refused once there is a later one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import gevent
import msgspec
import structlog

from conf.clock import Clock
from engine.live import keys
from engine.live.connection import RedisError
from engine.live.wire import Wire
from engine.records.facts import AgentStateBegan, OfferEnded, OfferMade, SideSegment
from engine.records.journal import Journal
from engine.routing.claims import LEASE_SECONDS, Claims, TenureLost, instant, written
from engine.routing.events import (
    AgentSeen,
    ClaimLost,
    CloseOffer,
    CloseWrapUp,
    Decision,
    EntryAdded,
    Event,
    MakeOffer,
    OfferSeen,
    RosterPublished,
    SetAgent,
    Settled,
    TimePassed,
    decode_event,
)
from engine.routing.roster import AgentProfile, Roster
from engine.routing.router import Router
from engine.routing.state import Offer
from engine.routing.store import LastState

READ_AT_MOST = 500
BUSY_SECONDS = 0.003
BUSY_EVENTS = 8
GATHER_SECONDS = 0.001
LONGEST_READ_SECONDS = 0.4
"""Also how often the lease is renewed when nothing happens; well within the lease."""

SETTLE_SECONDS = 1.5
"""How long after Redis has lost its memory nothing is decided: all processes notice within their heartbeat and tell again
what they have in hand."""

log = structlog.get_logger(__name__)

Presences = Mapping[int, LastState]
"""Agent id -> what they last were, as Postgres knows it."""


class Leader:
    """Holds the router whenever it can.

    `roster` gives the roster in force, `presences` reads Postgres (it may raise when that is away), `next_epoch(least)`
    returns a number above `least` and above all it ever returned, kept in Postgres.
    """

    def __init__(
        self,
        process_id: str,
        *,
        wire: Wire,
        journal: Journal,
        clock: Clock,
        roster: Callable[[], Roster],
        presences: Callable[[], Presences],
        next_epoch: Callable[[int], int],
    ) -> None:
        self._process_id = process_id
        self._wire = wire
        self._journal = journal
        self._clock = clock
        self._roster = roster
        self._presences = presences
        self._next_epoch = next_epoch
        self._greenlet: gevent.Greenlet[..., None] | None = None
        self._told: dict[int, tuple[str, str, str | None, float]] = {}
        self.router: Router | None = None
        """The router while this process holds it."""

    def start(self) -> None:
        self._greenlet = gevent.spawn(self._run)

    def stop(self) -> None:
        """Give the router up at once, for the next one not to wait for the lease to run out."""
        if self._greenlet is not None:
            self._greenlet.kill()
        if self.router is not None:
            self.router = None
            try:
                self._wire.ask("DEL", keys.ROUTER_LEASE)
            except (RedisError, OSError):
                log.info("the router's lease is left to run out")

    def _run(self) -> None:
        while True:
            try:
                if self._wire.ask("SET", keys.ROUTER_LEASE, self._process_id, "NX", "PX", int(LEASE_SECONDS * 1000)):
                    self._hold()
            except TenureLost as lost:
                log.warning("router given up", reason=str(lost))
            except (RedisError, OSError) as error:
                if self.router is not None:
                    log.warning("router given up", reason=str(error))
            except Exception:
                # A fault in one tenure must not leave the installation without a router.
                log.exception("router failed")
            finally:
                self.router = None
            gevent.sleep(0.2)

    def _hold(self) -> None:
        epoch = self._next_epoch(int(self._wire.ask("GET", keys.ROUTER_EPOCH) or 0))
        self._wire.ask("SET", keys.ROUTER_EPOCH, epoch)
        claims = Claims(self._wire, self._process_id, epoch)
        cursor = self._wire.ask("GET", keys.ROUTER_CURSOR) or "0-0"
        settles_at = self._remembers_since() + SETTLE_SECONDS
        settled = time.time() >= settles_at
        router, decisions = self._restore(epoch, settled=settled)
        log.info("router taken", epoch=epoch, waiting=len(router.entries), agents=len(router.agents), settled=settled)
        self.router = router
        version = self._roster().version
        self._write(claims, decisions, cursor)
        read_at = 0.0
        while True:
            wait = LONGEST_READ_SECONDS
            if router.next_due is not None:
                wait = min(wait, self._clock.wall_seconds(max(0.001, router.next_due - self._clock.timestamp())))
            read = self._wire.ask(
                "XREAD", "COUNT", READ_AT_MOST, "BLOCK", max(1, int(wait * 1000)), "STREAMS", keys.ROUTER_EVENTS, cursor
            )
            read_before, read_at = read_at, time.monotonic()
            busy = bool(read) and read_at - read_before < BUSY_SECONDS and len(read[0][1]) < BUSY_EVENTS
            decisions = []
            for entry_id, fields in read[0][1] if read else ():
                cursor = entry_id
                event = self._decode(_mapping(fields))
                if event is not None:
                    decisions += router.step(event)
            now = self._clock.timestamp()
            roster = self._roster()
            if roster.version != version:
                version = roster.version
                decisions += router.step(RosterPublished(at=now, roster=roster))
            decisions += router.step(TimePassed(at=now))
            if not settled and time.time() >= settles_at:
                settled = True
                decisions += router.step(Settled(at=now))
            self._write(claims, decisions, cursor)
            if busy:
                # Under load many small batches cost more than the millisecond in which the next one grows.
                gevent.sleep(GATHER_SECONDS)

    def _decode(self, fields: Mapping[str, str]) -> Event | None:
        try:
            event: Event = decode_event(fields.get("data", ""))
        except msgspec.MsgspecError as error:
            log.error("router event not understood, passed over", error=str(error), data=str(fields)[:200])
            return None
        return event

    def _write(self, claims: Claims, decisions: list[Decision], cursor: str) -> None:
        router = self.router
        never_made: set[str] = set()
        while router is not None:
            lost = dict(claims.write(decisions, cursor, never_made=never_made))
            never_made.update(lost)
            for decision in decisions:
                # No phone rang for an offer that could not be made, so nothing is told of its end either.
                if not (isinstance(decision, MakeOffer | CloseOffer) and decision.offer_id in never_made):
                    self._keep(decision)
            if not lost:
                return
            decisions = []
            for offer_id, missing in lost.items():
                decisions += router.step(
                    ClaimLost(at=self._clock.timestamp(), offer_id=offer_id, entry_gone=missing == "call")
                )

    # --- a new tenure ---

    def _remembers_since(self) -> float:
        """When Redis's memory began, on this machine's clock, and never in the future."""
        now = time.time()
        self._wire.ask("SET", keys.MEMORY, f"{now:.3f}", "NX")
        return min(now, float(self._wire.ask("GET", keys.MEMORY)))

    def _restore(self, epoch: int, *, settled: bool) -> tuple[Router, list[Decision]]:
        """The router as Redis tells of it, and what is to be written at once: the agents Redis did not know, and what
        follows from the calls that wait."""
        now = self._clock.timestamp()
        router = Router(seed=epoch, settled=settled)
        roster = self._roster()
        router.step(RosterPublished(at=now, roster=roster))
        for offer in _decoded(self._wire.ask("HVALS", keys.OFFERS), MakeOffer):
            router.step(
                OfferSeen(
                    at=now,
                    offer_id=offer.offer_id,
                    entry_id=offer.entry_id,
                    call_id=offer.call_id,
                    queue=offer.queue,
                    agent_id=offer.agent_id,
                    offered_at=offer.at,
                    expires_at=offer.expires_at,
                    owner=offer.owner,
                )
            )
            # Its process may have died before it wrote the offer down; twice does no harm. The same of the last batch.
            self._keep(offer)
        for decision in written(self._wire):
            self._keep(decision)
        decisions: list[Decision] = []
        chosen: Presences | None = None
        for profile in roster.agents:
            known = _mapping(self._wire.ask("HGETALL", keys.agent(profile.agent_id)))
            if known.get("presence"):
                seen = _agent_seen(profile.agent_id, known, now)
                decisions += [each for each in router.step(seen) if not _says_again(each, seen)]
                continue
            if chosen is None:
                chosen = self._presences()
            last = chosen.get(profile.agent_id, LastState())
            told = next((offer for offer in router.offers.values() if offer.agent_id == profile.agent_id), None)
            seen = _agent_remembered(profile, last, now) if told is None else _agent_offered(last, told, now)
            decisions += router.step(seen)
        entries = _decoded(self._wire.ask("HVALS", keys.WAITING), EntryAdded)
        for entry in sorted(entries, key=lambda entry: entry.entered_at):
            decisions += router.step(msgspec.structs.replace(entry, at=now))
        return router, decisions

    # --- records ---

    def _keep(self, decision: Decision) -> None:
        """Journal what a written decision means for the records."""
        if isinstance(decision, MakeOffer):
            self._journal.append(
                OfferMade(
                    offer_id=decision.offer_id,
                    call_id=decision.call_id,
                    entry_id=decision.entry_id,
                    queue=decision.queue,
                    agent_id=decision.agent_id,
                    extension=decision.extension,
                    at=instant(decision.at),
                    why=decision.why,
                )
            )
        elif isinstance(decision, CloseOffer):
            self._keep_offer(decision)
        elif isinstance(decision, SetAgent):
            state = (decision.presence, decision.work, decision.reason, decision.since)
            if self._told.get(decision.agent_id) != state:
                self._told[decision.agent_id] = state
                self._journal.append(
                    AgentStateBegan(
                        agent_id=decision.agent_id,
                        at=instant(decision.since),
                        presence=decision.presence,
                        work_state=decision.work,
                        reason=decision.reason,
                        call_id=decision.call_id,
                    )
                )
        elif isinstance(decision, CloseWrapUp):
            self._journal.append(
                SideSegment(
                    call_id=decision.call_id,
                    phase="wrap_up",
                    started_at=instant(decision.started_at),
                    ended_at=instant(decision.at),
                    queue=decision.queue,
                    agent_id=decision.agent_id,
                    extension=decision.extension,
                )
            )

    def _keep_offer(self, decision: CloseOffer) -> None:
        self._journal.append(OfferEnded(offer_id=decision.offer_id, at=instant(decision.at), result=decision.result))
        self._journal.append(
            SideSegment(
                call_id=decision.call_id,
                phase="offer",
                started_at=instant(decision.offered_at),
                ended_at=instant(decision.at),
                queue=decision.queue,
                agent_id=decision.agent_id,
                extension=decision.extension,
            )
        )


def _mapping(flat: Sequence[str]) -> dict[str, str]:
    """Names and values that Redis tells in one row."""
    return dict(zip(flat[::2], flat[1::2], strict=True))


T = TypeVar("T", EntryAdded, MakeOffer)


def _decoded(texts: Iterable[str], kind: type[T]) -> list[T]:
    """What can be understood; one bad value must not keep every later tenure from beginning."""
    found = []
    for text in texts:
        try:
            found.append(msgspec.json.decode(text, type=kind))
        except msgspec.MsgspecError as error:
            log.error("passed over in redis", kind=kind.__name__, error=str(error), data=text[:200])
    return found


def _says_again(decision: Decision, seen: AgentSeen) -> bool:
    """Whether a decision tells no more than what was just read. What fell due meanwhile, such as the end of a wrap-up, is
    decided in the same breath and must be written."""
    return isinstance(decision, SetAgent) and (decision.agent_id, decision.work, decision.presence, decision.since) == (
        seen.agent_id,
        seen.work,
        seen.presence,
        seen.since,
    )


def _agent_seen(agent_id: int, known: Mapping[str, Any], now: float) -> AgentSeen:
    def seconds(name: str) -> float | None:
        return datetime.fromisoformat(known[name]).timestamp() if known.get(name) else None

    return AgentSeen(
        at=now,
        agent_id=agent_id,
        presence=known["presence"],
        work=known.get("work") or "idle",
        since=seconds("since") or now,
        idle_since=seconds("idle_since") or now,
        reason=known.get("reason") or None,
        call_id=known.get("call_id") or None,
        offer_id=known.get("offer_id") or None,
        queue=known.get("queue") or None,
        until=seconds("wrap_until"),
        wanted=known.get("wanted") or None,
        wanted_reason=known.get("wanted_reason") or None,
    )


def _agent_offered(last: LastState, offer: Offer, now: float) -> AgentSeen:
    """An agent whom Redis has forgotten, and for whom it was told of an offer again."""
    return AgentSeen(
        at=now,
        agent_id=offer.agent_id,
        presence=last.presence,
        reason=last.reason,
        work="offered",
        since=offer.offered_at,
        idle_since=now,
        call_id=offer.call_id,
        offer_id=offer.offer_id,
        queue=offer.queue,
    )


def _agent_remembered(profile: AgentProfile, last: LastState, now: float) -> AgentSeen:
    """An agent whom Redis has forgotten. Whoever rings them tells of it again yet; talks are believed until their end is told
    or found out, and work after a call goes on for its time."""
    if last.work not in ("talking", "wrap_up") or last.since is None:
        return AgentSeen(
            at=now,
            agent_id=profile.agent_id,
            presence=last.presence,
            reason=last.reason,
            work="idle",
            since=now,
            idle_since=now,
        )
    return AgentSeen(
        at=now,
        agent_id=profile.agent_id,
        presence=last.presence,
        reason=last.reason,
        work=last.work,
        since=last.since,
        idle_since=now,
        call_id=last.call_id,
        offer_id=last.offer_id,
        queue=last.queue,
        until=last.since + profile.wrap_up_seconds if last.work == "wrap_up" else None,
    )
