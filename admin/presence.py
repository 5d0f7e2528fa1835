"""Choosing a presence, and how long the work after a call lasts: the same check for the desk, the live page and the API."""

from __future__ import annotations

from typing import Literal, cast, get_args

from pydantic import BaseModel, Field

from admin.access import Right, Viewer
from admin.parts import Parts
from conf.errors import PointsmanError
from engine.live.requests import end_wrap_up, extend_wrap_up, want_presence
from engine.records.facts import Presence


class PresenceRefused(PointsmanError):
    """This account may not choose that agent's presence."""


class PresenceIn(BaseModel):
    """What an agent shall be from now on, or after the call they are in."""

    presence: Literal["ready", "pause", "offline"]
    reason: str | None = Field(
        default=None, max_length=60, description="Why paused, for example `lunch`; only with `pause`."
    )


class WrapUpIn(BaseModel):
    """What is wanted of the work after a call: some seconds more, asked in the talk for after it, or its end."""

    wanted: Literal["more", "end"]
    seconds: int = Field(default=30, ge=5, le=600, description="How many, with `more`.")


def wrap_up(parts: Parts, viewer: Viewer, agent_id: int, wanted: WrapUpIn) -> None:
    """Ask the router for it. PresenceRefused and redis.RedisError as for `choose`."""
    _check(viewer, agent_id)
    if wanted.wanted == "more":
        extend_wrap_up(parts.redis, agent_id, seconds=wanted.seconds, by=viewer.name, at=parts.clock.now())
    else:
        end_wrap_up(parts.redis, agent_id, by=viewer.name, at=parts.clock.now())


def choose(parts: Parts, viewer: Viewer, agent_id: int, wanted: PresenceIn) -> None:
    """Ask the router for it. PresenceRefused for somebody else's presence without the right; redis.RedisError when Redis
    is away."""
    _check(viewer, agent_id)
    want_presence(
        parts.redis,
        agent_id,
        wanted.presence,
        reason=(wanted.reason or None) if wanted.presence == "pause" else None,
        by=viewer.name,
        at=parts.clock.now(),
    )


def _check(viewer: Viewer, agent_id: int) -> None:
    own = agent_id == viewer.agent_id
    if not (viewer.may(Right.ANY_PRESENCE) or (own and viewer.may(Right.OWN_PRESENCE))):
        raise PresenceRefused("you may choose your own presence only")


def parse(presence: str, reason: str = "") -> PresenceIn:
    """From a form's fields. ValueError where the presence is none."""
    if presence not in get_args(Presence):
        raise ValueError(f"{presence!r} is no presence")
    return PresenceIn(presence=cast(Presence, presence), reason=reason.strip()[:60] or None)
