"""What the pages are built from, made once by the composition root and handed to the application."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from flask import current_app

from conf.clock import Clock
from conf.database import Database
from conf.settings import Settings
from engine.live.board import Board
from engine.live.connection import Redis

if TYPE_CHECKING:
    from admin.feed import Feed

EXTENSION = "pointsman"


@dataclass(frozen=True, slots=True)
class Parts:
    settings: Settings
    db: Database
    redis: Redis
    board: Board
    feed: Feed
    clock: Clock

    @property
    def recordings(self) -> Path:
        """The folder that the paths of recordings and messages are relative to."""
        return self.settings.home / "recordings"


def parts() -> Parts:
    """The parts of the application that answers this request."""
    return cast(Parts, current_app.extensions[EXTENSION])
