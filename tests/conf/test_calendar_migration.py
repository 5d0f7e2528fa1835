"""Calendars of an installation from before they were documents."""

from conf.migrate import FOLDER
from dialplan import calendar_store


def test_hours_and_holidays_are_brought_over(db):
    name = FOLDER / "0003_calendars.sql"
    with db.connection_context():
        db.execute_sql("DROP TABLE calendar_change, calendar_emergency")
        db.execute_sql("ALTER TABLE calendar DROP COLUMN document, DROP COLUMN revision")
        first = (FOLDER / "0001_first_call.sql").read_text(encoding="utf-8")
        begin, end = first.index("CREATE TABLE opening"), first.index("CREATE TABLE flow (")
        db.execute_sql(first[begin:end])
        db.execute_sql("INSERT INTO calendar (name, timezone) VALUES ('Office', 'UTC'), ('Empty', 'UTC')")
        for weekday, opens, closes in ((0, 540, 720), (0, 750, 1020), (4, 1320, 1560), (5, 0, 1440), (6, 600, 2040)):
            db.execute_sql(
                "INSERT INTO opening (calendar_id, weekday, opens_minute, closes_minute) "
                "SELECT id, %s, %s, %s FROM calendar WHERE name = 'Office'",
                (weekday, opens, closes),
            )
        db.execute_sql(
            "INSERT INTO holiday (calendar_id, day, name) SELECT id, '2026-12-25', 'Christmas Day' FROM calendar "
            "WHERE name = 'Office'"
        )
        db.execute_sql(name.read_text(encoding="utf-8").replace("%", "%%"))
        office = calendar_store.load_calendars(db, zone="UTC")["Office"]
        empty = calendar_store.load_calendars(db, zone="UTC")["Empty"]
    assert [(each.weekday, each.opens, each.closes) for each in office.openings] == [
        (0, 540, 720), (0, 750, 1020), (4, 1320, 1560), (5, 0, 1440), (6, 600, 2040),
    ]  # fmt: skip
    assert {f"{day}": text for day, text in office.holidays.items()} == {"2026-12-25": "Christmas Day"}
    assert office.public.years == {2026}
    assert (empty.openings, empty.public) == ((), None)
