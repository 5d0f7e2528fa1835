"""An agent's state changed: what is told of it, and how the pools count them from then on."""

from __future__ import annotations

from engine.records.facts import Presence, WorkState
from engine.routing.events import CloseWrapUp, SetAgent
from engine.routing.state import Agent, State

MOST_MORE_SECONDS = 3600
"""The longest time that work after a call can be extended by in one go."""


def tell(state: State, agent: Agent, at: float) -> None:
    """Tell of the agent as they are now."""
    count(state, agent, at)
    profile = agent.profile
    state.decisions.append(
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
            rest_until=agent.rest_until,
            offered_at=agent.offered_at,
            calls=agent.calls,
            talk_seconds=agent.talk_seconds,
            misses=dict(agent.misses) if agent.misses else {},
            beside=dict(agent.beside) if agent.beside else {},
            owed=agent.owed,
        )
    )


def count(state: State, agent: Agent, at: float) -> None:
    """Let the agent's pools know whether they are logged in, ready and free."""
    now = (agent.presence != "offline", agent.presence == "ready", agent.free)
    before = agent.told
    if now == before:
        return
    agent.told = now
    if now[2] != before[2]:
        agent.stamp += 1
        agent.listed = False
        if now[2]:
            agent.free_since = at
    staffed, ready, free = now[0] - before[0], now[1] - before[1], now[2] - before[2]
    if not staffed and not ready:
        for pool in agent.pools:
            pool.free += free
        return
    for pool in agent.pools:
        pool.free += free
        if staffed:
            pool.staffed += staffed
            pool.unstaffed_since = at if pool.staffed == 0 else None
        if ready:
            pool.ready += ready
            pool.unready_since = at if pool.ready == 0 else None
        if (staffed < 0 and pool.staffed == 0) or (ready < 0 and pool.ready == 0):
            state.emptied.append(pool)


def work(state: State, agent: Agent, now: WorkState, at: float) -> None:
    """The agent passes into another work state. What they chose to be after the call comes true when they are idle."""
    agent.work, agent.since = now, at
    if now in ("idle", "wrap_up"):
        agent.offer_id = None
    if now == "idle":
        agent.call_id = agent.queue = agent.until = agent.owed = None
        agent.extended = 0
        if agent.wanted is not None:
            presence, reason = agent.wanted
            agent.wanted = None
            agent.presence, agent.reason = presence, reason
    tell(state, agent, at)


def choose(state: State, agent: Agent, presence: Presence, reason: str | None, at: float) -> None:
    """The agent's presence is another one from now on."""
    rests = agent.rest_until is not None
    if presence == "ready":
        agent.rest_until = None
        agent.misses.clear()
    if (agent.presence, agent.reason) == (presence, reason) and agent.since != at and not rests:
        return
    if agent.presence == "offline" and presence != "offline":
        agent.idle_since = at
    if (agent.presence, agent.reason) != (presence, reason):
        agent.since = at
    agent.presence, agent.reason = presence, reason
    tell(state, agent, at)


def tell_wrap_up(state: State, agent: Agent, at: float) -> None:
    """A piece of work after a call is over, whether more of it comes or not."""
    if agent.call_id is not None:
        state.decisions.append(
            CloseWrapUp(
                at=max(at, agent.since),
                agent_id=agent.profile.agent_id,
                extension=agent.profile.extension,
                call_id=agent.call_id,
                queue=agent.queue,
                started_at=agent.since,
            )
        )


def close_wrap_up(state: State, agent: Agent, at: float) -> None:
    """The agent has written up the last call."""
    tell_wrap_up(state, agent, at)
    agent.idle_since = at
    work(state, agent, "idle", at)


def begin_wrap_up(state: State, agent: Agent, at: float) -> bool:
    """After a queue's call: True where there is work after it, False where the agent is idle at once."""
    settings = state.rule(agent.queue or "").settings.wrap_up
    mode = agent.profile.settings.wrap_up if settings is None else settings.mode
    seconds = agent.profile.wrap_up_seconds if settings is None else settings.seconds
    if mode == "chosen":
        seconds = max(seconds, agent.extended) if agent.extended else 0
    else:
        seconds += agent.extended
    if mode != "endless" and seconds <= 0:
        return False
    agent.until = None if mode == "endless" else at + seconds
    if agent.until is not None:
        state.timers.add(agent.until, "wrap_up", agent.profile.agent_id)
    work(state, agent, "wrap_up", at)
    return True


def resume_wrap_up(state: State, agent: Agent, at: float) -> bool:
    """After the last talk: the work that is owed to an earlier one goes on, or begins. True where there is any."""
    if agent.owed is None:
        return False
    agent.call_id, agent.queue, until = agent.owed
    agent.owed = None
    if not until:
        return begin_wrap_up(state, agent, at)
    if until <= at:
        return False
    agent.until = until
    state.timers.add(until, "wrap_up", agent.profile.agent_id)
    work(state, agent, "wrap_up", at)
    return True


def extend_wrap_up(state: State, agent: Agent, seconds: int, at: float) -> None:
    """So many seconds more, now or after the talk; without end there is nothing to extend."""
    more = min(seconds, MOST_MORE_SECONDS)
    if more <= 0:
        return
    if agent.work == "talking" and agent.owed is not None and agent.owed[2]:
        call_id, queue, until = agent.owed
        agent.owed = (call_id, queue, until + more)
        tell(state, agent, at)
    elif agent.work == "talking" and agent.queue is not None:
        agent.extended = min(agent.extended + more, MOST_MORE_SECONDS)
    elif agent.work == "wrap_up" and agent.until is not None:
        agent.until += more
        state.timers.add(agent.until, "wrap_up", agent.profile.agent_id)
        tell(state, agent, at)
