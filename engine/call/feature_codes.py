"""What a desk phone asks for by a code (dialplan.feature_codes): presence, wrap-up, and what is heard back.

What takes the agent away from calls is done as soon as it is dialled, and what brings calls only when the phone is free again:
otherwise the first of them would find it busy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import structlog

from dialplan.feature_codes import FeatureCode
from engine.call import mailbox_by_phone, prompt_recording
from engine.live import keys
from engine.live.connection import RedisError
from engine.routing.events import PresenceWanted, WrapUpEnded, WrapUpExtended
from engine.routing.roster import AgentProfile
from sounds.errors import PromptMissing, SynthesisFailed

if TYPE_CHECKING:
    from engine.call.session import Session

MORE_SECONDS: Final = 30
CHOICE_SECONDS: Final = 8.0
BY_PHONE: Final = "desk phone"
"""Who asked, as the router is told."""

log = structlog.get_logger(__name__)


def run(session: Session, feature: FeatureCode, rest: str) -> None:
    """Do it, say so and come back; the call is answered already. CallGone when the agent hangs up, and all that was asked for
    is done then too."""
    agent = session.own.agent
    now = session.call.now
    now.number_name, now.result = feature.title, "self_service"
    if agent is None:
        _say(session, "feature_no_agent")
        return
    _ACTIONS[feature.action](session, agent, rest)


def _log_in(session: Session, agent: AgentProfile, _: str) -> None:
    _afterwards(session, "feature_logged_in", PresenceWanted(**_wish(session, agent), presence="ready"))


def _ready(session: Session, agent: AgentProfile, _: str) -> None:
    _afterwards(session, "feature_ready", PresenceWanted(**_wish(session, agent), presence="ready"))


def _log_out(session: Session, agent: AgentProfile, _: str) -> None:
    session.tell_router(PresenceWanted(**_wish(session, agent), presence="offline"))
    _say(session, "feature_logged_out")


def _pause(session: Session, agent: AgentProfile, rest: str) -> None:
    reasons = session.snapshot.pause_reasons
    # Away from calls from now on; the reason may take a while to be chosen.
    session.tell_router(PresenceWanted(**_wish(session, agent), presence="pause"))
    while reasons:
        number = rest or _choice(session)
        rest = ""
        if not number:
            break
        if number.isdigit() and 1 <= int(number) <= len(reasons):
            reason = reasons[int(number) - 1].name
            session.tell_router(PresenceWanted(**_wish(session, agent), presence="pause", reason=reason))
            break
        _say(session, "menu_no_match")
    _say(session, "feature_paused")


def _choice(session: Session) -> str:
    """The key pressed while the reasons are read out; empty for none."""
    phone, house = session.phone, session.around.house
    files = _files(session, "feature_choose_reason")
    for place, reason in enumerate(session.snapshot.pause_reasons[:9], start=1):
        try:
            files.append(house.speech.file(f"{reason.title or reason.name}: {place}.", phone.language))
        except SynthesisFailed as error:
            log.info("reasons are not read out", error=str(error))
            break
    return phone.gather(files, most=1, first_digit_seconds=CHOICE_SECONDS, next_digit_seconds=1.0).digits


def _end_wrap_up(session: Session, agent: AgentProfile, _: str) -> None:
    _afterwards(session, "feature_wrap_up_over", WrapUpEnded(**_wish(session, agent)))


def _more_wrap_up(session: Session, agent: AgentProfile, _: str) -> None:
    session.tell_router(WrapUpExtended(**_wish(session, agent), seconds=MORE_SECONDS))
    _say(session, "feature_wrap_up_longer")


def _own_state(session: Session, agent: AgentProfile, _: str) -> None:
    try:
        state = session.around.redis.hgetall(keys.agent(agent.agent_id))
    except (RedisError, OSError) as error:
        log.info("own state not known", agent=agent.agent_id, error=str(error))
        _say(session, "technical_fault")
        return
    presence = state.get("presence") or "offline"
    known = {"ready": "feature_ready", "pause": "feature_paused", "offline": "feature_logged_out"}
    words = [known.get(presence, "feature_logged_out")]
    if state.get("work") == "wrap_up":
        words.insert(0, "feature_wrap_up")
    _say(session, *words)


def _messages(session: Session, agent: AgentProfile, _: str) -> None:
    with session.own.on_the_phone():
        mailbox_by_phone.listen(session, agent)


def _afterwards(session: Session, prompt: str, event: PresenceWanted | WrapUpEnded) -> None:
    """Say it, and have it come true when the phone is free."""
    session.own.afterwards(event)
    _say(session, prompt)


def _wish(session: Session, agent: AgentProfile) -> dict[str, Any]:
    return {"at": session.clock.timestamp(), "agent_id": agent.agent_id, "by": BY_PHONE}


def _say(session: Session, *prompts: str) -> None:
    session.phone.play(_files(session, *prompts))


def _files(session: Session, *prompts: str) -> list[str]:
    try:
        return [str(path) for path in session.around.catalogue.paths(prompts, session.phone.language)]
    except PromptMissing as error:
        log.error("not said", error=str(error))
        return []


_ACTIONS: Final[dict[str, Callable[[Session, AgentProfile, str], None]]] = {
    "log_in": _log_in,
    "log_out": _log_out,
    "pause": _pause,
    "ready": _ready,
    "end_wrap_up": _end_wrap_up,
    "more_wrap_up": _more_wrap_up,
    "own_state": _own_state,
    "messages": _messages,
    "record_prompt": prompt_recording.record,
}
