"""The library of prompts in a real browser: several uploads at once, recording, listening, taking back."""

from __future__ import annotations

import array
import io
import math
import re
import shutil
import subprocess
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser.test_pages import until
from sample_company import Company

from sounds.catalogue import Catalogue
from sounds.convert import ffmpeg

needs_ffmpeg = pytest.mark.skipif(ffmpeg() is None, reason="ffmpeg is not installed")


@pytest.fixture(autouse=True)
def nothing_left(company: Company) -> Iterator[None]:
    """All tests of the company share one home."""
    yield
    for folder in ("prompts", "music"):
        shutil.rmtree(company.parts.settings.home / folder, ignore_errors=True)


def recording(seconds: float = 1.0) -> bytes:
    values = array.array("h", [round(5000 * math.sin(n / 9)) for n in range(round(seconds * 16000))])
    made = io.BytesIO()
    with wave.open(made, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(16000)
        writer.writeframes(values.tobytes())
    return made.getvalue()


def as_mp3(tmp_path: Path) -> bytes:
    (tmp_path / "in.wav").write_bytes(recording(2.0))
    command = [str(ffmpeg()), "-v", "error", "-i", str(tmp_path / "in.wav"), str(tmp_path / "out.mp3")]
    subprocess.run(command, check=True, timeout=60)
    return (tmp_path / "out.mp3").read_bytes()


@needs_ffmpeg
def test_several_files_at_once_and_a_bad_one_among_them(company: Company, visit: Any, tmp_path: Path) -> None:
    page = visit("admin", "/setup/prompts/add")
    page.select_option("#language", "da")
    page.set_input_files(
        "#files",
        [
            {"name": "Velkommen på dansk.wav", "mimeType": "audio/wav", "buffer": recording()},
            {"name": "sommer.mp3", "mimeType": "audio/mpeg", "buffer": as_mp3(tmp_path)},
            {"name": "not a sound.mp3", "mimeType": "audio/mpeg", "buffer": b"MZ a program"},
        ],
    )
    assert page.locator(".uploads input").evaluate_all("all => all.map((one) => one.value)") == [
        "velkommen_paa_dansk",
        "sommer",
        "not_a_sound",
    ]
    page.locator(".uploads input").nth(1).fill("sommer_hilsen")
    assert page.inner_text("[data-start]") == "Upload 3 prompts"
    page.click("[data-start]")
    page.wait_for_selector(".uploads .said.bad:has-text('is not audio that we know')")
    until(page, "document.querySelectorAll('.uploads .said.good').length === 2")
    names = Catalogue.of_home(company.parts.settings.home).names("da")
    assert {"velkommen_paa_dansk", "sommer_hilsen"} <= set(names)
    page.locator(".uploads a", has_text="Show it").nth(1).click()
    page.wait_for_url(re.compile(r"/setup/prompts/one/sommer_hilsen\?language=da$"))
    assert "Callers hear your own recording." in page.inner_text("main")


def test_a_version_is_listened_to_and_taken_back(company: Company, visit: Any) -> None:
    page = visit("admin", "/setup/prompts?q=goodbye")
    page.click("tr:has-text('Thank you for calling. Goodbye.') a.strong")
    page.wait_for_url("**/one/goodbye?language=en")
    page.set_input_files("#file", [{"name": "a.wav", "mimeType": "audio/wav", "buffer": recording(1.5)}])
    page.click("[data-one-upload] button")
    page.wait_for_selector("tr.heard-now:has-text('uploaded')")
    page.click("tr:has-text('Shipped') [data-play]")
    page.wait_for_selector("tr:has-text('Shipped') .player.playing")
    page.click("tr:has-text('Shipped') button:has-text('Roll back')")
    page.wait_for_selector(".toast:has-text('Callers hear the shipped one again.')")
    assert "comes with Pointsman" in page.inner_text("tr.heard-now")


@needs_ffmpeg
def test_a_prompt_is_recorded_in_the_browser(company: Company, chromium: Any, visit: Any) -> None:
    page = visit("admin", "/setup/prompts/one/spoken_here?language=en")
    page.click("summary:has-text('Record in the browser')")
    page.context.clear_permissions()
    # This browser has no microphone, or asks nobody for one: the page says what to do.
    page.click("[data-record]")
    page.wait_for_selector("[data-recorder] .said.bad")
    page.context.grant_permissions(["microphone"])
    tone = """() => {
      const context = new AudioContext(), source = context.createOscillator();
      const out = context.createMediaStreamDestination();
      source.connect(out);
      source.start();
      navigator.mediaDevices.getUserMedia = async () => out.stream;
    }"""
    page.evaluate(tone)
    page.click("[data-record]")
    page.wait_for_selector("[data-stop]:visible")
    until(page, "document.querySelector('.clock').textContent >= '0:01'")
    page.click("[data-stop]")
    page.wait_for_selector("[data-save]:visible")
    page.click("[data-save]")
    page.wait_for_selector("tr.heard-now:has-text('recorded in the browser')")
    heard = Catalogue.of_home(company.parts.settings.home).find("spoken_here", "en")
    assert 0.5 < heard.seconds < 10


def test_a_recording_by_phone_tells_the_number_to_dial(company: Company, visit: Any) -> None:
    page = visit("admin", "/setup/prompts/one/goodbye?language=en")
    page.click("summary:has-text('Record by telephone')")
    page.select_option("#extension", "")
    page.click("details[open] button:has-text('Begin')")
    page.wait_for_selector("#phone-state code")
    assert re.fullmatch(r"\*31\d{6}", page.inner_text("#phone-state code"))


def test_nothing_is_cut_off_on_a_phone(company: Company, visit: Any) -> None:
    page = visit("admin", width=390, height=844)
    for path in ("", "/add", "/one/goodbye?language=en", "/music"):
        page.goto(f"/setup/prompts{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
