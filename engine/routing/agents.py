"""What agents choose, and what becomes of them: published, seen by a new tenure, in talk, writing up."""

from __future__ import annotations

from engine.routing import entries, matching, offering, pooling, presence
from engine.routing.events import (
    AgentSeen,
    DayBegan,
    OfferAnswered,
    PresenceWanted,
    RemoveAgent,
    RosterPublished,
    TalkBegan,
    TalkEnded,
    WrapUpEnded,
    WrapUpExtended,
)
from engine.routing.plans import PlanBook
from engine.routing.state import Agent, Entry, State


def roster_published(state: State, event: RosterPublished) -> None:
    roster, at = event.roster, event.at
    state.rules = {rule.name: rule for rule in roster.queues}
    state.book = PlanBook.of(roster)
    for agent_id in [agent_id for agent_id in state.agents if agent_id not in state.book.profiles]:
        gone = state.agents.pop(agent_id)
        gone.stamp += 1
        state.decisions.append(RemoveAgent(at=at, agent_id=agent_id))
    changed = []
    for agent_id, profile in state.book.profiles.items():
        known = state.agents.get(agent_id)
        if known is None:
            known = state.agents[agent_id] = Agent(profile, since=at, idle_since=at)
            changed.append(known)
        elif (known.profile.name, known.profile.extension) != (profile.name, profile.extension):
            changed.append(known)
        known.profile = profile
    pooling.rebuild(state)
    for agent in changed:
        presence.tell(state, agent, at)
    waiting = sorted(state.entries.values(), key=lambda entry: (entry.rank, entry.sequence))
    for entry in waiting:
        _plan_anew(state, entry, at)
    for entry in waiting:
        if not entry.offers and entry.entry_id in state.entries:
            matching.place(state, entry, at)


def _plan_anew(state: State, entry: Entry, at: float) -> None:
    """The rules are others now; the entry's own needs and place are as they were."""
    rule = state.rule(entry.queue)
    entry.needs = state.book.needs(rule, entry.further, entry.exact)
    entry.plan = state.book.plan(rule, entry.needs)
    entry.pool = None
    widest = pooling.claim(state, entry)
    if entry.kind == "call":
        entries.watch_pause(state, rule, widest, at)
        if widest.staffed == 0:
            entries.watch_staff(state, rule, widest, at)


def agent_seen(state: State, event: AgentSeen) -> None:
    agent = state.agents.get(event.agent_id)
    if agent is None:
        return
    agent.presence, agent.reason = event.presence, event.reason
    agent.work, agent.since, agent.idle_since = event.work, event.since, event.idle_since
    agent.call_id, agent.offer_id, agent.queue = event.call_id, event.offer_id, event.queue
    agent.until = None
    agent.wanted = None if event.wanted is None else (event.wanted, event.wanted_reason)
    agent.offered_at, agent.calls, agent.talk_seconds = event.offered_at, event.calls, event.talk_seconds
    agent.misses = dict(event.misses)
    agent.rest_until = None
    if event.rest_until is not None and event.rest_until > event.at:
        agent.rest_until = event.rest_until
        state.timers.add(event.rest_until, "rest", event.agent_id)
    if event.work == "wrap_up":
        agent.until = event.until
        if agent.until is not None:
            state.timers.add(agent.until, "wrap_up", event.agent_id)
    elif event.work == "offered" and event.offer_id not in state.offers:
        presence.work(state, agent, "idle", event.at)
    presence.tell(state, agent, event.at)
    matching.serve(state, agent, event.at)


def presence_wanted(state: State, event: PresenceWanted) -> None:
    agent = state.agents.get(event.agent_id)
    if agent is None:
        return
    if agent.work in ("offered", "talking"):
        agent.wanted = (event.presence, event.reason)
        presence.tell(state, agent, event.at)
        return
    agent.wanted = None
    was_free = agent.free
    if agent.work == "wrap_up" and event.presence == "ready":
        presence.close_wrap_up(state, agent, event.at)
    presence.choose(state, agent, event.presence, event.reason, event.at)
    if not was_free:
        matching.serve(state, agent, event.at)


def talk_began(state: State, event: TalkBegan) -> None:
    talks(state, event, None)


def talks(state: State, event: OfferAnswered | TalkBegan, queue: str | None) -> None:
    """The agent is in a talk now, whatever was thought of them."""
    agent = state.agents.get(event.agent_id)
    if agent is None or (agent.work == "talking" and agent.offer_id == event.offer_id):
        return
    other = state.offers.get(agent.offer_id or "")
    agent.call_id, agent.offer_id, agent.queue = event.call_id, event.offer_id, queue
    agent.rest_until = agent.served = None
    agent.misses.clear()
    if queue is not None:
        agent.calls += 1
    presence.work(state, agent, "talking", event.at)
    if other is not None:
        # An owner that was long cut off had the agent already, or the agent took another call: who was offered waits on.
        entry = state.entries.get(other.entry_id)
        offering.end(state, other, "failed", event.at, owner=None if entry is None else entry.owner)
        matching.replace(state, other, event.at)


def talk_ended(state: State, event: TalkEnded) -> None:
    agent = state.agents.get(event.agent_id)
    if agent is None or agent.offer_id != event.offer_id or agent.work != "talking":
        return
    if event.dropped and agent.served is not None:
        entries.keep_place(state, *agent.served, event.at)
    agent.served = None
    if agent.queue is None:
        # Such a call leaves nothing to write up, nor does it cost the agent the place among those who wait for work.
        presence.work(state, agent, "idle", event.at)
    else:
        agent.talk_seconds = round(agent.talk_seconds + max(0.0, event.at - agent.since), 3)
        if presence.begin_wrap_up(state, agent, event.at):
            return
        agent.idle_since = event.at
        presence.work(state, agent, "idle", event.at)
    matching.serve(state, agent, event.at)


def wrap_up_extended(state: State, event: WrapUpExtended) -> None:
    agent = state.agents.get(event.agent_id)
    if agent is not None:
        presence.extend_wrap_up(state, agent, event.seconds, event.at)


def wrap_up_ended(state: State, event: WrapUpEnded) -> None:
    agent = state.agents.get(event.agent_id)
    if agent is not None and agent.work == "wrap_up":
        presence.close_wrap_up(state, agent, event.at)
        matching.serve(state, agent, event.at)


def day_began(state: State, event: DayBegan) -> None:
    """What is counted by the day begins at nought. Who is free stands in the pools by the old count till they have had their
    next call, so all are enlisted anew."""
    for agent in state.agents.values():
        if not agent.calls and not agent.talk_seconds:
            continue
        agent.calls, agent.talk_seconds = 0, 0.0
        if agent.free:
            agent.stamp += 1
            agent.listed = False
            pooling.enlist(agent)
        presence.tell(state, agent, event.at)
