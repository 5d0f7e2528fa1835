"""Tests of flows: given who calls, when, and what they press -> which way the call must take, what it must hear, how it ends.

A test is data, kept with its flow. It runs on the same interpreter as calls do, on a telephone in memory. What is decided
outside the telephone (whether a queue answers, what a web service says) stands in the test's `outcomes`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, field_serializer

from dialplan.hours import Calendar
from ivr.errors import FlowTestInvalid, FlowUnknown
from ivr.flow import Flow, PublishedFlow
from ivr.interpreter import Interpreter
from ivr.memory_office import MemoryOffice
from ivr.node import ERROR, Node
from ivr.phone import Gone
from ivr.simulator import DEFAULTS, Asked, CallerGone, MemoryPhone, MemoryWatch, Script
from ivr.values import Value, VariableName
from ivr.visit import Visit, outcome_when_gone
from sounds.catalogue import Catalogue

_ENDS: dict[str, Asked] = {
    "queue": "queue",
    "ring": "ring",
    "ring_group": "ring",
    "outside": "dial",
    "voicemail": "message",
    "record": "statement",
    "callback": "callback",
}
"""The node types whose outcome is told by how something ends, and not by their exit."""


class Outcome(BaseModel):
    """What comes of a visit of `node` (or `flow.node`): for one that queues, rings or records how that ends and after how many
    seconds, for any other node the exit it is left by, with `variables` set as it might have set them. Of several outcomes of
    one node each visit takes the next; when they are used up, the node does as it does by itself. One with a `visit`, counted
    from 1, is not taken before that visit: until then the node does as it does by itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    node: str = Field(pattern=r"^([a-z0-9][a-z0-9_-]{0,59}\.)?[a-z0-9][a-z0-9_]{0,59}$")
    outcome: str = Field(min_length=1, max_length=60)
    seconds: float | None = Field(default=None, ge=0, le=86_400)
    variables: dict[VariableName, Value] = Field(default_factory=dict)
    visit: int | None = Field(default=None, ge=1, le=1000)


class Expected(BaseModel):
    """What must come of the call; what is left out may be anything. `path` is every node in turn, those of other flows as
    `flow.node`; of `prompts` each must be heard in this order, whatever comes between; `end` is the call's disposition."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: tuple[str, ...] | None = None
    prompts: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    """Prompts that must not be heard."""
    end: str | None = None
    hung_up_by: Literal["caller", "flow"] | None = None


class FlowTest(BaseModel):
    """One test. `keys` holds what is pressed at each question in turn, an empty text being silence."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, max_length=100)
    at: AwareDatetime
    caller: str = Field(default="", max_length=40)
    called: str = Field(default="", max_length=40)
    customer: dict[str, Any] | None = None
    keys: tuple[Annotated[str, Field(pattern=r"^[0-9*#]{0,40}$")], ...] = Field(default=(), max_length=200)
    outcomes: tuple[Outcome, ...] = Field(default=(), max_length=200)
    hangs_up_after: float | None = Field(default=None, ge=0, le=86_400)
    """Seconds after which the caller hangs up."""
    hangs_up_in_step: int | None = Field(default=None, ge=1, le=1000)
    """The step, counted from 1, in which the caller hangs up as soon as it would say or ask something."""
    blocks: bool = True
    """Whether its failing keeps a version from being published."""
    expect: Expected = Expected()

    @field_serializer("at")
    def _instant(self, at: datetime) -> str:
        return at.isoformat()

    @classmethod
    def parse(cls, document: object) -> FlowTest:
        """The test that a document's content describes. FlowTestInvalid lists every fault and its place."""
        try:
            return cls.model_validate(document)
        except ValidationError as error:
            faults = (f"{'.'.join(map(str, each['loc'])) or 'the test'}: {each['msg']}" for each in error.errors())
            raise FlowTestInvalid("; ".join(faults)) from error

    def document(self) -> dict[str, Any]:
        """Plain content that `parse` makes the same test of; what is as by default is left out."""
        return self.model_dump(mode="json", exclude_defaults=True)


@dataclass(frozen=True, slots=True)
class TestedCall:
    """What came of a test: `differences` says in words where it was not as expected, none where it passed."""

    __test__ = False

    test: FlowTest
    differences: tuple[str, ...]
    path: tuple[str, ...]
    prompts: tuple[str, ...]
    end: str

    @property
    def passed(self) -> bool:
        return not self.differences


def run_test(
    test: FlowTest,
    flow: Flow,
    *,
    catalogue: Catalogue,
    calendars: Mapping[str, Calendar],
    flows: Mapping[str, Flow] | None = None,
    extensions: Collection[str] = (),
) -> TestedCall:
    """Take the test's call through the flow, among the other `flows`, and compare. FlowInvalid where the flow cannot be run."""
    watch = _TestWatch(flow.name, test)
    phone = _TestPhone(test, watch, catalogue, extensions)
    known = {**(flows or {}), flow.name: flow}

    def find(name: str, _version: int | None) -> PublishedFlow:
        if name not in known:
            raise FlowUnknown(f"flow {name!r} is not published")
        return PublishedFlow(1, known[name])

    interpreter = Interpreter(
        catalogue, calendars, flows=find, stand_in=watch.stand_in, speech=lambda _text, _language: "speech.wav"
    )
    end: str
    fault = hung_up_by = None
    try:
        ending = interpreter.run(PublishedFlow(1, flow), phone, watch)
        end, fault, hung_up_by = ending.disposition, ending.fault, "flow" if ending.hung_up else None
    except Gone:
        end, hung_up_by = outcome_when_gone(watch.checkpoints[-1][1]), "caller"
    prompts = tuple(Path(heard.detail).stem for heard in phone.heard if heard.what == "prompt")
    path = tuple(watch.told_path())
    differences = _compare(test.expect, path, prompts, end, hung_up_by)
    if fault is not None:
        differences.append(f"the flow gave up: {fault}")
    return TestedCall(test, tuple(differences), path, prompts, end)


def run_tests(tests: Sequence[FlowTest], flow: Flow, **around: Any) -> list[TestedCall]:
    """`run_test` for each."""
    return [run_test(test, flow, **around) for test in tests]


class _TestWatch(MemoryWatch):
    """Knows at which node the call is, and what the test says comes of it."""

    def __init__(self, flow: str, test: FlowTest) -> None:
        super().__init__()
        self._flow = flow
        self._outcomes = list(test.outcomes)

    def told_path(self) -> list[str]:
        """The steps as a test names them."""
        return [step.node if step.flow == self._flow else f"{step.flow}.{step.node}" for step in self.steps]

    def outcome(self) -> Outcome | None:
        """The next outcome of the node the call is at; it is used up by that."""
        step = self.steps[-1]
        names = {f"{step.flow}.{step.node}", step.node} if step.flow == self._flow else {f"{step.flow}.{step.node}"}
        position = next((position for position, each in enumerate(self._outcomes) if each.node in names), None)
        if position is None:
            return None
        visits = sum((each.flow, each.node) == (step.flow, step.node) for each in self.steps)
        return None if visits < (self._outcomes[position].visit or 1) else self._outcomes.pop(position)

    def stand_in(self, node: Node, visit: Visit) -> str | None:
        """See `ivr.interpreter.StandIn`."""
        found = self.outcome()
        if found is not None and node.type in _ENDS and found.outcome != ERROR:
            # The telephone will ask for it.
            self._outcomes.insert(0, found)
            return None
        if found is None:
            return None
        secret = set(node.secrets())
        for name, value in found.variables.items():
            if name in secret:
                visit.keep_secret(name, str(value))
            else:
                visit.set(name, value)
        return found.outcome


class _TestPhone(MemoryPhone):
    """The telephone of a test's caller."""

    def __init__(self, test: FlowTest, watch: _TestWatch, catalogue: Catalogue, extensions: Collection[str]) -> None:
        def seconds_of(file: str) -> float:
            prompt = catalogue.at(file)
            return 2.0 if prompt is None else prompt.seconds

        super().__init__(
            Script(answers=test.keys, leaves_after=test.hangs_up_after),
            start=test.at,
            caller_number=test.caller,
            called_number=test.called,
            customer=test.customer,
            seconds_of=seconds_of,
            office=MemoryOffice(extensions=extensions),
        )
        self._watch = watch
        self._leaves_in = test.hangs_up_in_step

    def decide(self, what: Asked, detail: str) -> tuple[str, float]:
        found = self._watch.outcome()
        if found is None:
            return super().decide(what, detail)
        return found.outcome, DEFAULTS[what][1] if found.seconds is None else found.seconds

    def _check(self) -> None:
        super()._check()
        if self._leaves_in is not None and len(self._watch.steps) >= self._leaves_in:
            self.up = False
            raise CallerGone("the test's caller has hung up")


def _compare(
    expect: Expected, path: tuple[str, ...], prompts: tuple[str, ...], end: str, hung_up_by: str | None
) -> list[str]:
    found = []
    if expect.path is not None and path != expect.path:
        same = next(
            (at for at, pair in enumerate(zip(path, expect.path, strict=False)) if pair[0] != pair[1]),
            min(len(path), len(expect.path)),
        )
        went = path[same] if same < len(path) else "its end"
        wanted = expect.path[same] if same < len(expect.path) else "its end"
        after = f"after {path[same - 1]!r}" if same else "at the beginning"
        found.append(f"the call came to {went!r} {after}, expected was {wanted!r}")
    ahead = iter(prompts)
    missing = next((name for name in expect.prompts if name not in ahead), None)
    if missing is not None:
        found.append(f"prompt {missing!r} was not heard" + (" in its place" if missing in prompts else ""))
    found += [f"prompt {name!r} was heard" for name in expect.never if name in prompts]
    if expect.end is not None and end != expect.end:
        found.append(f"the call ended as {end}, expected was {expect.end}")
    if expect.hung_up_by is not None and hung_up_by != expect.hung_up_by:
        found.append(f"it was {hung_up_by or 'nobody'} who hung up, expected was {expect.hung_up_by}")
    return found
