"""The library of prompts: listed, uploaded, rolled back, renamed and deleted, on pages and over the API."""

from __future__ import annotations

import array
import io
import math
import shutil
import wave
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sample_company import Company

from sounds import music, wav
from sounds.catalogue import Catalogue


@pytest.fixture(autouse=True)
def nothing_left(company: Company) -> Iterator[None]:
    """All tests of the company share one home."""
    yield
    for folder in ("prompts", "music"):
        shutil.rmtree(company.parts.settings.home / folder, ignore_errors=True)


def recording(seconds: float = 1.0, rate: int = 16000) -> io.BytesIO:
    values = array.array("h", [round(5000 * math.sin(n / 9)) for n in range(round(seconds * rate))])
    made = io.BytesIO()
    with wave.open(made, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(rate)
        writer.writeframes(values.tobytes())
    made.seek(0)
    return made


def own(company: Company, name: str, language: str = "en") -> Path:
    return company.parts.settings.home / "prompts" / language / f"{name}.wav"


def test_the_list_tells_what_is_heard_and_where_it_is_used(company: Company, visit: Any) -> None:
    page = visit("supervisor").get("/setup/prompts?q=menu_main").text
    assert "For sales, press 1." in page
    assert "Shipped" in page
    assert "flow main, node menu" in page
    assert "Add prompts" not in page
    assert "No prompt fits" in visit("admin").get("/setup/prompts?q=nothing+of+the+kind").text
    assert visit("anna").get("/setup/prompts").status_code == 403


def test_an_upload_is_heard_at_once_and_taken_back(company: Company, visit: Any) -> None:
    admin = visit("admin")
    answer = admin.post(
        "/setup/prompts/upload",
        language="en",
        name="menu_main",
        file=(recording(1.5), "Ny menu.wav"),
        text="Press one.",
    )
    assert answer.location == "/setup/prompts/one/menu_main?language=en"
    heard = Catalogue.of_home(company.parts.settings.home).find("menu_main", "en")
    assert (heard.path, heard.text) == (own(company, "menu_main"), "Press one.")
    page = admin.get(answer.location).text
    assert "Callers hear your own recording." in page
    assert "uploaded" in page
    back = admin.post("/setup/prompts/one/menu_main/roll-back", language="en", version="0")
    assert "Callers hear the shipped one again." in admin.get(back.location).text
    assert not own(company, "menu_main").exists()
    admin.post("/setup/prompts/one/menu_main/roll-back", language="en", version="1")
    assert own(company, "menu_main").exists()


def test_several_files_are_named_by_their_names(company: Company, visit: Any) -> None:
    admin = visit("admin")
    admin.post(
        "/setup/prompts/upload",
        language="da",
        file=[(recording(), "Velkommen på dansk.wav"), (recording(), "../../Farvel (2).wav")],
    )
    names = Catalogue.of_home(company.parts.settings.home).names("da")
    assert {"velkommen_paa_dansk", "farvel_2"} <= set(names)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"MZ\x90\0 a program", "is not audio that we know"),
        (b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0", "is a broken WAV file"),
        (b"#EXTM3U\nhttp://127.0.0.1/x", "is not audio that we know"),
        (b"", "is not audio that we know"),
    ],
)
def test_a_hostile_file_is_refused_by_its_content(company: Company, visit: Any, content: bytes, said: str) -> None:
    admin = visit("admin")
    answer = admin.client.post(
        "/setup/prompts/upload",
        data={"language": "en", "name": "hello", "file": (io.BytesIO(content), "fine.mp3")},
        headers={"X-CSRFToken": admin._token, "Accept": "application/json"},
    )
    assert answer.status_code == 409
    assert answer.json["error"].startswith(f"fine.mp3: {said}")
    assert not own(company, "hello").exists()


@pytest.mark.parametrize("name", ["../../x", "a/b", "UPPER", "x" * 81, ".hidden"])
def test_a_name_that_leads_elsewhere_is_refused(company: Company, visit: Any, name: str) -> None:
    admin = visit("admin")
    answer = admin.client.post(
        "/setup/prompts/upload",
        data={"language": "en", "name": name, "file": (recording(), "a.wav")},
        headers={"X-CSRFToken": admin._token, "Accept": "application/json"},
    )
    assert (answer.status_code, answer.json["field"]) == (409, "name")
    assert not list(company.parts.settings.home.glob("**/a.wav"))
    assert admin.get("/setup/prompts/one/..%2F..%2Fx").status_code == 404
    assert admin.get("/setup/prompts/audio/..%2F..%2Fsecrets/session_key").status_code == 404


def test_one_that_is_in_use_is_not_deleted_nor_renamed(company: Company, visit: Any) -> None:
    admin, db = visit("admin"), company.parts.db
    admin.post("/setup/prompts/upload", language="en", name="summer", file=(recording(), "a.wav"))
    with db.connection_context():
        db.execute_sql(
            "UPDATE flow_version SET document = jsonb_set(document, '{nodes,menu,prompts}', '[\"summer\"]') "
            "WHERE flow_id = (SELECT id FROM flow WHERE name = 'main')"
        )
    deleted = admin.post("/setup/prompts/one/summer/delete", language="en")
    assert "It is in use by flow main, node menu, so it cannot be deleted." in admin.get(deleted.location).text
    renamed = admin.post("/setup/prompts/one/summer/rename", language="en", name="winter")
    assert "cannot be renamed" in admin.get(renamed.location).text
    assert own(company, "summer").exists()
    copied = admin.post("/setup/prompts/one/summer/copy", language="en", name="winter")
    assert copied.location == "/setup/prompts/one/winter?language=en"
    gone = admin.post("/setup/prompts/one/winter/delete", language="en")
    assert gone.location == "/setup/prompts?language=en"
    assert not own(company, "winter").exists()


def test_a_supervisor_listens_and_changes_nothing(company: Company, visit: Any) -> None:
    supervisor = visit("supervisor")
    assert supervisor.get("/setup/prompts/one/goodbye").status_code == 200
    heard = supervisor.get("/setup/prompts/audio/en/goodbye", headers={"Range": "bytes=0-99"})
    assert (heard.status_code, heard.mimetype, len(heard.data)) == (206, "audio/wav", 100)
    for address in ("upload", "one/goodbye/delete", "one/goodbye/words", "one/goodbye/phone", "music/upload"):
        assert supervisor.post(f"/setup/prompts/{address}", language="en").status_code == 403


def test_words_and_note_are_kept(company: Company, visit: Any) -> None:
    admin = visit("admin")
    admin.post("/setup/prompts/upload", language="en", name="hello", file=(recording(), "a.wav"))
    admin.post("/setup/prompts/one/hello/words", language="en", text="Hello <b>you</b>.", note="Until May.")
    page = admin.get("/setup/prompts?q=until").text
    assert "Hello &lt;b&gt;you&lt;/b&gt;." in page
    too_long = admin.post("/setup/prompts/one/hello/words", language="en", text="x" * 2001)
    assert too_long.status_code == 422
    assert "Words must be 2000 characters or fewer." in too_long.text


def test_music_is_added_by_name_and_language_and_the_last_one_of_a_queue_stays(company: Company, visit: Any) -> None:
    admin, home, db = visit("admin"), company.parts.settings.home, company.parts.db
    assert "default" in admin.get("/setup/prompts/music").text
    admin.post("/setup/prompts/music/upload", name="jazz", language="da", file=(recording(2.0), "Take Five.wav"))
    (piece,) = music.find(home, "jazz", "da")
    assert (piece.name, wav.seconds(piece)) == ("take_five.wav", pytest.approx(2.0, abs=0.1))
    page = admin.get("/setup/prompts/music").text
    assert "take_five" in page
    assert admin.get("/setup/prompts/music/audio/jazz/take_five?language=da").mimetype == "audio/wav"
    with db.connection_context():
        db.execute_sql("UPDATE queue SET rules = '{\"music\": \"jazz\"}' WHERE name = 'sales'")
    refused = admin.post("/setup/prompts/music/delete", name="jazz", language="da", piece="take_five")
    assert "in use by queue Sales" in admin.get(refused.location).text
    with db.connection_context():
        db.execute_sql("UPDATE queue SET rules = '{}'")
    admin.post("/setup/prompts/music/delete", name="jazz", language="da", piece="take_five")
    assert music.find(home, "jazz", "da") == [music.DEFAULT]
    assert music.names(home) == ["default"]


class Api:
    """Somebody with a token."""

    def __init__(self, company: Company, account: str) -> None:
        self._client = company.app.test_client()
        self._headers = {"Authorization": f"Bearer {company.token(account)}"}

    def __call__(self, method: str, address: str, **more: Any) -> Any:
        return self._client.open(f"/api/v1{address}", method=method, headers=self._headers, **more)


def test_the_api_does_what_the_pages_do(company: Company) -> None:
    api = Api(company, "admin")
    listed = api("GET", "/prompts?q=menu+main").json
    assert (listed["hits"], listed["prompts"][0]["uses"][0]) == (
        1,
        {"kind": "flow", "name": "main", "where": "menu", "draft": False},
    )
    made = api("POST", "/prompts/summer/da/versions", data={"file": (recording(), "a.wav"), "text": "Det er sommer."})
    assert (made.status_code, made.json["version"], made.json["was"]) == (201, 1, "wav")
    assert api("PUT", "/prompts/summer/da", json={"note": "Until May."}).status_code == 204
    shown = api("GET", "/prompts/summer/da").json
    assert (shown["state"], shown["text"], shown["note"]) == ("own", "Det er sommer.", "Until May.")
    assert [(v["version"], v["author"], v["origin"], v["heard"]) for v in shown["versions"]] == [
        (1, "admin", "upload", True)
    ]
    assert api("GET", "/prompts/summer/da/audio?version=1").mimetype == "audio/wav"
    assert api("POST", "/prompts/summer/da/roll-back", json={"version": None}).status_code == 409
    assert api("POST", "/prompts/summer/rename", json={"name": "midsummer"}).json == {"languages": ["da"]}
    assert api("POST", "/prompts/midsummer/copy", json={"name": "midsummer"}).status_code == 409
    assert api("DELETE", "/prompts/midsummer/da").status_code == 204
    assert api("GET", "/prompts/midsummer/da").status_code == 404
    bad = api("POST", "/prompts/summer/da/versions", data={"file": (io.BytesIO(b"MZ"), "a.mp3")})
    assert (bad.status_code, bad.json["detail"]) == (
        409,
        "file: a.mp3: is not audio that we know; use WAV, MP3, OGG, M4A, FLAC or WebM.",
    )
    assert api("POST", "/music/jazz", data={"file": (recording(), "Five.wav")}).json["piece"] == "five"
    assert [found["name"] for found in api("GET", "/music").json["music"]] == ["default", "jazz"]
    assert api("DELETE", "/music/jazz/five").status_code == 204
    assert Api(company, "supervisor")("DELETE", "/prompts/goodbye/en").status_code == 403


def test_a_recording_by_phone_is_asked_for_and_followed(company: Company) -> None:
    api = Api(company, "admin")
    asked = api("POST", "/prompts/summer/en/phone", json={"extension": "1001"})
    assert (asked.status_code, asked.json["state"], asked.json["dial"]) == (
        201,
        "ringing",
        f"*31{asked.json['number']}",
    )
    request = company.parts.redis.lpop("requests")
    assert '"extension":"1001"' in request
    assert api("GET", f"/prompt-recordings/{asked.json['number']}").json["state"] == "ringing"
    assert api("GET", "/prompt-recordings/000000").status_code == 404
    assert api("POST", "/prompts/summer/en/phone", json={"extension": "9999"}).status_code == 409


@pytest.mark.skipif(shutil.which("flite") is None, reason="flite is not installed")
def test_a_text_is_spoken(company: Company) -> None:
    api = Api(company, "admin")
    made = api("POST", "/prompts/summer/en/speech", json={"text": "It is summer."})
    assert (made.status_code, made.json["version"]) == (201, 1)
    assert Catalogue.of_home(company.parts.settings.home).find("summer", "en").text == "It is summer."
    refused = api("POST", "/prompts/summer/xx/speech", json={"text": "It is summer."})
    assert "nothing here speaks 'xx'" in refused.json["detail"].lower()


def test_an_upload_that_is_too_large_is_not_taken_in(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    view = company.app.view_functions["api_prompts.upload_prompt"]
    monkeypatch.setattr(view, "most_bytes", 10_000)
    answer = Api(company, "admin")("POST", "/prompts/summer/en/versions", data={"file": (recording(), "a.wav")})
    assert answer.status_code == 413


def test_only_a_prompts_page_may_use_the_microphone(company: Company, visit: Any) -> None:
    admin = visit("admin")
    page = admin.get("/setup/prompts/one/goodbye")
    assert "microphone=(self)" in page.headers["Permissions-Policy"]
    assert "media-src 'self' blob:" in page.headers["Content-Security-Policy"]
    listed = admin.get("/setup/prompts")
    assert "microphone=()" in listed.headers["Permissions-Policy"]
    assert "blob:" not in listed.headers["Content-Security-Policy"]
