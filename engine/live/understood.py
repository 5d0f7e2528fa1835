"""Reading what Redis keeps, where one bad value must not stop the rest."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import msgspec
import structlog

log = structlog.get_logger(__name__)

T = TypeVar("T")


def understood(texts: Iterable[str], kind: type[T]) -> list[T]:
    """The values of these JSON texts, in their order. What is no `kind` is logged and passed over."""
    found = []
    for text in texts:
        try:
            found.append(msgspec.json.decode(text, type=kind))
        except msgspec.MsgspecError as error:
            log.error("passed over in redis", kind=str(kind), error=str(error), data=text[:200])
    return found
