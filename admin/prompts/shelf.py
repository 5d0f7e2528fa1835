"""The library as pages and the API show it: every prompt in one language, its state, its sound and where it is used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, cast

from flask import current_app
from gevent.lock import BoundedSemaphore

from admin import words
from admin.parts import Parts
from admin.prompts.usage import Usage, Use, Uses
from sounds import catalogue, languages
from sounds.catalogue import Catalogue
from sounds.errors import PromptMissing
from sounds.library import Library

EXTENSION: Final = "pointsman.prompts"
AT_ONCE: Final = 2
"""How many uploads are decoded at once; each takes a processor for itself."""

State = Literal["own", "shipped", "missing", "absent", "broken"]

KINDS: Final[dict[str, str]] = {
    "sentences": "Sentences",
    "words": "Words of numbers and times",
    "all": "Everything",
}
STATES: Final[dict[str, str]] = {
    "own": "Own",
    "shipped": "Shipped",
    "missing": "Missing",
    "broken": "Broken",
    "unused": "Not used",
}
LANGUAGES: Final[dict[str, str]] = {
    "ar": "Arabic", "bg": "Bulgarian", "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek", "en": "English",
    "es": "Spanish", "et": "Estonian", "fi": "Finnish", "fo": "Faroese", "fr": "French", "he": "Hebrew", "hi": "Hindi",
    "hr": "Croatian", "hu": "Hungarian", "is": "Icelandic", "it": "Italian", "ja": "Japanese", "kl": "Greenlandic",
    "ko": "Korean", "lt": "Lithuanian", "lv": "Latvian", "nb": "Norwegian", "nl": "Dutch", "no": "Norwegian",
    "pl": "Polish", "pt": "Portuguese", "pt-BR": "Portuguese (Brazil)", "ro": "Romanian", "ru": "Russian",
    "sk": "Slovak", "sl": "Slovenian", "sv": "Swedish", "tr": "Turkish", "uk": "Ukrainian", "vi": "Vietnamese",
    "zh": "Chinese",
}  # fmt: skip


def language_name(code: str) -> str:
    """A language as people call it, or its tag where we have no name for it."""
    base = code.partition("-")[0]
    known = LANGUAGES.get(code) or LANGUAGES.get(base)
    return code if known is None else known if code in LANGUAGES else f"{known} ({code})"


def prompt_length(seconds: float) -> str:
    """A prompt's length: tenths of a second count in a short one."""
    return f"{seconds:.1f} s" if seconds < 10 else words.length(seconds)


@dataclass(frozen=True, slots=True)
class Item:
    """One prompt in one language. `state`: `own`, `shipped`, `missing` (heard in `heard_in` instead), `absent` (nothing is
    heard anywhere), or `broken` (an own file that cannot be played, for the reason in `fault`). `seconds` are of what is
    heard, `text` is what it says in this language as far as that is written down."""

    name: str
    language: str
    state: State
    seconds: float
    text: str
    heard_in: str
    fault: str
    note: str
    languages: Sequence[str]
    """Those that have it."""
    missing_in: Sequence[str]
    """Those that callers are spoken to in, and that lack it."""
    uses: Sequence[Use]
    text_in_english: str = ""
    """What it says in English, for whoever is to record it."""

    @property
    def is_word(self) -> bool:
        """Whether numbers and times are put together from it."""
        return any(use.kind == "spoken" for use in self.uses)


class Shelf:
    """Reads the library for one installation."""

    def __init__(self, parts: Parts) -> None:
        self.home = parts.settings.home
        self.catalogue = Catalogue.of_home(parts.settings.home)
        self.library = Library(parts.db, parts.settings.home)
        self.usage = Usage(parts.db)
        self.turns = BoundedSemaphore(AT_ONCE)

    def languages(self) -> list[str]:
        """Every language there are prompts for, or that a flow speaks; English first."""
        known = {*self.catalogue.languages(), *self.usage.languages(), *languages.codes(), catalogue.DEFAULT_LANGUAGE}
        return sorted(known, key=lambda code: (code != catalogue.DEFAULT_LANGUAGE, language_name(code)))

    def items(self, language: str) -> list[Item]:
        """Every prompt of the language by name, and those it ought to have."""
        uses = self.usage.prompts()
        spoken = {*self.usage.languages(), language}
        names = {code: frozenset(self.catalogue.names(code)) for code in {*self.catalogue.languages(), *spoken}}
        faults = self._faults()
        notes = self.library.notes()
        wanted = self._wanted(language, names, uses, faults)
        return [self._item(name, language, names, spoken, uses, faults, notes) for name in sorted(wanted)]

    def item(self, name: str, language: str) -> Item | None:
        """One prompt, None where nobody has heard of the name."""
        return next((item for item in self.items(language) if item.name == name), None)

    def blank(self, name: str, language: str) -> Item:
        """A prompt that is about to be made."""
        return Item(name, language, "absent", 0.0, "", "", "", "", (), (), ())

    def uses(self, name: str) -> Sequence[Use]:
        """Where a prompt is used."""
        return self.usage.prompts().get(name, ())

    def _wanted(
        self, language: str, names: dict[str, frozenset[str]], uses: Uses, faults: dict[tuple[str, str], str]
    ) -> set[str]:
        """The names that this language has or should have. What English puts numbers together from is no matter of a language
        that has its own words for them."""
        english = names.get(catalogue.DEFAULT_LANGUAGE, frozenset())
        others = english.union(*names.values())
        counted = frozenset().union(*(languages.of(code).names() for code in languages.codes()))
        own = languages.of(language).names()
        named = {name for name, found in uses.items() if any(use.kind == "flow" for use in found)}
        have = {*names.get(language, ()), *self.catalogue.texts(language)}
        broken = {name for code, name in faults if code == language}
        return have | broken | own | (others - counted) | {name for name in named if catalogue.is_name(name)}

    def _item(
        self,
        name: str,
        language: str,
        names: dict[str, frozenset[str]],
        spoken: set[str],
        uses: Uses,
        faults: dict[tuple[str, str], str],
        notes: dict[tuple[str, str], str],
    ) -> Item:
        fault = faults.get((language, name), "")
        have = tuple(sorted(code for code, found in names.items() if name in found))
        state: State
        try:
            heard = self.catalogue.find(name, language)
        except PromptMissing:
            state, text, seconds, heard_in = "absent", self.catalogue.texts(language).get(name, ""), 0.0, ""
        else:
            text, seconds, heard_in = heard.text, heard.seconds, heard.language
            if heard.language != language:
                state = "missing"
                text = self.catalogue.texts(language).get(name, "")
            else:
                state = "own" if heard.path.is_relative_to(self.home.absolute()) else "shipped"
        if fault:
            state = "broken"
        counted = any(use.kind == "spoken" for use in uses.get(name, ()))
        lacking = () if counted else tuple(sorted(spoken - set(have)))
        note = notes.get((name, language), "")
        english = self.catalogue.texts(catalogue.DEFAULT_LANGUAGE).get(name, "")
        where = tuple(uses.get(name, ()))
        return Item(name, language, state, seconds, text, heard_in, fault, note, have, lacking, where, english)

    def _faults(self) -> dict[tuple[str, str], str]:
        return {
            (fault.path.parent.name, fault.path.stem): fault.why.removeprefix(f"{fault.path}: ")
            for fault in self.catalogue.faults()
        }


def shelf() -> Shelf:
    """The shelf of the application that answers this request."""
    return cast(Shelf, current_app.extensions[EXTENSION])


def find(items: Sequence[Item], *, q: str = "", state: str = "", kind: str = "all") -> list[Item]:
    """Those that fit: every word of `q` in the name, the text or the note; `state` as in STATES, `kind` as in KINDS."""
    asked = q.lower().split()

    def fits(item: Item) -> bool:
        if kind != "all" and item.is_word != (kind == "words"):
            return False
        if state == "unused" and item.uses:
            return False
        if state == "missing" and item.state not in ("missing", "absent"):
            return False
        if state in ("own", "shipped", "broken") and item.state != state:
            return False
        looked_at = f"{item.name} {item.name.replace('_', ' ')} {item.text} {item.note}".lower()
        return all(word in looked_at for word in asked)

    return [item for item in items if fits(item)]
