"""Who stands at the far end of a channel: a caller, a desk phone, or nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.virtual.channel import Channel


class Ear:
    """What the far end of a channel notices. This one is deaf; callers and phones override what they care for.

    Every method is called from within the switch and must neither block nor raise.
    """

    label = ""
    """What others call it: an extension or a number."""

    speaks_for = 4.0
    """Seconds it would talk into a recording before it falls silent."""

    def ringing(self) -> None: ...

    def answered(self) -> None: ...

    def hears(self, sound: str, endless: bool) -> None:
        """A sound begins. `sound` is the file or stream as the switch was told."""

    def quiet(self) -> None:
        """The sound has ended or was stopped, and nothing else plays."""

    def asked_for_digits(self, asked: bool) -> None: ...

    def recording(self, on: bool) -> None: ...

    def bridged(self, other: Channel) -> None: ...

    def unbridged(self, other: Channel) -> None: ...

    def held(self, on: bool) -> None: ...

    def ended(self, cause: str) -> None: ...
