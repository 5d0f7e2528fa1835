"""collect: take digits from the caller, such as a customer number or a code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from itertools import chain
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ivr.node import Exit, Form, Node, node_type
from ivr.nodes.menu import Again
from ivr.says import Prompts, Say
from ivr.shown import ADVANCED, SECONDS, choices, when
from ivr.values import TOLD, VariableName
from ivr.visit import Visit
from sounds import spoken

_MASK = re.compile(r"(?:[0-9XZN*]|\[[0-9]+(?:-[0-9])?\])+")
_PART = re.compile(r"\[([0-9]+(?:-[0-9])?)\]|(.)")
_SETS = {"X": "[0-9]", "Z": "[1-9]", "N": "[2-9]", "*": "[*]"}


class Confirmation(BaseModel):
    """Reading back what was keyed in: `before` it and `after` it, which should say that `accept` is the key for yes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    before: Prompts = Field(default=(), title="Said before the number")
    after: Prompts = Field(min_length=1, title="Said after it", description="Should say which key is for yes.")
    accept: str = Field(default="1", pattern=r"^[0-9*]$", title="Key for yes")


@node_type
class Collect(Node):
    """Says `prompts` and takes from `least` to `most` digits into `variable`; the `terminator` ends them early.

    `patterns` are the forms that are taken, any where there are none: `X` is any digit, `Z` 1-9, `N` 2-9, `[1-4]` one of these,
    all else itself. What is too short or fits no pattern counts as no match; so does what the caller does not confirm.
    A `secret` is never read back, and is known to the process that has the call alone (see `ivr.visit.Visit`).
    """

    form: ClassVar[Form] = Form(
        "Collect digits",
        "Asks for a number, such as an order number or a code, and keeps it.",
        "ask",
        "hash",
    )

    own_exits: ClassVar[tuple[Exit, ...]] = (
        Exit("collected", paced=True),
        Exit("no_input"),
        Exit("no_match", paced=True, falls_to="no_input"),
    )

    type: Literal["collect"]
    variable: VariableName = Field(title="Kept as", description="The name it is known by from then on.")
    prompts: Prompts = Field(min_length=1, title="What is said")
    least: int = Field(default=1, ge=1, le=32, title="Digits at least")
    most: int = Field(default=12, ge=1, le=32, title="Digits at most")
    terminator: Literal["#", "*", ""] = Field(
        default="#", title="Key that ends it", json_schema_extra=choices({"#": "Hash", "*": "Star", "": "None"})
    )
    patterns: tuple[str, ...] = Field(
        default=(),
        max_length=20,
        title="Forms that are taken",
        description="X is any digit, Z 1 to 9, N 2 to 9, [1-4] one of these; any number where there are none.",
        json_schema_extra=ADVANCED,
    )
    confirm: Confirmation | None = Field(
        default=None, title="Read back and ask whether it is right", json_schema_extra=when(secret=False)
    )
    secret: bool = Field(
        default=False, title="Secret", description="Written down nowhere: in no log, no record and no report."
    )
    no_input: Again = Field(default=Again(), title="When no key is pressed")
    no_match: Again = Field(default=Again(), title="When it does not fit")
    wait_seconds: float = Field(
        default=8, ge=0.5, le=60, title="Wait for the first key", json_schema_extra=SECONDS | ADVANCED
    )
    between_seconds: float = Field(
        default=4, ge=0.5, le=30, title="Wait for each further key", json_schema_extra=SECONDS | ADVANCED
    )

    @model_validator(mode="after")
    def _fits(self) -> Collect:
        if self.variable in TOLD:
            raise ValueError(f"{self.variable!r} is what each call has by itself and cannot be set")
        if self.least > self.most:
            raise ValueError("least is more than most")
        if self.secret and self.confirm is not None:
            raise ValueError("a secret is not read back; leave out confirm")
        for pattern in self.patterns:
            if not _MASK.fullmatch(pattern):
                raise ValueError(f"{pattern!r} is no pattern; X is a digit, Z 1-9, N 2-9, [1-4] one of these")
        return self

    @cached_property
    def _patterns(self) -> tuple[re.Pattern[str], ...]:
        return tuple(
            re.compile("".join(f"[{one}]" if one else _SETS.get(sign, sign) for one, sign in _PART.findall(pattern)))
            for pattern in self.patterns
        )

    def prompts_spoken(self) -> Iterable[str | Say]:
        confirming = () if self.confirm is None else (*self.confirm.before, *self.confirm.after)
        return chain(self.prompts, *self.no_input.prompts, *self.no_match.prompts, confirming)

    def sets(self) -> Iterator[str]:
        yield self.variable

    def secrets(self) -> Iterator[str]:
        if self.secret:
            yield self.variable

    def fits(self, digits: str) -> bool:
        """Whether these digits are what is asked for."""
        if not self.least <= len(digits) <= self.most:
            return False
        return not self.patterns or any(pattern.fullmatch(digits) for pattern in self._patterns)

    def run(self, visit: Visit) -> str:
        silent = wrong = 0
        prompts = self.prompts
        while True:
            gathered = visit.gather(
                prompts,
                most=self.most,
                first_digit_seconds=self.wait_seconds,
                next_digit_seconds=self.between_seconds,
                terminators=self.terminator,
                secret=self.secret,
            )
            if not gathered.digits and gathered.terminator is None:
                silent += 1
                if silent >= self.no_input.times:
                    return "no_input"
                prompts = (*self.no_input.after(silent), *self.prompts)
                continue
            if self.fits(gathered.digits) and self._confirmed(visit, gathered.digits):
                if self.secret:
                    visit.keep_secret(self.variable, gathered.digits)
                else:
                    visit.set(self.variable, gathered.digits)
                return "collected"
            wrong += 1
            if wrong >= self.no_match.times:
                return "no_match"
            prompts = (*self.no_match.after(wrong), *self.prompts)

    def _confirmed(self, visit: Visit, digits: str) -> bool:
        if self.confirm is None:
            return True
        told = visit.paths(spoken.digits(digits, visit.language))
        answer = visit.gather_files(
            [*visit.files(self.confirm.before), *told, *visit.files(self.confirm.after)],
            most=1,
            first_digit_seconds=self.wait_seconds,
            next_digit_seconds=self.between_seconds,
            terminators="#",
        )
        return answer.digits == self.confirm.accept
