"""The API's prompts: listed, listened to, uploaded, spoken, rolled back, as on the pages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from flask import Response, abort, request
from flask_openapi3.models.file import FileStorage
from flask_openapi3.models.tag import Tag
from pydantic import BaseModel, Field

from admin.access import Right, accepts, needs, viewer
from admin.api.blueprints import blueprint, conflict
from admin.api.shapes import answer
from admin.forms import Refused
from admin.parts import parts
from admin.prompts import by_phone, pages, saving
from admin.prompts.music import Music
from admin.prompts.saving import NewNameIn, SpeechIn, WordsIn
from admin.prompts.shelf import STATES, Item, find, shelf
from dialplan.feature_codes import PROMPT_CODE
from engine.live.prompt_recording import Ticket
from sounds import catalogue
from sounds.errors import AudioUnusable

prompts = blueprint("api_prompts")
SOUND = Tag(name="Prompts and music")


class PromptPath(BaseModel):
    name: str
    language: str


class NamePath(BaseModel):
    name: str


class PromptsQuery(BaseModel):
    language: str = Field(default=catalogue.DEFAULT_LANGUAGE, description="The language they are looked at in.")
    q: str = Field(default="", description="Words of the name, the text or the note.")
    state: str = Field(default="", description=f"One of {', '.join(STATES)}.")
    after: str = Field(default="", description="The last name of the page before.")
    limit: int = Field(default=100, ge=1, le=1000)


class UseOut(BaseModel):
    kind: str
    name: str
    where: str
    draft: bool


class PromptOut(BaseModel):
    """A prompt in one language. `state`: own, shipped, missing (heard in `heard_in` instead), absent (nothing is heard) or
    broken (see `fault`)."""

    name: str
    language: str
    state: str
    seconds: float
    text: str
    note: str
    heard_in: str
    fault: str
    languages: Sequence[str]
    missing_in: Sequence[str]
    uses: Sequence[UseOut]


class VersionOut(BaseModel):
    version: int
    seconds: float
    text: str
    author: str
    made_at: datetime
    origin: str
    was: str
    heard: bool


class OnePromptOut(PromptOut):
    versions: Sequence[VersionOut]


class PromptsOut(BaseModel):
    """`hits` counts all pages."""

    prompts: Sequence[PromptOut]
    hits: int


class LanguageOut(BaseModel):
    language: str
    voices: Sequence[str] = Field(description="The synthesisers of this machine that speak it.")


class LanguagesOut(BaseModel):
    languages: Sequence[LanguageOut]


class MadeVersionOut(BaseModel):
    name: str
    language: str
    version: int
    seconds: float
    was: str


class UploadIn(BaseModel):
    file: FileStorage
    text: str = Field(default="", description="What it says; empty: what the one before said.")


class VersionIn(BaseModel):
    version: int | None = Field(default=None, description="Null: the one that comes with Pointsman.")


class PhoneIn(BaseModel):
    extension: str = Field(default="", description="The phone that rings; empty: none, the number is dialled by hand.")


class TicketOut(BaseModel):
    """`dial` is what to dial from any desk phone. `state`: waiting, ringing, recording, saved or failed (see `said`)."""

    number: str
    dial: str
    state: str
    said: str
    version: int
    seconds: float


class TicketPath(BaseModel):
    number: str


class VersionQuery(BaseModel):
    version: int | None = Field(default=None, description="Nothing: what is heard now; 0: the shipped one.")


class CopiedOut(BaseModel):
    languages: Sequence[str]


def _language(language: str) -> str:
    try:
        return catalogue.check_language(language)
    except AudioUnusable as fault:
        abort(400, str(fault))


def uses(item: Item | Music) -> list[UseOut]:
    return [UseOut(kind=use.kind, name=use.name, where=use.where, draft=use.draft) for use in item.uses]


def _out(item: Item) -> PromptOut:
    return PromptOut(
        name=item.name,
        language=item.language,
        state=item.state,
        seconds=item.seconds,
        text=item.text,
        note=item.note,
        heard_in=item.heard_in,
        fault=item.fault,
        languages=item.languages,
        missing_in=item.missing_in,
        uses=uses(item),
    )


def _ticket(ticket: Ticket) -> TicketOut:
    return TicketOut(
        number=ticket.number,
        dial=f"{PROMPT_CODE}{ticket.number}",
        state=ticket.state,
        said=ticket.said,
        version=ticket.version,
        seconds=ticket.seconds,
    )


@prompts.get("/prompts", summary="The library of prompts", tags=[SOUND], responses={200: PromptsOut})
@needs(Right.SEE_SETUP)
def list_prompts(query: PromptsQuery) -> Response:
    if query.state and query.state not in STATES:
        abort(400, f"state: {query.state!r} is none; use {', '.join(STATES)}")
    found = find(shelf().items(_language(query.language)), q=query.q, state=query.state)
    page = [item for item in found if item.name > query.after][: query.limit]
    return answer(PromptsOut(prompts=[_out(item) for item in page], hits=len(found)))


@prompts.get("/prompt-languages", summary="Languages and their voices", tags=[SOUND], responses={200: LanguagesOut})
@needs(Right.SEE_SETUP)
def list_languages() -> Response:
    found = [LanguageOut(language=code, voices=saving.voices(code)) for code in shelf().languages()]
    return answer(LanguagesOut(languages=found))


@prompts.get(
    "/prompts/<name>/<language>", summary="One prompt with its versions", tags=[SOUND], responses={200: OnePromptOut}
)
@needs(Right.SEE_SETUP)
def one_prompt(path: PromptPath) -> Response:
    found = shelf().item(path.name, _language(path.language))
    if found is None:
        abort(404)
    versions = [
        VersionOut(
            version=made.version,
            seconds=made.seconds,
            text=made.text,
            author=made.author,
            made_at=made.made_at,
            origin=made.origin,
            was=made.was,
            heard=made.heard,
        )
        for made in shelf().library.versions(path.name, path.language)
    ]
    return answer(OnePromptOut(**_out(found).model_dump(), versions=versions))


@prompts.get("/prompts/<name>/<language>/audio", summary="A prompt's sound, with ranges", tags=[SOUND])
@needs(Right.SEE_SETUP)
def prompt_audio(path: PromptPath, query: VersionQuery) -> Response:
    return pages.send(path.name, path.language, query.version)


@prompts.put("/prompts/<name>/<language>", summary="Write down its words and a note", tags=[SOUND])
@needs(Right.CHANGE_SETUP)
def describe_prompt(path: PromptPath, body: WordsIn) -> Response:
    try:
        saving.describe(path.name, path.language, body)
    except Refused as refused:
        conflict(refused)
    return Response(status=204)


@prompts.delete("/prompts/<name>/<language>", summary="Delete an own prompt", tags=[SOUND])
@needs(Right.CHANGE_SETUP)
def delete_prompt(path: PromptPath) -> Response:
    try:
        saving.delete(path.name, path.language)
    except Refused as refused:
        conflict(refused)
    return Response(status=204)


@prompts.post(
    "/prompts/<name>/<language>/versions", summary="Upload a recording", tags=[SOUND], responses={201: MadeVersionOut}
)
@needs(Right.CHANGE_SETUP)
@accepts(saving.LIMITS.most_bytes + saving.FORM_BYTES)
def upload_prompt(path: PromptPath, form: UploadIn) -> Response:
    try:
        made = saving.upload(
            parts(), viewer(), path.name, path.language, request.files.get("file"), origin="upload", text=form.text
        )
    except Refused as refused:
        conflict(refused)
    return answer(_made(made), 201)


@prompts.post(
    "/prompts/<name>/<language>/speech", summary="Speak a text", tags=[SOUND], responses={201: MadeVersionOut}
)
@needs(Right.CHANGE_SETUP)
def speak_prompt(path: PromptPath, body: SpeechIn) -> Response:
    try:
        return answer(_made(saving.speak(parts(), viewer(), path.name, path.language, body)), 201)
    except Refused as refused:
        conflict(refused)


def _made(made: saving.Made) -> MadeVersionOut:
    return MadeVersionOut(
        name=made.name, language=made.language, version=made.version, seconds=made.seconds, was=made.was
    )


@prompts.post("/prompts/<name>/<language>/roll-back", summary="Let callers hear an earlier version again", tags=[SOUND])
@needs(Right.CHANGE_SETUP)
def roll_back_prompt(path: PromptPath, body: VersionIn) -> Response:
    try:
        saving.roll_back(parts(), path.name, path.language, body.version)
    except Refused as refused:
        conflict(refused)
    return Response(status=204)


@prompts.post(
    "/prompts/<name>/rename", summary="Call a prompt by another name", tags=[SOUND], responses={200: CopiedOut}
)
@needs(Right.CHANGE_SETUP)
def rename_prompt(path: NamePath, body: NewNameIn) -> Response:
    try:
        return answer(CopiedOut(languages=saving.rename(path.name, body.name)))
    except Refused as refused:
        conflict(refused)


@prompts.post(
    "/prompts/<name>/copy", summary="Have a prompt under another name too", tags=[SOUND], responses={201: CopiedOut}
)
@needs(Right.CHANGE_SETUP)
def copy_prompt(path: NamePath, body: NewNameIn) -> Response:
    try:
        return answer(CopiedOut(languages=saving.copy(parts(), viewer(), path.name, body.name)), 201)
    except Refused as refused:
        conflict(refused)


@prompts.post(
    "/prompts/<name>/<language>/phone", summary="Record by telephone", tags=[SOUND], responses={201: TicketOut}
)
@needs(Right.CHANGE_SETUP)
def record_prompt(path: PromptPath, body: PhoneIn) -> Response:
    try:
        return answer(_ticket(by_phone.begin(parts(), viewer(), path.name, path.language, body.extension)), 201)
    except Refused as refused:
        conflict(refused)


@prompts.get(
    "/prompt-recordings/<number>", summary="How far a recording has come", tags=[SOUND], responses={200: TicketOut}
)
@needs(Right.CHANGE_SETUP)
def recording_state(path: TicketPath) -> Response:
    found = by_phone.find(parts(), path.number)
    if found is None:
        abort(404)
    return answer(_ticket(found))
