"""Two hundred calls at once, hung up at any moment, with agents who come and go: every call is told once, and truly."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

import gevent
import pytest

from engine.records.facts import Presence
from engine.records.tables import Agent, AgentSkill, Skill
from tests.waiting import eventually

from .callers import Caller
from .conftest import BOX, BRIEF, CLOSED, NARROW, PATIENT, SALES, SWIFT
from .installation import Installation
from .report import Report

CALLS = 200
SEED = 20260304
FURTHER = [str(extension) for extension in range(1101, 1113)]
MANNERS: list[dict[str, object]] = [
    {"answer": 1, "talk": 3},
    {"answer": 2, "talk": None},
    {"answer": 0.2, "talk": 1},
    {"answer": 1, "talk": 6},
    {"answer": 0, "talk": 0.3},
    {"refuse": "CALL_REJECTED", "answer": 0.5},
    {"busy": True},
    {"absent": True},
    {"ring": True},
]
WISHES: list[tuple[Presence, str | None]] = [
    ("ready", None),
    ("ready", None),
    ("ready", None),
    ("ready", None),
    ("pause", "lunch"),
    ("offline", None),
]
NOT_REACHED = {"abandoned_queue", "short_abandon", "abandoned_ringing", "timeout", "no_agent", "full", "voicemail"}


@pytest.fixture(scope="module")
def crowded(running: Installation) -> Iterator[Installation]:
    """The installation with a dozen agents more, who are taken off the list afterwards."""
    with running.setting_up() as db, db.connection_context():
        skills = list(Skill.select())
        for extension in FURTHER:
            agent = Agent.create(name=f"Agent {extension}", extension=extension, wrap_up_seconds=1)
            for skill in skills:
                AgentSkill.create(agent=agent, skill=skill, level=3)
    eventually(lambda: _has(running, FURTHER))
    yield running
    running.on_duty(otherwise="offline")
    with running.setting_up() as db, db.connection_context():
        Agent.delete().where(Agent.extension.in_(FURTHER)).execute()
    eventually(lambda: _has(running, []))


def _has(installation: Installation, further: list[str]) -> None:
    assert [extension for extension in installation.agents() if extension in FURTHER] == further


def call(installation: Installation, chance: random.Random) -> Caller:
    """One call of some kind or other."""
    plan: dict[str, object] = {"caller": f"+45860{chance.randrange(40):05d}", "speaks": chance.choice([0, 1, 4])}
    number = chance.choice(["5000"] * 6 + [SALES] * 4 + [SWIFT] * 2 + ["5001", BRIEF, NARROW, PATIENT, BOX, CLOSED])
    if number == "5000":
        keys = chance.choice("1112223097*")
        plan["press"] = f"w{chance.uniform(0.1, 10):.1f},{keys},{chance.choice('0123')}"
    elif number == "5001":
        plan["at"] = chance.choice(["2026-03-04T20:00:00+01:00", "2026-12-25T10:00:00+01:00"])
    if chance.random() < 0.8 or number == BOX:
        plan["hang_up_after"] = round(chance.uniform(0.05, 40), 2)
    else:
        # Callers of great patience end in the end too, whatever the others' talks leave of the agents' time.
        plan["hang_up_after"] = 90
    return installation.switch.call(number, **plan)


def stir(installation: Installation, chance: random.Random) -> None:
    """Agents who choose this and that, and mend their phones."""
    extensions = list(installation.agents())
    while True:
        extension = chance.choice(extensions)
        installation.choose(extension, *chance.choice(WISHES))
        if chance.random() < 0.3:
            installation.switch.phone(extension, **chance.choice(MANNERS))
        gevent.sleep(0.05)


@dataclass(frozen=True)
class Evening:
    """What is left of it when all calls are over."""

    installation: Installation
    callers: list[Caller]
    unseen: set[str]
    """Calls that no engine need have known of."""
    reports: dict[str, Report]
    began: datetime
    before: Counter[str]
    """The engines' greenlets before it began."""
    circles: int


def _was_a_call(installation: Installation, caller: Caller) -> bool:
    """Whether the engine can have known of it: who hangs up while the switch still hands the call over was never there."""
    if "answered" in caller.kinds or caller.story[-1]["by"] == "switch":
        return True
    return bool(installation.rows("SELECT call_id FROM report.calls WHERE call_id = %s", caller.call_id))


@pytest.fixture(scope="module")
def evening(crowded: Installation) -> Evening:
    chance = random.Random(SEED)
    for extension in crowded.agents():
        crowded.switch.phone(extension, **chance.choice(MANNERS[:5]))
    crowded.on_duty(*crowded.agents())
    before, circles = crowded.greenlets(), crowded.circles()
    began = crowded.clock.now()
    callers = [call(crowded, chance) for _ in range(CALLS)]
    stirring = gevent.spawn(stir, crowded, chance)
    try:
        for caller in callers:
            caller.wait_for("ended", 60)
    finally:
        stirring.kill()
    eventually(crowded.check_nothing_left, 60)
    unseen = {caller.call_id for caller in callers if not _was_a_call(crowded, caller)}
    callers = [caller for caller in callers if caller.call_id not in unseen]
    reports = {caller.call_id: crowded.report(caller) for caller in callers}
    return Evening(crowded, callers, unseen, reports, began, before, circles)


def test_every_call_has_one_row_and_that_is_true(evening: Evening) -> None:
    rows = evening.installation.rows("SELECT call_id FROM report.calls WHERE started_at >= %s", evening.began)
    told = Counter(str(row["call_id"]) for row in rows)
    # What an engine heard too late to say a word may be written down while the reports of the others are read.
    assert set(evening.reports) <= told.keys() <= evening.reports.keys() | evening.unseen
    assert set(told.values()) == {1}
    for caller in evening.callers:
        report = evening.reports[caller.call_id]
        status = report.call["status"]
        talked = "talks" in caller.kinds
        assert (status == "answered") == talked, (status, caller.story)
        assert ("talk" in report.legs) == talked
        results = [entry["result"] for entry in report.entries]
        assert results.count("answered") == [result for _, result in report.offered].count("answered") == talked
        if report.entries and not talked:
            assert status in NOT_REACHED, (status, results)
        if caller.story[-1]["by"] == "caller" and not talked:
            assert report.call["ended_by"] == "caller", (report.call, caller.story)
        assert report.call["customer_id"] is not None
    fates = Counter(report.call["status"] for report in evening.reports.values())
    assert len(evening.callers) > CALLS * 0.9
    assert fates["answered"] > 20, fates
    assert len(fates) >= 8, fates


def test_every_screen_pop_that_appeared_went_away(evening: Evening) -> None:
    for caller in evening.callers:
        heard: dict[str, list[str]] = defaultdict(list)
        for pop in evening.installation.pops(caller):
            heard[pop["offer_id"]].append(pop["event"])
        for offer in evening.reports[caller.call_id].offers:
            events = heard.pop(str(offer["offer_id"]), [])
            if offer["result"] == "answered":
                assert events == ["offered", "answered", "ended"]
            elif events or offer["result"] != "caller_left":
                # Who left before the offer reached their call's process was never announced.
                assert events == ["offered", "missed"], offer
        assert not heard, "a screen pop of no offer"


def test_no_agent_was_in_two_places_at_once(evening: Evening) -> None:
    talks: dict[str, list[tuple[datetime, datetime]]] = defaultdict(list)
    for report in evening.reports.values():
        for part in report.segments:
            if part["kind"] == "talk":
                talks[part["extension"]].append((part["started_at"], part["ended_at"]))
    assert sum(map(len, talks.values())) > 20
    for extension, times in talks.items():
        for one, other in pairwise(sorted(times)):
            assert one[1] <= other[0], (extension, one, other)


def test_agents_states_follow_one_another_and_are_true(evening: Evening) -> None:
    for extension in evening.installation.agents():
        rows = evening.installation.rows(
            "SELECT * FROM report.agent_states WHERE extension = %s AND since >= %s ORDER BY since",
            extension,
            evening.began,
        )
        for one, other in pairwise(rows):
            assert one["until"] == other["since"]
        for row in rows:
            if row["work_state"] in ("offered", "talking"):
                assert row["presence"] == "ready", row


def test_no_greenlet_is_left_over(evening: Evening) -> None:
    assert "EngineProcess._beat" in evening.before

    def as_before() -> None:
        assert evening.installation.greenlets() - evening.before == Counter()

    eventually(as_before)


def test_what_a_call_was_made_of_is_freed_with_it(evening: Evening) -> None:
    """Nothing is left to the collector, which stops all calls while it looks. A single circle would leave 40 objects a call;
    what is found here are those of the engines' own telling."""
    assert evening.installation.circles() - evening.circles < 10 * CALLS
