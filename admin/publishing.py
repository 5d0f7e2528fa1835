"""A change of the set-up: made, published and told, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from admin.board import boards
from admin.parts import Parts
from engine.live.connection import RedisError
from engine.live.requests import tell_configuration_changed
from engine.records.publish import raise_version


@contextmanager
def change(parts: Parts) -> Iterator[None]:
    """Everything inside is one transaction that ends with a new configuration version, told to all processes. When Redis is
    away the change stands, and processes find out by themselves."""
    with parts.db.atomic():
        yield
        version = raise_version(parts.db)
    boards().forget()
    try:
        tell_configuration_changed(parts.redis, version)
    except RedisError as error:
        structlog.get_logger("admin").warning("a change could not be told", version=version, error=str(error))
