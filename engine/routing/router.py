"""The router: what it is told changes its state, and the change yields decisions. It reads no clock, does no I/O, and draws
its only randomness from a seed that is part of its state; told the same events again, it decides the same again.

The rules, in the order in which they are asked:
1. A call is offered to agents alone who are ready, idle and meet all its needs.
2. A free agent takes, of the calls they may have, the one with the least rank: the time it began to wait, less a head start
   for its priority. Waiting longer therefore always wins in the end, and equals are served in the order of coming.
3. A waiting call goes to the agent idle longest, counted from the end of the last call's work, so a pause gains nothing.
4. An agent whose phone did not answer is paused with the reason; the call keeps its place and goes to the next.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any, Final

from engine.records.facts import OfferResult, Presence, QueueResult, WorkState
from engine.routing import explain
from engine.routing.events import (
    AgentSeen,
    ClaimLost,
    CloseOffer,
    CloseWrapUp,
    Decision,
    EntryAdded,
    EntryLeft,
    Event,
    MakeOffer,
    OfferAnswered,
    OfferFailed,
    OfferSeen,
    PlaceEntry,
    PresenceWanted,
    ReleaseEntry,
    RemoveAgent,
    RosterPublished,
    SetAgent,
    Settled,
    TalkBegan,
    TalkEnded,
    TimePassed,
)
from engine.routing.pools import Needs, Pool, needs_of, serves
from engine.routing.roster import QueueRule
from engine.routing.state import Agent, Entry, Offer

HEAD_START_SECONDS: Final = 60.0
"""What one point of priority is worth in waiting time."""

OFFER_GRACE_SECONDS: Final = 10.0
"""How much longer than its ring time an offer may stand before its owner is taken for dead."""

NOBODY_GRACE_SECONDS: Final = 10.0
"""How long calls stay after the last agent who could take them has logged out."""

PAUSE_AFTER: Final = frozenset({"no_answer", "busy", "rejected", "unreachable"})
"""Results of an offer that pause the agent, with the result as the reason."""


class Router:
    """One tenure's state. `step` is the only way to change it."""

    def __init__(self, seed: int, *, settled: bool = True) -> None:
        """Without `settled` nothing is offered and nobody released before Settled is told."""
        self._random = random.Random(seed)  # noqa: S311 - names of offers, no secret
        self._rules: dict[str, QueueRule] = {}
        self.agents: dict[int, Agent] = {}
        self.entries: dict[str, Entry] = {}
        self.offers: dict[str, Offer] = {}
        self._seen: dict[str, str] = {}
        self._pools: dict[Needs, Pool] = {}
        self._sequence = 0
        self._timers: list[tuple[float, int, str, str]] = []
        self._waiting_in: dict[str, int] = {}
        self._decisions: list[Decision] = []
        self._latest = 0.0
        self._settled = settled
        self._handlers: dict[type[Event], Callable[[Any], None]] = {
            RosterPublished: self._roster_published,
            PresenceWanted: self._presence_wanted,
            EntryAdded: self._entry_added,
            EntryLeft: self._entry_left,
            OfferSeen: self._offer_seen,
            OfferAnswered: self._offer_answered,
            OfferFailed: self._offer_failed,
            ClaimLost: self._claim_lost,
            TalkBegan: self._talk_began,
            TalkEnded: self._talk_ended,
            AgentSeen: self._agent_seen,
            Settled: self._all_told,
            TimePassed: lambda _: None,
        }

    def step(self, event: Event) -> list[Decision]:
        """Take one event in and return what follows from it, in order. Timers due till `event.at` come first."""
        self._decisions = []
        self._latest = max(self._latest, event.at)
        self._ring_timers(event.at)
        handler = self._handlers.get(type(event))
        if handler is not None:
            handler(event)
        return self._decisions

    @property
    def next_due(self) -> float | None:
        """When `TimePassed` is wanted at the latest; None when nothing is planned."""
        return self._timers[0][0] if self._timers else None

    # --- configuration ---

    def _roster_published(self, event: RosterPublished) -> None:
        self._rules = {rule.name: rule for rule in event.roster.queues}
        profiles = {profile.agent_id: profile for profile in event.roster.agents}
        for agent_id in [agent_id for agent_id in self.agents if agent_id not in profiles]:
            del self.agents[agent_id]
            self._decisions.append(RemoveAgent(at=event.at, agent_id=agent_id))
        for agent_id, profile in profiles.items():
            known = self.agents.get(agent_id)
            if known is None:
                self.agents[agent_id] = Agent(profile, since=event.at, idle_since=event.at)
            else:
                known.profile = profile
        self._rebuild_pools()
        for agent in list(self.agents.values()):
            self._tell(agent, event.at)
        self._serve_all(event.at)

    def _serve_all(self, at: float) -> None:
        for agent in sorted(self.agents.values(), key=lambda agent: (agent.idle_since, agent.profile.agent_id)):
            self._serve(agent, at)

    def _all_told(self, event: Settled) -> None:
        self._settled = True
        self._serve_all(event.at)
        self._release_unstaffed(event.at)

    def _rebuild_pools(self) -> None:
        self._pools = {}
        for agent in self.agents.values():
            agent.pools = []
        for entry in sorted(self.entries.values(), key=lambda entry: entry.sequence):
            if entry.offer_id is None:
                self._pool(entry.needs).add_call(entry.rank, entry.sequence, entry.entry_id)

    def _pool(self, needs: Needs) -> Pool:
        pool = self._pools.get(needs)
        if pool is None:
            able = [agent for agent in self.agents.values() if serves(agent.profile.skills, needs)]
            pool = self._pools[needs] = Pool(needs, (agent.profile.agent_id for agent in able))
            for agent in able:
                agent.pools.append(pool)
                pool.free += agent.counted
                if agent.free:
                    pool.add_agent(agent.idle_since, agent.profile.agent_id)
        return pool

    # --- agents ---

    def _agent_seen(self, event: AgentSeen) -> None:
        agent = self.agents.get(event.agent_id)
        if agent is None:
            return
        agent.presence, agent.reason = event.presence, event.reason
        agent.work, agent.since, agent.idle_since = event.work, event.since, event.idle_since
        agent.call_id, agent.offer_id, agent.queue = event.call_id, event.offer_id, event.queue
        agent.until = None
        agent.wanted = None if event.wanted is None else (event.wanted, event.wanted_reason)
        if event.work == "wrap_up":
            agent.until = event.until or event.at
            self._plan(agent.until, "wrap_up", str(event.agent_id))
        elif event.work == "offered" and event.offer_id not in self.offers:
            self._work(agent, "idle", event.at)
        self._tell(agent, event.at)
        self._serve(agent, event.at)

    def _presence_wanted(self, event: PresenceWanted) -> None:
        agent = self.agents.get(event.agent_id)
        if agent is None:
            return
        if agent.work in ("offered", "talking"):
            agent.wanted = (event.presence, event.reason)
            self._tell(agent, event.at)
            return
        agent.wanted = None
        if agent.work == "wrap_up" and event.presence == "ready":
            self._close_wrap_up(agent, event.at)
        self._choose(agent, event.presence, event.reason, event.at)

    def _choose(self, agent: Agent, presence: Presence, reason: str | None, at: float) -> None:
        if (agent.presence, agent.reason) == (presence, reason) and agent.since != at:
            self._serve(agent, at)
            return
        if agent.presence == "offline" and presence != "offline":
            agent.idle_since = at
        left = agent.presence != "offline" and presence == "offline"
        agent.presence, agent.reason, agent.since = presence, reason, at
        self._tell(agent, at)
        if left:
            self._plan(at + NOBODY_GRACE_SECONDS, "nobody", "")
        self._serve(agent, at)

    def _tell(self, agent: Agent, at: float) -> None:
        profile = agent.profile
        if agent.counted != agent.free:
            agent.counted = agent.free
            for pool in agent.pools:
                pool.free += 1 if agent.counted else -1
        self._decisions.append(
            SetAgent(
                at=at,
                agent_id=profile.agent_id,
                name=profile.name,
                extension=profile.extension,
                presence=agent.presence,
                work=agent.work,
                reason=agent.reason,
                since=agent.since,
                idle_since=agent.idle_since,
                call_id=agent.call_id,
                offer_id=agent.offer_id,
                queue=agent.queue,
                until=agent.until,
                wanted=agent.wanted[0] if agent.wanted else None,
                wanted_reason=agent.wanted[1] if agent.wanted else None,
            )
        )

    def _work(self, agent: Agent, work: WorkState, at: float) -> None:
        agent.work, agent.since = work, at
        if work in ("idle", "wrap_up"):
            agent.offer_id = None
        if work == "idle":
            agent.call_id = agent.queue = agent.until = None
            if agent.wanted is not None:
                presence, reason = agent.wanted
                agent.wanted = None
                agent.presence, agent.reason = presence, reason
                if presence == "offline":
                    self._plan(at + NOBODY_GRACE_SECONDS, "nobody", "")
        self._tell(agent, at)

    def _serve(self, agent: Agent, at: float) -> None:
        """A free agent takes the first of the calls they may have, or waits for one."""
        if not agent.free:
            return
        best: tuple[float, int, str] | None = None
        for pool in agent.pools:
            head = pool.first_call(self._waits)
            if head is not None and (best is None or head < best):
                best = head
        if best is not None and self._settled:
            self._offer(self.entries[best[2]], agent, at)
            return
        for pool in agent.pools:
            pool.add_agent(agent.idle_since, agent.profile.agent_id)

    def _is_free(self, agent_id: int, idle_since: float) -> bool:
        agent = self.agents.get(agent_id)
        return agent is not None and agent.free and agent.idle_since == idle_since

    # --- calls ---

    def _entry_added(self, event: EntryAdded) -> None:
        known = self.entries.get(event.entry_id)
        if known is not None:
            self._change_owner(known, event)
            return
        rule = self._rules.get(event.queue) or QueueRule(event.queue)
        needs = needs_of(rule.needs, event.needs)
        self._sequence += 1
        entry = Entry(
            entry_id=event.entry_id,
            call_id=event.call_id,
            queue=event.queue,
            owner=event.owner,
            entered_at=event.entered_at,
            rank=event.entered_at - (rule.priority + event.priority) * HEAD_START_SECONDS,
            sequence=self._sequence,
            needs=needs,
        )
        if self._still_offered(entry, event.at):
            return
        pool = self._pool(needs)
        waiting = self._waiting_in.get(entry.queue, 0)
        self.entries[entry.entry_id] = entry
        self._waiting_in[entry.queue] = waiting + 1
        if self._settled and not self._staffed(pool):
            self._release(entry, "no_agent", event.at)
        elif self._settled and waiting >= rule.most_waiting:
            self._release(entry, "full", event.at)
        else:
            self._plan(event.entered_at + rule.longest_wait_seconds, "longest_wait", entry.entry_id)
            if not self._place(entry, event.at):
                self._decisions.append(
                    PlaceEntry(
                        at=event.at,
                        entry_id=entry.entry_id,
                        call_id=entry.call_id,
                        owner=entry.owner,
                        position=waiting + 1,
                    )
                )

    def _change_owner(self, entry: Entry, event: EntryAdded) -> None:
        if entry.owner == event.owner:
            return
        entry.owner = event.owner
        offer = self.offers.get(entry.offer_id or "")
        if offer is not None:
            # The former owner died with the offer in its hands; the new one sees to it that no phone rings on for it.
            self._end_offer(offer, "failed", event.at, owner=event.owner)
            self._replace(offer, event.at)

    def _place(self, entry: Entry, at: float) -> bool:
        """Offer the call at once, or let it wait at its place; True when it was offered."""
        pool = self._pool(entry.needs)
        agent_id = pool.longest_idle(self._is_free)
        if agent_id is not None and self._settled:
            head = pool.first_call(self._waits)
            if head is None or (entry.rank, entry.sequence) <= head[:2]:
                self._offer(entry, self.agents[agent_id], at)
                return True
        pool.add_call(entry.rank, entry.sequence, entry.entry_id)
        return False

    def _waits(self, entry_id: str, sequence: int) -> bool:
        entry = self.entries.get(entry_id)
        return entry is not None and entry.offer_id is None and entry.sequence == sequence

    def _staffed(self, pool: Pool) -> bool:
        return any(
            (agent := self.agents.get(agent_id)) is not None and agent.presence != "offline" for agent_id in pool.agents
        )

    def _entry_left(self, event: EntryLeft) -> None:
        entry = self._forget(event.entry_id)
        seen = self._seen.pop(event.entry_id, None)
        offer = self.offers.get((seen if entry is None else entry.offer_id) or "")
        if offer is None:
            return
        self._end_offer(offer, "caller_left", event.at)
        agent = self.agents.get(offer.agent_id)
        if agent is not None:
            self._serve(agent, event.at)

    def _forget(self, entry_id: str) -> Entry | None:
        entry = self.entries.pop(entry_id, None)
        if entry is not None:
            self._waiting_in[entry.queue] -= 1
        return entry

    def _release(self, entry: Entry, result: QueueResult, at: float) -> None:
        self._forget(entry.entry_id)
        self._decisions.append(
            ReleaseEntry(at=at, entry_id=entry.entry_id, call_id=entry.call_id, owner=entry.owner, result=result)
        )

    # --- offers ---

    def _offer(self, entry: Entry, agent: Agent, at: float) -> None:
        # What an earlier tenure left unread may be of a moment ago; nobody was offered a call then.
        at = max(at, self._latest)
        rule = self._rules.get(entry.queue) or QueueRule(entry.queue)
        profile = agent.profile
        pool = self._pool(entry.needs)
        nearest = pool.idle_longest(self._is_free, explain.MOST_NAMED)
        why = explain.why(entry, agent, self.agents, pool, nearest, at)
        offer_id = str(uuid.UUID(int=self._random.getrandbits(128), version=4))
        entry.offer_id = offer_id
        self.offers[offer_id] = Offer(
            offer_id, entry.entry_id, entry.call_id, entry.queue, profile.agent_id, at, entry.owner
        )
        agent.offer_id, agent.call_id, agent.queue = offer_id, entry.call_id, entry.queue
        expires_at = at + rule.ring_seconds + OFFER_GRACE_SECONDS
        self._plan(expires_at, "offer", offer_id)
        self._decisions.append(
            MakeOffer(
                at=at,
                offer_id=offer_id,
                entry_id=entry.entry_id,
                call_id=entry.call_id,
                owner=entry.owner,
                queue=entry.queue,
                agent_id=profile.agent_id,
                agent_name=profile.name,
                extension=profile.extension,
                ring_seconds=rule.ring_seconds,
                expires_at=expires_at,
                why=why,
            )
        )
        self._work(agent, "offered", at)

    def _end_offer(self, offer: Offer, result: OfferResult, at: float, owner: str | None = None) -> None:
        """The offer came to nothing: its entry waits again and its agent is idle again."""
        self._close_offer(offer, result, at, owner)
        entry = self.entries.get(offer.entry_id)
        if entry is not None and entry.offer_id == offer.offer_id:
            entry.offer_id = None
        agent = self.agents.get(offer.agent_id)
        if agent is not None and agent.offer_id == offer.offer_id:
            self._work(agent, "idle", at)

    def _close_offer(self, offer: Offer, result: OfferResult, at: float, owner: str | None = None) -> None:
        del self.offers[offer.offer_id]
        agent = self.agents.get(offer.agent_id)
        self._decisions.append(
            CloseOffer(
                at=at,
                offer_id=offer.offer_id,
                call_id=offer.call_id,
                owner=owner,
                queue=offer.queue,
                agent_id=offer.agent_id,
                extension="" if agent is None else agent.profile.extension,
                offered_at=offer.offered_at,
                result=result,
            )
        )

    def _offer_seen(self, event: OfferSeen) -> None:
        if event.offer_id in self.offers:
            return
        offer = self.offers[event.offer_id] = Offer(
            event.offer_id,
            event.entry_id,
            event.call_id,
            event.queue,
            event.agent_id,
            event.offered_at,
            event.owner,
        )
        self._plan(event.expires_at, "offer", event.offer_id)
        agent, entry = self.agents.get(event.agent_id), self.entries.get(event.entry_id)
        if agent is not None and agent.work == "idle":
            agent.offer_id, agent.call_id, agent.queue = event.offer_id, event.call_id, event.queue
            self._work(agent, "offered", event.offered_at)
        elif agent is None or agent.offer_id != event.offer_id:
            # They have been given something else to do meanwhile.
            self._close_offer(offer, "failed", event.at, event.owner)
            return
        if entry is None:
            self._seen[event.entry_id] = event.offer_id
        elif entry.offer_id is None:
            entry.offer_id = event.offer_id

    def _still_offered(self, entry: Entry, at: float) -> bool:
        """Whether an offer that an earlier tenure made for this entry still stands; the entry then is where it was."""
        offer = self.offers.get(self._seen.pop(entry.entry_id, ""))
        agent = None if offer is None else self.agents.get(offer.agent_id)
        if offer is None or agent is None or agent.offer_id != offer.offer_id:
            return False
        if offer.owner != entry.owner:
            # It was made to a process that has died since, and the one that has the call now knows nothing of it.
            self._end_offer(offer, "failed", at, owner=entry.owner)
            self._serve(agent, at)
            return False
        entry.offer_id = offer.offer_id
        self.entries[entry.entry_id] = entry
        self._waiting_in[entry.queue] = self._waiting_in.get(entry.queue, 0) + 1
        return True

    def _offer_answered(self, event: OfferAnswered) -> None:
        self._forget(event.entry_id)
        offer = self.offers.get(event.offer_id)
        if offer is not None:
            self._forget(offer.entry_id)
            self._close_offer(offer, "answered", event.at)
        self._talks(event, event.queue)

    def _talk_began(self, event: TalkBegan) -> None:
        self._talks(event, None)

    def _talks(self, event: OfferAnswered | TalkBegan, queue: str | None) -> None:
        agent = self.agents.get(event.agent_id)
        if agent is None or (agent.work == "talking" and agent.offer_id == event.offer_id):
            return
        other = self.offers.get(agent.offer_id or "")
        agent.call_id, agent.offer_id, agent.queue = event.call_id, event.offer_id, queue
        self._work(agent, "talking", event.at)
        if other is not None:
            # An owner that was long cut off had the agent already, or the agent took another call: who was offered waits on.
            entry = self.entries.get(other.entry_id)
            self._end_offer(other, "failed", event.at, owner=None if entry is None else entry.owner)
            self._replace(other, event.at)

    def _offer_failed(self, event: OfferFailed) -> None:
        offer = self.offers.get(event.offer_id)
        if offer is None:
            return
        agent = self.agents.get(offer.agent_id)
        if agent is not None and event.result in PAUSE_AFTER and agent.wanted is None:
            agent.wanted = ("pause", event.result)
        self._end_offer(offer, event.result, event.at)
        self._replace(offer, event.at)

    def _offer_expired(self, offer: Offer, at: float) -> None:
        """Its owner said nothing for too long; if it lives it stops ringing."""
        entry = self.entries.get(offer.entry_id)
        self._end_offer(offer, "failed", at, owner=None if entry is None else entry.owner)
        self._replace(offer, at)

    def _claim_lost(self, event: ClaimLost) -> None:
        offer = self.offers.get(event.offer_id)
        if offer is None:
            return
        if event.entry_gone:
            self._forget(offer.entry_id)
        self._end_offer(offer, "failed", event.at)
        self._replace(offer, event.at)

    def _replace(self, offer: Offer, at: float) -> None:
        """After an offer has failed: the call to its place, the agent to the next call."""
        entry = self.entries.get(offer.entry_id)
        if entry is not None and entry.offer_id is None:
            self._place(entry, at)
        agent = self.agents.get(offer.agent_id)
        if agent is not None:
            self._serve(agent, at)

    def _talk_ended(self, event: TalkEnded) -> None:
        agent = self.agents.get(event.agent_id)
        if agent is None or agent.offer_id != event.offer_id or agent.work != "talking":
            return
        if agent.queue is None:
            # Such a call leaves nothing to write up, nor does it cost the agent the place among those who wait for work.
            self._work(agent, "idle", event.at)
            self._serve(agent, event.at)
        elif agent.profile.wrap_up_seconds > 0:
            agent.until = event.at + agent.profile.wrap_up_seconds
            self._plan(agent.until, "wrap_up", str(event.agent_id))
            self._work(agent, "wrap_up", event.at)
        else:
            agent.idle_since = event.at
            self._work(agent, "idle", event.at)
            self._serve(agent, event.at)

    def _close_wrap_up(self, agent: Agent, at: float) -> None:
        if agent.call_id is not None:
            self._decisions.append(
                CloseWrapUp(
                    at=at,
                    agent_id=agent.profile.agent_id,
                    extension=agent.profile.extension,
                    call_id=agent.call_id,
                    queue=agent.queue,
                    started_at=agent.since,
                )
            )
        agent.idle_since = at
        self._work(agent, "idle", at)

    # --- time ---

    def _plan(self, due: float, kind: str, key: str) -> None:
        self._sequence += 1
        heappush(self._timers, (due, self._sequence, kind, key))

    def _ring_timers(self, at: float) -> None:
        while self._timers and self._timers[0][0] <= at:
            due, _, kind, key = heappop(self._timers)
            if kind == "wrap_up":
                agent = self.agents.get(int(key))
                if agent is not None and agent.work == "wrap_up" and agent.until is not None and agent.until <= due:
                    self._close_wrap_up(agent, due)
                    self._serve(agent, due)
            elif kind == "offer":
                offer = self.offers.get(key)
                if offer is not None:
                    self._offer_expired(offer, due)
            elif kind == "longest_wait":
                entry = self.entries.get(key)
                if entry is not None and entry.offer_id is None and self._settled:
                    self._release(entry, "timeout", due)
                elif entry is not None:
                    self._plan(due + 1.0, "longest_wait", key)
            elif kind == "nobody":
                self._release_unstaffed(due)

    def _release_unstaffed(self, at: float) -> None:
        if not self._settled:
            return
        staffed = {needs: self._staffed(pool) for needs, pool in self._pools.items()}
        for entry in [entry for entry in self.entries.values() if entry.offer_id is None]:
            if not staffed.get(entry.needs, True):
                self._release(entry, "no_agent", at)
