"""Calls come, come again, leave, and are released when their queue's limits say so."""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import Final

from engine.records.facts import QueueResult
from engine.routing import offering
from engine.routing.events import EntryAdded, EntryLeft, KeepPlace, PlaceEntry, ReleaseEntry, TellPace
from engine.routing.expected import expected_wait
from engine.routing.matching import place, replace, serve
from engine.routing.pooling import claim
from engine.routing.pools import Pool
from engine.routing.roster import QueueRule
from engine.routing.state import Entry, First, State

HEAD_START_SECONDS: Final = 60.0
"""What one point of priority is worth in waiting time. So a call is never overtaken by one that came later than this times
the difference of their points: however low, it is served in the end."""

PACE_SECONDS: Final = 5.0
"""How often a queue's pace is told at most."""

LEAST_MEASURED: Final = 10
"""Fewer services than this are no reason to send a call elsewhere."""


def added(state: State, event: EntryAdded) -> None:
    known = state.entries.get(event.entry_id)
    if known is not None:
        _change_owner(state, known, event)
        return
    rule = state.rule(event.queue)
    entry = made(state, rule, event)
    if _still_offered(state, entry, event.at):
        return
    row = state.rows.setdefault(entry.queue, [])
    waiting = len(row)
    state.entries[entry.entry_id] = entry
    position = enter_row(state, entry)
    widest = claim(state, entry)
    result = _refused(state, rule, entry, widest, waiting, position, event.at) if state.settled else None
    if result is not None:
        release(state, entry, result, event.at)
        return
    if entry.kind == "call":
        state.timers.add(event.entered_at + rule.longest_wait_seconds, "longest_wait", entry.entry_id)
        watch_pause(state, rule, widest, max(event.entered_at, event.at))
        if widest.staffed == 0:
            watch_staff(state, rule, widest, event.at)
    if not place(state, entry, event.at):
        entry.waited = True
        meter = state.meter(entry.queue)
        meter.waits(event.at)
        entry.expected = expected_wait(meter.pace, position)
        tell_place(state, entry, position, event.at)


def made(state: State, rule: QueueRule, event: EntryAdded) -> Entry:
    """The entry as the rules see it; the state is not changed but for its count."""
    settings = rule.settings
    needs = state.book.needs(rule, event.needs, event.exact)
    boost = settings.vip_boost if event.category == "vip" else 0
    place_at = event.entered_at if event.place_at is None else min(event.place_at, event.entered_at)
    caller = event.caller if event.caller and settings.redial_keeps_place else event.call_id
    kept = None
    if settings.reentry_minutes:
        kept = _kept(state, event.queue, caller, event.at) or _kept(state, event.queue, event.call_id, event.at)
    if kept is not None:
        place_at = min(place_at, kept)
    state.sequence += 1
    entry = Entry(
        entry_id=event.entry_id,
        call_id=event.call_id,
        queue=event.queue,
        owner=event.owner,
        entered_at=event.entered_at,
        place_at=place_at,
        rank=place_at - (rule.priority + event.priority + boost) * HEAD_START_SECONDS,
        sequence=float(state.sequence),
        needs=needs,
        plan=state.book.plan(rule, needs),
        further=event.needs,
        exact=event.exact,
        kind=event.kind,
        priority=rule.priority + event.priority,
        boost=boost,
        caller=caller,
        not_before=event.not_before,
        was_here=kept is not None,
    )
    entry.first = _first(state, rule, event)
    return entry


def _first(state: State, rule: QueueRule, event: EntryAdded) -> list[First]:
    """Whom the call waits for before anybody else."""
    settings, book = rule.settings, state.book
    if event.category == "problem" and settings.problem_agents:
        ids = tuple(sorted(book.extensions[each] for each in settings.problem_agents if each in book.extensions))
        if ids:
            return [First(ids, None, "one of those who take problem customers")]
    found = []
    until = event.entered_at
    if event.responsible in book.profiles and settings.responsible_first_seconds and event.responsible is not None:
        until += settings.responsible_first_seconds
        found.append(First((event.responsible,), until, "responsible for the customer"))
    last = event.last_agent
    if last is not None and last in book.profiles and settings.last_agent_first_seconds and last != event.responsible:
        until += settings.last_agent_first_seconds
        found.append(First((last,), until, "the last to talk with the customer"))
    return found


def _kept(state: State, queue: str, caller: str, at: float) -> float | None:
    place_at, until = state.places.get((queue, caller), (0.0, 0.0))
    return place_at if at < until else None


def _refused(
    state: State, rule: QueueRule, entry: Entry, widest: Pool, waiting: int, position: int, at: float
) -> QueueResult | None:
    """Why the call cannot wait here at all; None where it can."""
    if entry.kind != "call":
        return None
    settings = rule.settings
    if settings.calendar is not None and settings.calendar in state.closed:
        return "after_hours"
    if widest.staffed == 0 and not any(_staffed(state, first) for first in entry.first):
        since = widest.unstaffed_since
        if since is None or at >= since + settings.nobody_grace_seconds:
            return "no_agent"
    if waiting >= rule.most_waiting:
        return "full"
    if settings.most_expected_wait_seconds is not None and not widest.free:
        meter = state.meter(entry.queue)
        expected = expected_wait(meter.pace, position)
        if (
            expected is not None
            and meter.pace.samples >= LEAST_MEASURED
            and expected.middle > settings.most_expected_wait_seconds
        ):
            return "overflow"
    return None


def _staffed(state: State, first: First) -> bool:
    return any((agent := state.agents.get(each)) is not None and agent.presence != "offline" for each in first.agents)


def watch_pause(state: State, rule: QueueRule, widest: Pool, at: float) -> None:
    """While all who could take the call are paused, its patience with that runs."""
    seconds = rule.settings.all_paused_seconds
    if seconds is not None and widest.ready == 0:
        state.timers.add(at + seconds, "all_paused", widest.key)


def watch_staff(state: State, rule: QueueRule, widest: Pool, at: float) -> None:
    """Nobody is logged in who could take the call; somebody may be soon."""
    since = at if widest.unstaffed_since is None else widest.unstaffed_since
    state.timers.add(since + rule.settings.nobody_grace_seconds, "nobody", widest.key)


# --- places ---


def enter_row(state: State, entry: Entry) -> int:
    """The entry takes its place in its queue's row; its position, from 1."""
    row = state.rows.setdefault(entry.queue, [])
    item = (entry.rank, entry.sequence, entry.entry_id)
    at = bisect_left(row, item)
    if at == len(row):
        row.append(item)
    else:
        insort(row, item)
    return at + 1


def leave_row(state: State, entry: Entry) -> None:
    row = state.rows.get(entry.queue, [])
    at = bisect_left(row, (entry.rank, entry.sequence, entry.entry_id))
    if at < len(row) and row[at][2] == entry.entry_id:
        del row[at]
    if not row:
        state.meter(entry.queue).idle()


def tell_place(state: State, entry: Entry, position: int, at: float) -> None:
    state.decisions.append(
        PlaceEntry(
            at=at,
            entry_id=entry.entry_id,
            call_id=entry.call_id,
            owner=entry.owner,
            position=position,
            queue=entry.queue,
            rank=entry.rank,
            expected=entry.expected,
        )
    )


def keep_place(state: State, queue: str, caller: str, place_at: float, at: float) -> None:
    """Whoever left may come again to the same place for a while, where the queue has it so."""
    minutes = state.rule(queue).settings.reentry_minutes
    if not minutes or not caller:
        return
    until = at + 60.0 * minutes
    state.places[queue, caller] = (place_at, until)
    state.timers.add(until, "place", (queue, caller))
    state.decisions.append(KeepPlace(at=at, queue=queue, caller=caller, place_at=place_at, until=until))


def drop_place(state: State, queue: str, caller: str, at: float) -> None:
    """The time in which they might have come again is over."""
    known = state.places.get((queue, caller))
    if known is not None and known[1] <= at:
        del state.places[queue, caller]
        state.decisions.append(KeepPlace(at=at, queue=queue, caller=caller, place_at=known[0], until=0.0))


# --- ends ---


def left(state: State, event: EntryLeft) -> None:
    entry = forget(state, event.entry_id)
    offers = list(state.seen.pop(event.entry_id, ())) if entry is None else list(entry.offers)
    if entry is not None:
        keep_place(state, entry.queue, entry.caller, entry.place_at, event.at)
    for offer_id in offers:
        offer = state.offers.get(offer_id)
        if offer is None:
            continue
        offering.end(state, offer, "caller_left", event.at)
        agent = state.agents.get(offer.agent_id)
        if agent is not None:
            serve(state, agent, event.at)


def forget(state: State, entry_id: str) -> Entry | None:
    """The entry is over."""
    entry = state.entries.pop(entry_id, None)
    if entry is not None:
        entry.stamp += 1
        leave_row(state, entry)
        pool = state.pools.get(entry.plan.widest)
        if pool is not None:
            pool.claims.pop(entry_id, None)
    return entry


def release(
    state: State, entry: Entry, result: QueueResult, at: float, *, queue: str | None = None, by: str = ""
) -> None:
    """The entry is over unanswered, and its owner is told."""
    forget(state, entry.entry_id)
    if queue is None:
        keep_place(state, entry.queue, entry.caller, entry.place_at, at)
    state.decisions.append(
        ReleaseEntry(
            at=at,
            entry_id=entry.entry_id,
            call_id=entry.call_id,
            owner=entry.owner,
            result=result,
            queue=queue,
            place_at=entry.place_at if queue is not None else None,
            by=by,
        )
    )


def served(state: State, entry: Entry, at: float) -> None:
    """An agent talks to the caller, whose entry is about to be forgotten: what this says of the queue's pace."""
    if not entry.waited:
        return
    meter = state.meter(entry.queue)
    others = len(state.rows.get(entry.queue, ())) - 1
    meter.served(at, waiting=others, waited=at - entry.entered_at, expected=entry.expected)
    if at - state.paced.get(entry.queue, float("-inf")) >= PACE_SECONDS:
        state.paced[entry.queue] = at
        state.decisions.append(TellPace(at=at, queue=entry.queue, pace=meter.pace))


# --- owners ---


def _change_owner(state: State, entry: Entry, event: EntryAdded) -> None:
    if entry.owner == event.owner:
        return
    entry.owner = event.owner
    for offer_id in list(entry.offers):
        offer = state.offers.get(offer_id)
        if offer is not None:
            # The former owner died with the offer in its hands; the new one sees to it that no phone rings on for it.
            offering.end(state, offer, "failed", event.at, owner=event.owner)
            replace(state, offer, event.at)


def _still_offered(state: State, entry: Entry, at: float) -> bool:
    """Whether an offer that an earlier tenure made for this entry still stands; the entry then is where it was."""
    for offer_id in state.seen.pop(entry.entry_id, ()):
        offer = state.offers.get(offer_id)
        agent = None if offer is None else state.agents.get(offer.agent_id)
        if offer is None or agent is None or agent.offer_id != offer.offer_id:
            continue
        if offer.owner != entry.owner:
            # It was made to a process that has died since, and the one that has the call now knows nothing of it.
            offering.end(state, offer, "failed", at, owner=entry.owner)
            serve(state, agent, at)
            continue
        entry.offers.append(offer_id)
    if not entry.offers:
        return False
    state.entries[entry.entry_id] = entry
    enter_row(state, entry)
    claim(state, entry)
    if entry.kind == "call":
        state.timers.add(
            entry.entered_at + state.rule(entry.queue).longest_wait_seconds, "longest_wait", entry.entry_id
        )
    return True
