"""Which music those who wait hear."""

from __future__ import annotations

from pathlib import Path

import pytest

from sounds import music, wav
from sounds.errors import AudioUnusable


def put(path: Path, seconds: float = 0.5) -> Path:
    wav.write(path, b"\1\0" * round(seconds * wav.RATE))
    return path.absolute()


def test_the_shipped_piece_until_there_is_an_own_one(tmp_path: Path) -> None:
    assert music.find(tmp_path) == music.find(tmp_path, "jazz", "da") == [music.DEFAULT]
    assert music.stream(tmp_path, "jazz", "da") == "local_stream://music"
    own = [put(tmp_path / "music" / "b.wav"), put(tmp_path / "music" / "c.wav")]
    assert music.find(tmp_path) == music.find(tmp_path, "jazz") == own
    assert music.streams(tmp_path) == {"music": tmp_path / "music"}


def test_the_chosen_name_in_the_callers_language(tmp_path: Path) -> None:
    jazz, danish = put(tmp_path / "music/jazz/a.wav"), put(tmp_path / "music/jazz/da/a.wav")
    polish = put(tmp_path / "music/default/pl/a.wav")
    assert music.find(tmp_path, "jazz", "en") == [jazz]
    assert music.find(tmp_path, "jazz", "da-DK") == [danish]
    assert music.find(tmp_path, "rock", "pl") == [polish]
    assert music.stream(tmp_path, "jazz", "en-GB") == "local_stream://music-jazz"
    assert music.stream(tmp_path, "jazz", "da") == "local_stream://music-jazz-da"
    assert music.stream(tmp_path, "default", "pl") == "local_stream://music-default-pl"
    assert music.names(tmp_path) == ["default", "jazz"]
    assert set(music.streams(tmp_path)) == {"music", "music-jazz", "music-jazz-da", "music-default-pl"}


def test_what_cannot_be_played_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "music" / "jazz").mkdir(parents=True)
    (tmp_path / "music" / "jazz" / "broken.wav").write_bytes(b"RIFF")
    assert music.find(tmp_path, "jazz") == [music.DEFAULT]


@pytest.mark.parametrize("name", ["../prompts", "", "a/b", "."])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    put(tmp_path / "prompts" / "x.wav")
    assert music.find(tmp_path, name, "en") == [music.DEFAULT]
    assert music.find(tmp_path, "default", name) == [music.DEFAULT]
    with pytest.raises(AudioUnusable):
        music.own_folder(tmp_path, name)
