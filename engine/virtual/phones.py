"""Desk phones and outside numbers that pick up by themselves."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from engine.virtual import names
from engine.virtual.ears import Ear
from engine.virtual.errors import OriginateFailed, PlanInvalid

if TYPE_CHECKING:
    from engine.virtual.channel import Channel
    from engine.virtual.switch import Alarm, Switch


@dataclass(frozen=True, slots=True)
class Manner:
    """How a phone behaves. Seconds are the clock's.

    It rings, and after `answer` seconds is picked up; with None it rings for ever. `refuse` is a cause it turns the call away
    with after `answer` seconds instead. Once it talks it hangs up after `talk` seconds, with None it leaves that to the other.
    """

    answer: float | None = 1.5
    refuse: str | None = None
    absent: bool = False
    busy: bool = False
    talk: float | None = 5.0
    press: str | None = None
    """The key it presses where it is asked for one before the talk, as somebody does who is called back; None for a machine."""

    @classmethod
    def parse(cls, text: str, otherwise: Manner) -> Manner:
        """Read `{"answer": 1.5, "talk": 5}`, `{"ring": true}`, `{"busy": true}`, `{"absent": true}`,
        `{"refuse": "CALL_REJECTED"}`; what is not named stays as in `otherwise`. PlanInvalid on anything else."""
        try:
            wanted: dict[str, Any] = json.loads(text)
            if wanted.pop("ring", False):
                wanted["answer"] = None
            known = {each.name for each in fields(cls)}
            if not set(wanted) <= known:
                raise PlanInvalid(f"a phone knows nothing of {', '.join(sorted(set(wanted) - known))}")
            calm = replace(otherwise, refuse=None, absent=False, busy=False)
            if calm.answer is None and "answer" not in wanted:
                calm = replace(calm, answer=cls().answer)
            manner = replace(calm, **wanted)
        except (ValueError, TypeError, AttributeError) as error:
            raise PlanInvalid(f"{text!r} does not describe a phone") from error
        for seconds in (manner.answer, manner.talk):
            if seconds is not None and (not isinstance(seconds, int | float) or seconds < 0):
                raise PlanInvalid("answer and talk are seconds")
        if manner.refuse is not None and str(manner.refuse).upper() not in names.CAUSES:
            raise PlanInvalid(f"{manner.refuse!r} is no hang-up cause")
        return manner


OUTSIDE = Manner(answer=3.0, talk=10.0, press="1")
"""Numbers reached through a trunk."""


class Phones:
    """All phones of the installation by extension, and the calls each is busy with."""

    def __init__(self, switch: Switch, manners: dict[str, Manner]) -> None:
        self._switch = switch
        self._manners = dict(manners)
        self._lines: dict[str, Channel] = {}

    def manner(self, extension: str) -> Manner | None:
        return self._manners.get(extension)

    def extensions(self) -> list[str]:
        return sorted(self._manners)

    def signed_in(self) -> list[str]:
        return sorted(extension for extension, manner in self._manners.items() if not manner.absent)

    def change(self, extension: str, text: str) -> Manner:
        manner = Manner.parse(text, self._manners.get(extension, Manner()))
        self._manners[extension] = manner
        return manner

    def check(self, extension: str) -> None:
        """OriginateFailed where the phone cannot even be rung."""
        manner = self._manners.get(extension)
        if manner is None:
            raise OriginateFailed("SUBSCRIBER_ABSENT")
        if manner.absent:
            raise OriginateFailed("USER_NOT_REGISTERED")

    def rung(self, channel: Channel, extension: str) -> None:
        """A leg reaches the phone: it begins to ring or turns the call away."""
        manner = self._manners.get(extension)
        own = manner is not None
        phone = Phone(self._switch, channel, extension, manner or OUTSIDE)
        line = self._lines.get(extension)
        if own and (phone.manner.busy or (line is not None and line.up)):
            self._switch.soon(lambda: channel.hangup("USER_BUSY", by_far_end=True))
            return
        if own:
            self._lines[extension] = channel
        channel.ear = phone
        phone.start()


class Phone(Ear):
    """One call at one phone."""

    def __init__(self, switch: Switch, channel: Channel, extension: str, manner: Manner) -> None:
        self.label = extension
        self.manner = manner
        self._switch = switch
        self._channel = channel
        self._alarm: Alarm | None = None

    def start(self) -> None:
        refusal = self.manner.refuse
        if refusal is not None:
            self._switch.after(
                self.manner.answer or 0.0, lambda: self._channel.hangup(refusal.upper(), by_far_end=True)
            )
            return
        self._switch.after(0.0, self._channel.ring)
        # As a phone does that obeys `Call-Info: …;answer-after=0`.
        answer = 0.0 if self._channel.says_yes("sip_auto_answer") else self.manner.answer
        if answer is not None:
            self._alarm = self._switch.after(answer, self._channel.answer)

    def asked_for_digits(self, asked: bool) -> None:
        key = self.manner.press
        if asked and key is not None:
            self._switch.after(1.0, lambda: self._channel.press(key))

    def bridged(self, _other: Channel) -> None:
        self._stop()
        if self.manner.talk is not None:
            self._alarm = self._switch.after(
                self.manner.talk, lambda: self._channel.hangup("NORMAL_CLEARING", by_far_end=True)
            )

    def unbridged(self, _other: Channel) -> None:
        self._stop()

    def ended(self, _cause: str) -> None:
        self._stop()

    def _stop(self) -> None:
        if self._alarm is not None:
            self._alarm.stop()
            self._alarm = None
