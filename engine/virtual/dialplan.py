"""What an incoming call does on the virtual switch: the same actions that FreeSWITCH is told by the rendered dialplan."""

from __future__ import annotations

from collections.abc import Sequence

from engine.virtual.session import Action

RECOVERY_PAUSES = (0, 0, 500, 1000, 2000, 3000, 5000, 5000)
"""Milliseconds before each further try to reach an engine."""


def standard(
    engines: Sequence[str], apology: str | None = None, pauses: Sequence[int] = RECOVERY_PAUSES
) -> list[Action]:
    """To any engine (`HOST:PORT` each), to any again when it is lost, and at the end `apology` (a file) and the end."""
    socket = ("socket", f"{'|'.join(engines)} async full")
    actions: list[Action] = [("set", "pointsman_taken=false"), ("set", "socket_resume=true"), socket]
    for pause in pauses:
        if pause:
            actions.append(("sleep", str(pause)))
        actions += [("set", "pointsman_recovering=true"), ("set", "socket_resume=true"), socket]
    actions.append(("answer", ""))
    if apology:
        actions += [("sleep", "500"), ("playback", apology)]
    return [*actions, ("hangup", "NORMAL_TEMPORARY_FAILURE")]
