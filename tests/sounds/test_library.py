"""An installation's own prompts: versions, what is heard, and what is refused."""

from __future__ import annotations

import array
import math
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from conf.database import Database
from sounds import wav
from sounds.catalogue import Catalogue
from sounds.errors import AudioUnusable, PromptExists, PromptMissing
from sounds.library import Library

AT = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)


@pytest.fixture
def library(db: Database, tmp_path: Path) -> Library:
    return Library(db, tmp_path)


def sound(tmp_path: Path, seconds: float, name: str = "made.wav") -> Path:
    path = tmp_path / name
    values = array.array("h", [round(6000 * math.sin(n / 3)) for n in range(round(seconds * wav.RATE))])
    wav.write(path, values.tobytes())
    return path


def keep(library: Library, tmp_path: Path, seconds: float, *, name: str = "goodbye", **more: Any) -> int:
    made = {"author": "anna", "at": AT, "origin": "upload", "language": "en", **more}
    return library.keep(name, sound=sound(tmp_path, seconds), **made)


def test_an_own_version_is_heard_and_the_one_before_can_be_taken_back(library: Library, tmp_path: Path) -> None:
    shipped = Catalogue.of_home(tmp_path).find("goodbye", "en").seconds
    assert keep(library, tmp_path, 1.0, text="Bye then.", was="mp3") == 1
    assert keep(library, tmp_path, 2.0, author="ben", origin="phone") == 2
    fresh = Catalogue.of_home(tmp_path).find("goodbye", "en")
    assert (fresh.seconds, fresh.text) == (2.0, "Bye then.")
    newest, first = library.versions("goodbye", "en")
    assert (newest.version, newest.author, newest.origin, newest.heard) == (2, "ben", "phone", True)
    assert (first.version, first.seconds, first.was, first.made_at, first.heard) == (1, 1.0, "mp3", AT, False)
    library.roll_back("goodbye", "en", 1, at=AT)
    assert Catalogue.of_home(tmp_path).find("goodbye", "en").seconds == 1.0
    library.roll_back("goodbye", "en", None, at=AT)
    back = Catalogue.of_home(tmp_path).find("goodbye", "en")
    assert (back.seconds, back.text) == (shipped, "Thank you for calling. Goodbye.")
    assert [version.heard for version in library.versions("goodbye", "en")] == [False, False]


def test_what_was_put_there_by_hand_is_not_lost(library: Library, tmp_path: Path) -> None:
    sound(tmp_path / "prompts" / "en", 0.5, "hello.wav")
    keep(library, tmp_path, 1.0, name="hello")
    assert [(found.origin, found.seconds) for found in library.versions("hello", "en")] == [
        ("upload", 1.0),
        ("file", 0.5),
    ]


def test_deleting_takes_the_versions_along_and_no_other_prompts_sound(library: Library, tmp_path: Path) -> None:
    keep(library, tmp_path, 1.0, name="hello", text="Hello there.")
    keep(library, tmp_path, 1.0, name="again")
    keep(library, tmp_path, 2.0, name="hello")
    library.delete("hello", "en")
    with pytest.raises(PromptMissing):
        Catalogue.of_home(tmp_path).find("hello", "en")
    assert "hello" not in Catalogue.of_home(tmp_path).texts("en")
    assert library.versions("again", "en")[0].path.is_file()
    assert len(list((tmp_path / "prompts" / ".versions").iterdir())) == 1
    with pytest.raises(PromptMissing):
        library.delete("hello", "en")


def test_a_prompt_is_renamed_with_its_versions_in_all_languages(library: Library, tmp_path: Path) -> None:
    keep(library, tmp_path, 1.0, name="summer", text="It is summer.")
    keep(library, tmp_path, 1.5, name="summer", language="da", text="Det er sommer.")
    assert library.rename("summer", "midsummer") == ["da", "en"]
    known = Catalogue.of_home(tmp_path)
    assert (known.find("midsummer", "da").text, known.find("midsummer", "en").text) == (
        "Det er sommer.",
        "It is summer.",
    )
    assert "summer" not in known.names("en")
    assert [found.seconds for found in library.versions("midsummer", "da")] == [1.5]
    with pytest.raises(PromptExists, match="already"):
        library.rename("midsummer", "goodbye")
    with pytest.raises(PromptExists, match="keeps its name"):
        library.rename("goodbye", "farewell")
    with pytest.raises(PromptMissing):
        library.rename("summer", "winter")


def test_a_copy_has_everything_in_every_language(library: Library, tmp_path: Path) -> None:
    keep(library, tmp_path, 1.5, name="goodbye", language="da", text="Farvel.")
    assert set(library.copy("goodbye", "farewell", author="anna", at=AT)) >= {"da", "en"}
    known = Catalogue.of_home(tmp_path)
    assert known.find("farewell", "da").text == "Farvel."
    assert known.find("farewell", "en").seconds == known.find("goodbye", "en").seconds


def test_words_and_notes_are_kept_apart_from_the_sound(library: Library, tmp_path: Path) -> None:
    keep(library, tmp_path, 1.0)
    library.describe("goodbye", "en", text="So long.", note="Spoken by Anna.")
    assert Catalogue.of_home(tmp_path).find("goodbye", "en").text == "So long."
    assert library.note("goodbye", "en") == "Spoken by Anna."
    assert library.versions("goodbye", "en")[0].text == "So long."


@pytest.mark.parametrize("name", ["../secret", "a/b", ".", "", "A", "a b", "a.wav", "x" * 81, "a\n"])
def test_no_name_leads_out_of_the_folder(library: Library, tmp_path: Path, name: str) -> None:
    for work in (
        lambda: keep(library, tmp_path, 1.0, name=name),
        lambda: library.delete(name, "en"),
        lambda: library.rename("goodbye", name),
        lambda: library.copy("goodbye", name, author="", at=AT),
        lambda: library.describe(name, "en", text=""),
        lambda: library.roll_back("goodbye", f"{name}/..", None, at=AT),
    ):
        with pytest.raises(AudioUnusable, match="is no"):
            work()
    assert not list(tmp_path.glob("prompts/**/*.wav"))


def test_the_command_line_keeps_versions_too(database_url: str, tmp_path: Path) -> None:
    def prompts(*arguments: str) -> str:
        code = "from conf.cli import main; import sys; sys.exit(main())"
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", code, "prompts", *arguments],
            env=os.environ | {"POINTSMAN_HOME": str(tmp_path), "POINTSMAN_DATABASE_URL": database_url},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    prompts("add", "goodbye", str(sound(tmp_path, 1.0)), "--text", "Bye then.")
    prompts("add", "goodbye", str(sound(tmp_path, 2.0)))
    newest, first = prompts("versions", "goodbye").splitlines()
    assert newest.startswith("*    2")
    assert first.startswith("     1")
    assert "Bye then." in first
    assert "version 1 of goodbye" in prompts("roll-back", "goodbye", "1")
    assert Catalogue.of_home(tmp_path).find("goodbye", "en").seconds == pytest.approx(1.0, abs=0.05)
    prompts("music", str(sound(tmp_path, 1.0, "Take Five.wav")), "--name", "jazz")
    assert "music-jazz" in prompts("music")
