"""One call's page, its time line, its sound."""

from __future__ import annotations

import wave
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_company import Company, tone

from admin.audio import AudioMissing, peaks, wave_path
from admin.onecall import OneCall, position, timeline

BEGAN = datetime(2026, 3, 2, 9, tzinfo=UTC)


def one(company: Company, statement: str, *values: Any) -> Any:
    with company.parts.db.connection_context():
        return company.parts.db.execute_sql(statement, values).fetchone()


def call_of(lengths: list[float], wrap_up: float) -> OneCall:
    segments, at = [], BEGAN
    for number, seconds in enumerate(lengths):
        end = at + timedelta(seconds=seconds)
        segments.append(
            {
                "leg": "caller",
                "kind": ("ivr", "queue", "talk")[number % 3],
                "started_at": at,
                "ended_at": end,
                "agent": "Anna",
                "queue_title": None,
            }
        )
        at = end
    segments.append(
        {
            "leg": "agent",
            "kind": "wrap_up",
            "started_at": at,
            "ended_at": at + timedelta(seconds=wrap_up),
            "agent": "Anna",
            "queue_title": None,
        }
    )
    call = {"started_at": BEGAN, "ended_at": at, "agent_id": 1}
    return OneCall(call, segments, [], [], [], [], [])


@given(st.lists(st.floats(0.05, 4000), min_size=1, max_size=12), st.floats(0, 60))
def test_parts_stand_to_scale_one_after_the_other(lengths: list[float], wrap_up: float) -> None:
    line = timeline(call_of(lengths, wrap_up), BEGAN)
    assert line.seconds == pytest.approx(max(1.0, sum(lengths) + wrap_up), abs=0.01)
    ends = 0.0
    for bar, seconds in zip(line.caller, lengths, strict=True):
        assert bar.left == pytest.approx(ends, abs=0.01)
        assert bar.width == pytest.approx(100 * seconds / line.seconds, abs=0.01)
        ends = bar.left + bar.width
    assert ends <= 100.02
    assert 1 <= len(line.ticks) <= 9
    assert all(0 <= tick.left <= 100 for tick in line.ticks)


def test_a_call_that_goes_on_reaches_till_now() -> None:
    found = call_of([10, 10], 0)
    open_part = dict(found.segments[1]) | {"ended_at": None}
    going_on = OneCall(
        {"started_at": BEGAN, "ended_at": None, "agent_id": None}, [found.segments[0], open_part], [], [], [], [], []
    )
    line = timeline(going_on, BEGAN + timedelta(seconds=40))
    assert line.seconds == 40
    assert line.caller[1].seconds == 30
    assert position(going_on, line, BEGAN + timedelta(seconds=10), 30) == (25, 75)


def test_the_page_tells_the_whole_way(history: Company, visit: Any) -> None:
    page = visit("supervisor").get(f"/calls/{history.calls['answered']}").text
    for said in (
        "Nordlys Shipping", "VIP", "Why this agent?", "Anna Holm had been idle longest, 4:12",
        "lacks sales at level 1", "is paused (lunch)", "No answer", "main_menu", "Talk · Anna Holm", "rang 0:03",
        "Nobody has listened yet", "flow main, version 1",
    ):  # fmt: skip
        assert said in page, said


@pytest.mark.parametrize("name", ["message", "abandoned", "menu"])
def test_calls_without_agent_or_sound_have_a_page_too(history: Company, visit: Any, name: str) -> None:
    answer = visit("analyst").get(f"/calls/{history.calls[name]}")
    assert answer.status_code == 200
    assert "Why this agent?" not in answer.text


def test_a_call_that_is_not_there_is_not_found(company: Company, visit: Any) -> None:
    admin = visit("admin")
    assert admin.get("/calls/8c7cdd58-0000-4000-8000-000000000000").status_code == 404
    assert admin.get("/calls/nonsense").status_code == 404


def test_a_recording_can_be_jumped_in(history: Company, visit: Any) -> None:
    admin = visit("admin")
    sound, path = one(history, "SELECT id, path FROM recording WHERE call_id = %s", history.calls["answered"])
    content = (history.parts.recordings / path).read_bytes()
    whole = admin.get(f"/recordings/{sound}/audio")
    assert (whole.status_code, whole.mimetype, whole.data) == (200, "audio/wav", content)
    part = admin.get(f"/recordings/{sound}/audio", headers={"Range": "bytes=1000-1999"})
    assert (part.status_code, part.data) == (206, content[1000:2000])
    assert part.headers["Content-Range"] == f"bytes 1000-1999/{len(content)}"
    beyond = admin.get(f"/recordings/{sound}/audio", headers={"Range": "bytes=99999999-"})
    assert beyond.status_code == 416
    assert "attachment" in admin.get(f"/recordings/{sound}/audio?download=1").headers["Content-Disposition"]


@pytest.mark.parametrize("path", ["../secrets/session_key", "/etc/hostname", "gone.wav", "conversations"])
def test_no_path_leads_out_of_the_recordings(history: Company, visit: Any, path: str) -> None:
    (sound,) = one(
        history, "UPDATE recording SET path = %s WHERE call_id = %s RETURNING id", path, history.calls["answered"]
    )
    assert visit("admin").get(f"/recordings/{sound}/audio").status_code == 404


def test_who_listened_first_is_kept(history: Company, visit: Any) -> None:
    (sound,) = one(history, "SELECT id FROM recording WHERE call_id = %s", history.calls["answered"])
    supervisor, admin = visit("supervisor"), visit("admin")
    assert supervisor.get(f"/recordings/{sound}/audio").status_code == 200
    assert one(history, "SELECT listened_at FROM recording WHERE id = %s", sound) == (None,), (
        "reading alone is no listening"
    )
    assert supervisor.post(f"/recordings/{sound}/listened").status_code == 204
    assert admin.post(f"/recordings/{sound}/listened").status_code == 204
    listener = "SELECT a.name FROM recording r JOIN account a ON a.id = r.listened_by WHERE r.id = %s"
    assert one(history, listener, sound) == ("supervisor",)
    assert "Listened to by supervisor" in admin.get(f"/calls/{history.calls['answered']}").text


def test_messages_are_listed_and_marked_and_marked_as_new_again(history: Company, visit: Any) -> None:
    admin = visit("admin")
    (sound,) = one(history, "SELECT id FROM voicemail WHERE call_id = %s", history.calls["message"])
    page = admin.get("/messages?new=1").text
    assert str(sound) in page
    assert "Winther and Sons" in page
    admin.post(f"/messages/{sound}/listened")
    assert str(sound) not in admin.get("/messages?new=1").text
    admin.post(f"/messages/{sound}/listened", listened="0")
    assert str(sound) in admin.get("/messages?new=1").text


def test_the_waveform_follows_the_loudness_of_both_sides(tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "a.wav"), "wb") as sound:
        sound.setnchannels(2)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(b"\xff\x7f\x00\x00" * 8000 + b"\x00\x00\x00\x80" * 8000)
    left, right = peaks(tmp_path / "a.wav", 10)
    assert [round(value, 2) for value in left] == [1.0] * 5 + [0.0] * 5
    assert [round(value, 2) for value in right] == [0.0] * 5 + [1.0] * 5
    assert wave_path([1.0, 0.0], up=True) == "M0 50 L0.5 2.0 L1.5 49.0 L2 50 Z"


def test_a_waveform_of_what_is_no_sound_says_so(history: Company, visit: Any, tmp_path: Path) -> None:
    (sound,) = one(history, "SELECT id FROM recording WHERE call_id = %s", history.calls["answered"])
    admin = visit("admin")
    assert admin.get(f"/recordings/{sound}/wave").text.count("<path") == 2
    one(history, "UPDATE recording SET path = 'gone.wav' WHERE id = %s RETURNING id", sound)
    assert "No waveform" in admin.get(f"/recordings/{sound}/wave").text
    (tmp_path / "text.wav").write_text("this is no sound")
    with pytest.raises(AudioMissing):
        peaks(tmp_path / "text.wav")


def test_an_hour_is_drawn_as_fast_as_a_minute(tmp_path: Path) -> None:
    tone(tmp_path / "hour.wav", 1800, channels=2)
    assert len(peaks(tmp_path / "hour.wav")[1]) == 480


def test_why_this_call_and_by_which_rule_is_said(history: Company, visit: Any) -> None:
    page = visit("supervisor").get(f"/calls/{history.calls['answered']}").text
    assert "The queue's rule, longest idle" in page
    assert "Its place counted 10:00 more than it had waited: priority 10" in page
