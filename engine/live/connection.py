"""Clients for Redis: one kind for commands, another for reads that block.

redis-py's default socket time-out would end a blocking read early, and no time-out at all would let a dead server hold a
command for ever; hence two.
"""

from __future__ import annotations

from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

Redis = Any
"""A client made here. redis-py annotates each answer as the union of all that any client could give, so it is no help."""

RedisError = redis.RedisError


def commands(url: str) -> Redis:
    """A client for short commands: 3 s to connect or to be answered, answers as text, no repeats behind the caller's back."""
    return redis.Redis.from_url(
        url,
        protocol=2,
        decode_responses=True,
        socket_timeout=3,
        socket_connect_timeout=3,
        max_connections=64,
        retry=Retry(NoBackoff(), 0),
    )


def blocking(url: str) -> Redis:
    """A client for BLPOP, XREAD with BLOCK and pub/sub; its health is checked every 30 s of silence."""
    return redis.Redis.from_url(
        url,
        protocol=2,
        decode_responses=True,
        socket_timeout=None,
        socket_connect_timeout=3,
        socket_keepalive=True,
        health_check_interval=30,
        retry=Retry(NoBackoff(), 0),
    )
