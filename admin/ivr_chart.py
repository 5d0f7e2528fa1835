"""The chart of calls over time: columns, at their foot those in which callers hung up, and the period before as a thin line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from engine.records.ivr_statistics import Period, Span

HEIGHT: Final = 180
MOST_LABELS: Final = 12


@dataclass(frozen=True, slots=True)
class Column:
    """One stretch; `left` and `width` in per cent, heights in pixels from the foot of the chart."""

    left: float
    width: float
    height: float
    hung_up: float
    label: str
    """Below the column; empty where there is no room for it."""
    hint: str
    minor: bool = False
    """Whether the label may be left out where there is little room."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A straight piece of the thin line: from and to, across in per cent, down in pixels from the top."""

    x1: float
    y1: float
    x2: float
    y2: float


@dataclass(frozen=True, slots=True)
class Rule:
    """A horizontal line of the scale."""

    y: float
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    height: int
    columns: Sequence[Column]
    before: Sequence[Piece]
    rules: Sequence[Rule]


def draw(spans: Sequence[Span], before: Sequence[Span], period: Period) -> Chart:
    """The chart of the spans; empty where there are none."""
    before = before[: len(spans)]
    top = _top(max((span.calls for span in (*spans, *before)), default=0))
    width = 100 / max(1, len(spans))
    every = -(-len(spans) // MOST_LABELS)
    columns = [
        Column(
            left=number * width + width * 0.12,
            width=width * 0.76,
            height=span.calls / top * HEIGHT,
            hung_up=span.hung_up / top * HEIGHT,
            label=_label(span, period) if number % every == 0 else "",
            hint=_hint(span, before[number] if number < len(before) else None, period),
            minor=number // every % 2 == 1,
        )
        for number, span in enumerate(spans)
    ]
    points = [((number + 0.5) * width, HEIGHT - span.calls / top * HEIGHT) for number, span in enumerate(before)]
    known = any(span.calls for span in before)
    pieces = [Piece(*start, *end) for start, end in pairwise(points)] if known else []
    rules = [Rule(HEIGHT - HEIGHT * part / 4, f"{top * part // 4:,}") for part in (0, 2, 4)]
    return Chart(HEIGHT, columns, pieces, rules)


def _top(most: int) -> int:
    """A round number that is at least the most, four times something whole."""
    step = 1
    while True:
        for factor in (1, 2, 5):
            if most <= step * factor * 4:
                return step * factor * 4
        step *= 10


def _label(span: Span, period: Period) -> str:
    at = span.at.astimezone(period.zone)
    if period.unit == "hour":
        return f"{at:%H}"
    return f"{at:%b}" if period.unit == "month" else f"{at.day} {at:%b}"


def _hint(span: Span, before: Span | None, period: Period) -> str:
    at = span.at.astimezone(period.zone)
    form = {"hour": "%a %H:%M", "day": "%a %-d %b", "month": "%B %Y"}[period.unit]
    said = f"{at.strftime(form)}: {span.calls:,} call{'' if span.calls == 1 else 's'}, {span.hung_up:,} hung up"
    return said if before is None else f"{said}; the period before {before.calls:,}"
