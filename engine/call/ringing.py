"""Ringing desk phones and numbers outside for a caller, without a queue."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, cast

import structlog

from engine.call import talk
from engine.call.audible import MUSIC, RINGING
from engine.call.leg import Attempt, Ringing
from engine.call.mailbox import Bridged, Left, Rang, Silent
from engine.call.popping import Popping
from engine.call.trunk import NumberForbidden
from engine.esl.errors import CallGone
from engine.live import keys
from engine.live.connection import RedisError
from engine.routing.events import TalkBegan, TalkEnded
from engine.routing.roster import AgentProfile
from ivr.phone import DialOutcome, RingOutcome

if TYPE_CHECKING:
    from engine.call.session import Session

log = structlog.get_logger(__name__)

_OUTCOMES: Final = frozenset({"busy", "no_answer", "rejected", "unreachable"})


def ring(
    session: Session, extensions: Sequence[str], seconds: float, delays: Mapping[str, int] | None = None
) -> RingOutcome:
    """Ring these desk phones at once (those in `delays` so many seconds later) for at most `seconds` and let the caller talk
    with whoever is first. A phone whose agent is on it is busy, whatever else it could do. CallGone when the caller leaves."""
    agents = {
        extension: session.snapshot.roster.agent(extension) or AgentProfile(0, extension, extension)
        for extension in extensions
    }
    talking = _talking(session, [agent.agent_id for agent in agents.values() if agent.agent_id])
    free = {extension: agent for extension, agent in agents.items() if agent.agent_id not in talking}
    if not free and session.call.now.state != "talk":
        return "busy"
    phones = {
        str(uuid.uuid4()): (agent, Ringing(f"user/{extension}", delay_seconds=(delays or {}).get(extension, 0)))
        for extension, agent in (free or agents).items()
    }
    return _ring(session, phones, seconds)


def _talking(session: Session, agent_ids: Sequence[int]) -> frozenset[int]:
    """Who of these is on the phone, as far as is known."""
    try:
        pipe = session.around.redis.pipeline(transaction=False)
        for agent_id in agent_ids:
            pipe.hget(keys.agent(agent_id), "work")
        states = pipe.execute()
    except (RedisError, OSError) as error:
        log.info("agents not asked", error=str(error))
        return frozenset()
    return frozenset(agent_id for agent_id, work in zip(agent_ids, states, strict=True) if work == "talking")


def dial(session: Session, number: str, seconds: float) -> DialOutcome:
    """Call a number outside, in whatever spelling, over the trunk, and let the two talk. CallGone as for `ring`."""
    try:
        endpoint = session.around.house.trunk.endpoint(number)
    except NumberForbidden as error:
        log.warning("not called", call=session.call.call_id, why=str(error))
        return "forbidden"
    shown = endpoint.number
    # The agent of a call that goes out is who makes it.
    who = session.own.agent or AgentProfile(0, shown, shown)
    phones = {str(uuid.uuid4()): (who, Ringing(endpoint.dial_string))}
    return _ring(session, phones, seconds, caller_number=endpoint.caller_number)


def _ring(
    session: Session,
    phones: Mapping[str, tuple[AgentProfile, Ringing]],
    seconds: float,
    caller_number: str | None = None,
) -> RingOutcome:
    """`phones`: the uuid of each leg -> whose it is and how it is rung."""
    call, now = session.call, session.call.now
    if now.state == "talk":
        # The call was taken over after its talk, which outlived the process that began it.
        now.result, now.ended_by = "answered", "agent"
        call.parted()
        if now.offer_id is not None and now.agent_id is not None:
            at = session.clock.timestamp()
            session.tell_router(TalkEnded(at=at, offer_id=now.offer_id, agent_id=now.agent_id))
        talk.end_recording(session)
        call.talk_over()
        return "answered"
    attempt = Attempt(
        session.link, session.control, {leg_id: phone for leg_id, (_, phone) in phones.items()}, session.mailbox.put
    )
    session.link.execute("set", f"transfer_ringback={RINGING}")
    agents = {leg_id: agent for leg_id, (agent, _) in phones.items()}
    others = {leg_id: agent for leg_id, agent in agents.items() if leg_id != attempt.name}
    call.offered_to(agents[attempt.name], attempt.name, beside=others)
    own = session.own.agent
    pops = Popping(session, {leg_id: agent for leg_id, agent in agents.items() if agent != own})
    pops.tell("offered")
    attempt.ring(
        seconds,
        caller_number=caller_number or now.from_number,
        caller_name=now.customer_name or now.caller_name,
    )
    try:
        outcome, leg_id = _outcome(session, attempt)
    except CallGone:
        pops.tell("missed")
        if not session.let_go:
            now.result = "abandoned_ringing"
        raise
    session.link.execute("set", f"transfer_ringback={MUSIC}")
    if outcome != "answered":
        pops.tell("missed")
        call.offered_to(None, None)
        now.state = "ivr"
        return outcome
    agent = agents[leg_id]
    call.offered_to(agent, leg_id)
    now.result, now.ended_by = "answered", "caller"
    pops.tell("answered", only=leg_id)
    # No call of a queue is to be offered to an agent who talks; of who makes the call that is known already.
    news = agent.agent_id != 0 and agent != own
    if news:
        at = session.clock.timestamp()
        began = TalkBegan(at=at, offer_id=leg_id, call_id=call.call_id, agent_id=agent.agent_id)
        session.talk_of_no_queue = began
        session.tell_router(began)
    try:
        now.ended_by = talk.talk(session, recorded=bool(agent.settings.recorded))
    finally:
        session.talk_of_no_queue = None
        if not session.let_go:
            pops.tell("ended", only=leg_id)
            if not session.gone.is_set():
                call.parted()
            if news:
                at = session.clock.timestamp()
                session.tell_router(TalkEnded(at=at, offer_id=leg_id, agent_id=agent.agent_id))
    call.talk_over()
    return "answered"


def _outcome(session: Session, attempt: Attempt) -> tuple[RingOutcome, str]:
    """What came of it, and on which leg."""
    rang = False
    while True:
        message = session.mailbox.get(None)
        if isinstance(message, Left):
            raise CallGone(session.link.hangup_cause)
        if isinstance(message, Silent) and message.leg_id in attempt.legs:
            rang = rang or message.result == "no_answer"
        if isinstance(message, Bridged) and message.leg_id in attempt.legs:
            return "answered", message.leg_id
        if isinstance(message, Rang) and message.leg_id == attempt.name:
            result = "no_answer" if rang else message.result
            return (cast(RingOutcome, result) if result in _OUTCOMES else "unreachable"), message.leg_id
