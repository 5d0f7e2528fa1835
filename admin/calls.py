"""The calls list with its export, and one call's page."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from admin import onecall
from admin.access import Right, Viewer, needs, viewer
from admin.parts import Parts, parts
from admin.periods import FilterUnusable
from admin.search import COUNTED, PERIODS, Call, CallSearch, Filters, Found, read_filters
from admin.sheets import safe_cell
from admin.words import DIRECTIONS, ENDED_BY, STATUSES, Mark, mark
from engine.records import strategies

calls = Blueprint("calls", __name__)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the list: `sort` is its key where the list can be sorted by it, `text` what the export writes."""

    key: str
    title: str
    text: Callable[[Call, Parts], Any]
    sort: str = ""
    number: bool = False
    usual: bool = True


def _local(at: datetime | None, parts: Parts) -> str:
    return at.astimezone(parts.settings.zone).isoformat(sep=" ", timespec="seconds") if at else ""


COLUMNS = (
    Column("started", "Time", lambda call, parts: _local(call.started_at, parts), sort="started"),
    Column("direction", "Direction", lambda call, _: mark(DIRECTIONS, call.direction).word),
    Column("status", "Status", lambda call, _: mark(STATUSES, call.status).word),
    Column("from", "From", lambda call, _: call.caller_number),
    Column("customer", "Customer", lambda call, _: call.customer_company or call.customer_name or call.caller_name),
    Column("category", "Category", lambda call, _: call.customer_category, usual=False),
    Column("to", "To", lambda call, _: call.number_name or call.called_number),
    Column("queue", "Queue", lambda call, _: call.queue_title),
    Column("agent", "Agent", lambda call, _: call.agent),
    Column("extension", "Extension", lambda call, _: call.extension, usual=False),
    Column("ivr", "Menu", lambda call, _: f"{call.ivr_seconds:.3f}", number=True, usual=False),
    Column("wait", "Wait", lambda call, _: f"{call.wait_seconds:.3f}", sort="wait", number=True),
    Column("ring", "Ring", lambda call, _: f"{call.ring_seconds:.3f}", number=True, usual=False),
    Column("talk", "Talk", lambda call, _: f"{call.talk_seconds:.3f}", sort="talk", number=True),
    Column("hold", "Hold", lambda call, _: f"{call.hold_seconds:.3f}", number=True, usual=False),
    Column("wrap_up", "Wrap-up", lambda call, _: f"{call.wrap_up_seconds:.3f}", number=True, usual=False),
    Column("total", "Total", lambda call, _: f"{call.total_seconds:.3f}", sort="total", number=True, usual=False),
    Column("ended_by", "Ended by", lambda call, _: ENDED_BY.get(call.ended_by, call.ended_by), usual=False),
    Column("sound", "Recording", lambda call, _: str(call.recording_id or call.voicemail_id or "")),
)
COLUMN_KEYS = tuple(column.key for column in COLUMNS)


def shown_columns(filters: Filters) -> tuple[Column, ...]:
    """The columns chosen, in their own order; the usual ones where none was."""
    if filters.columns:
        return tuple(column for column in COLUMNS if column.key in filters.columns)
    return tuple(column for column in COLUMNS if column.usual)


def found_calls(filters: Filters, who: Viewer, limit: int = 50) -> Found:
    here = parts()
    search = CallSearch(here.db, here.settings.zone)
    return search.find(filters, now=here.clock.now(), only_agent=who.only_agent, limit=limit)


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter in force: taken away by going to `without`."""

    name: str
    value: str
    without: str


def _chips(filters: Filters, queues: Mapping[str, str], agents: Mapping[int, str]) -> Iterator[Chip]:
    if filters.period == "dates":
        since = filters.since.isoformat() if filters.since else "the beginning"
        until = filters.until.isoformat() if filters.until else "today"
        yield Chip("Period", f"{since} to {until}", filters.query(period="7d"))
    elif filters.period != "all":
        yield Chip("Period", PERIODS[filters.period], filters.query(period="all"))
    if filters.q:
        yield Chip("Search", filters.q, filters.query(q=""))
    if filters.direction:
        yield Chip("Direction", mark(DIRECTIONS, filters.direction).word, filters.query(direction=""))
    if filters.status:
        word = "Missed" if filters.status == "missed" else mark(STATUSES, filters.status).word
        yield Chip("Status", word, filters.query(status=""))
    if filters.queue:
        yield Chip("Queue", queues.get(filters.queue, filters.queue), filters.query(queue=""))
    if filters.agent is not None:
        yield Chip("Agent", agents.get(filters.agent, str(filters.agent)), filters.query(agent=None))
    if filters.customer is not None:
        yield Chip("Customer", str(filters.customer), filters.query(customer=None))


def _filters() -> Filters:
    try:
        return read_filters(request.args, COLUMN_KEYS)
    except FilterUnusable as fault:
        abort(400, str(fault))


@calls.get("/calls")
@needs(Right.SEE_CALLS)
def listed() -> AnyResponse | str:
    if request.args.get("go"):  # the filters' form: its address is written anew, without what is empty
        chosen = request.args.to_dict() | {"columns": ",".join(request.args.getlist("columns"))}
        if len(request.args.getlist("columns")) == len(COLUMNS) or set(chosen["columns"].split(",")) == {
            column.key for column in COLUMNS if column.usual
        }:
            chosen["columns"] = chosen["columns"] if len(request.args.getlist("columns")) == len(COLUMNS) else ""
        try:
            return redirect(_address(read_filters(chosen, COLUMN_KEYS)))
        except FilterUnusable as fault:
            abort(400, str(fault))
    filters, who, here = _filters(), viewer(), parts()
    try:
        found = found_calls(filters, who)
    except FilterUnusable as fault:
        abort(400, str(fault))
    queues = dict(
        here.db.execute_sql("SELECT name, COALESCE(NULLIF(title, ''), name) FROM queue ORDER BY 2").fetchall()
    )
    agents = dict(here.db.execute_sql("SELECT id, name FROM agent ORDER BY name").fetchall())
    return render_template(
        "calls.html",
        place_key="calls",
        filters=filters,
        found=found,
        most=COUNTED,
        columns=shown_columns(filters),
        all_columns=COLUMNS,
        chips=list(_chips(filters, queues, agents)),
        queues=queues,
        agents=agents,
        periods=PERIODS,
        statuses={"missed": Mark("Missed (all)", "phone-x", "bad")} | dict(STATUSES),
        today=here.clock.now().astimezone(here.settings.zone).date(),
    )


def _address(filters: Filters) -> str:
    query = filters.query()
    return url_for("calls.listed") + (f"?{query}" if query else "")


@calls.get("/calls/export.csv")
@needs(Right.EXPORT)
def export() -> Response:
    """The list with its filters, order and columns, all of its pages, written while it is read. Lengths in seconds."""
    filters, here, who = _filters(), parts(), viewer()
    columns = shown_columns(filters)
    rows = CallSearch(here.db, here.settings.zone).all(
        here.settings.database_url or "", filters, now=here.clock.now(), only_agent=who.only_agent
    )
    first = next(rows, None)  # a fault shows before the answer has begun

    def lines() -> Iterator[str]:
        yield _line([f"{column.title} (s)" if column.number else column.title for column in columns] + ["Call"])
        call = first
        while call is not None:
            yield _line([safe_cell(str(column.text(call, here))) for column in columns] + [str(call.call_id)])
            call = next(rows, None)

    answer = Response(lines(), mimetype="text/csv")
    answer.call_on_close(rows.close)  # type: ignore[attr-defined]  # the iterator is a generator
    answer.headers["Content-Disposition"] = f'attachment; filename="calls-{here.clock.now():%Y%m%d-%H%M}.csv"'
    return answer


def _line(cells: list[str]) -> str:
    written = io.StringIO()
    csv.writer(written).writerow(cells)
    return written.getvalue()


@calls.get("/calls/<uuid:call_id>")
@needs(Right.SEE_CALLS)
def one(call_id: UUID) -> str:
    here, who = parts(), viewer()
    found = onecall.load(here.db, str(call_id))
    if found is None or (who.only_agent is not None and not found.belongs_to(who.only_agent)):
        abort(404)
    line = onecall.timeline(found, here.clock.now())
    heard = who.only_agent is None or found.call["agent_id"] == who.only_agent
    tracks = [
        {"row": row, "place": onecall.position(found, line, row["started_at"], float(row["seconds"]))}
        for row in (found.recordings if heard else ())
    ]
    return render_template(
        "call.html",
        place_key="calls",
        found=found,
        call=found.call,
        line=line,
        tracks=tracks,
        strategies=strategies.STRATEGIES,
    )
