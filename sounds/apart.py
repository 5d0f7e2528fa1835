"""Conversion of what strangers upload, and speech, in a process of their own with bounds on time, memory and files.

A decoder meets whatever somebody thought up to break it. Here it can break nothing but its own process, which is ended when it
takes too long. The arithmetic of a long text or recording holds nobody else up.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from conf.errors import PointsmanError
from sounds import convert as inside
from sounds import level, synthesis, wav
from sounds.convert import DEFAULT_LIMITS, Converted, Limits
from sounds.errors import AudioUnusable, SynthesisFailed

SECONDS: Final = 90.0
"""Wall time that one file may take."""

_CPU_SECONDS = 80
_MOST_MEMORY = 2 * 2**30
_MOST_WRITTEN = 512 * 2**20
_ROOT = Path(__file__).parent.parent


def convert(
    source: Path,
    target: Path,
    limits: Limits = DEFAULT_LIMITS,
    *,
    name: str = "",
    trimmed: bool = True,
    loudness: float = level.LOUDNESS_DBFS,
    seconds: float = SECONDS,
) -> Converted:
    """As `sounds.convert.convert`, by another process; other greenlets run meanwhile. `name` is what the person who uploaded it
    calls the file, for the messages. AudioUnusable also where it took more than `seconds` or the decoder broke."""
    name = name or source.name
    order = {
        "source": str(source.absolute()),
        "target": str(target.absolute()),
        "limits": asdict(limits),
        "trimmed": trimmed,
        "loudness": loudness,
    }
    try:
        answer = _ask(order, seconds)
    except _Broken as broken:
        raise AudioUnusable(f"{name}: {broken}") from broken
    if "fault" in answer:
        raise AudioUnusable(str(answer["fault"]).replace(f"{source.name}:", f"{name}:", 1))
    return Converted(target, answer["seconds"], answer["loudness"], answer["was"])


def speak(text: str, language: str, target: Path, *, voice: str | None = None, seconds: float = SECONDS) -> float:
    """Have a synthesiser of this machine speak a text into `target`, as a finished prompt; its seconds. `voice` is one by name,
    the best one otherwise. SynthesisFailed."""
    order = {"text": text, "language": language, "target": str(target.absolute()), "voice": voice}
    try:
        answer = _ask(order, seconds)
    except _Broken as broken:
        raise SynthesisFailed(f"the text: {broken}") from broken
    if "fault" in answer:
        raise SynthesisFailed(str(answer["fault"]))
    return float(answer["seconds"])


class _Broken(PointsmanError):
    """The process took too long or ended without an answer."""


def _ask(order: dict[str, Any], seconds: float) -> dict[str, Any]:
    child = subprocess.Popen(
        [sys.executable, "-m", "sounds.apart"],
        cwd=_ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        said, _ = child.communicate(json.dumps(order).encode(), timeout=seconds)
    except subprocess.TimeoutExpired as error:
        raise _Broken(f"took longer than {seconds:g} s; use a shorter or simpler one") from error
    finally:
        # What it started, ffmpeg or a synthesiser, is of its group and ends with it.
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    try:
        answer: dict[str, Any] = json.loads(said)
    except ValueError as error:
        raise _Broken("the decoder broke over it; it is damaged, or no recording at all") from error
    return answer


def _main() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_MOST_WRITTEN, _MOST_WRITTEN))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    order = json.load(sys.stdin)
    try:
        answer = _spoken(order) if "text" in order else _converted(order)
    except PointsmanError as fault:
        answer = {"fault": str(fault)}
    json.dump(answer, sys.stdout)


def _converted(order: dict[str, Any]) -> dict[str, Any]:
    done = inside.convert(
        Path(order["source"]),
        Path(order["target"]),
        Limits(**order["limits"]),
        trimmed=order["trimmed"],
        loudness=order["loudness"],
    )
    return {"seconds": done.seconds, "loudness": done.loudness, "was": done.was}


def _spoken(order: dict[str, Any]) -> dict[str, Any]:
    voice = synthesis.choose(order["language"], order["voice"])
    samples = synthesis.prompt(order["text"], order["language"], voice)
    wav.write(Path(order["target"]), samples)
    return {"seconds": len(samples) / 2 / wav.RATE}


if __name__ == "__main__":
    _main()
