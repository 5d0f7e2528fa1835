"""A call's visit to a flow: what a node may see and do, and what is told to whoever watches."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, Protocol

from dialplan import hours
from dialplan.hours import Calendar, Closed, Open
from ivr.errors import NodeFailed
from ivr.phone import Gathered, Phone
from ivr.says import Say
from ivr.values import LONGEST, TOLD, fill
from ivr.values import Value as Value  # what checkpoints hold
from sounds.catalogue import Catalogue

Outcome = Literal[
    "answered", "voicemail", "callback", "self_service", "after_hours", "timeout", "no_agent", "full", "exit_key",
    "busy", "no_answer", "rejected", "unreachable", "blocked", "abandoned_ivr", "network",
]  # fmt: skip
"""What has become of a call so far, in the words of its disposition."""

OUTCOME = "_outcome"
LANGUAGE = "_language"
STACK = "_stack"
SECRETS = "_secrets"
MENUS = "_menus"
"""The variables that the interpreter keeps for itself begin with an underscore. `_secrets` names those that are kept
secret; `_menus` holds the flow and those of its menus that the call came through; `_stack` the nodes that have called the flow
and where they stand, as `flow version node`, the outermost first."""

MOST_VARIABLES: Final = 200
MOST_MENUS: Final = 20
LOST: Final = "lost"
"""The exit of a step whose end nobody knows."""

Speech = Callable[[str, str], str]
"""Speaks a text in a language; gives the file. A PointsmanError where nothing here can."""


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
        """The step entered last is over: by one of its exits, or `hung_up` when the caller left in it, or LOST when the
        program failed in it."""

    def checkpoint(self, node: str, variables: Mapping[str, Value], /) -> None:
        """A call that is lost from now on goes on here. Called after each node's entry, and when what has become of the
        call changes while a node still speaks."""


def outcome_when_gone(variables: Mapping[str, Value]) -> str:
    """The disposition of a call whose caller left while a flow spoke, from the variables of its last checkpoint."""
    return str(variables.get(OUTCOME, "abandoned_ivr"))


class Visit:
    """One call in one flow. Made by the interpreter, handed to each node in turn.

    A secret (what a caller keyed in under a mask) is kept in this process's memory alone: not in `variables`, from which
    checkpoints are made, and so neither in Redis nor in a log or a record. A call that goes on in another process has lost
    its secrets, and a node that needs one leaves by `error`.
    """

    __slots__ = (
        "_calendars", "_catalogue", "_save", "_secrets", "_speech", "_stray", "enters", "goes_to", "node", "phone", "result",
        "variables",
    )  # fmt: skip

    def __init__(
        self,
        phone: Phone,
        catalogue: Catalogue,
        calendars: Mapping[str, Calendar],
        variables: dict[str, Value],
        save: Callable[[], None],
        speech: Speech | None = None,
    ) -> None:
        self.phone = phone
        self.variables = variables
        self.node = ""
        """The node the call is at, as `flow.node`."""
        self.enters: tuple[str, bool] | None = None
        """The flow a node sends the call into, and whether the call is to come back to that node."""
        self.result: str | None = None
        """What a flow that ends here gives to the node that called it."""
        self.goes_to: str | None = None
        """The node of the flow where the call goes on, whatever its exit says: back to where it came from."""
        self._catalogue = catalogue
        self._calendars = calendars
        self._save = save
        self._speech = speech
        self._secrets: dict[str, str] = {}
        self._stray = ""

    def arrive(self, node: str) -> None:
        """The call comes to a node, given as `flow.node`."""
        self.node = node
        self.enters = self.result = self.goes_to = None

    def came_to_menu(self) -> None:
        """The call is at a menu; those it came through before in this flow are kept, so that it can be led back."""
        flow, _, node = self.node.partition(".")
        before = str(self.variables.get(MENUS, "")).split()
        menus = before[1:] if before[:1] == [flow] else []
        menus = menus[: menus.index(node)] if node in menus else menus
        self.variables[MENUS] = " ".join([flow, *menus[1 - MOST_MENUS :], node])

    @property
    def menu_before(self) -> str:
        """The menu of this flow that the call came through before this one; this one where there was none."""
        menus = str(self.variables.get(MENUS, "")).split()[1:]
        return menus[-2] if len(menus) > 1 else menus[-1]

    # --- variables ---

    def get(self, name: str) -> Value | None:
        """A variable's value, secret ones too; None where it is not set. NodeFailed for a secret that is lost."""
        if name in TOLD:
            return self._told(name)
        if name in self._secrets:
            return self._secrets[name]
        value = self.variables.get(name)
        if value is None and name in str(self.variables.get(SECRETS, "")).split():
            raise NodeFailed(f"what was kept secret as {name!r} is lost with the process that knew it")
        return value

    def value(self, name: str) -> Value:
        """A variable's value. NodeFailed where it is not set."""
        value = self.get(name)
        if value is None:
            raise NodeFailed(f"nothing has set {name!r}")
        return value

    def set(self, name: str, value: Value) -> None:
        """Keep a value under a name. NodeFailed for the names each call has by itself, and where there are too many."""
        if name in TOLD:
            raise NodeFailed(f"{name!r} is what each call has by itself and cannot be set")
        if len(self.variables) >= MOST_VARIABLES and name not in self.variables:
            raise NodeFailed(f"a call may have {MOST_VARIABLES} variables, and {name!r} is one more")
        self.forget(name)
        self.variables[name] = value[:LONGEST] if isinstance(value, str) else value

    def keep_secret(self, name: str, value: str) -> None:
        """Keep a value where no checkpoint, log or record has it."""
        self.set(name, "")
        del self.variables[name]
        self._secrets[name] = value
        self._name_secrets(self._secret_names() | {name})

    def forget(self, name: str) -> None:
        """Have a variable not set any more."""
        self.variables.pop(name, None)
        self._secrets.pop(name, None)
        if name in self._secret_names():
            self._name_secrets(self._secret_names() - {name})

    def fill(self, template: str, quote: Callable[[str], str] = str) -> str:
        """A text with its variables in place. NodeFailed where one is not set."""
        return fill(template, self.value, quote)

    def _secret_names(self) -> frozenset[str]:
        return frozenset(str(self.variables.get(SECRETS, "")).split())

    def _name_secrets(self, names: frozenset[str]) -> None:
        self.variables.pop(SECRETS, None)
        if names:
            self.variables[SECRETS] = " ".join(sorted(names))

    def _told(self, name: str) -> Value | None:
        if name in ("call_id", "caller_number", "called_number"):
            return str(getattr(self.phone, name)) or None
        if name == "language":
            return self.language
        customer = self.phone.customer
        if customer is None:
            return None
        found = customer.get(name.removeprefix("customer_"))
        if isinstance(found, list):
            return len(found)
        return found if isinstance(found, str | int | float) and found != "" else None

    # --- hours, prompts, keys ---

    @property
    def language(self) -> str:
        """The language the caller is spoken to in."""
        return str(self.variables.get(LANGUAGE) or self.phone.language)

    def speak(self, language: str) -> None:
        """Speak to the caller in this language from now on."""
        self.variables[LANGUAGE] = language
        self.phone.speak(language)

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

    def paths(self, names: Sequence[str], language: str | None = None) -> list[str]:
        """The files of prompts by their names. PromptMissing where one is not there."""
        return self._catalogue.paths(names, language or self.language)

    def files(self, prompts: Sequence[str | Say], language: str | None = None) -> list[str]:
        """The files that say this now, in the caller's language or the one given. PromptMissing where one is not there."""
        spoken = language or self.language
        files: list[str] = []
        for item in prompts:
            files += self._catalogue.paths((item,), spoken) if isinstance(item, str) else item.files(self, spoken)
        return files

    def speech(self, text: str, language: str) -> str:
        """A file that speaks this text. NodeFailed where nothing here can."""
        if self._speech is None:
            raise NodeFailed("there is nothing here that speaks texts")
        return self._speech(text, language)

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
        secret: bool = False,
    ) -> Gathered:
        """Say this, listening; see Phone.gather."""
        return self.gather_files(
            self.files(prompts),
            most=most,
            first_digit_seconds=first_digit_seconds,
            next_digit_seconds=next_digit_seconds,
            terminators=terminators,
            secret=secret,
        )

    def gather_files(
        self,
        files: Sequence[str],
        *,
        most: int,
        first_digit_seconds: float,
        next_digit_seconds: float,
        terminators: str,
        secret: bool = False,
    ) -> Gathered:
        """Play these files, listening; see Phone.gather.

        People end a number with # also where its length has ended it already. Such a key, coming late, belongs to that number
        and answers nothing that is asked next.
        """
        stray, self._stray = self._stray, ""
        while True:
            gathered = self.phone.gather(
                files,
                most=most,
                first_digit_seconds=first_digit_seconds,
                next_digit_seconds=next_digit_seconds,
                terminators=terminators,
                secret=secret,
            )
            if gathered.digits or not gathered.terminator or gathered.terminator not in stray:
                break
            stray = ""
        if most > 1 and gathered.terminator is None and len(gathered.digits) == most:
            self._stray = terminators
        return gathered

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
