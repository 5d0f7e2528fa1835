"""What can go wrong on the event socket, each named for what happened.

Those that greenswitch has a name for derive from its exception too, so code written for greenswitch understands them.
"""

from __future__ import annotations

from greenswitch.esl import NotConnectedError, OutboundSessionHasGoneAway

from conf.errors import PointsmanError
from ivr.phone import Gone


class EslError(PointsmanError):
    """The root of the faults of this package."""


class FrameBroken(EslError):
    """The bytes are no event-socket frame, or one beyond the bounds; nothing after them on that socket can be read."""


class UnsafeText(EslError):
    """Text that FreeSWITCH would take for more than text; it was not sent."""


class LinkClosed(EslError, NotConnectedError):  # type: ignore[misc]  # greenswitch has no types
    """The socket is closed, or was before the answer came."""


class LinkBusy(EslError):
    """Too many commands are unanswered on this link, or too many bytes unsent; this one was not sent."""


class ReplyTimeout(EslError):
    """No answer within the time allowed. It may still come, and is then dropped."""


class CommandRejected(EslError):
    """FreeSWITCH refused a command. `reply` is its answer, for example `-ERR no such channel`."""

    def __init__(self, reply: str) -> None:
        super().__init__(f"FreeSWITCH refused: {reply.strip()}")
        self.reply = reply.strip()


class AuthRejected(EslError, ValueError):
    """FreeSWITCH does not take our password, or does not take connections from our address."""


class CallGone(EslError, OutboundSessionHasGoneAway, Gone):  # type: ignore[misc]
    """The call is not there any more, or not ours to steer: nothing can be said to it. `cause` is the hangup cause, None
    where only the link to FreeSWITCH was lost."""

    def __init__(self, cause: str | None = None) -> None:
        super().__init__(f"the call has gone: {cause or 'its link was lost'}")
        self.cause = cause


class ControlLost(LinkClosed):
    """The control link broke while the answer was awaited: the command may have been carried out or not."""


class OriginateFailed(EslError):
    """A leg did not come about. `cause` is FreeSWITCH's, for example USER_BUSY, NO_ANSWER, CALL_REJECTED."""

    def __init__(self, cause: str) -> None:
        super().__init__(f"the leg did not come about: {cause}")
        self.cause = cause
