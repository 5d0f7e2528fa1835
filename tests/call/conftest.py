"""One installation for all tests of calls, ten times as fast as the wall, on a Wednesday morning."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from conf.database import Database
from dialplan import destinations, store
from engine.records.tables import Agent, Customer, CustomerNumber, Queue
from ivr.flow import Flow
from tests.post import open_post
from tests.processes import left_running
from tests.waiting import eventually

from .installation import Installation, environment

AT = "2026-03-04T10:00"
SPEED = "10"
WRAP_UP = 2
WAYS_OUT = {
    "POINTSMAN_TRUNK": "sofia/gateway/carrier/{number}",
    "POINTSMAN_OUTSIDE_PREFIXES": "+45",
    "POINTSMAN_WEB_NETWORKS": "127.0.0.0/8",
}
"""Flows may call Danish numbers, and ask web services of this machine."""

SALES, BRIEF, SWIFT, NARROW, PATIENT, CLOSED, BOX, CHANGING = (str(number) for number in range(5010, 5018))
"""Numbers that lead straight into the queues sales, brief (of short patience), swift (rings shortly), narrow (one may wait)
and patient (tells the place often); one that is refused, a message box, a flow that changes."""
SHARED = "+4570707070"
"""The number of two customers."""


def changing(*prompts: str) -> Flow:
    """A flow whose menu leads out by 1 after these prompts."""
    return Flow.parse(
        {
            "name": "changing",
            "start": "menu",
            "nodes": {
                "menu": {
                    "type": "menu",
                    "prompts": ["greeting"],
                    "wait_seconds": 60,
                    "exits": {"1": "words", "no_input": "words"},
                },
                "words": {"type": "hang_up", "prompts": list(prompts)},
            },
        }
    )


def furnish(db: Database, installation: Installation) -> None:
    """What these tests need beside the demo company."""
    now = installation.clock.now()
    installation.publish(db, changing("goodbye"))
    with db.connection_context():
        Queue.create(name="brief", title="Brief", longest_wait_seconds=6, announce_seconds=0)
        Queue.create(name="swift", title="Swift", ring_seconds=3, announce_seconds=0)
        Queue.create(name="narrow", title="Narrow", most_waiting=1, announce_seconds=0)
        Queue.create(name="patient", title="Patient", announce_seconds=5)
        Agent.update(wrap_up_seconds=WRAP_UP).execute()
        for name in ("One House", "Another House"):
            customer = Customer.create(name=name, created_at=now)
            CustomerNumber.create(customer=customer, number=SHARED)
    for number, destination in {
        SALES: {"to": "queue", "queue": "sales"},
        BRIEF: {"to": "queue", "queue": "brief"},
        SWIFT: {"to": "queue", "queue": "swift"},
        NARROW: {"to": "queue", "queue": "narrow"},
        PATIENT: {"to": "queue", "queue": "patient"},
        CLOSED: {"to": "refuse", "cause": "CALL_REJECTED"},
        BOX: {"to": "voicemail", "box": "sales"},
        CHANGING: {"to": "flow", "flow": "changing"},
    }.items():
        store.save_number(db, number, f"Number {number}", destinations.decode(destination), country="DK")


@pytest.fixture(scope="package")
def running() -> Iterator[Installation]:
    home = Path(tempfile.mkdtemp(prefix="pointsman-test-"))
    # The embedded Postgres runs as somebody else where the tests run as root.
    home.chmod(0o755)
    with open_post() as post:
        installation = Installation(environment(home) | WAYS_OUT | post.settings, "--at", AT, "--speed", SPEED)
        installation.post = post
        try:
            with installation.setting_up() as db:
                furnish(db, installation)
            yield installation
        finally:
            code = installation.end()
            complaints = installation.complaints()
            left = left_running(installation.home)
    shutil.rmtree(home, ignore_errors=True)
    assert code == 0
    assert left == []
    assert complaints == []


@pytest.fixture
def installation(running: Installation) -> Iterator[Installation]:
    """The installation with everybody at their desk and every phone picked up after a second; afterwards, with nobody on
    the line and nothing left over."""
    for extension in running.agents():
        running.switch.phone(extension, answer=1, talk=5)
    running.on_duty(*running.agents())
    yield running
    eventually(running.check_nothing_left)
