"""A new tenure's router: told what Redis knows of agents, offers and calls, and Postgres where Redis has forgotten."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

import msgspec
import structlog

from engine.live import keys
from engine.live.understood import understood
from engine.live.wire import Wire
from engine.routing.claims import agent_state, written
from engine.routing.events import (
    AgentSeen,
    CloseOffer,
    Decision,
    EntryAdded,
    Event,
    MakeOffer,
    PaceSeen,
    PlaceSeen,
    RosterPublished,
    SetAgent,
)
from engine.routing.expected import Pace
from engine.routing.offering import OFFER_GRACE_SECONDS
from engine.routing.roster import AgentProfile, Roster
from engine.routing.router import Router
from engine.routing.state import Offer
from engine.routing.store import LastState

AT_ONCE = 500
"""So many agents are asked of Redis in one go."""

log = structlog.get_logger(__name__)

Presences = Mapping[int, LastState]
"""Agent id -> what they last were, as Postgres knows it."""

Step = Callable[[Event], list[Decision]]


def restore(
    wire: Wire,
    step: Step,
    router: Router,
    roster: Roster,
    now: float,
    *,
    presences: Callable[[], Presences],
    keep: Callable[[Decision], None],
) -> list[Decision]:
    """Tell the router through `step` what is known, and return what is to be written at once: the agents whom Redis did not
    know, and what follows from the calls that wait. `keep` is given what an earlier tenure may have died over before it wrote
    it down; twice does no harm."""
    step(RosterPublished(at=now, roster=roster))
    for queue, pace in _decoded_pairs(wire.ask("HGETALL", keys.PACES), Pace):
        step(PaceSeen(at=now, queue=queue, pace=pace))
    for place, kept in _decoded_pairs(wire.ask("HGETALL", keys.PLACES), tuple[float, float]):
        queue, _, caller = place.partition("|")
        if kept[1] <= now:
            wire.ask("HDEL", keys.PLACES, place)
        step(PlaceSeen(at=now, queue=queue, caller=caller, place_at=kept[0], until=kept[1]))
    decisions: list[Decision] = []
    for offer in understood(wire.ask("HVALS", keys.OFFERS), MakeOffer):
        # Nobody could tell what came of it while Redis was away, so its owner has the time for that now.
        expires_at = max(offer.expires_at, now + OFFER_GRACE_SECONDS)
        seen = msgspec.structs.replace(offer.seen(now), expires_at=expires_at)
        # Of the agents only what is read next is true; but of offers that cannot stand Redis is to forget at once.
        decisions += [each for each in step(seen) if isinstance(each, CloseOffer)]
        keep(offer)
    for decision in written(wire):
        keep(decision)
    chosen: Presences | None = None
    for profile, known in _agents(wire, roster.agents):
        if known.get("presence"):
            agent = AgentSeen(at=now, agent_id=profile.agent_id, **agent_state(known, now))
            decisions += [each for each in step(agent) if not _says_again(each, agent)]
            continue
        if chosen is None:
            chosen = presences()
        last = chosen.get(profile.agent_id, LastState())
        told = next((offer for offer in router.offers.values() if offer.agent_id == profile.agent_id), None)
        agent = _remembered(roster, profile, last, now) if told is None else _offered(last, told, now)
        decisions += step(agent)
    entries = understood(wire.ask("HVALS", keys.WAITING), EntryAdded)
    for entry in sorted(entries, key=lambda entry: (entry.entered_at, entry.entry_id)):
        decisions += step(msgspec.structs.replace(entry, at=now))
    return decisions


def mapping(flat: Sequence[str]) -> dict[str, str]:
    """Names and values that Redis tells in one row."""
    return dict(zip(flat[::2], flat[1::2], strict=True))


def _agents(wire: Wire, profiles: Sequence[AgentProfile]) -> Iterable[tuple[AgentProfile, dict[str, str]]]:
    for begin in range(0, len(profiles), AT_ONCE):
        some = profiles[begin : begin + AT_ONCE]
        answers = wire.ask_all([("HGETALL", keys.agent(profile.agent_id)) for profile in some])
        for profile, answer in zip(some, answers, strict=True):
            if isinstance(answer, Exception):
                raise answer
            yield profile, mapping(answer)


T = TypeVar("T")


def _decoded_pairs(flat: Sequence[str], kind: type[T]) -> list[tuple[str, T]]:
    return [(name, value) for name, text in sorted(mapping(flat).items()) for value in understood([text], kind)]


def _says_again(decision: Decision, seen: AgentSeen) -> bool:
    """Whether a decision tells no more than what was just read. What fell due meanwhile, such as the end of a wrap-up, is
    decided in the same breath and must be written."""
    return isinstance(decision, SetAgent) and (
        decision.agent_id,
        decision.work,
        decision.presence,
        decision.since,
        decision.rest_until,
    ) == (seen.agent_id, seen.work, seen.presence, seen.since, seen.rest_until)


def _offered(last: LastState, offer: Offer, now: float) -> AgentSeen:
    """An agent whom Redis has forgotten, and for whom it was told of an offer again."""
    return AgentSeen(
        at=now,
        agent_id=offer.agent_id,
        presence=last.presence,
        reason=last.reason,
        work="offered",
        since=offer.offered_at,
        idle_since=now,
        call_id=offer.call_id,
        offer_id=offer.offer_id,
        queue=offer.queue,
        offered_at=offer.offered_at,
        calls=last.calls,
        talk_seconds=last.talk_seconds,
    )


def _remembered(roster: Roster, profile: AgentProfile, last: LastState, now: float) -> AgentSeen:
    """An agent whom Redis has forgotten. Whoever rings them tells of it again yet; talks are believed until their end is told
    or found out, and work after a call goes on for its time."""
    busy = last.work in ("talking", "wrap_up") and last.since is not None
    return AgentSeen(
        at=now,
        agent_id=profile.agent_id,
        presence=last.presence,
        reason=last.reason,
        work=last.work if busy else "idle",
        since=last.since if busy and last.since is not None else now,
        idle_since=now,
        call_id=last.call_id if busy else None,
        offer_id=last.offer_id if busy else None,
        queue=last.queue if busy else None,
        until=_wrap_up_ends(roster, profile, last) if last.work == "wrap_up" else None,
        calls=last.calls,
        talk_seconds=last.talk_seconds,
    )


def _wrap_up_ends(roster: Roster, profile: AgentProfile, last: LastState) -> float | None:
    """None: when the agent says so."""
    rule = None if last.queue is None else roster.queue(last.queue)
    own = None if rule is None else rule.settings.wrap_up
    mode = profile.settings.wrap_up if own is None else own.mode
    seconds = profile.wrap_up_seconds if own is None else own.seconds
    return None if mode == "endless" or last.since is None else last.since + seconds
