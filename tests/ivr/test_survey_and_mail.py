"""survey and email: every exit, what is kept, and what is refused."""

import pytest
from playing import flow_of, play, through

from ivr.check import Surroundings, check
from ivr.errors import FlowInvalid
from ivr.memory_office import MemoryOffice
from ivr.office import Answer
from ivr.simulator import Script
from ivr.visit import Checkpoint

SURVEY = {
    "type": "survey",
    "survey": "after-talk",
    "prompts": ["please_wait"],
    "thanks": ["goodbye"],
    "no_match": {"times": 2, "prompts": [["menu_no_match"]]},
    "no_input": {"times": 2, "prompts": [["menu_no_input"]]},
    "questions": [
        {"name": "served", "words": "Well served?", "prompts": ["menu_main"], "answers": {"1": "no", "2": "yes"}},
        {"name": "again", "words": "Again?", "prompts": ["enter_number"], "answers": {"0": "never", "10": "surely"}},
    ],
}


def surveyed(*keys, **how):
    office = MemoryOffice()
    way, played = through(SURVEY, Script(answers=list(keys), **how), office=office)
    return way, {question: answer.answer for (_, question), answer in office.answers.items()}, played


@pytest.mark.parametrize(
    ("keys", "way", "kept"),
    [
        (["2", "10"], "answered", {"served": "2", "again": "10"}),
        (["2", "0#"], "answered", {"served": "2", "again": "0"}),
        (["9", "1", "0#"], "answered", {"served": "1", "again": "0"}),
        (["9", "9", "10"], "partly", {"again": "10"}),
        (["2", "", ""], "partly", {"served": "2"}),
        (["9", "9", "55", "#"], "unanswered", {}),
        (["", ""], "unanswered", {}),
    ],
)
def test_every_way_out_of_a_survey(keys, way, kept):
    taken, answers, played = surveyed(*keys)
    assert (taken, answers) == (way, kept)
    assert ("goodbye" in played.names) == bool(kept)
    assert all(played.watch.checkpoints[-1][1][name] == value for name, value in kept.items())
    assert "_survey" not in played.watch.checkpoints[-1][1]


def test_silence_and_wrong_keys_have_words_of_their_own():
    assert surveyed("", "9", "2", "10")[2].names == [
        "please_wait", "menu_main", "menu_no_input", "menu_no_match", "enter_number", "goodbye",
    ]  # fmt: skip


def test_what_was_answered_is_kept_when_the_caller_hangs_up():
    way, answers, _ = surveyed("2", leaves_after=8.0)
    assert (way, answers) == ("hung_up", {"served": "2"})


def test_the_answer_is_kept_in_words():
    office = MemoryOffice()
    through(SURVEY, Script(answers=["2", "10"]), office=office)
    assert office.answers["after-talk", "again"] == Answer("after-talk", "again", "Again?", "10", "surely")


def test_a_survey_goes_on_where_it_was():
    flow = flow_of({"it": {**SURVEY, "exits": {"answered": "end"}}, "end": {"type": "hang_up"}})
    first = play(flow, Script(answers=["2", "10"]))
    node, variables = next(saved for saved in first.watch.checkpoints if saved[1].get("served") == "2")
    office = MemoryOffice()
    again = play(flow, Script(answers=["10"]), resume=Checkpoint(node, variables), office=office)
    assert again.names == ["enter_number", "goodbye"]
    assert again.watch.steps[0].exit == "answered"
    assert [question for _, question in office.answers] == ["again"]


@pytest.mark.parametrize(
    "change",
    [
        {"questions": []},
        {"questions": [SURVEY["questions"][0]] * 2},
        {"questions": [{**SURVEY["questions"][0], "answers": {}}]},
        {"questions": [{**SURVEY["questions"][0], "answers": {"*": "star"}}]},
        {"questions": [{**SURVEY["questions"][0], "name": "call_id"}]},
    ],
)
def test_surveys_that_are_none(change):
    with pytest.raises(FlowInvalid):
        flow_of({"it": SURVEY | change})


MAIL = {"type": "email", "to": "team@example.org, {more}", "subject": "{who} called", "body": "From {who}.\nBye"}


def mailed(values, office=None, **change):
    office = office or MemoryOffice()
    flow = flow_of(
        {
            "set": {"type": "set", "values": values, "exits": {"next": "it"}},
            "it": {**MAIL, **change, "exits": {"queued": "again", "refused": "end"}},
            "again": {"type": "go_to", "flow": "test"} if values.get("twice") else {"type": "hang_up"},
            "end": {"type": "hang_up"},
        }
    )
    played = play(flow, office=office, budget=6)
    return [step.exit for step in played.watch.steps if step.node == "it"], list(office.mails.values())


def test_an_email_is_queued():
    ways, (mail,) = mailed({"more": "me@example.org", "who": "Ann"})
    assert ways == ["queued"]
    assert mail.recipients == ("team@example.org", "me@example.org")
    assert (mail.subject, mail.body) == ("Ann called", "From Ann.\nBye")


def test_a_call_that_comes_by_twice_sends_one():
    ways, mails = mailed({"more": "me@example.org", "who": "Ann", "twice": True})
    assert ways == ["queued"] * 2
    assert len(mails) == 1


@pytest.mark.parametrize(
    "more", ["nobody", "a@b", "a b@example.org", "x@example.org,y@", "<me@example.org>", "ü@example.org"]
)
def test_what_is_no_address_is_refused(more):
    assert mailed({"more": more, "who": "Ann"}) == (["refused"], [])


def test_without_a_mail_server_it_is_refused():
    assert mailed({"more": "me@example.org", "who": "Ann"}, MemoryOffice(mail_server=False)) == (["refused"], [])


def test_no_header_comes_in_with_a_value():
    nasty = "Ann\r\nBcc: everybody@example.org"
    ways, (mail,) = mailed({"more": "me@example.org", "who": nasty})
    assert ways == ["queued"]
    assert mail.subject == "Ann Bcc: everybody@example.org called"
    assert mailed({"more": "me@example.org\r\nBcc: everybody@example.org", "who": "Ann"})[0] == ["refused"]


def test_a_value_that_is_not_there_is_an_error():
    assert mailed({"more": "me@example.org"})[0] == ["error"]


@pytest.mark.parametrize("change", [{"to": "nobody"}, {"to": ","}, {"subject": "a\nb"}, {"body": ""}])
def test_emails_that_are_none(change):
    with pytest.raises(FlowInvalid):
        flow_of({"it": MAIL | change})


def test_a_secret_does_not_go_by_mail():
    flow = flow_of(
        {
            "ask": {
                "type": "collect", "variable": "who", "prompts": ["enter_code"], "secret": True,
                "exits": {"collected": "it", "no_input": "end"},
            },
            "it": {**MAIL, "to": "team@example.org", "exits": {"queued": "end"}},
            "end": {"type": "hang_up"},
        }
    )  # fmt: skip
    assert [problem.fault for problem in check(flow, Surroundings())] == [
        "the secret 'who' could be read by others in the e-mail"
    ]
