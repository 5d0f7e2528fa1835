"""Prompts and music on a real FreeSWITCH: recorded by telephone, and heard without a restart."""

from __future__ import annotations

import pytest

from engine.live import prompt_recording
from engine.live.prompt_recording import RingAndDial, Ticket
from sounds import music
from sounds.catalogue import Catalogue
from tests.phone.house import BEEP, MUSIC, PATIENT, House
from tests.phone.tones import seconds_of_tone, write_tone
from tests.waiting import eventually

DESK = 1000.0
JAZZ = 2000.0


def _state(house: House, number: str, *states: str) -> Ticket:
    ticket = prompt_recording.find_ticket(house.redis, number)
    assert ticket is not None
    assert ticket.state in states, ticket
    return ticket


def test_a_phone_rings_and_a_prompt_is_spoken_into_it(house: House) -> None:
    (anna,) = house.at_desk("1001", hertz=DESK)
    ticket = prompt_recording.open_ticket(house.redis, "spoken_at_a_desk", "en", "admin")
    asked = RingAndDial(extension="1001", number=f"*31{ticket.number}", shown="Record a prompt")
    prompt_recording.ask_ring(house.redis, asked)
    anna.wait_for("incoming")
    anna.answer()
    anna.wait_for("established")
    eventually(lambda: _state(house, ticket.number, "recording"))
    anna.listen_for(BEEP, 0.2)
    anna.listen(2)
    anna.press("#")
    # Whatever of the menu is still to come, the key is its answer.
    anna.press("1")
    saved = eventually(lambda: _state(house, ticket.number, "saved"))
    anna.wait_for("closed")
    heard = Catalogue.of_home(house.home).find("spoken_at_a_desk", "en")
    assert heard.seconds == pytest.approx(saved.seconds, abs=0.01)
    assert seconds_of_tone(heard.path, DESK) > 1.0
    assert seconds_of_tone(heard.path, BEEP) < 0.2


def test_a_queue_plays_music_that_was_added_while_freeswitch_runs(house: House) -> None:
    folder = music.own_folder(house.home, "jazz")
    folder.mkdir(parents=True)
    write_tone(folder / "a.wav", JAZZ, 8.0)
    eventually(lambda: _streams(house))
    _choose_music(house, '{"music": "jazz"}')
    try:
        caller = house.ring(PATIENT)
        caller.phone.listen_for(JAZZ, 1.0)
        caller.phone.hang_up()
        house.told_of(caller)
    finally:
        _choose_music(house, "{}")
    assert seconds_of_tone(caller.phone.heard(), MUSIC) == 0


def _choose_music(house: House, rules: str) -> None:
    with house.setting_up() as db, db.connection_context():
        db.execute_sql("UPDATE queue SET rules = %s WHERE name = 'patient'", (rules,))


def _streams(house: House) -> None:
    assert "music-jazz" in house.switch.api("local_stream show")
