"""Choosing a presence: the same check for the top bar, the live page and the API."""

from __future__ import annotations

from typing import Literal, cast, get_args

from pydantic import BaseModel, Field

from admin.access import Right, Viewer
from admin.parts import Parts
from conf.errors import PointsmanError
from engine.live.requests import want_presence
from engine.records.facts import Presence


class PresenceRefused(PointsmanError):
    """This account may not choose that agent's presence."""


class PresenceIn(BaseModel):
    """What an agent shall be from now on, or after the call they are in."""

    presence: Literal["ready", "pause", "offline"]
    reason: str | None = Field(
        default=None, max_length=60, description="Why paused, for example `lunch`; only with `pause`."
    )


def choose(parts: Parts, viewer: Viewer, agent_id: int, wanted: PresenceIn) -> None:
    """Ask the router for it. PresenceRefused for somebody else's presence without the right; redis.RedisError when Redis
    is away."""
    own = agent_id == viewer.agent_id
    if not (viewer.may(Right.ANY_PRESENCE) or (own and viewer.may(Right.OWN_PRESENCE))):
        raise PresenceRefused("you may choose your own presence only")
    want_presence(
        parts.redis,
        agent_id,
        wanted.presence,
        reason=(wanted.reason or None) if wanted.presence == "pause" else None,
        by=viewer.name,
        at=parts.clock.now(),
    )


def parse(presence: str, reason: str = "") -> PresenceIn:
    """From a form's fields. ValueError where the presence is none."""
    if presence not in get_args(Presence):
        raise ValueError(f"{presence!r} is no presence")
    return PresenceIn(presence=cast(Presence, presence), reason=reason.strip()[:60] or None)
