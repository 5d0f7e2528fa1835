"""`pointsman export`: what is in the views, in each format, and nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg2
import pytest
import python_calamine

from engine.commands.export import PeriodInvalid, instant

FIRST = datetime(2026, 3, 31, 22, 30, tzinfo=UTC)


@pytest.fixture
def calls(database_url: str) -> str:
    connection = psycopg2.connect(database_url)
    try:
        with connection, connection.cursor() as cursor:
            for hours in range(4):
                cursor.execute(
                    "INSERT INTO call (id, started_at, ended_at, direction, status, caller_number, number_name)"
                    " VALUES (gen_random_uuid(), %s, %s, 'inbound', 'answered', '+4532101010', '=2+5')",
                    (FIRST + timedelta(hours=hours), FIRST + timedelta(hours=hours, seconds=61.5)),
                )
    finally:
        connection.close()
    return database_url


def run(url: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    environment = os.environ | {
        "POINTSMAN_DATABASE_URL": url,
        "POINTSMAN_REDIS_URL": "redis://unused",
        "POINTSMAN_TIMEZONE": "UTC",
    }
    return subprocess.run(
        [sys.executable, "-m", "conf.cli", "export", *arguments],
        env=environment,
        capture_output=True,
        timeout=60,
        check=False,
    )


def test_csv_holds_the_calls_of_the_period(calls: str) -> None:
    done = run(calls, "calls", "--from", "2026-03-31", "--to", "2026-03-31")
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(io.StringIO(done.stdout.decode())))
    assert len(rows) == 2, "the last day belongs to the period, the next one does not"
    assert (rows[0]["caller_number"], rows[0]["total_seconds"]) == ("+4532101010", "61.500")


def test_json_is_one_array_also_when_empty(calls: str) -> None:
    found = json.loads(run(calls, "calls", "--from", "2026-03-31", "--to", "2026-04-02", "--format", "json").stdout)
    assert len(found) == 4
    assert found[0]["total_seconds"] == 61.5
    assert (
        json.loads(run(calls, "offers", "--from", "2026-03-31", "--to", "2026-04-02", "--format", "json").stdout) == []
    )


def test_a_spreadsheet_holds_text_where_text_was(calls: str, tmp_path: Path) -> None:
    target = tmp_path / "calls.xlsx"
    done = run(calls, "calls", "--from", "2026-03-31", "--to", "2026-04-02", "--format", "xlsx", "-o", str(target))
    assert done.returncode == 0, done.stderr
    rows = python_calamine.CalamineWorkbook.from_path(str(target)).get_sheet_by_index(0).to_python()
    header = rows[0]
    assert len(rows) == 5
    assert rows[1][header.index("number_name")] == "=2+5"
    assert rows[1][header.index("total_seconds")] == 61.5


def test_a_fault_is_one_line_and_leaves_no_file(calls: str, tmp_path: Path) -> None:
    target = tmp_path / "missing" / "calls.csv"
    for arguments in (
        ["--from", "yesterday", "--to", "today"],
        ["--from", "2026-03-31", "--to", "2026-04-02", "-o", str(target)],
    ):
        done = run(calls, "calls", *arguments)
        assert done.returncode == 1
        assert len(done.stderr.decode().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_period_is_of_the_zone_and_across_the_change_to_summer_time() -> None:
    zone = ZoneInfo("Europe/Copenhagen")
    since, until = instant("2026-03-29", zone), instant("2026-03-29", zone, ends=True)
    assert until.astimezone(UTC) - since.astimezone(UTC) == timedelta(hours=23)
    assert instant("2026-03-29T12:00Z", zone) == datetime(2026, 3, 29, 12, tzinfo=UTC)
    with pytest.raises(PeriodInvalid):
        instant("29.3.2026", zone)
