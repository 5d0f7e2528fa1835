"""Reports on flows: what callers do at each step, and the path of each call; as pages and as files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from admin import ivr_chart, periods, sheets, words
from admin.access import Right, needs
from admin.parts import Parts, parts
from admin.periods import Chosen, FilterUnusable
from engine.records.ivr_paths import COUNTED, CallPath, PathSearch, all_paths, find_paths
from engine.records.ivr_statistics import (
    HUNG_UP,
    FlowFigures,
    NodeFigures,
    Period,
    Span,
    flow_figures,
    flows_seen,
    statistics,
)
from ivr.forms import EXITS, node_forms

ivr_reports = Blueprint("ivr_reports", __name__)

FORMULAS: Final[Mapping[str, str]] = {
    "Entries": "How often calls came to the step: first visits + later visits.",
    "First": "Entries that were the call's first visit of the step, which is the number of calls that came by.",
    "Later": "Entries in which a call came to the step again: entries − first.",
    "Callers": "Different numbers among the calls that came by; each withheld one counts as a caller of its own.",
    "Half stayed": "Median of the seconds from entering the step to leaving it: half of the visits were shorter.",
    "Most stayed": "95th percentile of the same seconds: 95 of 100 visits were shorter.",
    "Hung up": "Visits in which the caller hung up, and their share of the entries.",
    "Left by": "How often each exit was taken, the most frequent first.",
}
"""The columns of the statistics, and what each says."""

EXPORTED: Final = (
    "flow", "node", "title", "kind", "exit", "entries", "first", "later", "calls", "callers", "mean seconds", "median seconds",
    "p95 seconds", "hung up",
)  # fmt: skip
PATH_EXPORTED: Final = (
    "time", "from", "to", "number", "customer", "channel", "switch", "flow seconds", "path", "status", "ended by",
)  # fmt: skip
_TITLES: Final = """
SELECT f.name, n.key, n.value ->> 'title' FROM flow f
JOIN LATERAL (SELECT document FROM flow_version v WHERE v.flow_id = f.id AND published_at IS NOT NULL
    ORDER BY version DESC LIMIT 1) v ON true
CROSS JOIN LATERAL jsonb_each(v.document -> 'nodes') n WHERE coalesce(n.value ->> 'title', '') <> ''"""


@dataclass(frozen=True, slots=True)
class Report:
    """All that the statistics show, of one flow or of all."""

    period: Period
    flow: str
    flows: Sequence[str]
    whole: FlowFigures
    earlier: FlowFigures
    spans: Sequence[Span]
    spans_before: Sequence[Span]
    nodes: Sequence[NodeFigures]
    titles: Mapping[tuple[str, str], str]

    def title(self, node: NodeFigures) -> str:
        """What people called the step; its name where they did not."""
        return self.titles.get((node.flow, node.node), node.node)

    @property
    def leaving_place(self) -> NodeFigures | None:
        """Where most callers hung up."""
        return max((node for node in self.nodes if node.hung_up), key=lambda node: node.hung_up, default=None)


def load_report(here: Parts, period: Period, flow: str) -> Report:
    """Database errors pass."""
    db = here.db
    with db.connection_context():
        titles = {(flow_name, node): title for flow_name, node, title in db.execute_sql(_TITLES).fetchall()}
    (whole, spans), (earlier, spans_before) = flow_figures(db, period, flow), flow_figures(db, period.before, flow)
    return Report(
        period=period,
        flow=flow,
        flows=sorted({*flows_seen(db, period), *([flow] if flow else [])}),
        whole=whole,
        earlier=earlier,
        spans=spans,
        spans_before=spans_before,
        nodes=statistics(db, period, flow),
        titles=titles,
    )


def kind_of(node_type: str) -> str:
    """What people call a type of node."""
    form = node_forms().get(node_type)
    return node_type if form is None else form.title


def exit_words(exit_name: str) -> str:
    """What people call an exit."""
    if exit_name in words.EXITS:
        return words.EXITS[exit_name].capitalize()
    if exit_name and set(exit_name) <= set("0123456789*#"):
        return f"Key {exit_name}"
    return EXITS.get(exit_name, "Into another flow" if exit_name == "enters" else exit_name)


def read_flow(args: Mapping[str, str]) -> str:
    return args.get("flow", "")[:60].replace("\0", "")


def _address(endpoint: str, said: Mapping[str, str]) -> str:
    return url_for(endpoint) + (f"?{urlencode(said)}" if said else "")


# --- IVR statistics ---


@ivr_reports.get("/reports/ivr")
@needs(Right.SEE_REPORTS)
def page() -> str | AnyResponse:
    here, chosen, flow = parts(), periods.chosen(request.args), read_flow(request.args)
    said = chosen.query() | ({"flow": flow} if flow else {})
    if "go" in request.args:
        return redirect(_address("ivr_reports.page", said))
    now, zone = here.clock.now(), here.settings.zone
    report = load_report(here, chosen.of(now, zone), flow)
    return render_template(
        "ivr_statistics.html",
        report=report,
        chart=ivr_chart.draw(report.spans, report.spans_before, report.period),
        chosen=chosen,
        choices=periods.CHOICES,
        when=chosen.words(now, zone),
        query=urlencode(said),
        period_query=chosen.query(),
        formulas=FORMULAS,
        forms=sheets.FORMS,
        kind_of=kind_of,
        exit_words=exit_words,
        hung_up=HUNG_UP,
        place_key="ivr_statistics",
    )


@ivr_reports.get("/reports/ivr/export")
@needs(Right.SEE_REPORTS)
def export() -> Response:
    here, form = parts(), sheets.asked_for(request.args)
    now, zone = here.clock.now(), here.settings.zone
    report = load_report(here, periods.chosen(request.args).of(now, zone), read_flow(request.args))
    return sheets.send(form, f"ivr-statistics-{now:%Y%m%d-%H%M}", EXPORTED, exported(report), zone)


def exported(report: Report) -> Iterator[Sequence[sheets.Cell]]:
    """A row for each node, and one for each of its exits below it."""
    for node in report.nodes:
        yield (
            node.flow, node.node, report.title(node), kind_of(node.node_type), None, node.entries, node.first, node.later,
            node.calls, node.callers, node.mean, node.p50, node.p95, node.hung_up,
        )  # fmt: skip
        for way in node.exits:
            yield (
                node.flow, node.node, report.title(node), kind_of(node.node_type), way.exit, way.count, None, None, None,
                way.callers, None, way.p50, way.p95, None,
            )  # fmt: skip


# --- IVR record ---


def read_search(args: Mapping[str, str], period: Period) -> PathSearch:
    """From an address's query. FilterUnusable for what cannot be read."""

    def text(name: str, longest: int = 60) -> str:
        return args.get(name, "").strip()[:longest].replace("\0", "")

    def seconds(name: str) -> float | None:
        said = args.get(name, "").strip()
        if not said:
            return None
        try:
            found = float(said)
        except ValueError:
            found = -1.0
        if not 0 <= found <= 1e6:
            raise FilterUnusable(f"{name}: {said[:20]!r} is no number of seconds")
        return found

    return PathSearch(
        period, text("number", 40), text("called", 40), seconds("least"), seconds("most"), text("flow"), text("node"),
        text("exit"),
    )  # fmt: skip


def read_after(said: str) -> tuple[datetime, UUID] | None:
    """A place in the list, as a page gives it out. FilterUnusable for anything else."""
    if not said:
        return None
    try:
        at, _, call_id = said.partition("_")
        found = datetime.fromisoformat(at), UUID(call_id)
    except ValueError as error:
        raise FilterUnusable("after: not a place in this list; begin again at the first page") from error
    if found[0].tzinfo is None:
        raise FilterUnusable("after: not a place in this list; begin again at the first page")
    return found


def place(after: tuple[datetime, UUID] | None) -> str:
    """As `read_after` reads it."""
    return "" if after is None else f"{after[0].isoformat()}_{after[1]}"


def search_query(chosen: Chosen, search: PathSearch) -> dict[str, str]:
    """The address's query for a search; what is as usual is left out."""
    said = {name: getattr(search, name) for name in ("number", "called", "least", "most", "flow", "node", "exit")}
    shown = {name: f"{value:g}" if isinstance(value, float) else value for name, value in said.items()}
    return chosen.query() | {name: value for name, value in shown.items() if value}


def _search(here: Parts, chosen: Chosen) -> PathSearch:
    try:
        return read_search(request.args, chosen.of(here.clock.now(), here.settings.zone))
    except FilterUnusable as fault:
        abort(400, str(fault))


@ivr_reports.get("/reports/ivr-record")
@needs(Right.SEE_REPORTS)
def record() -> str | AnyResponse:
    here, chosen = parts(), periods.chosen(request.args)
    search = _search(here, chosen)
    said = search_query(chosen, search)
    if "go" in request.args:
        return redirect(_address("ivr_reports.record", said))
    try:
        after = read_after(request.args.get("after", ""))
    except FilterUnusable as fault:
        abort(400, str(fault))
    found = find_paths(here.db, search, after=after)
    chips = [
        {"name": title, "value": said[name], "without": {key: value for key, value in said.items() if key != name}}
        for name, title in _CHIPS.items()
        if name in said
    ]
    return render_template(
        "ivr_record.html",
        found=found,
        search=search,
        chosen=chosen,
        choices=periods.CHOICES,
        chips=chips,
        said=said,
        query=urlencode(said),
        next_place=place(found.after),
        first_page=after is None,
        counted=COUNTED,
        flows=sorted({*flows_seen(here.db, search.period), *([search.flow] if search.flow else [])}),
        forms=sheets.FORMS,
        kind_of=kind_of,
        exit_words=exit_words,
        hung_up=HUNG_UP,
        place_key="ivr_record",
    )


_CHIPS: Final = {
    "number": "From", "called": "To", "least": "At least (s)", "most": "At most (s)", "flow": "Flow", "node": "Step",
    "exit": "Left by",
}  # fmt: skip


@ivr_reports.get("/reports/ivr-record/export")
@needs(Right.SEE_REPORTS)
def export_record() -> Response:
    here, form = parts(), sheets.asked_for(request.args)
    calls = all_paths(here.settings.database_url or "", _search(here, periods.chosen(request.args)))
    name = f"ivr-record-{here.clock.now():%Y%m%d-%H%M}"
    return sheets.send(form, name, PATH_EXPORTED, path_rows(calls), here.settings.zone)


def path_rows(calls: Iterator[CallPath]) -> Iterator[Sequence[sheets.Cell]]:
    """A row for each call; its path as `flow.node (seconds, exit) > …`."""
    for call in calls:
        path = " > ".join(f"{step.flow}.{step.node} ({step.seconds:.1f} s, {step.exit})" for step in call.steps)
        row: list[Any] = [
            call.started_at, call.caller_number, call.called_number, call.number_name, call.customer, call.channel, call.switch,
            call.seconds, path, call.status, call.ended_by,
        ]  # fmt: skip
        yield row
