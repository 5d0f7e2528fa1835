"""A prompt recorded on a desk phone, by dialling and by being rung."""

from __future__ import annotations

import pytest

from engine.live import prompt_recording
from engine.live.prompt_recording import RingAndDial
from sounds.catalogue import Catalogue
from tests.waiting import eventually

from .installation import Installation


def _ticket(installation: Installation, number: str, state: str) -> prompt_recording.Ticket:
    found = prompt_recording.find_ticket(installation.redis, number)
    assert found is not None
    assert found.state == state
    return found


def test_a_prompt_is_recorded_heard_and_kept(installation: Installation) -> None:
    ticket = prompt_recording.open_ticket(installation.redis, "welcome_by_phone", "da", "admin")
    caller = installation.switch.call(f"*31{ticket.number}", caller="1001", speaks=60)
    for take in ("2", "1"):
        caller.hear("record_prompt_begin")
        caller.wait_for("recording")
        caller.wait_until(caller.now + 3)
        caller.press("#")
        caller.hear("record_prompt_menu")
        _ticket(installation, ticket.number, "recording")
        caller.press(take)
    caller.hear("record_prompt_saved")
    caller.wait_for("ended")
    heard = Catalogue.of_home(installation.home).find("welcome_by_phone", "da")
    assert (heard.language, heard.path.parent.parent) == ("da", installation.home / "prompts")
    saved = _ticket(installation, ticket.number, "saved")
    assert (saved.version, saved.seconds) == (1, pytest.approx(heard.seconds, abs=0.01))
    report = installation.report(caller)
    assert (report.call["status"], report.call["number_name"]) == ("self_service", "Record a prompt")
    again = installation.switch.call(f"*31{ticket.number}", caller="1001")
    again.hear("record_prompt_unknown")
    again.wait_for("ended")
    installation.report(again)


def test_hanging_up_keeps_nothing(installation: Installation) -> None:
    ticket = prompt_recording.open_ticket(installation.redis, "never_said", "en", "admin")
    caller = installation.switch.call(f"*31{ticket.number}", caller="1001")
    caller.hear("record_prompt_begin")
    caller.wait_for("recording")
    caller.hang_up()
    installation.report(caller)
    assert "hung up" in eventually(lambda: _ticket(installation, ticket.number, "failed")).said
    assert not (installation.home / "prompts" / "en" / "never_said.wav").exists()
    assert not list((installation.home / "recordings" / "prompts").iterdir())


def test_a_phone_that_is_rung_leads_to_the_recording(installation: Installation) -> None:
    ticket = prompt_recording.open_ticket(installation.redis, "by_ringing", "en", "admin")
    request = RingAndDial(extension="1002", number=f"*31{ticket.number}", shown="Record a prompt")
    prompt_recording.ask_ring(installation.redis, request)
    eventually(lambda: _ticket(installation, ticket.number, "recording"))
    for row in installation.switch.channels():
        installation.switch.api(f"uuid_kill {row['uuid']}")
    eventually(lambda: _ticket(installation, ticket.number, "failed"))


def test_a_phone_that_nobody_picks_up_is_told_of(installation: Installation) -> None:
    installation.switch.phone("1003", absent=True)
    ticket = prompt_recording.open_ticket(installation.redis, "never_rung", "en", "admin")
    ringing = prompt_recording.Ticket(
        number=ticket.number, name=ticket.name, language="en", author="admin", state="ringing"
    )
    prompt_recording.tell(installation.redis, ringing)
    request = RingAndDial(extension="1003", number=f"*31{ticket.number}", shown="Record a prompt")
    prompt_recording.ask_ring(installation.redis, request)
    said = eventually(lambda: _ticket(installation, ticket.number, "failed")).said
    assert "1003 was not picked up" in said
