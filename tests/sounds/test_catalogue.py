"""How a name becomes a file: the user's before ours, language by language, whatever lies in the folders."""

from __future__ import annotations

import wave
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sounds import catalogue, wav
from sounds.catalogue import SHIPPED, Catalogue
from sounds.errors import PromptMissing, TextsBroken

SECOND = bytes(2 * wav.RATE)


class Seconds:
    """A clock that stands still but for `pass_by`."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "prompts" / "en").mkdir(parents=True)
    return tmp_path


def test_shipped_prompt(home: Path) -> None:
    prompt = Catalogue.of_home(home).find("goodbye", "en")
    assert prompt.path == SHIPPED / "en" / "goodbye.wav"
    assert prompt.text == "Thank you for calling. Goodbye."
    assert prompt.seconds == pytest.approx(2.1, abs=0.5)


def test_own_recording_replaces_the_shipped_one_alone(home: Path, seconds: Seconds) -> None:
    known = Catalogue([home / "prompts", SHIPPED], monotonic=seconds)
    shipped = known.find("goodbye", "en")
    own = home / "prompts" / "en" / "goodbye.wav"
    wav.write(own, SECOND)
    seconds.pass_by(1)
    prompt = known.find("goodbye", "en")
    assert (prompt.path, prompt.seconds) == (own, 1.0)
    assert prompt.text == shipped.text, "a replacement says the same until it is told otherwise"
    assert known.find("transfer", "en").path.parent == SHIPPED / "en"

    catalogue.write_text(own.parent / catalogue.TEXTS, "goodbye", "So long.")
    seconds.pass_by(1)
    assert known.find("goodbye", "en").text == "So long."
    own.unlink()
    seconds.pass_by(1)
    assert known.find("goodbye", "en") == shipped


def test_the_files_are_looked_at_once_a_second(home: Path, seconds: Seconds) -> None:
    own = home / "prompts" / "en" / "goodbye.wav"
    wav.write(own, SECOND)
    known = Catalogue([home / "prompts", SHIPPED], monotonic=seconds)
    first = known.find("goodbye", "en")
    own.unlink()
    seconds.pass_by(0.9)
    assert known.find("goodbye", "en") is known.at(own) is first
    seconds.pass_by(0.1)
    assert known.at(own) is None
    assert known.find("goodbye", "en").path.parent == SHIPPED / "en"


def test_a_prompt_that_was_missing_is_there_as_soon_as_it_is(home: Path, seconds: Seconds) -> None:
    known = Catalogue([home / "prompts", SHIPPED], monotonic=seconds)
    with pytest.raises(PromptMissing):
        known.find("our_own", "en")
    wav.write(home / "prompts" / "en" / "our_own.wav", SECOND)
    assert known.find("our_own", "en").seconds == 1.0


def test_a_text_without_a_recording_does_not_change_what_is_said(home: Path) -> None:
    catalogue.write_text(home / "prompts" / "en" / catalogue.TEXTS, "goodbye", "So long.")
    assert Catalogue.of_home(home).find("goodbye", "en").text == "Thank you for calling. Goodbye."


def _stereo(path: Path) -> None:
    with wave.open(str(path), "wb") as writer:
        writer.setnchannels(2)
        writer.setsampwidth(2)
        writer.setframerate(44100)
        writer.writeframes(bytes(44100))


def _cut_short(path: Path) -> None:
    wav.write(path, SECOND)
    path.write_bytes(path.read_bytes()[:5000])


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (_stereo, "is 44.1 kHz 16-bit stereo"),
        (_cut_short, "cut short"),
        (lambda path: path.write_bytes(b""), "no WAV file"),
        (lambda path: path.write_bytes(b"ID3 something else"), "no WAV file"),
        (lambda path: wav.write(path, b""), "holds no sound"),
        (lambda path: path.mkdir(), "directory"),
    ],
)
def test_a_file_that_cannot_be_played_is_passed_over_and_named(home: Path, spoil, why: str) -> None:  # type: ignore[no-untyped-def]
    own = home / "prompts" / "en" / "goodbye.wav"
    spoil(own)
    known = Catalogue.of_home(home)
    assert known.find("goodbye", "en").path == SHIPPED / "en" / "goodbye.wav"
    [fault] = known.faults()
    assert fault.path == own
    assert why in fault.why


def test_a_mended_file_is_played(home: Path, seconds: Seconds) -> None:
    own = home / "prompts" / "en" / "goodbye.wav"
    _stereo(own)
    known = Catalogue([home / "prompts", SHIPPED], monotonic=seconds)
    assert known.find("goodbye", "en").path != own
    wav.write(own, SECOND)
    seconds.pass_by(1)
    assert known.find("goodbye", "en").path == own
    assert known.faults() == []


def test_languages_fall_back(home: Path) -> None:
    wav.write(home / "prompts" / "sv" / "goodbye.wav", SECOND)
    known = Catalogue.of_home(home)
    assert known.find("goodbye", "sv").language == "sv"
    assert known.find("goodbye", "sv-SE").language == "sv"
    assert known.find("transfer", "sv").language == "en"
    assert known.names("sv") == ["goodbye"]
    assert known.languages() == ["da", "en", "pl", "sv", "zh"], "the folders of music and of modules are no languages"


def test_another_default_language(home: Path) -> None:
    wav.write(home / "prompts" / "da" / "hilsen.wav", SECOND)
    assert Catalogue.of_home(home, "da").find("hilsen", "en").language == "da"
    with pytest.raises(PromptMissing, match="hilsen"):
        Catalogue.of_home(home).find("hilsen", "pl")


@given(st.text(), st.text())
def test_no_name_leads_out_of_the_folders(name: str, language: str) -> None:
    known = Catalogue([SHIPPED])
    try:
        path = known.find(name, language).path
    except PromptMissing:
        return
    assert path.parent == SHIPPED / "en"


@pytest.mark.parametrize(
    "name", ["../en/goodbye", "en/goodbye", "goodbye.wav", "goodbye\n", "", "Goodbye", "/etc/passwd", "\0"]
)
def test_names_that_are_paths_are_missing(name: str) -> None:
    with pytest.raises(PromptMissing):
        Catalogue([SHIPPED]).find(name, "en")


@pytest.mark.parametrize("language", ["..", "../en", "", "en/..", "\0", "EN"])
def test_languages_that_are_paths_fall_back(language: str) -> None:
    assert Catalogue([SHIPPED]).find("goodbye", language).language == "en"


def test_a_played_file_is_known_by_its_path() -> None:
    known = Catalogue([SHIPPED])
    prompt = known.find("goodbye", "en")
    assert known.at(str(prompt.path)) == prompt
    assert known.at("/somewhere/en/goodbye.wav") is None
    assert known.at(SHIPPED / "en" / "unknown.wav") is None


def test_paths_keep_the_order() -> None:
    paths = Catalogue([SHIPPED]).paths(["number_3", "minutes"], "en")
    assert [Path(path).name for path in paths] == ["number_3.wav", "minutes.wav"]


def test_broken_texts_cost_the_words_and_nothing_else(home: Path) -> None:
    texts = home / "prompts" / "en" / catalogue.TEXTS
    texts.write_text("goodbye: [", encoding="utf-8")
    wav.write(texts.with_name("goodbye.wav"), SECOND)
    assert Catalogue.of_home(home).find("goodbye", "en").text == "Thank you for calling. Goodbye."
    with pytest.raises(TextsBroken, match="cannot be read as texts"):
        catalogue.write_text(texts, "goodbye", "So long.")
    assert texts.read_text(encoding="utf-8") == "goodbye: ["


@given(st.dictionaries(st.from_regex(r"[a-z0-9][a-z0-9_]{0,20}", fullmatch=True), st.text()))
def test_texts_come_back_as_they_were_written(texts: dict[str, str]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, catalogue.TEXTS)
        for name, text in texts.items():
            catalogue.write_text(path, name, text)
        assert catalogue.read_texts(path) == {name: " ".join(text.split()) for name, text in texts.items()}


def test_yaml_words_that_look_like_values_stay_words(tmp_path: Path) -> None:
    path = tmp_path / catalogue.TEXTS
    path.write_text("on: on\nno: no\nnumber_1: 1\n", encoding="utf-8")
    assert catalogue.read_texts(path) == {"on": "on", "no": "no", "number_1": "1"}
