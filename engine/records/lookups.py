"""Looking callers up without making them wait: the numbers asked for while one look-up is under way go together into the next.

A busy process so needs one connection and a few round trips a second for it, however many calls begin.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gevent
import psycopg2
import structlog
from gevent.event import Event

from conf import database
from conf.database import DatabaseUnreachable
from engine.records.customers import Match, find_many

MOST_AT_ONCE = 200
MOST_WAITING = 20_000
STATEMENT_SECONDS = 2.0
"""How long one look-up may take; who calls is good to know, but nobody is kept waiting for it."""

AWAY_SECONDS = 1.0
"""How long the database is left alone after it did not answer; who calls meanwhile stays unknown."""

log = structlog.get_logger(__name__)

Answer = Callable[[Match], None]


class Lookups:
    """Finds the customers of numbers, many at once. `ask` never blocks; each answer is given once."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._asked: dict[str, list[Answer]] = {}
        self._wanted = Event()
        self._connection: Any = None
        self._greenlet: gevent.Greenlet[..., None] | None = None

    def start(self) -> None:
        self._greenlet = gevent.spawn(self._run)

    def stop(self) -> None:
        if self._greenlet is not None:
            self._greenlet.kill()
        self._disconnect()

    def ask(self, number: str, answer: Answer) -> None:
        """Find out whose `number` (normalised) is; `answer` is called with the match, an empty one where the database is
        away or too much is asked. It runs in the greenlet that looks up and must not block."""
        if len(self._asked) >= MOST_WAITING and number not in self._asked:
            answer(Match())
            return
        self._asked.setdefault(number, []).append(answer)
        self._wanted.set()

    def _run(self) -> None:
        while True:
            self._wanted.wait()
            if not self._answer_some():
                gevent.sleep(AWAY_SECONDS)

    def _answer_some(self) -> bool:
        """Look up some of those that are asked for; whether the database could be asked."""
        numbers = list(self._asked)[:MOST_AT_ONCE]
        waiting = [(number, self._asked.pop(number)) for number in numbers]
        if not self._asked:
            self._wanted.clear()
        found = self._find(numbers)
        for number, answers in waiting:
            match = Match() if found is None else found.get(number, Match())
            for answer in answers:
                answer(match)
        return found is not None

    def _find(self, numbers: list[str]) -> dict[str, Match] | None:
        """The matches; None where the database cannot be asked."""
        try:
            if self._connection is None:
                self._connection = database.raw_connection(
                    self._url, name="pointsman callers", statement_seconds=STATEMENT_SECONDS, by_key=True
                )
                self._connection.autocommit = True
            with self._connection.cursor() as cursor:
                return find_many(cursor, numbers)
        except (DatabaseUnreachable, psycopg2.Error) as error:
            log.warning("callers not looked up", count=len(numbers), error=str(error).strip())
            self._disconnect()
            return None

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
