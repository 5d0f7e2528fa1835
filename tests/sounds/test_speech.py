"""Texts spoken while a call waits."""

from __future__ import annotations

from pathlib import Path

import pytest

from sounds import synthesis, wav
from sounds.errors import SynthesisFailed
from sounds.speech import Speech


def speakable() -> bool:
    return any(voice.speaks("en") for voice in synthesis.synthesisers())


spoken = pytest.mark.skipif(not speakable(), reason="no synthesiser is installed here")


@spoken
def test_a_text_is_spoken_once_and_kept(tmp_path: Path) -> None:
    speech = Speech(tmp_path / "speech")
    first = Path(speech.file("Forty two   Main Street", "en"))
    assert wav.seconds(first) > 0.5
    written = first.stat().st_ino
    assert Path(speech.file("Forty two Main Street", "en")) == first
    assert first.stat().st_ino == written
    assert speech.file("Another text", "en") != str(first)


@spoken
def test_only_so_many_are_kept(tmp_path: Path) -> None:
    speech = Speech(tmp_path, most_files=2)
    for text in ("one", "two", "three"):
        speech.file(text, "en")
    assert len(list(tmp_path.glob("*.wav"))) == 2


def test_what_cannot_be_spoken(tmp_path: Path) -> None:
    for text, language in (("", "en"), ("Hello", "tlh")):
        with pytest.raises(SynthesisFailed):
            Speech(tmp_path).file(text, language)
