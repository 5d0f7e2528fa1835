"""What becomes of offers: seen by a new tenure, answered, failed, never made."""

from __future__ import annotations

from engine.routing import entries, matching, offering
from engine.routing.agents import talks
from engine.routing.events import ClaimLost, OfferAnswered, OfferFailed, OfferSeen
from engine.routing.presence import work
from engine.routing.state import Offer, State


def offer_seen(state: State, event: OfferSeen) -> None:
    if event.offer_id in state.offers:
        return
    offer = state.offers[event.offer_id] = Offer(
        event.offer_id,
        event.entry_id,
        event.call_id,
        event.queue,
        event.agent_id,
        event.offered_at,
        event.owner,
        event.batch,
    )
    state.timers.add(event.expires_at, "offer", event.offer_id)
    agent, entry = state.agents.get(event.agent_id), state.entries.get(event.entry_id)
    if agent is not None and agent.work == "idle":
        agent.offer_id, agent.call_id, agent.queue = event.offer_id, event.call_id, event.queue
        work(state, agent, "offered", event.offered_at)
    elif agent is None or agent.offer_id != event.offer_id:
        # They have been given something else to do meanwhile.
        offering.close(state, offer, "failed", event.at, event.owner)
        return
    if entry is None:
        state.seen.setdefault(event.entry_id, []).append(event.offer_id)
    elif not entry.offers:
        entry.offers.append(event.offer_id)
        entry.stamp += 1
    elif event.batch and all(state.offers[each].batch == event.batch for each in entry.offers):
        entry.offers.append(event.offer_id)
    else:
        # Another offer for the same call was decided meanwhile, and it is that one which stands.
        offering.end(state, offer, "failed", event.at, owner=event.owner)
        matching.replace(state, offer, event.at)


def offer_answered(state: State, event: OfferAnswered) -> None:
    offer = state.offers.get(event.offer_id)
    entry = state.entries.get(event.entry_id) or state.entries.get("" if offer is None else offer.entry_id)
    if offer is not None:
        offering.close(state, offer, "answered", event.at)
    others: list[Offer] = []
    served = None
    if entry is not None:
        entries.served(state, entry, event.at)
        others = [state.offers[each] for each in entry.offers if each in state.offers]
        entries.forget(state, entry.entry_id)
        entries.keep_place(state, entry.queue, entry.call_id, entry.place_at, event.at)
        served = (entry.queue, entry.caller, entry.place_at)
    talks(state, event, event.queue)
    agent = state.agents.get(event.agent_id)
    if agent is not None and served is not None:
        agent.served = served
    for other in others:
        # Those who rang together with the one who was quicker.
        if other.offer_id in state.offers:
            offering.end(state, other, "taken", event.at, owner=other.owner)
            matching.replace(state, other, event.at)


def offer_failed(state: State, event: OfferFailed) -> None:
    offer = state.offers.get(event.offer_id)
    if offer is None:
        return
    agent = state.agents.get(offer.agent_id)
    if agent is not None and agent.offer_id == offer.offer_id:
        offering.missed(state, agent, offer.queue, event.result, event.at)
    offering.end(state, offer, event.result, event.at)
    matching.replace(state, offer, event.at)


def claim_lost(state: State, event: ClaimLost) -> None:
    offer = state.offers.get(event.offer_id)
    if offer is None:
        return
    others: list[Offer] = []
    if event.entry_gone:
        entry = entries.forget(state, offer.entry_id)
        if entry is not None:
            others = [state.offers[each] for each in entry.offers if each != offer.offer_id and each in state.offers]
    offering.end(state, offer, "failed", event.at)
    matching.replace(state, offer, event.at)
    for other in others:
        if other.offer_id in state.offers:
            offering.end(state, other, "caller_left", event.at, owner=other.owner)
            matching.replace(state, other, event.at)
