"""How far Postgres is behind what the processes have written down."""

from __future__ import annotations

import msgspec

from engine.live import keys
from engine.live.connection import Redis


def records_are_behind(redis: Redis, seconds: float) -> bool:
    """Whether some living process has had facts in its journal for longer than that, so that what Postgres has not is no proof
    of anything. redis.RedisError."""
    beats = redis.hgetall(keys.PROCESSES)
    behind = [
        process_id
        for process_id, beat in beats.items()
        if msgspec.json.decode(beat).get("journal_lag_seconds", 0.0) > seconds
    ]
    return any(redis.exists(keys.process(process_id)) for process_id in behind)
