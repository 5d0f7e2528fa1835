"""The API's reports on flows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from flask import Response, abort, request
from flask_openapi3.models.tag import Tag
from pydantic import BaseModel, Field

from admin import periods
from admin.access import Right, needs
from admin.api.blueprints import blueprint
from admin.api.shapes import answer
from admin.ivr_reports import load_report, place, read_after, read_flow, read_search
from admin.parts import parts
from admin.periods import FilterUnusable
from engine.records.ivr_paths import CallPath, find_paths
from engine.records.ivr_statistics import FlowFigures, NodeFigures, Period, Span
from engine.records.survey_statistics import QuestionFigures, survey_figures

reports = blueprint("api_reports")
REPORTS = Tag(name="Reports")


class PeriodQuery(BaseModel):
    period: str = Field(default=periods.USUAL, description=f"One of {', '.join(periods.CHOICES)}.")
    since: str = Field(default="", alias="from", description="With period `dates`: first day, 2026-03-04.")
    until: str = Field(default="", alias="to", description="With period `dates`: last day.")


class FlowQuery(PeriodQuery):
    flow: str = Field(default="", description="A flow's name; empty for all.")


class RecordQuery(FlowQuery):
    number: str = Field(default="", description="The caller's number in any spelling, or a part of it.")
    called: str = Field(default="", description="The called number.")
    least: float | None = Field(default=None, ge=0, description="Seconds spent in flows, at least.")
    most: float | None = Field(default=None, ge=0, description="Seconds spent in flows, at most.")
    node: str = Field(default="", description="Calls that came by this step.")
    exit: str = Field(default="", description="And left it, or any where no step is named, by this exit.")
    after: str = Field(default="", description="As the page before gave it out.")
    limit: int = Field(default=50, ge=1, le=500)


class NodeOut(BaseModel):
    """`p50` and `p95` are seconds; `first` are entries that were the call's first visit of the step, `later` those that were
    not."""

    figures: NodeFigures
    first: int
    later: int
    title: str


class StatisticsOut(BaseModel):
    """All calls that began in the period and have ended, by all their steps; `before` is the same of the period before."""

    since: datetime
    until: datetime
    whole: FlowFigures
    before: FlowFigures
    spans: Sequence[Span]
    nodes: Sequence[NodeOut]


class RecordOut(BaseModel):
    """`hits` counts all pages and stops at 100,001; `after` is for the next page, empty on the last."""

    calls: Sequence[CallPath]
    hits: int
    after: str


def _period() -> Period:
    here = parts()
    return periods.chosen(request.args).of(here.clock.now(), here.settings.zone)


@reports.get("/reports/ivr", summary="What callers do at each step", tags=[REPORTS], responses={200: StatisticsOut})
@needs(Right.SEE_REPORTS)
def ivr_statistics(query: FlowQuery) -> Response:  # noqa: ARG001  # described by it, read from the address
    report = load_report(parts(), _period(), read_flow(request.args))
    return answer(
        StatisticsOut(
            since=report.period.since,
            until=report.period.until,
            whole=report.whole,
            before=report.earlier,
            spans=report.spans,
            nodes=[
                NodeOut(figures=node, first=node.first, later=node.later, title=report.title(node))
                for node in report.nodes
            ],
        )
    )


class SurveyQuery(PeriodQuery):
    survey: str = Field(default="", description="A survey's name; empty for all.")


class SurveysOut(BaseModel):
    """The questions answered within the period, in the order in which they are asked."""

    questions: Sequence[QuestionFigures]


@reports.get("/reports/surveys", summary="What callers answered", tags=[REPORTS], responses={200: SurveysOut})
@needs(Right.SEE_REPORTS)
def survey_answers(query: SurveyQuery) -> Response:
    return answer(SurveysOut(questions=survey_figures(parts().db, _period(), query.survey[:60].replace("\0", ""))))


@reports.get("/reports/ivr-record", summary="The path of each call", tags=[REPORTS], responses={200: RecordOut})
@needs(Right.SEE_REPORTS)
def ivr_record(query: RecordQuery) -> Response:
    try:
        search = read_search(request.args, _period())
        found = find_paths(parts().db, search, limit=query.limit, after=read_after(query.after))
    except FilterUnusable as fault:
        abort(400, str(fault))
    return answer(RecordOut(calls=found.calls, hits=found.hits, after=place(found.after)))
