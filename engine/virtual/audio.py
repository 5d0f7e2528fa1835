"""How long sounds last, and recordings that have the right length."""

from __future__ import annotations

import array
import math
import re
import wave
from functools import lru_cache
from pathlib import Path

from engine.virtual.errors import SoundMissing

RATE = 8000
_TONE = re.compile(r"%\(\s*(-?\d+)\s*,\s*(-?\d+)\s*[^)]*\)")
_LOOPS = re.compile(r";loops=(-?\d+)")


def pieces(source: str) -> list[str]:
    """The sounds of one argument: `file_string://a!b` is two, one after the other; leading `{parameters}` fall away."""
    source = re.sub(r"^\{[^}]*\}", "", source.strip())
    if source.startswith("file_string://"):
        return [piece for piece in source.removeprefix("file_string://").split("!") if piece]
    return [source]


def seconds(sound: str, folder: Path | None = None) -> float | None:
    """How long one sound plays; None for one without end. Files that are not absolute are looked for in `folder`.
    SoundMissing where nothing can be played."""
    scheme, separator, rest = sound.partition("://")
    if not separator:
        return file_seconds(sound, folder)
    if scheme in {"local_stream", "portaudio_stream", "shout", "http", "https"}:
        return None
    if scheme == "silence_stream":
        return _silence(rest)
    if scheme == "tone_stream":
        return _tones(rest)
    raise SoundMissing(sound)


def file_seconds(name: str, folder: Path | None) -> float:
    path = Path(name)
    if not path.is_absolute() and folder is not None:
        path = folder / name
    try:
        status = path.stat()
        return _wave_seconds(str(path), status.st_mtime_ns, status.st_size)
    except (OSError, EOFError, wave.Error, ValueError) as error:
        raise SoundMissing(name) from error


@lru_cache(maxsize=2048)
def _wave_seconds(path: str, _changed: int, _size: int) -> float:
    with wave.open(path, "rb") as sound:
        return sound.getnframes() / sound.getframerate()


def _silence(rest: str) -> float | None:
    try:
        milliseconds = int(rest.split(",", maxsplit=1)[0])
    except ValueError as error:
        raise SoundMissing(f"silence_stream://{rest}") from error
    return None if milliseconds < 0 else milliseconds / 1000


def _tones(rest: str) -> float | None:
    tones = _TONE.findall(rest)
    if not tones:
        raise SoundMissing(f"tone_stream://{rest}")
    once = sum(max(0, int(on)) + max(0, int(off)) for on, off in tones) / 1000
    loops = _LOOPS.search(rest)
    times = int(loops[1]) if loops else 1
    return None if times < 0 else once * max(1, times)


def write_wave(path: Path, length: float, channels: int) -> None:
    """A WAV file of `length` seconds, 8 kHz 16 bit, each channel with a quiet tone of its own. OSError where it cannot be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    frames = max(0, round(length * RATE))
    second = _second(channels)
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(channels)
        sound.setsampwidth(2)
        sound.setframerate(RATE)
        for _ in range(frames // RATE):
            sound.writeframesraw(second)
        sound.writeframes(second[: frames % RATE * 2 * channels])


@lru_cache(maxsize=2)
def _second(channels: int) -> bytes:
    pitches = (330, 440)[:channels]
    samples = array.array("h")
    for position in range(RATE):
        for pitch in pitches:
            samples.append(round(2500 * math.sin(2 * math.pi * pitch * position / RATE)))
    return samples.tobytes()
