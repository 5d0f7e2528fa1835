"""Recordings: `record` on the line itself, and those that run beside a call. They are real WAV files of the right length."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from engine.virtual import audio
from engine.virtual.applications import application
from engine.virtual.channel import Channel, Recording
from engine.virtual.encode import line, words
from engine.virtual.playing import stops_at

if TYPE_CHECKING:
    from engine.virtual.session import Session
    from engine.virtual.switch import Switch

log = structlog.get_logger(__name__)

SILENCE_HITS = 3
"""Seconds of silence that end a `record` which was given a threshold and no count (switch_ivr_play_say.c:763)."""


class Recorder:
    """The recordings beside calls, and the writing of all of them."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch

    def start(self, channel: Channel, path: str, limit: float | None = None) -> bool:
        """Record from now on; False where the file cannot be written or is being written already."""
        if path in channel.recordings or not self.write(Path(path), 0.0, 1):
            return False
        channels = 2 if channel.says_yes("RECORD_STEREO") else 1
        channel.recordings[path] = Recording(Path(path), channels, self._switch.clock.monotonic(), limit)
        channel.fire("RECORD_START", after=line("Record-File-Path", path))
        if limit:
            self._switch.after(limit, lambda: self.stop(channel, path, "limit"))
        return True

    def stop(self, channel: Channel, path: str, why: str = "stopped") -> bool:
        """End one recording; False where there is none of that name."""
        recording = channel.recordings.pop(path, None)
        if recording is None:
            return False
        seconds = self._switch.clock.monotonic() - recording.began
        if recording.limit:
            seconds = min(seconds, recording.limit)
        self.write(recording.path, seconds, recording.channels)
        self.account(channel, seconds)
        completion = "hangup" if why == "hangup" else "success-limit" if why == "limit" else "success"
        after = line("Record-File-Path", path) + line("Record-Completion-Cause", completion)
        channel.fire("RECORD_STOP", after=after)
        return True

    def stop_all(self, channel: Channel) -> None:
        for path in list(channel.recordings):
            self.stop(channel, path, "hangup")

    @staticmethod
    def write(path: Path, seconds: float, channels: int) -> bool:
        try:
            audio.write_wave(path, seconds, channels)
        except OSError as error:
            log.warning("recording cannot be written", path=str(path), fault=str(error))
            return False
        return True

    @staticmethod
    def account(channel: Channel, seconds: float) -> None:
        channel.set_all({"record_seconds": str(int(seconds)), "record_ms": str(round(seconds * 1000))})
        channel.set("record_samples", str(round(seconds * audio.RATE)))


@application("record")
def record(session: Session, argument: str) -> None:
    """`PATH [LIMIT [THRESHOLD [SILENCE_SECONDS]]]`: until a key of `playback_terminators`, silence, the limit or the end.

    The far end talks for a while and then is silent; with a threshold that silence ends the recording.
    """
    parts = words(argument)
    channel = session.channel
    if not parts or not session.switch.recorder.write(Path(parts[0]), 0.0, 1):
        channel.hangup("DESTINATION_OUT_OF_ORDER")
        return
    channel.pre_answer()
    channel.set("playback_terminator_used", None)
    channel.set("silence_hits_exhausted", "false")
    told = line("Record-File-Path", parts[0])
    channel.fire("RECORD_START", after=told)
    channel.ear.recording(True)
    limit = _seconds(parts, 1)
    if limit == 0:
        limit = float("inf")
    silence = float("inf")
    if _seconds(parts, 2) > 0:
        silence = channel.ear.speaks_for + (_seconds(parts, 3) or SILENCE_HITS)
    seconds = _record_until(session, min(limit, silence))
    if session.ready() and seconds >= silence and silence < limit:
        channel.set("silence_hits_exhausted", "true")
    channel.ear.recording(False)
    session.switch.recorder.write(Path(parts[0]), seconds, 1)
    session.switch.recorder.account(channel, seconds)
    channel.fire("RECORD_STOP", after=told)


def _record_until(session: Session, most: float) -> float:
    """Seconds recorded when a key, a break, the end, or `most` seconds ended it."""
    channel, clock = session.channel, session.clock
    began = clock.monotonic()
    until = None if most == float("inf") else began + most
    on_digit = stops_at(session)
    session.broken = False
    while session.ready() and not session.broken:
        if session.has_work:
            session.parse_messages()
        elif channel.digits:
            if on_digit(channel.next_digit() or ""):
                break
        elif until is not None and clock.monotonic() >= until:
            return most
        else:
            session.idle(until)
    session.broken = False
    return min(clock.monotonic() - began, most)


def _seconds(parts: list[str], position: int) -> float:
    text = parts[position].lstrip("+") if len(parts) > position else ""
    return float(text) if text.isdigit() else 0.0


@application("record_session")
def record_session(session: Session, argument: str) -> None:
    """`PATH [+LIMIT]`: both sides of the talk, until `stop_record_session` or the end. Stereo with `RECORD_STEREO`."""
    path, _, limit = argument.strip().partition(" +")
    if path:
        session.switch.recorder.start(session.channel, path, float(limit) if limit.isdigit() else None)


@application("stop_record_session")
def stop_record_session(session: Session, argument: str) -> None:
    if argument.strip() == "all":
        for path in list(session.channel.recordings):
            session.switch.recorder.stop(session.channel, path)
    else:
        session.switch.recorder.stop(session.channel, argument.strip())
