"""Tones that stand for who speaks and what is played, and how they are found again in what was heard or recorded."""

from __future__ import annotations

import array
import math
import wave
from collections.abc import Sequence
from pathlib import Path

RATE = 8000
LOUD = 0.3
"""How loud tones are spoken, of full scale."""
LEAST = 0.05
"""A tone this loud is there. Others, 100 Hz and more away, leave a tenth of that in a window, also where they begin or end."""
WINDOW = 0.1
_HEAD = 44
"""Bytes before the samples of a plain WAV file."""


def tone(hertz: float, loudness: float = LOUD, seconds: float = 10.0) -> bytes:
    """A sine, 8 kHz 16-bit mono."""
    wave_form = (int(32767 * loudness * math.sin(2 * math.pi * hertz * n / RATE)) for n in range(int(RATE * seconds)))
    return array.array("h", wave_form).tobytes()


def write_tone(path: Path, hertz: float, seconds: float) -> Path:
    """A WAV of a sine, of whole hertz where it is longer than ten seconds."""
    rounds, rest = divmod(seconds, 10.0)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        # Whole periods meet where it starts over.
        file.writeframes((tone(hertz) * int(rounds) if rounds else b"") + tone(hertz, seconds=rest))
    return path


def loudness_of(path: Path, hertz: float, *, channel: int = 0, window: float = WINDOW) -> list[float]:
    """How loud a tone of `hertz` is in each window of a WAV, 0 to 1 of full scale."""
    with wave.open(str(path), "rb") as file:
        rate, channels = file.getframerate(), file.getnchannels()
        samples = memoryview(file.readframes(file.getnframes())).cast("h")[channel::channels].tolist()
    return _levels(samples, hertz, rate, int(rate * window))


def seconds_of_tone(path: Path, hertz: float, *, channel: int = 0, least: float = LEAST) -> float:
    """For how long the tone is there in the WAV, altogether and to a window: gaps in it count for nothing."""
    return _seconds(loudness_of(path, hertz, channel=channel), least)


def when(path: Path, hertz: float) -> list[float]:
    """The seconds from the beginning of a WAV at which the tone is there."""
    return [place * WINDOW for place, level in enumerate(loudness_of(path, hertz)) if level >= LEAST]


class Ear:
    """How long a tone was heard so far, in a file that a phone still writes."""

    def __init__(self, path: Path, hertz: float) -> None:
        self._path = path
        self._hertz = hertz
        self._read = _HEAD
        self._levels: list[float] = []

    def seconds(self) -> float:
        size = int(RATE * WINDOW)
        with self._path.open("rb") as file:
            file.seek(self._read)
            data = file.read()
        data = data[: len(data) // (2 * size) * 2 * size]
        self._read += len(data)
        self._levels += _levels(memoryview(data).cast("h").tolist(), self._hertz, RATE, size)
        return _seconds(self._levels, LEAST)


def _seconds(levels: Sequence[float], least: float) -> float:
    return round(WINDOW * sum(level >= least for level in levels), 3)


def _levels(samples: Sequence[int], hertz: float, rate: int, size: int) -> list[float]:
    """Goertzel's filter."""
    turn = 2 * math.cos(2 * math.pi * hertz / rate)
    levels = []
    for start in range(0, len(samples) - size + 1, size):
        last = before = 0.0
        for sample in samples[start : start + size]:
            last, before = sample + turn * last - before, last
        power = max(0.0, last * last + before * before - turn * last * before)
        levels.append(2 * math.sqrt(power) / size / 32768)
    return levels
