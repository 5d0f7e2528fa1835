"""A call that FreeSWITCH handed over: one outbound socket, one channel.

`CallLink` has greenswitch's `OutboundSession` as its base, with its names and exceptions, but shares no machinery with it:
no greenlet beside the handler's own instead of two with a poll each, bytes instead of dictionaries, and every wait by id,
with a time-out, ended by the end of the call.
"""

from __future__ import annotations

import uuid as uuids
from collections.abc import Callable, Iterable
from typing import Final

import structlog
from gevent.socket import socket
from greenswitch.esl import OutboundSession

from engine.esl import commands, names
from engine.esl.awaited import OPTIONAL, Execution, Expected, Handover
from engine.esl.errors import CallGone, CommandRejected, EslError, LinkClosed, ReplyTimeout
from engine.esl.frames import Event, Frame
from engine.esl.hearing import UNIQUE_ID, Callback, Hearing
from engine.esl.link import Link
from engine.esl.verbs import Verbs

CONNECT_SECONDS: Final = 10.0
REPLY_SECONDS: Final = 10.0
LINGER_SECONDS: Final = 5
FAREWELL_SECONDS: Final = 3.0
"""How long after `exit` the second disconnect notice is waited for."""

__all__ = ["CallLink", "Callback", "Execution", "Expected"]

log = structlog.get_logger(__name__)


class CallLink(Hearing, Verbs, OutboundSession):  # type: ignore[misc]  # greenswitch has no types
    """One call over its outbound socket (`socket HOST:PORT async full`).

    Callbacks run in gevent's loop and must not block, so they may call nothing here that waits; `execute`, `post_api` and
    `expect` do not.
    """

    __slots__ = (
        "_executed",
        "_hanging_up",
        "_leaving",
        "_lingering",
        "_link",
        "_listening",
        "_series",
        "client_address",
        "full",
        "session_data",
    )

    def __init__(self, client_address: tuple[str, int], sock: socket) -> None:
        # greenswitch's own constructor is not called: it would start two greenlets that parse and poll.
        self.client_address = client_address
        self.session_data: Frame | None = None
        """The reply to `connect`: the channel's data as they were then. `drop_data` lets them go."""
        self.full = False
        """Whether this socket may use all commands (`full` in the dialplan)."""
        self.gone = False
        """Whether the caller has gone, or this link has: nothing can be said to the call any more."""
        self.hangup_cause: str | None = None
        self._uuid = ""
        self._own = b""
        # What runs is named by this and a number, in a UUID's form: 2 us less each than a random one. Not by a number alone,
        # as what the former owner of a call started may end while this one has it.
        self._series = str(uuids.uuid4())[:24]
        self._executed = 0
        self._callbacks: dict[str, list[Callback]] = {}
        self._executions: dict[str, Execution] = {}
        self._expected: list[Expected] | None = None
        self._listening = False
        self._lingering = False
        self._hanging_up = False
        self._hung_up_completely = False
        self._leaving = False
        self._on_gone: Callable[[], None] | None = None
        self._link = Link(sock, self._take, self._ended)
        self._link.start()

    # What it is ----------------------------------------------------------------------------------------------------

    @property
    def uuid(self) -> str:
        """The channel's Unique-ID; empty before `connect`."""
        return self._uuid

    @property
    def closed(self) -> bool:
        """Whether the socket is closed; then no event comes any more."""
        return self._link.closed

    @property
    def connected(self) -> bool:
        return not self._link.closed

    @property
    def data(self) -> Frame:
        """The channel's data at `connect`. EslError before that, or after `drop_data`."""
        if self.session_data is None:
            raise EslError("the channel's data are not there: before connect, or let go")
        return self.session_data

    def header(self, name: str) -> str | None:
        """A header of the channel's data at `connect`, for example Caller-Destination-Number."""
        return self.data.get(name)

    def variable(self, name: str) -> str | None:
        """A channel variable as it was at `connect`; None where it was not set. Later values come with events."""
        return self.data.get("variable_" + name)

    @property
    def caller_id_number(self) -> str | None:
        return self.header("Caller-Caller-ID-Number")

    def drop_data(self) -> None:
        """Let the data of `connect` go, 5 to 8 KB a call, once what is needed has been read."""
        self.session_data = None

    # Beginning -----------------------------------------------------------------------------------------------------

    def connect(
        self,
        timeout: float = CONNECT_SECONDS,
        *,
        events: Iterable[str] | None = names.CALL_EVENTS,
        linger: int | None = LINGER_SECONDS,
    ) -> Frame:
        """Take the call over, ask for its events and for the socket to outlive it by `linger` seconds; the channel's data.

        All of it is sent in one write, `connect` first, as FreeSWITCH throws the reply to any other first command away
        (mod_event_socket.c:2712). `events` None asks for none, `linger` None for no lingering. CallGone when the call
        ended meanwhile, ReplyTimeout after `timeout` seconds; then the link is closed.
        """
        if self.session_data is not None:
            return self.session_data
        reply = Handover(self)
        try:
            first = [commands.command("connect")]
            if linger is not None:
                first.append(commands.command(f"linger {int(linger)}"))
            if events is not None:
                first += self._asking_for(events)
            self._link.post_all(b"".join(first), [reply, *(OPTIONAL for _ in first[1:])])
            frame = reply.wait(timeout)
        except LinkClosed as error:
            raise CallGone from error
        except ReplyTimeout:
            self.close()
            raise
        if frame.refused or not self._uuid:
            self.close()
            raise CommandRejected(frame.data)
        self.raise_if_disconnected()
        return frame

    def take_over(self, frame: Frame) -> None:
        """The reply to `connect` has come. Called before anything that follows it is looked at."""
        self._uuid = frame.get("Unique-ID") or ""
        self._own = UNIQUE_ID + self._uuid.encode() + b"\n"
        self.full = frame.get("Control") == "full"
        self.session_data = frame

    def myevents(self, events: Iterable[str] = names.CALL_EVENTS) -> None:
        """Ask for this channel's `events` and no other's. Does nothing where `connect` or an earlier call did it."""
        if not self._listening:
            asking = self._asking_for(events)
            self._guard(lambda: self._link.post_all(b"".join(asking), [OPTIONAL] * len(asking)))

    def _asking_for(self, events: Iterable[str]) -> list[bytes]:
        """The cheapest way to get a few events of this channel alone.

        Only `myevents` sets LFLAG_MYEVENTS, which compares the Unique-ID by one strcmp (mod_event_socket.c:361) and so
        spares `filter` and its walk through headers (:318); but it also switches on 23 types (:2097-2119), each of which
        FreeSWITCH would copy and serialise. `nixevent` only clears bits of the listener's list (:2635), so it comes next,
        and types beyond the 23, for example RECORD_STOP, are added last by `event`, already held to this channel by the
        flag. In any other order there would be a moment with foreign events, or one without our own.
        """
        wanted = set(events)
        self._listening = True
        asking = [commands.command("myevents")]
        if unwanted := sorted(names.MY_EVENTS - wanted):
            asking.append(commands.command("nixevent " + " ".join(unwanted)))
        if further := sorted(wanted - names.MY_EVENTS):
            asking.append(commands.command("event plain " + " ".join(further)))
        return asking

    def linger(self, timeout: int | None = LINGER_SECONDS) -> None:
        """Have the socket outlive the channel by `timeout` seconds, so that its last events arrive; `connect` did so.
        None is LINGER_SECONDS too: FreeSWITCH's own default never ends and keeps the session (mod_event_socket.c:2486)."""
        seconds = LINGER_SECONDS if timeout is None else int(timeout)
        self._guard(lambda: self._link.post(commands.command(f"linger {seconds}"), OPTIONAL))

    # Asking and telling --------------------------------------------------------------------------------------------

    def execute(
        self,
        application: str,
        argument: str = "",
        *,
        lock: bool = False,
        loops: int = 1,
        expand: bool = False,
        then: Callable[[Execution], None] | None = None,
    ) -> Execution:
        """Start a dialplan application and go on; the Execution waits for its end and learns of a refusal.

        With `lock` what is executed next waits for its end. `argument` may hold no line end and, unless `expand`, no `${`
        (UnsafeText). `then` is called when it is done, in the greenlet that reads, and must not block. CallGone where nobody
        is there any more.
        """
        self.raise_if_disconnected()
        self._executed += 1
        execution = Execution(self, application, f"{self._series}{self._executed:012x}", then)
        message = commands.execute(application, argument, execution.uuid, lock, loops, expand=expand)
        self._executions[execution.uuid] = execution
        try:
            self._link.post(message, execution)
        except EslError as error:
            self.forget(execution)
            if isinstance(error, LinkClosed):
                raise CallGone(self.hangup_cause) from error
            raise
        return execution

    def forget(self, execution: Execution) -> None:
        """Wait no more for this one."""
        self._executions.pop(execution.uuid, None)

    def expect(self, name: str, matches: Callable[[Event], bool] | None = None) -> Expected:
        """Await the next event `name` of this channel (one for which `matches` is true) from now on, so before the command
        that brings it is sent."""
        expected = Expected(self, name, matches)
        self.await_event(expected)
        return expected

    def await_event(self, expected: Expected) -> None:
        """`expect` for a kind of one's own."""
        if self.closed:
            expected.error = CallGone(self.hangup_cause)
        elif self._expected is None:
            self._expected = [expected]
        else:
            self._expected.append(expected)

    def send(self, data: str | bytes, timeout: float = REPLY_SECONDS) -> Frame:
        """Send a command (a line, or bytes that `commands` built) and wait for its reply. CommandRejected, CallGone,
        ReplyTimeout, UnsafeText."""
        message = data if isinstance(data, bytes) else commands.command(data)
        try:
            frame = self._link.send(message, timeout)
        except LinkClosed as error:
            raise CallGone(self.hangup_cause) from error
        if frame.refused:
            raise CommandRejected(frame.data)
        return frame

    def api(self, line: str, timeout: float = REPLY_SECONDS) -> str:
        """What an API says, run while FreeSWITCH reads nothing else from this socket; so only for quick ones, never for
        `originate`. CommandRejected where it says -ERR or -USAGE; CallGone, ReplyTimeout."""
        self.raise_if_disconnected()
        return self.send(commands.api(line), timeout).data

    def post_api(self, line: str) -> None:
        """Run an API and go on without its answer, which is logged if it is a refusal; may be called from a callback."""
        self.raise_if_disconnected()
        self._guard(lambda: self._link.post(commands.api(line)))

    def hangup(self, cause: str = "NORMAL_CLEARING") -> bool:
        """Hang the call up, whatever it is doing; does nothing where it has gone. The end itself is told by `gone`.
        Whether it was still there, so that this is what ended it, as far as can be known.

        A `sendmsg` hangup would wait behind a locked application, so where the socket may use APIs it is `uuid_kill`.
        """
        if self.gone:
            return False
        message = commands.api(commands.kill(self._uuid, cause)) if self.full else commands.hangup(cause)
        self._hanging_up = True
        try:
            self.send(message)
        except CallGone:
            pass
        except CommandRejected as error:
            log.debug("hangup_too_late", call=self._uuid, reply=error.reply)
            return False
        return True

    def refuse(self, cause: str = "SWITCH_CONGESTION", timeout: float = CONNECT_SECONDS) -> None:
        """Turn a call away that was not connected yet, and close.

        A socket that is just closed leaves the channel parked for ever (mod_event_socket.c:538): `connect`, the hangup,
        its +OK, and only then the close.
        """
        try:
            self.connect(timeout, events=None, linger=None)
            self.send(commands.hangup(cause), timeout)
            self._link.wait_closed(FAREWELL_SECONDS)
        except CallGone:
            pass
        finally:
            self.close()

    def raise_if_disconnected(self) -> None:
        """CallGone where the caller has gone or the link has."""
        if self.gone:
            raise CallGone(self.hangup_cause)

    def _guard(self, act: Callable[[], None]) -> None:
        try:
            act()
        except LinkClosed as error:
            raise CallGone(self.hangup_cause) from error

    # The end -------------------------------------------------------------------------------------------------------

    def wait_closed(self, timeout: float) -> bool:
        """Whether the socket has closed, waiting up to `timeout` seconds: after a hangup that is when FreeSWITCH has said
        all it has to say about the call."""
        return self._link.wait_closed(timeout)

    def stop(self, timeout: float = FAREWELL_SECONDS) -> None:
        """Leave in order and close, within `timeout` seconds.

        A call that has gone, or is being hung up, is first listened to until FreeSWITCH has said all. Any other is left with
        `exit`; what the channel does then is the dialplan's to say, and without `socket_resume` it is hung up.
        """
        if not self.gone and not self._hanging_up:
            self._leave()
        self._link.wait_closed(timeout)
        self.close()

    def close(self) -> None:
        """Close the socket at once; all that waits ends with CallGone."""
        self._link.close()

    def _leave(self) -> None:
        if not self._leaving and not self._link.closed:
            self._leaving = True
            try:
                self._link.post(commands.command("exit"))
            except EslError as error:
                self._link.close(str(error))

    def _take(self, frame: Frame) -> None:
        if frame.content_type == names.EVENT_PLAIN:
            self._take_event(frame)
        elif frame.content_type == names.DISCONNECT_NOTICE:
            # The lingering one comes first and says the channel is down, the other one that this is the end
            # (mod_event_socket.c:1476, :631). Where the channel goes on, as after `exit`, there is only the second.
            self._call_back(names.DISCONNECT, Event(frame.head, frame.body))
            if frame.get("Content-Disposition") == "linger":
                self._lingering = True
                self._go()
                self._leave_when_complete()
            else:
                self._link.close("FreeSWITCH ended the link")
        elif frame.content_type != names.AUTH_REQUEST:
            log.debug("frame_ignored", call=self._uuid, frame=repr(frame))

    def _leave_when_complete(self) -> None:
        """Do not keep FreeSWITCH's session, 1.6 MB of it, for the rest of the lingering when there is nothing to come."""
        if self._lingering and self._hung_up_completely:
            self._leave()
