"""What was recorded of a call, once its file is whole: kept and written down, or thrown away where it holds nothing."""

from __future__ import annotations

from typing import Final

import structlog

from engine.call.call import Call
from engine.call.checkpoint import STATEMENT, Message
from engine.call.media import SHORTEST_MESSAGE_SECONDS
from engine.call.surroundings import Surroundings

SHORTEST_TALK_SECONDS: Final = 2.0
"""From here on a talk without its recording is a fault."""

log = structlog.get_logger(__name__)


def keep_message(around: Surroundings, call: Call, message: Message, silence: float = 0.0) -> bool:
    """Write a recorded message down if it is one; its last `silence` seconds do not make it one."""
    call.now.message = None
    seconds = around.media.seconds(message.path, most=(around.clock.now() - message.began).total_seconds())
    if seconds - silence < SHORTEST_MESSAGE_SECONDS:
        around.media.file(message.path).unlink(missing_ok=True)
        return False
    if message.box == STATEMENT:
        call.stated(message, seconds)
    else:
        call.left_message(message, seconds)
    return True


def keep_recording(around: Surroundings, call: Call) -> None:
    """Write the recording of a talk down, if there is one."""
    recording = call.now.recording
    if recording is None:
        return
    longest = (call.instant() - recording.began).total_seconds()
    seconds = around.media.seconds(recording.path, most=longest)
    call.recorded(seconds)
    if seconds <= 0 and longest > SHORTEST_TALK_SECONDS:
        log.error("recording missing", call=call.call_id, path=recording.path)
    elif seconds <= 0:
        # The talk was over before there was anything to keep.
        around.media.file(recording.path).unlink(missing_ok=True)
