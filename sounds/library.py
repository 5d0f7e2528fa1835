"""An installation's own prompts: what callers hear now, every version there was, who made it, and when.

Files: `HOME/prompts/LANGUAGE/NAME.wav` is what callers hear, where there is an own one; `HOME/prompts/.versions/DIGEST.wav`
keeps the sound of each version under its own fingerprint; words are in `HOME/prompts/LANGUAGE/prompts.yaml`. Rows in `prompt`
and `prompt_version` say where each came from. Files are written beside their place and moved into it, so that a process that
plays prompts finds the old one or the new one, whole, and needs to be told nothing: its `Catalogue` looks every second.

Where engines run on several machines, `HOME/prompts` and `HOME/music` are a folder that all of them share.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

from conf.database import Database
from sounds import catalogue, wav
from sounds.catalogue import TEXTS, check_language, check_name, remove_text, write_text
from sounds.errors import AudioUnusable, PromptExists, PromptMissing

Origin = Literal["upload", "browser", "phone", "speech", "file", "copy"]
"""How a version was made; `file` was put into the folder by hand."""

LOCK: Final = 0x50524F4D
"""The advisory lock's number, of no meaning but its own: one change of the library at a time, whatever the process."""

LONGEST_TEXT: Final = 2000
LONGEST_NOTE: Final = 1000


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a prompt in one language. `was` is the kind of the file it was made from; `heard` says that it is the one
    callers hear."""

    version: int
    seconds: float
    text: str
    author: str
    made_at: datetime
    origin: Origin
    was: str
    heard: bool
    path: Path


class Library:
    """The own prompts of the installation in `home`. Its methods block on files and the database; each change is one
    transaction. AudioUnusable for a name or a language that is none, and where a file cannot be written."""

    def __init__(self, db: Database, home: Path) -> None:
        self._db = db
        self._folder = home.absolute() / "prompts"

    def connected(self) -> AbstractContextManager[object]:
        """A connection for what is done within it; for greenlets that have none otherwise."""
        context: AbstractContextManager[object] = self._db.connection_context()
        return context

    # --- reading ---

    def notes(self) -> dict[tuple[str, str], str]:
        """What people noted, by name and language; those without a note are left out."""
        rows = self._db.execute_sql("SELECT name, language, note FROM prompt WHERE note <> ''").fetchall()
        return {(name, language): note for name, language, note in rows}

    def note(self, name: str, language: str) -> str:
        """What people noted about a prompt in one language."""
        row = self._db.execute_sql(
            "SELECT note FROM prompt WHERE name = %s AND language = %s", (name, language)
        ).fetchone()
        return str(row[0]) if row else ""

    def versions(self, name: str, language: str) -> list[Version]:
        """Every version kept, the newest first. One whose file has gone is left out."""
        rows = self._db.execute_sql(
            "SELECT v.version, v.seconds::float8, v.text, v.author, v.made_at, v.origin, v.was, v.digest, "
            "v.version IS NOT DISTINCT FROM p.version FROM prompt_version v JOIN prompt p ON p.id = v.prompt_id "
            "WHERE p.name = %s AND p.language = %s ORDER BY v.version DESC",
            (name, language),
        ).fetchall()
        own = self._live(name, language).is_file() if rows else False
        found = [
            Version(number, seconds, text, author, made_at, origin, was, heard and own, self._kept(digest))
            for number, seconds, text, author, made_at, origin, was, digest, heard in rows
        ]
        return [version for version in found if version.path.is_file()]

    def version(self, name: str, language: str, version: int) -> Version:
        """One version. PromptMissing where it is not kept."""
        for found in self.versions(name, language):
            if found.version == version:
                return found
        raise PromptMissing(f"{name} in {language!r} has no version {version}")

    def is_own(self, name: str, language: str) -> bool:
        """Whether the installation has its own sound for this prompt."""
        return self._live(check_name(name), check_language(language)).is_file()

    # --- changing ---

    def keep(
        self,
        name: str,
        language: str,
        sound: Path,
        *,
        author: str,
        at: datetime,
        origin: Origin,
        text: str | None = None,
        was: str = "",
    ) -> int:
        """Make the sound, a file in our form, the one that callers hear from now on; its version. `text` is what it says, None
        where that is what the one before said."""
        check_name(name)
        check_language(language)
        with self._changing():
            prompt_id = self._row(name, language)
            self._keep_found(prompt_id, name, language, at)
            said = self._text(name, language) if text is None else " ".join(text.split())[:LONGEST_TEXT]
            version = self._add(prompt_id, sound.read_bytes(), said, author=author, at=at, origin=origin, was=was)
            self._hear(prompt_id, name, language, version)
        return version

    def roll_back(self, name: str, language: str, version: int | None, *, at: datetime) -> None:
        """Let callers hear an earlier version again; None: the shipped one. PromptMissing where there is none such."""
        check_name(name)
        check_language(language)
        with self._changing():
            if version is None and not (catalogue.SHIPPED / language / f"{name}.wav").is_file():
                raise PromptMissing(f"no prompt {name} is shipped in {language!r}")
            prompt_id = self._row(name, language)
            self._keep_found(prompt_id, name, language, at)
            if version is not None:
                self.version(name, language, version)
            self._hear(prompt_id, name, language, version)

    def describe(self, name: str, language: str, *, text: str | None = None, note: str | None = None) -> None:
        """Write down what a prompt says, and what is to be known about it; None leaves either as it is."""
        check_name(name)
        check_language(language)
        with self._changing():
            prompt_id = self._row(name, language)
            if note is not None:
                note = note.strip()[:LONGEST_NOTE]
                self._db.execute_sql("UPDATE prompt SET note = %s WHERE id = %s", (note, prompt_id))
            if text is not None:
                said = " ".join(text.split())[:LONGEST_TEXT]
                self._db.execute_sql(
                    "UPDATE prompt_version v SET text = %s FROM prompt p "
                    "WHERE p.id = %s AND v.prompt_id = p.id AND v.version = p.version",
                    (said, prompt_id),
                )
                self._write_text(name, language, said)

    def delete(self, name: str, language: str) -> None:
        """Take a prompt of the installation's own away with all its versions; where one of the name is shipped, that is heard
        again. PromptMissing where there is no own one."""
        check_name(name)
        check_language(language)
        with self._changing():
            row = self._db.execute_sql(
                "DELETE FROM prompt WHERE name = %s AND language = %s RETURNING id", (name, language)
            ).fetchone()
            live = self._live(name, language)
            if row is None and not live.is_file():
                raise PromptMissing(f"there is no own prompt {name} in {language!r}")
            live.unlink(missing_ok=True)
            remove_text(live.parent / TEXTS, name)
        self._sweep()

    def copy(self, name: str, new: str, *, author: str, at: datetime) -> list[str]:
        """Have what `name` says under the name `new` as well, in every language it is there; those languages.

        PromptMissing where there is nothing of that name, PromptExists where the new one is taken.
        """
        check_name(name)
        check_name(new)
        known = catalogue.Catalogue([self._folder, catalogue.SHIPPED])
        with self._changing():
            taken = [language for language in known.languages() if new in known.names(language)]
            if taken:
                raise PromptExists(f"there is a prompt {new} already")
            languages = [language for language in known.languages() if name in known.names(language)]
            if not languages:
                raise PromptMissing(f"there is no prompt {name}")
            for language in languages:
                found = known.find(name, language)
                prompt_id = self._row(new, language)
                note = self.note(name, language)
                self._db.execute_sql("UPDATE prompt SET note = %s WHERE id = %s", (note, prompt_id))
                sound = found.path.read_bytes()
                version = self._add(prompt_id, sound, found.text, author=author, at=at, origin="copy", was="")
                self._hear(prompt_id, new, language, version)
        return languages

    def rename(self, name: str, new: str) -> list[str]:
        """Call a prompt of the installation's own by another name, with its versions, in every language; those languages.

        That nothing names it any more is the caller's to see. PromptMissing where there is no own one, PromptExists where the
        new name is taken or the old one is shipped, and so cannot cease to be.
        """
        check_name(name)
        check_name(new)
        known = catalogue.Catalogue([self._folder, catalogue.SHIPPED])
        with self._changing():
            if any((catalogue.SHIPPED / language / f"{name}.wav").is_file() for language in known.languages()):
                raise PromptExists(f"{name} comes with Pointsman and keeps its name; copy it to another name instead")
            if any(new in known.names(language) for language in known.languages()):
                raise PromptExists(f"there is a prompt {new} already")
            languages = [found.parent.name for found in sorted(self._folder.glob(f"*/{name}.wav"))]
            if not languages:
                raise PromptMissing(f"there is no own prompt {name}")
            self._db.execute_sql("DELETE FROM prompt WHERE name = %s", (new,))
            self._db.execute_sql("UPDATE prompt SET name = %s WHERE name = %s", (new, name))
            for language in languages:
                text = self._text(name, language)
                self._live(name, language).replace(self._live(new, language))
                remove_text(self._folder / language / TEXTS, name)
                self._write_text(new, language, text)
        return languages

    # --- within a change ---

    @contextmanager
    def _changing(self) -> Iterator[None]:
        try:
            with self._db.atomic():
                self._db.execute_sql("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
                yield
        except OSError as error:
            where = error.filename or self._folder
            raise AudioUnusable(f"{where}: cannot be written ({error.strerror}); see that there is room") from error

    def _row(self, name: str, language: str) -> int:
        cursor = self._db.execute_sql(
            "INSERT INTO prompt (name, language) VALUES (%s, %s) "
            "ON CONFLICT (name, language) DO UPDATE SET name = excluded.name RETURNING id",
            (name, language),
        )
        return int(cursor.fetchone()[0])

    def _keep_found(self, prompt_id: int, name: str, language: str, at: datetime) -> None:
        """What lies there without being one of the versions, put there by hand, becomes one, so that it is not lost."""
        live = self._live(name, language)
        if not live.is_file():
            return
        content = live.read_bytes()
        known = self._db.execute_sql(
            "SELECT 1 FROM prompt_version WHERE prompt_id = %s AND digest = %s", (prompt_id, _digest(content))
        ).fetchone()
        if known is None:
            try:
                self._add(prompt_id, content, self._text(name, language), author="", at=at, origin="file", was="wav")
            except AudioUnusable:
                return  # It cannot be played, so it was never heard.

    def _add(
        self, prompt_id: int, content: bytes, text: str, *, author: str, at: datetime, origin: Origin, was: str
    ) -> int:
        digest = _digest(content)
        kept = self._kept(digest)
        if not kept.is_file():
            _put(kept, content)
        cursor = self._db.execute_sql(
            "INSERT INTO prompt_version (prompt_id, version, digest, seconds, text, author, made_at, origin, was) "
            "SELECT %s, COALESCE(max(version), 0) + 1, %s, %s, %s, %s, %s, %s, %s FROM prompt_version "
            "WHERE prompt_id = %s RETURNING version",
            (prompt_id, digest, round(wav.seconds(kept), 3), text, author, at, origin, was, prompt_id),
        )
        return int(cursor.fetchone()[0])

    def _hear(self, prompt_id: int, name: str, language: str, version: int | None) -> None:
        self._db.execute_sql("UPDATE prompt SET version = %s WHERE id = %s", (version, prompt_id))
        live = self._live(name, language)
        if version is None:
            live.unlink(missing_ok=True)
            remove_text(live.parent / TEXTS, name)
            return
        digest, text = self._db.execute_sql(
            "SELECT digest, text FROM prompt_version WHERE prompt_id = %s AND version = %s", (prompt_id, version)
        ).fetchone()
        self._write_text(name, language, text)
        _put(live, self._kept(digest).read_bytes())

    def _text(self, name: str, language: str) -> str:
        return catalogue.Catalogue([self._folder, catalogue.SHIPPED]).texts(language).get(name, "")

    def _write_text(self, name: str, language: str, text: str) -> None:
        if text != self._text(name, language):
            write_text(self._folder / language / TEXTS, name, text)

    def _live(self, name: str, language: str) -> Path:
        return self._folder / language / f"{name}.wav"

    def _kept(self, digest: str) -> Path:
        return self._folder / ".versions" / f"{digest}.wav"

    def _sweep(self) -> None:
        """Sounds that no version is made of any more."""
        with self._changing():
            wanted = {row[0] for row in self._db.execute_sql("SELECT DISTINCT digest FROM prompt_version").fetchall()}
            for path in (self._folder / ".versions").glob("*.wav"):
                if path.stem not in wanted:
                    path.unlink(missing_ok=True)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:40]


def _put(path: Path, content: bytes) -> None:
    """The whole file or none; never half of it under its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        part.write_bytes(content)
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
        raise
