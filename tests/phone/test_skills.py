"""Who may have a call, on a real FreeSWITCH with real telephones: skills, and what is asked less after a while."""

from __future__ import annotations

import pytest

from conf.database import Database
from dialplan import store
from dialplan.destinations import ToQueue
from engine.records import queue_store
from engine.records.queues import QueueSettings, Relaxation
from engine.records.tables import Queue, QueueSkill, Skill
from tests.phone.house import MUSIC, House

NORDIC, LENIENT = "5070", "5071"
"""Numbers of a queue for those who speak Danish well, and one for experienced sellers where beginners do after a while."""
LATER = 2


@pytest.fixture(scope="module", autouse=True)
def set_up(running_in_house: House) -> None:
    with running_in_house.setting_up() as db:
        _add(db, NORDIC, "nordic", {"danish": 4}, QueueSettings())
        easier = Relaxation(after_seconds=LATER, skill="sales", level=1)
        _add(db, LENIENT, "lenient", {"sales": 3}, QueueSettings(relaxations=(easier,)))


def _add(db: Database, number: str, name: str, needs: dict[str, int], settings: QueueSettings) -> None:
    with db.connection_context():
        queue = Queue.create(name=name, title=name.title(), announce_seconds=0)
        for skill, level in needs.items():
            QueueSkill.create(queue=queue, skill=Skill.get(Skill.name == skill), level=level)
        queue_store.save_queue_rules(db, queue.id, "longest_idle", settings)
    store.save_number(db, number, name, ToQueue(name), country="DK")


def test_a_call_goes_to_the_agent_who_has_the_skill_and_rings_nobody_else(house: House) -> None:
    (unable,) = house.at_desk("1002")
    able = house.switch.desk("1003")
    able.register()
    caller = house.ring(NORDIC)
    caller.see(state="queue")
    caller.phone.listen_for(MUSIC, 0.5)
    house.choose("1003", "ready")
    able.wait_for("incoming")
    able.answer()
    caller.see(state="talk", extension="1003")
    caller.phone.hang_up()
    assert house.told_of(caller).offered == [("1003", "answered")]
    assert not unable.rung


def test_a_level_that_is_asked_less_of_reaches_the_second_agent_and_the_place_is_kept(house: House) -> None:
    experienced, beginner = house.at_desk("1003", "1004")
    first = house.ring(LENIENT)
    experienced.wait_for("incoming")
    experienced.answer()
    first.see(state="talk", extension="1003")
    second = house.ring(LENIENT)
    second.see(state="queue")
    third = house.ring(LENIENT)
    third.see(state="queue")
    beginner.wait_for("incoming")
    beginner.answer()
    second.see(state="talk", extension="1004")
    third.see(state="queue")
    for caller in (third, second, first):
        caller.phone.hang_up()
    reports = [house.told_of(caller) for caller in (first, second, third)]
    assert [report.offered for report in reports] == [[("1003", "answered")], [("1004", "answered")], []]
    (entry,) = reports[1].entries
    assert entry["position_at_entry"] == 1
    (offer,) = reports[1].offers
    # Nobody was offered it before: this is the only offer.
    assert (offer["offered_at"] - entry["entered_at"]).total_seconds() >= LATER
    assert offer["why"]["stage"].startswith(f"after {LATER} s")
