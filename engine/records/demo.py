"""The demo company, so that a new installation can be called at once."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import conf
from conf.database import Database
from conf.errors import PointsmanError
from conf.settings import Settings
from dialplan import destinations, documents, numbers
from dialplan import store as dialplan_store
from engine.records.accounts import Accounts
from engine.records.publish import raise_version
from engine.records.tables import (
    Account,
    Agent,
    AgentSkill,
    Customer,
    CustomerNumber,
    CustomerOrder,
    Queue,
    QueueSkill,
    Skill,
    Ticket,
)
from ivr import store as ivr_store

FOLDER = Path(conf.__file__).with_name("demo")


class DemoBroken(PointsmanError):
    """The demo company's files cannot be used."""


def is_empty(db: Database) -> bool:
    """Whether nobody has set anything up: there is no account."""
    with db.connection_context():
        return not Account.select().exists()


def load(db: Database, settings: Settings, now: datetime, password: str) -> list[str]:
    """Set up the demo company; the names of its accounts, all of which get the password.

    The accounts come last and with everything else in one transaction, so a start cut short before is simply repeated.
    """
    company = documents.read((FOLDER / "company.yaml").read_text(encoding="utf-8"))
    years = range(now.year - 1, now.year + 4)
    dialplan_store.import_calendars(
        db, documents.read((FOLDER / "calendars.yaml").read_text(encoding="utf-8")), zone=settings.zone, years=years
    )
    ivr_store.import_flows(db, sorted((FOLDER / "flows").glob("*.yaml")), author="demo", at=now)
    for number in company["numbers"]:
        rule = destinations.decode(number["destination"])
        dialplan_store.save_number(db, number["number"], number["name"], rule, country=settings.country)
    # Set by whoever installs this, for a demo: a short one is their decision.
    hashed = Accounts(db).hash(password, shortest=1)
    with db.connection_context(), db.atomic():
        skills = {name: Skill.create(name=name) for name in company["skills"]}
        for queue in company["queues"]:
            _queue(queue, skills)
        accounts = {
            user["name"]: Account.create(**user, password_hash=hashed, session_key=secrets.token_hex(16))
            for user in company["users"]
        }
        for agent in company["agents"]:
            _agent(agent, skills, accounts)
        for customer in company["customers"]:
            _customer(customer, settings.country, now)
        raise_version(db)
    return list(accounts)


def _queue(queue: Mapping[str, Any], skills: Mapping[str, Skill]) -> None:
    row = Queue.create(**{key: value for key, value in queue.items() if key != "skills"})
    for name, level in queue.get("skills", {}).items():
        QueueSkill.create(queue=row, skill=skills[name], level=level)


def _agent(agent: Mapping[str, Any], skills: Mapping[str, Skill], accounts: Mapping[str, Account]) -> None:
    row = Agent.create(
        name=agent["name"],
        extension=agent["extension"],
        account=accounts[agent["user"]],
        presence="ready",
        sip_password=secrets.token_urlsafe(12),
    )
    for name, level in agent["skills"].items():
        AgentSkill.create(agent=row, skill=skills[name], level=level)


def _customer(customer: Mapping[str, Any], country: str, now: datetime) -> None:
    plain = {key: customer[key] for key in ("name", "company", "category", "note", "place") if key in customer}
    row = Customer.create(**plain, created_at=now)
    for number in customer["numbers"]:
        normal = numbers.normalise(number, country)
        if not normal:
            raise DemoBroken(f"{number!r} of {customer['name']} is no number")
        CustomerNumber.create(customer=row, number=normal)
    for ticket in customer.get("tickets", []):
        Ticket.create(**ticket, customer=row, opened_at=now)
    for order in customer.get("orders", []):
        CustomerOrder.create(**order, customer=row, opened_at=now)
