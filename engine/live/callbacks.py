"""Callbacks as Redis keeps them: who is owed a call, who looks after it, and what people ask of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec

from engine.live import keys
from engine.live.connection import Redis

Wish = Literal["cancel", "now"]
"""`now`: the next attempt is made before all others of the queue, whatever the hours."""


class Callback(msgspec.Struct, kw_only=True):
    """One callback that is owed, and all that another process needs to go on with it. Times are UTC instants."""

    callback_id: str
    owner: str
    queue: str
    number: str
    """As it is called: in E.164, or an extension."""
    call_id: str
    """The call that asked for it."""
    asked_at: datetime
    due_at: datetime
    """Before this it is not tried."""
    entry: dict[str, Any]
    """What the router is told of it (engine.routing.events.EntryAdded); `place_at` in it is the place it keeps."""
    called: str = ""
    """The number the customer had called; they are shown it where the trunk has none of its own."""
    name: str = ""
    customer_id: int | None = None
    language: str = "en"
    switch: str = ""
    """The node that the first call was on."""
    state: Literal["owed", "calling"] = "owed"
    """`calling`: an agent has answered and the customer is being called, or talks."""
    attempts: int = 0
    attempt_id: str = ""
    """The name of the next attempt, or of the one under way: the uuid of the agent's leg and the id of the outbound call."""
    entry_id: str | None = None
    """The router's entry, while it waits there."""
    offer: dict[str, Any] | None = None
    """The offer an agent is rung for, or has answered (engine.routing.events.MakeOffer)."""
    tried_at: float | None = None
    """When the first phone rang for the attempt under way, in Unix seconds."""
    at_once: bool = False
    """Somebody asked that it be tried now."""


encode = msgspec.json.encode
decode = msgspec.json.Decoder(Callback).decode


def live(redis: Redis) -> dict[str, dict[str, Any]]:
    """Callback id -> what Redis has of it. Raises redis.RedisError when Redis is away."""
    found: Mapping[str, str] = redis.hgetall(keys.CALLBACKS)
    return {callback_id: msgspec.json.decode(text) for callback_id, text in found.items()}


def wish(redis: Redis, callback_id: str, what: Wish, *, by: str) -> None:
    """Ask that a callback be given up, or tried now. Its owner does it within a second or two; for one that is not owed any
    more nothing is done. Raises redis.RedisError when Redis is away."""
    redis.hset(keys.CALLBACK_WISHES, callback_id, msgspec.json.encode({"what": what, "by": by}).decode())
