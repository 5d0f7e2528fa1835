"""The dialogue that settles under which number somebody is called back. Pure: keys and silences in, prompts out.

The caller hears the number and confirms it by 1, names another by 2, or goes back by `*`. Who calls without a number names
one first. A number that cannot be called is said to be so, and another may be named.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from ivr.phone import Phone
from sounds import spoken
from sounds.catalogue import Catalogue

CallbackEnd = Literal["taken", "declined", "forbidden"]
"""`forbidden`: no number was named that may be called."""

FIRST_KEY_SECONDS: Final = 8.0
NEXT_KEY_SECONDS: Final = 5.0
"""How long a key is waited for after the prompts, and after the key before it."""

MOST_DIGITS: Final = 20
MOST_TRIES: Final = 3
"""How often somebody may name a number that cannot be called, and how often nothing may be heard of them."""

CONFIRM, ANOTHER, BACK, END = "1", "2", "*", "#"

MayCall = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Ask:
    """Say these prompts and listen; after `seconds` of silence behind them tell `silence`. `stops`: the first key pressed
    stops them."""

    prompts: tuple[str, ...]
    seconds: float = FIRST_KEY_SECONDS


@dataclass(frozen=True, slots=True)
class Done:
    """The dialogue is over; `number` is what is to be called where it was `taken`."""

    end: CallbackEnd
    number: str = ""


class Dialogue:
    """One such dialogue. `begin` first, then `key` for each key and `silence` for each silence, till one of them is Done."""

    def __init__(self, number: str, language: str, may_call: MayCall) -> None:
        """`number` is the caller's, empty where it is withheld. `may_call` gives a number as it will be called, whatever its
        spelling, or None for one that may not be."""
        self._language = language
        self._may_call = may_call
        self._number = may_call(number) if number else None
        self._typing: str | None = None
        self._silences = 0
        self._refused = 0

    def begin(self) -> Ask:
        return self._confirm() if self._number is not None else self._enter()

    def key(self, key: str) -> Ask | Done:
        """A key was pressed."""
        self._silences = 0
        if self._typing is None:
            return self._answer(key)
        if key == BACK:
            return self._back()
        if key == END:
            return self._typed()
        if key.isdigit() and len(self._typing) < MOST_DIGITS:
            self._typing += key
        return Ask((), NEXT_KEY_SECONDS)

    def silence(self) -> Ask | Done:
        """Nothing was pressed for as long as was waited."""
        if self._typing:
            return self._typed()
        self._silences += 1
        if self._silences >= MOST_TRIES - 1:
            return Done("declined")
        return self._enter() if self._typing is not None else self._confirm()

    def _answer(self, key: str) -> Ask | Done:
        if key == CONFIRM and self._number is not None:
            return Done("taken", self._number)
        if key == ANOTHER:
            return self._enter()
        if key == BACK:
            return Done("declined")
        return self._confirm()

    def _back(self) -> Ask | Done:
        self._typing = None
        return Done("declined") if self._number is None else self._confirm()

    def _typed(self) -> Ask | Done:
        number = self._may_call(self._typing or "")
        if number is not None:
            self._number, self._typing = number, None
            return self._confirm()
        self._refused += 1
        if self._refused >= MOST_TRIES:
            return Done("forbidden")
        return self._enter("callback_impossible" if self._typing else "not_valid_number")

    def _confirm(self) -> Ask:
        digits = spoken.digits(self._number or "", self._language)
        return Ask(("callback_number", *digits, "pause", "callback_confirm"))

    def _enter(self, *before: str) -> Ask:
        self._typing = ""
        return Ask((*before, "callback_enter"))


def lead(dialogue: Dialogue, phone: Phone, catalogue: Catalogue) -> Done:
    """Lead the dialogue with a caller who waits for nothing else meanwhile. Gone when they leave."""
    said: Ask | Done = dialogue.begin()
    while isinstance(said, Ask):
        prompts = [str(path) for path in catalogue.paths(said.prompts, phone.language)]
        gathered = phone.gather(prompts, most=1, first_digit_seconds=said.seconds, next_digit_seconds=said.seconds)
        key = gathered.digits or gathered.terminator
        said = dialogue.key(key) if key else dialogue.silence()
    return said
