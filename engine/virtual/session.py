"""What a channel's thread does in FreeSWITCH: dialplan actions, applications nested in one another, parking, bridges.

One greenlet a session. It sleeps in `idle` and is woken by `notify`; everything else that happens to a channel only leaves
word here (a message, a digit, a detour) and notifies.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

import gevent
import structlog
from gevent.event import Event

from engine.virtual import names
from engine.virtual.applications import APPLICATIONS
from engine.virtual.encode import line
from engine.virtual.errors import VirtualError

if TYPE_CHECKING:
    from engine.virtual.bridging import Bridge
    from engine.virtual.channel import Channel
    from engine.virtual.encode import Command

log = structlog.get_logger(__name__)

Action = tuple[str, str]
"""An application and its argument, as a line of the dialplan."""

MOST_MESSAGES = 256
DEEPEST = 16
SHORTEST_LOOP = 0.5
"""An application that took less is not repeated (ivr: switch_ivr_parse_event)."""
_VARIABLE = re.compile(r"\$\{([A-Za-z0-9_.-]+)\}")


@dataclass(slots=True)
class Reset:
    """Leave everything and go on with the next dialplan action."""


@dataclass(slots=True)
class Transfer:
    actions: list[Action]


@dataclass(slots=True)
class Park:
    """Leave everything and wait, owned by nobody."""


@dataclass(slots=True)
class Originate:
    """Bridge as the side that runs the bridge."""

    bridge: Bridge


@dataclass(slots=True)
class Join:
    """Bridge as the other side."""

    bridge: Bridge


@dataclass(slots=True)
class Confirm:
    """Run an application before the talk, again and again till `done` is content with it (switch_ivr_originate.c,
    collect_thread_run)."""

    action: Action
    done: Callable[[], bool]


Detour = Reset | Transfer | Park | Originate | Join | Confirm


class Session:
    """The life of one channel from its first action to its end."""

    def __init__(self, channel: Channel, actions: Iterable[Action] = (), start: Detour | None = None) -> None:
        self.channel = channel
        self.switch = channel.switch
        self.clock = channel.switch.clock
        self.actions: deque[Action] = deque(actions)
        self.messages: deque[Command] = deque()
        self.detour: Detour | None = start
        self.controlled = False
        self.broken = False
        self.running = False
        self.depth = 0
        self._locks = 0
        self._broadcasts = 0
        self._stop_broadcast = False
        self._wake = Event()
        channel.session = self

    def start(self) -> None:
        self.running = True
        gevent.spawn(self._run)

    # --- what others leave here --------------------------------------------------------------------------------------

    def notify(self) -> None:
        self._wake.set()

    def send(self, message: Command) -> bool:
        """Queue a `sendmsg`; False where the queue is full."""
        if len(self.messages) >= MOST_MESSAGES:
            return False
        self.messages.append(message)
        self.notify()
        return True

    def divert(self, detour: Detour) -> None:
        self.detour = detour
        self.notify()

    def stop_playing(self, everything: bool) -> None:
        """`uuid_break`: end the running application, with `everything` also drop what is queued."""
        if everything:
            self.messages.clear()
        self.broken = True
        if self._broadcasts:
            self._stop_broadcast = True
        self.notify()

    # --- the thread --------------------------------------------------------------------------------------------------

    def ready(self) -> bool:
        """Whether what runs may go on: neither ended nor called elsewhere (chan: switch_channel_test_ready)."""
        return self.channel.up and self.detour is None

    def idle(self, until: float | None = None) -> None:
        """Sleep until notified, or until `until` on the clock's monotonic seconds."""
        timeout = None if until is None else max(0.0, self.clock.wall_seconds(until - self.clock.monotonic()))
        self._wake.wait(timeout)
        self._wake.clear()

    def _run(self) -> None:
        try:
            while self.channel.up:
                detour, self.detour = self.detour, None
                self._go(detour)
        except VirtualError as error:
            log.warning("call lost", call_id=self.channel.uuid, fault=str(error))
            self.channel.hangup("DESTINATION_OUT_OF_ORDER")
        finally:
            self.running = False
            if not self.channel.up:
                self.channel.finish()

    def _go(self, detour: Detour | None) -> None:
        match detour:
            case Transfer(actions):
                self._route(actions)
            case Park():
                self.channel.enter(names.CS_PARK)
                self.park()
                while self.ready():
                    self.idle()
            case Originate(bridge):
                self.channel.enter(names.CS_SOFT_EXECUTE)
                bridge.run_first()
            case Join(bridge):
                bridge.run_second(self)
            case Confirm((application, argument), done):
                self.execute(application, argument)
                while self.ready() and not done():
                    self.execute(application, argument)
                while self.ready():
                    self.idle()
            case _:
                self._follow_dialplan()

    def _route(self, actions: list[Action]) -> None:
        self.channel.times.transfer = self.switch.micros()
        self.channel.touch()
        self.channel.enter(names.CS_ROUTING)
        self.actions = deque(actions)
        self._follow_dialplan()

    def _follow_dialplan(self) -> None:
        self.channel.enter(names.CS_EXECUTE)
        if self.channel.call_state == "DOWN":
            self.channel.call_state = "RINGING"
        while self.ready() and self.actions:
            application, argument = self.actions.popleft()
            self.execute(application, argument)
        if self.ready():
            self.channel.hangup("NORMAL_CLEARING")

    # --- applications ------------------------------------------------------------------------------------------------

    def execute(self, application: str, argument: str) -> None:
        """Run one application with its events (sess: switch_core_session_execute_application)."""
        channel = self.channel
        if not channel.up:
            return
        run = APPLICATIONS.get(application)
        if run is None:
            log.info("unknown application", call_id=channel.uuid, application=application)
            channel.hangup("DESTINATION_OUT_OF_ORDER")
            return
        argument = self._expanded(argument)
        uuid = channel.get("app_uuid") or str(uuid4())
        channel.set("app_uuid", None)
        channel.set("current_application_response", None)
        channel.set("current_application_data", argument)
        channel.set("current_application", application)
        told = line("Application", application) + (line("Application-Data", argument) if argument else "")
        channel.fire("CHANNEL_EXECUTE", after=told + line("Application-UUID", uuid))
        self.depth += 1
        try:
            run(self, argument)
        finally:
            self.depth -= 1
        response = line("Application-Response", channel.get("current_application_response") or "_none_")
        channel.fire("CHANNEL_EXECUTE_COMPLETE", after=told + response + line("Application-UUID", uuid))

    def _expanded(self, argument: str) -> str:
        if "${" not in argument or self.channel.says_yes("app_disable_expand_variables"):
            return argument
        return _VARIABLE.sub(lambda found: self.channel.get(found[1]) or "", argument)

    def parse_messages(self) -> float:
        """Do what was sent, unless something locked runs; the seconds it took, by which an outer playback is late."""
        began = self.clock.monotonic()
        if self.depth > DEEPEST:
            return 0.0
        while self.messages and not self._locks and self.ready():
            self._obey(self.messages.popleft())
            if self.broken:
                break
        return self.clock.monotonic() - began

    @property
    def has_work(self) -> bool:
        return bool(self.messages) and not self._locks and self.ready() and self.depth <= DEEPEST

    def _obey(self, message: Command) -> None:
        """One message (ivr: switch_ivr_parse_event). Names of commands are case-sensitive, unknown ones do nothing."""
        locked = names.true(message.get("event-lock"))
        self._locks += locked
        try:
            match message.get("call-command"):
                case "execute":
                    self._execute_message(message)
                case "hangup":
                    self.channel.hangup(names.cause(message.get("hangup-cause")))
        finally:
            self._locks -= locked

    def _execute_message(self, message: Command) -> None:
        application = message.get("execute-app-name")
        if not application:
            return
        argument = message.get("execute-app-arg") or ""
        if not argument and (message.get("content-type") or "").lower() == "text/plain":
            argument = message.body or ""
        loops = _number(message.get("loops"), 1)
        self._stop_broadcast = False
        self._broadcasts += 1
        done = 0
        while loops < 0 or done < loops:
            done += 1
            began = self.clock.monotonic()
            self.channel.set("app_uuid", message.get("event-uuid"))
            self.channel.set_all({"current_loop": str(done), "total_loops": str(loops)})
            self.execute(application, argument)
            if not self.ready() or self._stop_broadcast or self.clock.monotonic() - began < SHORTEST_LOOP:
                break
        self.channel.set("current_loop", None)
        self.channel.set("total_loops", None)
        self._broadcasts -= 1
        if self._stop_broadcast:
            self.broken = True

    # --- parking -----------------------------------------------------------------------------------------------------

    def park(self) -> None:
        """Wait and do what is sent (ivr: switch_ivr_park); ends with the call, by a detour, or when control is given up."""
        channel = self.channel
        if self.controlled or isinstance(self.detour, Reset):
            return
        expires, cause = self._park_timeout()
        self.controlled = True
        channel.fire("CHANNEL_PARK")
        while self.ready() and self.controlled:
            self.broken = False
            self.parse_messages()
            while channel.next_digit() is not None:
                pass
            if expires is not None and self.clock.monotonic() >= expires:
                channel.hangup(cause)
            elif self.ready() and self.controlled and not self.has_work:
                self.idle(expires)
        self.controlled = False
        channel.fire("CHANNEL_UNPARK")

    def _park_timeout(self) -> tuple[float | None, str]:
        seconds, _, cause = (self.channel.get("park_timeout") or "").partition(":")
        if not seconds:
            return None, ""
        self.channel.set("park_timeout", None)
        self.channel.set("park_after_bridge", None)
        return self.clock.monotonic() + _number(seconds, 0), names.cause(cause)

    def give_up_control(self) -> None:
        """The socket that parked this channel has gone."""
        self.controlled = False
        self.notify()


def _number(text: str | None, otherwise: int) -> int:
    found = re.match(r"\s*[+-]?\d+", text or "")
    return int(found[0]) if found else otherwise
