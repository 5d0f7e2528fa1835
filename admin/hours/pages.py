"""The pages of opening hours."""

from __future__ import annotations

from datetime import date
from typing import Any
from zoneinfo import available_timezones

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from admin.access import Right, needs, viewer
from admin.forms import Form, Refused
from admin.hours import ask, change, forms, overview, words
from admin.hours.change import ClosingIn, PublicIn
from admin.parts import parts
from admin.words import WEEKDAYS
from dialplan import calendars, documents, public
from dialplan.calendar_store import Stored
from dialplan.days import ORDER
from dialplan.errors import CalendarInvalid, DocumentInvalid
from sounds import languages

hours = Blueprint("hours", __name__)
Answer = AnyResponse | str


def _found(calendar_id: int) -> Stored:
    found = overview.get(parts(), calendar_id)
    if found is None:
        abort(404)
    return found


def _page(template: str, form: Form | None = None, **more: Any) -> Answer:
    page = render_template(template, place_key="hours", form=form, **more)
    return Response(page, 422, mimetype="text/html") if form is not None and form.faults else page


def _told(said: str, change_id: int, calendar_id: int | None = None) -> AnyResponse:
    """Back to the calendar, with what was done and the way to undo it."""
    flash({"said": said, "undo": url_for("hours.undo", change_id=change_id)}, "undo")  # type: ignore[arg-type]
    return redirect(url_for("hours.one", calendar_id=calendar_id) if calendar_id else url_for("hours.listed"))


def _question() -> dict[str, Any]:
    """The question form, and the answer where one was asked."""
    here = parts()
    now = here.clock.now().astimezone(here.settings.zone)
    asked, form = "of" in request.args, Form()
    form.values = {"on": now.date().isoformat(), "at": f"{now:%H:%M}"} | request.args.to_dict()
    answer = None
    if asked:
        try:
            answer = ask.ask(here, form.values["of"], form.values["on"], form.values["at"])
        except Refused as refused:
            form.refuse(refused)
    return {"question": form, "answer": answer, "choices": ask.choices(here)}


@hours.get("/setup/hours")
@needs(Right.SEE_SETUP)
def listed() -> Answer:
    here = parts()
    gone = [last for last in overview.changes(here, most=1) if last.after is None]
    return _page("hours.html", calendars=overview.find(here), deleted=gone[0] if gone else None, **_question())


@hours.get("/setup/hours/<int:calendar_id>")
@needs(Right.SEE_SETUP)
def one(calendar_id: int) -> Answer:
    here, found = parts(), _found(calendar_id)
    shown = overview.show(found, here.clock.now(), overview.users(here).get(found.calendar.name, []))
    year = forms.number(request.args.get("year")) or shown.local.year
    if not public.FIRST_YEAR <= year <= public.LAST_YEAR:
        abort(404)
    try:
        day = date.fromisoformat(request.args.get("day", ""))
    except ValueError:
        day = None
    return _page(
        "calendar.html",
        shown=shown,
        year=year,
        months=overview.year(found.calendar, year),
        chosen=overview.cell(found.calendar, day) if day else None,
        why=ask.of_date(found.calendar, day) if day else "",
        order=ORDER,
        closed=[each for each in overview.closed_by_hand(here) if each.calendar_id == calendar_id],
        changes=overview.changes(here, calendar_id),
        hw=words,
        countries=public.countries(),
        spoken=_spoken,
        **_question(),
    )


def _spoken(name: str) -> bool:
    """Whether callers hear this name, or only that it is a holiday."""
    return languages.of("en").holiday(name) != ["closed_holiday"]


# --- name, zone, week ---


@hours.route("/setup/hours/new", methods=["GET", "POST"])
@needs(Right.CHANGE_SETUP)
def add() -> Answer:
    return _edit(None)


@hours.route("/setup/hours/<int:calendar_id>/edit", methods=["GET", "POST"])
@needs(Right.CHANGE_SETUP)
def edit(calendar_id: int) -> Answer:
    return _edit(_found(calendar_id))


def _edit(found: Stored | None) -> Answer:
    here, form = parts(), Form()
    if request.method == "POST":
        form.values = request.form.to_dict()
        wanted = forms.read_calendar(form, found.calendar if found else None)
        if wanted is not None:
            try:
                made, change_id = change.save(here, wanted, found, by=viewer().name)
            except Refused as refused:
                form.refuse(refused)
            else:
                return _told(f"{wanted.name} is saved and published.", change_id, made)
    elif found is not None:
        form.values = forms.of_calendar(found.calendar, found.revision)
    else:
        form.values = forms.new_calendar(here.settings.timezone)
    return _page(
        "calendar_form.html",
        form,
        found=found,
        weekdays=list(zip(calendars.WEEKDAYS, WEEKDAYS, strict=True)),
        zones=sorted(available_timezones()),
        prompts=change.prompt_choices(here),
        kinds=[(key, words.REASONS[reason]) for key, reason in calendars.PROMPTS.items()],
    )


@hours.post("/setup/hours/<int:calendar_id>/delete")
@needs(Right.CHANGE_SETUP)
def remove(calendar_id: int) -> AnyResponse:
    found = _found(calendar_id)
    try:
        change_id = change.delete(parts(), found, by=viewer().name)
    except Refused as refused:
        flash(str(refused), "bad")
        return redirect(url_for("hours.one", calendar_id=calendar_id))
    return _told(f"{found.calendar.name} is deleted.", change_id)


@hours.post("/setup/hours/changes/<int:change_id>/undo")
@needs(Right.CHANGE_SETUP)
def undo(change_id: int) -> AnyResponse:
    here = parts()
    try:
        undone = change.undo(here, change_id, by=viewer().name)
    except Refused as refused:
        flash(str(refused), "bad")
        return redirect(request.referrer or url_for("hours.listed"))
    flash(f"Undone: {undone.said}.", "good")
    entry = undone.before
    name = entry["name"] if entry else ""
    back = next((found for found in overview.stored(here) if found.calendar.name == name), None)
    return redirect(url_for("hours.one", calendar_id=back.id) if back else url_for("hours.listed"))


# --- days of its own ---


@hours.route("/setup/hours/<int:calendar_id>/days/new", methods=["GET", "POST"])
@needs(Right.CHANGE_SETUP)
def add_day(calendar_id: int) -> Answer:
    return _day(_found(calendar_id), None)


@hours.route("/setup/hours/<int:calendar_id>/days/<int:index>", methods=["GET", "POST"])
@needs(Right.CHANGE_SETUP)
def edit_day(calendar_id: int, index: int) -> Answer:
    found = _found(calendar_id)
    if index >= len(found.calendar.days):
        abort(404)
    return _day(found, index)


def _day(found: Stored, index: int | None) -> Answer:
    here, form = parts(), Form()
    if request.method == "POST":
        form.values = request.form.to_dict()
        day, revision = forms.read_day(form), forms.number(form.values.get("revision"))
        if day is not None:
            try:
                _, change_id = change.put_day(here, found, day, index, by=viewer().name, revision=revision)
            except Refused as refused:
                form.faults["kind" if refused.field == "when" else refused.field] = str(refused)
            else:
                said = f"{day.name}, {words.when(day.when)}: {words.what(day)}. Published."
                return _told(said, change_id, found.id)
    else:
        form.values = (
            forms.new_day(request.args.get("on", "")) if index is None else forms.of_day(found.calendar.days[index])
        ) | {"revision": str(found.revision)}
        form.values.setdefault("name", request.args.get("name", ""))
    return _page(
        "calendar_day.html",
        form,
        found=found,
        index=index,
        weekdays=WEEKDAYS,
        months=words.MONTHS,
        effects=words.EFFECTS,
        prompts=change.prompt_choices(here),
        names=[
            name.replace("_", " ").title().replace("Years", "Year's").replace("Saints", "Saints'") for name in _NAMES
        ],
    )


_NAMES = ("christmas_eve", "new_years_eve", "constitution_day", "labour_day", "all_saints_day", "thanksgiving_day")


@hours.post("/setup/hours/<int:calendar_id>/days/<int:index>/delete")
@needs(Right.CHANGE_SETUP)
def remove_day(calendar_id: int, index: int) -> AnyResponse:
    found = _found(calendar_id)
    revision = forms.number(request.form.get("revision"))
    try:
        _, change_id = change.drop_day(parts(), found, index, by=viewer().name, revision=revision)
    except Refused as refused:
        flash(str(refused), "bad")
        return redirect(url_for("hours.one", calendar_id=calendar_id))
    return _told(f"{found.calendar.days[index].name} is taken away.", change_id, calendar_id)


# --- public holidays ---


@hours.route("/setup/hours/<int:calendar_id>/holidays", methods=["GET", "POST"])
@needs(Right.CHANGE_SETUP)
def holidays(calendar_id: int) -> Answer:
    here, found, form = parts(), _found(calendar_id), Form()
    present, today = found.calendar.public, here.clock.now().astimezone(found.calendar.zone).date()
    values = request.values
    country = values.get("country") or (present.country if present else "") or here.settings.country
    regions: dict[str, str] = {}
    proposed: dict[date, str] = {}
    year = forms.number(values.get("year")) or next(iter(overview.unasked(found.calendar, today)), today.year)
    subdivision = values.get("subdivision", present.subdivision if present and present.country == country else "")
    try:
        regions = public.subdivisions(country)
        subdivision = subdivision if subdivision in regions else ""
        proposed = change.proposal(country, subdivision, year)
    except (Refused, CalendarInvalid) as fault:
        form.faults["country"] = str(fault)
    if request.method == "POST" and not form.faults:
        given = {"country": country, "subdivision": subdivision, "year": year, "days": request.form.getlist("days")}
        wanted = form.read(PublicIn, given)
        if wanted is not None:
            revision = forms.number(values.get("revision"))
            try:
                _, change_id = change.accept(here, found, wanted, by=viewer().name, revision=revision)
            except Refused as refused:
                form.refuse(refused)
            else:
                count = len(wanted.days or ())
                return _told(f"{count} public holidays of {year} are accepted and published.", change_id, calendar_id)
    same = present is not None and (present.country, present.subdivision) == (country, subdivision)
    accepted = present is not None and year in present.years and (same or not present.country)
    chosen = {day for day in proposed if not accepted or day in found.calendar.holidays}
    form.values = {"country": country, "subdivision": subdivision, "year": str(year), "revision": str(found.revision)}
    return _page(
        "calendar_holidays.html",
        form,
        found=found,
        year=year,
        this_year=today.year,
        regions=regions,
        countries=public.countries(),
        accepted=accepted,
        days=[(day, name, day in chosen, _spoken(name), _own(found, day)) for day, name in proposed.items()],
        moved=present is not None and bool(present.country) and not same,
    )


def _own(found: Stored, day: date) -> str:
    """The day of its own that comes before a public holiday on this date."""
    special = found.calendar.special(day)
    return special.name if special is not None and special in found.calendar.days else ""


# --- closed by hand ---


@hours.route("/setup/hours/close", methods=["GET", "POST"])
@needs(Right.CLOSE_HOURS)
def close() -> Answer:
    here, form = parts(), Form()
    shown = overview.find(here)
    zone = here.settings.zone
    if request.method == "POST":
        chosen = [int(text) for text in request.form.getlist("calendars") if text.isdecimal()]
        form.values = request.form.to_dict() | {"calendars": chosen}
        own = next((each.calendar.zone for each in shown if [each.id] == chosen), zone)
        until = forms.read_until(form, own)
        if not chosen:
            form.faults["calendars"] = "Choose at least one calendar."
        given = {key: form.values.get(key, "") for key in ("reason", "prompt")} | {"calendars": chosen, "until": until}
        wanted = form.read(ClosingIn, given) if until and chosen else None
        if wanted is not None and not form.faults:
            try:
                change.close_now(here, wanted, by=viewer().name)
            except Refused as refused:
                form.refuse(refused)
            else:
                flash("Closed and published. Open again by hand at any time; it ends by itself.", "good")
                return redirect(
                    url_for("hours.one", calendar_id=chosen[0]) if len(chosen) == 1 else url_for("hours.listed")
                )
    else:
        calendar_id = forms.number(request.args.get("calendar"))
        own = next((each.calendar.zone for each in shown if each.id == calendar_id), zone)
        form.values = forms.new_closing(here.clock.now(), own, calendar_id)
    return _page(
        "calendar_close.html",
        form,
        calendars=shown,
        prompts=change.prompt_choices(here),
        zone_said=zone.key,
    )


@hours.post("/setup/hours/open")
@needs(Right.CLOSE_HOURS)
def open_again() -> AnyResponse:
    ids = [int(text) for text in request.form.getlist("emergency") if text.isdecimal()]
    count = change.open_again(parts(), ids, by=viewer().name)
    flash("It goes by its hours again." if count else "It was open by its hours already.", "good")
    return redirect(request.referrer or url_for("hours.listed"))


# --- documents ---


@hours.get("/setup/hours/export.yaml")
@needs(Right.SEE_SETUP)
def export() -> AnyResponse:
    """All calendars, or the one asked for, as a document."""
    wanted = forms.number(request.args.get("calendar"))
    found = [each for each in overview.stored(parts()) if wanted in (None, each.id)]
    if wanted is not None and not found:
        abort(404)
    text = documents.write({"calendars": [calendars.render(each.calendar) for each in found]})
    name = "calendar" if wanted is not None else "calendars"
    return Response(
        text, mimetype="application/yaml", headers={"Content-Disposition": f'attachment; filename="{name}.yaml"'}
    )


@hours.route("/setup/hours/import", methods=["GET", "POST"])
@needs(Right.CHANGE_SETUP)
def bring_in() -> Answer:
    form = Form()
    if request.method == "POST":
        upload = request.files.get("file")
        text = request.form.get("document", "")
        try:
            if upload is not None and upload.filename:
                text = upload.read().decode("utf-8")
            form.values = {"document": text}
            names = change.bring_in(parts(), documents.read(text), by=viewer().name)
        except UnicodeDecodeError:
            form.faults["document"] = "The file is no text in UTF-8."
        except DocumentInvalid as error:
            form.faults["document"] = change.fault_of(error)
        except Refused as refused:
            form.refuse(refused)
        else:
            flash(f"Imported and published: {', '.join(names)}.", "good")
            return redirect(url_for("hours.listed"))
    return _page("calendar_import.html", form)
