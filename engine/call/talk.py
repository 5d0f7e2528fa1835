"""Bringing an agent and the caller together, and the talk till one of them goes."""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Final, Literal

import structlog

from engine.call.call import Recording
from engine.call.leg import AgentLeg
from engine.call.mailbox import Bridged, Left, Parted, Rang
from engine.esl.errors import CallGone, CommandRejected, EslError

if TYPE_CHECKING:
    from engine.call.session import Session

BRIDGE_SECONDS: Final = 4.0
API_SECONDS: Final = 5.0

log = structlog.get_logger(__name__)


def bridge(session: Session, leg: AgentLeg) -> bool:
    """Join the caller with the leg that has answered. False when it came to nothing; the leg is ended then. CallGone.

    From here on a lost socket must not break the two apart (mod_event_socket.c:546), so `socket_resume` goes off; and when
    the agent hangs up the caller is to stay with us, so the leg parks instead of going on in the dialplan, where a second
    socket would be opened beside this one.
    """
    caller = session.call.call_id
    try:
        session.call.bridging()
        session.link.post_api(f"uuid_setvar {caller} socket_resume false")
        answer = session.control.api(f"uuid_bridge {caller} {leg.leg_id}", timeout=API_SECONDS)
        if not answer.startswith("+OK"):
            raise CommandRejected(answer)
        if _joined(session):
            return True
    except CallGone:
        leg.cancel()
        raise
    except EslError as error:
        log.warning("not bridged", call=caller, leg=leg.leg_id, error=str(error))
    leg.cancel()
    session.link.post_api(f"uuid_setvar {caller} socket_resume true")
    return False


def _joined(session: Session) -> bool:
    deadline = time.monotonic() + BRIDGE_SECONDS
    while (left := deadline - time.monotonic()) > 0:
        message = session.mailbox.get(left)
        if isinstance(message, Bridged):
            return True
        if isinstance(message, Left):
            raise CallGone(session.link.hangup_cause)
        if isinstance(message, Parted) or (isinstance(message, Rang) and message.result != "answered"):
            return False
    return False


def talk(session: Session, leg: AgentLeg, *, recorded: bool) -> Literal["agent"]:
    """Let the two talk. Returns when the agent has hung up; raises CallGone when it was the caller."""
    began = session.call.enter("talk")
    try:
        if recorded:
            recording_id = str(uuid.uuid4())
            path = session.around.media.new("conversations", recording_id, began)
            session.call.now.recording = Recording(recording_id, path, began)
            session.call.show()
            _record(session, "start", path)
        while True:
            message = session.mailbox.get(None)
            if isinstance(message, Left):
                raise CallGone(session.link.hangup_cause)
            if isinstance(message, Parted):
                break
    finally:
        if not session.let_go:
            leg.cancel()
    end_recording(session)
    return "agent"


def end_recording(session: Session) -> None:
    """The talk is over and the caller still there: what was recorded ends with it. CallGone."""
    recording = session.call.now.recording
    if recording is not None:
        _record(session, "stop", recording.path)
        session.keep_recording()


def _record(session: Session, what: str, path: str) -> None:
    caller = session.call.call_id
    try:
        answer = session.link.api(f"uuid_record {caller} {what} {session.around.media.file(path)}", timeout=API_SECONDS)
    except CallGone:
        raise
    except EslError as error:
        answer = str(error)
    if not answer.startswith("+OK") and not session.link.gone:
        log.error("conversation not recorded", call=caller, error=answer.strip())
