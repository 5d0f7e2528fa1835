"""Walking through a flow by hand, as a page does: what is heard, what is asked, and every way to go on."""

import pytest
from playing import CALENDARS, CATALOGUE, DEMO, at, flow_of

from ivr.flow import PublishedFlow
from ivr.simulation import Simulation, SimulationOver
from ivr.store import read_file

MAIN = read_file(DEMO / "flows" / "main.yaml")


def walk(flow=MAIN, when="2026-11-23T09:00", **caller):
    return Simulation(PublishedFlow(3, flow), catalogue=CATALOGUE, calendars=CALENDARS, at=at(when), **caller)


def test_a_walk_through_the_menu_to_a_queue():
    simulation = walk(caller_number="+4532101010")
    scene = simulation.start()
    assert [spoken.name for spoken in scene.heard] == ["greeting_morning"]
    assert (scene.wants, scene.node, scene.patience) == ("key", "menu", 5.0)
    assert [spoken.text[:10] for spoken in scene.asks] == ["For sales,"]
    scene = simulation.press("1", after=1.5)
    assert [(spoken.what, spoken.name or spoken.detail) for spoken in scene.heard][:2] == [
        ("prompt", "menu_main"),
        ("key", "1"),
    ]
    assert scene.heard[0].seconds == pytest.approx(1.5)
    assert (scene.wants, scene.about) == ("queue", "sales")
    assert "timeout" in scene.choices
    scene = simulation.decide("timeout", seconds=60)
    assert scene.wants == "message"
    scene = simulation.decide("left")
    assert (scene.wants, scene.disposition, scene.fault) == ("over", "voicemail", "")
    assert simulation.path[-1][0] == "main"
    with pytest.raises(SimulationOver):
        simulation.press("1")


def test_date_and_hour_are_chosen():
    assert walk(when="2026-12-25T03:00").start().heard[1].name == "holiday_christmas_day"
    assert walk(when="2026-11-22T19:00").start().heard[0].name == "greeting_evening"


def test_silence_and_wrong_keys():
    simulation = walk()
    simulation.start()
    scene = simulation.wait()
    assert [spoken.name for spoken in scene.asks] == ["menu_no_input", "menu_main"]
    scene = simulation.press("7")
    assert [spoken.name for spoken in scene.asks] == ["menu_no_match", "menu_main"]
    assert simulation.wait().wants == "queue"


def test_several_digits_one_by_one():
    flow = flow_of(
        {
            "it": {"type": "collect", "variable": "order", "prompts": ["enter_number"], "most": 4,
                   "exits": {"collected": "say", "no_input": "end"}},
            "say": {"type": "say", "say": "digits", "value": "{order}", "exits": {"next": "end"}},
            "end": {"type": "hang_up"},
        }
    )  # fmt: skip
    simulation = walk(flow)
    simulation.start()
    simulation.press("1")
    scene = simulation.press("2", after=0.5)
    assert (scene.wants, scene.asks) == ("key", ())
    scene = simulation.press("#")
    assert scene.wants == "over"
    assert scene.variables == {"order": "12"}
    assert [spoken.name for spoken in scene.heard if spoken.what == "prompt"] == ["number_1", "number_2"]


def test_what_the_house_answers_is_decided_by_hand():
    flow = flow_of(
        {
            "ask": {"type": "http", "url": "https://shop.example/", "results": {"state": "state"},
            "exits": {"done": "say", "failed": "end"}},
            "say": {"type": "say", "say": "number", "value": "{state}", "exits": {"next": "end"}},
            "end": {"type": "hang_up"},
        }
    )  # fmt: skip
    scene = walk(flow).start()
    assert (scene.wants, scene.about, scene.choices) == ("exit", "http", ("done", "failed", "error"))
    simulation = walk(flow)
    simulation.start()
    with pytest.raises(SimulationOver):
        simulation.decide("404")
    scene = simulation.decide("done", variables={"state": 7})
    assert [spoken.name for spoken in scene.heard][:1] == ["number_7"]


@pytest.mark.parametrize("deciding", [False, True])
def test_the_caller_hangs_up(deciding):
    simulation = walk()
    simulation.start()
    if deciding:
        simulation.press("1")
    scene = simulation.hang_up(after=2)
    assert (scene.wants, scene.disposition, scene.heard[-1].what) == ("over", "abandoned_ivr", "left")
    assert simulation.path[-1][2] == "hung_up"
    with pytest.raises(SimulationOver):
        simulation.hang_up()


def test_who_calls_is_chosen():
    flow = flow_of(
        {
            "who": {"type": "customer", "asks": "category", "exits": {"vip": "vip", "known": "end", "unknown": "end"}},
            "vip": {"type": "queue", "queue": "sales", "exits": {"otherwise": "end"}},
            "end": {"type": "hang_up"},
        }
    )
    assert walk(flow, customer={"id": 1, "category": "vip"}).start().wants == "queue"
    assert walk(flow).start().wants == "over"


def test_many_walks_at_once_and_one_that_is_forgotten():
    walks = [walk() for _ in range(20)]
    for simulation in walks:
        simulation.start()
    walks[0].close()
    with pytest.raises(SimulationOver):
        walks[0].press("1")
    assert {simulation.press("2").about for simulation in walks[1:]} == {"support"}
