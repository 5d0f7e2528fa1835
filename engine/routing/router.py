"""The router: what it is told changes its state, and the change yields decisions. It reads no clock, does no I/O, and draws
its only randomness from a seed that is part of its state; told the same events again, it decides the same again.

The rules, in the order in which they are asked, and where they stand:
1. A call is offered to agents alone who are ready, idle, rested, and belong to the pool in which it waits: at first those of
   its queue who meet all its needs, later others too (plans, matching).
2. A free agent takes, of the calls they may have, the one with the least rank: the time since when it counts as waiting, less
   a head start for its priority (entries). Waiting longer therefore always wins in the end, and equals are served in the
   order of coming.
3. A waiting call goes to the agent whom its queue's strategy names (strategies).
4. An agent whose phone did not answer rests or is paused, as the queue has it (offering); the call keeps its place and goes
   to the next.
5. A call that must not wait longer, or has nobody to wait for, is released (limits).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.routing import agents, dry_run, entries, limits, matching, offers, supervising
from engine.routing import events as told
from engine.routing.events import Decision, Event
from engine.routing.expected import Meter
from engine.routing.state import Agent, Entry, Offer, State


class Router:
    """One tenure's router. `step` is the only way to change it."""

    def __init__(self, seed: int, *, settled: bool = True) -> None:
        """Without `settled` nothing is offered and nobody released before Settled is told."""
        self._state = State(seed, settled=settled)

    @property
    def agents(self) -> dict[int, Agent]:
        return self._state.agents

    @property
    def entries(self) -> dict[str, Entry]:
        return self._state.entries

    @property
    def offers(self) -> dict[str, Offer]:
        return self._state.offers

    @property
    def state(self) -> State:
        """To be looked at only."""
        return self._state

    @property
    def next_due(self) -> float | None:
        """When `TimePassed` is wanted at the latest; None when nothing is planned."""
        return self._state.timers.next_due

    def step(self, event: Event) -> list[Decision]:
        """Take one event in and return what follows from it, in order. Timers due till `event.at` come first. TimePassed with
        nothing due changes nothing at all."""
        state = self._state
        decisions: list[Decision] = []
        state.decisions = decisions
        due = state.timers.next_due
        if due is not None and due <= event.at:
            while (timer := state.timers.pop(event.at)) is not None:
                limits.due(state, *timer)
                limits.watch_emptied(state, timer[0])
            state.timers.sweep(state.entries, state.offers)
            state.latest = max(state.latest, event.at)
        handler = _HANDLERS.get(type(event))
        if handler is not None:
            state.latest = max(state.latest, event.at)
            handler(state, event)
            if state.emptied:
                limits.watch_emptied(state, event.at)
        return decisions


def _settled(state: State, event: told.Settled) -> None:
    state.settled = True
    matching.serve_all(state, event.at)
    limits.release_closed(state, event.at)
    limits.release_unstaffed(state, event.at)


def _place_seen(state: State, event: told.PlaceSeen) -> None:
    if event.until > event.at:
        state.places[event.queue, event.caller] = (event.place_at, event.until)
        state.timers.add(event.until, "place", (event.queue, event.caller))


def _pace_seen(state: State, event: told.PaceSeen) -> None:
    state.meters[event.queue] = Meter(event.pace)


_HANDLERS: dict[type[Event], Callable[[State, Any], None]] = {
    told.RosterPublished: agents.roster_published,
    told.PresenceWanted: agents.presence_wanted,
    told.AgentSeen: agents.agent_seen,
    told.TalkBegan: agents.talk_began,
    told.TalkEnded: agents.talk_ended,
    told.WrapUpExtended: agents.wrap_up_extended,
    told.WrapUpEnded: agents.wrap_up_ended,
    told.DayBegan: agents.day_began,
    told.EntryAdded: entries.added,
    told.EntryLeft: entries.left,
    told.EntryMoved: supervising.moved,
    told.EntryAssigned: supervising.assigned,
    told.EntryReordered: supervising.reordered,
    told.OfferSeen: offers.offer_seen,
    told.OfferAnswered: offers.offer_answered,
    told.OfferFailed: offers.offer_failed,
    told.ClaimLost: offers.claim_lost,
    told.PlaceSeen: _place_seen,
    told.PaceSeen: _pace_seen,
    told.HoursChanged: limits.hours_changed,
    told.DryRun: dry_run.dry_run,
    told.Settled: _settled,
}
"""What is done with each event; with TimePassed nothing beyond the timers."""
