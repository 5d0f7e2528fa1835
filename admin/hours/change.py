"""Changing opening hours: what may be asked for, checked alike for pages and the API, published at once, and undone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from textwrap import shorten
from typing import Any

import peewee
from pydantic import BaseModel, ConfigDict, Field

from admin.forms import Refused, sentence
from admin.hours import overview, words
from admin.parts import Parts
from admin.publishing import change
from dialplan import calendar_store, calendars, public
from dialplan.calendar_store import Change, Stored
from dialplan.days import Day, overlapping
from dialplan.errors import CalendarInvalid, CalendarMoved
from dialplan.hours import Calendar, Public
from sounds import languages
from sounds.catalogue import DEFAULT_LANGUAGE as LANGUAGE
from sounds.catalogue import Catalogue

LONGEST_CLOSING = timedelta(days=31)
MOST_DOCUMENT = 200
"""Calendars of one document that is imported."""


class CalendarIn(BaseModel):
    """A calendar as dialplan.calendars writes it: `weekly`, `days`, `public_holidays`, `prompts`. What is left out is empty.
    `revision` is the one that was seen; with it, a calendar that was changed meanwhile is not overwritten."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(title="Name", min_length=1, max_length=80)
    timezone: str | None = Field(default=None, title="Time zone", max_length=60)
    weekly: dict[str, list[str]] = Field(default_factory=dict, title="Hours")
    public_holidays: dict[str, Any] | None = Field(default=None, title="Public holidays")
    days: list[dict[str, Any]] = Field(default_factory=list, title="Days of its own")
    holidays: list[str] = Field(default_factory=list, title="Holidays")
    prompts: dict[str, str] = Field(default_factory=dict, title="Prompts")
    revision: int | None = None


class PublicIn(BaseModel):
    """The public holidays that were accepted for one year. Without `days`, all that are proposed."""

    model_config = ConfigDict(extra="forbid")

    country: str = Field(title="Country", pattern="^[A-Z]{2}$")
    subdivision: str = Field(default="", title="Region", max_length=40)
    year: int = Field(title="Year", ge=public.FIRST_YEAR, le=public.LAST_YEAR)
    days: list[date] | None = Field(default=None, title="Days")


class ClosingIn(BaseModel):
    """Calendars that are closed by hand now, until an instant with its zone."""

    model_config = ConfigDict(extra="forbid")

    calendars: list[int] = Field(title="Calendars", min_length=1, max_length=200)
    until: datetime = Field(title="Until")
    reason: str = Field(title="Reason", min_length=1, max_length=120)
    prompt: str = Field(default="", title="What callers hear", max_length=80)


def save(parts: Parts, wanted: CalendarIn, found: Stored | None, *, by: str) -> tuple[int, int]:
    """Add or change a calendar; its id, and the id of the change, to undo. Refused names the field at fault."""
    try:
        calendar = calendars.parse_one(
            wanted.model_dump(exclude={"revision"}), zone=parts.settings.zone, years=years_ahead(parts)
        )
    except CalendarInvalid as error:
        raise Refused(_field_of(error), fault_of(error)) from error
    return store(parts, calendar, found, by=by, revision=wanted.revision)


def store(parts: Parts, calendar: Calendar, found: Stored | None, *, by: str, revision: int | None) -> tuple[int, int]:
    """Store and publish a calendar that was made from `found`; see `save`."""
    _check_prompts(parts, calendar, found)
    if found is not None and calendar.name != found.calendar.name:
        _unused(parts, found.calendar.name, "Its name cannot change while it is used: {}.", "name")
    said = words.difference(found.calendar if found else None, calendar)
    with _publishing(parts, "name"):
        made = calendar_store.change_calendar(
            calendar,
            calendar_id=found.id if found else None,
            revision=revision,
            author=by,
            at=parts.clock.now(),
            said=said,
        )
        return made, calendar_store.changes(made, most=1)[0].id


def delete(parts: Parts, found: Stored, *, by: str) -> int:
    """Delete a calendar that nothing uses; the change, to undo."""
    _unused(parts, found.calendar.name, "It is used: {}. Have those go by another calendar first.")
    with _publishing(parts):
        said = words.difference(found.calendar, None)
        calendar_store.delete_calendar(found.id, author=by, at=parts.clock.now(), said=said)
        return calendar_store.changes(found.id, most=1)[0].id


def put_day(
    parts: Parts, found: Stored, day: Day, index: int | None, *, by: str, revision: int | None
) -> tuple[int, int]:
    """Add a day of its own, or put it in place of the one at `index`."""
    days = list(found.calendar.days)
    if index is None:
        days.append(day)
    elif index < len(days):
        days[index] = day
    else:
        raise Refused("", "This day is not there any more.")
    return _with_days(parts, found, days, by=by, revision=revision)


def drop_day(parts: Parts, found: Stored, index: int, *, by: str, revision: int | None) -> tuple[int, int]:
    """Take a day of its own away."""
    days = list(found.calendar.days)
    if index >= len(days):
        raise Refused("", "This day is not there any more.")
    del days[index]
    return _with_days(parts, found, days, by=by, revision=revision)


def _with_days(parts: Parts, found: Stored, days: Sequence[Day], *, by: str, revision: int | None) -> tuple[int, int]:
    if len(days) > calendars.MOST_DAYS:
        raise Refused("name", f"A calendar has {calendars.MOST_DAYS} days of its own at most; take old ones away.")
    for one, other in overlapping(days):
        raise Refused(
            "when",
            f"{one.name} and {other.name} are both for {words.when(other.when)}. Change or delete one of them.",
        )
    return store(parts, replace(found.calendar, days=tuple(days)), found, by=by, revision=revision)


def proposal(country: str, subdivision: str, year: int) -> dict[date, str]:
    """The public holidays that are proposed for a year. Refused where the country or region is not known."""
    try:
        return public.holidays_of(country, [year], subdivision)
    except CalendarInvalid as error:
        raise Refused("country", fault_of(error)) from error


def accept(parts: Parts, found: Stored, wanted: PublicIn, *, by: str, revision: int | None = None) -> tuple[int, int]:
    """Take over the public holidays of a year as somebody has accepted them. Another country or region begins anew: what had
    been accepted for the years to come is asked for again."""
    proposed = proposal(wanted.country, wanted.subdivision, wanted.year)
    chosen = set(proposed) if wanted.days is None else set(wanted.days)
    unknown = sorted(chosen - set(proposed))
    if unknown:
        raise Refused("days", f"{unknown[0].isoformat()} is no public holiday there; add it as a day of its own.")
    present = found.calendar.public
    moved = (
        present is not None
        and present.country != ""
        and ((present.country, present.subdivision) != (wanted.country, wanted.subdivision))
    )
    kept = {
        day: name
        for day, name in found.calendar.holidays.items()
        if day.year != wanted.year and not (moved and day.year > wanted.year)
    }
    years = {year for year in (present.years if present else ()) if not (moved and year > wanted.year)}
    calendar = replace(
        found.calendar,
        holidays=kept | {day: proposed[day] for day in chosen},
        public=Public(wanted.country, wanted.subdivision, frozenset(years | {wanted.year})),
    )
    return store(parts, calendar, found, by=by, revision=revision)


def undo(parts: Parts, change_id: int, *, by: str) -> Change:
    """Undo the last change of a calendar; the change that was undone."""
    with _publishing(parts):
        newest = next((each for each in calendar_store.changes(most=1000) if each.id == change_id), None)
        if newest is not None and newest.after is not None:
            name = newest.after["name"]
            if newest.before is None or newest.before["name"] != name:
                _unused(parts, name, "It is used under this name: {}. Have those go by another calendar first.")
        return calendar_store.undo(change_id, author=by, at=parts.clock.now(), zone=parts.settings.zone)


def close_now(parts: Parts, wanted: ClosingIn, *, by: str) -> None:
    """Close calendars by hand from now on."""
    now = parts.clock.now()
    if wanted.until.tzinfo is None:
        raise Refused("until", "Until must have a time zone, such as 2026-11-23T14:00+01:00.")
    if wanted.until <= now:
        raise Refused("until", "Until must lie ahead.")
    if wanted.until - now > LONGEST_CLOSING:
        raise Refused("until", f"Until must be within {LONGEST_CLOSING.days} days; for longer, add a day of its own.")
    if not wanted.reason.strip() or not wanted.reason.isprintable():
        raise Refused("reason", "Reason is missing." if wanted.reason.isprintable() else "Reason must be one line.")
    _check_prompt(parts, wanted.prompt, "prompt")
    with _publishing(parts, "calendars"):
        calendar_store.close_by_hand(
            wanted.calendars,
            until=wanted.until,
            reason=wanted.reason.strip(),
            prompt=wanted.prompt,
            author=by,
            at=now,
        )


def open_again(parts: Parts, emergency_ids: Sequence[int], *, by: str) -> int:
    """End what was closed by hand; how many were."""
    with _publishing(parts):
        return calendar_store.open_by_hand(emergency_ids, author=by, at=parts.clock.now())


def bring_in(parts: Parts, document: Any, *, by: str) -> list[str]:
    """Take calendars from a document, all or none, each in place of one of its name; their names."""
    try:
        parsed = calendars.parse(document, zone=parts.settings.zone, years=years_ahead(parts))
    except CalendarInvalid as error:
        raise Refused("document", fault_of(error)) from error
    if len(parsed) > MOST_DOCUMENT:
        raise Refused("document", f"The document has {len(parsed)} calendars; {MOST_DOCUMENT} is the most.")
    present = {found.calendar.name: found for found in overview.stored(parts)}
    for calendar in parsed:
        _check_prompts(parts, calendar, present.get(calendar.name))
    with _publishing(parts, "document"):
        for calendar in parsed:
            found = present.get(calendar.name)
            said = words.difference(found.calendar if found else None, calendar)
            if said != "nothing":
                calendar_store.change_calendar(
                    calendar,
                    calendar_id=found.id if found else None,
                    revision=found.revision if found else None,
                    author=by,
                    at=parts.clock.now(),
                    said=f"imported: {said}",
                )
    return [calendar.name for calendar in parsed]


def years_ahead(parts: Parts) -> range:
    """The years for which a country named in short is written out."""
    this = parts.clock.now().astimezone(parts.settings.zone).year
    return range(this, this + 2)


def prompt_choices(parts: Parts) -> list[tuple[str, str]]:
    """The prompts that may stand for the usual words, each with what it says: all but single words and numbers."""
    known, single = Catalogue.of_home(parts.settings.home), languages.of(LANGUAGE).names()
    texts = known.texts(LANGUAGE)
    return [
        (name, f"{name}: {shorten(texts[name], 70, placeholder=' …')}" if texts.get(name) else name)
        for name in sorted(known.names(LANGUAGE))
        if name not in single
    ]


def fault_of(error: Exception) -> str:
    """A fault as a page says it: without the calendar's name, which stands above it."""
    said = str(error)
    if said.startswith("calendar ") and "': " in said:
        said = said.partition("': ")[2]
    return sentence(said)


def _field_of(error: CalendarInvalid) -> str:
    said = str(error)
    for word, field in (
        ("time zone", "timezone"),
        ("overlap", "weekly"),
        ("prompt", "prompts"),
        ("a name has", "name"),
    ):
        if word in said:
            return field
    return ""


def _check_prompts(parts: Parts, calendar: Calendar, found: Stored | None) -> None:
    """Prompts that were there before are kept, whatever has become of them."""
    before = _prompts(found.calendar) if found else set()
    for prompt in sorted(_prompts(calendar) - before):
        _check_prompt(parts, prompt, "prompt")


def _prompts(calendar: Calendar) -> set[str]:
    return {day.prompt for day in calendar.days if day.prompt} | set(calendar.prompts.values())


def _check_prompt(parts: Parts, prompt: str, field: str) -> None:
    if prompt and prompt not in Catalogue.of_home(parts.settings.home).names(LANGUAGE):
        raise Refused(field, f"There is no prompt {prompt}.")


def _unused(parts: Parts, name: str, said: str, field: str = "") -> None:
    uses = overview.users(parts).get(name, [])
    if uses:
        shown = ", ".join(f"{use.kind} {use.name}" for use in uses[:5]) + (", and more" if len(uses) > 5 else "")
        raise Refused(field, said.format(shown))


@contextmanager
def _publishing(parts: Parts, field: str = "") -> Iterator[None]:
    try:
        with change(parts):
            yield
    except CalendarMoved as error:
        raise Refused("", f"{fault_of(error)} Nothing was overwritten; load the page again and look.") from error
    except peewee.IntegrityError as error:
        raise Refused(field, "Another calendar was given this name meanwhile.") from error
    except CalendarInvalid as error:
        raise Refused(field, fault_of(error)) from error
