"""A telephone in memory: a caller who follows a script, in a time that passes only as far as something takes time.

Tests drive flows with it, and so can anything else that wants to know what a caller would hear.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from ivr.memory_office import MemoryOffice
from ivr.phone import (
    CallbackOutcome,
    DialOutcome,
    Gathered,
    Gone,
    MessageOutcome,
    QueueOutcome,
    QueueRequest,
    RingOutcome,
)
from ivr.visit import Value

Asked = Literal["queue", "ring", "dial", "message", "statement", "callback"]
"""What others decide: who waits or talks, whether a message was left, and whether somebody wants to be called back."""


class CallerGone(Gone):
    """The script's caller has hung up, or the flow has."""


@dataclass(frozen=True, slots=True)
class Press:
    """A key pressed so many seconds after the call began."""

    after: float
    key: str


@dataclass(frozen=True, slots=True)
class Heard:
    """One thing that happened to the caller, `after` seconds into the call. `what` is `prompt` (`detail` is its file; with
    how much of it was heard in `seconds`), `key` (`•` for one of a secret), `queue`, `ring`, `dial`, `message`, `statement`,
    `callback`, `hang_up` (by the flow; `detail` is the cause) or `left` (the caller did)."""

    after: float
    what: Literal["prompt", "key", "hang_up", "left"] | Asked
    detail: str = ""
    seconds: float = 0.0


@dataclass
class Script:
    """What the caller does and what the world does to them.

    `presses` come at their time, heard prompt or not. `answers` are given one at each question that finds no key waiting,
    `reaction` seconds after it began to be spoken; an empty one is silence. `leaves_after` is when the caller hangs up.
    `queues`, `rings` (of desk phones and groups), `dials` (outside), `messages`, `statements` and `callbacks` say in turn how
    each ends and how long it takes, answered, left or taken by default.
    """

    presses: Sequence[Press] = ()
    answers: Iterable[str] = ()
    reaction: float = 1.0
    leaves_after: float | None = None
    queues: Iterable[tuple[QueueOutcome, float]] = ()
    rings: Iterable[tuple[RingOutcome, float]] = ()
    messages: Iterable[tuple[MessageOutcome, float]] = ()
    dials: Iterable[tuple[DialOutcome, float]] = ()
    statements: Iterable[tuple[MessageOutcome, float]] = ()
    callbacks: Iterable[tuple[CallbackOutcome, float]] = ()


DEFAULTS: dict[Asked, tuple[str, float]] = {
    "queue": ("answered", 30.0),
    "ring": ("answered", 30.0),
    "dial": ("answered", 30.0),
    "message": ("left", 10.0),
    "statement": ("left", 10.0),
    "callback": ("taken", 15.0),
}


class MemoryPhone:
    """A `Phone`. `seconds_of` tells how long a prompt's file is; every second passes on `now()` alone."""

    def __init__(
        self,
        script: Script | None = None,
        *,
        start: datetime,
        caller_number: str = "+4532101010",
        called_number: str = "5000",
        customer: Mapping[str, object] | None = None,
        language: str = "en",
        seconds_of: Callable[[str], float] = lambda _file: 2.0,
        office: MemoryOffice | None = None,
        call_id: str = "00000000-0000-4000-8000-000000000000",
    ) -> None:
        script = script or Script()
        self.call_id = call_id
        self.caller_number = caller_number
        self.called_number = called_number
        self.office = office or MemoryOffice()
        self.office.caller = customer
        self.office.withheld = not caller_number
        self.office.now = self.now
        self.language = language
        self.heard: list[Heard] = []
        self.elapsed = 0.0
        self.up = True
        self._start = start.astimezone(UTC)
        self._seconds_of = seconds_of
        self._leaves_after = script.leaves_after
        self._presses = sorted(script.presses, key=lambda press: press.after)
        self._reaction = script.reaction
        self._answers = iter(script.answers)
        self._statements = 0
        self._outcomes: dict[Asked, Iterator[tuple[str, float]]] = {
            "queue": iter(script.queues),
            "ring": iter(script.rings),
            "dial": iter(script.dials),
            "message": iter(script.messages),
            "statement": iter(script.statements),
            "callback": iter(script.callbacks),
        }

    @property
    def customer(self) -> Mapping[str, object] | None:
        return self.office.caller

    def speak(self, language: str) -> None:
        self.language = language

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self.elapsed)

    def play(self, prompts: Sequence[str]) -> None:
        self._check()
        for file in prompts:
            self._prompt(file, None)

    def gather(
        self,
        prompts: Sequence[str],
        *,
        most: int,
        first_digit_seconds: float,
        next_digit_seconds: float,
        terminators: str = "#",
        secret: bool = False,
    ) -> Gathered:
        self._check()
        self._answer(prompts, first_digit_seconds)
        for file in prompts:
            if not self._prompt(file, self._presses[0].after if self._presses else None):
                break
        digits = ""
        patience = first_digit_seconds
        while len(digits) < most:
            press = self._next_press(patience)
            if press is None:
                self._pass(patience)
                break
            self._pass(max(0.0, press.after - self.elapsed))
            self._presses.pop(0)
            self.heard.append(Heard(self.elapsed, "key", "•" if secret else press.key))
            if press.key in terminators:
                return Gathered(digits, press.key)
            digits += press.key
            patience = next_digit_seconds
        return Gathered(digits)

    def wait_in_queue(self, request: QueueRequest) -> QueueOutcome:
        outcome: QueueOutcome = self._asked("queue", request.queue)
        return outcome

    def offer_callback(self, request: QueueRequest, *, number: str = "") -> CallbackOutcome:  # noqa: ARG002
        outcome: CallbackOutcome = self._asked("callback", request.queue)
        return outcome

    def ring(self, extension: str, seconds: float) -> RingOutcome:
        outcome: RingOutcome = self._asked("ring", extension, seconds)
        return outcome

    def ring_together(
        self,
        extensions: Sequence[str],
        seconds: float,
        delays: Mapping[str, int] | None = None,  # noqa: ARG002
    ) -> RingOutcome:
        outcome: RingOutcome = self._asked("ring", " ".join(extensions), seconds)
        return outcome

    def dial(self, number: str, seconds: float) -> DialOutcome:
        outcome: DialOutcome = self._asked("dial", number, seconds)
        return outcome

    def take_message(self, box: str, prompts: Sequence[str], *, most_seconds: float) -> MessageOutcome:
        self.play(prompts)
        outcome: MessageOutcome = self._asked("message", box, most_seconds)
        return outcome

    def take_statement(self, prompts: Sequence[str], *, most_seconds: float) -> str | None:
        self.play(prompts)
        if self._asked("statement", "", most_seconds) != "left":
            return None
        self._statements += 1
        return f"00000000-0000-4000-8000-{self._statements:012}"

    def decide(self, what: Asked, detail: str) -> tuple[str, float]:  # noqa: ARG002  # for those who decide otherwise
        """How something ends that others decide, and how many seconds it takes."""
        return next(self._outcomes[what], DEFAULTS[what])

    def _asked(self, what: Asked, detail: str, most: float | None = None) -> Any:
        self._check()
        outcome, seconds = self.decide(what, detail)
        patient = most is None or (outcome == "answered" and what in ("ring", "dial"))
        self._spend(what, detail, seconds if patient or most is None else min(seconds, most))
        return outcome

    def hang_up(self, cause: str = "NORMAL_CLEARING") -> None:
        self._check()
        self.up = False
        self.heard.append(Heard(self.elapsed, "hang_up", cause))
        raise CallerGone("the flow has hung up")

    def _next_press(self, patience: float) -> Press | None:
        """The key that comes within so many seconds, None for silence."""
        press = self._presses[0] if self._presses else None
        return press if press is not None and press.after <= self.elapsed + patience else None

    def _answer(self, _prompts: Sequence[str], _patience: float) -> None:
        """A question is asked; what the caller does about it joins the presses."""
        if self._presses and self._presses[0].after <= self.elapsed:
            return
        keys = next(self._answers, "")
        at = self.elapsed + self._reaction
        self._presses = sorted([*self._presses, *(Press(at, key) for key in keys)], key=lambda press: press.after)

    def _prompt(self, file: str, key_at: float | None) -> bool:
        """Let the caller hear this until a key comes at `key_at`; whether they heard all of it."""
        whole = self._seconds_of(file)
        seconds = whole if key_at is None else min(whole, max(0.0, key_at - self.elapsed))
        if seconds > 0 or key_at is None:
            self._spend("prompt", file, seconds)
        return seconds == whole

    def _spend(self, what: Literal["prompt"] | Asked, detail: str, seconds: float) -> None:
        left = seconds if self._leaves_after is None else min(seconds, max(0.0, self._leaves_after - self.elapsed))
        self.heard.append(Heard(self.elapsed, what, detail, left))
        self._pass(seconds)

    def _pass(self, seconds: float) -> None:
        leaves = self._leaves_after
        if leaves is not None and self.elapsed + seconds >= leaves:
            self.elapsed = max(self.elapsed, leaves)
            self.up = False
            self.heard.append(Heard(self.elapsed, "left"))
            raise CallerGone("the caller has hung up")
        self.elapsed += seconds

    def _check(self) -> None:
        if not self.up:
            raise CallerGone("the call is over")


@dataclass
class Step:
    """One visit of a node, as a watch was told of it."""

    flow: str
    version: int
    node: str
    node_type: str
    entered_at: datetime
    exit: str | None = None
    left_at: datetime | None = None


@dataclass
class MemoryWatch:
    """A `Watch` that keeps everything it is told. For a call that goes on from a checkpoint, `steps` holds the open one."""

    steps: list[Step] = field(default_factory=list)
    checkpoints: list[tuple[str, dict[str, Value]]] = field(default_factory=list)

    def step_entered(self, flow: str, version: int, node: str, node_type: str, at: datetime) -> None:
        self.steps.append(Step(flow, version, node, node_type, at))

    def step_left(self, exit: str, at: datetime) -> None:
        self.steps[-1].exit = exit
        self.steps[-1].left_at = at

    def checkpoint(self, node: str, variables: Mapping[str, Value]) -> None:
        self.checkpoints.append((node, dict(variables)))

    @property
    def path(self) -> list[str]:
        """The nodes in the order they were visited."""
        return [step.node for step in self.steps]
