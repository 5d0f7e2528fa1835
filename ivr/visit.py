"""A call's visit to a flow: what a node may see and do, and what is told to whoever watches."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from dialplan import hours
from dialplan.hours import Calendar, Closed, Open
from ivr.errors import NodeFailed
from ivr.phone import Gathered, Phone
from ivr.says import Say
from sounds.catalogue import Catalogue

Value = str | int | float | bool
Outcome = Literal[
    "answered", "voicemail", "self_service", "after_hours", "timeout", "no_agent", "full", "exit_key",
    "busy", "no_answer", "rejected", "unreachable", "blocked", "abandoned_ivr", "network",
]  # fmt: skip
"""What has become of a call so far, in the words of its disposition."""

OUTCOME = "_outcome"
LANGUAGE = "_language"
"""The variables that the interpreter keeps for itself begin with an underscore."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where a call stood, so that another process can go on with it.

    With `entered_at` the step that began then is still open and goes on; without it the node is entered anew.
    """

    node: str
    variables: Mapping[str, Value] = field(default_factory=dict)
    entered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Ending:
    """How a flow ended with the caller still there.

    `hung_up` is True where the flow has ended the call by itself; otherwise the call may still be up and whoever ran the flow
    ends it. `fault` says what went wrong where the flow had to give up.
    """

    disposition: Outcome
    node: str
    node_type: str
    hung_up: bool
    fault: str | None = None


class Watch(Protocol):
    """Who is told what a call does in a flow. Steps follow one another without a gap: each is entered the instant the one
    before was left, and each lasts a microsecond at least, so instants of one call differ."""

    def step_entered(self, flow: str, version: int, node: str, node_type: str, at: datetime, /) -> None: ...

    def step_left(self, exit: str, at: datetime, /) -> None:
        """The step entered last is over: by one of its exits, or `hung_up` when the caller left in it, or `lost` when the
        program failed in it."""

    def checkpoint(self, node: str, variables: Mapping[str, Value], /) -> None:
        """A call that is lost from now on goes on here. Called after each node's entry, and when what has become of the
        call changes while a node still speaks."""


def outcome_when_gone(variables: Mapping[str, Value]) -> str:
    """The disposition of a call whose caller left while a flow spoke, from the variables of its last checkpoint."""
    return str(variables.get(OUTCOME, "abandoned_ivr"))


class Visit:
    """One call in one flow. Made by the interpreter, handed to each node in turn."""

    __slots__ = ("_calendars", "_catalogue", "_save", "phone", "variables")

    def __init__(
        self,
        phone: Phone,
        catalogue: Catalogue,
        calendars: Mapping[str, Calendar],
        variables: dict[str, Value],
        save: Callable[[], None],
    ) -> None:
        self.phone = phone
        self.variables = variables
        self._catalogue = catalogue
        self._calendars = calendars
        self._save = save

    @property
    def language(self) -> str:
        """The language the caller is spoken to in."""
        return str(self.variables.get(LANGUAGE) or self.phone.language)

    def now(self) -> datetime:
        """The instant that hours are decided from."""
        return self.phone.now()

    def calendar(self, name: str) -> Calendar:
        """The calendar of this name. NodeFailed where there is none."""
        try:
            return self._calendars[name]
        except KeyError:
            raise NodeFailed(f"there is no calendar {name!r}") from None

    def status(self, calendar: str) -> Open | Closed:
        """Whether this calendar is open now."""
        return hours.status(self.calendar(calendar), self.now())

    def files(self, prompts: Sequence[str | Say]) -> list[str]:
        """The files that say this now, in the caller's language. PromptMissing where one is not there."""
        names: list[str] = []
        for item in prompts:
            if isinstance(item, str):
                names.append(item)
            else:
                names += item.names(self)
        return self._catalogue.paths(names, self.language)

    def play(self, prompts: Sequence[str | Say]) -> None:
        """Say this to its end."""
        if prompts:
            self.phone.play(self.files(prompts))

    def gather(
        self,
        prompts: Sequence[str | Say],
        *,
        most: int,
        first_digit_seconds: float,
        next_digit_seconds: float,
        terminators: str,
    ) -> Gathered:
        """Say this, listening; see Phone.gather."""
        return self.phone.gather(
            self.files(prompts),
            most=most,
            first_digit_seconds=first_digit_seconds,
            next_digit_seconds=next_digit_seconds,
            terminators=terminators,
        )

    @property
    def outcome(self) -> Outcome | None:
        """What has become of the call so far; None where nothing has."""
        return self.variables.get(OUTCOME)  # type: ignore[return-value]  # only `mark` writes it, and checkpoints carry it

    def mark(self, outcome: Outcome) -> None:
        """Note what has become of the call. A talk outweighs a message, and both outweigh whatever comes later."""
        weight = {"answered": 2, "voicemail": 1}
        if weight.get(outcome, 0) >= weight.get(self.outcome or "", 0):
            self.variables[OUTCOME] = outcome

    def unmark(self, outcome: Outcome) -> None:
        """Take back `outcome` if it is what stands."""
        if self.outcome == outcome:
            del self.variables[OUTCOME]

    def save(self) -> None:
        """Have a checkpoint made now, in the midst of a node."""
        self._save()
