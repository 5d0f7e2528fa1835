"""The keys a caller presses, also those that nobody has asked for yet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal

import gevent
import structlog

from engine.esl.awaited import Execution
from engine.esl.errors import EslError
from engine.esl.frames import Event
from engine.esl.outbound import CallLink

MOST_TYPED: Final = 32
KEYS: Final = frozenset("0123456789*#ABCD")
UNREAD_SECONDS: Final = 0.3
"""A key that has not ended the `read` for it after this time was not read."""

log = structlog.get_logger(__name__)


class Keypad:
    """What was pressed on the caller's leg; `kept` is told the keys that another process would have to know of."""

    def __init__(self, link: CallLink, kept: Callable[[str], None]) -> None:
        self._link = link
        self._kept: Callable[[str], None] | None = kept
        self.typed = ""
        """Keys pressed that nothing was done with yet."""
        self.secretive = False
        """Whether what is typed ahead may turn out to be a secret: then no other process is told of it."""
        self.gathering: Literal["one", "several"] | None = None
        """Whether FreeSWITCH itself collects the keys that are pressed now. Of several, those that were pressed are kept, for
        another process to go on from there."""
        self.listener: Callable[[str], None] | None = None
        """Who is told the keys as they are pressed. Meanwhile none is kept: what a caller presses in a queue or in a talk is
        not meant for the menu after it."""
        self.reading: Execution | None = None
        """The `read` that waits for a single key."""

    def pressed(self, event: Event) -> None:
        """A key that nobody asked for yet: whatever plays has swallowed it (switch_channel.c, switch_channel_dequeue_dtmf)."""
        key = (event.get("DTMF-Digit") or "")[:1]
        if self.listener is not None:
            if key and key in KEYS:
                self.listener(key)
        elif self.gathering != "one" and len(self.typed) < MOST_TYPED:
            self.keep(self.typed + key)
        elif self.reading is not None and key and key in KEYS:
            gevent.spawn_later(UNREAD_SECONDS, self._give_back, key, self.reading)

    def take(self) -> str:
        """The keys pressed ahead; they are forgotten with that."""
        typed = self.typed
        if typed:
            self.keep("")
        return typed

    def keep(self, keys: str) -> None:
        """These keys were pressed and are to be taken for pressed by whoever has the call."""
        self.typed = keys
        if self._kept is not None and not (self.secretive and keys):
            self._kept(keys)

    def forget(self) -> None:
        """What was typed ahead was meant for what is over now, and answers nothing that comes after it."""
        if self.typed:
            self.keep("")

    def part(self) -> None:
        """The call is over: tell nobody anything any more."""
        self._kept = self.listener = None

    def _give_back(self, key: str, reading: Execution) -> None:
        """A single key ends the `read` that gets it in that instant. One that is not over was not begun yet when the key was
        pressed, in the 20 to 40 ms after what played before it; it is given the key again."""
        if self.reading is reading and not reading.done:
            try:
                self._link.post_api(f"uuid_recv_dtmf {self._link.uuid} {key}")
            except EslError as error:
                log.info("key not given back", call=self._link.uuid, error=str(error))
