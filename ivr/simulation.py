"""Walking through a flow step by step: a caller who is asked what to do next, for a page that shows and plays what they hear.

The same interpreter runs the flow, on a telephone in memory whose time passes only by what is heard and waited. The flow runs
in a greenlet of its own and stands still wherever somebody has to decide: a key or silence, how a queue ends, what a web
service answers. Each step returns a `Scene`; the one who drives it answers by `press`, `wait`, `decide` or `hang_up`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

import gevent
from gevent.event import AsyncResult, Event

from conf.errors import PointsmanError
from dialplan.hours import Calendar
from ivr.flow import PublishedFlow
from ivr.interpreter import Flows, Interpreter, no_other_flows
from ivr.memory_office import MemoryOffice
from ivr.node import Node
from ivr.phone import Gone
from ivr.simulator import DEFAULTS, Asked, CallerGone, Heard, MemoryPhone, MemoryWatch, Press
from ivr.values import Value
from ivr.visit import Ending, Speech, Visit, outcome_when_gone
from sounds.catalogue import Catalogue

STEP_SECONDS: Final = 20.0
"""How long the flow may take from one decision to the next, synthesis of a text included."""

UNKNOWN_SECONDS: Final = 2.0
_OUTCOMES: Final[dict[Asked, tuple[str, ...]]] = {
    "queue": ("answered", "timeout", "no_agent", "full", "exit_key", "closed", "callback"),
    "ring": ("answered", "busy", "no_answer", "rejected", "unreachable"),
    "dial": ("answered", "busy", "no_answer", "rejected", "unreachable", "forbidden"),
    "message": ("left", "nothing"),
    "statement": ("left", "nothing"),
    "callback": ("taken", "known", "declined", "forbidden"),
}
Wanted = Literal["key", "exit", "over"] | Asked


class SimulationOver(PointsmanError):
    """There is nothing to decide any more, or not this."""


class SimulationStuck(PointsmanError):
    """The flow has not come to its next decision in good time."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """One thing of the call as a page shows it: as `ivr.simulator.Heard`, with a prompt's name and words."""

    after: float
    what: str
    detail: str
    seconds: float
    name: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Scene:
    """Where the call stands.

    `heard` is what has happened since the scene before. `wants` says what is to be decided: a `key` (the question's prompts are
    in `asks`, and silence is `patience` seconds after them), how a `queue`, `ring`, `dial`, `message` or `statement` ends or by
    which `exit` a node is left (one of `choices`), or nothing, as the call is `over` (`disposition` and `fault` say how).
    """

    heard: tuple[Spoken, ...]
    wants: Wanted
    flow: str
    node: str
    node_type: str
    elapsed: float
    asks: tuple[Spoken, ...] = ()
    patience: float = 0.0
    about: str = ""
    """Which queue, extension, number or box it is about."""
    choices: tuple[str, ...] = ()
    variables: Mapping[str, Value] = field(default_factory=dict)
    disposition: str = ""
    fault: str = ""


@dataclass(frozen=True, slots=True)
class _Question:
    wants: Wanted
    files: tuple[str, ...] = ()
    patience: float = 0.0
    about: str = ""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Answer:
    keys: str = ""
    after: float = 0.0
    choice: str = ""
    seconds: float | None = None
    variables: Mapping[str, Value] = field(default_factory=dict)
    leaves: bool = False


class _AskingPhone(MemoryPhone):
    """A telephone that asks, at each question, what the caller does."""

    def __init__(
        self,
        ask: Callable[[_Question], _Answer],
        *,
        start: datetime,
        caller_number: str,
        called_number: str,
        customer: Mapping[str, object] | None,
        seconds_of: Callable[[str], float],
        office: MemoryOffice,
        call_id: str,
    ) -> None:
        super().__init__(
            start=start,
            caller_number=caller_number,
            called_number=called_number,
            customer=customer,
            seconds_of=seconds_of,
            office=office,
            call_id=call_id,
        )
        self._ask = ask
        self._silent = False

    def _answer(self, prompts: Sequence[str], patience: float) -> None:
        self._silent = False
        if not self._presses:
            self._take(self._ask(_Question("key", tuple(prompts), patience)))

    def _next_press(self, patience: float) -> Press | None:
        if not self._presses and not self._silent:
            self._take(self._ask(_Question("key", patience=patience)))
        return super()._next_press(patience)

    def _take(self, answer: _Answer) -> None:
        if answer.leaves:
            self.leave(answer.after)
        self._silent = not answer.keys
        self._presses = [Press(self.elapsed + answer.after, key) for key in answer.keys]

    def decide(self, what: Asked, detail: str) -> tuple[str, float]:
        answer = self._ask(_Question(what, about=detail, choices=_OUTCOMES[what]))
        if answer.leaves:
            self.leave(answer.after)
        return answer.choice, DEFAULTS[what][1] if answer.seconds is None else answer.seconds

    def leave(self, after: float) -> None:
        """The caller hangs up so many seconds from now."""
        self._leaves_after = self.elapsed + after
        self._pass(after)
        raise CallerGone("the caller has hung up")


class Simulation:
    """One call that is walked through. `customer` is a card as `Phone.customer` has it; `flows` finds sub-flows; `variables`
    are set before the first node."""

    def __init__(
        self,
        flow: PublishedFlow,
        *,
        catalogue: Catalogue,
        calendars: Mapping[str, Calendar],
        at: datetime,
        flows: Flows = no_other_flows,
        caller_number: str = "",
        called_number: str = "",
        customer: Mapping[str, object] | None = None,
        variables: Mapping[str, Value] | None = None,
        extensions: Collection[str] = (),
        speech: Speech | None = None,
        call_id: str = "00000000-0000-4000-8000-000000000000",
    ) -> None:
        self._flow = flow
        self._given = dict(variables or {})
        self._catalogue = catalogue
        self._interpreter = Interpreter(catalogue, calendars, flows=flows, speech=speech, stand_in=self._stand_in)
        self._phone = _AskingPhone(
            self._ask,
            start=at,
            caller_number=caller_number,
            called_number=called_number,
            customer=customer,
            seconds_of=self._seconds_of,
            office=MemoryOffice(extensions=extensions),
            call_id=call_id,
        )
        self._watch = MemoryWatch()
        self._shown = 0
        self._question: _Question | None = None
        self._reply: AsyncResult[_Answer] = AsyncResult()
        self._turned = Event()
        self._ending: Ending | None = None
        self._failed: PointsmanError | None = None
        self._runs: gevent.Greenlet[..., None] | None = None

    # --- what the one who drives it says ---

    def start(self) -> Scene:
        """The call begins; the first decision."""
        if self._runs is None:
            self._runs = gevent.spawn(self._run)
        return self._scene()

    def press(self, keys: str, after: float = 1.0) -> Scene:
        """The caller presses keys so many seconds after the question's first prompt began, or after the key before."""
        return self._say(_Answer(keys=keys, after=max(0.0, after)), "key")

    def wait(self) -> Scene:
        """The caller says nothing until the question is given up."""
        return self._say(_Answer(), "key")

    def decide(self, choice: str, seconds: float | None = None, variables: Mapping[str, Value] | None = None) -> Scene:
        """How it ends what others decide, or by which exit a node is left, after so many seconds; with `variables` set as the
        node might have set them."""
        if self._question is None or choice not in self._question.choices:
            raise SimulationOver(f"{choice!r} is not to be decided now")
        return self._say(_Answer(choice=choice, seconds=seconds, variables=variables or {}), self._question.wants)

    def hang_up(self, after: float = 0.0) -> Scene:
        """The caller hangs up, so many seconds from now."""
        question = self._question
        return self._say(_Answer(leaves=True, after=max(0.0, after)), "over" if question is None else question.wants)

    def close(self) -> None:
        """Forget it, wherever it stands."""
        if self._runs is not None:
            self._runs.kill(block=False)
        self._question = None

    @property
    def path(self) -> list[tuple[str, str, str | None]]:
        """The steps so far: flow, node and exit, None for the one the call is at."""
        return [(step.flow, step.node, step.exit) for step in self._watch.steps]

    def _say(self, answer: _Answer, to: Wanted) -> Scene:
        if self._question is None or self._question.wants != to:
            raise SimulationOver("this is not what the call waits for")
        self._question = None
        self._turned.clear()
        reply, self._reply = self._reply, AsyncResult()
        reply.set(answer)
        return self._scene()

    # --- what the flow asks ---

    def _run(self) -> None:
        try:
            self._ending = self._interpreter.run(self._flow, self._phone, self._watch)
        except Gone:
            pass
        except PointsmanError as error:
            self._failed = error
        finally:
            self._turned.set()

    def _ask(self, question: _Question) -> _Answer:
        self._question = question
        reply = self._reply
        self._turned.set()
        answer = reply.get()
        if answer is None:
            raise SimulationOver("the walk was given up")
        return answer

    def _stand_in(self, node: Node, visit: Visit) -> str | None:
        while self._given:
            visit.set(*self._given.popitem())
        if not node.asks_the_house:
            return None
        choices = tuple(way.name for way in node.every_way())
        answer = self._ask(_Question("exit", about=node.type, choices=choices))
        if answer.leaves:
            self._phone.leave(answer.after)
        for name, value in answer.variables.items():
            visit.set(name, value)
        return answer.choice

    # --- what is shown ---

    def _scene(self) -> Scene:
        if not self._turned.wait(STEP_SECONDS):
            self.close()
            raise SimulationStuck(f"the flow has not come to a decision within {STEP_SECONDS:.0f} s")
        if self._failed is not None:
            raise self._failed
        heard = self._phone.heard[self._shown :]
        self._shown = len(self._phone.heard)
        step = self._watch.steps[-1]
        question = self._question or _Question("over")
        saved = self._watch.checkpoints[-1][1] if self._watch.checkpoints else {}
        over = question.wants == "over"
        disposition = self._ending.disposition if self._ending is not None else outcome_when_gone(saved)
        return Scene(
            heard=tuple(self._spoken(each) for each in heard),
            wants=question.wants,
            flow=step.flow,
            node=step.node,
            node_type=step.node_type,
            elapsed=self._phone.elapsed,
            asks=tuple(self._spoken(Heard(0.0, "prompt", file, self._seconds_of(file))) for file in question.files),
            patience=question.patience,
            about=question.about,
            choices=question.choices,
            variables={name: value for name, value in saved.items() if not name.startswith("_")},
            disposition=disposition if over else "",
            fault=(self._ending.fault or "") if self._ending is not None else "",
        )

    def _spoken(self, heard: Heard) -> Spoken:
        prompt = self._catalogue.at(heard.detail) if heard.what == "prompt" else None
        name, text = (prompt.name, prompt.text) if prompt is not None else ("", "")
        if heard.what == "prompt" and prompt is None:
            name = Path(heard.detail).stem
        return Spoken(heard.after, heard.what, heard.detail, heard.seconds, name, text)

    def _seconds_of(self, file: str) -> float:
        prompt = self._catalogue.at(file)
        return UNKNOWN_SECONDS if prompt is None else prompt.seconds
