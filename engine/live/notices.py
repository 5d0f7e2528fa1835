"""Changes told to the boards on the channel `live`: of each thing the newest state, a few times a second at most.

Nobody reads a board faster than that, and a call that runs through five steps in a millisecond need not be told five times.
"""

from __future__ import annotations

from collections.abc import Callable

import gevent

from engine.live import keys
from engine.live.outbox import Outbox

EVERY_SECONDS = 0.2


class Notices:
    """Collects what changed and publishes it."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._changed: dict[tuple[str, str], Callable[[], str]] = {}
        self._planned = False

    def tell(self, kind: str, item_id: str, item: Callable[[], str]) -> None:
        """Something changed; `item` gives its state as JSON when it is published, `null` when it is over."""
        self._changed[kind, item_id] = item
        if not self._planned:
            self._planned = True
            gevent.spawn_later(EVERY_SECONDS, self._publish)

    def _publish(self) -> None:
        changed, self._changed = self._changed, {}
        self._planned = False
        for (kind, item_id), item in changed.items():
            self._outbox.put("PUBLISH", keys.LIVE, f'{{"kind":"{kind}","id":"{item_id}","item":{item()}}}')
