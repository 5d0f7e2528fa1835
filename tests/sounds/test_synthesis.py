"""Speech from text, and the commands around prompts. What needs a synthesiser is skipped where there is none."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sounds import level, synthesis, wav
from sounds.catalogue import Catalogue
from sounds.errors import SynthesisFailed

needs_flite = pytest.mark.skipif(shutil.which("flite") is None, reason="flite is not installed")
needs_espeak = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")


@needs_flite
def test_a_prompt_is_finished_audio() -> None:
    samples = synthesis.prompt("Thank you for calling.", "en", synthesis.Flite())
    assert 0.8 < len(samples) / 2 / wav.RATE < 2.5
    assert level.loudness(samples) == pytest.approx(level.LOUDNESS_DBFS, abs=1)


@needs_flite
def test_the_end_of_a_word_is_heard() -> None:
    flite = synthesis.Flite()
    assert len(synthesis.prompt("hours", "en", flite)) > len(synthesis.prompt("hour", "en", flite))


@needs_flite
@pytest.mark.parametrize("text", ["-voice rms -t owned", "; touch /tmp/owned", "$(id)", "--help"])
def test_a_text_is_never_an_option(text: str) -> None:
    assert synthesis.prompt(text, "en", synthesis.Flite())


@needs_flite
def test_flite_speaks_english_alone() -> None:
    with pytest.raises(SynthesisFailed, match="does not speak 'da'"):
        synthesis.Flite().say("goddag", "da")


@needs_espeak
@pytest.mark.parametrize(
    ("language", "text"), [("da", "Goddag, og velkommen."), ("pl", "Dzień dobry."), ("pt-BR", "Bom dia.")]
)
def test_other_languages(language: str, text: str) -> None:
    assert len(synthesis.prompt(text, language, synthesis.choose(language))) > wav.RATE


@needs_flite
def test_english_is_spoken_by_the_most_natural_voice() -> None:
    assert synthesis.choose("en-GB").name == "flite"


@needs_flite
@pytest.mark.parametrize("text", ["", "   ", "word " * 1000])
def test_texts_that_cannot_be_spoken(text: str) -> None:
    with pytest.raises(SynthesisFailed):
        synthesis.Flite().say(text, "en")


def test_without_a_synthesiser_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SynthesisFailed, match="install flite or espeak-ng"):
        synthesis.choose("en")
    with pytest.raises(SynthesisFailed, match="no synthesiser 'gramophone'"):
        synthesis.choose("en", "gramophone")


def prompts(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    code = "from sounds.commands import prompts; prompts()"
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, *arguments],
        env=os.environ | {"POINTSMAN_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_recording_is_added_listed_and_checked(tmp_path: Path) -> None:
    source = tmp_path / "mine.wav"
    wav.write(source, level.fade(b"\x10\x20\xf0\xdf" * 8000))
    added = prompts(tmp_path, "add", "goodbye", str(source), "--text", "So long.")
    assert added.returncode == 0, added.stderr
    prompt = Catalogue.of_home(tmp_path).find("goodbye", "en")
    assert prompt.path.is_relative_to(tmp_path)
    assert prompt.text == "So long."
    [line] = [line for line in prompts(tmp_path, "list").stdout.splitlines() if line.startswith("goodbye ")]
    assert "own" in line
    assert "So long." in line
    assert prompts(tmp_path, "check").returncode == 0
    prompt.path.write_bytes(b"no sound")
    checked = prompts(tmp_path, "check")
    assert checked.returncode == 1
    assert str(prompt.path) in checked.stdout


def test_check_names_what_a_language_lacks(tmp_path: Path) -> None:
    (tmp_path / "prompts" / "da").mkdir(parents=True)
    (tmp_path / "prompts" / "da" / "prompts.yaml").write_text("goodbye: Farvel.\nhello: Goddag.\n", encoding="utf-8")
    wav.write(tmp_path / "prompts" / "da" / "hello.wav", bytes(16000))
    checked = prompts(tmp_path, "check")
    assert checked.stdout.splitlines() == ["da: goodbye has no audio"]


@needs_espeak
def test_a_language_is_built_from_its_texts(tmp_path: Path) -> None:
    folder = tmp_path / "prompts"
    (folder / "sv").mkdir(parents=True)
    (folder / "sv" / "prompts.yaml").write_text("goodbye: Tack för samtalet. Hej då.\n", encoding="utf-8")
    built = prompts(tmp_path, "build", str(folder))
    assert built.returncode == 0, built.stderr
    known = Catalogue.of_home(tmp_path)
    assert known.find("goodbye", "sv").language == "sv"
    assert known.names("sv") == ["goodbye", "pause", "tone"]
