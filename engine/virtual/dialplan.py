"""What an incoming call does on the virtual switch: the same actions that FreeSWITCH is told by the rendered dialplan."""

from __future__ import annotations

from collections.abc import Sequence

from conf.clock import WALL, Clock
from dialplan.freeswitch import RETRY_PAUSES_MS
from engine.virtual.session import Action


def standard(
    engines: Sequence[str],
    apology: str | None = None,
    pauses: Sequence[int] = RETRY_PAUSES_MS,
    *,
    clock: Clock = WALL,
) -> list[Action]:
    """To any engine (`HOST:PORT` each), to any again when it is lost, and at the end `apology` (a file) and the end. The
    pauses are milliseconds of the wall, by which engines are started again; `clock` is the one that the switch sleeps by."""
    socket = ("socket", f"{'|'.join(engines)} async full")
    actions: list[Action] = [("set", "pointsman_taken=false"), ("set", "socket_resume=true"), socket]
    for pause in pauses:
        if pause:
            actions.append(("sleep", str(round(pause * clock.factor))))
        actions += [("set", "pointsman_recovering=true"), ("set", "socket_resume=true"), socket]
    actions.append(("answer", ""))
    if apology:
        actions += [("sleep", "500"), ("playback", apology)]
    return [*actions, ("hangup", "NORMAL_TEMPORARY_FAILURE")]
