"""The music on hold, and the tones: composed here by arithmetic, so that they are ours to ship.

A calm piece in D major, sixteen bars of chords with an arpeggio and a sparse melody over them, for the telephone's band:
no note needs anything below 300 Hz to be heard. The notes are laid on a ring, so that what rings out at the end is heard
at the beginning and the piece repeats without a seam. The same seed gives the same piece.
"""

from __future__ import annotations

import array
import audioop
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from sounds import level
from sounds.wav import RATE

BAR_SECONDS = 4.8
SEED = 20

MUSIC_DBFS = -23.0
"""A little below speech, so that an announcement stands out."""

CHORDS: tuple[tuple[int, ...], ...] = (
    (2, 6, 9, 1),  # D major seventh
    (11, 2, 6, 9),  # B minor seventh
    (7, 11, 2, 6),  # G major seventh
    (9, 2, 4, 7),  # A suspended seventh
    (6, 9, 2, 4),  # D over F sharp, with its ninth
    (4, 7, 11, 2),  # E minor seventh
    (7, 11, 2, 9),  # G with its ninth
    (9, 1, 4, 6),  # A sixth
    (11, 2, 6, 9),
    (6, 9, 1, 4),  # F sharp minor seventh
    (7, 11, 2, 6),
    (2, 6, 9, 4),  # D with its ninth
    (4, 7, 11, 6),  # E minor with its ninth
    (9, 2, 4, 7),
    (2, 6, 9, 1),
    (9, 1, 4, 11),  # A with its ninth, which leads back to the beginning
)
"""One chord a bar as pitch classes, C being 0, the bass first."""

_FIGURES = ((0, 2, 1, 3, 2, 4, 3, 1), (0, 1, 2, 4, 3, 2, 1, 2), (1, 3, 2, 4, 0, 2, 3, 1), (0, 3, 1, 4, 2, 3, 1, 2))
_ECHOES = ((0.113, 0.22), (0.197, 0.17), (0.293, 0.13), (0.419, 0.09), (0.571, 0.06), (0.733, 0.04))


@dataclass(frozen=True, slots=True)
class Timbre:
    """How an instrument sounds: its partials as (multiple, strength, decay per second), seconds of attack, hold and
    release."""

    partials: tuple[tuple[float, float, float], ...]
    attack: float
    hold: float
    release: float


PAD = Timbre(
    ((0.9992, 0.8, 0.0), (1.0011, 0.3, 0.0), (2.001, 0.22, 0.05), (2.999, 0.10, 0.1), (4.0, 0.03, 0.2)),
    1.6,
    BAR_SECONDS - 1.2,
    2.6,
)
PLUCK = Timbre(((1.0, 1.0, 1.6), (2.0, 0.34, 2.6), (3.0, 0.14, 4.5), (4.01, 0.06, 7.0)), 0.012, 1.6, 1.2)
BELL = Timbre(((1.0, 1.0, 0.9), (2.0, 0.20, 1.8), (3.0, 0.10, 3.2)), 0.045, 1.8, 1.6)
BASS = Timbre(((1.0, 0.7, 0.35), (2.0, 0.6, 0.45), (3.0, 0.30, 0.7), (4.0, 0.10, 1.2)), 0.08, BAR_SECONDS - 1.6, 1.8)


def music(seed: int = SEED) -> bytes:
    """The piece as samples, about 77 s, to be played round and round."""
    chance = random.Random(seed)  # noqa: S311
    ring = _Ring(round(len(CHORDS) * BAR_SECONDS * RATE))
    voicing: tuple[int, ...] = (62, 66, 69, 73)
    tune = 78
    for bar, chord in enumerate(CHORDS):
        begin = bar * BAR_SECONDS
        voicing = _nearest_voicing(chord, voicing)
        for note in voicing:
            ring.add(begin - 0.5, note, PAD, 0.20)
        ring.add(begin, _in_range(chord[0], 48), BASS, 0.42)
        ladder = sorted({*voicing, *(note + 12 for note in voicing[:2])})
        figure = chance.choice(_FIGURES)
        for step, rung in enumerate(figure):
            if step and chance.random() < 0.12:
                continue
            late = chance.uniform(0.0, 0.018)
            strength = (0.40 if step % 4 == 0 else 0.29) * chance.uniform(0.85, 1.1)
            ring.add(begin + step * BAR_SECONDS / 8 + late, ladder[rung % len(ladder)], PLUCK, strength)
        for beat in chance.choice(((0.0,), (1.2,), (0.0, 2.4), (1.2, 3.6), ())):
            tune = _tune_note(chord, tune, chance)
            ring.add(begin + beat + chance.uniform(0.0, 0.02), tune, BELL, 0.30)
    return ring.finished()


def tone() -> bytes:
    """The tone after which a message is recorded: 0.4 s at 1 kHz."""
    return level.fade(_tone(1000.0, 0.4, -14.0), 0.015)


def pause() -> bytes:
    """A short silence between two sentences that are put together."""
    return bytes(2 * round(0.3 * RATE))


class _Ring:
    """A stretch of time whose end is joined to its beginning. Mixed in 32-bit samples."""

    def __init__(self, length: int) -> None:
        self.length = length
        self.sound = bytearray(length * 4)

    def add(self, seconds: float, note: int, timbre: Timbre, strength: float) -> None:
        # A thirtieth of full scale for a note leaves room for all that ever sound together.
        part = audioop.mul(_note(note, timbre), 4, strength / 30)
        position = round(seconds * RATE) % self.length * 4
        while part:
            piece, part = part[: len(self.sound) - position], part[len(self.sound) - position :]
            end = position + len(piece)
            self.sound[position:end] = audioop.add(bytes(self.sound[position:end]), piece, 4)
            position = 0

    def finished(self) -> bytes:
        """With a little room around it, at its loudness."""
        dry = bytes(self.sound)
        mixed = dry
        for delay, strength in _ECHOES:
            cut = round(delay * RATE) * 4
            mixed = audioop.add(mixed, audioop.mul(dry[-cut:] + dry[:-cut], 4, strength), 4)
        power = audioop.rms(mixed, 4) / 2**31
        scaled = audioop.mul(mixed, 4, min(10 ** (MUSIC_DBFS / 20) / power, 0.7 * 2**31 / audioop.max(mixed, 4)))
        return audioop.lin2lin(scaled, 4, 2)


@cache
def _note(note: int, timbre: Timbre) -> bytes:
    """One note, MIDI's number, at full scale for a strength of 1, as 32-bit samples."""
    length = round((timbre.attack + timbre.hold + timbre.release) * RATE)
    pitch = 440.0 * 2 ** ((note - 69) / 12)
    values = [0.0] * length
    for multiple, strength, decay in timbre.partials:
        turn = 2 * math.pi * pitch * multiple / RATE
        if turn > 0.85 * math.pi:
            continue
        # A turning point, damped at each step: sine and decay by one recurrence.
        damp = math.exp(-decay / RATE)
        first, second = 2 * damp * math.cos(turn), damp * damp
        before, now = -math.sin(turn) * strength / damp, 0.0
        for position in range(length):
            values[position] += now
            before, now = now, first * now - second * before
    rise, fall = round(timbre.attack * RATE), round(timbre.release * RATE)
    for position in range(rise):
        values[position] *= 0.5 - 0.5 * math.cos(math.pi * position / rise)
    for position in range(fall):
        values[length - 1 - position] *= 0.5 - 0.5 * math.cos(math.pi * position / fall)
    highest = sum(strength for _, strength, _ in timbre.partials)
    scale = (2**31 - 1) / highest
    samples = array.array("i", [round(value * scale) for value in values])
    return samples.tobytes()


def _nearest_voicing(chord: Sequence[int], before: Sequence[int]) -> tuple[int, ...]:
    """The chord's notes between A3 and A5, each as near as can be to where the chord before had its notes."""
    middle = sum(before) / len(before) * 0.6 + 67 * 0.4
    notes = {
        min((pitch + 12 * octave for octave in range(4, 7)), key=lambda note: abs(note - middle)) for pitch in chord
    }
    # Two notes a semitone apart would grate where they are held: the lower one goes up an octave.
    return tuple(sorted(note + 12 if note + 1 in notes else note for note in notes))


def _tune_note(chord: Sequence[int], before: int, chance: random.Random) -> int:
    """The next note of the melody: of the chord, a small step from the one before, between A4 and B5."""
    notes = [note for note in range(73, 84) if note % 12 in chord and note != before]
    notes.sort(key=lambda note: abs(note - before))
    return chance.choice(notes[:2])


def _in_range(pitch: int, lowest: int) -> int:
    return lowest + (pitch - lowest) % 12


def _tone(hertz: float, seconds: float, dbfs: float) -> bytes:
    highest = 10 ** (dbfs / 20) * 32767
    length = round(seconds * RATE)
    return level.to_bytes(
        array.array("h", [round(highest * math.sin(2 * math.pi * hertz * n / RATE)) for n in range(length)])
    )
