"""The talk of an agent and a caller, till one of them goes."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Final, Literal

import structlog

from engine.call.checkpoint import Recording
from engine.call.keeping import keep_recording
from engine.call.mailbox import Left, Parted
from engine.esl.errors import CallGone, EslError

if TYPE_CHECKING:
    from engine.call.session import Session

API_SECONDS: Final = 5.0

log = structlog.get_logger(__name__)


def talk(session: Session, *, recorded: bool) -> Literal["agent"]:
    """Let the two talk, who are joined already. Returns when the agent has hung up; raises CallGone when it was the caller.

    FreeSWITCH itself took `socket_resume` off in the moment of the joining (`bridge_pre_execute_aleg_app`), since with it a
    lost socket would break the two apart (mod_event_socket.c:546); afterwards it is put on again.
    """
    began = session.call.enter("talk")
    # What played before must not be heard again after the talk; the bridge is not touched by it.
    session.silence()
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
    session.link.execute("set", "socket_resume=true")
    end_recording(session)
    return "agent"


def end_recording(session: Session) -> None:
    """The talk is over and the caller still there: what was recorded ends with it. CallGone."""
    recording = session.call.now.recording
    if recording is not None:
        _record(session, "stop", recording.path)
        keep_recording(session.around, session.call)


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
