"""Recorded event-socket sessions, split by direction.

A line `<<<< FREESWITCH -> APP t=+S.SSSs N bytes >>>>` (or `APP -> FREESWITCH`; `##` marks the recorder's own remarks) and the
newline before it are the recorder's; exactly N bytes follow as they were on the wire.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "captures"
_MARK = re.compile(rb"\n<<<< (FREESWITCH -> APP|APP -> FREESWITCH|##)[^\n]* t=\+([0-9.]+)s (\d+) bytes >>>>\n")


@dataclass(frozen=True)
class Chunk:
    from_switch: bool
    at: float
    data: bytes


@dataclass(frozen=True)
class Recording:
    name: str
    chunks: tuple[Chunk, ...]

    @property
    def from_switch(self) -> bytes:
        return b"".join(chunk.data for chunk in self.chunks if chunk.from_switch)


def load(name: str) -> Recording:
    content = (FOLDER / f"{name}.txt").read_bytes()
    chunks, position = [], 0
    while mark := _MARK.match(content, position):
        end = mark.end() + int(mark[3])
        if mark[1] != b"##":
            chunks.append(Chunk(mark[1].startswith(b"FREESWITCH"), float(mark[2]), content[mark.end() : end]))
        position = end
    assert not content[position:].strip(), f"{name}: cannot be read from byte {position}"
    return Recording(name, tuple(chunks))


NAMES = sorted(path.stem for path in FOLDER.glob("*.txt"))
EVERY = {name: load(name) for name in NAMES}
