"""Answers to surveys and e-mails: from facts to rows, and e-mails on to a mail server."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from conf.clock import Clock
from conf.database import Database
from engine.records.facts import CallBegan, MailWanted, SurveyAnswered
from engine.records.mailing import Mailing, MailServer, mails_unsent
from tests.post import Post, open_post
from tests.shipped import ship

AT = datetime(2026, 3, 4, 9, 0, tzinfo=UTC)
CALL = str(uuid.uuid4())


def answer(seconds: int, keys: str, **more: object) -> SurveyAnswered:
    return SurveyAnswered(
        call_id=CALL, at=AT + timedelta(seconds=seconds), survey="talk", question="served", asked="Well served?", answer=keys,
        words="well", **more,  # type: ignore[arg-type]
    )  # fmt: skip


def test_the_last_answer_counts_in_whatever_order_it_comes(db: Database, database_url: str) -> None:
    began = CallBegan(
        call_id=CALL, at=AT, direction="inbound", caller_number="+4527101112", called_number="5000", number_name="Main"
    )
    for facts in ((answer(9, "2"), began, answer(5, "1")), (answer(7, "3"),), (answer(9, "2"),)):
        ship(database_url, *facts)
    rows = db.execute_sql(
        "SELECT survey, asked, answer, score, words, caller_number FROM report.survey_answers"
    ).fetchall()
    assert rows == [("talk", "Well served?", "2", 2, "well", "+4527101112")]


def mail(**change: object) -> MailWanted:
    given = {
        "mail_id": str(uuid.uuid4()), "call_id": CALL, "at": AT, "recipients": ("team@example.org", "me@example.org"),
        "subject": "Ænn called", "body": "First line\n.\nLast line with ü",
    }  # fmt: skip
    return MailWanted(**given | change)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def post() -> Iterator[Post]:
    with open_post() as post:
        yield post


def server_at(port: int) -> MailServer:
    return MailServer("127.0.0.1", port, "Pointsman <calls@example.org>", "none")


def test_a_mail_is_sent_once(db: Database, database_url: str, post: Post) -> None:
    wanted = mail()
    ship(database_url, wanted)
    ship(database_url, wanted)
    mailing = Mailing(db, server_at(post.port), Clock.parse(None))
    assert (mailing.send_waiting(), mailing.send_waiting()) == (1, 0)
    (taken,) = post.taken()
    assert taken["To"] == "team@example.org, me@example.org"
    assert taken["From"] == "Pointsman <calls@example.org>"
    assert taken["Subject"] == "Ænn called"
    assert wanted.mail_id in taken["Message-ID"]
    assert taken.get_content().splitlines() == ["First line", ".", "Last line with ü"]


def test_no_header_comes_in_and_what_cannot_be_sent_is_given_up(db: Database, database_url: str, post: Post) -> None:
    before = len(post.taken())
    ship(database_url, mail(subject="Hello\nBcc: everybody@example.org"), mail(recipients=("a@b.c\nRCPT TO:<x@y.z>",)))
    assert Mailing(db, server_at(post.port), Clock.parse(None)).send_waiting() == 2
    assert len(post.taken()) == before
    assert db.execute_sql(
        "SELECT count(*) FROM outgoing_mail WHERE given_up_at IS NOT NULL AND fault <> ''"
    ).fetchone() == (2,)


def test_a_server_that_is_away_is_tried_again_later(db: Database, database_url: str, post: Post) -> None:
    ship(database_url, mail())
    away = Mailing(db, server_at(1), Clock.parse(None))
    assert (away.send_waiting(), away.send_waiting()) == (1, 0)
    tries, fault, in_a_minute = db.execute_sql(
        "SELECT tries, fault, next_try_at BETWEEN now() + interval '50 seconds' AND now() + interval '70 seconds'"
        " FROM outgoing_mail"
    ).fetchone()
    assert (tries, in_a_minute) == (1, True)
    assert "refused" in fault
    before = len(post.taken())
    db.execute_sql("UPDATE outgoing_mail SET next_try_at = now(), tries = 5")
    assert Mailing(db, server_at(post.port), Clock.parse(None)).send_waiting() == 1
    assert len(post.taken()) == before + 1
    ship(database_url, mail())
    db.execute_sql("UPDATE outgoing_mail SET tries = 6 WHERE sent_at IS NULL")
    assert away.send_waiting() == 1
    assert db.execute_sql("SELECT count(*) FROM outgoing_mail WHERE given_up_at IS NOT NULL").fetchone() == (1,)
    waiting, given_up, fault = mails_unsent(database_url)
    assert (waiting, given_up) == (0, 1)
    assert "refused" in fault


def test_without_a_server_nothing_is_tried(db: Database, database_url: str) -> None:
    ship(database_url, mail())
    assert Mailing(db, None, Clock.parse(None)).send_waiting() == 0
