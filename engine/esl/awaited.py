"""What is awaited of one call: each wait by id, with a time-out, ended by the end of the call."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from gevent.event import AsyncResult
from gevent.event import Event as Signal

from engine.esl.errors import CallGone, CommandRejected, EslError, LinkClosed, ReplyTimeout
from engine.esl.frames import Event, Frame
from engine.esl.link import Reply

if TYPE_CHECKING:
    from engine.esl.outbound import CallLink


class Awaited:
    """Something of one call that is awaited by an event: its completion, the end of the call, or a refusal ends the wait."""

    __slots__ = ("_call", "_signal", "error", "event")

    def __init__(self, call: CallLink) -> None:
        self._call = call
        self._signal: Signal | None = None
        self.event: Event | None = None
        """The event, once it has come."""
        self.error: EslError | None = None
        """Why it will never come."""

    @property
    def done(self) -> bool:
        return self.event is not None or self.error is not None

    def wait(self, timeout: float, *, after_hangup: bool = False) -> Event:
        """The event. CallGone as soon as the caller has gone, even where the event has come as well; with `after_hangup`
        only when the link is at its end, since an application's last event follows the hangup. ReplyTimeout after
        `timeout` seconds, CommandRejected where FreeSWITCH refused it."""
        until = time.monotonic() + timeout
        while True:
            if self._call.gone and not after_hangup:
                raise CallGone(self._call.hangup_cause)
            if self.event is not None:
                return self.event
            if self.error is not None:
                raise self.error
            left = until - time.monotonic()
            if left <= 0:
                raise ReplyTimeout(f"{self} did not come within {timeout:g} s")
            self._signal = Signal()
            self._signal.wait(left)
            self._signal = None

    def wake(self) -> None:
        """Have the waiting greenlet look again."""
        if self._signal is not None:
            self._signal.set()

    def lost(self, error: EslError) -> None:
        if not self.done:
            self.error = CallGone(self._call.hangup_cause) if isinstance(error, LinkClosed) else error
        self.wake()

    def __str__(self) -> str:
        return "what was awaited"


class Execution(Awaited):
    """One run of an application: `wait` for its CHANNEL_EXECUTE_COMPLETE, which names it by `uuid`."""

    __slots__ = ("application", "then", "uuid")

    def __init__(
        self, call: CallLink, application: str, uuid: str, then: Callable[[Execution], None] | None = None
    ) -> None:
        super().__init__(call)
        self.application = application
        self.uuid = uuid
        self.then = then
        """Called once when this is done, in the greenlet that reads; it must not block."""

    def wake(self) -> None:
        super().wake()
        if self.then is not None and self.done:
            then, self.then = self.then, None
            then(self)

    def answered(self, frame: Frame) -> None:
        if frame.refused:
            self._call.forget(self)
            self.lost(CommandRejected(frame.data))

    def __str__(self) -> str:
        return f"the end of {self.application}"


class Expected(Awaited):
    """The next event of one name on this call's channel."""

    __slots__ = ("matches", "name")

    def __init__(self, call: CallLink, name: str, matches: Callable[[Event], bool] | None) -> None:
        super().__init__(call)
        self.name = name
        self.matches = matches

    def __str__(self) -> str:
        return self.name


class Relayed(Expected):
    """An expected event whose end by the end of the call is told to greenswitch's kind of result."""

    __slots__ = ("relay",)

    def __init__(
        self, call: CallLink, name: str, matches: Callable[[Event], bool] | None, relay: AsyncResult[Event]
    ) -> None:
        super().__init__(call, name, matches)
        self.relay = relay

    def wake(self) -> None:
        if self._call.gone and not self.relay.ready():
            self.relay.set_exception(CallGone(self._call.hangup_cause))


class Handover(Reply):
    """Waits for the reply to `connect`."""

    __slots__ = ("_call",)

    def __init__(self, call: CallLink) -> None:
        super().__init__()
        self._call = call

    def answered(self, frame: Frame) -> None:
        self._call.take_over(frame)
        super().answered(frame)


class _Optional:
    """For commands that a socket without `full`, or one that was asked before, may refuse without harm."""

    __slots__ = ()

    def answered(self, frame: Frame) -> None:
        pass

    def lost(self, error: EslError) -> None:
        pass


OPTIONAL: Final = _Optional()
