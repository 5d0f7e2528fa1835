"""Applications that play sounds and gather digits."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from engine.virtual import audio
from engine.virtual.applications import application
from engine.virtual.encode import line, words
from engine.virtual.errors import SoundMissing

if TYPE_CHECKING:
    from engine.virtual.session import Session

PLAYED, MISSING, ERROR = "FILE PLAYED", "FILE NOT FOUND", "PLAYBACK ERROR"
OnDigit = Callable[[str], bool]
"""Given each digit; True stops the sound."""


def terminators(session: Session) -> str:
    """Keys that stop a playback or a recording: `playback_terminators`, `*` where it is not set."""
    chosen = session.channel.get("playback_terminators") or "*"
    return {"none": "", "any": "1234567890*#"}.get(chosen.lower(), chosen)


def stops_at(session: Session) -> OnDigit:
    keys = terminators(session)

    def on_digit(digit: str) -> bool:
        if digit in keys:
            session.channel.set("playback_terminator_used", digit)
            return True
        return False

    return on_digit


def play(session: Session, source: str, on_digit: OnDigit | None) -> str:
    """Play to the end, to a digit that stops it, or to a break; how it went, in FreeSWITCH's words.

    Without `on_digit` digits stay where they are. What is sent unlocked meanwhile runs inside, and the sound goes on behind
    it where it was (ivr: the nesting in switch_ivr_play_file).
    """
    channel = session.channel
    channel.pre_answer()
    session.broken = False
    began = session.clock.monotonic()
    result = PLAYED
    for sound in audio.pieces(source):
        try:
            seconds = audio.seconds(sound, session.switch.sound_folder)
        except SoundMissing:
            result = MISSING
            continue
        result, stopped = _play_one(session, sound, seconds, on_digit)
        if stopped:
            break
    if result != MISSING:
        played = session.clock.monotonic() - began
        channel.set_all({"playback_seconds": str(int(played)), "playback_ms": str(round(played * 1000))})
        channel.set("playback_samples", str(round(played * audio.RATE)))
    return result


def _play_one(session: Session, sound: str, seconds: float | None, on_digit: OnDigit | None) -> tuple[str, bool]:
    channel, clock = session.channel, session.clock
    told = line("Playback-File-Path", sound)
    channel.fire("PLAYBACK_START", after=told)
    channel.ear.hears(sound, seconds is None)
    until = None if seconds is None else clock.monotonic() + seconds
    result, stopped = PLAYED, False
    while not stopped:
        if not session.ready():
            result, stopped = ERROR, True
        elif session.broken:
            stopped = True
        elif session.has_work:
            spent = session.parse_messages()
            until = None if until is None else until + spent
            stopped = not session.ready()
            if not stopped and not session.broken:
                channel.ear.hears(sound, seconds is None)
        elif on_digit is not None and channel.digits:
            stopped = on_digit(channel.next_digit() or "")
        elif until is not None and clock.monotonic() >= until:
            break
        else:
            session.idle(until)
    session.broken = False
    channel.ear.quiet()
    channel.fire("PLAYBACK_STOP", after=told + line("Playback-Status", "break" if stopped else "done"))
    return result, stopped


@application("playback", "endless_playback")
def playback(session: Session, argument: str) -> None:
    """A file or stream, several with `file_string://a!b`; ends at a key of `playback_terminators`."""
    session.channel.set("playback_terminator_used", None)
    result = play(session, argument.split("@@", maxsplit=1)[0], stops_at(session)) if argument else MISSING
    session.channel.set("current_application_response", result)


@application("loop_playback")
def loop_playback(session: Session, argument: str) -> None:
    """`+N FILE`: N times, for ever without a number."""
    times, _, source = argument.partition(" ") if argument.startswith("+") else ("+-1", "", argument)
    count = int(times[1:]) if re.fullmatch(r"\+-?\d+", times) else 1
    result = PLAYED
    while count != 0 and session.ready() and result == PLAYED:
        result = play(session, source, stops_at(session))
        count -= 1
        if session.channel.get("playback_terminator_used"):
            break
    session.channel.set("current_application_response", result)


@application("gentones")
def gentones(session: Session, argument: str) -> None:
    play(session, f"tone_stream://{argument}", stops_at(session))


@application("wait_for_silence")
def wait_for_silence(session: Session, argument: str) -> None:
    """The far end of a virtual call is silent while it listens, so this waits for the silence alone."""
    parts = argument.split()
    play(session, f"silence_stream://{parts[1] if len(parts) > 1 and parts[1].isdigit() else 0}", None)


class Gathering:
    """Digits as `read` and `play_and_get_digits` gather them (switch_ivr_read)."""

    def __init__(
        self, session: Session, least: int, most: int, keys: str, timeout: float, digit_timeout: float
    ) -> None:
        self.session = session
        self.least = least
        self.most = max(most, least)
        self.keys = "" if keys.lower() == "none" else keys
        self.timeout = timeout
        self.digit_timeout = digit_timeout or timeout
        self.digits = ""
        self.terminator: str | None = None
        self.timed_out = False

    def _take(self, digit: str) -> bool:
        """True when nothing more is wanted."""
        if digit in self.keys.replace("+", "").replace("x", "").replace("=", ""):
            self.terminator = digit
            return True
        self.digits += digit
        return len(self.digits) >= self.most

    def _begin(self) -> None:
        self.digits, self.terminator, self.timed_out = "", None, False

    def run(self, prompt: str, variable: str | None) -> None:
        session, channel = self.session, self.session.channel
        channel.set("read_result", None)
        channel.set("read_terminator_used", None)
        if variable:
            channel.set(variable, None)
        channel.pre_answer()
        self._begin()
        full: list[bool] = []

        def first_digit(digit: str) -> bool:
            full.append(self._take(digit))
            return True

        if prompt and prompt.lower() != "silence":
            play(session, prompt, first_digit)
        if not any(full) and session.ready():
            self._collect()
        if self.terminator is not None:
            channel.set("read_terminator_used", self.terminator)
        short = len(self.digits) < self.least
        channel.set("read_result", "failure" if short else "timeout" if self.timed_out else "success")
        if variable and self.digits:
            channel.set(variable, self.digits)

    def _collect(self) -> None:
        session, clock = self.session, self.session.clock
        wait = self.digit_timeout if self.digits else self.timeout
        until = clock.monotonic() + wait
        session.broken = False
        session.channel.ear.asked_for_digits(True)
        while session.ready() and not session.broken:
            if session.has_work:
                until += session.parse_messages()
            elif session.channel.digits:
                if self._take(session.channel.next_digit() or ""):
                    break
                until = clock.monotonic() + self.digit_timeout
            elif clock.monotonic() >= until:
                self.timed_out = True
                break
            else:
                session.idle(until)
        session.channel.ear.asked_for_digits(False)


@application("read")
def read(session: Session, argument: str) -> None:
    """`MIN MAX FILE VARIABLE TIMEOUT TERMINATORS [DIGIT_TIMEOUT]`, times in milliseconds."""
    parts = words(argument)
    if len(parts) < 5:
        return
    gathering = Gathering(
        session,
        _count(parts[0]),
        _count(parts[1]) or 128,
        parts[5] if len(parts) > 5 else "#",
        _count(parts[4]) / 1000 or 1.0,
        _count(parts[6]) / 1000 if len(parts) > 6 else 0.0,
    )
    gathering.run(parts[2], parts[3])


@application("play_and_get_digits")
def play_and_get_digits(session: Session, argument: str) -> None:
    """`MIN MAX TRIES TIMEOUT TERMINATORS FILE INVALID_FILE [VARIABLE [REGEXP [DIGIT_TIMEOUT [TRANSFER]]]]`."""
    parts = words(argument, 11)
    if len(parts) < 7:
        return
    variable, pattern, digit_timeout, otherwise = [*parts[7:], "", "", "", ""][:4]
    least, tries = _count(parts[0]), _count(parts[2])
    gathering = Gathering(
        session, least, _count(parts[1]), parts[4], _count(parts[3]) / 1000, _count(digit_timeout) / 1000
    )
    channel = session.channel
    if variable and pattern:
        channel.set(f"{variable}_invalid", None)
    while session.ready() and tries > 0:
        gathering.run(parts[5], variable or None)
        if least == 0 and not gathering.digits and gathering.terminator:
            return
        if gathering.digits and len(gathering.digits) >= least:
            if not pattern or _matches(pattern, gathering.digits):
                return
            if variable:
                channel.set(f"{variable}_invalid", gathering.digits)
                channel.set(variable, None)
        if not session.ready():
            return
        if parts[6]:
            play(session, parts[6], None)
        tries -= 1
    if session.ready() and otherwise:
        session.switch.transfer(channel, otherwise.split()[0])


def _matches(pattern: str, digits: str) -> bool:
    try:
        return re.search(pattern, digits) is not None
    except re.error:
        return False


def _count(text: str) -> int:
    return int(text) if text.isdigit() else 0
