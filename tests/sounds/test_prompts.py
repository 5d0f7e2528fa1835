"""The prompts and the music that come with Pointsman: complete, of one loudness, clean at their edges."""

from __future__ import annotations

import array
import audioop
import random
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from sounds import catalogue, composer, level, music, wav

ENGLISH = catalogue.SHIPPED / "en"
TEXTS = catalogue.read_texts(ENGLISH / catalogue.TEXTS)
SPOKEN = sorted(TEXTS)
TONES = {"tone", "pause"}


def test_every_text_has_audio_and_every_audio_a_text() -> None:
    assert {path.stem for path in ENGLISH.glob("*.wav")} == set(TEXTS) | TONES


@pytest.mark.parametrize("name", SPOKEN)
def test_spoken_prompt_is_clean(name: str) -> None:
    samples = wav.read(ENGLISH / f"{name}.wav")
    assert level.loudness(samples) == pytest.approx(level.LOUDNESS_DBFS, abs=1.0)
    assert level.peak(samples) <= level.PEAK_DBFS + 0.1
    assert abs(audioop.avg(samples, 2)) < 40
    ends = array.array("h", samples)
    assert max(abs(ends[0]), abs(ends[-1])) < 60
    blocks = [audioop.rms(samples[at : at + 160], 2) for at in range(0, len(samples) - 159, 160)]
    loud = [at for at, rms in enumerate(blocks) if rms > 60]
    assert loud[0] * 0.01 <= 0.15, "silence before"
    assert (len(blocks) - 1 - loud[-1]) * 0.01 <= 0.15, "silence after"


@pytest.mark.parametrize("name", SPOKEN)
def test_length_fits_the_text(name: str) -> None:
    pace = len(TEXTS[name]) / wav.seconds(ENGLISH / f"{name}.wav")
    assert 2 < pace < 25, f"{pace:.1f} characters a second"


def test_whole_size_stays_small() -> None:
    sizes = Counter[str]()
    for path in catalogue.SHIPPED.rglob("*.wav"):
        sizes[path.parent.name] += path.stat().st_size
    # English says everything: eight minutes, of 16 kB a second as FreeSWITCH plays them without converting anything. Of the
    # others there is what numbers, times and dates are put together from.
    assert sizes.pop("en") < 7.5 * 1024 * 1024
    assert max(sizes.values()) < 4 * 1024 * 1024
    assert music.DEFAULT.stat().st_size < 1.5 * 1024 * 1024


def test_tone_is_even_without_clicks() -> None:
    samples = composer.tone()
    assert wav.read(ENGLISH / "tone.wav") == samples
    values = array.array("h", samples)
    assert sum(1 for before, after in pairwise(values) if before < 0 <= after) == pytest.approx(400, abs=3)
    assert abs(values[0]) < 30
    assert abs(values[-1]) < 30


def test_music_repeats_without_a_seam() -> None:
    values = array.array("h", wav.read(music.DEFAULT))
    assert 60 <= len(values) / wav.RATE <= 90
    steps = [abs(after - before) for before, after in pairwise(values)]
    seam = abs(values[0] - values[-1])
    assert seam <= 4 * sum(steps) / len(steps)
    # A click bends the curve more sharply than anything in the piece does.
    bends = [abs(c - 2 * b + a) for a, b, c in zip(values, values[1:], values[2:], strict=False)]
    around = [*values[-3:], *values[:3]]
    assert max(abs(c - 2 * b + a) for a, b, c in zip(around, around[1:], around[2:], strict=False)) <= max(bends)


def test_music_is_of_even_level() -> None:
    samples = wav.read(music.DEFAULT)
    assert level.loudness(samples) == pytest.approx(composer.MUSIC_DBFS, abs=1.0)
    assert level.peak(samples) < -4
    whole = audioop.rms(samples, 2)
    second = wav.RATE * 2
    for at in range(0, len(samples) - second + 1, second):
        assert whole / 3 < audioop.rms(samples[at : at + second], 2) < whole * 2.2


def test_same_seed_gives_the_same_music() -> None:
    piece = composer.music()
    assert piece == composer.music()
    assert piece != composer.music(seed=random.Random(1).randrange(100, 200))
    # Another machine's sine may round a sample the other way.
    difference = audioop.add(piece, audioop.mul(wav.read(music.DEFAULT), 2, -1), 2)
    assert audioop.max(difference, 2) <= 2


def test_own_music_takes_the_place_of_the_shipped(tmp_path: Path) -> None:
    assert music.files(tmp_path) == [music.DEFAULT]
    (tmp_path / "music").mkdir()
    (tmp_path / "music" / "broken.wav").write_bytes(b"RIFF but no more")
    assert music.files(tmp_path) == [music.DEFAULT]
    assert music.folder(tmp_path) == music.SHIPPED
    own = tmp_path / "music" / "own.wav"
    wav.write(own, composer.tone())
    assert music.files(tmp_path) == [own]
    assert music.folder(tmp_path) == tmp_path / "music"
