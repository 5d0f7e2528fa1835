"""What a call's link hears: each event goes to whoever awaits it, by id, and to those who listen for its name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import structlog

from engine.esl import names
from engine.esl.errors import LinkClosed
from engine.esl.frames import Event, Frame

if TYPE_CHECKING:
    from engine.esl.awaited import Execution, Expected

UNIQUE_ID: Final = b"\nUnique-ID: "
_EVENT_NAME: Final = b"Event-Name: "
_COMPLETE: Final = names.CHANNEL_EXECUTE_COMPLETE.encode()
_HANGUP: Final = names.CHANNEL_HANGUP.encode()
_HANGUP_COMPLETE: Final = names.CHANNEL_HANGUP_COMPLETE.encode()
_APPLICATION_UUID: Final = b"\nApplication-UUID: "
_NAME_AT: Final = len(_EVENT_NAME)

log = structlog.get_logger(__name__)

Callback = Callable[[Event], None]


class Hearing:
    """Mixed into CallLink, which sets what is declared here, and takes the frames."""

    __slots__ = (
        "_callbacks",
        "_executions",
        "_expected",
        "_hung_up_completely",
        "_on_gone",
        "_own",
        "_uuid",
        "gone",
        "hangup_cause",
    )

    gone: bool
    hangup_cause: str | None
    _callbacks: dict[str, list[Callback]]
    _executions: dict[str, Execution]
    _expected: list[Expected] | None
    _hung_up_completely: bool
    _on_gone: Callable[[], None] | None
    _own: bytes
    _uuid: str

    if TYPE_CHECKING:

        def _leave_when_complete(self) -> None: ...

    def on(self, name: str, callback: Callback) -> None:
        """Have `callback` called with each event `name` of this channel (a subclass's name for CUSTOM, `*` for all, in
        addition to those with a name). Events go on to come after the hangup, until `closed`."""
        callbacks = self._callbacks.setdefault(name, [])
        if callback not in callbacks:
            callbacks.append(callback)

    def on_gone(self, callback: Callable[[], None]) -> None:
        """Have `callback` called once, as soon as `gone` is true; at once where it is already."""
        if self.gone:
            callback()
        else:
            self._on_gone = callback

    def off(self, name: str, callback: Callback) -> None:
        """Take a callback back. ValueError where it was not there."""
        callbacks = self._callbacks.get(name)
        if not callbacks or callback not in callbacks:
            raise ValueError(f"no such handler for {name}")
        callbacks.remove(callback)
        if not callbacks:
            del self._callbacks[name]

    def _take_event(self, frame: Frame) -> None:
        body = frame.body
        name = body[_NAME_AT : body.find(b"\n")] if body.startswith(_EVENT_NAME) else b""
        if self._own not in body and UNIQUE_ID in body:
            return  # another leg's: it is none of this call's business, least of all its hangup
        event: Event | None = None
        if name == _COMPLETE:
            # FreeSWITCH adds it after the channel's own 150 headers (switch_core_session.c:2978), so it is looked for
            # from behind.
            start = body.rfind(_APPLICATION_UUID) + len(_APPLICATION_UUID)
            execution = self._executions.pop(body[start : body.find(b"\n", start)].decode("ascii", "replace"), None)
            if execution is not None:
                event = execution.event = frame.event
                execution.wake()
        elif name in (_HANGUP, _HANGUP_COMPLETE):
            event = frame.event
            self.hangup_cause = event.get("Hangup-Cause") or self.hangup_cause
            self._go()
        if self._expected or (self._callbacks and self._heard(name)):
            self._tell(event or frame.event)
        if name == _HANGUP_COMPLETE:
            self._hung_up_completely = True
            self._leave_when_complete()

    def _heard(self, name: bytes) -> bool:
        """Whether a callback may want an event of this name; CUSTOM has further names, within."""
        known = names.KNOWN.get(name, names.CUSTOM)
        return known in self._callbacks or names.ANY in self._callbacks or known == names.CUSTOM

    def _go(self) -> None:
        """The caller has gone: whoever waits learns it now. What was executed may still send its last event."""
        if not self.gone:
            self.gone = True
            self._wake_all()
            self._say_gone()

    def _say_gone(self) -> None:
        callback, self._on_gone = self._on_gone, None
        if callback is not None:
            try:
                callback()
            except Exception:  # as below
                log.exception("gone_handler_failed", call=self._uuid)

    def _wake_all(self) -> None:
        for execution in self._executions.values():
            execution.wake()
        for expected in self._expected or ():
            expected.wake()

    def _tell(self, event: Event) -> None:
        name = event.name
        if self._expected:
            for expected in [one for one in self._expected if one.name == name]:
                if expected.matches is None or expected.matches(event):
                    self._expected.remove(expected)
                    expected.event = event
                    expected.wake()
        if self._callbacks:
            self._call_back(name, event)
            if name == names.CUSTOM and (subclass := event.get("Event-Subclass")):
                self._call_back(subclass, event)
            self._call_back(names.ANY, event)

    def _call_back(self, name: str, event: Event) -> None:
        for callback in tuple(self._callbacks.get(name, ())):
            try:
                callback(event)
            except Exception:  # one handler's fault must not keep the event from the others, nor end the reading
                log.exception("event_handler_failed", call=self._uuid, event_name=name)

    def _ended(self, error: LinkClosed) -> None:
        self.gone = True
        for execution in tuple(self._executions.values()):
            execution.lost(error)
        self._executions.clear()
        for expected in self._expected or ():
            expected.lost(error)
        self._expected = None
        self._say_gone()
        # The listeners mostly hold this link in turn. Without the circles a call is freed at once; to look for those of 4,000
        # calls takes Python's collector 100 ms, in which nobody gets their turn.
        self._callbacks = {}

    # By greenswitch's names.
    register_handle = on
    unregister_handle = off
