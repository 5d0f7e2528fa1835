"""The API's opening hours: what the pages can read and change, with the same checks. Calendars are as documents write them."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import Response, abort
from flask_openapi3.models.tag import Tag
from pydantic import BaseModel, Field

from admin.access import Right, needs, viewer
from admin.api.blueprints import ById, blueprint, conflict
from admin.api.shapes import answer
from admin.forms import Refused
from admin.hours import ask as hours_ask
from admin.hours import change as hours_change
from admin.hours import overview
from admin.hours.change import CalendarIn, ClosingIn, PublicIn, fault_of
from admin.parts import parts
from dialplan import calendars, documents, public
from dialplan.calendar_store import Change, Stored
from dialplan.days import ORDER
from dialplan.errors import CalendarInvalid, DocumentInvalid

api_hours = blueprint("api_hours")
HOURS = Tag(name="Opening hours")


class CalendarOut(BaseModel):
    """`calendar` is as dialplan.calendars writes it; `revision` rises with each change."""

    id: int
    revision: int
    name: str
    timezone: str
    open: bool
    reason: str = Field(description="Why closed: `hours`, `lunch`, `holiday` or `emergency`; empty while open.")
    reason_name: str = Field(description="The holiday's name, or why it was closed by hand.")
    opens_at: str | None
    openings: dict[str, str]
    coming: dict[str, str] = Field(description="The next dates that differ from the week, with their names.")
    used_by: list[str]
    public_holidays_to_accept: list[int]
    calendar: dict[str, Any]


class CalendarsOut(BaseModel):
    calendars: list[CalendarOut]
    order: list[str] = Field(description="What counts where several rules fit a day, the first first.")


class SavedOut(BaseModel):
    """`change` is what undoes it, at `/hours/changes/{id}/undo`."""

    id: int
    change: int


class ChangeOut(BaseModel):
    id: int
    at: str
    author: str
    said: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class ChangesOut(BaseModel):
    changes: list[ChangeOut]


class DateOut(BaseModel):
    day: date
    look: str
    said: str


class YearOut(BaseModel):
    days: list[DateOut]


class AnswerOut(BaseModel):
    open: bool | None
    asked: str
    said: str
    why: str
    more: list[str]


class ProposalOut(BaseModel):
    days: dict[date, str]
    accepted: bool


class EmergencyOut(BaseModel):
    id: int
    calendar: str
    since: str
    until: str
    reason: str
    prompt: str
    by: str


class EmergenciesOut(BaseModel):
    emergencies: list[EmergencyOut]


class NamesOut(BaseModel):
    names: list[str]


class DocumentIn(BaseModel):
    yaml: str


class OfYear(BaseModel):
    year: int = Field(ge=public.FIRST_YEAR, le=public.LAST_YEAR)


class Question(BaseModel):
    of: str = Field(description="`number:5000` or `calendar:Office`")
    on: str = Field(description="A date such as 2026-12-24")
    at: str = Field(description="A time of day such as 12:30, on the calendar's clock")


class OfCountry(OfYear):
    country: str = Field(pattern="^[A-Z]{2}$")
    subdivision: str = ""


class DayIn(BaseModel):
    """One entry of a calendar's `days`."""

    day: dict[str, Any]
    revision: int | None = None


class DayPath(BaseModel):
    id: int
    index: int = Field(ge=0)


def _found(calendar_id: int) -> Stored:
    found = overview.get(parts(), calendar_id)
    if found is None:
        abort(404)
    return found


def _out(shown: overview.Shown) -> CalendarOut:
    return CalendarOut(
        id=shown.id,
        revision=shown.stored.revision,
        name=shown.name,
        timezone=shown.zone,
        open=shown.closed is None,
        reason=shown.closed.reason if shown.closed else "",
        reason_name=shown.closed.name if shown.closed else "",
        opens_at=shown.opens_at.isoformat() if shown.opens_at else None,
        openings={day: said for day, _, said, _ in shown.days},
        coming={day.isoformat(): name for day, name, _ in shown.coming},
        used_by=[f"{user.kind} {user.name}" for user in shown.users],
        public_holidays_to_accept=shown.unasked,
        calendar=calendars.render(shown.calendar),
    )


def _change(change: Change) -> ChangeOut:
    return ChangeOut(
        id=change.id,
        at=change.at.isoformat(),
        author=change.author,
        said=change.said,
        before=change.before,
        after=change.after,
    )


@api_hours.get(
    "/hours", summary="All calendars and whether they are open now", tags=[HOURS], responses={200: CalendarsOut}
)
@needs(Right.SEE_SETUP)
def list_hours() -> Response:
    order = [f"{title}. {said}" for title, said in ORDER]
    return answer(CalendarsOut(calendars=[_out(shown) for shown in overview.find(parts())], order=order))


@api_hours.get("/hours/<int:id>", summary="One calendar", tags=[HOURS], responses={200: CalendarOut})
@needs(Right.SEE_SETUP)
def one_calendar(path: ById) -> Response:
    here, found = parts(), _found(path.id)
    return answer(_out(overview.show(found, here.clock.now(), overview.users(here).get(found.calendar.name, []))))


@api_hours.post("/hours", summary="Add a calendar", tags=[HOURS], responses={201: SavedOut})
@needs(Right.CHANGE_SETUP)
def add_calendar(body: CalendarIn) -> Response:
    try:
        made, change = hours_change.save(parts(), body, None, by=viewer().name)
    except Refused as refused:
        conflict(refused)
    return answer(SavedOut(id=made, change=change), 201)


@api_hours.put("/hours/<int:id>", summary="Change a calendar as a whole", tags=[HOURS], responses={200: SavedOut})
@needs(Right.CHANGE_SETUP)
def change_calendar(path: ById, body: CalendarIn) -> Response:
    try:
        made, change = hours_change.save(parts(), body, _found(path.id), by=viewer().name)
    except Refused as refused:
        conflict(refused)
    return answer(SavedOut(id=made, change=change))


@api_hours.delete(
    "/hours/<int:id>", summary="Delete a calendar that nothing uses", tags=[HOURS], responses={200: SavedOut}
)
@needs(Right.CHANGE_SETUP)
def delete_calendar(path: ById) -> Response:
    try:
        change = hours_change.delete(parts(), _found(path.id), by=viewer().name)
    except Refused as refused:
        conflict(refused)
    return answer(SavedOut(id=path.id, change=change))


@api_hours.post("/hours/<int:id>/days", summary="Add a day of its own", tags=[HOURS], responses={201: SavedOut})
@needs(Right.CHANGE_SETUP)
def add_day(path: ById, body: DayIn) -> Response:
    return answer(_put_day(path.id, None, body), 201)


@api_hours.put(
    "/hours/<int:id>/days/<int:index>", summary="Change a day of its own", tags=[HOURS], responses={200: SavedOut}
)
@needs(Right.CHANGE_SETUP)
def change_day(path: DayPath, body: DayIn) -> Response:
    return answer(_put_day(path.id, path.index, body))


def _put_day(calendar_id: int, index: int | None, body: DayIn) -> SavedOut:
    found = _found(calendar_id)
    try:
        day = calendars.parse_day(body.day)
        made, change = hours_change.put_day(parts(), found, day, index, by=viewer().name, revision=body.revision)
    except CalendarInvalid as error:
        conflict(Refused("day", fault_of(error)))
    except Refused as refused:
        conflict(refused)
    return SavedOut(id=made, change=change)


@api_hours.delete(
    "/hours/<int:id>/days/<int:index>", summary="Take a day away", tags=[HOURS], responses={200: SavedOut}
)
@needs(Right.CHANGE_SETUP)
def delete_day(path: DayPath) -> Response:
    try:
        found = _found(path.id)
        made, change = hours_change.drop_day(parts(), found, path.index, by=viewer().name, revision=None)
    except Refused as refused:
        conflict(refused)
    return answer(SavedOut(id=made, change=change))


@api_hours.get(
    "/hours/<int:id>/year", summary="Each day of a year with its hours", tags=[HOURS], responses={200: YearOut}
)
@needs(Right.SEE_SETUP)
def year(path: ById, query: OfYear) -> Response:
    months = overview.year(_found(path.id).calendar, query.year)
    return answer(YearOut(days=[DateOut(day=c.day, look=c.look, said=c.said) for month in months for c in month.cells]))


@api_hours.get("/hours/ask", summary="Is it open at …?", tags=[HOURS], responses={200: AnswerOut})
@needs(Right.SEE_SETUP)
def ask(query: Question) -> Response:
    try:
        found = hours_ask.ask(parts(), query.of, query.on, query.at)
    except Refused as refused:
        conflict(refused)
    return answer(AnswerOut(open=found.open, asked=found.asked, said=found.said, why=found.why, more=list(found.more)))


@api_hours.get(
    "/hours/<int:id>/public-holidays",
    summary="Public holidays as proposed",
    tags=[HOURS],
    responses={200: ProposalOut},
)
@needs(Right.SEE_SETUP)
def proposed(path: ById, query: OfCountry) -> Response:
    found = _found(path.id).calendar.public
    try:
        days = hours_change.proposal(query.country, query.subdivision, query.year)
    except Refused as refused:
        conflict(refused)
    same = found is not None and (found.country, found.subdivision) == (query.country, query.subdivision)
    return answer(ProposalOut(days=days, accepted=found is not None and same and query.year in found.years))


@api_hours.put("/hours/<int:id>/public-holidays", summary="Accept a year's", tags=[HOURS], responses={200: SavedOut})
@needs(Right.CHANGE_SETUP)
def accept(path: ById, body: PublicIn) -> Response:
    try:
        made, change = hours_change.accept(parts(), _found(path.id), body, by=viewer().name)
    except Refused as refused:
        conflict(refused)
    return answer(SavedOut(id=made, change=change))


@api_hours.get("/hours/<int:id>/changes", summary="What was changed", tags=[HOURS], responses={200: ChangesOut})
@needs(Right.SEE_SETUP)
def changes(path: ById) -> Response:
    return answer(ChangesOut(changes=[_change(each) for each in overview.changes(parts(), path.id, most=100)]))


@api_hours.post(
    "/hours/changes/<int:id>/undo",
    summary="Undo a calendar's last change",
    tags=[HOURS],
    responses={200: ChangeOut},
)
@needs(Right.CHANGE_SETUP)
def undo(path: ById) -> Response:
    try:
        return answer(_change(hours_change.undo(parts(), path.id, by=viewer().name)))
    except Refused as refused:
        conflict(refused)


@api_hours.get("/hours/emergencies", summary="What is closed by hand", tags=[HOURS], responses={200: EmergenciesOut})
@needs(Right.SIGNED_IN)
def emergencies() -> Response:
    return _emergencies(200)


def _emergencies(status: int) -> Response:
    found = [
        EmergencyOut(
            id=each.id,
            calendar=each.name,
            since=each.emergency.since.isoformat(),
            until=each.emergency.until.isoformat(),
            reason=each.emergency.reason,
            prompt=each.emergency.prompt,
            by=each.emergency.by,
        )
        for each in overview.closed_by_hand(parts())
    ]
    return answer(EmergenciesOut(emergencies=found), status)


@api_hours.post("/hours/emergencies", summary="Close by hand", tags=[HOURS], responses={201: EmergenciesOut})
@needs(Right.CLOSE_HOURS)
def close(body: ClosingIn) -> Response:
    try:
        hours_change.close_now(parts(), body, by=viewer().name)
    except Refused as refused:
        conflict(refused)
    return _emergencies(201)


@api_hours.delete("/hours/emergencies/<int:id>", summary="Open again", tags=[HOURS])
@needs(Right.CLOSE_HOURS)
def open_again(path: ById) -> Response:
    if not hours_change.open_again(parts(), [path.id], by=viewer().name):
        abort(404)
    return Response(status=204)


@api_hours.get("/hours/export", summary="All calendars as YAML", tags=[HOURS])
@needs(Right.SEE_SETUP)
def export() -> Response:
    entries = [calendars.render(found.calendar) for found in overview.stored(parts())]
    return Response(documents.write({"calendars": entries}), mimetype="application/yaml")


@api_hours.post("/hours/import", summary="Import calendars from YAML", tags=[HOURS], responses={200: NamesOut})
@needs(Right.CHANGE_SETUP)
def bring_in(body: DocumentIn) -> Response:
    try:
        return answer(NamesOut(names=hours_change.bring_in(parts(), documents.read(body.yaml), by=viewer().name)))
    except DocumentInvalid as error:
        conflict(Refused("yaml", fault_of(error)))
    except Refused as refused:
        conflict(refused)
