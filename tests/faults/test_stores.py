"""Redis and Postgres killed, stopped and emptied while calls are up: the calls go on, and every record comes in the end."""

from __future__ import annotations

import time

import gevent
import pytest

from .crowd import Crowd
from .damaged import AGENTS, NUMBERS, Damaged

STOPPED_SECONDS = 5.0
LONG_SECONDS = 10.0


@pytest.fixture(scope="module")
def damaged(slower: Damaged) -> Damaged:
    """Callers lose their patience by the installation's clock."""
    return slower


def test_redis_killed(damaged: Damaged, crowd: Crowd) -> None:
    damaged.killed("redis")
    damaged.redis_answers()
    crowd.finish()


def test_redis_stopped_for_a_while(damaged: Damaged, crowd: Crowd) -> None:
    with damaged.stopped("redis"):
        stopped_at = time.monotonic()
        crowd.choose()
        gevent.sleep(max(0.0, stopped_at + STOPPED_SECONDS - time.monotonic()))
        crowd.nobody_noticed()
    damaged.redis_answers()
    crowd.finish()


def test_redis_emptied(damaged: Damaged, crowd: Crowd) -> None:
    epoch = damaged.board.snapshot()["router"]["epoch"]
    offered = damaged.kept_of(crowd.ringing)["offer_id"]
    damaged.redis.flushall()
    late = damaged.switch.call(NUMBERS["blue"])
    late.wait_for("music")
    damaged.agents_are_known()
    damaged.see(AGENTS["red"], presence="ready", work="talking", call_id=crowd.talk.call_id)
    damaged.see(AGENTS["green"], presence="ready", work="offered", offer_id=offered)
    damaged.see(AGENTS["blue"], presence="pause", work="idle")
    assert damaged.board.snapshot()["router"]["epoch"] > epoch
    reports = crowd.finish()
    assert reports[3].offered == [(AGENTS["green"], "answered")], "the phone rang on"
    late.wait_for("talks", to=AGENTS["blue"])
    late.wait_for("ended")
    assert damaged.report(late).call["status"] == "answered"
    damaged.calm()


def test_postgres_killed(damaged: Damaged, crowd: Crowd) -> None:
    damaged.killed("postgres")
    crowd.nobody_noticed()
    crowd.finish()


@pytest.mark.parametrize("leader", ["lives", "dies"])
def test_postgres_stopped_for_a_while(damaged: Damaged, crowd: Crowd, leader: str) -> None:
    """Calls come, are answered and end meanwhile, also where another process has to take the router; afterwards each has its
    row."""
    damaged.both_alive()
    damaged.choose(AGENTS["white"], "ready")
    damaged.see(AGENTS["white"], presence="ready", work="idle")
    damaged.switch.phone(AGENTS["white"], answer=1, talk=3)
    with damaged.stopped("postgres"):
        stopped_at = time.monotonic()
        crowd.choose()
        if leader == "dies":
            damaged.kill(damaged.leader())
        calls = [damaged.switch.call(NUMBERS["white"]) for _ in range(3)]
        for caller in calls:
            caller.wait_for("talks", to=AGENTS["white"])
            caller.wait_for("ended")
        gevent.sleep(max(0.0, stopped_at + LONG_SECONDS - time.monotonic()))
        crowd.nobody_noticed()
    for caller in calls:
        report = damaged.report(caller)
        assert (report.call["status"], report.call["agent"]) == ("answered", "Agent 4")
    crowd.finish()
