"""What a caller hears who waits: music from beginning to end, and over it, now and then, what they are told.

An announcement is an unlocked playback and nests inside the music, which then goes on; the bridge to an agent nests in either
and begins at once, so nobody ever waits for an announcement to end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import structlog

from conf.errors import PointsmanError
from engine.call import announcements
from engine.call.announcements import Said
from engine.call.audible import MUSIC, playable
from engine.live import keys
from engine.live.connection import RedisError
from engine.routing.expected import Expected, Pace, expected_wait
from engine.routing.roster import QueueRule
from sounds import music

if TYPE_CHECKING:
    from engine.call.session import Session

log = structlog.get_logger(__name__)

_pace = msgspec.json.Decoder(Pace).decode


class Announcer:
    """Speaks to one caller in one queue. `waits` tells for how many seconds they have waited."""

    def __init__(self, session: Session, rule: QueueRule, *, anew: bool) -> None:
        """`anew` is False for a caller who is taken over from another process; they have been told their place already."""
        self._session = session
        self._rule = rule
        self._rules = announcements.rules_of(rule.settings, rule.announce_seconds)
        self._began = session.clock.monotonic()
        self._said = Said() if anew else Said(place_at=0.0, callback_at=0.0)
        self._place: int | None = None
        self._expected: Expected | None = None
        self._playing = False
        chosen = rule.settings.music or music.DEFAULT_NAME
        self._stream = music.stream(session.around.home, chosen, session.phone.language)

    @property
    def callback_key(self) -> str | None:
        return self._rules.callback_key

    @property
    def _now(self) -> float:
        return self._session.clock.monotonic() - self._began

    def begin(self) -> None:
        """The wait begins: what is heard while a phone rings is this queue's music."""
        if self._stream != MUSIC:
            self._session.link.execute("set", f"transfer_ringback={self._stream}")

    def play_music(self) -> None:
        """Music from now till the end of the wait; what is said or rung meanwhile nests in it."""
        if not self._playing:
            self._playing = True
            self._session.link.execute("playback", self._stream)

    def over(self) -> None:
        """The wait is over, and the caller still there."""
        if self._stream != MUSIC:
            self._session.link.execute("set", f"transfer_ringback={MUSIC}")

    def placed(self, place: int, expected: Expected | None) -> None:
        """The router has told the caller's place; they are told at once, if it is to be told."""
        self._place, self._expected = place, expected
        self._speak(place, expected)

    def wall_seconds(self) -> float | None:
        """How long nothing is to be said yet; None for ever."""
        look = announcements.next_look(self._rules, self._said, self._now)
        return None if look is None else self._session.clock.wall_seconds(max(0.0, look - self._now))

    def speak(self) -> None:
        """Say what is due, if anything is."""
        place, expected = self._look()
        self._speak(place, expected)

    def said(self, seconds: float) -> None:
        """Something else was said that lasts so long; nothing is to be said before its end."""
        self._said = announcements.spoken_until(self._said, max(self._said.until, self._now + seconds))

    def say(self, prompts: list[str]) -> float:
        """Say these prompts over the music now; the seconds they last. Those there is no audio of are left out."""
        self.play_music()
        catalogue, language = self._session.around.catalogue, self._session.phone.language
        found = []
        for name in prompts:
            try:
                found.append(catalogue.find(name, language))
            except PointsmanError as error:
                log.error("not said to a caller who waits", call=self._session.call.call_id, why=str(error))
        if found:
            self._session.link.execute("playback", playable([prompt.path for prompt in found]))
        seconds = sum(prompt.seconds for prompt in found)
        self.said(seconds)
        return seconds

    def _speak(self, place: int | None, expected: Expected | None) -> None:
        block, self._said = announcements.decide(self._rules, self._said, self._now, place, expected)
        if block:
            self.say(announcements.prompts(block, self._session.phone.language))

    def _look(self) -> tuple[int | None, Expected | None]:
        """The caller's place now, and what may be expected from there; None for what cannot be told."""
        now = self._session.call.now
        try:
            pipe = self._session.around.redis.pipeline(transaction=False)
            pipe.zrank(keys.queue(now.queue or ""), now.entry_id)
            pipe.hget(keys.PACES, now.queue or "")
            rank, told = pipe.execute()
            pace = None if told is None else _pace(told)
        except (RedisError, OSError, msgspec.MsgspecError) as error:
            log.info("place not known", call=now.call_id, error=str(error))
            return None, None
        if rank is None:
            return None, None
        return int(rank) + 1, None if pace is None else expected_wait(pace, int(rank) + 1)
