"""Speech from text, by programs that a machine may have; nothing that runs a call needs it.

`pointsman prompts build` speaks the shipped texts again. Ours were spoken by flite's voice slt, the most natural one that
Debian carries; espeak-ng speaks most languages of the world.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import wave
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Protocol

from sounds import level
from sounds.errors import SynthesisFailed

TIMEOUT = 60.0
"""Seconds that one text may take."""

LONGEST_TEXT = 2000
"""Characters of one text."""


class Synthesiser(Protocol):
    """Something that speaks."""

    @property
    def name(self) -> str:
        """What it is called on the command line."""

    def speaks(self, language: str) -> bool:
        """Whether it is installed here and knows the language."""

    def say(self, text: str, language: str) -> bytes:
        """The text as samples: 8 kHz, signed 16-bit little-endian, mono, as loud and with the silence the voice gives.

        SynthesisFailed where it is not installed, does not know the language, or nothing came of it.
        """


class Flite:
    """CMU Flite, English alone."""

    name = "flite"

    def __init__(self, voice: str = "slt", stretch: float = 1.04) -> None:
        self.voice = voice
        self.stretch = stretch
        """How much slower than the voice's own pace; a telephone asks for a little."""

    def speaks(self, language: str) -> bool:
        return language.partition("-")[0] == "en" and shutil.which("flite") is not None

    def say(self, text: str, language: str) -> bytes:
        _require(self, language)
        options = ["flite", "-voice", self.voice, "--setf", f"duration_stretch={self.stretch}"]
        return _spoken_by(text, lambda script, audio: [*options, "-f", str(script), "-o", str(audio)])


class Espeak:
    """eSpeak NG, a hundred languages, less natural."""

    name = "espeak-ng"
    called: ClassVar[Mapping[str, str]] = {"zh": "cmn", "no": "nb"}
    """Languages that it knows by another tag."""

    def __init__(self, words_a_minute: int = 155) -> None:
        self.words_a_minute = words_a_minute
        self._voices: frozenset[str] | None = None

    def speaks(self, language: str) -> bool:
        return self._voice(language) is not None

    def say(self, text: str, language: str) -> bytes:
        _require(self, language)
        options = ["espeak-ng", "-v", str(self._voice(language)), "-s", str(self.words_a_minute)]
        return _spoken_by(text, lambda script, audio: [*options, "-f", str(script), "-w", str(audio)])

    def _voice(self, language: str) -> str | None:
        if self._voices is None:
            self._voices = self._ask_voices()
        base = language.partition("-")[0].lower()
        tags = (language.lower(), base, self.called.get(base, base))
        return next((tag for tag in tags if tag in self._voices), None)

    def _ask_voices(self) -> frozenset[str]:
        if shutil.which("espeak-ng") is None:
            return frozenset()
        listed = _run(["espeak-ng", "--voices"])
        codes = {line.split()[1].lower() for line in listed.splitlines()[1:] if len(line.split()) > 1}
        return frozenset(codes | {code.partition("-")[0] for code in codes})


def synthesisers() -> list[Synthesiser]:
    """Those we know, the most natural first."""
    return [Flite(), Espeak()]


def choose(language: str, name: str | None = None) -> Synthesiser:
    """The best one here that speaks the language, or the one named. SynthesisFailed says what to install."""
    known = [voice for voice in synthesisers() if name in (None, voice.name)]
    for voice in known:
        if voice.speaks(language):
            return voice
    if not known:
        names = ", ".join(voice.name for voice in synthesisers())
        raise SynthesisFailed(f"there is no synthesiser {name!r}; known are {names}")
    wanted = " or ".join(voice.name for voice in known)
    raise SynthesisFailed(f"nothing here speaks {language!r}: install {wanted}, or record the prompts")


def prompt(text: str, language: str, voice: Synthesiser) -> bytes:
    """A text as a finished prompt, samples as `sounds.wav.write` takes them.

    A sentence keeps a short breath at its ends. A fragment (a text that no mark closes) is cut close, since others are
    joined to it.
    """
    sentence = text.rstrip().endswith((".", "!", "?", "。"))
    samples = level.even(level.brighten(voice.say(text, language)))
    # A synthesiser's pauses are quiet enough to tell them from the s and f that end a word, far below its vowels.
    samples = level.trim(samples, lead=0.03, tail=0.1 if sentence else 0.04, threshold_dbfs=-54)
    if not samples:
        raise SynthesisFailed(f"{voice.name} gave only silence for {text!r}")
    return level.fade(level.even(samples))


def _require(voice: Synthesiser, language: str) -> None:
    if not voice.speaks(language):
        raise SynthesisFailed(f"{voice.name} is not installed here or does not speak {language!r}")


class _Command(Protocol):
    def __call__(self, script: Path, audio: Path, /) -> Sequence[str]: ...


def _spoken_by(text: str, command: _Command) -> bytes:
    """What a program made of a text that lies in a file, so that no text can be taken for an option."""
    text = " ".join(text.split())
    if not text:
        raise SynthesisFailed("there is no text to speak")
    if len(text) > LONGEST_TEXT:
        raise SynthesisFailed(f"the text has {len(text)} characters; {LONGEST_TEXT} is the most")
    with tempfile.TemporaryDirectory(prefix="pointsman-speech-") as folder:
        script, audio = Path(folder, "text.txt"), Path(folder, "speech.wav")
        script.write_text(text + "\n", encoding="utf-8")
        _run(command(script, audio))
        try:
            with wave.open(str(audio), "rb") as reader:
                if (reader.getsampwidth(), reader.getnchannels()) != (2, 1):
                    raise SynthesisFailed("the synthesiser gave audio that is not 16-bit mono")
                rate, samples = reader.getframerate(), reader.readframes(reader.getnframes())
        except (OSError, EOFError, wave.Error) as error:
            raise SynthesisFailed(f"the synthesiser gave no audio for {text!r}: {error}") from error
    return level.resample(level.lower_sibilants(samples, rate), rate)


def _run(command: Sequence[str]) -> str:
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=TIMEOUT, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SynthesisFailed(f"{command[0]} could not speak: {error}") from error
    if done.returncode:
        why = done.stderr.decode(errors="replace").strip() or f"exit code {done.returncode}"
        raise SynthesisFailed(f"{command[0]} could not speak: {why}")
    return done.stdout.decode(errors="replace")
