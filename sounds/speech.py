"""Texts spoken while a call waits for them, by the synthesiser of this machine; what was spoken once is kept for the next time.

Meant for short texts that come out of variables: names, remarks, streets. All that is known beforehand is a prompt.
"""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path
from typing import Final

from sounds import synthesis, wav
from sounds.errors import AudioUnusable, SynthesisFailed

MOST_FILES: Final = 1000
LONGEST: Final = 300


class Speech:
    """Speaks into a folder, which is made when it is needed. The oldest files go when there are too many."""

    def __init__(self, folder: Path, *, most_files: int = MOST_FILES) -> None:
        self._folder = folder.absolute()
        self._most_files = most_files
        self._speaking = threading.Lock()
        self._voices: dict[str, synthesis.Synthesiser] = {}

    def file(self, text: str, language: str) -> str:
        """The file that says the text, 8 kHz 16-bit mono. SynthesisFailed where nothing here speaks the language, or nothing
        can be written."""
        plain = " ".join(text.split())[:LONGEST]
        if not plain:
            raise SynthesisFailed("there is nothing to say")
        voice = self._voices.get(language) or self._voices.setdefault(language, synthesis.choose(language))
        path = self._folder / f"{hashlib.sha256(f'{voice.name} {language} {plain}'.encode()).hexdigest()[:32]}.wav"
        try:
            if path.exists():
                os.utime(path)
                return str(path)
            # One at a time: a synthesiser takes a processor for itself.
            with self._speaking:
                if not path.exists():
                    self._folder.mkdir(mode=0o750, parents=True, exist_ok=True)
                    wav.write(path, synthesis.prompt(plain, language, voice))
                    self._make_room()
        except (OSError, AudioUnusable) as error:
            raise SynthesisFailed(f"{path}: {error}") from error
        return str(path)

    def _make_room(self) -> None:
        files = sorted(self._folder.glob("*.wav"), key=lambda path: path.stat().st_mtime)
        for path in files[: -self._most_files]:
            path.unlink(missing_ok=True)
