"""Virtual callers: people who listen, press keys, leave messages and hang up."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.virtual.ears import Ear
from engine.virtual.errors import PlanInvalid

if TYPE_CHECKING:
    from engine.virtual.channel import Channel
    from engine.virtual.switch import Alarm, Switch

SUBCLASS = "pointsman::virtual"
QUIET = 0.5
"""Seconds of quiet after which a caller takes it that something is expected of them."""
PATIENCE = 1.5
"""Seconds of quiet after a key until the next one, where no further prompt came."""
MUSIC_FOLDER = "music"
MUSIC = 3.0
"""Seconds of music after which a waiting caller presses the next key."""

CALLER = "+4532101010"
"""Who rings where nobody is named; a customer of the demo company."""
_PAUSE = re.compile(r"[wW](\d+(?:\.\d+)?)?")
_KEY = re.compile(r"[0-9*#A-D]+")


@dataclass(frozen=True, slots=True)
class Pause:
    seconds: float


Step = str | Pause


def script(text: str) -> list[Step]:
    """`1,w2,#`: keys, each pressed once it is quiet, and pauses after which the next key comes at once. PlanInvalid."""
    steps: list[Step] = []
    for part in filter(None, (each.strip() for each in text.split(","))):
        pause = _PAUSE.fullmatch(part)
        if pause:
            steps.append(Pause(float(pause[1] or 1)))
        elif _KEY.fullmatch(part):
            steps.extend(part)
        else:
            raise PlanInvalid(f"{part!r} is neither a key nor a pause such as w2")
    return steps


@dataclass(frozen=True, slots=True)
class CallPlan:
    """What a virtual caller is to do."""

    number: str
    caller: str = CALLER
    name: str = ""
    press: tuple[Step, ...] = ()
    hang_up_after: float | None = None
    at: str | None = None
    uuid: str | None = None
    speaks: float = 4.0

    @classmethod
    def parse(cls, text: str) -> CallPlan:
        """Read `{"number": "5000", "from": …, "press": "1,w2,#", "hang_up_after": 5, "at": ISO, "uuid": …}`. PlanInvalid."""
        try:
            wanted: dict[str, Any] = dict(json.loads(text))
        except (ValueError, TypeError) as error:
            raise PlanInvalid(f"{text!r} does not describe a call") from error
        number = str(wanted.get("number", ""))
        if not re.fullmatch(r"[0-9A-Za-z+*#_.-]{1,64}", number):
            raise PlanInvalid(f"{number!r} is no number to call")
        at = wanted.get("at")
        try:
            moment = None if at is None else datetime.fromisoformat(str(at))
        except ValueError as error:
            raise PlanInvalid(f"{at!r} is no date and time such as 2026-12-25T10:00+01:00") from error
        if moment is not None and moment.tzinfo is None:
            raise PlanInvalid(f"{at!r} names no time zone, for example 2026-12-25T10:00+01:00")
        try:
            after = None if wanted.get("hang_up_after") is None else float(wanted["hang_up_after"])
            speaks = float(wanted.get("speaks", 4.0))
        except (ValueError, TypeError) as error:
            raise PlanInvalid(f"a call's times cannot be read: {error}") from error
        return cls(
            number,
            str(wanted.get("from", CALLER)),
            str(wanted.get("name", "")),
            tuple(script(str(wanted.get("press", "")))),
            after,
            None if at is None else str(at),
            wanted.get("uuid"),
            speaks,
        )


class Caller(Ear):
    """One caller on the line. What they notice and do is told in CUSTOM events `pointsman::virtual` with a JSON body:
    `call` (the uuid), `at` (the clock's seconds since the call began), `kind`, and what belongs to the kind."""

    def __init__(self, switch: Switch, channel: Channel, plan: CallPlan) -> None:
        self.label = plan.caller
        self.speaks_for = plan.speaks
        self._switch = switch
        self._channel = channel
        self._plan = plan
        self._steps = list(plan.press)
        self._began = switch.clock.monotonic()
        self._last_key: float | None = None
        self._heard_since_key = False
        self._music = ""
        self._talking = False
        self._alarm: Alarm | None = None
        self._tell("calling", number=plan.number, caller=plan.caller)
        self._hanging_up = (
            None if plan.hang_up_after is None else switch.after(plan.hang_up_after, lambda: self.hang_up())
        )

    def hang_up(self) -> None:
        if self._channel.up:
            self._tell("hangs_up")
            self._channel.hangup("NORMAL_CLEARING" if self._channel.answered else "ORIGINATOR_CANCEL", by_far_end=True)

    # --- what they notice --------------------------------------------------------------------------------------------

    def ringing(self) -> None:
        self._tell("ringing")

    def answered(self) -> None:
        self._tell("answered")
        if self._steps and isinstance(self._steps[0], Pause):
            self._expect(self._steps[0].seconds, self._step)

    def hears(self, sound: str, endless: bool) -> None:
        scheme, separator, rest = sound.partition("://")
        if not separator:
            scheme, rest = "file", sound
        if scheme == "silence_stream":
            return
        if endless and scheme == "tone_stream":
            if self._music != sound:
                self._music = sound
                self._tell("tone", file=sound)
            self._expect(MUSIC, self._step)
            return
        if endless or Path(rest).parent.name == MUSIC_FOLDER:
            if self._music != sound:
                self._music = sound
                self._tell("music", file=sound)
            self._expect(MUSIC, self._step)
            return
        self._music = ""
        self._heard_since_key = True
        if self._waits_for_quiet:
            self._expect(None)
        if scheme == "tone_stream":
            self._tell("tone", file=sound)
        else:
            self._tell("hears", file=rest, **self._switch.texts.of(Path(rest)))

    def quiet(self) -> None:
        self._music = ""
        if self._waits_for_quiet:
            waiting = QUIET if self._heard_since_key or self._last_key is None else PATIENCE
            self._expect(waiting, self._step)

    def asked_for_digits(self, asked: bool) -> None:
        if asked and self._waits_for_quiet:
            self._expect(QUIET, self._step)

    def recording(self, on: bool) -> None:
        self._tell("recording" if on else "recorded")
        if on and self._waits_for_quiet:
            self._expect(self.speaks_for, self._step)

    def bridged(self, other: Channel) -> None:
        self._talking = True
        self._music = ""
        if self._waits_for_quiet:
            self._expect(None)
        self._tell("talks", to=other.ear.label or other.profile.destination, uuid=other.uuid)

    def unbridged(self, other: Channel) -> None:
        self._talking = False
        if not self._channel.up:
            return
        who = other.ear.label or other.profile.destination
        if other.ended_by_far_end:
            self._tell("left", who=who, cause=other.hangup_cause)
        else:
            self._tell("parted", who=who)

    def held(self, on: bool) -> None:
        self._tell("held" if on else "taken_back")

    def ended(self, cause: str) -> None:
        self._expect(None)
        if self._hanging_up is not None:
            self._hanging_up.stop()
        by = "caller" if self._channel.ended_by_far_end else "switch"
        self._tell("ended", cause=cause, by=by, answered=self._channel.answered)

    # --- what they do ------------------------------------------------------------------------------------------------

    @property
    def _waits_for_quiet(self) -> bool:
        return bool(self._steps) and isinstance(self._steps[0], str)

    def _expect(self, seconds: float | None, then: Any = None) -> None:
        if self._alarm is not None and not (self._steps and isinstance(self._steps[0], Pause)):
            self._alarm.stop()
            self._alarm = None
        if seconds is not None and self._steps and self._alarm is None:
            self._alarm = self._switch.after(seconds, then)

    def _step(self) -> None:
        """The time of the next step has come."""
        self._alarm = None
        if not self._channel.up or not self._steps:
            return
        paused = not self._waits_for_quiet
        if paused:
            self._steps.pop(0)
        if self._waits_for_quiet and (paused or not self._talking):
            self._press()
        head = self._steps[0] if self._steps else ""
        if isinstance(head, Pause):
            self._expect(head.seconds, self._step)
        elif self._music:
            self._expect(MUSIC, self._step)
        else:
            self._expect(PATIENCE, self._step)

    def _press(self) -> None:
        key = self._steps.pop(0)
        self._last_key = self._switch.clock.monotonic()
        self._heard_since_key = False
        self._tell("presses", key=str(key))
        self._channel.press(str(key))

    def _tell(self, kind: str, **what: object) -> None:
        at = round(self._switch.clock.monotonic() - self._began, 3)
        body = json.dumps({"call": self._channel.uuid, "at": at, "kind": kind, **what}, ensure_ascii=False)
        self._switch.fire("CUSTOM", headers={"Unique-ID": self._channel.uuid}, subclass=SUBCLASS, body=body)
