"""The report on surveys: what callers answered, and about whom; as a page and as files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Final
from urllib.parse import urlencode

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from admin import periods, sheets
from admin.access import Right, needs
from admin.parts import parts
from admin.periods import Chosen
from engine.records.survey_statistics import QuestionFigures, survey_figures, surveys_seen

surveys = Blueprint("surveys", __name__)

FORMULAS: Final[Mapping[str, str]] = {
    "Answers": "Calls whose caller answered the question within the period; of two answers of a call the last one counts.",
    "Mean": "The keys as numbers, added up, divided by the answers.",
    "Agent": "Whoever the caller had talked with last before answering.",
}
EXPORTED: Final = ("survey", "question", "asked", "answer", "words", "agent", "answers", "mean")


def read_survey(args: Mapping[str, str]) -> str:
    return args.get("survey", "")[:60].replace("\0", "")


def _found(chosen: Chosen) -> list[QuestionFigures]:
    here = parts()
    return survey_figures(here.db, chosen.of(here.clock.now(), here.settings.zone), read_survey(request.args))


@surveys.get("/reports/surveys")
@needs(Right.SEE_REPORTS)
def page() -> str | AnyResponse:
    here, chosen, survey = parts(), periods.chosen(request.args), read_survey(request.args)
    said = chosen.query() | ({"survey": survey} if survey else {})
    if "go" in request.args:
        return redirect(url_for("surveys.page") + (f"?{urlencode(said)}" if said else ""))
    found = _found(chosen)
    return render_template(
        "surveys.html",
        surveys=[(name, list(questions)) for name, questions in groupby(found, lambda each: each.survey)],
        names=sorted({*surveys_seen(here.db), *([survey] if survey else [])}),
        survey=survey,
        chosen=chosen,
        choices=periods.CHOICES,
        when=chosen.words(here.clock.now(), here.settings.zone),
        query=urlencode(said),
        formulas=FORMULAS,
        forms=sheets.FORMS,
        place_key="surveys",
    )


@surveys.get("/reports/surveys/export")
@needs(Right.SEE_REPORTS)
def export() -> Response:
    here, form = parts(), sheets.asked_for(request.args)
    found = _found(periods.chosen(request.args))
    return sheets.send(form, f"surveys-{here.clock.now():%Y%m%d-%H%M}", EXPORTED, exported(found), here.settings.zone)


def exported(found: Sequence[QuestionFigures]) -> Iterator[Sequence[sheets.Cell]]:
    """For each question a row of its own, one for each answer, and one for each agent."""
    for each in found:
        named = (each.survey, each.question, each.asked)
        yield *named, None, None, None, each.answers, each.mean
        for share in each.counts:
            yield *named, share.answer, share.words, None, share.count, None
        for score in each.agents:
            yield *named, None, None, score.agent or "nobody", score.answers, score.mean
