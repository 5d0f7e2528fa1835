"""Offers made and closed. Whom to offer what is decided in engine.routing.matching."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from engine.records.facts import OfferResult
from engine.routing import explain
from engine.routing.events import CloseOffer, MakeOffer
from engine.routing.presence import work
from engine.routing.state import Agent, Entry, Offer, State

OFFER_GRACE_SECONDS: Final = 10.0
"""How much longer than its ring time an offer may stand before its owner is taken for dead."""

WHISPER_SECONDS: Final = 20
"""No longer than this an agent who has picked up is kept from the caller by what they are told first."""

TICK_SECONDS: Final = 0.001
"""The finest that records tell instants apart."""

LEAST_REST_SECONDS: Final = 1.0
"""After an offer that came to nothing and did not pause the agent: others have the call first."""


def offer(state: State, entry: Entry, agents: Sequence[Agent], at: float) -> None:
    """Offer the entry to these free agents, who ring together where they are several."""
    # What an earlier tenure left unread may be of a moment ago; nobody was offered a call then. Two offers of one agent never
    # bear the same instant, by which records tell their ringing apart.
    at = max(at, state.latest, *(agent.offered_at + TICK_SECONDS for agent in agents))
    rule = state.rule(entry.queue)
    settings = rule.settings
    reasons = explain.why(state, entry, agents[0], at)
    entry.stamp += 1
    batch = name_of_offer(state) if len(agents) > 1 else ""
    for agent in agents:
        profile = agent.profile
        offer_id = name_of_offer(state)
        entry.offers.append(offer_id)
        state.offers[offer_id] = Offer(
            offer_id, entry.entry_id, entry.call_id, entry.queue, profile.agent_id, at, entry.owner, batch
        )
        spoken = WHISPER_SECONDS if settings.whisper or settings.announce_caller else 0.0
        expires_at = at + rule.ring_seconds + spoken + OFFER_GRACE_SECONDS
        state.timers.add(expires_at, "offer", offer_id)
        why: dict[str, Any] = reasons if agent is agents[0] else explain.of_another(reasons, agent, at)
        state.decisions.append(
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
                kind=entry.kind,
                batch=batch,
                together=len(agents),
                whisper=settings.whisper,
                auto_answer=profile.settings.auto_answer,
                announce_caller=settings.announce_caller,
                waited_seconds=max(0.0, round(at - entry.entered_at, 3)),
            )
        )
        agent.offer_id, agent.call_id, agent.queue = offer_id, entry.call_id, entry.queue
        agent.offered_at = at
        work(state, agent, "offered", at)


def name_of_offer(state: State) -> str:
    """A random uuid (RFC 9562, version 4) out of the state's seed; it becomes the uuid of the agent's leg."""
    bits = state.chance.getrandbits(128) & ~(0xF000 << 64) & ~(0xC000 << 48) | (0x4000 << 64) | (0x8000 << 48)
    text = f"{bits:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def end(state: State, offer: Offer, result: OfferResult, at: float, owner: str | None = None) -> None:
    """The offer came to nothing: its agent is idle again, and its entry waits again where no other agent rings for it."""
    close(state, offer, result, at, owner)
    entry = state.entries.get(offer.entry_id)
    if entry is not None and offer.offer_id in entry.offers:
        entry.offers.remove(offer.offer_id)
    agent = state.agents.get(offer.agent_id)
    if agent is not None and agent.offer_id == offer.offer_id:
        work(state, agent, "idle", at)


def close(state: State, offer: Offer, result: OfferResult, at: float, owner: str | None = None) -> None:
    """The offer stands no more; `owner` is told where it may still ring for it."""
    del state.offers[offer.offer_id]
    agent = state.agents.get(offer.agent_id)
    state.decisions.append(
        CloseOffer(
            # What is told late may be of a moment before the offer was made.
            at=max(at, offer.offered_at),
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


def missed(state: State, agent: Agent, queue: str, result: OfferResult, at: float) -> None:
    """An offer failed by the agent's doing or their phone's: they rest, or are paused, as the queue has it."""
    consequence = getattr(state.rule(queue).settings.offers, result, None)
    if consequence is None:
        return
    times = agent.misses.get(result, 0) + 1
    agent.misses[result] = times
    rest = max(LEAST_REST_SECONDS, float(consequence.delay_seconds))
    if consequence.then == "nothing":
        rest = LEAST_REST_SECONDS
    elif times >= consequence.after_times:
        agent.misses.pop(result)
        if consequence.then == "pause":
            if agent.wanted is None:
                agent.wanted = ("pause", consequence.reason or result)
            return
    agent.rest_until = at + rest
    state.timers.add(agent.rest_until, "rest", agent.profile.agent_id)
