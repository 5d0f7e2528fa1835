"""How agents are offered calls: what they are told first, phones that pick up by themselves, several that ring for one call;
and the work after it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from conf.database import Database
from dialplan import destinations, store
from engine.live.requests import extend_wrap_up
from engine.records import queue_store
from engine.records.queues import AgentSettings, QueueSettings, WrapUp
from engine.records.tables import Agent, Queue
from sounds.speech import Speech
from tests.waiting import eventually

from .callers import Caller
from .installation import Installation

TOLD, ALL, LONG, OPEN, NAMED = "5040", "5041", "5042", "5043", "5044"
"""Numbers of queues that whisper, ring all agents, give a long or an endless time to write up, and tell who calls."""

_QUEUES = {
    TOLD: ("told", "longest_idle", QueueSettings(whisper=("feature_choose_reason",))),
    ALL: ("all", "ring_all", QueueSettings()),
    LONG: ("long", "longest_idle", QueueSettings(wrap_up=WrapUp(mode="fixed", seconds=60))),
    NAMED: ("named", "longest_idle", QueueSettings(announce_caller=True)),
    OPEN: ("open", "longest_idle", QueueSettings(wrap_up=WrapUp(mode="endless"))),
}


@pytest.fixture(scope="module", autouse=True)
def queues(running: Installation) -> Iterator[None]:
    with running.setting_up() as db:
        for number, (name, strategy, settings) in _QUEUES.items():
            with db.connection_context():
                queue = Queue.create(name=name, title=name.title(), ring_seconds=10, announce_seconds=0)
                queue_store.save_queue_rules(db, queue.id, strategy, settings)
            store.save_number(db, number, name, destinations.ToQueue(name), country="DK")
        _set_up(db, "1004", AgentSettings(auto_answer=True))
    yield
    with running.setting_up() as db:
        _set_up(db, "1004", AgentSettings())


def _set_up(db: Database, extension: str, settings: AgentSettings) -> None:
    with db.connection_context():
        queue_store.save_agent_rules(db, Agent.get(Agent.extension == extension).id, settings)


def test_the_agent_is_told_first_while_the_caller_keeps_the_music(installation: Installation) -> None:
    installation.on_duty("1001")
    caller = installation.switch.call(TOLD)
    caller.wait_for("talks", to="1001")
    assert "feature_choose_reason" not in caller.prompts
    assert "music" in caller.kinds
    caller.hang_up()
    report = installation.report(caller)
    assert report.offered == [("1001", "answered")]
    # The phone is picked up after a second, and what is said lasts 1.8.
    assert 2.5 < float(report.offers[0]["ring_seconds"]) < 15


def test_an_agent_who_hangs_up_on_what_they_are_told_has_refused(installation: Installation) -> None:
    installation.on_duty("1001")
    caller = installation.switch.call(TOLD)
    caller.wait_for("music")
    offered = eventually(lambda: _answered_leg(installation))
    installation.switch.api(f"uuid_kill {offered}")
    installation.see("1001", presence="pause", reason="rejected")
    assert not caller.over
    installation.choose("1002", "ready")
    caller.wait_for("talks", to="1002")
    caller.hang_up()
    assert installation.report(caller).offered == [("1001", "rejected"), ("1002", "answered")]


def _answered_leg(installation: Installation) -> str:
    legs = [row for row in installation.switch.channels() if row["dest"] == "1001" and row["callstate"] == "ACTIVE"]
    assert legs
    return legs[0]["uuid"]


def test_the_agent_is_told_which_customer_calls(installation: Installation) -> None:
    installation.on_duty("1001")
    installation.switch.phone("1001", answer=1, talk=None)
    caller = installation.switch.call(NAMED, caller="+4532101010")
    (customer,) = installation.rows(
        "SELECT coalesce(company, name) AS called FROM customer JOIN customer_number ON customer_id = customer.id"
        " WHERE number = '+4532101010'"
    )
    words = Speech(installation.home / "speech").file(customer["called"], "en")
    assert eventually(lambda: _told(installation, "1001")) == [Path(words).stem]
    caller.wait_for("talks", to="1001")
    caller.hang_up()
    assert installation.report(caller).offered == [("1001", "answered")]


def test_of_somebody_unknown_the_agent_is_told_the_number(installation: Installation) -> None:
    installation.on_duty("1001")
    caller = installation.switch.call(NAMED, caller="+4586000213")
    told = eventually(lambda: _told(installation, "1001"))
    assert told == [f"number_{digit}" for digit in "4586000213"]
    caller.wait_for("talks", to="1001")
    assert not set(told) & set(caller.prompts)
    caller.hang_up()
    assert installation.report(caller).offered == [("1001", "answered")]


def test_of_a_withheld_number_the_agent_is_told_nothing(installation: Installation) -> None:
    installation.on_duty("1001")
    caller = installation.switch.call(NAMED, caller="anonymous")
    caller.wait_for("talks", to="1001")
    caller.hang_up()
    assert installation.report(caller).offered == [("1001", "answered")]


def _told(installation: Installation, extension: str) -> list[str]:
    """The names of the files that the switch is to play to the agent's phone before the talk."""
    legs = [row["uuid"] for row in installation.switch.channels() if row["dest"] == extension]
    assert legs
    application, _, files = installation.switch.api(f"uuid_getvar {legs[0]} group_confirm_file").partition(" ")
    assert application == "playback"
    return [Path(file).stem for file in files.removeprefix("file_string://").split("!")]


def test_a_phone_that_is_told_so_picks_up_by_itself(installation: Installation) -> None:
    installation.on_duty("1004")
    installation.switch.phone("1004", ring=True)
    caller = installation.switch.call(ALL)
    caller.wait_for("talks", to="1004")
    caller.hang_up()
    report = installation.report(caller)
    assert report.offered == [("1004", "answered")]
    assert float(report.offers[0]["ring_seconds"]) < 1


def test_all_ring_and_the_first_has_the_call(installation: Installation) -> None:
    installation.on_duty("1001", "1002", "1003")
    installation.switch.phone("1001", refuse="CALL_REJECTED", answer=0)
    installation.switch.phone("1002", answer=2, talk=None)
    installation.switch.phone("1003", ring=True)
    caller = installation.switch.call(ALL)
    caller.wait_for("talks", to="1002")
    installation.see("1001", presence="pause", reason="rejected", work="idle")
    installation.see("1002", work="talking")
    installation.see("1003", presence="ready", work="idle")
    caller.hang_up()
    report = installation.report(caller)
    assert sorted(report.offered) == [("1001", "rejected"), ("1002", "answered"), ("1003", "taken")]
    assert len(report.entries) == 1


def test_where_none_of_all_picks_up_each_is_told_its_own_result(installation: Installation) -> None:
    installation.on_duty("1001", "1003")
    installation.switch.phone("1001", busy=True)
    installation.switch.phone("1003", ring=True)
    caller = installation.switch.call(ALL)
    installation.see("1001", presence="pause", reason="busy")
    installation.see("1003", presence="pause", reason="no_answer")
    caller.hang_up()
    assert sorted(installation.report(caller).offered) == [("1001", "busy"), ("1003", "no_answer")]


def test_more_time_to_write_up_and_its_end_by_phone(installation: Installation) -> None:
    installation.on_duty("1001")
    installation.switch.phone("1001", answer=0, talk=1)
    caller = installation.switch.call(LONG)
    caller.wait_for("ended")
    installation.see("1001", work="wrap_up")
    until = installation.agents()["1001"]["wrap_until"]
    more = installation.switch.call("*45", caller="1001")
    more.hear("feature_wrap_up_longer")
    eventually(lambda: _later(installation, until))
    more.wait_for("ended")
    end = installation.switch.call("*44", caller="1001")
    end.hear("feature_wrap_up_over")
    end.wait_for("ended")
    installation.see("1001", presence="ready", work="idle")
    eventually(lambda: _written_up(installation, caller))


def _written_up(installation: Installation, caller: Caller) -> None:
    assert "wrap_up" in installation.report(caller).beside


def _later(installation: Installation, until: str) -> None:
    now = installation.agents()["1001"]["wrap_until"]
    assert now is not None
    assert now > until


def test_an_endless_wrap_up_lasts_till_the_agent_is_done(installation: Installation) -> None:
    installation.on_duty("1001")
    installation.switch.phone("1001", answer=0, talk=1)
    caller = installation.switch.call(OPEN)
    caller.wait_for("ended")
    installation.see("1001", work="wrap_up", wrap_until=None)
    waiting = installation.switch.call(OPEN)
    waiting.wait_for("music")
    waiting.wait_until(waiting.now + 10)
    installation.see("1001", work="wrap_up")
    installation.choose("1001", "ready")
    waiting.wait_for("talks", to="1001")
    waiting.wait_for("ended")
    installation.choose("1001", "ready")
    installation.see("1001", work="idle")
    installation.report(waiting)


def test_time_asked_for_in_the_talk_counts_after_it(installation: Installation) -> None:
    installation.on_duty("1001")
    installation.switch.phone("1001", answer=0, talk=None)
    caller = installation.switch.call(LONG)
    caller.wait_for("talks")
    installation.see("1001", work="talking")
    agent_id = int(installation.agents()["1001"]["agent_id"])
    extend_wrap_up(installation.redis, agent_id, seconds=30, by="tests", at=installation.clock.now())
    installation.choose("1001", "pause", "lunch")
    installation.see("1001", wanted="pause", wanted_reason="lunch", presence="ready")
    caller.hang_up()
    installation.see("1001", work="wrap_up")
    installation.choose("1001", "ready")
    installation.see("1001", presence="ready", work="idle")
    installation.report(caller)
