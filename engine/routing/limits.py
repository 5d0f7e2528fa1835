"""What falls due by time, or because nobody is there any more: calls released, agents who rest no longer."""

from __future__ import annotations

from typing import Any

from engine.records.facts import QueueResult
from engine.routing import entries, matching, offering, presence
from engine.routing.events import HoursChanged
from engine.routing.pools import Pool, PoolKey
from engine.routing.state import Entry, State


def due(state: State, at: float, kind: str, key: Any) -> None:
    """A timer that was set for `at`."""
    if kind == "wrap_up":
        _wrap_up(state, key, at)
    elif kind == "rest":
        _rested(state, key, at)
    elif kind == "offer":
        offer = state.offers.get(key)
        if offer is not None:
            _expired(state, key, at)
    elif kind == "stage":
        entry = state.entries.get(key)
        if entry is not None:
            matching.move_on(state, entry, at)
    elif kind == "longest_wait":
        _longest_wait(state, key, at)
    elif kind == "nobody":
        _nobody(state, key, at)
    elif kind == "all_paused":
        _all_paused(state, key, at)
    elif kind == "closed":
        release_closed(state, at)
    elif kind == "place":
        queue, caller = key
        entries.drop_place(state, queue, caller, at)


def watch_emptied(state: State, at: float) -> None:
    """After an event: pools in which nobody is logged in or ready any more, and the calls that hang on them."""
    if not state.emptied:
        return
    for pool in list(state.emptied):
        if not pool.claims:
            continue
        rule = state.rule(pool.key.queue)
        if pool.staffed == 0:
            entries.watch_staff(state, rule, pool, at)
        elif pool.ready == 0:
            entries.watch_pause(state, rule, pool, at)
    matching.leave_emptied(state, at)


def hours_changed(state: State, event: HoursChanged) -> None:
    if event.open:
        state.closed.discard(event.calendar)
        return
    state.closed.add(event.calendar)
    if state.settled:
        release_closed(state, event.at)


def release_closed(state: State, at: float) -> None:
    """Nobody waits in a queue whose calendar is closed; whom an agent's phone rings for may still be answered."""
    still_offered = False
    for entry in list(state.entries.values()):
        if state.rule(entry.queue).settings.calendar in state.closed:
            _release(state, entry, "after_hours", at)
            still_offered |= bool(entry.offers)
    if still_offered:
        state.timers.add(at + 1.0, "closed", None)


def release_unstaffed(state: State, at: float) -> None:
    """Once all is told: calls for which nobody is there are not kept waiting."""
    for key, pool in list(state.pools.items()):
        if pool.claims:
            _nobody(state, key, at)
            entries.watch_pause(state, state.rule(key.queue), pool, at)


def _wrap_up(state: State, agent_id: int, at: float) -> None:
    agent = state.agents.get(agent_id)
    if agent is not None and agent.work == "wrap_up" and agent.until is not None and agent.until <= at:
        presence.close_wrap_up(state, agent, at)
        matching.serve(state, agent, at)


def _rested(state: State, agent_id: int, at: float) -> None:
    agent = state.agents.get(agent_id)
    if agent is not None and agent.rest_until is not None and agent.rest_until <= at:
        agent.rest_until = None
        presence.tell(state, agent, at)
        matching.serve(state, agent, at)


def _expired(state: State, offer_id: str, at: float) -> None:
    """Its owner said nothing for too long; if it lives it stops ringing."""
    offer = state.offers[offer_id]
    entry = state.entries.get(offer.entry_id)
    offering.end(state, offer, "failed", at, owner=None if entry is None else entry.owner)
    matching.replace(state, offer, at)


def _longest_wait(state: State, entry_id: str, at: float) -> None:
    entry = state.entries.get(entry_id)
    if entry is None:
        return
    if entry.offers or not state.settled:
        state.timers.add(at + 1.0, "longest_wait", entry_id)
    else:
        _release(state, entry, "timeout", at)


def _nobody(state: State, key: PoolKey, at: float) -> None:
    pool = state.pools.get(key)
    if pool is None or not state.settled or pool.staffed or not pool.claims:
        return
    grace = state.rule(key.queue).settings.nobody_grace_seconds
    if pool.unstaffed_since is not None and pool.unstaffed_since + grace > at:
        state.timers.add(pool.unstaffed_since + grace, "nobody", key)
        return
    for entry in _claims(state, pool):
        if not _reserved(entry):
            _release(state, entry, "no_agent", at)


def _all_paused(state: State, key: PoolKey, at: float) -> None:
    pool = state.pools.get(key)
    seconds = state.rule(key.queue).settings.all_paused_seconds
    if pool is None or seconds is None or not state.settled or pool.ready or not pool.staffed:
        return
    for entry in _claims(state, pool):
        begun = max(entry.entered_at, pool.unready_since or 0.0)
        if begun + seconds <= at:
            _release(state, entry, "all_paused", at)
    begins = [max(entry.entered_at, pool.unready_since or 0.0) for entry in _claims(state, pool)]
    later = [begun + seconds for begun in begins if begun + seconds > at]
    if later:
        state.timers.add(min(later), "all_paused", key)


def _claims(state: State, pool: Pool) -> list[Entry]:
    return [state.entries[entry_id] for entry_id in list(pool.claims) if entry_id in state.entries]


def _reserved(entry: Entry) -> bool:
    """Whether it waits for somebody beside the queue's own agents who is logged in."""
    pool = entry.pool
    return pool is not None and bool(pool.key.only) and pool.staffed > 0


def _release(state: State, entry: Entry, result: QueueResult, at: float) -> None:
    if entry.kind == "call" and not entry.offers:
        entries.release(state, entry, result, at)
