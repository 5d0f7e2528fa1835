"""The library of prompts: the list, one prompt with its versions, and the ways to make one."""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, abort, flash, jsonify, redirect, render_template, request, send_file, url_for
from flask import Response as Sound
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response

from admin.access import Right, accepts, needs, viewer
from admin.forms import Form, Refused
from admin.parts import parts
from admin.prompts import by_phone, saving
from admin.prompts.saving import NewNameIn, SpeechIn, WordsIn
from admin.prompts.shelf import KINDS, STATES, Item, find, language_name, shelf
from admin.security import POLICY, RECORDING_POLICY
from dialplan.feature_codes import PROMPT_CODE
from sounds import catalogue, wav
from sounds.convert import ffmpeg
from sounds.errors import AudioUnusable, PromptMissing
from sounds.library import Origin

prompts = Blueprint("prompts", __name__)

A_PAGE = 100
_ORIGINS: dict[str, Origin] = {"upload": "upload", "browser": "browser"}


def _language() -> str:
    """The language the page is about. Aborts for what is none."""
    wanted = request.values.get("language", "") or catalogue.DEFAULT_LANGUAGE
    try:
        return catalogue.check_language(wanted)
    except AudioUnusable:
        abort(404)


@prompts.get("/setup/prompts")
@needs(Right.SEE_SETUP)
def listed() -> str:
    language, q, state = _language(), request.args.get("q", "").strip(), request.args.get("state", "")
    state = state if state in STATES else ""
    after = request.args.get("after", "")
    items = shelf().items(language)
    # Who searches wants to find it wherever it is.
    kind = request.args.get("kind", "")
    kind = kind if kind in KINDS else "all" if q else "sentences"
    found = find(items, q=q, state=state, kind=kind)
    rest = [item for item in found if item.name > after]
    counts = {key: len(find(items, state=key, kind=kind)) for key in STATES}
    return render_template(
        "prompts.html",
        place_key="prompts",
        items=rest[:A_PAGE],
        more=len(rest) > A_PAGE,
        hits=len(found),
        total=len(find(items, kind=kind)),
        kinds=KINDS,
        kind=kind,
        counts=counts,
        states=STATES,
        language=language,
        languages=shelf().languages(),
        q=q,
        state=state,
        after=after,
    )


@prompts.get("/setup/prompts/add")
@needs(Right.CHANGE_SETUP)
def add() -> str:
    return render_template(
        "prompts_add.html",
        place_key="prompts",
        language=_language(),
        languages=shelf().languages(),
        most_mb=saving.LIMITS.most_bytes // 2**20,
        most_seconds=saving.LIMITS.most_seconds,
        decodes=ffmpeg() is not None,
    )


@prompts.post("/setup/prompts/open")
@needs(Right.CHANGE_SETUP)
def open_new() -> Response:
    """To the page of a prompt that may not be there yet."""
    name = catalogue.slug(request.form.get("name", ""))
    language = _language()
    if not name:
        flash("Give the prompt a name: small letters, digits and _.", "bad")
        return redirect(url_for("prompts.add", language=language))
    return redirect(url_for("prompts.one", name=name, language=language))


@prompts.post("/setup/prompts/upload")
@needs(Right.CHANGE_SETUP)
@accepts(saving.LIMITS.most_bytes + saving.FORM_BYTES)
def upload() -> Response:
    """One or several files. To scripts it answers with JSON, to a plain form with the list."""
    language, origin = request.form.get("language", ""), _ORIGINS.get(request.form.get("origin", ""), "upload")
    files: list[FileStorage | None] = [*request.files.getlist("file")] or [None]
    scripted = request.accept_mimetypes.best == "application/json"
    made, refused = [], []
    for file in files:
        wanted = request.form.get("name", "") if len(files) == 1 else ""
        name = wanted or catalogue.slug((file.filename or "") if file else "")
        text = request.form.get("text", "")
        try:
            made.append(saving.upload(parts(), viewer(), name, language, file, origin=origin, text=text))
        except Refused as error:
            refused.append(error)
    if scripted:
        if refused:
            answer = jsonify({"error": str(refused[0]), "field": refused[0].field})
            answer.status_code = 409
            return answer
        done = made[0]
        return jsonify(
            {
                "name": done.name,
                "language": done.language,
                "version": done.version,
                "seconds": done.seconds,
                "page": url_for("prompts.one", name=done.name, language=done.language),
                "audio": url_for("prompts.audio", name=done.name, language=done.language, version=done.version),
            }
        )
    for fault in refused:
        flash(str(fault), "bad")
    for done in made:
        flash(f"{done.name} is saved; callers hear it from now on.", "good")
    if len(made) == 1 and not refused:
        return redirect(url_for("prompts.one", name=made[0].name, language=made[0].language))
    back = request.form.get("back", "")
    if refused and catalogue.is_name(back):
        return redirect(url_for("prompts.one", name=back, language=language))
    return redirect(url_for("prompts.add" if refused else "prompts.listed", language=language))


@prompts.get("/setup/prompts/one/<name>")
@needs(Right.SEE_SETUP)
def one(name: str) -> Response:
    return _page(name, _language(), Form())


def _page(name: str, language: str, form: Form) -> Response:
    if not catalogue.is_name(name):
        abort(404)
    item = shelf().item(name, language)
    known = item is not None
    if item is None:
        if not viewer().may(Right.CHANGE_SETUP):
            abort(404)
        item = shelf().blank(name, language)
    if not form.faults:
        form.values |= {"text": item.text, "note": item.note, "extension": viewer().extension or ""}
    heard = _heard(item)
    versions = shelf().library.versions(name, language)
    shipped_file = catalogue.SHIPPED / language / f"{name}.wav"
    shipped = shipped_file.is_file()
    page = Response(
        render_template(
            "prompt.html",
            place_key="prompts",
            item=item,
            known=known,
            heard=heard,
            language=language,
            languages=shelf().languages(),
            versions=versions,
            shipped=shipped,
            shipped_seconds=wav.seconds(shipped_file) if shipped else 0.0,
            own=shelf().library.is_own(name, language),
            voices=saving.voices(language),
            decodes=ffmpeg() is not None,
            extensions=by_phone.extensions(parts()),
            most_mb=saving.LIMITS.most_bytes // 2**20,
            form=form,
        ),
        422 if form.faults else 200,
        mimetype="text/html",
    )
    # What was recorded is listened to before it is sent, out of the browser's own memory.
    page.headers["Content-Security-Policy"] = POLICY.replace("media-src 'self'", "media-src 'self' blob:")
    page.headers["Permissions-Policy"] = RECORDING_POLICY
    return page


def _heard(item: Item) -> str:
    """In words, what callers of this language hear."""
    match item.state:
        case "own":
            return "Callers hear your own recording."
        case "shipped":
            return "Callers hear the recording that comes with Pointsman."
        case "missing":
            said = (
                f"There is none in {language_name(item.language)}: callers hear it in {language_name(item.heard_in)}."
            )
        case "broken":
            said = f"The file cannot be played: {item.fault}."
        case _:
            said = "There is nothing to hear yet. Make the first version below."
    return said


@prompts.get("/setup/prompts/audio/<language>/<name>")
@needs(Right.SEE_SETUP)
def audio(language: str, name: str) -> Response:
    """The sound of what is heard, or with `version` of that version; 0 is the shipped one."""
    return send(name, language, request.args.get("version", type=int))


def send(name: str, language: str, version: int | None) -> Sound:
    """The sound with ranges; 404 where there is none."""
    path: Path | None = None
    try:
        if version == 0:
            path = catalogue.Catalogue([catalogue.SHIPPED]).find(name, catalogue.check_language(language)).path
        elif version is not None:
            path = shelf().library.version(name, language, version).path
        else:
            path = shelf().catalogue.find(name, catalogue.check_language(language)).path
    except (PromptMissing, AudioUnusable):
        path = None
    if path is None or not path.is_file():
        abort(404)
    return send_file(
        path,
        mimetype="audio/wav",
        conditional=True,
        max_age=0,
        as_attachment=request.args.get("download") == "1",
        download_name=f"{name}-{language}.wav",
    )


@prompts.post("/setup/prompts/one/<name>/words")
@needs(Right.CHANGE_SETUP)
def words(name: str) -> Response:
    language, form = _language(), Form(values=request.form.to_dict())
    wanted = form.read(WordsIn, {key: form.values.get(key, "") for key in ("text", "note")})
    if wanted is not None:
        try:
            saving.describe(name, language, wanted)
        except Refused as refused:
            form.refuse(refused)
        else:
            flash("The words and the note are saved.", "good")
            return redirect(url_for("prompts.one", name=name, language=language))
    return _page(name, language, form)


@prompts.post("/setup/prompts/one/<name>/speech")
@needs(Right.CHANGE_SETUP)
def speech(name: str) -> Response:
    language = _language()
    form = Form(values={"speech": request.form.get("speech", ""), "voice": request.form.get("voice", "")})
    wanted = form.read(SpeechIn, {"text": form.values["speech"].strip(), "voice": form.values["voice"]})
    if wanted is not None:
        try:
            done = saving.speak(parts(), viewer(), name, language, wanted)
        except Refused as refused:
            form.faults["speech"] = str(refused)
        else:
            flash(f"Version {done.version} is spoken; callers hear it from now on.", "good")
            return redirect(url_for("prompts.one", name=name, language=language))
    elif "text" in form.faults:
        form.faults = {"speech": form.faults["text"]}
    form.values |= {"text": "", "note": ""}
    found = shelf().item(name, language)
    if found is not None:
        form.values |= {"text": found.text, "note": found.note}
    return _page(name, language, form)


@prompts.post("/setup/prompts/one/<name>/roll-back")
@needs(Right.CHANGE_SETUP)
def roll_back(name: str) -> Response:
    language, version = _language(), request.form.get("version", type=int)
    try:
        saving.roll_back(parts(), name, language, version or None)
    except Refused as refused:
        flash(str(refused), "bad")
    else:
        flash(f"Callers hear {f'version {version}' if version else 'the shipped one'} again.", "good")
    return redirect(url_for("prompts.one", name=name, language=language))


@prompts.post("/setup/prompts/one/<name>/delete")
@needs(Right.CHANGE_SETUP)
def delete(name: str) -> Response:
    language = _language()
    try:
        saving.delete(name, language)
    except Refused as refused:
        flash(str(refused), "bad")
        return redirect(url_for("prompts.one", name=name, language=language))
    flash(f"{name} is deleted in {language_name(language)}.", "good")
    return redirect(url_for("prompts.listed", language=language))


@prompts.post("/setup/prompts/one/<name>/rename")
@needs(Right.CHANGE_SETUP)
def rename(name: str) -> Response:
    return _renamed(name, copied=False)


@prompts.post("/setup/prompts/one/<name>/copy")
@needs(Right.CHANGE_SETUP)
def copy(name: str) -> Response:
    return _renamed(name, copied=True)


def _renamed(name: str, *, copied: bool) -> Response:
    language, form = _language(), Form(values={"name": request.form.get("name", "").strip()})
    wanted = form.read(NewNameIn, form.values)
    if wanted is None:
        flash(next(iter(form.faults.values())), "bad")
        return redirect(url_for("prompts.one", name=name, language=language))

    try:
        if copied:
            saving.copy(parts(), viewer(), name, wanted.name)
        else:
            saving.rename(name, wanted.name)
    except Refused as refused:
        flash(str(refused), "bad")
        return redirect(url_for("prompts.one", name=name, language=language))
    flash(f"{name} is {'copied to' if copied else 'renamed'} {wanted.name}.", "good")
    return redirect(url_for("prompts.one", name=wanted.name, language=language))


@prompts.post("/setup/prompts/one/<name>/phone")
@needs(Right.CHANGE_SETUP)
def phone(name: str) -> Response | str:
    """A number to dial for recording the prompt; with `extension` that phone rings at once."""
    language = _language()
    try:
        ticket = by_phone.begin(parts(), viewer(), name, language, request.form.get("extension", "").strip())
    except Refused as refused:
        return render_template("prompt_phone.html", ticket=None, fault=str(refused))
    return render_template("prompt_phone.html", ticket=ticket, fault="", code=PROMPT_CODE)


@prompts.get("/setup/prompts/phone/<number>")
@needs(Right.CHANGE_SETUP)
def phone_state(number: str) -> str:
    """How far the recording by phone has come, for the page that waits for it."""
    ticket = by_phone.find(parts(), number)
    fault = "" if ticket else "The number has run out. Ask for a new one."
    return render_template("prompt_phone.html", ticket=ticket, fault=fault, code=PROMPT_CODE)
