"""Opening hours: changed by the office manager, published at once, undone, closed by hand, asked."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from sample_company import Company

from dialplan import calendar_store, documents

WEEK = {"mon": "9-12, 12.30-17", "tue": "9-17", "wed": "9-17", "thu": "9-17", "fri": "22-2", "sat": "", "sun": "closed"}
NEW = {"name": "Workshop", "timezone": "Europe/Copenhagen"} | WEEK
EVE = {
    "name": "Christmas Eve",
    "kind": "yearly",
    "from-day": "24",
    "from-month": "12",
    "effect": "part",
    "part": "12-24",
    "prompt": "",
}


def found(company: Company, name: str) -> calendar_store.Stored:
    stored = calendar_store.stored_calendars(company.parts.db, zone="UTC")
    return next(each for each in stored if each.calendar.name == name)


def version(company: Company) -> int:
    with company.parts.db.connection_context():
        return int(company.parts.db.execute_sql("SELECT version FROM configuration").fetchone()[0])


def put_day(company: Company, admin: Any, of: str, **day: str) -> Any:
    calendar = found(company, of)
    return admin.post(f"/setup/hours/{calendar.id}/days/new", **(EVE | day | {"revision": str(calendar.revision)}))


def test_a_calendar_is_made_changed_and_deleted_and_all_of_it_taken_back(company: Company, visit: Any) -> None:
    admin, before = visit("admin"), version(company)
    made = admin.post("/setup/hours/new", **NEW)
    workshop = found(company, "Workshop")
    assert made.location == f"/setup/hours/{workshop.id}"
    assert version(company) == before + 1
    page = admin.get(made.location).text
    assert "09:00–12:00, 12:30–17:00" in page
    assert "22:00–02:00" in page
    assert "Workshop is saved and published." in page
    edit = NEW | {"revision": "1", "mon": "all day"}
    assert admin.post(f"{made.location}/edit", **edit).location == made.location
    page = admin.get(made.location).text
    assert "Monday: 00:00–24:00 (was 09:00–12:00, 12:30–17:00)" in page
    undo = re.search(r"/setup/hours/changes/\d+/undo", page)
    assert undo
    admin.post(undo[0])
    assert found(company, "Workshop").calendar.of_weekday(0)[0].opens == 540
    admin.post(f"{made.location}/delete")
    page = admin.get("/setup/hours").text
    assert "Workshop deleted" in page
    admin.post(re.search(r"/setup/hours/changes/\d+/undo", page)[0])  # type: ignore[index]
    assert found(company, "Workshop").calendar.of_weekday(0)[0].opens == 540


WRONG_WEEKS = [
    ({"name": ""}, "Name is missing."),
    ({"name": "Office"}, "There is a calendar &#39;Office&#39; already."),
    ({"timezone": "Mars/Base"}, "is no time zone"),
    ({"mon": "9 to five"}, "Monday: “9 to five” is no hours"),
    ({"mon": "9-25"}, "Monday: “9-25”: a day has the hours 00:00 to 24:00"),
    ({"mon": "9-12, 11-13"}, "Monday: 09:00–12:00 and 11:00–13:00 overlap"),
    ({"sat": "1-5"}, "Friday 22:00–02:00 runs into Saturday 01:00–05:00."),
    ({"prompt-lunch": "no_such_prompt"}, "There is no prompt no_such_prompt."),
]


def test_what_is_wrong_with_a_week_stands_beside_it(company: Company, visit: Any) -> None:
    for changed, said in WRONG_WEEKS:
        before = version(company)
        answer = visit("admin").post("/setup/hours/new", **(NEW | changed))
        assert answer.status_code == 422
        assert said in answer.text
        assert "22-2" in answer.text, "what was typed is not lost"
        assert version(company) == before


def test_a_day_of_its_own_in_every_form(company: Company, visit: Any) -> None:
    admin = visit("admin")
    admin.post("/setup/hours/new", **NEW)
    assert put_day(company, admin, "Workshop").status_code == 302
    once = {"name": "Summer", "kind": "once", "on": "2027-07-12", "until": "2027-07-30", "effect": "closed"}
    nth = {"name": "Stock", "kind": "nth", "place": "last", "weekday": "4", "month": "11", "shift": "1"}
    assert put_day(company, admin, "Workshop", **once).status_code == 302
    assert put_day(company, admin, "Workshop", **nth, effect="hours", hours="10-12").status_code == 302
    page = admin.get(f"/setup/hours/{found(company, 'Workshop').id}?year=2027").text
    for said in (
        "every 24 December", "closed 12:00–24:00", "12 July 2027 to 30 July 2027",
        "the day after the last Friday in November", "open 10:00–12:00",
    ):  # fmt: skip
        assert said in page, said
    assert 'title="Fri 24 December: Christmas Eve: closed"' in page
    assert 'title="Sat 27 November: Stock: 10:00–12:00"' in page
    calendar = found(company, "Workshop")
    form = admin.get(f"/setup/hours/{calendar.id}/days/2").text
    assert 'value="nth" checked' in form
    assert 'value="10:00-12:00"' in form
    admin.post(f"/setup/hours/{calendar.id}/days/2/delete", revision=str(calendar.revision))
    assert [day.name for day in found(company, "Workshop").calendar.days] == ["Christmas Eve", "Summer"]


WRONG_DAYS = [
    ({"name": ""}, "Name is missing."),
    ({"from-day": "31", "from-month": "2"}, "is no day of the year"),
    ({"kind": "once", "on": ""}, "Date is missing."),
    ({"kind": "once", "on": "2026-12-24", "until": "2026-12-01"}, "runs backwards"),
    ({"kind": "nth", "place": "last", "weekday": "4", "month": "11", "shift": "99"}, "A shift is 31 days at most"),
    ({"kind": "never"}, "Choose when it applies."),
    ({"effect": "maybe"}, "Choose what happens on this day."),
    ({"part": ""}, "Hours are missing"),
    ({"part": "noon"}, "is no hours"),
    ({"from-day": "23", "prompt": "no_such_prompt"}, "There is no prompt no_such_prompt."),
    ({"name": "Other"}, "Christmas Eve and Other are both for every 24 December."),
]


def test_what_is_wrong_with_a_day_stands_beside_it(company: Company, visit: Any) -> None:
    for day, said in WRONG_DAYS:
        answer = put_day(company, visit("admin"), "Office", **day)
        assert answer.status_code == 422
        assert said in answer.text


def test_who_saw_an_older_calendar_overwrites_nothing(company: Company, visit: Any) -> None:
    admin, office = visit("admin"), found(company, "Office")
    other = EVE | {"name": "Eve of May", "from-day": "30", "from-month": "4", "revision": str(office.revision)}
    assert admin.post(f"/setup/hours/{office.id}/days/new", **other).status_code == 302
    late = admin.post(f"/setup/hours/{office.id}/days/new", **(other | {"name": "Late", "from-day": "29"}))
    assert late.status_code == 422
    assert "was changed by somebody else meanwhile" in late.text
    assert "Late" in late.text


def test_a_calendar_that_is_used_keeps_its_name_and_stays(company: Company, visit: Any) -> None:
    admin, office = visit("admin"), found(company, "Office")
    admin.post(f"/setup/hours/{office.id}/delete")
    assert "It is used: flow main, flow office." in admin.get(f"/setup/hours/{office.id}").text
    renamed = admin.post(f"/setup/hours/{office.id}/edit", **(NEW | {"name": "Bureau", "revision": "1"}))
    assert "Its name cannot change while it is used" in renamed.text
    assert found(company, "Office").calendar == office.calendar


def test_a_calendar_that_a_number_or_a_queue_goes_by_stays(company: Company, visit: Any) -> None:
    admin = visit("admin")
    admin.post("/setup/hours/new", **NEW)
    workshop = found(company, "Workshop")
    by_hours = (
        """{"to": "by_hours", "calendar": "Workshop", "open": {"to": "queue", "queue": "sales"}, "closed": """
        """{"to": "flow", "flow": "main"}}"""
    )
    with company.parts.db.connection_context():
        company.parts.db.execute_sql("UPDATE number SET destination = %s::jsonb WHERE number = '5001'", (by_hours,))
        company.parts.db.execute_sql("""UPDATE queue SET rules = '{"calendar": "Workshop"}' WHERE name = 'support'""")
    admin.post(f"/setup/hours/{workshop.id}/delete")
    page = admin.get(f"/setup/hours/{workshop.id}").text
    assert "It is used: number 5001 Office line, queue Support." in page
    answer = admin.get("/setup/hours?of=number:5001&on=2026-11-28&at=10:00").text
    assert "Workshop is closed: outside its hours. It opens again on Monday 30 November 2026, 09:00." in answer
    assert "Callers are led to: Flow main." in answer


def test_public_holidays_are_proposed_and_unticked(company: Company, visit: Any) -> None:
    admin = visit("admin")
    admin.post("/setup/hours/new", **NEW)
    workshop = found(company, "Workshop")
    address = f"/setup/hours/{workshop.id}/holidays"
    page = admin.get(f"{address}?country=DE&subdivision=BY&year=2027").text
    assert "Not accepted yet" in page
    assert "Corpus Christi" in page
    assert '<option value="BY" selected>Bayern' in page
    ticked = re.findall(r'name="days" value="([0-9-]+)" checked', page)
    fields = {"country": "DE", "subdivision": "BY", "year": "2027", "revision": "1"}
    admin.post(address, **fields, days=[day for day in ticked if day != "2027-05-27"])
    calendar = found(company, "Workshop").calendar
    assert len(calendar.holidays) == len(ticked) - 1
    assert calendar.public
    assert calendar.public.years == {2027}
    page = admin.get(f"{address}?year=2027").text
    assert 'value="2027-05-27">' in page
    assert "Accepted" in page
    # Another region asks again for what lies ahead.
    admin.post(address, **(fields | {"subdivision": "BE", "year": "2026", "revision": "2"}), days=[])
    calendar = found(company, "Workshop").calendar
    assert (calendar.public.years, dict(calendar.holidays)) == ({2026}, {})  # type: ignore[union-attr]
    assert admin.post(address, **(fields | {"country": "XX"}), days=[]).status_code == 422


def test_closed_by_hand_is_on_every_page_until_it_ends(company: Company, visit: Any) -> None:
    admin, office = visit("admin"), found(company, "Office")
    until = company.now.astimezone(office.calendar.zone) + timedelta(hours=3)
    fields = {"until": f"{until:%Y-%m-%dT%H:%M}", "reason": "Water in the cellar", "prompt": ""}
    assert visit("analyst").post("/setup/hours/close", **fields, calendars=str(office.id)).status_code == 403
    answer = visit("supervisor").post("/setup/hours/close", **fields, calendars=str(office.id))
    assert answer.location == f"/setup/hours/{office.id}"
    for who, page in (("anna", "/desk"), ("analyst", "/calls"), ("admin", "/live")):
        shown = visit(who).get(page).text
        assert "Water in the cellar" in shown, page
        assert ("Open again" in shown) == (who == "admin")
    calendar = found(company, "Office")
    assert calendar.calendar.emergencies[0].by == "supervisor"
    assert calendar.revision == office.revision
    emergency = re.search(r'name="emergency" value="(\d+)"', admin.get("/live").text)
    assert emergency
    admin.post("/setup/hours/open", emergency=emergency[1])
    assert "Water in the cellar" not in admin.get("/live").text


WRONG_CLOSINGS = [
    ({"calendars": []}, "Choose at least one calendar."),
    ({"until": ""}, "Until is missing"),
    ({"until": "2020-01-01T10:00"}, "Until must lie ahead."),
    ({"until": "2090-01-01T10:00"}, "Until must be within 31 days"),
    ({"reason": " "}, "Reason is missing."),
    ({"prompt": "no_such_prompt"}, "There is no prompt no_such_prompt."),
]


def test_closing_by_hand_needs_an_end_and_a_reason(company: Company, visit: Any) -> None:
    for changed, said in WRONG_CLOSINGS:
        until = company.now + timedelta(hours=5)
        fields = {"until": f"{until:%Y-%m-%dT%H:%M}", "reason": "Flood", "prompt": "", "calendars": ["1"]} | changed
        answer = visit("admin").post("/setup/hours/close", **fields)
        assert answer.status_code == 422
        assert said in answer.text
        assert calendar_store.closed_by_hand(company.parts.db, company.now) == []


QUESTIONS = [
    ("calendar:Office", "2026-11-23", "10:00", ["Office is open.", "Mondays: 09:00–12:00, 12:30–17:00."]),
    ("calendar:Office", "2026-11-23", "12:10", ["Office is out for lunch. It opens again at 12:30 that day."]),
    (
        "calendar:Office",
        "2026-12-24",
        "10:00",
        ["closed for Christmas Eve. It opens again on"],
    ),
    ("calendar:Office", f"{datetime.now():%Y}-12-25", "10:00", ["Christmas Day, public holiday: closed."]),
    ("calendar:Office", "2026-03-29", "02:30", ["There is no 02:30 on this day", "the answer is for 03:30"]),
    ("calendar:Office", "2026-10-25", "02:30", ["This time comes twice, as the clocks go back."]),
    ("number:5001", "2026-12-24", "10:00", ["Office is closed for Christmas Eve.", "Flow office. It asks Office."]),
    (
        "number:5000",
        "2026-12-23",
        "10:00",
        ["asks no calendar by itself", "The flow asks Mornings: Mornings is open."],
    ),
    ("number:5001", "2026-12-24", "noon", ["Time must be one such as 12:30."]),
    ("number:5001", "24.12.", "10:00", ["Date must be one such as 2026-12-24."]),
    ("calendar:Office", "0001-01-01", "10:00", ["Date must be in 2000 to 2099."]),
    ("calendar:Moon", "2026-12-24", "10:00", ["There is no calendar Moon."]),
]


def test_is_it_open(visit: Any) -> None:
    for of, on, at, said in QUESTIONS:
        page = visit("analyst").get(f"/setup/hours?of={of}&on={on}&at={at}").text
        for words in said:
            assert words in page, words


def test_out_and_in_again_is_the_same(company: Company, visit: Any) -> None:
    admin = visit("admin")
    text = admin.get("/setup/hours/export.yaml").text
    before = calendar_store.stored_calendars(company.parts.db, zone="UTC")
    assert admin.post("/setup/hours/import", document=text).location == "/setup/hours"
    assert calendar_store.stored_calendars(company.parts.db, zone="UTC") == before
    bad = documents.write({"calendars": [{"name": "New"}, {"name": "Bad", "weekly": {"mon": ["9"]}}]})
    answer = admin.post("/setup/hours/import", document=bad)
    assert answer.status_code == 422
    assert "is no range of hours" in answer.text
    assert admin.post("/setup/hours/import", document="calendars: [").status_code == 422
    assert len(calendar_store.stored_calendars(company.parts.db, zone="UTC")) == len(before)


def test_the_api_does_what_the_pages_do(company: Company) -> None:
    headers = {"Authorization": f"Bearer {company.token('admin')}"}
    client = company.app.test_client()

    def call(method: str, address: str, body: Any = None) -> Any:
        return client.open(f"/api/v1/hours{address}", method=method, json=body, headers=headers)

    made = call("POST", "", {"name": "Workshop", "weekly": {"mon-fri": ["09:00-17:00"]}, "holidays": ["DK"]}).json
    own = f"/{made['id']}"
    shown = call("GET", own).json
    assert shown["openings"]["Monday"] == "09:00–17:00"
    assert shown["calendar"]["public_holidays"]["country"] == "DK"
    day = {"name": "Eve", "every": "12-24", "closed": ["12:00-24:00"]}
    assert call("POST", f"{own}/days", {"day": day, "revision": 9}).status_code == 409
    assert call("POST", f"{own}/days", {"day": day}).status_code == 201
    assert call("POST", f"{own}/days", {"day": {"name": "Eve"}}).status_code == 409
    for hostile in ("a\0b", "x" * 81, "<script>\n"):
        assert call("POST", f"{own}/days", {"day": day | {"name": hostile}}).status_code == 409
        assert call("POST", "", {"name": hostile}).status_code in (409, 422)
    change = call("PUT", f"{own}/days/0", {"day": day | {"closed": ["10:00-24:00"]}}).json["change"]
    days = {each["day"]: each for each in call("GET", f"{own}/year?year=2026").json["days"]}
    assert days["2026-12-24"] == {"day": "2026-12-24", "look": "other", "said": "Eve: 09:00–10:00"}
    assert call("POST", f"/changes/{change}/undo").json["said"].endswith("Eve changed")
    assert call("POST", f"/changes/{change}/undo").status_code == 409
    answer = call("GET", "/ask?of=calendar:Workshop&on=2026-12-24&at=13:00").json
    assert (answer["open"], answer["why"]) == (False, "Eve, every 24 December: closed 12:00–24:00.")
    proposal = call("GET", f"{own}/public-holidays?country=DE&subdivision=BY&year=2027").json
    assert proposal["days"]["2027-01-06"] == "Epiphany"
    chosen = {"country": "DE", "subdivision": "BY", "year": 2027, "days": ["2027-01-06"]}
    assert call("PUT", f"{own}/public-holidays", chosen).status_code == 200
    assert call("PUT", f"{own}/public-holidays", chosen | {"days": ["2027-01-05"]}).status_code == 409
    until = datetime.isoformat(company.now + timedelta(hours=1))
    closed = call("POST", "/emergencies", {"calendars": [made["id"]], "until": until, "reason": "Flood"}).json
    assert closed["emergencies"][0]["calendar"] == "Workshop"
    assert call("GET", own).json["reason"] == "emergency"
    assert call("DELETE", f"/emergencies/{closed['emergencies'][0]['id']}").status_code == 204
    text = client.get("/api/v1/hours/export", headers=headers).text
    assert call("POST", "/import", {"yaml": text}).json["names"] == [
        "Afternoons",
        "Evenings",
        "Mornings",
        "Office",
        "Reception",
        "Workshop",
    ]
    assert call("PUT", own, {"name": "Shop", "weekly": {}}).status_code == 200
    assert call("DELETE", own).status_code == 200
    assert call("DELETE", own).status_code == 404
    assert len(call("GET", f"{own}/changes").json["changes"]) >= 5
