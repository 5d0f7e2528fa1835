"""Outgoing legs: dial strings, ringing several phones at once or in turn, and the first that answers."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gevent.event import Event

from engine.virtual import names
from engine.virtual.channel import Channel, Profile
from engine.virtual.errors import OriginateFailed
from engine.virtual.session import Confirm, Session

if TYPE_CHECKING:
    from engine.virtual.switch import Switch

DEFAULT_TIMEOUT = 60.0
_PRESSED = "group_confirm_pressed"


@dataclass(slots=True)
class Leg:
    """One endpoint of a dial string with its own variables."""

    endpoint: str
    variables: dict[str, str] = field(default_factory=dict)


def pairs(text: str) -> dict[str, str]:
    """`a=b,c='d,e'` as a mapping; `\\,` does not separate, `^^:a=b:c=d` names another separator."""
    separator = ","
    if text.startswith("^^") and len(text) > 2:
        separator, text = text[2], text[3:]
    found = {}
    for pair in re.split(rf"(?<!\\){re.escape(separator)}(?=(?:[^']*'[^']*')*[^']*$)", text):
        name, equals, value = pair.replace("\\,", ",").partition("=")
        if equals:
            value = value.strip()
            found[name.strip()] = value[1:-1] if len(value) > 1 and value[0] == value[-1] == "'" else value
    return found


def dial_string(text: str) -> tuple[dict[str, str], list[list[Leg]]]:
    """The variables for all legs, and the legs: groups tried in turn (`|`), each rung at once (`,`)."""
    common: dict[str, str] = {}
    text = text.strip()
    while text.startswith(("{", "<")):
        closing = "}" if text[0] == "{" else ">"
        inside, _, text = text[1:].partition(closing)
        common |= pairs(inside)
        text = text.strip()
    groups = []
    for group in re.split(r"\|(?![^\[]*\])", text):
        legs = []
        for each in re.split(r",(?![^\[]*\])", group):
            variables: dict[str, str] = {}
            endpoint = each.strip()
            while endpoint.startswith("["):
                inside, _, endpoint = endpoint[1:].partition("]")
                variables |= pairs(inside)
            if endpoint:
                legs.append(Leg(endpoint.strip(), variables))
        if legs:
            groups.append(legs)
    return common, groups


class Attempted:
    """A leg that is rung, or will be `delay` seconds after `began`; till `limit`, once it is dialled."""

    def __init__(self, channel: Channel, began: float) -> None:
        self.channel = channel
        self.began = began
        self.delay = _seconds_of(channel, "leg_delay_start")
        self.limit: float | None = None
        self.dialled = False
        self.confirming = False
        self.confirmed = False

    @property
    def due(self) -> float | None:
        """When something is to be done about it next; None for nothing."""
        if not self.channel.up:
            return None
        return self.limit if self.dialled else self.began + self.delay


def _seconds_of(channel: Channel, name: str) -> float:
    value = channel.get(name) or ""
    return float(value) if value.isdigit() else 0.0


class Origination:
    """One attempt to reach somebody. `run` blocks its greenlet until a leg answers, all failed, or the time is up."""

    def __init__(
        self, switch: Switch, text: str, *, caller: Channel | None = None, timeout: float | None = None
    ) -> None:
        self.switch = switch
        self.caller = caller
        self.ringback: str | None = None
        self.common, self.groups = dial_string(text)
        self.legs: list[Attempted] = []
        self._timeout = timeout
        self._session: Session | None = None
        self._changed = Event()

    def leg_changed(self, _channel: Channel) -> None:
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        if self._session is not None:
            self._session.notify()

    def run(self, session: Session | None = None) -> Channel:
        """The leg that answered. OriginateFailed with the cause otherwise; the other legs are ended either way.

        With `session` the waiting is that session's: it does what is sent meanwhile, and its end ends the attempt.
        """
        self._session = session
        failed = "DESTINATION_OUT_OF_ORDER" if not self.groups else "NO_ANSWER"
        for group in self.groups:
            try:
                return self._ring(group, session)
            except OriginateFailed as fault:
                failed = fault.cause
                if fault.cause == "ORIGINATOR_CANCEL":
                    break
        raise OriginateFailed(failed)

    def _ring(self, group: list[Leg], session: Session | None) -> Channel:
        self.legs = []
        causes: list[str] = []
        many = sum(len(each) for each in self.groups) > 1
        began = self.switch.clock.monotonic()
        for leg in group:
            try:
                self.legs.append(Attempted(self._create(leg, many), began))
            except OriginateFailed as fault:
                causes.append(fault.cause)
        for each in self.legs:
            self.switch.watch(each.channel, self.leg_changed)
        self._dial_due()
        if self.caller is not None and self.ringback:
            self.caller.ear.hears(self.ringback, True)
        try:
            return self._wait(session, causes)
        finally:
            for each in self.legs:
                self.switch.unwatch(each.channel)
            if self.caller is not None and self.ringback:
                self.caller.ear.quiet()

    def _wait(self, session: Session | None, causes: list[str]) -> Channel:
        clock = self.switch.clock
        until = clock.monotonic() + self._seconds()
        ignore_early = names.true(self.common.get("ignore_early_media"))
        while True:
            self._changed.clear()
            self._end_late()
            self._dial_due()
            for each in self.legs:
                channel = each.channel
                if not channel.up or not (channel.answered or (channel.early and not ignore_early and session is None)):
                    continue
                if each.confirmed or not self._confirms(each):
                    self._end_others(channel, "LOSE_RACE")
                    return channel
            if not any(each.channel.up for each in self.legs):
                causes += [each.channel.hangup_cause or "NO_ANSWER" for each in self.legs]
                raise OriginateFailed(causes[-1] if causes else "NO_ANSWER")
            if session is not None and not session.ready():
                self._end_others(None, "ORIGINATOR_CANCEL")
                raise OriginateFailed("ORIGINATOR_CANCEL")
            if clock.monotonic() >= until:
                self._end_others(None, "NO_ANSWER")
                raise OriginateFailed("NO_ANSWER")
            next_due = min([until, *(each.due for each in self.legs if each.due is not None)])
            if session is not None and session.has_work:
                session.parse_messages()
            elif session is not None:
                session.idle(next_due)
            else:
                self._changed.wait(max(0.0, clock.wall_seconds(next_due - clock.monotonic())))

    def _dial_due(self) -> None:
        """Ring the legs whose delay is over; where nothing rings, the next ones need not wait, and all behind them come so
        much earlier (switch_ivr_originate.c, check_per_channel_timeouts)."""
        now = self.switch.clock.monotonic()
        delayed = [each for each in self.legs if each.channel.up and not each.dialled]
        if delayed and not any(each.channel.up and each.dialled for each in self.legs):
            earlier = min(each.delay for each in delayed)
            for each in delayed:
                each.delay -= earlier
        for each in delayed:
            if now >= each.began + each.delay:
                each.dialled = True
                seconds = _seconds_of(each.channel, "leg_timeout")
                each.limit = now + seconds if seconds else None
                self.switch.dial(each.channel)

    def _end_late(self) -> None:
        now = self.switch.clock.monotonic()
        for each in self.legs:
            if each.channel.up and each.limit is not None and now >= each.limit:
                each.channel.hangup("ALLOTTED_TIMEOUT")

    def _confirms(self, attempted: Attempted) -> bool:
        """Whether something is run on the answered leg before it has the call; that it is through is noticed by itself."""
        channel = attempted.channel
        if attempted.confirming:
            return True
        key = channel.get("group_confirm_key")
        if not key:
            return False
        attempted.confirming = True
        seconds = channel.get("group_confirm_timeout") or ""
        if seconds.isdigit():
            attempted.limit = self.switch.clock.monotonic() + int(seconds) if int(seconds) else None
        file = channel.get("group_confirm_file") or "silence"
        application, _, argument = file.partition(" ")
        if key != "exec":
            # The file again and again, till that key is pressed behind it or in it.
            wait = channel.get("group_confirm_read_timeout") or "5000"
            application, argument = "read", f"{len(key)} {len(key)} {file} {_PRESSED} {wait} none"

        def through() -> bool:
            if key != "exec" and channel.get(_PRESSED) != key:
                return False
            attempted.confirmed = True
            self._wake()
            return True

        Session(channel, start=Confirm((application, argument), through)).start()
        return True

    def _seconds(self) -> float:
        for name in ("originate_timeout", "call_timeout"):
            value = self.common.get(name) or (self.caller.get(name) if self.caller else None)
            if value and value.isdigit():
                return float(value)
        return self._timeout or DEFAULT_TIMEOUT

    def _end_others(self, winner: Channel | None, cause: str) -> None:
        for each in self.legs:
            if each.channel is not winner:
                each.channel.hangup(cause)

    def _create(self, leg: Leg, many: bool) -> Channel:
        variables = self._inherited() | self.common | leg.variables
        uuid = leg.variables.get("origination_uuid") or (None if many else self.common.get("origination_uuid"))
        if uuid and uuid in self.switch.channels:
            raise OriginateFailed("DESTINATION_OUT_OF_ORDER")
        caller = self.caller.profile if self.caller is not None else None
        profile = Profile(
            "outbound",
            variables.get("origination_caller_id_name") or (caller.caller_name if caller else ""),
            variables.get("origination_caller_id_number") or (caller.caller_number if caller else "0000000000"),
            leg.endpoint,
            "mod_sofia",
            callee_name="Outbound Call",
        )
        channel = self.switch.create_leg(leg.endpoint, profile, uuid, variables)
        if self.caller is not None:
            channel.remember(self.caller, "originator")
            channel.set("originator", self.caller.uuid)
            channel.set("originating_leg_uuid", self.caller.uuid)
        return channel

    def _inherited(self) -> dict[str, str]:
        if self.caller is None:
            return {}
        named = (self.caller.get("export_vars") or "").split(",")
        found = {}
        for name in filter(None, named):
            value = self.caller.get(f"nolocal:{name}") or self.caller.get(name)
            if value is not None:
                found[name] = value
        return found
