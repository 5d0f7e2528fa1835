"""Where conversations and messages lie: below one folder, by day, each under its own id."""

from __future__ import annotations

import wave
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

MediaKind = Literal["conversations", "messages"]
SHORTEST_MESSAGE_SECONDS: Final = 1.0
HEADER_BYTES: Final = 44


class Media:
    """The recordings folder of an installation. FreeSWITCH writes into it, so both run as the same user or group."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: set[Path] = set()

    def new(self, kind: MediaKind, media_id: str, day: datetime) -> str:
        """A path below the folder for a file that is to be written; its own folder is made. OSError."""
        path = Path(kind) / day.strftime("%Y/%m/%d") / f"{media_id}.wav"
        folder = (self._folder / path).parent
        if folder not in self._made:
            folder.mkdir(mode=0o750, parents=True, exist_ok=True)
            self._made = {folder}
        return str(path)

    def file(self, path: str) -> Path:
        """The absolute file of a path that `new` gave."""
        return self._folder / path

    def seconds(self, path: str, *, most: float) -> float:
        """How long the sound in the file is, 0 where there is none; `most` where its header was not finished, as a switch
        that still writes, or died writing, leaves it."""
        file = self.file(path)
        try:
            with wave.open(str(file)) as reader:
                told = reader.getnframes() / reader.getframerate()
                held = (file.stat().st_size - HEADER_BYTES) / (
                    reader.getframerate() * reader.getnchannels() * reader.getsampwidth()
                )
        except (wave.Error, EOFError, OSError):
            return 0.0
        return max(0.0, min(float(told or held), most))
