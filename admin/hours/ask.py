"""Is it open? A question of a number or a calendar, a date and a time, answered in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from admin import numbers
from admin.forms import Refused
from admin.hours import overview, words
from admin.parts import Parts
from admin.words import WEEKDAYS
from dialplan import hours as dialplan_hours
from dialplan.days import MINUTES, ORDER, Day
from dialplan.destinations import ByHours, Rule, ToFlow
from dialplan.hours import Calendar, Closed
from dialplan.public import FIRST_YEAR, LAST_YEAR


@dataclass(frozen=True, slots=True)
class Answer:
    """`open` is None where the number asks no calendar. `why` is the rule that decides, `more` what comes of it."""

    open: bool | None
    asked: str
    said: str
    why: str = ""
    more: Sequence[str] = field(default_factory=tuple)


def choices(parts: Parts) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """What may be asked of: numbers, and calendars; each as value and word."""
    from dialplan.numbers import display

    country = parts.settings.country
    return (
        [(f"number:{n.number}", f"{display(n.number, country)} {n.name}".strip()) for n in numbers.find(parts)],
        [(f"calendar:{found.calendar.name}", found.calendar.name) for found in overview.stored(parts)],
    )


def ask(parts: Parts, of: str, on: str, at: str) -> Answer:
    """The answer to `calendar:NAME` or `number:NUMBER` at a date and a time of day, on the clock of the calendar, or of the
    installation for a number. Refused names what cannot be understood."""
    kind, _, name = of.partition(":")
    try:
        day = date.fromisoformat(on)
    except ValueError as error:
        raise Refused("on", "Date must be one such as 2026-12-24.") from error
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise Refused("on", f"Date must be in {FIRST_YEAR} to {LAST_YEAR}.")
    try:
        clock = time.fromisoformat(at)
    except ValueError as error:
        raise Refused("at", "Time must be one such as 12:30.") from error
    known = {found.calendar.name: found.calendar for found in overview.stored(parts)}
    if kind == "calendar":
        calendar = known.get(name)
        if calendar is None:
            raise Refused("of", f"There is no calendar {name}.")
        moments = list(_instants(day, clock, calendar.zone))
        return _of_calendar(calendar, moments, _asked(calendar.name, moments, clock))
    if kind == "number":
        found = next((each for each in numbers.find(parts) if each.number == name), None)
        if found is None:
            raise Refused("of", f"There is no number {name}.")
        moments = list(_instants(day, clock, parts.settings.zone))
        return _of_number(parts, found, known, moments, clock)
    raise Refused("of", "Choose a number or a calendar.")


def why(calendar: Calendar, at: datetime) -> str:
    """The rule that decides this instant, in words."""
    for emergency in calendar.emergencies:
        if emergency.since <= at < emergency.until:
            until = words.moment(emergency.until.astimezone(calendar.zone))
            return f"{ORDER[0][0]}{f' by {emergency.by}' if emergency.by else ''} until {until}."
    local = at.astimezone(calendar.zone)
    day, minute = local.date(), local.hour * 60 + local.minute
    night = any(opens <= minute + MINUTES < closes for opens, closes in calendar.spans(day - timedelta(days=1)))
    if night:
        day -= timedelta(days=1)
    special = calendar.special(day)
    began = "It began the evening before. " if night else ""
    if special is None:
        weekday = WEEKDAYS[day.weekday()]
        week = [(each.opens, each.closes) for each in calendar.of_weekday(day.weekday())]
        return f"{began}{weekday}s: {words.spans(week)}."
    return f"{began}{_rule(calendar, special, day)}: {words.what(special)}."


def _asked(name: str, moments: Sequence[datetime], clock: time) -> str:
    return f"{name}, {words.a_date(moments[0].date())}, {clock:%H:%M}"


def _instants(day: date, clock: time, zone: ZoneInfo) -> Iterator[datetime]:
    """The instants that a clock on the wall shows this: one, two where the hour is repeated; where it is skipped, the one the
    clock shows instead."""
    local = datetime.combine(day, clock, zone)
    first, second = (local.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    yield first.astimezone(zone)
    if second > first:
        yield second.astimezone(zone)


def _of_calendar(calendar: Calendar, moments: Sequence[datetime], asked: str) -> Answer:
    states = [dialplan_hours.status(calendar, moment) for moment in moments]
    said = words.state(calendar, states[0], moments[0])
    more = []
    if len(moments) > 1:
        other = words.state(calendar, states[1], moments[1])
        more.append(f"This time comes twice, as the clocks go back. The second time: {other}")
    shown, wanted = f"{moments[0]:%H:%M}", asked.rpartition(", ")[2]
    if shown != wanted:
        more.append(f"There is no {wanted} on this day, as the clocks go forward; the answer is for {shown}.")
    return Answer(not isinstance(states[0], Closed), asked, said, why(calendar, moments[0]), more)


def _of_number(
    parts: Parts, found: numbers.Number, known: dict[str, Calendar], moments: Sequence[datetime], clock: time
) -> Answer:
    asked = _asked(f"{found.number} {found.name}".strip(), moments, clock)
    rule: Rule | None = found.destination
    if rule is None:
        return Answer(False, asked, "The number is out of service: its destination makes no sense.")
    said: list[str] = []
    reason, is_open = "", None
    while isinstance(rule, ByHours):
        calendar = known.get(rule.calendar)
        if calendar is None:
            said.append(f"There is no calendar {rule.calendar}, so it counts as open.")
            rule = rule.open
            continue
        state = dialplan_hours.status(calendar, moments[0])
        is_open = not isinstance(state, Closed)
        said.append(words.state(calendar, state, moments[0]))
        reason = why(calendar, moments[0])
        rule = rule.open if is_open else rule.closed
    leads = f"Callers are led to: {numbers.in_words(rule)}."
    asks = _asked_by(parts, rule.flow, known) if isinstance(rule, ToFlow) else []
    if not said and len(asks) == 1:
        # Then the flow's one calendar is the answer.
        one = _of_calendar(asks[0], moments, asked)
        return Answer(one.open, asked, one.said, one.why, [*one.more, f"{leads} It asks {asks[0].name}."])
    more = [leads]
    for asked_too in asks:
        state = dialplan_hours.status(asked_too, moments[0])
        more.append(f"The flow asks {asked_too.name}: {words.state(asked_too, state, moments[0])}")
    if not said:
        said = ["This number asks no calendar by itself."]
    return Answer(is_open, asked, " ".join(said), reason, more)


def _asked_by(parts: Parts, flow: str, known: dict[str, Calendar]) -> list[Calendar]:
    """The calendars that a flow asks."""
    user = overview.User("flow", flow, flow)
    return [known[name] for name, users in overview.users(parts).items() if user in users and name in known]


def of_date(calendar: Calendar, day: date) -> str:
    """The rule that decides a date, in words."""
    special = calendar.special(day)
    if special is None:
        return f"The week's hours of {WEEKDAYS[day.weekday()]}s."
    return f"{_rule(calendar, special, day)}: {words.what(special)}."


def _rule(calendar: Calendar, special: Day, day: date) -> str:
    public = special not in calendar.days and calendar.holidays.get(day) == special.name
    return f"{special.name}, {'public holiday' if public else words.when(special.when)}"
