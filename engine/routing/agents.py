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
    agent.misses, agent.beside, agent.owed = dict(event.misses), dict(event.beside), event.owed
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
    """The agent is in a talk now, whatever was thought of them. Of several talks at once one that a queue brought is what they
    are said to be in."""
    agent = state.agents.get(event.agent_id)
    if agent is None or event.offer_id in agent.beside:
        return
    if agent.work == "talking":
        if agent.offer_id == event.offer_id:
            return
        if queue is None and agent.offer_id is None and agent.call_id == event.call_id:
            # Redis was emptied, and Postgres knows no names of talks that no queue brought.
            agent.offer_id = event.offer_id
            presence.tell(state, agent, event.at)
            return
        if queue is None:
            agent.beside[event.offer_id] = event.call_id
            presence.tell(state, agent, event.at)
            return
        if agent.queue is None and agent.offer_id is not None:
            agent.beside[agent.offer_id] = agent.call_id or ""
    other = state.offers.get(agent.offer_id or "")
    if agent.work == "wrap_up" and queue is None and agent.call_id is not None and agent.queue is not None:
        # They phone while they write up: what is left of it comes after.
        agent.owed = (agent.call_id, agent.queue, agent.until or 0.0)
        presence.tell_wrap_up(state, agent, event.at)
    agent.call_id, agent.offer_id, agent.queue, agent.until = event.call_id, event.offer_id, queue, None
    agent.rest_until = agent.served = None
    agent.misses.clear()
    if queue is not None:
        agent.calls += 1
        agent.owed = None
    presence.work(state, agent, "talking", event.at)
    if other is not None:
        # An owner that was long cut off had the agent already, or the agent took another call: who was offered waits on.
        entry = state.entries.get(other.entry_id)
        offering.end(state, other, "failed", event.at, owner=None if entry is None else entry.owner)
        matching.replace(state, other, event.at)


def talk_ended(state: State, event: TalkEnded) -> None:
    agent = state.agents.get(event.agent_id)
    if agent is None or agent.work != "talking":
        return
    if agent.beside.pop(event.offer_id, None) is not None:
        presence.tell(state, agent, event.at)
        return
    if (agent.offer_id or "") != event.offer_id:
        return
    if event.dropped and agent.served is not None:
        entries.keep_place(state, *agent.served, event.at)
    agent.served = None
    if agent.queue is not None:
        agent.talk_seconds = round(agent.talk_seconds + max(0.0, event.at - agent.since), 3)
        agent.owed = (agent.call_id or "", agent.queue, 0.0)
    if agent.beside:
        # They still speak with somebody else; what there is to write up comes after that.
        agent.offer_id = next(iter(agent.beside))
        agent.call_id, agent.queue = agent.beside.pop(agent.offer_id), None
        presence.work(state, agent, "talking", event.at)
        return
    of_queue = agent.owed is not None
    if presence.resume_wrap_up(state, agent, event.at):
        return
    if of_queue:
        agent.idle_since = event.at
    # A call that no queue brought leaves nothing to write up, nor does it cost the agent the place among those who wait.
    presence.work(state, agent, "idle", event.at)
    matching.serve(state, agent, event.at)


def wrap_up_extended(state: State, event: WrapUpExtended) -> None:
    agent = state.agents.get(event.agent_id)
    if agent is not None:
        presence.extend_wrap_up(state, agent, event.seconds, event.at)


def wrap_up_ended(state: State, event: WrapUpEnded) -> None:
    agent = state.agents.get(event.agent_id)
    if agent is None:
        return
    if agent.work == "wrap_up":
        presence.close_wrap_up(state, agent, event.at)
        matching.serve(state, agent, event.at)
    elif agent.work == "talking" and agent.owed is not None and agent.owed[2]:
        agent.owed = None
        presence.tell(state, agent, event.at)


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
