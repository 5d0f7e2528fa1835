"""How all processes log: one line a message on standard error, its time, level and keys as `key=value`."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime
from typing import Any, TextIO

import structlog


def configure(level: str = "info", stream: TextIO | None = None) -> None:
    """Log messages of `level` (debug, info, warning, error) and above; an unknown level counts as info.

    What lies below is turned away before anything is made of it.
    """
    number = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    structlog.configure(
        processors=[structlog.processors.add_log_level, structlog.processors.format_exc_info, line],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(stream or sys.stderr),
        cache_logger_on_first_use=True,
    )


def line(_logger: object, _method: str, event: structlog.typing.EventDict) -> str:
    """A message as one line in logfmt, its time first (UTC), then level, event and the other keys as they were given.

    Unlike structlog's own, a value from outside can neither leave its line nor steer the terminal it is read on: what is not
    printable is escaped.
    """
    now = datetime.now(UTC).isoformat(timespec="microseconds")[:-6]
    parts = [f"timestamp={now}Z level={event.pop('level', '')} event={_value(event.pop('event', ''))}"]
    parts += [f"{key}={_value(value)}" for key, value in event.items()]
    return " ".join(parts)


def _value(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = value if isinstance(value, str) else str(value)
    if text.isprintable() and not (" " in text or "=" in text or '"' in text or "\\" in text):
        return text
    text = text.replace("\\", "\\\\").replace('"', '\\"')
    if not text.isprintable():
        text = "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)
    return f'"{text}"'
