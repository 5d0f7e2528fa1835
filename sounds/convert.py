"""Any recording a person may have, turned into what a telephone plays best.

WAV files are read here; MP3, OGG, M4A, FLAC and WebM need the program ffmpeg, and long recordings are done faster by it. What a
file is, is told from its first bytes, never from its name. Reading happens in the calling greenlet, the arithmetic in the
hub's thread pool. What a stranger uploads is converted by `sounds.apart`, in a process of its own.
"""

from __future__ import annotations

import audioop
import importlib
import shutil
import struct
import subprocess
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path

import gevent

from sounds import level, wav
from sounds.errors import AudioUnusable

with warnings.catch_warnings():
    # pydub warns where ffmpeg is missing, which we look for ourselves, and its source has old escapes.
    warnings.simplefilter("ignore")
    from pydub import AudioSegment
    from pydub.exceptions import CouldntDecodeError

READ_TIMEOUT = 60.0
"""Seconds that reading one file may take."""

_ODD_WAV = frozenset({6, 7, 3, 17})
"""WAVE's A-law, mu-law, floating point and IMA ADPCM: not plain samples, so ffmpeg reads them."""

_BROKEN = (
    CouldntDecodeError,
    audioop.error,
    struct.error,
    ValueError,
    EOFError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    OSError,
)

LONG_WAV_SECONDS = 60.0
"""A WAV file of another rate that plays longer is left to ffmpeg, where there is one: our own filters take a tenth of the time
that it plays."""

_EXTENSIBLE = 0xFFFE
"""WAVE's long form, which names its kind of samples further on."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What an upload may be."""

    most_bytes: int = 32 * 1024 * 1024
    most_seconds: float = 600.0
    least_seconds: float = 0.1


@dataclass(frozen=True, slots=True)
class Converted:
    """What became of a recording: the file, how long it plays, its loudness (dBFS) and what it was before."""

    path: Path
    seconds: float
    loudness: float
    was: str


DEFAULT_LIMITS = Limits()


def kind(head: bytes) -> str | None:
    """What the first bytes of a file (16 suffice) say it is: `wav`, `mp3`, `ogg`, `m4a`, `flac`, `webm`; None for all else."""
    if head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
        return "wav"
    if head[:4] == b"OggS":
        return "ogg"
    if head[:4] == b"fLaC":
        return "flac"
    if head[4:8] == b"ftyp":
        return "m4a"
    if head[:4] == b"\x1aE\xdf\xa3":
        return "webm"
    # An MP3 begins with a tag or at once with a frame: eleven bits set, then a version and a layer that exist.
    if head[:3] == b"ID3" or (
        len(head) > 2
        and head[0] == 0xFF
        and head[1] & 0xE0 == 0xE0
        and head[1] & 0x06 == 0x02
        and head[1] & 0x18 != 0x08
    ):
        return "mp3"
    return None


def convert(
    source: Path,
    target: Path,
    limits: Limits = DEFAULT_LIMITS,
    *,
    trimmed: bool = True,
    loudness: float = level.LOUDNESS_DBFS,
) -> Converted:
    """Write `source` to `target` as 8 kHz 16-bit mono WAV, evened to this loudness (dBFS), with soft edges; `trimmed` cuts the
    silence at both ends to a short breath.

    AudioUnusable says what is wrong with the file: too large, too long, too short, silent, not audio, broken, or of a kind
    that needs ffmpeg where there is none. `target` is then not touched.
    """
    was = _check(source, limits)
    samples, rate = _decode(source, was, limits)
    finished: bytes = gevent.get_hub().threadpool.apply(_finish, (samples, rate, trimmed, loudness))
    length = len(finished) / 2 / wav.RATE
    if length < limits.least_seconds:
        raise AudioUnusable(f"{source.name}: there is nothing to hear in it")
    wav.write(target, finished)
    return Converted(target, length, level.loudness(finished), was)


def ffmpeg() -> str | None:
    """The program ffmpeg: the machine's own, else the one that the package imageio-ffmpeg carries; None where neither is."""
    found = shutil.which("ffmpeg")
    if found is None:
        try:
            found = str(importlib.import_module("imageio_ffmpeg").get_ffmpeg_exe())
        except (ImportError, RuntimeError, OSError):
            return None
    return found


def duration(path: Path) -> float:
    """How many seconds a recording plays, of any kind that `convert` reads. AudioUnusable where it cannot be read."""
    limits = Limits(most_bytes=2**31, most_seconds=24 * 3600.0)
    samples, rate = _decode(path, _check(path, limits), limits)
    return len(samples) / 2 / rate


def _check(source: Path, limits: Limits) -> str:
    try:
        size = source.stat().st_size
        with source.open("rb") as file:
            head = file.read(16)
    except OSError as error:
        raise AudioUnusable(f"{source.name}: cannot be read ({error.strerror})") from error
    if size > limits.most_bytes:
        raise AudioUnusable(f"{source.name}: has {size / 2**20:.1f} MB; {limits.most_bytes / 2**20:g} MB is the most")
    was = kind(head)
    if was is None:
        raise AudioUnusable(f"{source.name}: is not audio that we know; use WAV, MP3, OGG, M4A, FLAC or WebM")
    return was


def _decode(source: Path, was: str, limits: Limits) -> tuple[bytes, int]:
    """Mono samples of 16 bits and their rate."""
    if was == "wav" and not _odd(source):
        return _decode_wav(source, limits)
    return _decode_with_ffmpeg(source, was, limits), wav.RATE


def _decode_wav(source: Path, limits: Limits) -> tuple[bytes, int]:
    try:
        # Given bytes, pydub reads them itself; given a file, it would run ffmpeg on what it cannot read, without an end.
        sound = AudioSegment(source.read_bytes())
        rate, length = int(sound.frame_rate), float(sound.duration_seconds)
        if not 4000 <= rate <= 192_000:
            raise AudioUnusable(f"{source.name}: has {rate} samples a second, which no recording has")
        _check_length(source, length, limits)
        if rate != wav.RATE and length > LONG_WAV_SECONDS and ffmpeg() is not None:
            return _decode_with_ffmpeg(source, "wav", limits), wav.RATE
        # An upload that was cut off may end within a sample.
        whole = sound.raw_data[: len(sound.raw_data) // sound.frame_width * sound.frame_width]
        shape = {"sample_width": sound.sample_width, "frame_rate": rate, "channels": sound.channels}
        samples: bytes = AudioSegment(whole, **shape).set_sample_width(2).set_channels(1).raw_data
    # pydub lets whatever its parser meets through; each of these is a header that lies.
    except _BROKEN as error:
        raise AudioUnusable(f"{source.name}: is a broken WAV file ({error or type(error).__name__})") from error
    return samples, rate


def _decode_with_ffmpeg(source: Path, was: str, limits: Limits) -> bytes:
    program = ffmpeg()
    if program is None:
        raise AudioUnusable(f"{source.name}: is {was.upper()}, which needs ffmpeg; install it, or upload a WAV file")
    # The reader is fixed and may open this one file only: a playlist dressed as a sound cannot fetch anything.
    reader = {"m4a": "mov", "webm": "matroska"}.get(was, was)
    command = [
        program,
        "-nostdin",
        "-v",
        "error",
        "-protocol_whitelist",
        "file,pipe",
        "-f",
        reader,
        "-i",
        str(source.absolute()),
    ]
    with tempfile.TemporaryFile() as output:
        command += [
            "-map",
            "0:a:0",
            "-t",
            f"{limits.most_seconds + 1:.3f}",
            "-ac",
            "1",
            "-ar",
            str(wav.RATE),
            "-f",
            "s16le",
            "-",
        ]
        try:
            done = subprocess.run(  # noqa: S603
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.PIPE,
                timeout=READ_TIMEOUT,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise AudioUnusable(f"{source.name}: could not be read as {was.upper()} ({error})") from error
        output.seek(0)
        samples = output.read()
    if done.returncode or not samples:
        raise AudioUnusable(f"{source.name}: is a broken {was.upper()} file, or has no sound in it")
    _check_length(source, len(samples) / 2 / wav.RATE, limits)
    return samples


def _check_length(source: Path, length: float, limits: Limits) -> None:
    if length > limits.most_seconds:
        raise AudioUnusable(f"{source.name}: plays {length:.0f} s; {limits.most_seconds:g} s is the most")
    if length < limits.least_seconds:
        raise AudioUnusable(f"{source.name}: plays {length:.2f} s; {limits.least_seconds:g} s is the least")


def _odd(source: Path) -> bool:
    with source.open("rb") as file:
        head = file.read(4096)
    at = head.find(b"fmt ", 12) + 8
    code = int.from_bytes(head[at : at + 2], "little")
    if code == _EXTENSIBLE:
        code = int.from_bytes(head[at + 24 : at + 26], "little")
    return at >= 8 and code in _ODD_WAV


def _finish(samples: bytes, rate: int, trimmed: bool, loudness: float) -> bytes:
    samples = level.even(level.resample(samples, rate), loudness)
    if trimmed:
        samples = level.trim(samples, lead=0.05, tail=0.1)
    return level.fade(samples)
