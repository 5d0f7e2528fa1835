"""What FreeSWITCH is told to let a caller hear."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from engine.esl.errors import UnsafeText

MUSIC: Final = "local_stream://music"
"""The music on hold: one stream for all, so it goes on where it was when it is asked for again."""

RINGING: Final = "tone_stream://%(1000,4000,425);loops=-1"
"""The tone of a phone that rings, a second in five."""


def playable(prompts: Sequence[Path | str]) -> str:
    """One argument for playback and read that plays the files one after the other. `!` parts them and a space ends the
    argument (mod_dptools.c, file_string and read), so neither may stand in a path."""
    paths = [str(prompt) for prompt in prompts]
    for path in paths:
        if "!" in path or " " in path:
            raise UnsafeText(f"a prompt's path may hold no space and no exclamation mark: {path!r}")
    if len(paths) == 1:
        return paths[0]
    return "file_string://" + "!".join(paths)
