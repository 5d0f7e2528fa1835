"""Who calls: customers by their number in whatever spelling, several of one number, strangers, and nobody."""

from __future__ import annotations

import json

import pytest

from tests.waiting import eventually

from .callers import Caller
from .conftest import SALES, SHARED
from .installation import Installation


def through(installation: Installation, **plan: object) -> Caller:
    """A call that an agent took and the caller ended."""
    caller = installation.switch.call(SALES, **plan)
    caller.wait_for("talks")
    caller.hang_up()
    return caller


@pytest.mark.parametrize("spelling", ["+4532101010", "32101010", "004532101010", "4532101010", "+45 32 10 10 10"])
def test_a_customer_is_known_by_any_spelling_of_their_number(installation: Installation, spelling: str) -> None:
    caller = through(installation, caller=spelling)
    report = installation.report(caller)
    assert (report.call["caller_number"], report.call["customer_name"]) == ("+4532101010", "Mette Dahl")
    assert installation.pops(caller)[0]["customer"]["name"] == "Mette Dahl"


def test_a_stranger_is_registered_and_known_the_next_time(installation: Installation) -> None:
    caller = through(installation, caller="+4586010203", name="Ida Storm")
    assert installation.pops(caller)[0]["customer"] is None
    report = installation.report(caller)
    assert report.call["customer_name"] == "Ida Storm"
    assert report.call["customer_category"] == "average"
    again = through(installation, caller="86010203")
    card = installation.pops(again)[0]["customer"]
    assert card["id"] == report.call["customer_id"]
    assert [call["call_id"] for call in card["last_calls"]] == [caller.call_id]
    assert installation.report(again).call["customer_id"] == card["id"]


def test_two_first_calls_of_one_stranger_register_one_customer(installation: Installation) -> None:
    callers = [installation.switch.call(SALES, caller="+4586020304") for _ in range(4)]
    for caller in callers:
        caller.wait_for("music")
    for caller in callers:
        caller.hang_up()
    assert len({installation.report(caller).call["customer_id"] for caller in callers}) == 1
    found = installation.value("SELECT count(*) FROM customer_number WHERE number = '+4586020304'")
    assert found == 1


def test_a_number_of_two_customers_leaves_the_choice_to_the_agent(installation: Installation) -> None:
    caller = through(installation, caller=SHARED)
    pop = installation.pops(caller)[0]
    assert pop["customer"] is None
    assert [card["name"] for card in pop["candidates"]] == ["One House", "Another House"]
    assert installation.report(caller).call["customer_id"] is None


@pytest.mark.parametrize("shown", ["anonymous", "", "Restricted"])
def test_a_withheld_number_is_nobody(installation: Installation, shown: str) -> None:
    customers = installation.value("SELECT count(*) FROM customer")
    caller = through(installation, caller=shown)
    report = installation.report(caller)
    assert (report.call["caller_number"], report.call["customer_id"]) == ("", None)
    pop = installation.pops(caller)[0]
    assert (pop["from"], pop["customer"], pop["candidates"]) == ("", None, [])
    assert installation.value("SELECT count(*) FROM customer") == customers


def test_screen_pops_are_kept_in_the_stream(installation: Installation) -> None:
    caller = through(installation)

    def kept() -> None:
        entries = installation.redis.xrevrange("events:screenpop", count=50)
        pops = [json.loads(fields["data"]) for _, fields in reversed(entries)]
        mine = [pop for pop in pops if pop["call_id"] == caller.call_id]
        assert [pop["event"] for pop in mine] == ["offered", "answered", "ended"]

    eventually(kept)
    installation.report(caller)


def test_what_a_caller_claims_to_be_called_commands_nothing(installation: Installation) -> None:
    name = "${uuid_kill} \\n\\nexecute-app-name: hangup, ,[x]='y'"
    caller = through(installation, caller="+4586030405", name=name)
    report = installation.report(caller)
    assert report.call["status"] == "answered"
