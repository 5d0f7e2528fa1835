"""Names on the event socket that the engine speaks of."""

from __future__ import annotations

from typing import Final

CHANNEL_ANSWER: Final = "CHANNEL_ANSWER"
CHANNEL_BRIDGE: Final = "CHANNEL_BRIDGE"
CHANNEL_CREATE: Final = "CHANNEL_CREATE"
CHANNEL_DATA: Final = "CHANNEL_DATA"
CHANNEL_DESTROY: Final = "CHANNEL_DESTROY"
CHANNEL_EXECUTE: Final = "CHANNEL_EXECUTE"
CHANNEL_EXECUTE_COMPLETE: Final = "CHANNEL_EXECUTE_COMPLETE"
CHANNEL_HANGUP: Final = "CHANNEL_HANGUP"
CHANNEL_HANGUP_COMPLETE: Final = "CHANNEL_HANGUP_COMPLETE"
CHANNEL_PARK: Final = "CHANNEL_PARK"
CHANNEL_PROGRESS: Final = "CHANNEL_PROGRESS"
CHANNEL_PROGRESS_MEDIA: Final = "CHANNEL_PROGRESS_MEDIA"
CHANNEL_UNBRIDGE: Final = "CHANNEL_UNBRIDGE"
BACKGROUND_JOB: Final = "BACKGROUND_JOB"
CUSTOM: Final = "CUSTOM"
DTMF: Final = "DTMF"
HEARTBEAT: Final = "HEARTBEAT"
RECORD_STOP: Final = "RECORD_STOP"
SHUTDOWN: Final = "SHUTDOWN"

DISCONNECT: Final = "DISCONNECT"
"""Not FreeSWITCH's: greenswitch's name for a disconnect notice, to register a handler by."""

ANY: Final = "*"
"""Not FreeSWITCH's: greenswitch's name for all events."""

MY_EVENTS: Final = frozenset(
    {
        "CHANNEL_ANSWER",
        "CHANNEL_APPLICATION",
        "CHANNEL_BRIDGE",
        "CHANNEL_CREATE",
        "CHANNEL_DATA",
        "CHANNEL_DESTROY",
        "CHANNEL_EXECUTE",
        "CHANNEL_EXECUTE_COMPLETE",
        "CHANNEL_HANGUP",
        "CHANNEL_HANGUP_COMPLETE",
        "CHANNEL_ORIGINATE",
        "CHANNEL_OUTGOING",
        "CHANNEL_PARK",
        "CHANNEL_PROGRESS",
        "CHANNEL_PROGRESS_MEDIA",
        "CHANNEL_STATE",
        "CHANNEL_UNBRIDGE",
        "CHANNEL_UNPARK",
        "CHANNEL_UUID",
        "DETECTED_SPEECH",
        "DTMF",
        "NOTALK",
        "TALK",
    }
)
"""The types that `myevents` switches on (mod_event_socket.c:2097-2119)."""

CALL_EVENTS: Final = frozenset(
    {
        "CHANNEL_ANSWER",
        "CHANNEL_BRIDGE",
        "CHANNEL_EXECUTE_COMPLETE",
        "CHANNEL_HANGUP",
        "CHANNEL_HANGUP_COMPLETE",
        "CHANNEL_UNBRIDGE",
        "DTMF",
        "RECORD_STOP",
    }
)
"""The types a caller's link asks for unless told otherwise."""

LEG_EVENTS: Final = frozenset({CHANNEL_HANGUP})
"""The types the control link asks for unless told otherwise: of a leg that we rang its end, which it tells of before the
caller's own link does."""

KNOWN: Final = {name.encode(): name for name in MY_EVENTS | CALL_EVENTS | {BACKGROUND_JOB, CUSTOM, HEARTBEAT, SHUTDOWN}}
"""Names of events as they stand on the wire, to be had as text without decoding."""

AUTH_REQUEST: Final = b"auth/request"
COMMAND_REPLY: Final = b"command/reply"
API_RESPONSE: Final = b"api/response"
EVENT_PLAIN: Final = b"text/event-plain"
EVENT_JSON: Final = b"text/event-json"
EVENT_XML: Final = b"text/event-xml"
LOG_DATA: Final = b"log/data"
DISCONNECT_NOTICE: Final = b"text/disconnect-notice"
RUDE_REJECTION: Final = b"text/rude-rejection"
