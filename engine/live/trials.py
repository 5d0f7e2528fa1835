"""Real calls that somebody asks for on a page, to hear what callers get: asked of any engine process, through Redis."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from engine.live import keys
from engine.live.connection import Redis

LASTS_SECONDS: Final = 3600
WAITS_SECONDS: Final = 30
"""How long it is waited for an engine; a call that comes later than that is no use to anybody."""

TrialState = Literal["asked", "ringing", "failed"]


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """One call to `number`. On the virtual switch `caller` makes it and presses `press` (see engine.virtual.callers.script);
    else the desk phone of `extension` rings first and is then put through. `state` is `ringing` once the switch has taken it
    on; from then on the call stands in the records under `call_id`. `why` says what went wrong."""

    call_id: str
    number: str
    caller: str = ""
    extension: str = ""
    press: str = ""
    hang_up_after: float | None = None
    state: TrialState = "asked"
    why: str = ""


def ask(redis: Redis, trial: Trial) -> None:
    """Have the call made. Raises redis.RedisError when Redis is away."""
    pipe = redis.pipeline(transaction=True)
    pipe.set(keys.trial(trial.call_id), msgspec.json.encode(trial), ex=LASTS_SECONDS)
    pipe.rpush(keys.TRIALS, msgspec.json.encode(trial))
    pipe.expire(keys.TRIALS, WAITS_SECONDS)
    pipe.execute()


def find(redis: Redis, call_id: str) -> Trial | None:
    """The trial under this name, None where there is none or it was long ago."""
    found = redis.get(keys.trial(call_id))
    return None if found is None else msgspec.json.decode(found, type=Trial)
