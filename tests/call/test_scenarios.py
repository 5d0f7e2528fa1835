"""Who rings next: groups of phones, forwarding, and calls that go out from a desk phone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from conf.database import Database
from dialplan import destinations, scenarios, store
from dialplan.destinations import ToRingGroup, ToVoicemail
from dialplan.scenarios import GroupPhone, RingGroup
from engine.records import queue_store
from engine.records.queues import AgentSettings, Forwarding
from engine.records.tables import Agent

from .installation import Installation

OFFICE, CHAIN = "5030", "5031"
"""Numbers of a group whose second phone rings later, and of one that is rung one after the other."""


def _group(db: Database, group: RingGroup) -> None:
    with db.connection_context():
        db.execute_sql(
            "INSERT INTO ring_group (name, title, document) VALUES (%s, %s, %s::jsonb) ON CONFLICT DO NOTHING",
            (group.name, group.title, queue_store._json(scenarios.encode_group(group))),
        )


def forward(db: Database, extension: str, *forwards: Forwarding) -> None:
    with db.connection_context():
        agent_id = Agent.get(Agent.extension == extension).id
        queue_store.save_agent_rules(db, agent_id, AgentSettings(forwarding=forwards))


@pytest.fixture(scope="module", autouse=True)
def groups(running: Installation) -> Iterator[None]:
    with running.setting_up() as db:
        _group(
            db,
            RingGroup("office", "Office", (GroupPhone("1001"), GroupPhone("1002", 12)), otherwise=ToVoicemail("sales")),
        )
        _group(db, RingGroup("chain", "Chain", (GroupPhone("1001"), GroupPhone("1003")), order="listed", seconds=3))
        for number, group in ((OFFICE, "office"), (CHAIN, "chain")):
            store.save_number(db, number, group.title(), ToRingGroup(group), country="DK")
        forward(db, "1004", Forwarding(after_seconds=3, to=destinations.encode(destinations.ToExtension("1002"))))
    yield
    with running.setting_up() as db:
        forward(db, "1004")


def test_the_second_phone_of_a_group_rings_later(installation: Installation) -> None:
    installation.switch.phone("1001", ring=True)
    installation.switch.phone("1002", answer=1, talk=2)
    caller = installation.switch.call(OFFICE)
    began = caller.wait_for("tone")["at"]
    talks = caller.wait_for("talks", to="1002")["at"]
    assert 12.5 < talks - began < 30
    caller.wait_for("ended")
    report = installation.report(caller)
    assert (report.call["status"], report.call["agent"], report.way) == (
        "answered",
        "Ben Okoro",
        [("group", "answered")],
    )
    installation.popped(
        caller, ("offered", "1001"), ("offered", "1002"), ("answered", "1002"), ("missed", "1001"), ("ended", "1002")
    )


def test_where_one_refuses_the_next_need_not_be_waited_for(installation: Installation) -> None:
    installation.switch.phone("1001", refuse="CALL_REJECTED", answer=0)
    caller = installation.switch.call(OFFICE)
    began = caller.wait_for("tone")["at"]
    assert caller.wait_for("talks", to="1002")["at"] - began < 12, "less than it would ring later"
    caller.hang_up()
    installation.report(caller)


def test_where_nobody_of_the_group_answers_the_call_goes_on(installation: Installation) -> None:
    for extension in ("1001", "1002"):
        installation.switch.phone(extension, busy=True)
    caller = installation.switch.call(OFFICE)
    caller.hear("voicemail_greeting")
    caller.hang_up()
    assert installation.report(caller).way == [("group", "busy"), ("message", "hung_up")]


def test_one_after_the_other(installation: Installation) -> None:
    installation.switch.phone("1001", ring=True)
    caller = installation.switch.call(CHAIN)
    began = caller.wait_for("tone")["at"]
    assert 3 < caller.wait_for("talks", to="1003")["at"] - began < 20
    caller.hang_up()
    installation.report(caller)


def test_an_extension_is_forwarded_when_its_time_is_over(installation: Installation) -> None:
    installation.switch.phone("1004", ring=True)
    caller = installation.switch.call("1004", caller="+4532101010")
    caller.wait_for("talks", to="1002")
    installation.see("1002", work="talking")
    caller.hang_up()
    report = installation.report(caller)
    assert report.way == [("ring", "no_answer"), ("ring_2", "answered")]
    assert report.call["extension"] == "1002"


def test_a_phone_whose_agent_talks_is_busy(installation: Installation) -> None:
    installation.switch.phone("1002", answer=1, talk=None)
    first = installation.switch.call("1002", caller="+4532101010")
    first.wait_for("talks", to="1002")
    installation.see("1002", work="talking")
    second = installation.switch.call("1002", caller="+4586101010")
    second.hear("voicemail_greeting")
    second.hang_up()
    first.hang_up()
    assert installation.report(second).way[0] == ("ring", "busy")


def test_a_desk_phone_calls_out_where_the_settings_let_it(installation: Installation) -> None:
    caller = installation.switch.call("+4532109999", caller="1001")
    caller.wait_for("talks")
    installation.see("1001", work="talking", call_id=caller.call_id)
    caller.hang_up()
    report = installation.report(caller)
    assert (report.call["direction"], report.call["status"], report.call["agent"], report.call["extension"]) == (
        "outbound",
        "answered",
        "Anna Holm",
        "1001",
    )
    installation.see("1001", work="idle")
    abroad = installation.switch.call("+15551234567", caller="1001")
    abroad.wait_for("ended")
    assert installation.report(abroad).call["status"] == "rejected"
    stranger = installation.switch.call("+4532109999", caller="+4586101010")
    stranger.wait_for("ended")
    assert installation.report(stranger).call["status"] == "rejected"
