"""What people upload becomes what a telephone plays, or is refused with a reason."""

from __future__ import annotations

import array
import audioop
import math
import random
import shutil
import subprocess
import sys
import wave
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sounds import apart, convert, level, wav
from sounds.convert import Limits
from sounds.errors import AudioUnusable

needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")


def tone(hertz: float, seconds: float, rate: int, strength: float = 0.3) -> array.array[int]:
    return array.array(
        "h", [round(strength * 32767 * math.sin(2 * math.pi * hertz * n / rate)) for n in range(int(seconds * rate))]
    )


def record(path: Path, values: array.array[int], rate: int, *, channels: int = 1, width: int = 2) -> Path:
    samples = values.tobytes()
    if channels == 2:
        samples = audioop.tostereo(samples, 2, 1, 1)
    samples = audioop.lin2lin(samples, 2, width)
    if width == 1:
        samples = audioop.bias(samples, 1, 128)
    with wave.open(str(path), "wb") as writer:
        writer.setnchannels(channels)
        writer.setsampwidth(width)
        writer.setframerate(rate)
        writer.writeframes(samples)
    return path


def power_at(samples: bytes, hertz: float) -> float:
    """How much of a whole recording's power is this tone, 0 to 1 (Goertzel)."""
    values = array.array("h", samples)
    real = sum(value * math.cos(2 * math.pi * hertz * n / wav.RATE) for n, value in enumerate(values))
    imaginary = sum(value * math.sin(2 * math.pi * hertz * n / wav.RATE) for n, value in enumerate(values))
    return 2 * (real**2 + imaginary**2) / len(values) / sum(value * value for value in values)


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 44100, 48000])
@pytest.mark.parametrize(("channels", "width"), [(1, 2), (2, 2), (1, 1), (2, 3), (1, 4)])
def test_every_common_wav_keeps_its_tone(tmp_path: Path, rate: int, channels: int, width: int) -> None:
    source = record(tmp_path / "in.wav", tone(440, 0.5, rate), rate, channels=channels, width=width)
    done = convert.convert(source, tmp_path / "out.wav", trimmed=False)
    assert done.was == "wav"
    assert done.seconds == pytest.approx(0.5, abs=0.01)
    assert wav.seconds(done.path) == done.seconds
    assert done.loudness == pytest.approx(level.LOUDNESS_DBFS, abs=0.5)
    assert power_at(wav.read(done.path), 440) > 0.97


def test_what_a_telephone_cannot_carry_does_not_come_back_as_another_tone(tmp_path: Path) -> None:
    wanted, unwanted = tone(500, 0.5, 44100, 0.2), tone(5500, 0.5, 44100, 0.2)
    both = array.array("h", [a + b for a, b in zip(wanted, unwanted, strict=True)])
    done = convert.convert(record(tmp_path / "in.wav", both, 44100), tmp_path / "out.wav", trimmed=False)
    samples = wav.read(done.path)
    assert power_at(samples, 500) > 0.98
    assert power_at(samples, 2500) < 0.0005


@pytest.mark.parametrize("strength", [0.004, 0.05, 0.9])
def test_quiet_and_loud_come_out_alike(tmp_path: Path, strength: float) -> None:
    source = record(tmp_path / "in.wav", tone(300, 1, 8000, strength), 8000)
    done = convert.convert(source, tmp_path / "out.wav")
    assert done.loudness == pytest.approx(level.LOUDNESS_DBFS, abs=0.7)


def test_one_loud_knock_neither_clips_nor_drowns_the_rest(tmp_path: Path) -> None:
    values = tone(300, 2, 8000, 0.02)
    for at in range(8000, 8040):
        values[at] = 32000 if at % 2 else -32000
    done = convert.convert(record(tmp_path / "in.wav", values, 8000), tmp_path / "out.wav")
    samples = wav.read(done.path)
    assert level.peak(samples) <= level.PEAK_DBFS + 0.1
    assert level.loudness(samples[:8000]) > -24


def test_silence_around_is_cut_and_pauses_stay(tmp_path: Path) -> None:
    silence = array.array("h", bytes(2 * 8000))
    values = silence + tone(300, 0.5, 8000) + silence + tone(300, 0.5, 8000) + silence
    source = record(tmp_path / "in.wav", values, 8000)
    assert convert.convert(source, tmp_path / "out.wav").seconds == pytest.approx(2.15, abs=0.05)
    assert convert.convert(source, tmp_path / "all.wav", trimmed=False).seconds == pytest.approx(4.0, abs=0.01)


@needs_ffmpeg
@pytest.mark.parametrize(
    ("name", "was", "codec"),
    [
        ("a.mp3", "mp3", "libmp3lame"),
        ("a.ogg", "ogg", "libvorbis"),
        ("b.ogg", "ogg", "libopus"),
        ("a.m4a", "m4a", "aac"),
        ("a.flac", "flac", "flac"),
        ("a.webm", "webm", "libopus"),
        ("law.wav", "wav", "pcm_alaw"),
        ("float.wav", "wav", "pcm_f32le"),
    ],
)
def test_other_kinds_by_content_whatever_the_name(tmp_path: Path, name: str, was: str, codec: str) -> None:
    source = record(tmp_path / "tone.wav", tone(440, 1, 48000), 48000, channels=2)
    made = tmp_path / name
    subprocess.run(
        ["ffmpeg", "-v", "error", "-i", str(source), "-c:a", codec, "-strict", "-2", str(made)], check=True, timeout=60
    )
    renamed = made.rename(tmp_path / "upload.bin")
    done = convert.convert(renamed, tmp_path / "out.wav", trimmed=False)
    assert done.was == was
    assert done.seconds == pytest.approx(1.0, abs=0.1)
    assert power_at(wav.read(done.path), 440) > 0.9
    assert convert.duration(renamed) == pytest.approx(1.0, abs=0.1)


def test_compressed_audio_without_ffmpeg_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.mp3").write_bytes(b"ID3" + bytes(100))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(AudioUnusable, match="needs ffmpeg"):
        convert.convert(tmp_path / "a.mp3", tmp_path / "out.wav")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"MZ\x90\x00" * 10,
        b"#EXTM3U\nhttp://127.0.0.1/x\n",
        b"<html>",
        b"RIFF\0\0\0\0AVI LIST",
        b"ffconcat version 1.0\nfile '/etc/passwd'",
    ],
)
def test_what_is_no_audio_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "song.wav").write_bytes(content)
    with pytest.raises(AudioUnusable, match="not audio that we know"):
        convert.convert(tmp_path / "song.wav", tmp_path / "out.wav")
    assert not (tmp_path / "out.wav").exists()


@needs_ffmpeg
def test_a_broken_file_that_begins_well_is_refused(tmp_path: Path) -> None:
    for head in (b"ID3\x03", b"OggS", b"fLaC", b"\0\0\0\x18ftypM4A ", b"\x1aE\xdf\xa3"):
        (tmp_path / "in").write_bytes(head + random.Random(1).randbytes(5000))
        with pytest.raises(AudioUnusable, match="broken"):
            convert.convert(tmp_path / "in", tmp_path / "out.wav")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(changes=st.lists(st.tuples(st.integers(4, 60), st.integers(0, 255)), max_size=8), length=st.integers(12, 4044))
def test_a_damaged_wav_is_read_or_refused(tmp_path: Path, changes: list[tuple[int, int]], length: int) -> None:
    content = bytearray(record(tmp_path / "good.wav", tone(440, 0.25, 8000), 8000).read_bytes())
    for at, value in changes:
        content[at] = value
    (tmp_path / "bad.wav").write_bytes(content[:length])
    try:
        done = convert.convert(tmp_path / "bad.wav", tmp_path / "out.wav", trimmed=False)
    except AudioUnusable:
        return
    assert wav.seconds(done.path) > 0


def test_limits(tmp_path: Path) -> None:
    source = record(tmp_path / "in.wav", tone(440, 2, 8000), 8000)
    for limits, why in (
        (Limits(most_bytes=1000), "MB is the most"),
        (Limits(most_seconds=1), "1 s is the most"),
        (Limits(least_seconds=3), "3 s is the least"),
    ):
        with pytest.raises(AudioUnusable, match=why):
            convert.convert(source, tmp_path / "out.wav", limits)
    with pytest.raises(AudioUnusable, match="cannot be read"):
        convert.convert(tmp_path / "absent.wav", tmp_path / "out.wav")


def test_pure_silence_is_refused(tmp_path: Path) -> None:
    source = record(tmp_path / "in.wav", array.array("h", bytes(16000)), 8000)
    with pytest.raises(AudioUnusable, match="nothing to hear"):
        convert.convert(source, tmp_path / "out.wav")


@given(st.binary(max_size=4000).map(lambda raw: raw[: len(raw) // 2 * 2]))
def test_evening_out_never_passes_the_ceiling(samples: bytes) -> None:
    done = level.even(samples)
    assert len(done) == len(samples)
    assert level.peak(done) <= max(level.PEAK_DBFS + 0.1, level.peak(samples))


def test_a_process_of_its_own_gives_the_same_and_keeps_the_uploaders_name(tmp_path: Path) -> None:
    source = record(tmp_path / "part-1", tone(440, 0.5, 16000), 16000)
    done = apart.convert(source, tmp_path / "out.wav", trimmed=False, loudness=-23.0)
    assert (done.was, done.seconds) == ("wav", pytest.approx(0.5, abs=0.01))
    assert done.loudness == pytest.approx(-23.0, abs=0.5)
    (tmp_path / "part-2").write_bytes(b"MZ" + bytes(100))
    with pytest.raises(AudioUnusable, match=r"^summer\.mp3: is not audio that we know"):
        apart.convert(tmp_path / "part-2", tmp_path / "none.wav", name="summer.mp3")


def test_a_decoder_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    source = record(tmp_path / "long.wav", tone(440, 2, 48000), 48000)
    with pytest.raises(AudioUnusable, match="took longer than"):
        apart.convert(source, tmp_path / "out.wav", seconds=0.05)
    assert not (tmp_path / "out.wav").exists()


@needs_ffmpeg
def test_a_long_recording_is_ready_in_a_few_seconds(tmp_path: Path) -> None:
    source = record(tmp_path / "in.wav", tone(440, 1, 48000) * 180, 48000)
    done = apart.convert(source, tmp_path / "out.wav", trimmed=False, seconds=20)
    assert done.seconds == pytest.approx(180, abs=0.1)
    assert power_at(wav.read(done.path)[:16000], 440) > 0.97
