"""What became of the calls in the records: each one once, how soon, none lost."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

import gevent
import msgspec
import psycopg2
from gevent.lock import RLock

from engine.virtual.load_plan import Spread

LOOK_SECONDS = 0.02
MOST_AWAITED = 500


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """`lost`: calls that the engine took and that have no row, or one that never ended. `doubled`: those with more."""

    calls: int
    lost: int
    doubled: int
    statuses: dict[str, int]
    lag: Spread
    """From the end of a call's leg until its ended row is seen, of every tenth call; looked for every 20 ms."""


class RecordsWatch:
    """Looks for the rows of calls that have ended, while the load runs. `ended` is the load generator's `on_ended`."""

    def __init__(self, url: str) -> None:
        self._connection: Any = psycopg2.connect(url, application_name="pointsman bench")
        self._connection.autocommit = True
        self._awaited: dict[str, float] = {}
        self._lags: list[float] = []
        self._turn = RLock()
        self._greenlet = gevent.spawn(self._look)

    def ended(self, call_id: str, at: float) -> None:
        if len(self._awaited) < MOST_AWAITED:
            self._awaited[call_id] = at

    def _look(self) -> None:
        while True:
            gevent.sleep(LOOK_SECONDS)
            awaited = self._awaited
            if awaited:
                rows = self._rows(
                    "SELECT id::text FROM call WHERE id = ANY(%s::uuid[]) AND ended_at IS NOT NULL", list(awaited)
                )
                now = time.time()
                self._lags += [now - awaited.pop(call_id) for (call_id,) in rows]

    def _rows(self, statement: str, *arguments: object) -> list[tuple[Any, ...]]:
        with self._turn, self._connection.cursor() as cursor:
            cursor.execute(statement, arguments)
            return list(cursor.fetchall())

    def check(self, calls: Sequence[str], seconds: float = 60.0) -> Written:
        """Compare with the calls that the engine took, once everything is shipped or `seconds` are over. Lags start anew."""
        deadline = time.monotonic() + seconds
        wanted = list(set(calls))
        ended = "SELECT count(*) FROM call WHERE id = ANY(%s::uuid[]) AND ended_at IS NOT NULL"
        while self._rows(ended, wanted)[0][0] < len(wanted) and time.monotonic() < deadline:
            gevent.sleep(0.5)
        rows = self._rows(
            "SELECT call_id::text, status FROM report.calls WHERE call_id = ANY(%s::uuid[]) AND ended_at IS NOT NULL",
            wanted,
        )
        found = Counter(call_id for call_id, _ in rows)
        lags, self._lags, self._awaited = self._lags, [], {}
        return Written(
            calls=len(wanted),
            lost=len(wanted) - len(found),
            doubled=len(rows) - len(found),
            statuses=dict(Counter(status for _, status in rows)),
            lag=Spread.of(lags),
        )

    def close(self) -> None:
        self._greenlet.kill()
        self._connection.close()
