"""What supervisors do to entries that wait: move to another queue, give to one agent, put elsewhere in the row."""

from __future__ import annotations

import math
from bisect import bisect_left

from engine.routing import entries, matching, offering
from engine.routing.events import EntryAssigned, EntryMoved, EntryReordered
from engine.routing.state import Entry, First, State


def moved(state: State, event: EntryMoved) -> None:
    entry = state.entries.get(event.entry_id)
    if entry is None or event.queue == entry.queue or event.queue not in state.rules:
        return
    freed = _take_back(state, entry, event.at)
    entries.release(state, entry, "moved", event.at, queue=event.queue, by=event.by)
    _serve(state, freed, event.at)


def assigned(state: State, event: EntryAssigned) -> None:
    entry, agent = state.entries.get(event.entry_id), state.agents.get(event.agent_id)
    if entry is None or agent is None:
        return
    if any(state.offers[each].agent_id == event.agent_id for each in entry.offers if each in state.offers):
        return
    freed = _take_back(state, entry, event.at)
    entry.first = [First((event.agent_id,), None, f"given to them by {event.by or 'a supervisor'}")]
    matching.place(state, entry, event.at)
    _serve(state, freed, event.at)


def reordered(state: State, event: EntryReordered) -> None:
    entry = state.entries.get(event.entry_id)
    row = [] if entry is None else state.rows.get(entry.queue, [])
    other = None if event.before is None else state.entries.get(event.before)
    if entry is None or other is entry or (event.before is not None and (other is None or other.queue != entry.queue)):
        return
    entries.leave_row(state, entry)
    if other is None:
        if row:
            entry.rank, entry.sequence = row[-1][0], row[-1][1] + 0.5
    else:
        entry.rank, entry.sequence = _before(row, other)
    position = entries.enter_row(state, entry)
    if not entry.offers:
        matching.place(state, entry, event.at)
    entries.tell_place(state, entry, position, event.at)


def _before(row: list[tuple[float, float, str]], other: Entry) -> tuple[float, float]:
    """A place right before `other`, behind whoever stands before it."""
    at = bisect_left(row, (other.rank, other.sequence, other.entry_id))
    if at == 0:
        return other.rank - 1.0, other.sequence
    rank, sequence, _ = row[at - 1]
    middle = rank + (other.rank - rank) / 2
    if rank < middle < other.rank:
        return middle, other.sequence
    # No number lies between the two ranks, so the sequence decides: the same as the next one's or the last one's rank.
    if rank == other.rank:
        return rank, sequence + (other.sequence - sequence) / 2
    return other.rank, math.floor(other.sequence) - 1.0


def _take_back(state: State, entry: Entry, at: float) -> list[int]:
    """The offers of an entry that goes elsewhere are taken back; the agents who rang for it."""
    freed = []
    for offer_id in list(entry.offers):
        offer = state.offers.get(offer_id)
        if offer is not None:
            offering.end(state, offer, "failed", at, owner=entry.owner)
            freed.append(offer.agent_id)
    return freed


def _serve(state: State, agents: list[int], at: float) -> None:
    for agent_id in agents:
        agent = state.agents.get(agent_id)
        if agent is not None:
            matching.serve(state, agent, at)
