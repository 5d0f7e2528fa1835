"""The tables of people, queues and customers, as those who change them need; see conf/migrations for the columns' bounds.

History has no tables here: it is written by engine.records.apply, set by set, and read through the report views.
"""

from __future__ import annotations

import peewee

from conf.database import Table


class Account(Table):
    """Someone who signs in, or a program with a token."""

    id = peewee.AutoField()
    name = peewee.TextField(unique=True)
    full_name = peewee.TextField(default="")
    role = peewee.TextField()
    password_hash = peewee.TextField()
    session_key = peewee.TextField()
    enabled = peewee.BooleanField(default=True)


class ApiToken(Table):
    """A bearer token; only its hash is kept."""

    id = peewee.AutoField()
    account = peewee.ForeignKeyField(Account, on_delete="CASCADE")
    name = peewee.TextField()
    token_hash = peewee.TextField(unique=True)
    created_at = peewee.DateTimeField()
    last_used_at = peewee.DateTimeField(null=True)


class Agent(Table):
    """Someone who takes calls at an extension; `account` is what they sign in with."""

    id = peewee.AutoField()
    name = peewee.TextField()
    extension = peewee.TextField(unique=True)
    account = peewee.ForeignKeyField(Account, null=True, unique=True, on_delete="SET NULL")
    presence = peewee.TextField(default="offline")
    presence_reason = peewee.TextField(null=True)
    wrap_up_seconds = peewee.IntegerField(default=5)
    sip_password = peewee.TextField(default="")


class Skill(Table):
    id = peewee.AutoField()
    name = peewee.TextField(unique=True)


class AgentSkill(Table):
    agent = peewee.ForeignKeyField(Agent, on_delete="CASCADE")
    skill = peewee.ForeignKeyField(Skill, on_delete="CASCADE")
    level = peewee.SmallIntegerField()

    class Meta:
        primary_key = peewee.CompositeKey("agent", "skill")


class Queue(Table):
    id = peewee.AutoField()
    name = peewee.TextField(unique=True)
    title = peewee.TextField(default="")
    priority = peewee.IntegerField(default=0)
    ring_seconds = peewee.IntegerField(default=15)
    longest_wait_seconds = peewee.IntegerField(default=600)
    most_waiting = peewee.IntegerField(default=100)
    announce_seconds = peewee.IntegerField(default=30)
    answer_within_seconds = peewee.IntegerField(default=20)
    short_abandon_seconds = peewee.IntegerField(default=5)
    recorded = peewee.BooleanField(default=True)


class QueueSkill(Table):
    queue = peewee.ForeignKeyField(Queue, on_delete="CASCADE")
    skill = peewee.ForeignKeyField(Skill, on_delete="CASCADE")
    level = peewee.SmallIntegerField()

    class Meta:
        primary_key = peewee.CompositeKey("queue", "skill")


class Customer(Table):
    id = peewee.AutoField()
    name = peewee.TextField(default="")
    company = peewee.TextField(default="")
    category = peewee.TextField(default="average")
    note = peewee.TextField(default="")
    place = peewee.TextField(default="")
    photo_path = peewee.TextField(null=True)
    registered_by_call = peewee.UUIDField(null=True)
    created_at = peewee.DateTimeField()


class CustomerNumber(Table):
    customer = peewee.ForeignKeyField(Customer, on_delete="CASCADE")
    number = peewee.TextField()

    class Meta:
        primary_key = peewee.CompositeKey("number", "customer")


class Ticket(Table):
    id = peewee.AutoField()
    customer = peewee.ForeignKeyField(Customer)
    kind = peewee.TextField(default="enquiry")
    subject = peewee.TextField()
    opened_at = peewee.DateTimeField()
    closed_at = peewee.DateTimeField(null=True)


class CustomerOrder(Table):
    id = peewee.AutoField()
    customer = peewee.ForeignKeyField(Customer)
    stage = peewee.TextField()
    responsible = peewee.TextField(default="")
    debt = peewee.DecimalField(max_digits=12, decimal_places=2, default=0)
    opened_at = peewee.DateTimeField()
    closed_at = peewee.DateTimeField(null=True)
