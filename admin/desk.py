"""The agent's desk: own state, the card of the call that rings, own calls of the day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from flask import Blueprint, render_template

from admin.access import Right, Viewer, needs, viewer
from admin.board import boards, moment
from admin.calls import found_calls
from admin.parts import Parts, parts
from admin.periods import day_start
from admin.search import Filters
from admin.words import SYSTEM_PAUSES
from dialplan.feature_codes import FEATURE_CODES
from engine.live import keys
from engine.live.connection import RedisError

desk = Blueprint("desk", __name__)

_LOOKED_BACK = 400
"""How many of the installation's last screen pops are searched for an agent's own after the browser connects."""
_STALE = timedelta(minutes=30)


@desk.get("/desk")
@needs(Right.DESK)
def page() -> str:
    who, now = viewer(), parts().clock.now()
    today = day_start(now, parts().settings.zone)
    mine = Filters(period="today", agent=who.agent_id)
    return render_template(
        "desk.html",
        place_key="desk",
        calls=found_calls(mine, who, limit=12),
        today=today,
        desk_state=desk_state(parts(), who),
        codes=FEATURE_CODES,
    )


def own_state(parts: Parts, who: Viewer) -> dict[str, Any] | None:
    """What the agent's own state is: `presence`, `work`, `reason`, `since` (an instant or None), `known` (whether the router
    answers). None for an account that belongs to no agent."""
    if who.agent_id is None:
        return None
    try:
        found = parts.board.agent(who.agent_id)
    except RedisError:
        found = None
    state = found or {}
    return {
        "known": found is not None,
        "presence": state.get("presence") or "offline",
        "work": state.get("work") or "idle",
        "reason": state.get("reason"),
        "since": moment(state.get("since")),
    }


@dataclass(frozen=True, slots=True)
class DeskState:
    """What an agent's own state means for them: what they were paused for, what comes after this call, how long the wrap-up
    lasts. Instants are None where there is none."""

    work: str
    presence: str
    paused_by_system: str
    """Why the system has paused them, one of words.SYSTEM_PAUSES; empty where they chose it."""
    wanted: str | None
    """The presence chosen for after this call."""
    wanted_reason: str | None
    wrap_until: datetime | None
    since: datetime | None
    rest_until: datetime | None
    phone_missing: bool
    """Whether their phone is not signed in, as far as the switch has said."""


def desk_state(parts: Parts, who: Viewer) -> DeskState | None:
    """None for an account that belongs to no agent, and where Redis or the router do not answer."""
    if who.agent_id is None:
        return None
    try:
        state = parts.board.agent(who.agent_id)
        signed_in = parts.redis.hkeys(keys.PHONES)
    except RedisError:
        return None
    if state is None:
        return None
    presence, reason = str(state.get("presence") or "offline"), str(state.get("reason") or "")
    rest = moment(state.get("rest_until"))
    return DeskState(
        work=str(state.get("work") or "idle"),
        presence=presence,
        paused_by_system=reason if presence == "pause" and reason in SYSTEM_PAUSES else "",
        wanted=state.get("wanted"),
        wanted_reason=state.get("wanted_reason"),
        wrap_until=moment(state.get("wrap_until")),
        since=moment(state.get("since")),
        rest_until=rest if rest is not None and rest > parts.clock.now() else None,
        phone_missing=bool(signed_in) and who.extension not in signed_in,
    )


def current_card(parts: Parts, who: Viewer) -> str:
    """The card of the call that rings at the agent or is talked in, for a browser that comes when it has begun already;
    empty where there is none."""
    try:
        entries = parts.redis.xrevrange(keys.SCREENPOP_STREAM, count=_LOOKED_BACK)
    except RedisError:
        return ""
    for _, fields in entries:
        pop = msgspec.json.decode(fields["data"])
        if pop.get("extension") == who.extension:
            at = moment(pop.get("at"))
            fresh = at is not None and parts.clock.now() - at < _STALE
            return card(parts, pop) if fresh and pop.get("event") in ("offered", "answered") else ""
    return ""


def card(parts: Parts, pop: dict[str, Any]) -> str:
    """The pop as a card, from the JSON that CONTRACT.md describes."""
    at = moment(pop.get("at")) or parts.clock.now()
    return render_template(
        "pop.html",
        pop=pop,
        at=at,
        queue_title=boards().title(str(pop.get("queue") or "")),
        waiting_since=at - timedelta(seconds=float(pop.get("waited_seconds") or 0)),
    )
