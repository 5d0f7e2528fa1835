"""Which prompts there are: names resolved to files.

Prompts lie in folders as `LANGUAGE/NAME.wav`, with their words in `LANGUAGE/prompts.yaml` (name -> text). The folders are
asked in order: the user's own come first, ours last, so that a recording in `HOME/prompts/en/goodbye.wav` replaces the
shipped `goodbye` and nothing else. A file put there, changed or taken away is noticed within LOOK_SECONDS, while calls go on.
"""

from __future__ import annotations

import re
import time
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import structlog
import yaml

from sounds import wav
from sounds.errors import AudioUnusable, PromptMissing, TextsBroken

log = structlog.get_logger(__name__)

SHIPPED = Path(__file__).parent
"""The folder of the prompts that come with Pointsman."""

DEFAULT_LANGUAGE = "en"
TEXTS = "prompts.yaml"
LOOK_SECONDS = 1.0
"""How old may be what was last seen of a prompt's files. A busy engine asks for each prompt hundreds of times a second."""

MOST_REMEMBERED = 10_000

_NAME = re.compile(r"[a-z0-9][a-z0-9_]{0,79}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_LETTERS = str.maketrans({"ø": "oe", "æ": "ae", "å": "aa", "ß": "ss", "ł": "l", "đ": "d", "þ": "th", "ð": "d"})
_Stamp = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt that can be played: `path` is absolute, 8 kHz 16-bit mono; `text` is what it says, empty where nobody
    wrote it down; `language` is the one it was found in, which may not be the one asked for."""

    name: str
    language: str
    path: Path
    text: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Fault:
    """A file in a user's folder that was passed over, and why."""

    path: Path
    why: str


class Catalogue:
    """The prompts of some folders, in the order they are asked. Safe to share between greenlets.

    A file that cannot be played (another form, broken, unreadable) is passed over for the next folder's, logged once and
    listed by `faults`.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        default_language: str = DEFAULT_LANGUAGE,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.folders = tuple(folder.absolute() for folder in folders)
        self.default_language = default_language
        self._monotonic = monotonic
        # What was found, and until when that is not looked at again: by name and language, and by file.
        self._found: dict[tuple[str, str], tuple[float, Prompt]] = {}
        self._played: dict[str, tuple[float, Prompt]] = {}
        self._prompts: dict[Path, tuple[_Stamp, Prompt | Fault]] = {}
        self._texts: dict[Path, tuple[_Stamp, dict[str, str]]] = {}

    @classmethod
    def of_home(cls, home: Path, default_language: str = DEFAULT_LANGUAGE) -> Catalogue:
        """An installation's prompts: its own in `home/prompts`, then those shipped."""
        return cls([home / "prompts", SHIPPED], default_language)

    def find(self, name: str, language: str) -> Prompt:
        """The prompt of this name in the language (`en-GB` asks `en` too), else in the default language.

        PromptMissing where there is none, with the languages it was looked for in; one that was missing is looked for each
        time.
        """
        now = self._monotonic()
        seen = self._found.get((name, language))
        if seen is not None and now < seen[0]:
            return seen[1]
        if _NAME.fullmatch(name):
            for tried in self._languages_for(language):
                for position, folder in enumerate(self.folders):
                    found = self._at(folder / tried / f"{name}.wav", name, tried, position)
                    if isinstance(found, Prompt):
                        self._remember(name, language, found, now + LOOK_SECONDS)
                        return found
        tried_languages = ", ".join(self._languages_for(language))
        raise PromptMissing(
            f"there is no prompt {name!r} that can be played ({tried_languages}); record or synthesise it"
        )

    def paths(self, names: Sequence[str], language: str) -> list[str]:
        """The files of several prompts, in order, as a telephone is given them. PromptMissing as for `find`."""
        return [str(self.find(name, language).path) for name in names]

    def at(self, path: str | Path) -> Prompt | None:
        """The prompt that this file is, None where the file lies in none of the folders or cannot be played."""
        now = self._monotonic()
        seen = self._played.get(str(path))
        if seen is not None and now < seen[0]:
            return seen[1]
        path = Path(path)
        for position, folder in enumerate(self.folders):
            if path.parent.parent == folder and path.suffix == ".wav":
                found = self._at(path, path.stem, path.parent.name, position)
                if not isinstance(found, Prompt):
                    return None
                self._played[str(path)] = (now + LOOK_SECONDS, found)
                return found
        return None

    def forget(self) -> None:
        """Look at every file again when it is next asked for, without waiting for LOOK_SECONDS."""
        self._found.clear()
        self._played.clear()

    def _remember(self, name: str, language: str, prompt: Prompt, until: float) -> None:
        """That is what the name means for the next second. Languages may be any text, so there is an end to it."""
        if len(self._found) >= MOST_REMEMBERED:
            self._found.clear()
        self._found[name, language] = self._played[str(prompt.path)] = (until, prompt)

    def names(self, language: str) -> list[str]:
        """All names that can be played in exactly this language, sorted."""
        if not _LANGUAGE.fullmatch(language):
            return []
        names = {path.stem for folder in self.folders for path in (folder / language).glob("*.wav")}
        return sorted(name for name in names if _NAME.fullmatch(name) and self._playable(name, language))

    def languages(self) -> list[str]:
        """The languages that have at least one prompt in one of the folders, sorted."""
        found = {path.parent.name for folder in self.folders for path in folder.glob("*/*.wav")}
        return sorted(name for name in found if _LANGUAGE.fullmatch(name) and self.names(name))

    def texts(self, language: str) -> dict[str, str]:
        """Every text written down in exactly this language, whether it has audio or not: name -> text."""
        texts: dict[str, str] = {}
        for folder in reversed(self.folders):
            texts |= self._folder_texts(folder / language)
        return texts

    def faults(self) -> list[Fault]:
        """The files in all folders that cannot be played, with the reason, by path."""
        faults = []
        for position, folder in enumerate(self.folders):
            for path in sorted(folder.glob("*/*.wav")):
                if not _LANGUAGE.fullmatch(path.parent.name):
                    continue
                found = self._at(path, path.stem, path.parent.name, position)
                if isinstance(found, Fault):
                    faults.append(found)
        return faults

    def _languages_for(self, language: str) -> list[str]:
        languages = [language, language.partition("-")[0], self.default_language]
        return [name for name in dict.fromkeys(languages) if _LANGUAGE.fullmatch(name)]

    def _playable(self, name: str, language: str) -> bool:
        return any(
            isinstance(self._at(folder / language / f"{name}.wav", name, language, position), Prompt)
            for position, folder in enumerate(self.folders)
        )

    def _at(self, path: Path, name: str, language: str, position: int) -> Prompt | Fault | None:
        stamp = _stamp(path)
        if stamp is None:
            self._prompts.pop(path, None)
            return None
        known = self._prompts.get(path)
        if known is not None and known[0] == stamp:
            found = known[1]
            if isinstance(found, Prompt) and found.text != (text := self._text(name, language, position)):
                found = replace(found, text=text)
                self._prompts[path] = (stamp, found)
            return found
        try:
            found = Prompt(check_name(name), language, path, self._text(name, language, position), wav.seconds(path))
        except (AudioUnusable, OSError) as error:
            found = Fault(path, str(error))
            log.warning("a prompt's file was passed over", path=str(path), why=str(error))
        self._prompts[path] = (stamp, found)
        return found

    def _text(self, name: str, language: str, position: int) -> str:
        """What a file of the folder at `position` says: that folder's word for it, else the next one's, whose prompt it
        replaces."""
        for folder in self.folders[position:]:
            text = self._folder_texts(folder / language).get(name)
            if text is not None:
                return text
        return ""

    def _folder_texts(self, folder: Path) -> dict[str, str]:
        path = folder / TEXTS
        stamp = _stamp(path)
        if stamp is None:
            return {}
        known = self._texts.get(path)
        if known is None or known[0] != stamp:
            try:
                texts = read_texts(path)
            except TextsBroken as error:
                log.warning("the texts of prompts were passed over", path=str(path), why=str(error))
                texts = {}
            known = (stamp, texts)
            self._texts[path] = known
        return known[1]


def is_name(name: str) -> bool:
    """Whether a prompt may be called so."""
    return _NAME.fullmatch(name) is not None


def slug(file_name: str) -> str:
    """The name of a prompt that a file's name suggests: `Velkommen til os (2).mp3` is `velkommen_til_os_2`; empty where it
    suggests none."""
    stem = re.split(r"[/\\]", file_name)[-1].rpartition(".")[0] or file_name
    plain = unicodedata.normalize("NFKD", stem.lower().translate(_LETTERS))
    letters = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return re.sub(r"[^a-z0-9]+", "_", letters).strip("_")[:80].strip("_")


def check_name(name: str) -> str:
    """The name, if a prompt may be called so; AudioUnusable says what a name looks like."""
    if not _NAME.fullmatch(name):
        raise AudioUnusable(f"{name!r} is no prompt's name: those have small letters, digits and _ only, 80 at most")
    return name


def check_language(language: str) -> str:
    """The language, if it is a tag such as `en` or `pt-BR`; AudioUnusable otherwise."""
    if not _LANGUAGE.fullmatch(language):
        raise AudioUnusable(f"{language!r} is no language; write its tag, for example en, da or pt-BR")
    return language


def read_texts(path: Path) -> dict[str, str]:
    """The texts of one `prompts.yaml`, name -> text, empty where there is none. TextsBroken where it cannot be read."""
    try:
        # The base loader makes strings of everything: a prompt called `on`, or a text that is a number, stays what it is.
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise TextsBroken(f"{path}: cannot be read as texts of prompts ({' '.join(str(error).split())})") from error
    if not content:
        return {}
    if not isinstance(content, dict) or not all(isinstance(part, str) for pair in content.items() for part in pair):
        raise TextsBroken(f"{path}: is no list of texts; each line is NAME: TEXT")
    return {name: " ".join(text.split()) for name, text in content.items()}


def write_text(path: Path, name: str, text: str) -> None:
    """Set one text of a `prompts.yaml`, which is made where there is none; its other texts stay, its comments do not.

    TextsBroken where the file cannot be read; it is then left as it is.
    """
    _write_texts(path, read_texts(path) | {name: " ".join(text.split())})


def remove_text(path: Path, name: str) -> None:
    """Take one text out of a `prompts.yaml`, where it is in one. TextsBroken as for `write_text`."""
    texts = read_texts(path)
    if texts.pop(name, None) is not None:
        _write_texts(path, texts)


def _write_texts(path: Path, texts: dict[str, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_text(yaml.safe_dump(texts, allow_unicode=True, width=110), encoding="utf-8")
    unfinished.replace(path)


def _stamp(path: Path) -> _Stamp | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
