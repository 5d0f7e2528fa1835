"""What is done to the library: uploads taken in, texts spoken, versions rolled back, prompts renamed, copied and deleted; each
with its checks, for pages and the API alike."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import BaseModel, Field
from werkzeug.datastructures import FileStorage

from admin.access import Viewer
from admin.forms import Refused, sentence
from admin.parts import Parts
from admin.prompts.shelf import shelf
from admin.prompts.usage import Use
from sounds import apart, catalogue, level, music, synthesis
from sounds.convert import Converted, Limits
from sounds.errors import AudioUnusable, PromptExists, PromptMissing, SynthesisFailed, TextsBroken
from sounds.library import LONGEST_NOTE, LONGEST_TEXT, Origin

LIMITS: Final = Limits(most_bytes=32 * 2**20, most_seconds=300.0)
"""What a prompt's file may be."""

FORM_BYTES: Final = 64 * 1024
"""What a form's other fields and its frame may take beside the file."""

NAMED_USES: Final = 4


class WordsIn(BaseModel):
    """What a prompt says and what is to be known about it; what is left out stays as it is."""

    text: str | None = Field(default=None, title="Words", max_length=LONGEST_TEXT)
    note: str | None = Field(default=None, title="Note", max_length=LONGEST_NOTE)


class SpeechIn(BaseModel):
    """A text to be spoken by a synthesiser."""

    text: str = Field(title="Words", min_length=1, max_length=LONGEST_TEXT)
    voice: str = Field(default="", title="Voice", max_length=40, description="One of the voices there are, or nothing.")


class NewNameIn(BaseModel):
    """Another name for a prompt."""

    name: str = Field(title="Name", min_length=1, max_length=80)


@dataclass(frozen=True, slots=True)
class Made:
    """A version that callers hear from now on. `was` is the kind of the file it was made from."""

    name: str
    language: str
    version: int
    seconds: float
    was: str


def named(name: str, language: str) -> None:
    """See that a prompt may be called so. Refused says what a name looks like."""
    if not catalogue.is_name(name):
        raise Refused("name", "A name has small letters, digits and _ only, 80 at most: for example welcome_summer.")
    try:
        catalogue.check_language(language)
    except AudioUnusable as fault:
        raise Refused("language", sentence(str(fault))) from fault


def upload(
    parts: Parts, who: Viewer, name: str, language: str, file: FileStorage | None, *, origin: Origin, text: str = ""
) -> Made:
    """Take a recording in and let callers hear it. Refused says what is wrong with it; nothing is changed then."""
    named(name, language)
    with _received(file) as (source, called), _faults("file"):
        target = source.with_name("prompt.wav")
        done = _converted(source, target, LIMITS, called, loudness=level.LOUDNESS_DBFS)
        return _keep(parts, who, name, language, target, origin=origin, text=text or None, done=done)


def speak(parts: Parts, who: Viewer, name: str, language: str, wanted: SpeechIn) -> Made:
    """Have a text spoken and let callers hear it. Refused where no synthesiser speaks the language."""
    named(name, language)
    with tempfile.TemporaryDirectory(prefix="pointsman-prompt-") as folder, _faults("text"):
        target = Path(folder, "prompt.wav")
        with shelf().turns:
            seconds = apart.speak(wanted.text, language, target, voice=wanted.voice or None)
        done = Converted(target, seconds, level.LOUDNESS_DBFS, "")
        return _keep(parts, who, name, language, target, origin="speech", text=wanted.text, done=done)


def voices(language: str) -> list[str]:
    """The synthesisers of this machine that speak the language, the most natural first."""
    return [voice.name for voice in synthesis.synthesisers() if voice.speaks(language)]


def describe(name: str, language: str, wanted: WordsIn) -> None:
    """Write down what a prompt says and what is to be known about it."""
    named(name, language)
    with _faults("text"):
        shelf().library.describe(name, language, text=wanted.text, note=wanted.note)
    shelf().catalogue.forget()


def roll_back(parts: Parts, name: str, language: str, version: int | None) -> None:
    """Let callers hear an earlier version again, None being the shipped one."""
    named(name, language)
    with _faults(""):
        shelf().library.roll_back(name, language, version, at=parts.clock.now())
    shelf().catalogue.forget()


def delete(name: str, language: str) -> None:
    """Take an own prompt away. Refused while something would miss it, naming what."""
    named(name, language)
    if not (catalogue.SHIPPED / language / f"{name}.wav").is_file():
        _refuse_used(shelf().uses(name), "deleted")
    with _faults(""):
        shelf().library.delete(name, language)
    shelf().catalogue.forget()


def rename(name: str, new: str) -> list[str]:
    """Call a prompt by another name, in all its languages; those. Refused while something calls it by the old one."""
    named(new, catalogue.DEFAULT_LANGUAGE)
    _refuse_used(shelf().uses(name), "renamed; copy it to the new name, and change these to that")
    with _faults("name"):
        languages = shelf().library.rename(name, new)
    shelf().catalogue.forget()
    return languages


def copy(parts: Parts, who: Viewer, name: str, new: str) -> list[str]:
    """Have a prompt under another name as well, in all its languages; those."""
    named(new, catalogue.DEFAULT_LANGUAGE)
    with _faults("name"):
        languages = shelf().library.copy(name, new, author=who.name, at=parts.clock.now())
    shelf().catalogue.forget()
    return languages


# --- music on hold ---


def upload_music(parts: Parts, name: str, language: str, file: FileStorage | None) -> Path:
    """Add a piece to the music of this name, for one language or, empty, for all; its file."""
    named(name, language or catalogue.DEFAULT_LANGUAGE)
    with _received(file) as (source, called), _faults("file"), shelf().turns:
        return music.add(parts.settings.home, name, language, source, called=called)


def delete_music(parts: Parts, name: str, language: str, piece: str) -> None:
    """Take a piece away. Refused where it is the last one of a name that a queue or a flow has chosen."""
    named(name, language or catalogue.DEFAULT_LANGUAGE)
    folder = music.own_folder(parts.settings.home, name, language)
    if not catalogue.is_name(piece) or not (folder / f"{piece}.wav").is_file():
        raise Refused("", "That piece is not there any more.")
    others = [path for path in folder.parent.glob(f"{folder.name}/**/*.wav") if path != folder / f"{piece}.wav"]
    if name != music.DEFAULT_NAME and not others:
        _refuse_used(shelf().usage.music().get(name, ()), "deleted")
    (folder / f"{piece}.wav").unlink(missing_ok=True)
    for left in (folder, folder.parent):
        if left != parts.settings.home / "music" and left.is_dir() and not any(left.iterdir()):
            left.rmdir()


# --- what they share ---


def _keep(
    parts: Parts,
    who: Viewer,
    name: str,
    language: str,
    sound: Path,
    *,
    origin: Origin,
    text: str | None,
    done: Converted,
) -> Made:
    version = shelf().library.keep(
        name, language, sound, author=who.name, at=parts.clock.now(), origin=origin, text=text, was=done.was
    )
    shelf().catalogue.forget()
    return Made(name, language, version, round(done.seconds, 3), done.was)


@contextmanager
def _received(file: FileStorage | None) -> Iterator[tuple[Path, str]]:
    """The uploaded file in a folder of its own, and what its owner calls it."""
    if file is None or not file.filename:
        raise Refused("file", "Choose a file: WAV, MP3, OGG, M4A, FLAC or WebM.")
    called = re.split(r"[/\\]", file.filename)[-1][:120]
    with tempfile.TemporaryDirectory(prefix="pointsman-upload-") as folder:
        source = Path(folder, "upload")
        try:
            file.save(source)
        except OSError as error:
            raise Refused("file", f"{called} could not be taken in ({error.strerror}).") from error
        yield source, called


def _converted(source: Path, target: Path, limits: Limits, called: str, *, loudness: float) -> Converted:
    with shelf().turns:
        return apart.convert(source, target, limits, name=called, loudness=loudness)


def _refuse_used(uses: Sequence[Use], done: str) -> None:
    found = [str(use) for use in uses]
    if found:
        more = f" and {len(found) - NAMED_USES} more" if len(found) > NAMED_USES else ""
        raise Refused("", f"It is in use by {'; '.join(found[:NAMED_USES])}{more}, so it cannot be {done}.")


@contextmanager
def _faults(field: str) -> Iterator[None]:
    """What the library refuses, as a word about this field."""
    try:
        yield
    except (AudioUnusable, SynthesisFailed, PromptMissing, PromptExists, TextsBroken) as fault:
        said = str(fault)
        raise Refused(field, sentence(said) if field != "file" else f"{said}.") from fault
