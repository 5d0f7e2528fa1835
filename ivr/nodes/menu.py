"""menu: say what there is to choose from and take a choice by keypad."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ivr.node import Exit, Node, node_type
from ivr.says import Prompts, Say
from ivr.visit import Visit

KEYS = re.compile(r"[0-9*#]{1,8}")
BACK_KEY = "*"
EXTENSION = "extension"


class Again(BaseModel):
    """What happens when a choice fails: up to `times` failures, each but the last answered by its own prompts and the menu
    once more. `prompts` holds them in order, from patient to plain; where there are fewer, the last ones are repeated."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    times: int = Field(default=3, ge=1, le=10)
    prompts: tuple[Prompts, ...] = ()

    def after(self, failures: int) -> Prompts:
        """What is said after this many failures."""
        return self.prompts[min(failures, len(self.prompts)) - 1] if self.prompts else ()


@node_type
class Menu(Node):
    """Says `prompts` and waits for a key; the first key stops the speech.

    Every exit whose name is made of keys is a choice. Silence and wrong keys are counted apart; `no_input` and `no_match` say
    how often each may happen before the exit of that name is taken. Where choices differ in length, the shorter ones are
    taken when the next key does not come, or at `#`.

    With `back` the star key leads out by `back`, to where the caller came from. With `direct_dial`, the number of digits that
    extensions have, a caller who knows one may key it in at once: the variable `extension` then holds it, and the call leaves
    by `extension`; digits that are nobody's extension are no match. Without `barge_in` the prompts are heard to their end,
    and keys pressed meanwhile answer them.
    """

    type: Literal["menu"]
    prompts: Prompts = Field(min_length=1)
    barge_in: bool = True
    back: bool = False
    direct_dial: int = Field(default=0, ge=0, le=6)
    no_input: Again = Again()
    no_match: Again = Again()
    wait_seconds: float = Field(default=5, ge=0.5, le=60)
    """How long the first key may take after the prompts."""
    between_seconds: float = Field(default=3, ge=0.5, le=30)
    """How long each further key may take."""

    def choices(self) -> list[str]:
        """The keys that mean something here."""
        return [name for name in self.exits if KEYS.fullmatch(name)]

    def ways(self) -> tuple[Exit, ...]:
        chosen = [Exit(name, paced=True) for name in self.choices()]
        chosen += [Exit("back", paced=True)] if self.back else []
        chosen += [Exit("extension", paced=True)] if self.direct_dial else []
        return (*chosen, Exit("no_input"), Exit("no_match", paced=True, falls_to="no_input"))

    def prompts_spoken(self) -> Iterable[str | Say]:
        return chain(self.prompts, *self.no_input.prompts, *self.no_match.prompts)

    def sets(self) -> Iterator[str]:
        if self.direct_dial:
            yield EXTENSION

    @model_validator(mode="after")
    def _unambiguous(self) -> Menu:
        if self.back and BACK_KEY in self.exits:
            raise ValueError("with `back` the star key is taken; its exit is called back")
        if self.direct_dial == 1:
            raise ValueError("an extension has two digits at least")
        return self

    def run(self, visit: Visit) -> str:
        choices = {choice: choice for choice in self.choices()}
        if self.back:
            choices[BACK_KEY] = "back"
        most = max(self.direct_dial, *map(len, choices), 1)
        # A menu that has # among its choices cannot use it as the end of a choice too.
        terminators = "" if any("#" in choice for choice in choices) else "#"
        silent = wrong = 0
        prompts = self.prompts
        while True:
            if not self.barge_in:
                visit.play(prompts)
                prompts = ()
            gathered = visit.gather(
                prompts,
                most=most,
                first_digit_seconds=self.wait_seconds,
                next_digit_seconds=self.between_seconds,
                terminators=terminators,
            )
            if gathered.digits in choices:
                return choices[gathered.digits]
            if (
                gathered.digits
                and len(gathered.digits) == self.direct_dial
                and visit.phone.office.is_extension(gathered.digits)
            ):
                visit.set(EXTENSION, gathered.digits)
                return "extension"
            if gathered.digits or gathered.terminator:
                wrong += 1
                if wrong >= self.no_match.times:
                    return "no_match"
                prompts = (*self.no_match.after(wrong), *self.prompts)
            else:
                silent += 1
                if silent >= self.no_input.times:
                    return "no_input"
                prompts = (*self.no_input.after(silent), *self.prompts)

    def _is_extension(self, visit: Visit, digits: str) -> bool:
        return bool(digits) and len(digits) == self.direct_dial and visit.phone.office.is_extension(digits)
