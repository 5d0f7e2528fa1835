"""Music on hold: which files there are.

An installation's own, `HOME/music/*.wav` (8 kHz 16-bit mono), take the place of the shipped piece; FreeSWITCH is given the
folder as a stream.
"""

from __future__ import annotations

from pathlib import Path

import structlog

from sounds import wav
from sounds.errors import AudioUnusable

log = structlog.get_logger(__name__)

SHIPPED = Path(__file__).parent / "music"
"""The folder of the piece that comes with Pointsman."""

DEFAULT = SHIPPED / "default.wav"


def files(home: Path) -> list[Path]:
    """What is played to those who wait, in order: the installation's own music, or the shipped piece where it has none that
    can be played. Absolute paths, never empty."""
    playable = []
    for path in sorted((home / "music").glob("*.wav")):
        try:
            wav.seconds(path)
        except (AudioUnusable, OSError) as error:
            log.warning("music on hold was passed over", path=str(path), why=str(error))
        else:
            playable.append(path.absolute())
    return playable or [DEFAULT]


def folder(home: Path) -> Path:
    """The folder that `files` are in."""
    return files(home)[0].parent
