"""The figures as a table for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .centres import TALK
from .figures import CONFIDENCE, NEAR, Figure, Overhead

COLUMNS = ("", "theory", "±", "measured", "inside", "same callers", "±", "off at most", "")


def table(figures: Sequence[Figure]) -> str:
    """One line a comparison. `±` are half-widths, that of the mean wait also as a share of theory."""
    rows = [COLUMNS]
    centre = ""
    for figure in figures:
        if figure.centre != centre:
            centre = figure.centre
            rows.append((centre, *[""] * (len(COLUMNS) - 1)))
        several = sum(each.centre == centre for each in figures) > 3
        rows.append(
            (
                f"  {figure.queue + ', ' if several else ''}{figure.measure}",
                _said(figure, figure.theory),
                f"{_said(figure, figure.wide)} ({figure.wide / figure.theory:.0%})",
                _said(figure, figure.measured),
                "yes" if figure.inside else "NO",
                _said(figure, figure.of_same),
                f"{_said(figure, figure.narrow)} ({figure.narrow / figure.theory:.1%})",
                f"{figure.off:.1%}",
                "agrees" if figure.agrees else "DIFFERS",
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    lines = [
        row[0].ljust(widths[0])
        + "".join("  " + cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))
        for row in rows
    ]
    agree = sum(figure.agrees for figure in figures)
    return "\n".join(
        [
            *(line.rstrip() for line in lines),
            f"{agree} of {len(figures)} agree: inside the interval, and with the same callers not further off than {NEAR:.0%}.",
            f"All intervals of one column hold together with a confidence of {CONFIDENCE:.0%}.",
        ]
    )


def overheads(found: Mapping[str, Overhead], speed: float) -> str:
    """What theory was told of each centre beside its calls."""
    return "\n".join(
        f"{name}: beside talks of {TALK:g} s an agent is taken up {each.beyond_talk:.2f} s on average"
        f" ({each.beyond_talk / TALK:.2%}; of the wall p50 {1000 * each.at_half / speed:.1f} ms,"
        f" p99 {1000 * each.at_most / speed:.1f} ms)"
        + (f"; who gives up is gone {each.beyond_patience:.2f} s later" if each.beyond_patience else "")
        for name, each in found.items()
    )


def _said(figure: Figure, value: float) -> str:
    return f"{value:.2f} s" if figure.measure == "mean wait" else f"{value:.2%}"
