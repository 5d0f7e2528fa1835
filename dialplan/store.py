"""Numbers in and out of the database, and with the calendars the whole plan. Calendars by themselves are in
dialplan.calendar_store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import structlog

from conf.database import Database
from dialplan import destinations, numbers, scenarios
from dialplan.calendar_store import import_calendars, load_calendars, save_calendar
from dialplan.destinations import Rule
from dialplan.errors import DestinationInvalid
from dialplan.plan import Number, Plan
from dialplan.scenarios import Forward, RingGroup
from dialplan.tables import NumberRow

__all__ = ["import_calendars", "load", "load_calendars", "save_calendar", "save_number"]

log = structlog.get_logger(__name__)


def load(db: Database, *, zone: str, country: str) -> Plan:
    """The plan as it stands in the database, in a few short queries on one connection.

    A number whose destination makes no sense is out of service and logged: one bad row must not take the others off the
    line. A calendar whose time zone is unknown here goes by `zone`.
    """
    found = {}
    with db.connection_context():
        rows = list(NumberRow.select())
        rules = dict(db.execute_sql("SELECT extension, rules -> 'forwarding' FROM agent").fetchall())
        groups = db.execute_sql("SELECT name, title, document FROM ring_group").fetchall()
        known = load_calendars(db, zone=zone)
    for row in rows:
        try:
            found[row.number] = Number(row.number, row.name, destinations.decode(row.destination))
        except DestinationInvalid as error:
            log.error("a number is out of service", number=row.number, why=str(error))
    return Plan(country, found, known, frozenset(rules), _groups(groups), _forwarding(rules))


def _groups(rows: Iterable[tuple[str, str, object]]) -> dict[str, RingGroup]:
    found = {}
    for name, title, document in rows:
        try:
            found[name] = scenarios.decode_group(name, title, document)
        except DestinationInvalid as error:
            log.error("a ring group is out of service", group=name, why=str(error))
    return found


def _forwarding(rules: Mapping[str, object]) -> dict[str, tuple[Forward, ...]]:
    found = {}
    for extension, document in rules.items():
        try:
            found[extension] = scenarios.decode_forwarding(document)
        except DestinationInvalid as error:
            log.error("an extension is not forwarded", extension=extension, why=str(error))
    return {extension: forwarding for extension, forwarding in found.items() if forwarding}


def save_number(db: Database, number: str, name: str, rule: Rule, *, country: str) -> str:
    """Store what a number does, in place of what it did; returns the number as it is kept.

    DestinationInvalid where the text is no number.
    """
    normal = numbers.normalise(number, country)
    if not normal:
        raise DestinationInvalid(f"{number!r:.100} is no number that can be called")
    with db.connection_context():
        NumberRow.insert(number=normal, name=name, destination=destinations.encode(rule)).on_conflict(
            conflict_target=[NumberRow.number], preserve=[NumberRow.name, NumberRow.destination]
        ).execute()
    return normal
