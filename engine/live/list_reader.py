"""Takes what others push onto a list in Redis."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import gevent
import msgspec
import structlog

from engine.live.connection import RedisError
from engine.live.wire import Wire

READ_SECONDS: Final = 5
AGAIN_SECONDS: Final = 0.2
_AT_ONCE: Final = 200

log = structlog.get_logger(__name__)


class ListReader:
    """Hands what comes onto the list `key` to `take`, the oldest first and `at_once` of them at a time, from a connection and
    a greenlet of its own. Where several processes read one list each text reaches one of them.

    `take` must not wait for long. Of what it cannot decode (MsgspecError) a line is logged, and the next one follows. While
    Redis is away it is asked again every fifth of a second; once it has answered, `on_return` is called, after all that came.
    """

    def __init__(
        self,
        url: str,
        key: str,
        take: Callable[[str], None],
        *,
        at_once: int = _AT_ONCE,
        on_return: Callable[[], None] = lambda: None,
    ) -> None:
        self._wire = Wire(url, timeout=READ_SECONDS + 3)
        self._key = key
        self._take = take
        self._at_once = at_once
        self._on_return = on_return
        self._greenlet: gevent.Greenlet[..., None] | None = None

    def start(self) -> None:
        self._greenlet = gevent.spawn(self._run)

    def stop(self) -> None:
        if self._greenlet is not None:
            self._greenlet.kill()

    def _run(self) -> None:
        away = False
        while True:
            try:
                read = self._wire.ask("BLMPOP", READ_SECONDS, 1, self._key, "LEFT", "COUNT", self._at_once)
            except (RedisError, OSError) as error:
                log.warning("list not read", key=self._key, error=str(error))
                away = True
                gevent.sleep(AGAIN_SECONDS)
                continue
            for text in read[1] if read else ():
                try:
                    self._take(text)
                except msgspec.MsgspecError as error:
                    log.error("not understood, passed over", key=self._key, error=str(error), data=text[:200])
            if away:
                away = False
                self._on_return()
