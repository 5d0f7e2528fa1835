"""Music on hold: what those who wait hear, by name and language, with the pieces of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint, abort, flash, jsonify, redirect, render_template, request, send_file, url_for
from flask import Response as Sound
from werkzeug.datastructures import FileStorage
from werkzeug.wrappers import Response

from admin.access import Right, accepts, needs
from admin.forms import Refused
from admin.parts import Parts, parts
from admin.prompts import saving
from admin.prompts.shelf import language_name, shelf
from admin.prompts.usage import Use
from sounds import catalogue, wav
from sounds import music as sounds_music
from sounds.convert import ffmpeg
from sounds.errors import AudioUnusable

music = Blueprint("music", __name__)


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece; `language` is empty where it is for callers of all languages."""

    piece: str
    language: str
    seconds: float
    shipped: bool = False


@dataclass(frozen=True, slots=True)
class Music:
    """What is played under one name."""

    name: str
    pieces: Sequence[Piece]
    uses: Sequence[Use]


def find(parts: Parts) -> list[Music]:
    """All music, the default first; the shipped piece stands for a default of which there is none."""
    home, uses = parts.settings.home, shelf().usage.music()
    found = []
    for name in sounds_music.names(home):
        pieces = [
            Piece(path.stem, language, wav.seconds(path))
            for language in ("", *sounds_music.languages(home, name))
            for path in sounds_music.playable(sounds_music.own_folder(home, name, language))
        ]
        if name == sounds_music.DEFAULT_NAME and not any(not piece.language for piece in pieces):
            shipped = sounds_music.DEFAULT
            pieces.insert(0, Piece(shipped.stem, "", wav.seconds(shipped), shipped=True))
        found.append(Music(name, pieces, tuple(uses.get(name, ()))))
    return found


@music.get("/setup/prompts/music")
@needs(Right.SEE_SETUP)
def listed() -> str:
    return render_template(
        "music.html",
        place_key="prompts",
        musics=find(parts()),
        languages=shelf().languages(),
        most_mb=sounds_music.LIMITS.most_bytes // 2**20,
        most_minutes=int(sounds_music.LIMITS.most_seconds // 60),
        decodes=ffmpeg() is not None,
    )


@music.post("/setup/prompts/music/upload")
@needs(Right.CHANGE_SETUP)
@accepts(sounds_music.LIMITS.most_bytes + saving.FORM_BYTES)
def upload() -> Response:
    """One or several pieces. To scripts it answers with JSON, to a plain form with the list."""
    name = request.form.get("name", "").strip() or sounds_music.DEFAULT_NAME
    language = request.form.get("language", "")
    scripted = request.accept_mimetypes.best == "application/json"
    made, refused = [], []
    files: list[FileStorage | None] = [*request.files.getlist("file")] or [None]
    for file in files:
        try:
            made.append(saving.upload_music(parts(), name, language, file))
        except Refused as error:
            refused.append(error)
    if scripted:
        if refused:
            answer = jsonify({"error": str(refused[0]), "field": refused[0].field})
            answer.status_code = 409
            return answer
        address = url_for("music.audio", name=name, piece=made[0].stem, language=language or None)
        seconds = wav.seconds(made[0])
        return jsonify({"name": made[0].stem, "seconds": seconds, "page": url_for("music.listed"), "audio": address})
    for fault in refused:
        flash(str(fault), "bad")
    for path in made:
        flash(f"{path.stem} is added; those who wait hear it within a round of the music.", "good")
    return redirect(url_for("music.listed"))


@music.get("/setup/prompts/music/audio/<name>/<piece>")
@needs(Right.SEE_SETUP)
def audio(name: str, piece: str) -> Response:
    return send(parts(), name, piece, request.args.get("language", ""))


def send(parts: Parts, name: str, piece: str, language: str) -> Sound:
    """A piece's sound with ranges; 404 where there is none."""
    try:
        folder = sounds_music.own_folder(parts.settings.home, name, language)
        catalogue.check_name(piece)
    except AudioUnusable:
        abort(404)
    path = folder / f"{piece}.wav"
    if not path.is_file() and (name, language, piece) == (sounds_music.DEFAULT_NAME, "", sounds_music.DEFAULT.stem):
        path = sounds_music.DEFAULT
    if not path.is_file():
        abort(404)
    return send_file(path, mimetype="audio/wav", conditional=True, max_age=0)


@music.post("/setup/prompts/music/delete")
@needs(Right.CHANGE_SETUP)
def delete() -> Response:
    name, language, piece = (request.form.get(key, "") for key in ("name", "language", "piece"))
    try:
        saving.delete_music(parts(), name, language, piece)
    except Refused as refused:
        flash(str(refused), "bad")
    else:
        said = f" in {language_name(language)}" if language else ""
        flash(f"{piece} is deleted from the music {name}{said}.", "good")
    return redirect(url_for("music.listed"))
