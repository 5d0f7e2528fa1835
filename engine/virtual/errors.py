"""What can go wrong inside the virtual switch."""

from __future__ import annotations

from conf.errors import PointsmanError


class VirtualError(PointsmanError):
    """The root of the virtual switch's own faults."""


class CommandBroken(VirtualError):
    """Bytes that are no command: the connection that sent them is closed."""


class SoundMissing(VirtualError):
    """A file or stream that cannot be played."""


class OriginateFailed(VirtualError):
    """No leg was answered; `cause` is FreeSWITCH's name of the reason."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


class ApiRefused(VirtualError):
    """An API command that cannot be done; the message is its whole answer, `-ERR …` or `-USAGE …` included."""


class PlanInvalid(VirtualError):
    """A call, phone or key script whose description cannot be used."""
