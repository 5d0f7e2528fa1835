"""Asking a caller who waits under which number they want to be called back, over the music and without a pause in the wait: an
agent who becomes free meanwhile is offered the call, and the question is forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.call.announcer import Announcer
from engine.call.callback_wish import CallbackWish
from ivr.callback_dialogue import Ask, Done

if TYPE_CHECKING:
    from engine.call.session import Session


class Asking:
    """One such dialogue, as far as it has come. Each method gives its end where it has ended with that."""

    def __init__(self, session: Session, announcer: Announcer, wish: CallbackWish) -> None:
        self.wish = wish
        self._session = session
        self._announcer = announcer
        self._dialogue = wish.dialogue()
        self._spoken_until = 0.0
        self._listens_until = 0.0
        self._say(self._dialogue.begin())

    @property
    def wall_seconds(self) -> float:
        """How long a key is waited for yet."""
        clock = self._session.clock
        return clock.wall_seconds(max(0.0, self._listens_until - clock.monotonic()))

    def key(self, key: str) -> Done | None:
        if self._session.clock.monotonic() < self._spoken_until:
            # The first key stops what is being said, and the music behind it goes on.
            self._session.link.post_api(f"uuid_break {self._session.call.call_id}")
        return self._say(self._dialogue.key(key))

    def silence(self) -> Done | None:
        return self._say(self._dialogue.silence())

    def _say(self, said: Ask | Done) -> Done | None:
        if isinstance(said, Done):
            return said
        now = self._session.clock.monotonic()
        self._spoken_until = now + (self._announcer.say(list(said.prompts)) if said.prompts else 0.0)
        self._listens_until = self._spoken_until + said.seconds
        return None
