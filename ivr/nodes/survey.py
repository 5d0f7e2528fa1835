"""survey: ask callers for their opinion by keypad."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from ivr.node import Exit, Form, Node, node_type
from ivr.nodes.menu import Again
from ivr.office import Answer
from ivr.says import Prompts, Say
from ivr.shown import ADVANCED, SECONDS
from ivr.values import TOLD, VariableName
from ivr.visit import Visit

PROGRESS = "_survey"
Keys = Annotated[str, Field(pattern=r"^[0-9]{1,2}$", title="Keys")]
Words = Annotated[str, Field(min_length=1, max_length=80, title="What it means")]


class Question(BaseModel):
    """One question: its `name` in reports and as a variable, itself in words, what is said, and what each answer means."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: VariableName = Field(
        title="Name", description="What it is called in reports; the answer is kept under it too."
    )
    words: str = Field(min_length=1, max_length=200, title="The question in words", description="As reports show it.")
    prompts: Prompts = Field(min_length=1, title="What is said")
    answers: dict[Keys, Words] = Field(
        min_length=1, max_length=100, title="Answers", description="Key and what it means, such as 5 and very good."
    )

    @field_validator("name")
    @classmethod
    def _free(cls, name: str) -> str:
        if name in TOLD:
            raise ValueError(f"{name!r} is what each call has by itself and cannot be set")
        return name


@node_type
class Survey(Node):
    """Says `prompts` and asks each question in turn; the answers stand in the record of the call, each under the agent whom the
    caller has talked with, and as variables by the questions' names.

    A question to which `no_match.times` wrong keys were pressed is passed over; silence, after `no_input.times`, ends the
    survey, for nobody listens any more. Leaves by `answered` where each question was answered, by `partly` where some were, by
    `unanswered` where none was; these lead where `answered` does if nowhere of their own. What was answered is kept also where
    the caller hangs up meanwhile. A call that was taken over by another process goes on with the question it was at.
    """

    form: ClassVar[Form] = Form(
        "Survey",
        "Asks callers for their opinion by keypad, usually after the talk.",
        "ask",
        "clipboard-list",
    )

    starter: ClassVar[Mapping[str, Any]] = {
        "survey": "after-call",
        "prompts": ["survey_welcome"],
        "thanks": ["survey_thanks"],
        "questions": [
            {
                "name": "satisfied",
                "words": "How satisfied are you with this call?",
                "prompts": ["survey_satisfied"],
                "answers": {"1": "not at all", "2": "little", "3": "so so", "4": "well", "5": "very"},
            },
            {
                "name": "solved",
                "words": "Could we help you with what you called about?",
                "prompts": ["survey_solved"],
                "answers": {"1": "yes", "2": "no"},
            },
        ],
    }

    own_exits: ClassVar[tuple[Exit, ...]] = (
        Exit("answered", paced=True, title="All answered"),
        Exit("partly", falls_to="answered", title="Some answered"),
        Exit("unanswered", falls_to="answered", title="None answered"),
    )

    type: Literal["survey"]
    survey: str = Field(
        pattern=r"^[a-z0-9][a-z0-9_-]{0,59}$",
        title="Name of the survey",
        description="What reports gather its answers by.",
    )
    questions: tuple[Question, ...] = Field(min_length=1, max_length=20, title="Questions")
    prompts: Prompts = Field(default=(), title="Said before")
    thanks: Prompts = Field(default=(), title="Said when something was answered")
    no_input: Again = Field(default=Again(times=2), title="When no key is pressed")
    no_match: Again = Field(default=Again(times=2), title="When a wrong key is pressed")
    wait_seconds: float = Field(default=6, ge=0.5, le=60, title="Wait for a key", json_schema_extra=SECONDS | ADVANCED)

    @field_validator("questions")
    @classmethod
    def _apart(cls, questions: tuple[Question, ...]) -> tuple[Question, ...]:
        if len({question.name for question in questions}) < len(questions):
            raise ValueError("two questions have the same name")
        return questions

    def prompts_spoken(self) -> Iterable[str | Say]:
        asked = chain.from_iterable(question.prompts for question in self.questions)
        return chain(self.prompts, asked, self.thanks, *self.no_input.prompts, *self.no_match.prompts)

    def sets(self) -> Iterator[str]:
        return (question.name for question in self.questions)

    def run(self, visit: Visit) -> str:
        at, answered = self._progress(visit)
        if at == 0:
            visit.play(self.prompts)
        for place, question in enumerate(self.questions[at:], at):
            visit.variables[PROGRESS] = f"{visit.node} {place} {answered}"
            visit.save()
            keys = self._ask(visit, question)
            if keys is None:
                break
            if keys:
                answered += 1
                visit.set(question.name, keys)
                visit.phone.office.keep_answer(
                    Answer(self.survey, question.name, question.words, keys, question.answers[keys])
                )
        visit.variables.pop(PROGRESS, None)
        if not answered:
            return "unanswered"
        visit.play(self.thanks)
        return "answered" if answered == len(self.questions) else "partly"

    def _progress(self, visit: Visit) -> tuple[int, int]:
        """The question that the call is at, and how many were answered."""
        node, _, rest = str(visit.variables.get(PROGRESS, "")).partition(" ")
        at, _, answered = rest.partition(" ")
        known = node == visit.node and at.isdigit() and answered.isdigit() and int(at) < len(self.questions)
        return (int(at), int(answered)) if known else (0, 0)

    def _ask(self, visit: Visit, question: Question) -> str | None:
        """The keys that answer it, empty where none did, None where nobody said anything."""
        most = max(map(len, question.answers))
        silent = wrong = 0
        prompts = question.prompts
        while True:
            gathered = visit.gather(
                prompts,
                most=most,
                first_digit_seconds=self.wait_seconds,
                next_digit_seconds=3,
                terminators="#",
            )
            if gathered.digits in question.answers:
                return gathered.digits
            if gathered.digits or gathered.terminator:
                wrong += 1
                if wrong >= self.no_match.times:
                    return ""
                prompts = (*self.no_match.after(wrong), *question.prompts)
            else:
                silent += 1
                if silent >= self.no_input.times:
                    return None
                prompts = (*self.no_input.after(silent), *question.prompts)
