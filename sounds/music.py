"""Music on hold: which files there are, for whom.

`HOME/music/*.wav` (8 kHz 16-bit mono) take the place of the shipped piece. A queue may have music of its own by name,
`HOME/music/NAME/*.wav`, and each name may have another one for a language, `HOME/music/NAME/LANGUAGE/*.wav`; `default` is the
name of what is heard where no other is chosen. FreeSWITCH is given each folder as a stream, which all who wait share.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import structlog

from sounds import apart, wav
from sounds.catalogue import check_language, check_name, slug
from sounds.convert import Limits
from sounds.errors import AudioUnusable

log = structlog.get_logger(__name__)

SHIPPED = Path(__file__).parent / "music"
"""The folder of the piece that comes with Pointsman."""

DEFAULT = SHIPPED / "default.wav"
DEFAULT_NAME: Final = "default"
STREAM: Final = "music"
LIMITS: Final = Limits(most_bytes=64 * 2**20, most_seconds=1800.0)
"""What a piece's file may be."""

LOUDNESS_DBFS: Final = -23.0
"""Music is a little quieter than speech, so that announcements stand out."""


def find(home: Path, name: str = DEFAULT_NAME, language: str = "en") -> list[Path]:
    """What is played to those who wait, in order: what was chosen by name, in the caller's language if there is any, else in
    none; the default music where there is nothing of that name; the shipped piece in the end. Absolute paths, never empty."""
    return playable(_folder(home, name, language)[0]) or [DEFAULT]


def files(home: Path) -> list[Path]:
    """The default music."""
    return find(home)


def folder(home: Path) -> Path:
    """The folder that the default music is in."""
    return files(home)[0].parent


def stream(home: Path, name: str = DEFAULT_NAME, language: str = "en") -> str:
    """What FreeSWITCH plays to those who wait, endlessly: `local_stream://…`, by the same rules as `find`."""
    return f"local_stream://{_folder(home, name, language)[1]}"


def streams(home: Path) -> dict[str, Path]:
    """All streams with the folder of each: `music` for the default, `music-NAME` and `music-NAME-LANGUAGE` for others."""
    found = {STREAM: folder(home)}
    for name in names(home):
        own = _own(home, name)
        if name != DEFAULT_NAME and playable(own):
            found[f"{STREAM}-{name}"] = own
        for language in languages(home, name):
            found[f"{STREAM}-{name}-{language}"] = own_folder(home, name, language)
    return found


def names(home: Path) -> list[str]:
    """The names of the music there is, the default first."""
    own = {path.name for path in (home / "music").glob("*") if path.is_dir() and any(path.glob("**/*.wav"))}
    return [DEFAULT_NAME, *sorted(name for name in own - {DEFAULT_NAME} if _usable(name))]


def languages(home: Path, name: str) -> list[str]:
    """The languages that have music of their own under this name, sorted."""
    own = (home / "music" / check_name(name)).absolute()
    return sorted(path.name for path in own.glob("*") if _usable(name, path.name) and playable(path))


def own_folder(home: Path, name: str, language: str = "") -> Path:
    """Where the installation's music of this name lies, of one language or of all. AudioUnusable for what is no name."""
    check_name(name)
    if language:
        return (home / "music" / name / check_language(language)).absolute()
    return _own(home, name)


def add(home: Path, name: str, language: str, recording: Path, *, called: str = "") -> Path:
    """Convert a recording into a piece of the music of this name, for one language or, empty, for all; its file, named after
    what the recording is `called`. AudioUnusable says what is wrong with it."""
    called = called or recording.name
    folder = own_folder(home, name, language)
    piece = slug(called) or "piece"
    with tempfile.TemporaryDirectory(prefix="pointsman-music-") as scratch:
        made = Path(scratch, "piece.wav")
        apart.convert(recording, made, LIMITS, name=called, loudness=LOUDNESS_DBFS)
        number, place = 1, folder / f"{piece}.wav"
        while place.exists():
            number += 1
            place = folder / f"{piece}_{number}.wav"
        wav.write(place, wav.read(made))
    return place


def playable(folder: Path) -> list[Path]:
    """The music in one folder, sorted by name; what cannot be played is passed over and logged."""
    return list(_playable(folder))


def _playable(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.glob("*.wav")):
        if path.name.startswith("."):
            continue
        try:
            wav.seconds(path)
        except (AudioUnusable, OSError) as error:
            log.warning("music on hold was passed over", path=str(path), why=str(error))
        else:
            yield path.absolute()


def _folder(home: Path, name: str, language: str) -> tuple[Path, str]:
    for folder, stream_name in _candidates(home, name, language):
        if next(_playable(folder), None) is not None:
            return folder, stream_name
    return SHIPPED, STREAM


def _candidates(home: Path, name: str, language: str) -> Iterator[tuple[Path, str]]:
    for chosen in dict.fromkeys((name, DEFAULT_NAME)):
        if not _usable(chosen):
            continue
        for spoken in dict.fromkeys((language, language.partition("-")[0])):
            if _usable(chosen, spoken):
                yield own_folder(home, chosen, spoken), f"{STREAM}-{chosen}-{spoken}"
        yield _own(home, chosen), STREAM if chosen == DEFAULT_NAME else f"{STREAM}-{chosen}"


def _own(home: Path, name: str) -> Path:
    folder = home / "music" if name == DEFAULT_NAME else home / "music" / name
    return folder.absolute()


def _usable(name: str, language: str = "en") -> bool:
    try:
        check_name(name)
        check_language(language)
    except AudioUnusable:
        return False
    return True
