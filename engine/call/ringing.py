"""Ringing desk phones and numbers outside for a caller, without a queue."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, cast

import structlog

from engine.call import talk
from engine.call.audible import MUSIC, RINGING
from engine.call.leg import Attempt, Ringing
from engine.call.mailbox import Bridged, Left, Rang
from engine.call.trunk import NumberForbidden
from engine.esl.errors import CallGone
from engine.routing.events import TalkBegan, TalkEnded
from engine.routing.roster import AgentProfile
from ivr.phone import DialOutcome, RingOutcome

if TYPE_CHECKING:
    from engine.call.session import Session

log = structlog.get_logger(__name__)

_OUTCOMES: Final = frozenset({"busy", "no_answer", "rejected", "unreachable"})


def ring(session: Session, extensions: Sequence[str], seconds: float) -> RingOutcome:
    """Ring these desk phones at once for at most `seconds` and let the caller talk with whoever is first. CallGone when the
    caller leaves meanwhile."""
    phones = {}
    for extension in extensions:
        agent = session.snapshot.roster.agent(extension) or AgentProfile(0, extension, extension)
        phones[str(uuid.uuid4())] = (agent, f"user/{extension}")
    return _ring(session, phones, seconds)


def dial(session: Session, number: str, seconds: float) -> DialOutcome:
    """Call a number outside, in whatever spelling, over the trunk, and let the two talk. CallGone as for `ring`."""
    try:
        endpoint = session.around.house.trunk.endpoint(number)
    except NumberForbidden as error:
        log.warning("not called", call=session.call.call_id, why=str(error))
        return "forbidden"
    shown = endpoint.number
    phones = {str(uuid.uuid4()): (AgentProfile(0, shown, shown), endpoint.dial_string)}
    return _ring(session, phones, seconds, caller_number=endpoint.caller_number)


def _ring(
    session: Session,
    phones: Mapping[str, tuple[AgentProfile, str]],
    seconds: float,
    caller_number: str | None = None,
) -> RingOutcome:
    """`phones`: the uuid of each leg -> whose it is and its endpoint."""
    call, now = session.call, session.call.now
    if now.state == "talk":
        # The call was taken over after its talk, which outlived the process that began it.
        now.result, now.ended_by = "answered", "agent"
        if now.offer_id is not None and now.agent_id is not None:
            at = session.clock.timestamp()
            session.tell_router(TalkEnded(at=at, offer_id=now.offer_id, agent_id=now.agent_id))
        return _talk_over(session)
    legs = {leg_id: Ringing(endpoint) for leg_id, (_, endpoint) in phones.items()}
    attempt = Attempt(session.link, session.control, legs, session.mailbox.put)
    session.link.execute("set", f"transfer_ringback={RINGING}")
    call.offered_to(phones[attempt.name][0], attempt.name)
    attempt.ring(
        seconds,
        caller_number=caller_number or now.from_number,
        caller_name=now.customer_name or now.caller_name,
    )
    try:
        outcome, leg_id = _outcome(session, attempt)
    except CallGone:
        if not session.let_go:
            now.result = "abandoned_ringing"
        raise
    session.link.execute("set", f"transfer_ringback={MUSIC}")
    if outcome != "answered":
        call.offered_to(None, None)
        now.state = "ivr"
        return outcome
    agent = phones[leg_id][0]
    call.offered_to(agent, leg_id)
    now.result, now.ended_by = "answered", "caller"
    # No call of a queue is to be offered to an agent who talks.
    began = TalkBegan(at=session.clock.timestamp(), offer_id=leg_id, call_id=call.call_id, agent_id=agent.agent_id)
    session.tell_router(began)
    try:
        now.ended_by = talk.talk(session, recorded=False)
    finally:
        if not session.let_go:
            session.tell_router(TalkEnded(at=session.clock.timestamp(), offer_id=leg_id, agent_id=agent.agent_id))
    return _talk_over(session)


def _talk_over(session: Session) -> RingOutcome:
    session.call.talk_over()
    session.call.enter("ivr")
    return "answered"


def _outcome(session: Session, attempt: Attempt) -> tuple[RingOutcome, str]:
    """What came of it, and on which leg."""
    while True:
        message = session.mailbox.get(None)
        if isinstance(message, Left):
            raise CallGone(session.link.hangup_cause)
        if isinstance(message, Bridged) and message.leg_id in attempt.legs:
            return "answered", message.leg_id
        if isinstance(message, Rang) and message.leg_id == attempt.name:
            known = message.result in _OUTCOMES
            return (cast(RingOutcome, message.result) if known else "unreachable"), message.leg_id
