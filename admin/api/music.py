"""The API's music on hold: listed, listened to, uploaded and deleted, as on the pages."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Response, request
from flask_openapi3.models.file import FileStorage
from pydantic import BaseModel, Field

from admin.access import Right, accepts, needs
from admin.api.blueprints import blueprint, conflict
from admin.api.prompts import SOUND, NamePath, UseOut, uses
from admin.api.shapes import answer
from admin.forms import Refused
from admin.parts import parts
from admin.prompts import music, saving
from sounds import music as sounds_music

api_music = blueprint("api_music")


class PieceOut(BaseModel):
    piece: str
    language: str
    seconds: float
    shipped: bool


class MusicOut(BaseModel):
    name: str
    pieces: Sequence[PieceOut]
    uses: Sequence[UseOut]


class AllMusicOut(BaseModel):
    music: Sequence[MusicOut]


class MusicIn(BaseModel):
    file: FileStorage
    language: str = Field(default="", description="Empty: for callers of all languages.")


class PiecePath(BaseModel):
    name: str
    piece: str


class PieceQuery(BaseModel):
    language: str = ""


class MadePieceOut(BaseModel):
    name: str
    piece: str
    language: str


@api_music.get("/music", summary="Music on hold", tags=[SOUND], responses={200: AllMusicOut})
@needs(Right.SEE_SETUP)
def list_music() -> Response:
    return answer(
        AllMusicOut(
            music=[
                MusicOut(
                    name=found.name,
                    pieces=[
                        PieceOut(piece=p.piece, language=p.language, seconds=p.seconds, shipped=p.shipped)
                        for p in found.pieces
                    ],
                    uses=uses(found),
                )
                for found in music.find(parts())
            ]
        )
    )


@api_music.post("/music/<name>", summary="Add a piece of music", tags=[SOUND], responses={201: MadePieceOut})
@needs(Right.CHANGE_SETUP)
@accepts(sounds_music.LIMITS.most_bytes + saving.FORM_BYTES)
def add_music(path: NamePath, form: MusicIn) -> Response:
    try:
        made = saving.upload_music(parts(), path.name, form.language, request.files.get("file"))
    except Refused as refused:
        conflict(refused)
    return answer(MadePieceOut(name=path.name, piece=made.stem, language=form.language), 201)


@api_music.get("/music/<name>/<piece>/audio", summary="A piece's sound, with ranges", tags=[SOUND])
@needs(Right.SEE_SETUP)
def music_audio(path: PiecePath, query: PieceQuery) -> Response:
    return music.send(parts(), path.name, path.piece, query.language)


@api_music.delete("/music/<name>/<piece>", summary="Delete a piece of music", tags=[SOUND])
@needs(Right.CHANGE_SETUP)
def delete_music(path: PiecePath, query: PieceQuery) -> Response:
    try:
        saving.delete_music(parts(), path.name, query.language, path.piece)
    except Refused as refused:
        conflict(refused)
    return Response(status=204)
