"""Every node type has a form: words for people, a widget for each field, a name for each exit."""

import pytest
from playing import CATALOGUE

from ivr.check import Surroundings, check
from ivr.flow import Flow
from ivr.forms import GROUPS, exits_of, fields_of, new_node, node_forms, say_forms
from ivr.node import node_types
from ivr.nodes.menu import Menu

WIDGETS = {
    "text", "number", "switch", "choice", "json", "template", "long_template", "value",
    "values", "variable", "prompts", "queue", "calendar",
    "flow", "extension", "box", "skill", "language", "zone", "group", "list", "map",
}  # fmt: skip


def every_field(fields):
    for field in fields:
        yield field
        yield from every_field(field.get("fields", ()))
        yield from every_field([field[part] for part in ("item", "key", "value") if part in field])


def test_every_type_has_its_form_in_the_order_of_the_groups():
    forms = node_forms()
    assert set(forms) == set(node_types())
    groups = [form.group for form in forms.values()]
    assert groups == sorted(groups, key=list(GROUPS).index)
    assert len({form.title for form in forms.values()}) == len(forms)
    assert len({form.icon for form in forms.values()}) == len(forms)


@pytest.mark.parametrize("name", node_types())
def test_a_form_tells_people_all_they_need(name):
    form = node_forms()[name]
    assert form.title[0].isupper()
    assert form.help.endswith(".")
    assert all(field["title"] for field in form.fields), name
    assert {field["widget"] for field in every_field(form.fields)} <= WIDGETS
    # Whatever is shown only at times hangs on a field that there is.
    names = {field["name"] for field in form.fields}
    assert all(set(field.get("when", {})) <= names for field in form.fields)
    for field in every_field(form.fields):
        assert field["widget"] != "choice" or all(choice["title"] for choice in field["choices"])
        assert field["widget"] != "group" or all(each["title"] for each in field["fields"])


@pytest.mark.parametrize("name", node_types())
def test_every_exit_has_a_name_for_people(name):
    named = {way.name: way.title for way in exits_of(new_node(name))}
    assert "error" in named
    assert all(title != way for way, title in named.items()), named


def test_a_menu_that_is_not_finished_has_the_exits_it_will_have():
    ways = {way.name: way for way in exits_of({"type": "menu", "back": True, "direct_dial": 4, "exits": {1: "sales"}})}
    assert list(ways) == ["1", "back", "extension", "no_input", "no_match", "error"]
    assert ways["1"].title == "Key 1"
    assert ways["1"].must
    assert ways["back"].returns
    assert ways["no_match"].falls_to == "no_input"
    assert exits_of({"type": "no_such_type"}) == []


def test_the_shares_of_a_split_are_its_exits_before_they_make_a_hundred():
    assert [way.name for way in exits_of({"type": "split", "shares": {"new": 10}})] == ["error"]
    assert [way.name for way in exits_of({"type": "split", "shares": {"new": 10, "old": 90}})] == [
        "new",
        "old",
        "error",
    ]


def test_fields_carry_their_limits():
    fields = {field["name"]: field for field in fields_of(Menu)}
    assert (fields["wait_seconds"]["least"], fields["wait_seconds"]["most"], fields["wait_seconds"]["unit"]) == (
        0.5,
        60,
        "s",
    )
    assert fields["prompts"]["required"]
    assert not fields["back"]["required"]
    assert [each["name"] for each in fields["no_input"]["fields"]] == ["times", "prompts"]
    collect = {field["name"]: field for field in node_forms()["collect"].fields}
    assert collect["confirm"]["optional"]
    assert collect["confirm"]["when"] == {"secret": [False]}


def test_what_is_said_in_words_of_its_own_has_forms_too():
    forms = say_forms()
    assert [field["name"] for field in forms["money"].fields] == ["value", "currency"]
    assert forms["opening_hours"].fields[0]["widget"] == "calendar"
    assert all(form.title for form in forms.values())


def test_a_new_survey_asks_at_once():
    node = new_node("survey")
    flow = Flow.parse(
        {"name": "new", "start": "a", "nodes": {"a": {**node, "exits": {"answered": "b"}}, "b": {"type": "hang_up"}}}
    )
    assert check(flow, Surroundings(CATALOGUE)) == []
    node["questions"][0]["answers"].clear()
    assert new_node("survey")["questions"][0]["answers"]


def test_a_new_node_is_a_flow_once_its_form_is_filled():
    node = new_node("play")
    assert node == {"type": "play", "prompts": []}
    node["prompts"].append("goodbye")
    Flow.parse({"name": "new", "start": "a", "nodes": {"a": node}})
