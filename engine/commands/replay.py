"""`pointsman replay`: decide a recorded day again, and see whether every decision comes out as it was."""

from __future__ import annotations

import sys
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click
import msgspec

from conf.clock import Clock
from conf.installation import NotRunning, complete
from conf.settings import load
from engine.routing import day_log
from engine.routing.replay import Replayed
from engine.routing.replay import replay as decide_again


@click.command()
@click.option("--day", metavar="YYYY-MM-DD", help="Which day; today if left out.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a log instead of words.")
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def replay(day: str | None, as_json: bool, files: tuple[Path, ...]) -> None:
    """Decide a recorded day again and report the first difference.

    The logs of the day are those that routers on this machine have left; FILES are read instead where some are named. Ends
    with 1 where a decision came out otherwise, and with 2 where there is no log.
    """
    settings = load()
    with suppress(NotRunning):
        settings = complete(settings)
    folder, zone = settings.home / "routing", settings.zone
    wanted = _day(day, Clock.parse(settings.clock).now().astimezone(zone).date())
    logs = list(files) or day_log.files_of(folder, wanted)
    if not logs:
        days = day_log.days(folder)
        others = f"; there are logs of {days[0]} to {days[-1]}" if days else ""
        click.echo(f"no router has left a log of {wanted} in {folder}{others}", err=True)
        sys.exit(2)
    differs = False
    for path in logs:
        done = decide_again(path)
        differs |= done.difference is not None
        print(msgspec.json.encode(_item(done)).decode() if as_json else _words(done, zone))
    sys.exit(1 if differs else 0)


def _day(text: str | None, today: date) -> date:
    try:
        return today if text is None else date.fromisoformat(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no day such as {today}", param_hint="--day") from error


def _item(done: Replayed) -> dict[str, Any]:
    difference = done.difference
    return {
        "file": str(done.path),
        "epoch": done.tenure.epoch,
        "began": done.tenure.began,
        "events": done.events,
        "decisions": done.decisions,
        "seconds": round(done.seconds, 3),
        "same": difference is None,
        "difference": None
        if difference is None
        else {
            "line": difference.line,
            "event": difference.event,
            "recorded": difference.recorded,
            "decided": difference.decided,
        },
    }


def _words(done: Replayed, zone: ZoneInfo) -> str:
    head = (
        f"{done.path.name}: epoch {done.tenure.epoch}, {done.events:,} events, {done.decisions:,} decisions, "
        f"{done.seconds:.2f} s"
    )
    if done.difference is None:
        return f"{head}: all the same"
    number, was, now = done.difference.first()
    event = done.difference.event
    at = datetime.fromtimestamp(float(event.get("at", 0)), zone)
    return "\n".join(
        (
            f"{head}: differs",
            f"  line {done.difference.line}, {at:%H:%M:%S.%f}, told {_short(event)}",
            f"  decision {number + 1} was  {_short(was)}",
            f"  decision {number + 1} now  {_short(now)}",
        )
    )


def _short(value: dict[str, Any] | None) -> str:
    return "nothing" if value is None else msgspec.json.encode(value).decode()[:600]
