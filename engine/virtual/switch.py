"""The switch itself: its channels, its listeners, and how a call comes in and goes out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import gevent
import structlog

from conf.clock import Clock
from engine.virtual import api_calls, bridging, names, outbound, playing, recording
from engine.virtual.api import Api
from engine.virtual.callers import Caller, CallPlan
from engine.virtual.channel import Channel, Profile
from engine.virtual.encode import line
from engine.virtual.errors import ApiRefused, OriginateFailed, PlanInvalid
from engine.virtual.events import Event
from engine.virtual.inbound import Door
from engine.virtual.listener import Listener
from engine.virtual.originate import Origination
from engine.virtual.phones import Manner, Phones
from engine.virtual.recording import Recorder
from engine.virtual.session import Action, Session, Transfer
from engine.virtual.texts import Texts

log = structlog.get_logger(__name__)

REGISTERED = (api_calls, bridging, outbound, playing, recording)
"""Imported for the applications and commands they register."""

VERSION = "FreeSWITCH Version 1.11.0-virtual~64bit (pointsman 64bit)"
DEMO_EXTENSIONS = ("1001", "1002", "1003", "1004")
HOST = "127.0.0.1"
HEARTBEAT_SECONDS = 20.0


class Alarm:
    """A timer in the hub, in the clock's seconds. Its callback must not block."""

    __slots__ = ("_timer",)

    def __init__(self, wall_seconds: float, then: Callable[[], object]) -> None:
        self._timer = gevent.get_hub().loop.timer(max(0.0, wall_seconds))
        self._timer.start(self._ring, then)

    def _ring(self, then: Callable[[], object]) -> None:
        self.stop()
        then()

    def stop(self) -> None:
        self._timer.stop()
        self._timer.close()


class Switch:
    """One virtual switch. `dialplan` is what every incoming call does, `numbers` what calls to certain numbers do instead.

    `start` opens the inbound event socket on `control`; port 0 takes a free one, told by `port`.
    """

    def __init__(
        self,
        *,
        dialplan: Sequence[Action],
        control: tuple[str, int] = (HOST, 0),
        password: str,
        clock: Clock | None = None,
        numbers: Mapping[str, Sequence[Action]] | None = None,
        phones: Mapping[str, Manner] | None = None,
        sound_folder: Path | None = None,
    ) -> None:
        self.clock = clock or Clock()
        self.sound_folder = sound_folder
        self.core_uuid = str(uuid4())
        self.channels: dict[str, Channel] = {}
        self.globals: dict[str, str] = {"core_uuid": self.core_uuid, "domain": HOST, "local_ip_v4": HOST}
        self.phones = Phones(self, dict(phones) if phones is not None else {each: Manner() for each in DEMO_EXTENSIONS})
        self.recorder = Recorder(self)
        self.texts = Texts()
        self.api = Api(self)
        self.sessions = 0
        self.began = self.clock.timestamp()
        self._dialplan = list(dialplan)
        self._numbers = {number: list(actions) for number, actions in (numbers or {}).items()}
        self._listeners: list[Listener] = []
        self._watched: dict[str, Callable[[Channel], None]] = {}
        self._sequence = 0
        self._stopped = False
        self._second = 0
        self._dates = ""
        self._door = Door(self, control, password)

    # --- life --------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """OSError where the control address cannot be had."""
        self._door.start()
        self.after(HEARTBEAT_SECONDS, self._beat)

    def _beat(self) -> None:
        """FreeSWITCH's sign of life (switch_core.c: send_heartbeat)."""
        headers = {"Event-Info": "System Ready", "Session-Count": str(len(self.channels)), "Heartbeat-Interval": "20"}
        self.fire("HEARTBEAT", headers=headers)
        if not self._stopped:
            self.after(HEARTBEAT_SECONDS, self._beat)

    @property
    def port(self) -> int:
        return self._door.port

    def stop(self) -> None:
        """End all calls and connections, as FreeSWITCH does when it is told to stop."""
        self._stopped = True
        self._door.stop()
        for channel in list(self.channels.values()):
            channel.hangup("SYSTEM_SHUTDOWN")
        gevent.sleep(0.05)
        for connection in list(self._door.connections):
            connection.finish()

    # --- time --------------------------------------------------------------------------------------------------------

    def micros(self) -> int:
        return int(self.clock.timestamp() * 1_000_000)

    @staticmethod
    def stamp(micros: int) -> str:
        return datetime.fromtimestamp(micros / 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S")

    def after(self, seconds: float, then: Callable[[], object]) -> Alarm:
        """Call `then` in the hub after the clock's `seconds`."""
        return Alarm(self.clock.wall_seconds(seconds), then)

    @staticmethod
    def soon(then: Callable[[], object]) -> None:
        """Call `then` as soon as what runs now has let go."""
        gevent.get_hub().loop.run_callback(then)

    # --- events ------------------------------------------------------------------------------------------------------

    def listens(self, listener: Listener) -> None:
        """A listener has asked for events: those of its own channel find it there, all others here."""
        listener.listening = True
        if not listener.my_events or listener.channel is None:
            if listener not in self._listeners:
                self._listeners.append(listener)
        elif listener in self._listeners:
            self._listeners.remove(listener)

    def forget(self, listener: Listener) -> None:
        if listener in self._listeners:
            self._listeners.remove(listener)

    def event_head(self, name: str) -> str:
        """The headers every event begins with."""
        self._sequence += 1
        micros = self.micros()
        if micros // 1_000_000 != self._second:
            self._second = micros // 1_000_000
            moment = datetime.fromtimestamp(self._second, UTC)
            self._dates = line("Event-Date-Local", moment.strftime("%Y-%m-%d %H:%M:%S")) + line(
                "Event-Date-GMT", moment.strftime("%a, %d %b %Y %H:%M:%S GMT")
            )
        return (
            f"Event-Name: {name}\nCore-UUID: {self.core_uuid}\nFreeSWITCH-Hostname: virtual\n"
            f"FreeSWITCH-Switchname: virtual\nFreeSWITCH-IPv4: {HOST}\nFreeSWITCH-IPv6: %3A%3A1\n{self._dates}"
            f"Event-Date-Timestamp: {micros}\nEvent-Calling-File: virtual\nEvent-Calling-Function: fire\n"
            f"Event-Calling-Line-Number: 1\nEvent-Sequence: {self._sequence}\n"
        )

    def fire(
        self,
        name: str,
        *,
        channel: Channel | None = None,
        before: str = "",
        after: str = "",
        headers: Mapping[str, str] | None = None,
        subclass: str | None = None,
        owner: str | None = None,
        body: str | None = None,
    ) -> None:
        """Tell all who want it; nothing is built where nobody does."""
        wanting = [each for each in self._listeners if each.wants(name, subclass)]
        own = (
            channel.listeners
            if channel is not None
            else self.channels[owner].listeners
            if owner in self.channels
            else ()
        )
        wanting += [each for each in own if each.my_events and each.wants(name, subclass)]
        if not wanting:
            self._sequence += 1
            return
        extra = "".join(line(key, value) for key, value in (headers or {}).items() if value is not None)
        lines = line("Event-Subclass", subclass) if subclass and "Event-Subclass" not in (headers or {}) else ""
        lines += self.event_head(name) + before + (channel.lines(name) if channel is not None else "") + after + extra
        uuid = channel.uuid if channel is not None else (headers or {}).get("Unique-ID")
        event = Event(name, lines, uuid=uuid, subclass=subclass, owner=owner, body=body)
        for listener in wanting:
            listener.deliver(event)

    def background(self, text: str, job: str, owner: str | None) -> None:
        """Run an API command by itself; its answer comes as BACKGROUND_JOB."""
        gevent.spawn(self._background, text, job, owner)

    def _background(self, text: str, job: str, owner: str | None) -> None:
        answer = self.api.run(text)
        command, _, argument = text.partition(" ")
        headers = {"Job-UUID": job} | ({"Job-Owner-UUID": owner} if owner else {}) | {"Job-Command": command}
        headers |= {"Job-Command-Arg": argument} if argument else {}
        self.fire("BACKGROUND_JOB", headers=headers, owner=owner, body=answer or "-ERR no reply\n")

    # --- legs --------------------------------------------------------------------------------------------------------

    def next_session_id(self) -> int:
        self.sessions += 1
        return self.sessions

    def session_of(self, channel: Channel) -> Session:
        """The channel's session; one that has none yet gets one, which does what is sent once it runs."""
        return channel.session or Session(channel)

    def actions(self, number: str) -> list[Action]:
        """What a call to a number does."""
        return list(self._numbers.get(number, self._dialplan))

    def transfer(self, channel: Channel, number: str) -> None:
        """Send a channel to another number's dialplan."""
        channel.profile.destination = number
        channel.dialplan_hit = True
        channel.touch()
        detour = Transfer(self.actions(number))
        if channel.session is None or not channel.session.running:
            Session(channel, start=detour).start()
        else:
            channel.session.divert(detour)

    def watch(self, channel: Channel, changed: Callable[[Channel], None]) -> None:
        self._watched[channel.uuid] = changed

    def unwatch(self, channel: Channel) -> None:
        self._watched.pop(channel.uuid, None)

    def leg_changed(self, channel: Channel) -> None:
        """A leg was answered or has ended; an origination may wait for that."""
        changed = self._watched.get(channel.uuid)
        if changed is not None:
            changed(channel)

    def create_leg(self, endpoint: str, profile: Profile, uuid: str | None, variables: dict[str, str]) -> Channel:
        """An outgoing leg to `endpoint`, not rung yet. OriginateFailed where there is no such endpoint."""
        kind, _, rest = endpoint.partition("/")
        if kind == "error":
            raise OriginateFailed(names.cause(rest))
        if kind == "loopback":
            return self._loopback(rest, profile, uuid, variables)
        if kind not in ("user", "sofia", "virtual"):
            raise OriginateFailed("CHAN_NOT_IMPLEMENTED")
        number = rest.split("/")[-1].partition("@")[0].partition(":")[0]
        if kind == "user" or self.phones.manner(number) is not None:
            self.phones.check(number)
        elif not number:
            raise OriginateFailed("INVALID_NUMBER_FORMAT")
        profile.destination = number
        profile.callee_number = number
        channel = Channel(self, profile, name=f"sofia/internal/{number}@{HOST}", uuid=uuid, variables=variables)
        self._admit(channel)
        return channel

    def dial(self, channel: Channel) -> None:
        """Let a created leg ring."""
        if channel.twin is not None:
            Session(channel.twin, self.actions(channel.twin.profile.destination)).start()
        else:
            self.phones.rung(channel, channel.profile.destination)

    def _loopback(self, rest: str, profile: Profile, uuid: str | None, variables: dict[str, str]) -> Channel:
        """Both halves of a call to one's own dialplan (mod_loopback): -a is ours, -b the incoming call."""
        number = rest.split("/")[0]
        profile.destination = number
        profile.source = "mod_loopback"
        first = Channel(self, profile, name=f"loopback/{number}-a", uuid=uuid, variables=variables)
        second = Channel(
            self,
            Profile("inbound", profile.caller_name, profile.caller_number, number, "mod_loopback"),
            name=f"loopback/{number}-b",
        )
        first.twin, second.twin = second, first
        self._admit(first)
        self._admit(second)
        return first

    def _admit(self, channel: Channel) -> None:
        self.channels[channel.uuid] = channel
        channel.fire("CHANNEL_CREATE")
        if channel.direction == "outbound":
            channel.fire("CHANNEL_ORIGINATE")
            channel.fire("CHANNEL_OUTGOING")

    def call(self, plan: CallPlan, ear: Callable[[Channel], Any] | None = None) -> Channel:
        """A call comes in from a virtual caller. PlanInvalid where its uuid is taken."""
        if plan.uuid is not None and plan.uuid in self.channels:
            raise PlanInvalid(f"the uuid {plan.uuid} is in use")
        user = plan.caller.lstrip("+") or "anonymous"
        profile = Profile("inbound", plan.name or plan.caller, plan.caller or "anonymous", plan.number, "mod_sofia")
        channel = Channel(
            self,
            profile,
            name=f"sofia/internal/{user}@{HOST}",
            uuid=plan.uuid,
            variables={
                "sip_from_user": user,
                "sip_from_uri": f"{user}@{HOST}",
                "sip_from_host": HOST,
                "sip_call_id": f"{uuid4()}@{HOST}",
                "sip_network_ip": HOST,
                "sip_received_ip": HOST,
                "sip_from_display": plan.name,
                "sip_req_user": plan.number,
                "sip_to_user": plan.number,
                "sip_to_uri": f"{plan.number}@{HOST}",
                "sip_user_agent": "virtual",
                "max_forwards": "70",
                "presence_id": f"{user}@{HOST}",
            }
            | ({"pointsman_at": plan.at} if plan.at else {})
            # As the directory of the rendered configuration says of a phone that has signed in.
            | ({"pointsman_extension": user} if self.phones.manner(user) is not None else {}),
        )
        self._admit(channel)
        channel.ear = ear(channel) if ear is not None else Caller(self, channel, plan)
        channel.enter(names.CS_ROUTING)
        Session(channel, self.actions(plan.number)).start()
        return channel

    def originate(self, text: str, timeout: float | None = None) -> Channel:
        """Ring the endpoints of a dial string; blocks. OriginateFailed with the cause."""
        return Origination(self, text, timeout=timeout).run()

    def find(self, uuid: str) -> Channel:
        """ApiRefused where there is no such channel."""
        channel = self.channels.get(uuid)
        if channel is None:
            raise ApiRefused("-ERR No such channel!\n")
        return channel
