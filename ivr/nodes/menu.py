"""menu: say what there is to choose from and take a choice by keypad."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ivr.node import Exit, Form, MoreExits, Node, node_type
from ivr.says import Prompts, Say
from ivr.shown import ADVANCED, SECONDS
from ivr.visit import Visit

KEYS = re.compile(r"[0-9*#]{1,8}")
BACK_KEY = "*"
EXTENSION = "extension"


class Again(BaseModel):
    """What happens when a choice fails: up to `times` failures, each but the last answered by its own prompts and the menu
    once more. `prompts` holds them in order, from patient to plain; where there are fewer, the last ones are repeated."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    times: int = Field(default=3, ge=1, le=10, title="How often")
    prompts: tuple[Prompts, ...] = Field(
        default=(),
        title="Said each time",
        description="From patient to plain; where there are fewer, the last ones are said again.",
    )

    def after(self, failures: int) -> Prompts:
        """What is said after this many failures."""
        return self.prompts[min(failures, len(self.prompts)) - 1] if self.prompts else ()


@node_type
class Menu(Node):
    """Says `prompts` and waits for a key; the first key stops the speech.

    Every exit whose name is made of keys is a choice. Silence and wrong keys are counted apart; `no_input` and `no_match` say
    how often each may happen before the exit of that name is taken. Where choices differ in length, the shorter ones are
    taken when the next key does not come, or at `#`.

    With `back` the star key leads out by `back`; where that leads nowhere of its own, it is to the menu of this flow that the
    caller came through before, or to this one again where there was none. With `direct_dial`, the number of digits that
    extensions have, a caller who knows one may key it in at once: the variable `extension` then holds it, and the call leaves
    by `extension`; digits that are nobody's extension are no match. Without `barge_in` the prompts are heard to their end,
    and keys pressed meanwhile answer them.
    """

    more_exits: ClassVar[MoreExits | None] = MoreExits(
        r"^[0-9*#]{1,8}$", "A key", "The key, or the keys one after the other, that callers choose this way by."
    )
    form: ClassVar[Form] = Form(
        "Menu",
        "Says what there is to choose from and waits for a key.",
        "ask",
        "keyboard",
    )

    type: Literal["menu"]
    prompts: Prompts = Field(min_length=1, title="What is said")
    back: bool = Field(
        default=False,
        title="The star key leads back",
        description="To the menu before, unless its exit leads elsewhere.",
    )
    direct_dial: int = Field(
        default=0,
        ge=0,
        le=6,
        title="Digits of an extension",
        description="Callers who know an extension may key it in here; 0 for not.",
    )
    no_input: Again = Field(default=Again(), title="When no key is pressed")
    no_match: Again = Field(default=Again(), title="When a wrong key is pressed")
    barge_in: bool = Field(
        default=True,
        title="The first key stops the speech",
        description="Otherwise it is heard to its end; keys pressed meanwhile count all the same.",
        json_schema_extra=ADVANCED,
    )
    wait_seconds: float = Field(
        default=5, ge=0.5, le=60, title="Wait for the first key", json_schema_extra=SECONDS | ADVANCED
    )
    between_seconds: float = Field(
        default=3, ge=0.5, le=30, title="Wait for each further key", json_schema_extra=SECONDS | ADVANCED
    )

    def choices(self) -> list[str]:
        """The keys that mean something here."""
        return [name for name in self.exits if KEYS.fullmatch(name)]

    def ways(self) -> tuple[Exit, ...]:
        chosen = [Exit(name, paced=True, title=f"Key {name}") for name in self.choices()]
        chosen += [Exit("back", paced=True, returns=True)] if self.back else []
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
        visit.came_to_menu()
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
                if choices[gathered.digits] == "back" and "back" not in self.exits:
                    visit.goes_to = visit.menu_before
                return choices[gathered.digits]
            if self._is_extension(visit, gathered.digits):
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
