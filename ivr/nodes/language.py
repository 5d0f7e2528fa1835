"""language: ask callers which language they speak."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from ivr.node import Exit, Form, Node, Reference, node_type
from ivr.says import Prompts, Say
from ivr.shown import ADVANCED, SECONDS, shown_as
from ivr.visit import Visit

Code = Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$"), shown_as("language")]


class Choice(BaseModel):
    """One language: the `key` that chooses it and what is said, in that language, to offer it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    language: Code = Field(title="Language")
    key: str = Field(pattern=r"^[0-9]$", title="Key")
    prompts: Prompts = Field(
        min_length=1, title="What is said", description="In this language: “For English, press 1.”"
    )


@node_type
class Language(Node):
    """Offers each language in its own words, and speaks the chosen one from then on.

    Leaves by `chosen`; by `no_input` or `no_match` where nothing was chosen `times` times, still in the language of before,
    which lead where `chosen` does if nowhere of their own. A single choice needs no key and is taken without a word.
    """

    form: ClassVar[Form] = Form(
        "Language",
        "Lets callers choose the language they are spoken to in.",
        "ask",
        "world",
    )

    own_exits: ClassVar[tuple[Exit, ...]] = (
        Exit("chosen"),
        Exit("no_input", falls_to="chosen"),
        Exit("no_match", falls_to="chosen"),
    )

    type: Literal["language"]
    choices: tuple[Choice, ...] = Field(min_length=1, max_length=10, title="Languages")
    times: int = Field(default=2, ge=1, le=10, title="Offered how often", json_schema_extra=ADVANCED)
    wait_seconds: float = Field(default=5, ge=0.5, le=60, title="Wait for a key", json_schema_extra=SECONDS | ADVANCED)

    @field_validator("choices")
    @classmethod
    def _apart(cls, choices: tuple[Choice, ...]) -> tuple[Choice, ...]:
        for what in ("key", "language"):
            if len({getattr(choice, what) for choice in choices}) < len(choices):
                raise ValueError(f"two choices have the same {what}")
        return choices

    def prompts_spoken(self) -> Iterable[str | Say]:
        return (item for choice in self.choices for item in choice.prompts)

    def references(self) -> Iterator[Reference]:
        for choice in self.choices:
            for item in choice.prompts:
                if isinstance(item, str):
                    yield Reference("prompt", item, choice.language)
                else:
                    yield from (Reference("calendar", name) for name in item.calendars())

    def languages(self) -> Iterator[str]:
        return (choice.language for choice in self.choices)

    def run(self, visit: Visit) -> str:
        if len(self.choices) == 1:
            visit.speak(self.choices[0].language)
            return "chosen"
        keys = {choice.key: choice.language for choice in self.choices}
        files = [file for choice in self.choices for file in visit.files(choice.prompts, choice.language)]
        way = "no_input"
        for _ in range(self.times):
            gathered = visit.gather_files(
                files, most=1, first_digit_seconds=self.wait_seconds, next_digit_seconds=1, terminators="#"
            )
            if gathered.digits in keys:
                visit.speak(keys[gathered.digits])
                return "chosen"
            way = "no_match" if gathered.digits or gathered.terminator else "no_input"
        return way
