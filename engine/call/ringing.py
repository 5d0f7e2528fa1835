"""Ringing one desk phone for a caller, without a queue."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Final, cast

from engine.call import talk
from engine.call.leg import AgentLeg
from engine.call.mailbox import Left, Rang
from engine.esl.errors import CallGone
from engine.routing.events import TalkBegan, TalkEnded
from engine.routing.roster import AgentProfile
from ivr.phone import RingOutcome

if TYPE_CHECKING:
    from engine.call.session import Session

RINGING: Final = "tone_stream://%(1000,4000,425);loops=-1"
_OUTCOMES: Final = frozenset({"busy", "no_answer", "rejected", "unreachable"})


def ring(session: Session, extension: str, seconds: float) -> RingOutcome:
    """Ring `extension` for at most `seconds` and let the two talk. CallGone when the caller leaves meanwhile."""
    call, now = session.call, session.call.now
    if now.state == "talk":
        return _talk_was_over(session)
    agent = session.snapshot.roster.agent(extension) or AgentProfile(0, extension, extension)
    leg = AgentLeg(session.control, session.clock, str(uuid.uuid4()), extension, session.mailbox.put)
    session.link.execute("playback", RINGING)
    call.offered_to(agent, leg.leg_id)
    leg.ring(seconds, caller_number=now.from_number, caller_name=now.customer_name or now.caller_name)
    try:
        result = _result(session, leg)
        if result == "answered" and not talk.bridge(session, leg):
            result = "unreachable"
    except CallGone:
        if not session.let_go:
            leg.cancel()
            now.result = "abandoned_ringing"
        raise
    if result != "answered":
        call.offered_to(None, None)
        now.state = "ivr"
        session.silence()
        return result
    now.result, now.ended_by = "answered", "caller"
    # No call of a queue is to be offered to an agent who talks.
    began = TalkBegan(at=session.clock.timestamp(), offer_id=leg.leg_id, call_id=call.call_id, agent_id=agent.agent_id)
    session.tell_router(began)
    try:
        now.ended_by = talk.talk(session, leg, recorded=False)
    finally:
        if not session.handed_over:
            session.tell_router(TalkEnded(at=session.clock.timestamp(), offer_id=leg.leg_id, agent_id=agent.agent_id))
    call.talk_over()
    call.enter("ivr")
    return "answered"


def _talk_was_over(session: Session) -> RingOutcome:
    """The call was taken over after its talk, which outlived the process that began it."""
    session.call.now.result, session.call.now.ended_by = "answered", "agent"
    session.call.talk_over()
    session.call.enter("ivr")
    return "answered"


def _result(session: Session, leg: AgentLeg) -> RingOutcome:
    while True:
        message = session.mailbox.get(None)
        if isinstance(message, Left):
            raise CallGone(session.link.hangup_cause)
        if isinstance(message, Rang) and message.leg_id == leg.leg_id:
            if message.result == "answered" or message.result in _OUTCOMES:
                return cast(RingOutcome, message.result)
            return "unreachable"
