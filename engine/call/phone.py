"""The call as a flow sees it, spoken over the event socket."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import structlog

from engine.call.audible import playable
from engine.call.callback_wish import CallbackWish
from engine.call.checkpoint import STATEMENT, Message
from engine.call.keeping import keep_message
from engine.call.media import MediaKind
from engine.call.office import CallOffice
from engine.call.ringing import dial, ring
from engine.esl.errors import CallGone
from engine.esl.outbound import CallLink, Execution
from ivr.callback_dialogue import lead
from ivr.phone import (
    CallbackOutcome,
    DialOutcome,
    Gathered,
    MessageOutcome,
    QueueOutcome,
    QueueRequest,
    RingOutcome,
    SentOn,
)
from sounds.catalogue import Catalogue

if TYPE_CHECKING:
    from engine.call.session import Session

DIGITS_VARIABLE: Final = "pointsman_digits"
GRACE_SECONDS: Final = 10.0
"""How much longer than it should last an application may take before the call is taken for stuck."""

UNKNOWN_SECONDS: Final = 60.0
"""How long something may last whose length cannot be told."""

LONGEST_FILE_SECONDS: Final = 3600.0

SILENCE_LEVEL: Final = 200
SILENCE_SECONDS: Final = 5

log = structlog.get_logger(__name__)


def _until(typed: str, most: int, terminators: str) -> tuple[str, str | None]:
    """The first `most` keys of what was typed, or those before a terminator, and that terminator."""
    for place, key in enumerate(typed[: most + 1]):
        if key in terminators:
            return typed[:place], key
    return typed[:most], None


class EslPhone:
    """ivr.phone.Phone for a call whose leg `link` speaks for."""

    def __init__(self, session: Session, link: CallLink, *, language: str, catalogue: Catalogue) -> None:
        self._session = session
        self._link = link
        self._catalogue = catalogue
        self._language = language

    @property
    def call_id(self) -> str:
        return self._session.call.call_id

    @property
    def caller_number(self) -> str:
        return self._session.call.now.from_number

    @property
    def called_number(self) -> str:
        return self._session.call.now.to_number

    @property
    def language(self) -> str:
        return self._language

    @property
    def customer(self) -> Mapping[str, object] | None:
        return self._session.match.card

    @property
    def office(self) -> CallOffice:
        return CallOffice(self._session)

    def now(self) -> datetime:
        return self._session.now()

    def speak(self, language: str) -> None:
        """Places in the queue are said in this language from now on."""
        self._language = language

    def play(self, prompts: Sequence[str]) -> None:
        if prompts:
            self._finish("playback", playable(prompts), self._seconds(prompts))

    def gather(
        self,
        prompts: Sequence[str],
        *,
        most: int,
        first_digit_seconds: float,
        next_digit_seconds: float,
        terminators: str = "#",
        secret: bool = False,
    ) -> Gathered:
        keypad = self._session.keypad
        typed = keypad.take()
        early, ended_by = _until(typed, most, terminators)
        if ended_by is not None or len(early) == most:
            # The rest answers what is asked next.
            rest = typed[len(early) + (ended_by is not None) :]
            if rest:
                keypad.keep(rest)
            return Gathered(early, ended_by)
        if early:
            # What was typed ahead has answered the prompts; only the rest is waited for.
            prompts, first_digit_seconds = (), next_digit_seconds
        if secret:
            # FreeSWITCH then writes these keys to no log (switch_channel.c:509).
            self._link.execute("set", "sensitive_dtmf=true", lock=True)
        # Secret keys are kept nowhere, so another process that takes the call over asks for them anew.
        keypad.gathering = "one" if most == 1 or secret else "several"
        if early and not secret:
            keypad.keep(early)
        try:
            later = self._read(prompts, most - len(early), first_digit_seconds, next_digit_seconds, terminators)
        finally:
            keypad.gathering = keypad.reading = None
        told, told_end = _until(keypad.take(), most, terminators)
        if secret:
            self._link.execute("set", "sensitive_dtmf=false", lock=True)
            self._link.execute("unset", DIGITS_VARIABLE, lock=True)
        if len(told) > len(early + later.digits) and told.endswith(later.digits):
            # A key that came before `read` had begun was swallowed by what was before it, as `Keypad` tells.
            return Gathered(told, told_end)
        return Gathered(early + later.digits, later.terminator)

    def _read(
        self, prompts: Sequence[str], most: int, first_digit_seconds: float, next_digit_seconds: float, terminators: str
    ) -> Gathered:
        # With a single digit `read` swallows a terminator pressed during the prompt (switch_ivr_play_say.c:2618), so
        # for one key there is no terminator but our own.
        argument = " ".join(
            (
                "1",
                str(most),
                playable(prompts) if prompts else "silence",
                DIGITS_VARIABLE,
                str(max(1001, int(first_digit_seconds * 1000))),
                "none" if most == 1 else terminators or "none",
                str(int(next_digit_seconds * 1000)),
            )
        )
        if most > 1:
            # `read` sets it and never takes it back.
            self._link.execute("unset", "read_terminator_used", lock=True)
        longest = self._seconds(prompts) + first_digit_seconds + most * next_digit_seconds
        execution = self._link.execute("read", argument, lock=True)
        if most == 1:
            self._session.keypad.reading = execution
        done = execution.wait(self._session.clock.wall_seconds(longest) + GRACE_SECONDS)
        digits = done.get("variable_" + DIGITS_VARIABLE) or ""
        if most == 1:
            return Gathered("", digits) if digits and digits in terminators else Gathered(digits)
        return Gathered(digits, done.get("variable_read_terminator_used") or None)

    def wait_in_queue(self, request: QueueRequest) -> QueueOutcome | SentOn:
        self._session.keypad.forget()
        return self._session.wait_in_queue(request)

    def offer_callback(self, request: QueueRequest, *, number: str = "") -> CallbackOutcome:
        wish = CallbackWish(self._session, request.queue, request.priority, request.skills)
        if not wish.possible:
            return "forbidden"
        done = lead(wish.dialogue(number), self, self._catalogue)
        outcome = wish.made(done)
        if outcome in ("taken", "known"):
            self.play([str(path) for path in self._catalogue.paths([f"callback_{outcome}"], self._language)])
        return outcome

    def ring(self, extension: str, seconds: float) -> RingOutcome:
        return self.ring_together((extension,), seconds)

    def ring_together(
        self, extensions: Sequence[str], seconds: float, delays: Mapping[str, int] | None = None
    ) -> RingOutcome:
        self._session.keypad.forget()
        return ring(self._session, extensions, seconds, delays)

    def dial(self, number: str, seconds: float) -> DialOutcome:
        self._session.keypad.forget()
        return dial(self._session, number, seconds)

    def take_message(self, box: str, prompts: Sequence[str], *, most_seconds: float) -> MessageOutcome:
        return "nothing" if self._record(box, prompts, most_seconds) is None else "left"

    def take_statement(self, prompts: Sequence[str], *, most_seconds: float) -> str | None:
        return self._record(STATEMENT, prompts, most_seconds)

    def _record(self, box: str, prompts: Sequence[str], most_seconds: float) -> str | None:
        """Record for a box, or as a statement; the id of what was kept."""
        session, now = self._session, self._session.call.now
        message = now.message
        silence = 0.0
        if message is None:
            session.keypad.forget()
            self.play([*prompts, *self._catalogue.paths(["tone"], self._language)])
            voicemail_id = str(uuid.uuid4())
            kind: MediaKind = "conversations" if box == STATEMENT else "messages"
            path = session.around.media.new(kind, voicemail_id, session.clock.now())
            file = playable([session.around.media.file(path)])
            now.message = message = Message(voicemail_id, box, path, session.clock.now())
            if box != STATEMENT:
                session.call.enter("voicemail")
            # `record` ends at a key of this list (switch_ivr_play_say.c, switch_ivr_record_file). Broken off by a lost socket
            # it would hang the caller up (mod_dptools.c:3285), so it goes on then: the message is spoken to its end, and
            # only after it the call comes to another process.
            self._link.execute("multiset", "^^;playback_terminators=#;socket_resume=false", lock=True)
            argument = f"{file} {int(most_seconds)} {SILENCE_LEVEL} {SILENCE_SECONDS}"
            recording = self._link.execute("record", argument, lock=True)
            try:
                # Most messages end by hanging up, and the file is whole only when the application is through with it.
                done = recording.wait(session.clock.wall_seconds(most_seconds) + GRACE_SECONDS, after_hangup=True)
            except CallGone:
                if not session.let_go:
                    keep_message(session.around, session.call, message)
                raise
            if self._link.gone:
                keep_message(session.around, session.call, message)
                raise CallGone(self._link.hangup_cause)
            if done.get("variable_silence_hits_exhausted") == "true":
                # The silence that ended it is in the file, and where nothing was said there is nothing else.
                silence = SILENCE_SECONDS
            self._link.execute("multiset", "^^;playback_terminators=none;socket_resume=true", lock=True)
        # Else the process that recorded it died meanwhile: what was said till then is the message.
        kept = keep_message(session.around, session.call, message, silence)
        if box != STATEMENT:
            session.call.enter("ivr")
        return message.voicemail_id if kept else None

    def hang_up(self, cause: str = "NORMAL_CLEARING") -> None:
        self._session.hang_up(cause)

    def _seconds(self, prompts: Sequence[str]) -> float:
        return sum(self._length(prompt) for prompt in prompts)

    def _length(self, file: str) -> float:
        known = self._catalogue.at(file)
        if known is not None:
            return known.seconds
        return self._session.around.media.seconds(file, most=LONGEST_FILE_SECONDS) or UNKNOWN_SECONDS

    def _finish(self, application: str, argument: str, seconds: float) -> Any:
        execution: Execution = self._link.execute(application, argument, lock=True)
        return execution.wait(self._session.clock.wall_seconds(seconds) + GRACE_SECONDS)
