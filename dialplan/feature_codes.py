"""What an agent dials on the desk phone instead of using the desk page: one table, for the engine and for who explains it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class FeatureCode:
    """`code` is dialled, followed by `digits` more where it says so; `action` is what the engine does for it."""

    code: str
    action: str
    title: str
    help: str
    digits: str = ""
    """What may follow the code, in words; empty for nothing."""


PROMPT_CODE: Final = "*31"
"""What is dialled before the number under which a prompt may be recorded."""

FEATURE_CODES: Final = (
    FeatureCode(
        PROMPT_CODE,
        "record_prompt",
        "Record a prompt",
        "Followed by the number that the prompt's page shows to those who may change it.",
        "number",
    ),
    FeatureCode("*40", "log_in", "Log in", "You are ready for the calls of your queues."),
    FeatureCode("*41", "log_out", "Log out", "You get no calls of queues any more."),
    FeatureCode(
        "*42",
        "pause",
        "Pause",
        "Followed by the number of the reason, as *421; without it the reasons are read out.",
        "reason",
    ),
    FeatureCode("*43", "ready", "Ready", "Ends a pause, also one that a missed call has caused, and the wrap-up."),
    FeatureCode("*44", "end_wrap_up", "End the wrap-up", "You are ready for the next call at once."),
    FeatureCode("*45", "more_wrap_up", "30 seconds more", "So much longer to write up the last call."),
    FeatureCode("*46", "own_state", "What am I?", "Says whether you are ready, paused or logged out."),
    FeatureCode("*97", "messages", "Messages", "Plays the messages of your box."),
)


def match(dialled: str) -> tuple[FeatureCode, str] | None:
    """The code that begins what was dialled, and what follows it; None where it is none, or digits follow that it has no use
    for."""
    for feature in FEATURE_CODES:
        if dialled.startswith(feature.code):
            rest = dialled[len(feature.code) :]
            if not rest or (feature.digits and rest.isdigit()):
                return feature, rest
    return None
