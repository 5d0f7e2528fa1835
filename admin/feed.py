"""What happens now, told on to browsers: one subscription to Redis for all of them.

A browser's stream waits on the feed instead of on Redis, so a thousand open pages cost one connection. What a page shows
is always read afresh; the feed only says that there is something new.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import gevent
import structlog
from gevent.event import Event
from gevent.pool import Group

from engine.live import keys
from engine.live.connection import Redis, RedisError

POPS = keys.screenpop("*")
_KEPT_FOR_ONE = 64
"""How many pops a browser that reads slowly may lag behind before the oldest is dropped."""


class Listener:
    """One browser's ear: changes since it looked last, and the pops of its own extension."""

    def __init__(self, extension: str | None) -> None:
        self.extension = extension
        self.pops: deque[str] = deque(maxlen=_KEPT_FOR_ONE)
        self.changed = False
        self._wake = Event()

    def wait(self, seconds: float) -> bool:
        """Wait till there is something new or the feed ends, at most `seconds`; whether it was woken."""
        woken = bool(self._wake.wait(seconds))
        self._wake.clear()
        return woken

    def wake(self) -> None:
        self._wake.set()


class Feed:
    """Listens to `live` and to all screen pops till it is stopped, and reconnects when Redis was away."""

    def __init__(self, blocking: Redis) -> None:
        self._redis = blocking
        self._listeners: set[Listener] = set()
        self._group = Group()
        self._log = structlog.get_logger("admin.feed")
        self.connected = False
        self.stopping = False

    def start(self) -> None:
        """Begin to listen, also after a `stop`."""
        self.stopping = False
        self._group.spawn(self._run)

    def stop(self) -> None:
        """End every browser's stream and the subscription."""
        self.stopping = True
        for listener in list(self._listeners):
            listener.wake()
        self._group.kill(timeout=2)

    @contextmanager
    def listen(self, extension: str | None = None) -> Iterator[Listener]:
        listener = Listener(extension)
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    @property
    def listeners(self) -> int:
        return len(self._listeners)

    def _run(self) -> None:
        pause = 0.2
        while not self.stopping:
            try:
                self._follow()
                pause = 0.2
            except RedisError as error:
                if self.connected:
                    self._log.warning("redis is away, pages stand still", error=str(error))
                self._tell_connected(False)
                gevent.sleep(pause)
                pause = min(pause * 2, 2.0)

    def _follow(self) -> None:
        subscription = self._redis.pubsub(ignore_subscribe_messages=False)
        try:
            subscription.subscribe(keys.LIVE)
            subscription.psubscribe(POPS)
            while not self.stopping:
                message = subscription.get_message(timeout=5.0)
                if message is None:
                    continue
                match message["type"]:
                    case "subscribe":
                        self._tell_connected(True)
                    case "message":
                        self._tell_changed()
                    case "pmessage":
                        self._tell_pop(str(message["channel"]), str(message["data"]))
        finally:
            with suppress(RedisError):
                subscription.close()

    def _tell_connected(self, connected: bool) -> None:
        if connected != self.connected:
            self.connected = connected
            self._tell_changed()

    def _tell_changed(self) -> None:
        for listener in self._listeners:
            listener.changed = True
            listener.wake()

    def _tell_pop(self, channel: str, data: str) -> None:
        extension = channel.removeprefix(POPS.removesuffix("*"))
        for listener in self._listeners:
            if listener.extension == extension:
                listener.pops.append(data)
                listener.wake()
