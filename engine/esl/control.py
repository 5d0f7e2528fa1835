"""The engine's own connection to FreeSWITCH: commands that no caller's socket should carry, and news of our own legs."""

from __future__ import annotations

import random
import uuid as uuids
from collections.abc import Callable, Mapping
from typing import Any, Final

import gevent
import msgspec
import structlog
from gevent.event import AsyncResult
from gevent.event import Event as Signal
from gevent.socket import create_connection
from greenswitch.esl import InboundESL

from engine.esl import commands, names
from engine.esl.errors import (
    AuthRejected,
    CommandRejected,
    ControlLost,
    EslError,
    LinkClosed,
    OriginateFailed,
    ReplyTimeout,
)
from engine.esl.frames import Event, Frame, raw_header
from engine.esl.jobs import Jobs
from engine.esl.link import Link
from engine.esl.server import prepare

CONNECT_SECONDS: Final = 5.0
REPLY_SECONDS: Final = 10.0
HEARTBEAT_SECONDS: Final = 5.0
"""How often FreeSWITCH is asked whether it is there, and how long it may take to answer: a dead one is found in 10 s."""

BACK_OFF_SECONDS: Final = (0.1, 0.2, 0.5, 1.0, 2.0)
OWNER_VARIABLE: Final = "pointsman_owner"
TAKEN_VARIABLE: Final = "pointsman_taken"
"""Is `false` on a caller's leg, by the dialplan, until an engine has written down that there is this call."""

WAKE_SECONDS: Final = 0.004
"""How long at most an event of a subscribed leg stays in FreeSWITCH, whose listener looks every 20 ms by itself
(mod_event_socket.c:1504)."""

_WAKE: Final = b"\n"
"""A line end before a command is thrown away without a reply (mod_event_socket.c:1252), but the listener has come back from
its poll and sends what events it has."""

_JOB: Final = b"Event-Name: " + names.BACKGROUND_JOB.encode() + b"\n"
_HANGUP: Final = b"Event-Name: " + names.CHANNEL_HANGUP.encode() + b"\n"
_JOB_UUID: Final = b"Job-UUID"
_UNIQUE_ID: Final = b"Unique-ID"
_NOT_TAKEN: Final = b"\nvariable_" + TAKEN_VARIABLE.encode() + b": false\n"

log = structlog.get_logger(__name__)


class Channel(msgspec.Struct, frozen=True):
    """What is wanted of one row of `show channels`, whose others, twenty of them, are not decoded."""

    uuid: str
    direction: str = ""
    created_epoch: str = ""
    application: str = ""
    callstate: str = ""
    dest: str = ""
    context: str = ""


class _Channels(msgspec.Struct):
    rows: list[Channel] = []


_channels = msgspec.json.Decoder(_Channels).decode


class Control(InboundESL):  # type: ignore[misc]  # greenswitch has no types
    """One inbound connection that is kept up: `start` connects, and connects again, until `stop`.

    FreeSWITCH copies and serialises each event for each listener that wants it, some 100 µs of its time, and many engines
    share one FreeSWITCH. So this link has three filters (mod_event_socket.c:318): background jobs, the legs that bear
    our `owner` in a variable, which `originate` sets, and callers' legs that no engine has taken (`hear_untaken`), of whose
    end there is nobody else to hear. Three look-ups of a header cost FreeSWITCH far less than a copy, and an engine is woken
    only for those. What still comes and is nobody's is dropped by its bytes, before decoding.

    What subscribes and handles is called in gevent's loop and must not block.
    """

    def __init__(
        self,
        address: tuple[str, int],
        password: str,
        *,
        owner: str | None = None,
        events: frozenset[str] = names.LEG_EVENTS,
        heartbeat: float = HEARTBEAT_SECONDS,
    ) -> None:
        # greenswitch's own constructor is not called: it would make a queue and what its two greenlets need.
        self.host, self.port = address
        self.password = password
        self.timeout = CONNECT_SECONDS
        self.owner = commands.identity(owner or str(uuids.uuid4()))
        """Stands in `pointsman_owner` on the legs we ring."""
        self.core_uuid = ""
        """Names one run of FreeSWITCH: a new one after a reconnect means that no call of before is left."""
        self._events = events | {names.BACKGROUND_JOB}
        self._heartbeat = heartbeat
        self._link: Link | None = None
        self._jobs = Jobs()
        self._subscribers: dict[str, Callable[[Event], None]] = {}
        self._handlers: dict[str, list[Callable[[Event], None]]] = {}
        self._on_untaken: Callable[[Event], None] | None = None
        self._asked = Signal()
        self._up = Signal()
        self._stopping = Signal()
        self._rejected = ""
        self._keeper: gevent.Greenlet[Any, Any] | None = None
        self._waker: Any = None

    # The link ------------------------------------------------------------------------------------------------------

    @property
    def connected(self) -> bool:
        """Whether FreeSWITCH is there, has taken our password and sends us our events."""
        return self._up.is_set()

    def start(self) -> None:
        """Keep a connection up from now on; returns at once. See `wait_connected`."""
        if self._keeper is None:
            self._stopping.clear()
            self._keeper = gevent.spawn(self._keep)

    def wait_connected(self, timeout: float) -> bool:
        return bool(self._up.wait(timeout))

    def connect(self, timeout: float | None = None) -> None:
        """Connect once, authenticate and ask for events. LinkClosed where nobody answers, AuthRejected, ReplyTimeout,
        CommandRejected."""
        seconds = self.timeout if timeout is None else timeout
        self._asked.clear()
        self._rejected = ""
        try:
            sock = create_connection((self.host, self.port), timeout=seconds)
        except OSError as error:
            raise LinkClosed(f"nobody answers on {self.host}:{self.port}: {error}") from error
        sock.settimeout(None)
        prepare(sock)
        link = self._link = Link(sock, self._take, self._ended)
        link.start()
        try:
            if not self._asked.wait(seconds):
                raise ReplyTimeout(f"{self.host}:{self.port} did not ask for a password within {seconds:g} s")
            self.authenticate(seconds)
            self._ask_for_events(link, seconds)
            self.core_uuid = self._ping(link, seconds)
        except EslError:
            link.close("the connection did not come about")
            raise
        if link.closed:
            raise LinkClosed(str(link.reason))
        self._up.set()

    def authenticate(self, timeout: float = CONNECT_SECONDS) -> None:
        """Say the password. AuthRejected where it is wrong."""
        if self._rejected:
            raise AuthRejected(self._rejected)
        if self._link is None:
            raise LinkClosed("there is no connection to FreeSWITCH")
        reply = self._link.send(commands.command("auth " + self.password), timeout)
        if not reply.data.startswith("+OK"):
            raise AuthRejected(f"FreeSWITCH on {self.host}:{self.port} does not take our password")

    def _ask_for_events(self, link: Link, timeout: float) -> None:
        wanted = (
            f"filter Event-Name {names.BACKGROUND_JOB}",
            f"filter variable_{OWNER_VARIABLE} {self.owner}",
            f"filter variable_{TAKEN_VARIABLE} false",
            "event plain " + " ".join(sorted(self._events)),
        )
        for line in wanted:
            reply = link.send(commands.command(line), timeout)
            if reply.refused:
                raise CommandRejected(reply.data)

    def _ping(self, link: Link, timeout: float) -> str:
        answer = link.send(commands.api("global_getvar core_uuid"), timeout)
        return "" if answer.refused else answer.data.strip()

    def _keep(self) -> None:
        attempt = 0
        while not self._stopping.is_set():
            try:
                self.connect()
            except EslError as error:
                if attempt % 20 == 0:
                    log.warning("control_unreachable", address=f"{self.host}:{self.port}", fault=str(error))
                pause = BACK_OFF_SECONDS[min(attempt, len(BACK_OFF_SECONDS) - 1)]
                attempt += 1
                # Engines that lost the same FreeSWITCH should not all come back in the same instant.
                self._stopping.wait(pause * random.uniform(0.75, 1.25))  # noqa: S311
                continue
            attempt = 0
            log.info("control_up", address=f"{self.host}:{self.port}", core=self.core_uuid)
            if self._link is not None:
                self._watch(self._link)

    def _watch(self, link: Link) -> None:
        """Ask again and again whether FreeSWITCH is there, until it is not."""
        while not link.wait_closed(self._heartbeat):
            try:
                self._ping(link, self._heartbeat)
            except LinkClosed:
                return
            except EslError as error:
                link.close(f"FreeSWITCH gives no sign of life: {error}")

    def stop(self, timeout: float = 2.0) -> None:
        """Leave, and stay away."""
        self._stopping.set()
        link = self._link
        if link is not None and not link.closed:
            try:
                link.send(commands.command("exit"), timeout)
            except EslError as error:
                log.debug("control_exit", fault=str(error))
            link.close("the control link was stopped")
        if self._keeper is not None:
            self._keeper.join(timeout + CONNECT_SECONDS)
            self._keeper = None

    def _ended(self, error: LinkClosed) -> None:
        was_up = self._up.is_set()
        self._up.clear()
        self._asked.set()
        self._jobs.lose(error)
        if was_up and not self._stopping.is_set():
            log.warning("control_down", reason=str(error))

    def _call(self, callback: Callable[..., None], *arguments: object) -> None:
        try:
            callback(*arguments)
        except Exception:  # a listener's fault must not end the connection
            log.exception("control_listener_failed")

    # Commands ------------------------------------------------------------------------------------------------------

    def _open(self) -> Link:
        if self._link is None or not self._up.is_set():
            raise LinkClosed("there is no connection to FreeSWITCH")
        return self._link

    def send(self, data: str | bytes, timeout: float = REPLY_SECONDS) -> Frame:
        """Send a command (a line, or bytes that `commands` built) and wait for its reply. LinkClosed where there is no
        connection, ControlLost where it broke before the reply, CommandRejected, ReplyTimeout, UnsafeText."""
        message = data if isinstance(data, bytes) else commands.command(data)
        link = self._open()
        try:
            frame = link.send(message, timeout)
        except LinkClosed as error:
            raise ControlLost(str(error)) from error
        if frame.refused:
            raise CommandRejected(frame.data)
        return frame

    def api(self, line: str, timeout: float = REPLY_SECONDS) -> str:
        """What an API says, run while FreeSWITCH reads nothing else from this link; so only for quick ones. Errors as
        for `send`; -ERR and -USAGE are CommandRejected."""
        return self.send(commands.api(line), timeout).data

    def bgapi(self, line: str, timeout: float) -> str:
        """What an API says that takes its time. Its end is known by a Job-UUID of ours. Errors as for `send`."""
        link = self._open()
        result: AsyncResult[str | EslError] = AsyncResult()
        job = self._jobs.await_job(result.set, timeout)
        try:
            link.post(commands.bgapi(line, job.uuid), job)
            # That it takes too long is told by the job itself.
            outcome = result.get()
        finally:
            job.forget()
        if isinstance(outcome, EslError):
            raise outcome
        return outcome or ""

    def post(self, line: str) -> None:
        """Have an API run in the background and go on; may be called from a callback. LinkClosed, LinkBusy, UnsafeText."""
        self._open().post(commands.bgapi(line, self._jobs.name()))

    def originate(
        self,
        uuid: str,
        endpoint: str,
        variables: Mapping[str, str] | None = None,
        app: str = "&park()",
        timeout: float = 60.0,
    ) -> str:
        """Call `endpoint`; the leg's uuid, which is `uuid`, once it was answered and given to `app`.

        `variables` are set on the leg (see commands.variables; originate_timeout limits the ringing and should lie below
        `timeout`). OriginateFailed with FreeSWITCH's cause where it was not answered; UnsafeText before anything is sent;
        LinkClosed; ControlLost where the link broke meanwhile. After `timeout` seconds the leg is killed and ReplyTimeout
        raised.
        """
        values = {"origination_uuid": uuid, OWNER_VARIABLE: self.owner, **(variables or {})}
        try:
            said = self.bgapi(commands.originate(endpoint, values, app), timeout)
        except CommandRejected as error:
            cause = error.reply.removeprefix("-ERR").strip() or "NORMAL_TEMPORARY_FAILURE"
            raise OriginateFailed(cause) from error
        except ReplyTimeout:
            if self.connected:
                self._kill_late(uuid)
            raise
        return said.removeprefix("+OK").strip()

    def _kill_late(self, uuid: str) -> None:
        try:
            self.kill(uuid, "ALLOTTED_TIMEOUT")
        except EslError as error:
            log.warning("late_leg_not_killed", leg=uuid, fault=str(error))

    def kill(self, uuid: str, cause: str = "NORMAL_CLEARING") -> None:
        """Hang a leg up, whatever it is doing, and go on; does nothing where there is no such leg. Errors as for `post`."""
        self.post(commands.kill(uuid, cause))

    def channels(self, timeout: float = REPLY_SECONDS) -> list[Channel]:
        """The channels FreeSWITCH has now, as `show channels` tells them. Errors as for `bgapi`."""
        said = self.bgapi("show channels as json", timeout)
        try:
            return _channels(said).rows
        except msgspec.MsgspecError as error:
            raise EslError(f"FreeSWITCH's list of channels cannot be read: {said[:80]!r}") from error

    # Listening -----------------------------------------------------------------------------------------------------

    def subscribe(self, uuid: str, callback: Callable[[Event], None]) -> None:
        """Have `callback` called with the events of the leg `uuid`, one that bears our owner, until `unsubscribe`. As long as
        there is any such leg FreeSWITCH is made to tell of it at once: a packet of one byte every WAKE_SECONDS, however
        many legs there are, where each event would come 10 ms later on average."""
        self._subscribers[uuid] = callback
        if self._waker is None:
            self._waker = gevent.get_hub().loop.timer(WAKE_SECONDS, WAKE_SECONDS)
            self._waker.start(self._wake)

    def _wake(self) -> None:
        if self._link is not None and self._up.is_set():
            self._link.wake(_WAKE)

    def unsubscribe(self, uuid: str) -> None:
        self._subscribers.pop(uuid, None)
        if not self._subscribers and self._waker is not None:
            self._waker.close()
            self._waker = None

    def hear_untaken(self, callback: Callable[[Event], None]) -> None:
        """Have `callback` called with the CHANNEL_HANGUP of each leg that the dialplan gave to the engines and none took."""
        self._on_untaken = callback

    def register_handle(self, name: str, handler: Callable[[Event], None]) -> None:
        """Have `handler` called with each event `name` (a subclass for CUSTOM), in addition to what else gets it."""
        handlers = self._handlers.setdefault(name, [])
        if handler not in handlers:
            handlers.append(handler)

    def unregister_handle(self, name: str, handler: Callable[[Event], None]) -> None:
        """ValueError where it was not registered."""
        if handler not in self._handlers.get(name, ()):
            raise ValueError(f"no such handler for {name}")
        self._handlers[name].remove(handler)

    def _take(self, frame: Frame) -> None:
        if frame.content_type == names.EVENT_PLAIN:
            self._take_event(frame)
        elif frame.content_type == names.AUTH_REQUEST:
            self._asked.set()
        elif frame.content_type == names.RUDE_REJECTION:
            self._rejected = (
                f"FreeSWITCH takes no connection from here: {frame.body.decode('utf-8', 'replace').strip()}"
            )
            self._asked.set()
        elif frame.content_type == names.DISCONNECT_NOTICE and self._link is not None:
            self._link.close("FreeSWITCH ended the link")

    def _take_event(self, frame: Frame) -> None:
        body = frame.body
        if body.startswith(_JOB):
            job = self._jobs.waiting.get((raw_header(body, _JOB_UUID) or b"").decode("ascii", "replace"))
            if job is not None:
                said = frame.event.text
                job.end(CommandRejected(said) if said.startswith(("-ERR", "-USAGE")) else said)
                return
            if not self._handlers:
                return
        callback = self._subscribers.get((raw_header(body, _UNIQUE_ID) or b"").decode("ascii", "replace"))
        if self._on_untaken is not None and _NOT_TAKEN in body and body.startswith(_HANGUP):
            self._call(self._on_untaken, frame.event)
        if callback is None and not self._handlers:
            return
        event = frame.event
        if callback is not None:
            self._call(callback, event)
        for name in {event.name, event.get("Event-Subclass") or event.name}:
            for handler in tuple(self._handlers.get(name, ())):
                self._call(handler, event)
