"""Recordings and messages as sound: found on disk, sent with ranges so that a player can jump, drawn as a waveform, and
marked when somebody listens."""

from __future__ import annotations

import wave
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import gevent
from flask import Blueprint, Response, abort, render_template, request, send_file

from admin.access import Right, Viewer, needs, viewer
from admin.parts import Parts, parts
from conf.errors import PointsmanError

audio = Blueprint("audio", __name__)

Kind = Literal["recording", "voicemail"]
BUCKETS = 480
_LOOKED_AT = 1600
"""Frames of each bucket that are looked at; enough to see speech, and an hour costs no more than a minute."""
_SEEN_BY_ALL = "SELECT path, seconds::float8, listened_at, call_id FROM {table} x WHERE x.id = %s"
_SEEN_BY_AGENT: Mapping[Kind, str] = {
    "recording": " AND EXISTS (SELECT 1 FROM call c WHERE c.id = x.call_id AND c.agent_id = %s)",
    "voicemail": " AND x.box IN (SELECT extension FROM agent WHERE id = %s UNION ALL "
    "SELECT q.name FROM queue q WHERE NOT EXISTS "
    "(SELECT 1 FROM queue_skill n LEFT JOIN agent_skill s ON s.agent_id = %s AND s.skill_id = n.skill_id "
    "WHERE n.queue_id = q.id AND COALESCE(s.level, 0) < n.level))",
}


class AudioMissing(PointsmanError):
    """The record is there, but its file is not, or cannot be read as sound."""


@dataclass(frozen=True, slots=True)
class Sound:
    path: Path
    seconds: float
    listened_at: datetime | None
    call_id: UUID


def find(parts: Parts, who: Viewer, kind: Kind, sound_id: UUID) -> Sound | None:
    """The sound, None where there is none that this viewer may hear. Agents hear the calls they took and the messages in
    their own box and in those of the queues they serve."""
    statement = _SEEN_BY_ALL.format(table=kind)
    values: list[Any] = [str(sound_id)]
    if who.only_agent is not None:
        statement += _SEEN_BY_AGENT[kind]
        values += [who.only_agent] * _SEEN_BY_AGENT[kind].count("%s")
    row = parts.db.execute_sql(statement, values).fetchone()
    if row is None:
        return None
    return Sound(_inside(parts.recordings, str(row[0])), float(row[1]), row[2], row[3])


def _inside(folder: Path, name: str) -> Path:
    """The file below the folder; a path that leads out of it is as good as missing."""
    path = (folder / name).resolve()
    return path if path.is_relative_to(folder.resolve()) else folder / "missing"


def mark_listened(parts: Parts, who: Viewer, kind: Kind, sound_id: UUID, *, listened: bool = True) -> bool:
    """Note who listened first, or that nobody has; whether there is such a sound for this viewer."""
    if find(parts, who, kind, sound_id) is None:
        return False
    if listened:
        parts.db.execute_sql(
            f"UPDATE {kind} SET listened_at = %s, listened_by = %s WHERE id = %s AND listened_at IS NULL",  # noqa: S608
            (parts.clock.now(), who.account_id, str(sound_id)),
        )
    else:
        parts.db.execute_sql(
            f"UPDATE {kind} SET listened_at = NULL, listened_by = NULL WHERE id = %s",  # noqa: S608
            (str(sound_id),),
        )
    return True


def peaks(path: Path, buckets: int = BUCKETS) -> list[list[float]]:
    """The loudness of each channel in `buckets` equal parts, 0 to 1, from 16-bit WAV. AudioMissing for what is none."""
    try:
        with wave.open(str(path), "rb") as sound:
            channels, frames = sound.getnchannels(), sound.getnframes()
            if sound.getsampwidth() != 2 or not frames:
                raise AudioMissing(f"{path.name} holds no 16-bit sound")
            found: list[list[float]] = [[] for _ in range(channels)]
            for bucket in range(buckets):
                begin, end = bucket * frames // buckets, (bucket + 1) * frames // buckets
                sound.setpos(min(begin, frames - 1))
                read = sound.readframes(max(1, min(end - begin, _LOOKED_AT)))
                samples = array("h", read[: len(read) // 2 * 2])
                for channel in range(channels):
                    own = samples[channel::channels]
                    found[channel].append(max(max(own, default=0), -min(own, default=0)) / 32768)
            return found
    except (OSError, EOFError, wave.Error) as error:
        raise AudioMissing(f"{path.name} cannot be read: {error}") from error


def wave_path(loudness: list[float], *, up: bool) -> str:
    """An SVG path of one channel on a field of len(loudness) x 100, its middle at 50; it grows up or down from there. The
    loudest part fills the field, so that a quiet line can be seen."""
    most = max(max(loudness, default=0.0), 0.05)
    sign = -1 if up else 1
    tops = " ".join(f"L{x + 0.5:g} {50 + sign * max(1.0, 48 * value / most):.1f}" for x, value in enumerate(loudness))
    return f"M0 50 {tops} L{len(loudness)} 50 Z"


@audio.get("/recordings/<uuid:sound_id>/audio")
@needs(Right.SEE_CALLS)
def recording(sound_id: UUID) -> Response:
    return _sent("recording", sound_id)


@audio.get("/messages/<uuid:sound_id>/audio")
@needs(Right.SEE_CALLS)
def message(sound_id: UUID) -> Response:
    return _sent("voicemail", sound_id)


def _sent(kind: Kind, sound_id: UUID) -> Response:
    return send(parts(), viewer(), kind, sound_id)


def send(parts: Parts, who: Viewer, kind: Kind, sound_id: UUID) -> Response:
    """The sound with ranges; 404 where there is none for this viewer, or its file is gone."""
    sound = find(parts, who, kind, sound_id)
    if sound is None or not sound.path.is_file():
        abort(404)
    return send_file(
        sound.path,
        mimetype="audio/wav" if sound.path.suffix == ".wav" else None,
        conditional=True,
        as_attachment=request.args.get("download") == "1",
        download_name=f"{kind}-{sound_id}{sound.path.suffix}",
        max_age=0,
    )


@audio.get("/recordings/<uuid:sound_id>/wave")
@needs(Right.SEE_CALLS)
def waveform(sound_id: UUID) -> str:
    """The waveform as a piece of SVG for the call's page."""
    sound = find(parts(), viewer(), "recording", sound_id)
    if sound is None:
        abort(404)
    try:
        channels = gevent.get_hub().threadpool.apply(peaks, (sound.path,))
    except AudioMissing as fault:
        return render_template("wave.html", fault=str(fault), channels=[], buckets=BUCKETS)
    drawn = [wave_path(channel, up=number == 0) for number, channel in enumerate(channels[:2])]
    if len(drawn) == 1:
        drawn.append(wave_path(channels[0], up=False))
    return render_template("wave.html", fault="", channels=drawn, buckets=BUCKETS)


@audio.post("/recordings/<uuid:sound_id>/listened")
@needs(Right.SEE_CALLS)
def recording_listened(sound_id: UUID) -> Response:
    return _marked("recording", sound_id)


@audio.post("/messages/<uuid:sound_id>/listened")
@needs(Right.SEE_CALLS)
def message_listened(sound_id: UUID) -> Response:
    return _marked("voicemail", sound_id)


def _marked(kind: Kind, sound_id: UUID) -> Response:
    listened = request.form.get("listened", "1") == "1"
    if not mark_listened(parts(), viewer(), kind, sound_id, listened=listened):
        abort(404)
    return Response(status=204)
