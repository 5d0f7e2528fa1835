"""One leg of a call: its state, variables and times, and the events that tell of them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from engine.virtual import names
from engine.virtual.ears import Ear
from engine.virtual.encode import line

if TYPE_CHECKING:
    from engine.virtual.listener import Listener
    from engine.virtual.session import Session
    from engine.virtual.switch import Switch

CODEC = (
    "Channel-Read-Codec-Name: PCMU\nChannel-Read-Codec-Rate: 8000\nChannel-Read-Codec-Bit-Rate: 64000\n"
    "Channel-Write-Codec-Name: PCMU\nChannel-Write-Codec-Rate: 8000\nChannel-Write-Codec-Bit-Rate: 64000\n"
)
MOST_DIGITS = 100


@dataclass(slots=True)
class Profile:
    """Who calls whom on a channel: FreeSWITCH's caller profile."""

    direction: str
    caller_name: str
    caller_number: str
    destination: str
    source: str
    context: str = "default"
    dialplan: str = "XML"
    address: str = "127.0.0.1"
    callee_name: str = ""
    callee_number: str = ""


@dataclass(slots=True)
class Times:
    """Instants of a channel on the switch's clock, in microseconds; 0 for what has not happened."""

    created: int
    answered: int = 0
    progress: int = 0
    progress_media: int = 0
    hangup: int = 0
    transfer: int = 0
    bridged: int = 0
    hold: int = 0
    hold_accumulated: int = 0


@dataclass(slots=True)
class Recording:
    """A recording that runs beside what the channel does."""

    path: Path
    channels: int
    began: float
    limit: float | None = None


@dataclass(slots=True)
class OtherLeg:
    """The last peer as it was when it became one."""

    kind: str
    lines: str = field(repr=False)


class Channel:
    """A leg. It outlives its end for as long as a listener lingers on it; `switch.channels` holds it by `uuid`."""

    def __init__(
        self,
        switch: Switch,
        profile: Profile,
        *,
        name: str,
        uuid: str | None = None,
        variables: dict[str, str] | None = None,
        ear: Ear | None = None,
    ) -> None:
        self.switch = switch
        self.profile = profile
        self.name = name
        self.uuid = uuid or str(uuid4())
        self.direction = profile.direction
        self.times = Times(switch.micros())
        self.state = names.CS_INIT
        self.call_state = "DOWN"
        self.hangup_cause: str | None = None
        self.ended_by_far_end = False
        self.dialplan_hit = profile.direction == "inbound"
        self.holding = False
        self.early = False
        self.ear = ear or Ear()
        self.session: Session | None = None
        self.partner: Channel | None = None
        self.twin: Channel | None = None
        """The other half of a loopback pair."""
        self.other: OtherLeg | None = None
        self.digits: deque[str] = deque(maxlen=MOST_DIGITS)
        self.recordings: dict[str, Recording] = {}
        self.listeners: list[Listener] = []
        self._variables: dict[str, str] = {}
        self._lines: dict[str, str] = {}
        self._profile_lines = ""
        self.set_all(
            {"direction": profile.direction, "uuid": self.uuid, "session_id": str(switch.next_session_id())}
            | (variables or {})
            | {"channel_name": name, "call_uuid": self.uuid}
        )

    # --- variables ---------------------------------------------------------------------------------------------------

    def get(self, name: str) -> str | None:
        return self._variables.get(name)

    def set(self, name: str, value: str | None) -> None:
        """Give a variable a value; None or nothing takes it away, as in FreeSWITCH."""
        if value is None or value == "":
            self._variables.pop(name, None)
            self._lines.pop(name, None)
        else:
            self._variables[name] = value
            self._lines[name] = line(f"variable_{name}", value)

    def set_all(self, variables: dict[str, str]) -> None:
        for name, value in variables.items():
            self.set(name, value)

    def says_yes(self, name: str) -> bool:
        return names.true(self._variables.get(name))

    @property
    def variables(self) -> dict[str, str]:
        return dict(self._variables)

    # --- state -------------------------------------------------------------------------------------------------------

    @property
    def up(self) -> bool:
        return self.hangup_cause is None

    @property
    def answered(self) -> bool:
        return self.times.answered > 0

    @property
    def answer_state(self) -> str:
        if not self.up:
            return "hangup"
        if self.answered:
            return "answered"
        return "early" if self.early else "ringing"

    def enter(self, state: str) -> None:
        if self.state != state:
            self.state = state
            self.fire("CHANNEL_STATE")

    def ring(self) -> None:
        """Tell the calling side that it rings."""
        if self.up and not self.times.progress and not self.answered:
            self.call_state = "RINGING"
            self.times.progress = self.switch.micros()
            self.touch()
            self.fire("CHANNEL_PROGRESS")
            self.ear.ringing()
            if self.twin is not None and self.twin.direction == "outbound":
                self.twin.ring()

    def pre_answer(self) -> None:
        """Open the audio without answering."""
        if not self.up or self.early or self.answered:
            return
        self.early = True
        self.times.progress_media = self.switch.micros()
        self.touch()
        self.set("endpoint_disposition", "EARLY MEDIA")
        self.fire("CHANNEL_PROGRESS_MEDIA")
        self.call_state = "EARLY"

    def answer(self) -> None:
        """Take the call. FreeSWITCH opens the audio first, so a PROGRESS_MEDIA goes before the ANSWER of an inbound leg."""
        if not self.up or self.answered:
            return
        if self.direction == "inbound" and self.twin is None:
            self.pre_answer()
        self.times.answered = self.switch.micros()
        self.touch()
        self.set("endpoint_disposition", "ANSWER")
        self.set_all({"read_codec": "PCMU", "read_rate": "8000", "write_codec": "PCMU", "write_rate": "8000"})
        if self.twin is not None and self.direction == "inbound":
            self.twin.answer()
        self.fire("CHANNEL_ANSWER")
        self.call_state = "ACTIVE"
        self.ear.answered()
        self.switch.leg_changed(self)

    def hangup(self, cause: str, *, by_far_end: bool = False) -> None:
        """End the leg. Whatever it does at this moment ends too; the later events follow once its session has unwound."""
        if not self.up:
            return
        self.hangup_cause = cause
        self.ended_by_far_end = by_far_end
        self.times.hangup = self.switch.micros()
        self.set("hangup_cause", cause)
        self.set(
            "hangup_cause_q850", str(min(names.CAUSES.get(cause, 16), 127) if names.CAUSES.get(cause, 16) < 128 else 16)
        )
        self.fire("CHANNEL_HANGUP")
        self.touch()
        self.switch.leg_changed(self)
        if self.partner is not None and self.partner.session is not None:
            self.partner.session.notify()
        if self.session is not None and self.session.running:
            self.session.notify()
        else:
            self.switch.soon(self.finish)

    def finish(self) -> None:
        """The last part of the end: recordings closed, reporting, and gone once nobody lingers."""
        if self.state in (names.CS_HANGUP, names.CS_REPORTING):
            return
        cause = self.hangup_cause or "NORMAL_CLEARING"
        self.switch.recorder.stop_all(self)
        self.enter(names.CS_HANGUP)
        self.call_state = "HANGUP"
        self.ear.ended(cause)
        if self.twin is not None:
            self.twin.hangup(cause)
        self.enter(names.CS_REPORTING)
        self._account()
        self.fire("CHANNEL_HANGUP_COMPLETE", before=line("Hangup-Cause", cause))
        for listener in list(self.listeners):
            listener.channel_down()
        self.let_go()

    def let_go(self) -> None:
        """Destroyed as soon as it has ended and no listener holds it (sess: the read lock of a lingering socket)."""
        if (
            self.state == names.CS_REPORTING
            and not self.listeners
            and self.switch.channels.pop(self.uuid, None) is not None
        ):
            self.fire("CHANNEL_DESTROY")

    # --- digits ------------------------------------------------------------------------------------------------------

    def press(self, keys: str) -> None:
        """The far end presses keys; they wait in the channel until something takes them."""
        if self.up:
            self.digits.extend(key for key in keys if key in "0123456789*#ABCDabcd")
            if self.session is not None:
                self.session.notify()

    def next_digit(self) -> str | None:
        """Take one waiting digit and tell of it."""
        if not self.digits:
            return None
        digit = self.digits.popleft()
        after = line("DTMF-Digit", digit) + "DTMF-Duration: 2000\nDTMF-Source: APP\n"
        self.fire("DTMF", after=after)
        return digit

    # --- events ------------------------------------------------------------------------------------------------------

    def fire(self, name: str, *, before: str = "", after: str = "", body: str | None = None) -> None:
        """Tell all that listen. `before` and `after` are header lines around the channel's own."""
        self.switch.fire(name, channel=self, before=before, after=after, body=body)

    def touch(self) -> None:
        """Forget the prepared profile lines, as something in them has changed."""
        self._profile_lines = ""

    def lines(self, event: str) -> str:
        """The channel's headers in an event of that name, in FreeSWITCH's order (chan: event_set_basic_data)."""
        number = names.STATE_NUMBERS[names.CS_HANGUP if event == "CHANNEL_HANGUP" else self.state]
        presence = self._variables.get("presence_id")
        basic = (
            f"Channel-State: {self.state}\nChannel-Call-State: {self.call_state}\nChannel-State-Number: {number}\n"
            + line("Channel-Name", self.name)
            + f"Unique-ID: {self.uuid}\nCall-Direction: {self.direction}\nPresence-Call-Direction: {self.direction}\n"
            f"Channel-HIT-Dialplan: {'true' if self.dialplan_hit else 'false'}\n"
            + (line("Channel-Presence-ID", presence) if presence else "")
            + f"Channel-Call-UUID: {self._variables.get('call_uuid', self.uuid)}\nAnswer-State: {self.answer_state}\n"
            + (f"Hangup-Cause: {self.hangup_cause}\n" if self.hangup_cause else "")
            + (CODEC if self.early or self.answered else "")
            + self.profile_lines("Caller")
        )
        if self.other is not None:
            basic += f"Other-Type: {self.other.kind}\n{self.other.lines}"
        return basic if event in names.BASIC_EVENTS else basic + "".join(self._lines.values())

    def profile_lines(self, prefix: str) -> str:
        """The profile as header lines (switch_caller_profile_event_set_data)."""
        if prefix == "Caller" and self._profile_lines:
            return self._profile_lines
        profile, times = self.profile, self.times
        rows: list[tuple[str, object]] = [
            ("Direction", self.direction),
            ("Logical-Direction", self.direction),
            ("Username", profile.caller_number),
            ("Dialplan", profile.dialplan),
            ("Caller-ID-Name", profile.caller_name),
            ("Caller-ID-Number", profile.caller_number),
            ("Orig-Caller-ID-Name", profile.caller_name),
            ("Orig-Caller-ID-Number", profile.caller_number),
            ("Callee-ID-Name", profile.callee_name),
            ("Callee-ID-Number", profile.callee_number),
            ("Network-Addr", profile.address),
            ("ANI", profile.caller_number),
            ("Destination-Number", profile.destination),
            ("Unique-ID", self.uuid),
            ("Source", profile.source),
            ("Context", profile.context),
            ("Channel-Name", self.name),
            ("Profile-Index", 1),
            ("Profile-Created-Time", times.created),
            ("Channel-Created-Time", times.created),
            ("Channel-Answered-Time", times.answered),
            ("Channel-Progress-Time", times.progress),
            ("Channel-Progress-Media-Time", times.progress_media),
            ("Channel-Hangup-Time", times.hangup),
            ("Channel-Transfer-Time", times.transfer),
            ("Channel-Resurrect-Time", 0),
            ("Channel-Bridged-Time", times.bridged),
            ("Channel-Last-Hold", times.hold),
            ("Channel-Hold-Accum", times.hold_accumulated),
            ("Screen-Bit", "true"),
            ("Privacy-Hide-Name", "false"),
            ("Privacy-Hide-Number", "false"),
        ]
        lines = "".join(line(f"{prefix}-{name}", value) for name, value in rows if value != "")
        if prefix == "Caller":
            self._profile_lines = lines
        return lines

    def remember(self, other: Channel, kind: str) -> None:
        """Keep the peer's profile; later events show it as Other-Leg-…"""
        self.other = OtherLeg(kind, other.profile_lines("Other-Leg"))

    def _account(self) -> None:
        """The times as variables, which the last events carry (switch_core's CDR variables)."""
        times = self.times
        stamps = {
            "start": times.created,
            "answer": times.answered,
            "bridge": times.bridged,
            "progress": times.progress,
            "progress_media": times.progress_media,
            "end": times.hangup,
        }
        for name, micros in stamps.items():
            if micros:
                self.set(f"{name}_stamp", self.switch.stamp(micros))
            self.set(f"{name}_epoch", str(micros // 1_000_000))
            self.set(f"{name}_uepoch", str(micros))
        duration = times.hangup - times.created
        billed = times.hangup - times.answered if times.answered else 0
        for prefix, unit, suffix in (("", 1_000_000, "sec"), ("m", 1000, "msec"), ("u", 1, "usec")):
            self.set(f"{prefix}duration", str(duration // unit))
            self.set(f"bill{suffix}", str(billed // unit))
