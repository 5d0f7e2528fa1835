"""Events on their way to listeners, built once however many listen."""

from __future__ import annotations

from engine.virtual.encode import event_frame, unquoted


class Event:
    """One event: its url-encoded header lines and an optional raw body."""

    __slots__ = ("_frames", "_lowered", "body", "lines", "name", "owner", "subclass", "uuid")

    def __init__(
        self, name: str, lines: str, *, uuid: str | None, subclass: str | None, owner: str | None, body: str | None
    ) -> None:
        self.name = name
        self.lines = lines
        self.uuid = uuid
        self.subclass = subclass
        self.owner = owner
        self.body = body
        self._frames: dict[str, bytes] = {}
        self._lowered: str | None = None

    def frame(self, form: str) -> bytes:
        if form not in self._frames:
            self._frames[form] = event_frame(self.lines, self.body, form)
        return self._frames[form]

    def get(self, name: str) -> str | None:
        """A header's value; names are told apart without their case."""
        if name.lower() == "unique-id":
            return self.uuid
        if self._lowered is None:
            self._lowered = "\n" + self.lines.lower()
        start = self._lowered.find(f"\n{name.lower()}: ")
        if start < 0:
            return None
        return unquoted(self.lines[start : self.lines.find("\n", start)].partition(": ")[2])
