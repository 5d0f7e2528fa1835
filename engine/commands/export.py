"""`pointsman export`: a report view as a file, streamed whatever its size."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import IO, Any, Literal
from zoneinfo import ZoneInfo

import click
import psycopg2.extensions
import xlsxwriter
from psycopg2 import sql

from conf import database
from conf.errors import PointsmanError
from conf.installation import complete
from conf.settings import load

VIEWS = {
    "calls": ("calls", "started_at"),
    "ivr-steps": ("ivr_steps", "entered_at"),
    "queue-entries": ("queue_entries", "entered_at"),
    "offers": ("offers", "offered_at"),
    "agent-states": ("agent_states", "since"),
    "survey-answers": ("survey_answers", "answered_at"),
    "segments": ("segments", "started_at"),
    "callbacks": ("callbacks", "asked_at"),
    "cost-ledger": ("cost_ledger", "offered_at"),
}
"""What can be exported: the view in the schema `report`, and the column that a period is cut from."""

FETCHED = 5000
SHEET_ROWS = 1_048_576
"""The most that a worksheet can hold, its header included."""


class PeriodInvalid(PointsmanError):
    """A period that cannot be understood."""


class ExportFailed(PointsmanError):
    """The export cannot be made or written."""


@click.command()
@click.argument("what", type=click.Choice(list(VIEWS)))
@click.option("--from", "since", required=True, metavar="T", help="From this date, or date and time, on.")
@click.option(
    "--to",
    "until",
    required=True,
    metavar="T",
    help="Up to this date (that day included), or before this date and time.",
)
@click.option("--format", "form", type=click.Choice(["csv", "xlsx", "json"]), default="csv", show_default=True)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write to this file instead of standard output.",
)
def export(what: str, since: str, until: str, form: Literal["csv", "xlsx", "json"], output: Path | None) -> None:
    """Export WHAT within a period, ordered by time. Times without an offset are of the installation's zone."""
    settings = complete(load())
    period = (instant(since, settings.zone), instant(until, settings.zone, ends=True))
    if form == "xlsx" and output is None and sys.stdout.isatty():
        raise ExportFailed("a spreadsheet does not belong on a terminal; name a file with -o")
    # This process does one thing, so it waits in the driver itself, which alone can COPY.
    psycopg2.extensions.set_wait_callback(None)
    connection = database.raw_connection(str(settings.database_url), name="pointsman export", statement_seconds=0)
    try:
        with opened(output) as target:
            write(connection, what, period, form, target)
    except psycopg2.Error as error:
        raise ExportFailed(f"the export broke off: {' '.join(str(error).split())}") from error
    finally:
        connection.close()


def instant(text: str, zone: ZoneInfo, *, ends: bool = False) -> datetime:
    """A date, or a date and time, as an aware instant; where a period `ends` on a date, that day belongs to it."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise PeriodInvalid(f"{text!r} is no date and time; write 2026-03-31 or 2026-03-31T14:30") from error
    if re.fullmatch(r"\d{4}-?\d{2}-?\d{2}", text.strip()) and ends:
        return datetime.combine(found.date() + timedelta(days=1), time(), zone)
    return found if found.tzinfo else found.replace(tzinfo=zone)


def write(connection: Any, what: str, period: tuple[datetime, datetime], form: str, target: IO[bytes]) -> None:
    """Stream the rows of one view within a period to `target`, in memory that does not grow with them."""
    view, column = VIEWS[what]
    query = sql.SQL(
        "SELECT * FROM report.{view} WHERE {column} >= {since} AND {column} < {until} ORDER BY {column}"
    ).format(
        view=sql.Identifier(view),
        column=sql.Identifier(column),
        since=sql.Literal(period[0]),
        until=sql.Literal(period[1]),
    )
    if form == "csv":
        with connection.cursor() as cursor:
            cursor.copy_expert(
                sql.SQL("COPY ({query}) TO STDOUT WITH (FORMAT csv, HEADER)").format(query=query), target
            )
    elif form == "json":
        _write_json(connection, query, target)
    else:
        _write_xlsx(connection, query, target, what)


def _write_json(connection: Any, query: sql.Composable, target: IO[bytes]) -> None:
    with connection.cursor("export") as cursor:
        cursor.itersize = FETCHED
        cursor.execute(sql.SQL("SELECT row_to_json(t)::text FROM ({query}) t").format(query=query))
        target.write(b"[")
        for number, (text,) in enumerate(cursor):
            target.write((",\n" if number else "\n").encode() + text.encode())
        target.write(b"\n]\n")


def _write_xlsx(connection: Any, query: sql.Composable, target: IO[bytes], title: str) -> None:
    book = xlsxwriter.Workbook(
        target, {"constant_memory": True, "remove_timezone": True, "default_date_format": "yyyy-mm-dd hh:mm:ss"}
    )
    bold = book.add_format({"bold": True})
    with connection.cursor("export") as cursor:
        cursor.itersize = FETCHED
        cursor.execute(query)
        sheet, at = None, SHEET_ROWS
        for row in cursor:
            if at == SHEET_ROWS:
                sheet, at = _sheet(book, title, cursor.description, bold), 1
            for number, value in enumerate(row):
                _write_cell(sheet, at, number, value)
            at += 1
        if sheet is None:
            _sheet(book, title, cursor.description, bold)
    book.close()


def _sheet(book: Any, title: str, columns: Any, bold: Any) -> Any:
    sheet = book.add_worksheet(title if not book.worksheets() else f"{title} {len(book.worksheets()) + 1}")
    sheet.freeze_panes(1, 0)
    for number, column in enumerate(columns):
        sheet.write_string(0, number, column[0], bold)
        sheet.set_column(number, number, 20)
    return sheet


def _write_cell(sheet: Any, row: int, column: int, value: Any) -> None:
    if value is None:
        return
    if isinstance(value, bool):
        sheet.write_boolean(row, column, value)
    elif isinstance(value, int | float | Decimal):
        sheet.write_number(row, column, float(value))
    elif isinstance(value, datetime):
        sheet.write_datetime(row, column, value)
    else:
        # As text and nothing else: a caller's name that begins with = is no formula.
        sheet.write_string(row, column, str(value)[:32767])


@contextmanager
def opened(output: Path | None) -> Iterator[IO[bytes]]:
    """Where the export goes. A file appears when it is whole."""
    if output is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    part = output.with_name(f".{output.name}.part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(output)
    except OSError as error:
        raise ExportFailed(f"{output} cannot be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
