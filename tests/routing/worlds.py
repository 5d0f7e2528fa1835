"""Random contact centres: rosters with all kinds of rules, and whatever can happen to them, each decision checked.

What a world checks after every event: one live offer or talk per agent, no offer to one who may not have it, each entry ends
once, no call waits beside a free agent who could have it, first come first served among equals, nobody is overtaken for
longer than the difference of priorities allows. The story that it told the router is decided again at the end and must come
out the same, byte for byte.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from typing import Any, get_args

from engine.records.facts import OfferResult
from engine.records.strategies import STRATEGIES
from engine.routing.entries import HEAD_START_SECONDS
from engine.routing.events import (
    AnswerDryRun,
    ClaimLost,
    CloseOffer,
    DayBegan,
    Decision,
    DryRun,
    EntryAdded,
    EntryAssigned,
    EntryLeft,
    EntryMoved,
    EntryReordered,
    Event,
    HoursChanged,
    MakeOffer,
    OfferAnswered,
    OfferFailed,
    PresenceWanted,
    ReleaseEntry,
    RosterPublished,
    SetAgent,
    TalkBegan,
    TalkEnded,
    TimePassed,
    WrapUpEnded,
    WrapUpExtended,
    encode,
)
from engine.routing.pools import serves
from engine.routing.roster import QueueRule, Roster
from engine.routing.router import Router
from tests.routing.rosters import SKILLS, roster

FAILURES = tuple(result for result in get_args(OfferResult) if result not in ("answered", "taken"))

MOVES = {
    "call": 30, "leave": 7, "answer": 24, "fail": 6, "lose": 2, "end": 24, "presence": 10, "time": 6, "again": 3, "extend": 2,
    "wrap_up": 4, "assign": 1, "reorder": 1, "move": 1, "dry": 1, "hours": 0.5, "day": 0.2, "publish": 0.3, "own_talk": 1,
    "stale": 2,
}  # fmt: skip


class World:
    """One random centre and its story."""

    def __init__(
        self, seed: int, *, agents: int = 6, queues: int = 3, strategies: tuple[str, ...] = tuple(STRATEGIES)
    ) -> None:
        self.chance = random.Random(seed)
        self.seed = seed
        self.size = {"agents": agents, "queues": queues}
        self.strategies = strategies
        self.router = Router(seed)
        self.now = 1_000_000.0
        self.count = 0
        self.events = 0
        self.live: dict[str, MakeOffer] = {}
        self.talking: dict[str, tuple[int, str]] = {}
        """Offer's or leg's id -> agent, and the call."""
        self.waiting: dict[str, EntryAdded] = {}
        self.ended: set[str] = set()
        self.moved_by_hand: set[str] = set()
        self.rang_till: dict[str, float] = {}
        self.before: dict[str, Any] = {}
        self.moved: list[EntryAdded] = []
        self.finished: list[MakeOffer] = []
        self.told = hashlib.sha256()
        self.story: list[Event] = []
        self.tell(RosterPublished(at=self.now, roster=self._roster(1)))

    def _roster(self, version: int) -> Roster:
        self.who = roster(self.chance, version, strategies=self.strategies, **self.size)
        self.profiles = {agent.agent_id: agent for agent in self.who.agents}
        return self.who

    def run(self, events: int) -> None:
        kinds, weights = list(MOVES), list(MOVES.values())
        while self.events < events:
            self.now += self.chance.choice((0.0, 0.1, 1.0, 4.0, 15.0)) * self.chance.random()
            self.pass_time()
            self.move(self.chance.choices(kinds, weights)[0])

    def pass_time(self) -> None:
        """What is due by now, one after the other, so that what happens next is not of something that is over."""
        while (due := self.router.next_due) is not None and due <= self.now:
            self.tell(TimePassed(at=due))

    def decided_again(self) -> bool:
        """Whether the same story comes out the same."""
        again = hashlib.sha256()
        router = Router(self.seed)
        for event in self.story:
            again.update(encode(router.step(event)))
        return again.digest() == self.told.digest()

    def tell(self, event: Event) -> list[Decision]:
        self.story.append(event)
        self.events += 1
        self.before = {name: entry.pool for name, entry in self.router.entries.items() if not entry.offers}
        decisions = self.router.step(event)
        self.told.update(encode(decisions))
        self.check(decisions)
        return decisions

    # --- what happens ---

    def move(self, kind: str) -> None:
        for event in getattr(self, f"_{kind}")():
            self.tell(event)
        while self.moved:
            self.tell(self.enter(self.moved.pop()))

    def _time(self) -> Iterator[Event]:
        self.now += self.chance.uniform(0, 40)
        self.pass_time()
        yield TimePassed(at=self.now)

    def _call(self) -> Iterator[Event]:
        self.count += 1
        entered = self.now - self.chance.choice((0.0, 0.0, 0.01))
        yield self.enter(
            EntryAdded(
                at=self.now,
                entry_id=f"e{self.count}",
                call_id=f"c{self.count}",
                queue=self.chance.choice(self.who.queues).name,
                owner=f"engine-{self.chance.randint(1, 3)}",
                entered_at=entered,
                priority=self.chance.choice((0, 0, 0, 1, 3)),
                needs={self.chance.choice(SKILLS): self.chance.randint(1, 3)} if self.chance.random() < 0.2 else {},
                exact=("danish",) if self.chance.random() < 0.05 else (),
                kind="callback" if self.chance.random() < 0.05 else "call",
                place_at=entered - 100 if self.chance.random() < 0.05 else None,
                not_before=self.now + 9 if self.chance.random() < 0.05 else None,
                caller=f"+45{self.chance.randint(1, 30)}" if self.chance.random() < 0.8 else "",
                category=self.chance.choice(("", "average", "vip", "problem")),
                responsible=self.chance.choice((None, 1, 2, 99)),
                last_agent=self.chance.choice((None, 2, 3)),
            )
        )

    def enter(self, event: EntryAdded) -> EntryAdded:
        self.waiting[event.entry_id] = event
        return event

    def _pick(self, things: dict[str, Any]) -> str | None:
        return self.chance.choice(list(things)) if things else None

    def _again(self) -> Iterator[Event]:
        name = self._pick(self.waiting)
        if name is not None:
            known = self.waiting[name]
            fields = {field: getattr(known, field) for field in known.__struct_fields__}
            yield EntryAdded(**fields | {"at": self.now, "owner": f"engine-{self.chance.randint(1, 3)}"})

    def _leave(self) -> Iterator[Event]:
        name = self._pick(self.waiting)
        if name is not None:
            del self.waiting[name]
            self.over(name)
            yield EntryLeft(at=self.now, entry_id=name)

    def _answer(self) -> Iterator[Event]:
        name = self._pick(self.live)
        if name is not None:
            offer = self.live[name]
            self.waiting.pop(offer.entry_id)
            self.over(offer.entry_id)
            yield _answered(offer, self.now)

    def _fail(self) -> Iterator[Event]:
        name = self._pick(self.live)
        if name is not None:
            result: Any = self.chance.choice(FAILURES)
            yield OfferFailed(at=self.now, offer_id=name, result=result)

    def _lose(self) -> Iterator[Event]:
        name = self._pick(self.live)
        if name is not None:
            gone = self.chance.random() < 0.3
            if gone:
                self.over(self.waiting.pop(self.live[name].entry_id).entry_id)
            yield ClaimLost(at=self.now, offer_id=name, entry_gone=gone)

    def _end(self) -> Iterator[Event]:
        name = self._pick(self.talking)
        if name is not None:
            agent_id, _ = self.talking.pop(name)
            yield TalkEnded(at=self.now, offer_id=name, agent_id=agent_id, dropped=self.chance.random() < 0.1)

    def _presence(self) -> Iterator[Event]:
        wanted: Any = self.chance.choice(("ready", "ready", "ready", "pause", "offline"))
        yield PresenceWanted(
            at=self.now, agent_id=self.chance.randint(1, self.size["agents"]), presence=wanted, reason=None
        )

    def _extend(self) -> Iterator[Event]:
        yield WrapUpExtended(
            at=self.now,
            agent_id=self.chance.randint(1, self.size["agents"]),
            seconds=self.chance.choice((30, 5, 0, -9)),
        )

    def _wrap_up(self) -> Iterator[Event]:
        yield WrapUpEnded(at=self.now, agent_id=self.chance.randint(1, self.size["agents"]))

    def _assign(self) -> Iterator[Event]:
        name = self._pick(self.waiting)
        if name is not None:
            yield EntryAssigned(at=self.now, entry_id=name, agent_id=self.chance.randint(1, self.size["agents"]))

    def _reorder(self) -> Iterator[Event]:
        name = self._pick(self.waiting)
        if name is not None:
            queue = self.waiting[name].queue
            others = [each for each in self.waiting if self.waiting[each].queue == queue]
            self.moved_by_hand.add(name)
            yield EntryReordered(at=self.now, entry_id=name, before=self.chance.choice([*others, None]))

    def _move(self) -> Iterator[Event]:
        name = self._pick(self.waiting)
        if name is not None:
            yield EntryMoved(at=self.now, entry_id=name, queue=self.chance.choice(self.who.queues).name)

    def _dry(self) -> Iterator[Event]:
        yield DryRun(
            at=self.now, ask_id="a", queue=self.chance.choice(self.who.queues).name, category="vip", responsible=1
        )

    def _hours(self) -> Iterator[Event]:
        yield HoursChanged(at=self.now, calendar="Office", open=self.chance.random() < 0.7)

    def _day(self) -> Iterator[Event]:
        yield DayBegan(at=self.now)

    def _publish(self) -> Iterator[Event]:
        yield RosterPublished(at=self.now, roster=self._roster(self.who.version + 1))

    def _own_talk(self) -> Iterator[Event]:
        """An agent takes a call that no queue brought; whatever rings for them otherwise is for others."""
        agent_id = self.chance.randint(1, self.size["agents"])
        if all(agent != agent_id for agent, _ in self.talking.values()):
            self.count += 1
            leg = f"leg{self.count}"
            self.talking[leg] = (agent_id, f"own{self.count}")
            yield TalkBegan(at=self.now, offer_id=leg, call_id=f"own{self.count}", agent_id=agent_id)

    def _stale(self) -> Iterator[Event]:
        """Something is told of what is long over."""
        if self.finished:
            offer = self.chance.choice(self.finished[-50:])
            if offer.offer_id not in self.live and offer.offer_id not in self.talking:
                yield self.chance.choice(
                    [
                        OfferFailed(at=self.now, offer_id=offer.offer_id, result="no_answer"),
                        ClaimLost(at=self.now, offer_id=offer.offer_id, entry_gone=True),
                        TalkEnded(at=self.now, offer_id=offer.offer_id, agent_id=offer.agent_id),
                    ]
                )

    # --- what must hold ---

    def over(self, entry_id: str) -> None:
        assert entry_id not in self.ended, "over twice"
        self.ended.add(entry_id)

    def check(self, decisions: list[Decision]) -> None:
        for decision in decisions:
            if isinstance(decision, MakeOffer):
                self._check_offer(decision)
                self.live[decision.offer_id] = decision
            elif isinstance(decision, CloseOffer):
                closed = self.live.pop(decision.offer_id)
                self.rang_till[closed.entry_id] = decision.at
                self.finished.append(closed)
                if decision.result == "answered":
                    self.talking[closed.offer_id] = (closed.agent_id, closed.call_id)
            elif isinstance(decision, ReleaseEntry):
                self.over(decision.entry_id)
                left = self.waiting.pop(decision.entry_id)
                if decision.result == "moved" and decision.queue is not None:
                    self.count += 1
                    self.moved.append(
                        EntryAdded(
                            at=self.now,
                            entry_id=f"e{self.count}",
                            call_id=left.call_id,
                            queue=decision.queue,
                            owner=left.owner,
                            entered_at=self.now,
                            place_at=decision.place_at,
                        )
                    )
            elif isinstance(decision, SetAgent):
                assert decision.agent_id in self.profiles
            elif isinstance(decision, AnswerDryRun):
                assert decision.answer["in_words"]
        assert set(self.waiting) == set(self.router.entries)
        if self.events % 11 == 0 or len(self.story) < 500:
            self._check_state()

    def _check_offer(self, offer: MakeOffer) -> None:
        assert offer.entry_id in self.waiting, "an offer of a call that does not wait"
        for other in self.live.values():
            assert other.agent_id != offer.agent_id, "two live offers for one agent"
            assert other.entry_id != offer.entry_id or (other.batch and other.batch == offer.batch)
        assert all(agent != offer.agent_id for agent, _ in self.talking.values()), "an offer to one who talks"
        rule = next(queue for queue in self.who.queues if queue.name == offer.queue)
        entry = self.router.entries.get(offer.entry_id)
        assert entry is not None
        waited = offer.at - entry.place_at
        assert self._may_have(rule, entry, offer.agent_id, waited), "an offer to one who may not have it"
        assert not (entry.not_before is not None and offer.at < entry.not_before)
        self._check_turn(offer, rule)

    def _may_have(self, rule: QueueRule, entry: Any, agent_id: int, waited: float) -> bool:
        """The rules told once more, plainly."""
        for first in entry.first:
            if agent_id in first.agents:
                return True
        settings, profile = rule.settings, self.profiles[agent_id]
        needs = {skill: (least, most) for skill, least, most in entry.needs}
        groups: set[str] = set()
        for step in sorted(settings.relaxations, key=lambda step: step.after_seconds):
            if step.after_seconds <= waited + 1e-6:
                if step.drop is not None:
                    needs.pop(step.drop, None)
                elif step.group is not None:
                    groups.add(step.group)
                elif step.skill in needs and step.level is not None:
                    needs[step.skill] = (min(step.level, needs[step.skill][0]), 5)
        if any(agent_id in self.who.groups[group] for group in groups):
            return True
        members = settings.members
        if members.agents or members.groups:
            named = {member.extension for member in members.agents}
            if profile.extension not in named and not any(agent_id in self.who.groups[name] for name in members.groups):
                return False
        return serves(profile.skills, tuple((skill, least, most) for skill, (least, most) in needs.items()))

    def _check_turn(self, offer: MakeOffer, rule: QueueRule) -> None:
        """Of the calls of the same queue with the same needs, which wait for the same agents, this one was first; and none is
        overtaken by a later one beyond the head start of the difference of their priorities."""
        entry = self.router.entries[offer.entry_id]
        for other in self.router.entries.values():
            if other is entry or other.offers or other.pool is not entry.pool or other.not_before is not None:
                continue
            if self.before.get(other.entry_id) is not entry.pool:
                # It came there in the same instant, after the offer.
                continue
            assert (entry.rank, entry.sequence) <= (other.rank, other.sequence), "served before its turn"
            if not {entry.entry_id, other.entry_id} & self.moved_by_hand:
                ahead = (entry.priority + entry.boost - other.priority - other.boost) * HEAD_START_SECONDS
                assert entry.place_at - other.place_at <= max(0.0, ahead) + 1e-6

    def _check_state(self) -> None:
        state = self.router.state
        for pool in state.pools.values():
            there = [state.agents[agent_id] for agent_id in pool.agents if agent_id in state.agents]
            assert pool.free == sum(agent.free for agent in there)
            assert pool.ready == sum(agent.presence == "ready" for agent in there)
            assert pool.staffed == sum(agent.presence != "offline" for agent in there)
        for agent in state.agents.values():
            agent_id = agent.profile.agent_id
            holds = sum(each.agent_id == agent_id for each in self.live.values())
            holds += sum(each == agent_id for each, _ in self.talking.values())
            assert holds <= 1
            assert holds == (agent.work in ("offered", "talking"))
            assert agent.listed == agent.free
        for entry in state.entries.values():
            if not entry.offers and (entry.not_before is None or entry.not_before <= self.story[-1].at):
                assert entry.pool is not None
                idle = [agent_id for agent_id in entry.pool.agents if state.agents[agent_id].free]
                assert not idle, "a call waits beside a free agent who could have it"
            last = max(entry.entered_at + 200, self.rang_till.get(entry.entry_id, 0.0)) + 1.01
            assert entry.kind == "callback" or entry.offers or self.story[-1].at <= last, "waits for longer than it may"
        for queue, row in state.rows.items():
            assert row == sorted(row)
            assert {entry_id for _, _, entry_id in row} == {
                entry.entry_id for entry in state.entries.values() if entry.queue == queue
            }


def _answered(offer: MakeOffer, at: float) -> OfferAnswered:
    return OfferAnswered(
        at=at,
        offer_id=offer.offer_id,
        entry_id=offer.entry_id,
        call_id=offer.call_id,
        queue=offer.queue,
        agent_id=offer.agent_id,
    )
