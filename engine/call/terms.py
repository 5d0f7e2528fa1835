"""On what terms a call is taken from FreeSWITCH: what is asked to be told, and what holds on its leg."""

from __future__ import annotations

from typing import Final

from engine.call.audible import MUSIC
from engine.esl import names
from engine.esl.control import TAKEN_VARIABLE

LINGER_SECONDS: Final = 5

EVENTS: Final = frozenset(
    {
        names.CHANNEL_BRIDGE,
        names.CHANNEL_EXECUTE_COMPLETE,
        names.CHANNEL_HANGUP,
        names.CHANNEL_HANGUP_COMPLETE,
        names.CHANNEL_UNBRIDGE,
        names.DTMF,
    }
)
"""What the server that hands the calls over asks FreeSWITCH for."""

CUT_OFF: Final = frozenset(
    {
        "DESTINATION_OUT_OF_ORDER",
        "MEDIA_TIMEOUT",
        "NETWORK_OUT_OF_ORDER",
        "NORMAL_TEMPORARY_FAILURE",
        "RECOVERY_ON_TIMER_EXPIRE",
    }
)
"""Hangup causes of a line that failed."""

VARIABLES: Final = "^^;" + ";".join(
    (
        f"{TAKEN_VARIABLE}=true",
        "playback_terminators=none",
        "RECORD_STEREO=true",
        "continue_on_fail=true",
        "hangup_after_bridge=false",
        # A key no phone has. Only with it are the keys told that are pressed while a phone rings (switch_ivr_originate.c).
        "origination_cancel_key=x",
        f"transfer_ringback={MUSIC}",
        "bridge_pre_execute_aleg_app=set",
        "bridge_pre_execute_aleg_data=socket_resume=false",
    )
)

AGENT_FIRST: Final = "RECORD_STEREO_SWAP=true"
"""In a recording the customer is on the left, whosever leg it is made on."""
