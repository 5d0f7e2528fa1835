"""The one form all our audio has: 8 kHz, 16 bit, mono, uncompressed, in a WAV file.

FreeSWITCH plays it on a telephone call without converting anything.
"""

from __future__ import annotations

import wave
from pathlib import Path

from sounds.errors import AudioUnusable

RATE = 8000
"""Samples a second."""

_HEAD = 44
"""Bytes that a WAV file has before its samples, at least."""

WANTED = "8 kHz 16-bit mono WAV"


def read(path: Path) -> bytes:
    """The samples of a file in our form, signed 16-bit little-endian. AudioUnusable where it is another."""
    try:
        with wave.open(str(path), "rb") as reader:
            _check(path, reader)
            return reader.readframes(reader.getnframes())
    except (wave.Error, EOFError) as error:
        raise AudioUnusable(f"{path}: {_fault(error)}; wanted is {WANTED}") from error


def seconds(path: Path) -> float:
    """How long a file in our form plays. AudioUnusable where it is another, is empty or is cut short."""
    try:
        with wave.open(str(path), "rb") as reader:
            _check(path, reader)
            frames = reader.getnframes()
    except (wave.Error, EOFError) as error:
        raise AudioUnusable(f"{path}: {_fault(error)}; wanted is {WANTED}") from error
    if not frames:
        raise AudioUnusable(f"{path}: holds no sound")
    if path.stat().st_size < frames * 2 + _HEAD:
        raise AudioUnusable(f"{path}: is cut short, its header promises {frames / RATE:.1f} s")
    return frames / RATE


def write(path: Path, samples: bytes) -> None:
    """Write samples as `read` returns them; the file is complete or not there at all. AudioUnusable where
    it cannot be written."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with wave.open(str(unfinished), "wb") as writer:
            writer.setnchannels(1)
            writer.setsampwidth(2)
            writer.setframerate(RATE)
            writer.writeframes(samples)
        unfinished.replace(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise AudioUnusable(f"{path}: cannot be written ({error.strerror})") from error


def _check(path: Path, reader: wave.Wave_read) -> None:
    rate, bits, channels = reader.getframerate(), reader.getsampwidth() * 8, reader.getnchannels()
    if (rate, bits, channels) != (RATE, 16, 1):
        shape = {1: "mono", 2: "stereo"}.get(channels, f"{channels} channels")
        raise AudioUnusable(f"{path}: is {rate / 1000:g} kHz {bits}-bit {shape}; wanted is {WANTED}")


def _fault(error: Exception) -> str:
    return f"is no WAV file that can be read ({str(error) or 'it ends too early'})"
