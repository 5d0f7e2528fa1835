"""Tables as files: CSV, XLSX and JSON, written while the rows are read, so that any number of them fits in memory."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import xlsxwriter
from flask import Response, abort

FORMS: Final = {"csv": "CSV", "xlsx": "Excel", "json": "JSON"}
_KINDS: Final = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json",
}
SHEET_ROWS: Final = 1_048_576
"""The most that a worksheet holds, its header included."""
_PORTION: Final = 64 * 1024

Cell = str | int | float | bool | datetime | None


def asked_for(args: Mapping[str, str]) -> str:
    """Which of FORMS the query of an export asks for; none of them ends the request."""
    form = args.get("format", "csv")
    if form not in FORMS:
        abort(400, f"format: {form!r} is none of {', '.join(FORMS)}")
    return form


def send(form: str, name: str, columns: Sequence[str], rows: Iterable[Sequence[Cell]], zone: ZoneInfo) -> Response:
    """The rows as a download called `name`, in one of FORMS; times on the clocks of `zone` in sheets, in UTC in JSON. `rows`
    is closed with the answer where it can be."""
    ahead = iter(rows)
    first = next(ahead, None)  # a fault shows before the answer has begun

    def every() -> Iterator[Sequence[Cell]]:
        if first is not None:
            yield first
            yield from ahead

    writers = {"csv": _csv, "xlsx": _xlsx, "json": _json}
    answer = Response(writers[form](columns, every(), zone), mimetype=_KINDS[form])
    if isinstance(rows, Generator):
        answer.call_on_close(rows.close)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
    return answer


def safe_cell(text: str) -> str:
    """Text that no spreadsheet takes for a formula. A telephone number may keep its plus sign."""
    if text[:1] in ("=", "+", "-", "@", "\t", "\r") and not (text[:1] == "+" and text[1:].isdigit()):
        return "'" + text
    return text


def _csv(columns: Sequence[str], rows: Iterable[Sequence[Cell]], zone: ZoneInfo) -> Iterator[bytes]:
    yield _line(columns)
    for row in rows:
        yield _line([_text(cell, zone) for cell in row])


def _line(cells: Sequence[str]) -> bytes:
    written = io.StringIO()
    csv.writer(written).writerow(cells)
    return written.getvalue().encode()


def _text(cell: Cell, zone: ZoneInfo) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.astimezone(zone).isoformat(sep=" ", timespec="seconds")
    if isinstance(cell, float):
        return f"{cell:.3f}"
    return safe_cell(str(cell))


def _json(columns: Sequence[str], rows: Iterable[Sequence[Cell]], zone: ZoneInfo) -> Iterator[bytes]:  # noqa: ARG001
    lead = "[\n"
    for row in rows:
        found = {
            name: cell.astimezone(ZoneInfo("UTC")).isoformat() if isinstance(cell, datetime) else cell
            for name, cell in zip(columns, row, strict=True)
        }
        yield (lead + json.dumps(found, ensure_ascii=False)).encode()
        lead = ",\n"
    yield b"[]\n" if lead == "[\n" else b"\n]\n"


def _xlsx(columns: Sequence[str], rows: Iterable[Sequence[Cell]], zone: ZoneInfo) -> Iterator[bytes]:
    with tempfile.TemporaryFile() as file:
        book = xlsxwriter.Workbook(file, {"constant_memory": True, "default_date_format": "yyyy-mm-dd hh:mm:ss"})
        bold = book.add_format({"bold": True})
        sheet, at = None, SHEET_ROWS
        for row in rows:
            if sheet is None or at == SHEET_ROWS:
                sheet, at = _sheet(book, columns, bold), 1
            for number, cell in enumerate(row):
                _put(sheet, at, number, cell, zone)
            at += 1
        if sheet is None:
            _sheet(book, columns, bold)
        book.close()
        file.seek(0)
        while portion := file.read(_PORTION):
            yield portion


def _sheet(book: Any, columns: Sequence[str], bold: Any) -> Any:
    sheet = book.add_worksheet()
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, len(columns) - 1, 18)
    for number, column in enumerate(columns):
        sheet.write_string(0, number, column, bold)
    return sheet


def _put(sheet: Any, row: int, column: int, cell: Cell, zone: ZoneInfo) -> None:
    if cell is None:
        return
    if isinstance(cell, bool):
        sheet.write_boolean(row, column, cell)
    elif isinstance(cell, int | float):
        sheet.write_number(row, column, cell)
    elif isinstance(cell, datetime):
        sheet.write_datetime(row, column, cell.astimezone(zone).replace(tzinfo=None))
    else:
        # As text and nothing else: what begins with = is no formula.
        sheet.write_string(row, column, str(cell)[:32_767])
